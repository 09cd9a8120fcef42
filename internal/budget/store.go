package budget

import "visavis/internal/store"

type row struct {
	Name  string
	Key   string
	Since int64
	Used  int64
}

func (row) TableName() string { return "budgets" }

func spend(tx *store.Tx, r row, limit int64) (bool, error) {
	res := tx.G().Exec("INSERT INTO budgets (name, key, since, used) VALUES (?, ?, ?, ?) ON CONFLICT (name, key, since) "+
		"DO UPDATE SET used = budgets.used + excluded.used WHERE budgets.used + excluded.used <= ?", r.Name, r.Key, r.Since, r.Used, limit)
	return res.RowsAffected == 1, res.Error
}

func giveBack(tx *store.Tx, r row) error {
	return tx.G().Exec("UPDATE budgets SET used = used - ? WHERE name = ? AND key = ? AND since = ? AND used >= ?", r.Used, r.Name, r.Key, r.Since, r.Used).Error
}

func used(tx *store.Tx, r row) (n int64, err error) {
	err = tx.G().Raw("SELECT COALESCE(SUM(used), 0) FROM budgets WHERE name = ? AND key = ? AND since = ?", r.Name, r.Key, r.Since).Scan(&n).Error
	return n, err
}

func standing(tx *store.Tx, since int64, most int) (rows []row, err error) {
	err = tx.G().Where("since >= ?", since).Order("since DESC, used DESC, name, key").Limit(most).Find(&rows).Error
	return rows, err
}

func forget(tx *store.Tx, before int64) error {
	return tx.G().Where("since < ?", before).Delete(&row{}).Error
}
