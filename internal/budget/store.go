package budget

import "visavis/internal/store"

type row struct {
	Name  string
	Key   string
	Since int64
	Used  int64
	At    int64 // of the last use
}

func (row) TableName() string { return "budgets" }

func spend(tx *store.Tx, r row, limit int64) (bool, error) {
	res := tx.G().Exec("INSERT INTO budgets (name, key, since, used, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (name, key, since) "+
		"DO UPDATE SET used = budgets.used + excluded.used, at = CASE WHEN excluded.used > 0 THEN excluded.at ELSE budgets.at END "+
		"WHERE budgets.used + excluded.used <= ?", r.Name, r.Key, r.Since, r.Used, r.At, limit)
	return res.RowsAffected == 1, res.Error
}

func giveBack(tx *store.Tx, r row) error {
	return tx.G().Exec("UPDATE budgets SET used = used - ? WHERE name = ? AND key = ? AND since = ? AND used >= ?", r.Used, r.Name, r.Key, r.Since, r.Used).Error
}

func used(tx *store.Tx, r row) (n int64, err error) {
	err = tx.G().Raw("SELECT COALESCE(SUM(used), 0) FROM budgets WHERE name = ? AND key = ? AND since = ?", r.Name, r.Key, r.Since).Scan(&n).Error
	return n, err
}

// last is when something of a budget was used last, in any window that is kept.
func last(tx *store.Tx, name, key string) (at int64, err error) {
	err = tx.G().Raw("SELECT COALESCE(MAX(at), 0) FROM budgets WHERE name = ? AND key = ? AND used > 0", name, key).Scan(&at).Error
	return at, err
}

// named gives the rows of some budgets.
func named(tx *store.Tx, names []string, since int64) (rows []row, err error) {
	err = tx.G().Where("name IN ? AND since >= ?", names, since).Order("since DESC, used DESC, name, key").Find(&rows).Error
	return rows, err
}

func standing(tx *store.Tx, since int64, most int) (rows []row, err error) {
	err = tx.G().Where("since >= ?", since).Order("since DESC, used DESC, name, key").Limit(most).Find(&rows).Error
	return rows, err
}

func forget(tx *store.Tx, before int64) error {
	return tx.G().Where("since < ?", before).Delete(&row{}).Error
}
