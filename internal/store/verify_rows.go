package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// VerifyRows checks every guarded row against its MAC and against the last
// version that the audit log tells of it. It returns how many rows there are and
// what is wrong, at most a hundred: forged, returned, or unrecorded (the log
// lacks the entry of the row's version: entries were removed).
func (db *DB) VerifyRows(ctx context.Context) (rows int64, bad []Finding, err error) {
	if db.guard.key == nil {
		return 0, nil, errRowKey
	}
	err = db.Read(ctx, func(ctx context.Context, tx *Tx) error {
		pool, err := tx.SQL()
		if err != nil {
			return err
		}
		newest, err := newestVersions(ctx, pool)
		if err != nil {
			return err
		}
		for _, table := range slices.Sorted(maps.Keys(db.guard.rules)) {
			err := eachRow(ctx, pool, table, func(row map[string]any) error {
				rows++
				if f := db.guard.check(db.guard.rules[table], row, newest); f.Reason != "" && len(bad) < 100 {
					bad = append(bad, f)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return rows, bad, err
}

// ToldVersions gives the newest version of each row that the audit log tells, by
// table/key.
func (db *DB) ToldVersions(ctx context.Context) (newest map[string]int64, err error) {
	err = db.Read(ctx, func(ctx context.Context, tx *Tx) error {
		pool, err := tx.SQL()
		if err != nil {
			return err
		}
		newest, err = newestVersions(ctx, pool)
		return err
	})
	return newest, err
}

// CountedRows calls fn with table/key of each row of the counted tables.
func (db *DB) CountedRows(ctx context.Context, fn func(object string)) error {
	return db.Read(ctx, func(ctx context.Context, tx *Tx) error {
		pool, err := tx.SQL()
		if err != nil {
			return err
		}
		for _, table := range slices.Sorted(maps.Keys(db.guard.rules)) {
			r := db.guard.rules[table]
			if !r.Counted {
				continue
			}
			err := eachRowOf(ctx, pool, table, r.Key, func(row map[string]any) error {
				fn(RowObject(r, row))
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (g *guard) check(r TableRule, row map[string]any, newest map[string]int64) Finding {
	f := Finding{Object: RowObject(r, row)}
	rev, _ := row["rev"].(int64)
	mac, err := RowMAC(g.key, r, rev, row)
	told := max(newest[f.Object], g.memory.version(f.Object))
	switch {
	case err != nil || !sameText(rawText(row["mac"]), mac):
		f.Reason = "forged"
	case told > rev:
		f.Reason = "returned"
	case newest[f.Object] < rev && rev > 1:
		f.Reason = "unrecorded"
	}
	return f
}

func newestVersions(ctx context.Context, tx *sql.Tx) (map[string]int64, error) {
	rows, err := tx.QueryContext(ctx, "SELECT object, MAX(version) FROM audit WHERE version > 0 GROUP BY object")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]int64{}
	for rows.Next() {
		var object string
		var version int64
		if err := rows.Scan(&object, &version); err != nil {
			return nil, err
		}
		out[object] = version
	}
	return out, rows.Err()
}

// eachRow gives every row of a table, by column.
func eachRow(ctx context.Context, tx *sql.Tx, table string, fn func(map[string]any) error) error {
	return eachRowOf(ctx, tx, table, nil, fn)
}

// eachRowOf gives some columns of every row; all of them when none is named.
func eachRowOf(ctx context.Context, tx *sql.Tx, table string, columns []string, fn func(map[string]any) error) error {
	what := "*"
	if len(columns) > 0 {
		what = `"` + strings.Join(columns, `", "`) + `"`
	}
	rows, err := tx.QueryContext(ctx, `SELECT `+what+` FROM "`+table+`"`)
	if err != nil {
		return err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	for rows.Next() {
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		row := make(map[string]any, len(names))
		for i, n := range names {
			row[n] = values[i]
		}
		if err := fn(row); err != nil {
			return err
		}
	}
	return rows.Err()
}

// RowMAC is the MAC of a row as the database gives it, by column: for verify,
// and for tests that change rows by hand.
func RowMAC(key []byte, r TableRule, rev int64, row map[string]any) (string, error) {
	var columns []column
	for _, name := range slices.Sorted(maps.Keys(row)) {
		if name == "rev" || name == "mac" || slices.Contains(r.Free, name) {
			continue
		}
		switch v := row[name].(type) {
		case nil, string, []byte, bool, int64:
			if text := rawText(v); text != "" {
				columns = append(columns, column{name, text})
			}
		case time.Time:
			return "", fmt.Errorf("store: %s.%s is a time", r.Table, name)
		default:
			return "", fmt.Errorf("store: %s.%s is a %T", r.Table, name, v)
		}
	}
	return rowMAC(key, r.Table, rev, columns), nil
}

// rawText is columnText of what a driver gives.
func rawText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	case bool:
		if v {
			return "1"
		}
	case int64:
		if v != 0 {
			return strconv.FormatInt(v, 10)
		}
	}
	return ""
}

// RowObject names a row in the audit log: its table and its key.
func RowObject(r TableRule, row map[string]any) string {
	name := r.Table
	for _, k := range r.Key {
		if raw, ok := row[k].([]byte); ok {
			name += "/" + hex.EncodeToString(raw)
		} else {
			name += "/" + rawText(row[k])
		}
	}
	return name
}
