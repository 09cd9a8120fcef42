package store_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"visavis/internal/store"
	"visavis/internal/testkit"
)

// TestEveryTableIsGuardedOrSaysWhyNot: a table that a migration makes is a line
// of rows.tsv. One that decides who may do or see what is guarded; of one that is
// open, the line says why that lets nobody in.
func TestEveryTableIsGuardedOrSaysWhyNot(t *testing.T) {
	rules, err := store.TableRules()
	if err != nil {
		t.Fatal(err)
	}
	all := columns(t, testkit.OpenSQLite(t), `
		SELECT m.name, c.name, c.type, c."notnull" OR c.pk > 0
		FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'`)
	tables := map[string][]string{}
	for _, c := range all {
		tables[c.Table] = append(tables[c.Table], c.Name)
	}
	known := map[string]bool{}
	for _, r := range rules {
		known[r.Table] = true
		has, exists := tables[r.Table]
		if !exists {
			t.Errorf("rows.tsv: there is no table %s", r.Table)
		}
		if len(strings.Fields(r.Why)) < 1 {
			t.Errorf("rows.tsv: %s says no reason", r.Table)
		}
		if guarded := slices.Contains(has, "mac") && slices.Contains(has, "rev"); r.Guarded != guarded && r.Table != "audit" {
			t.Errorf("rows.tsv: %s guarded: %v, and its columns rev and mac: %v", r.Table, r.Guarded, guarded)
		}
		if r.Guarded && len(r.Key) == 0 {
			t.Errorf("rows.tsv: %s has no key", r.Table)
		}
		for _, c := range slices.Concat(r.Key, r.Unversioned, r.Free) {
			if !slices.Contains(has, c) {
				t.Errorf("rows.tsv: %s has no column %s", r.Table, c)
			}
		}
	}
	for name := range tables {
		if !known[name] {
			t.Errorf("table %s is not in rows.tsv: does it decide who may do or see what? Guard it (store.Guarded, columns rev and mac) or say why not", name)
		}
	}
}

// TestWithoutTheKeyNothingIsRead: a program without the key of rows works on no
// guarded table.
func TestWithoutTheKeyNothingIsRead(t *testing.T) {
	db, err := store.Open(context.Background(), store.Options{DataDir: testkit.SQLite(t), Key: testkit.SQLiteKey()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, _, err := db.VerifyRows(context.Background()); err == nil {
		t.Error("rows verify without the key")
	}
	if _, err := db.MAC("task", "a"); err == nil {
		t.Error("a MAC without the key")
	}
}

// TestMACsAreOfOnePlace: the parts of a MAC cannot be shifted, and the same words
// in another table, version, column or kind give another one.
func TestMACsAreOfOnePlace(t *testing.T) {
	key := testkit.RowKey()
	a, b := store.TableRule{Table: "links"}, store.TableRule{Table: "sessions"}
	seen := map[string]string{}
	for name, mac := range map[string]func() (string, error){
		"a row":                func() (string, error) { return store.RowMAC(key, a, 1, map[string]any{"id": "1", "proof": "xy"}) },
		"another table":        func() (string, error) { return store.RowMAC(key, b, 1, map[string]any{"id": "1", "proof": "xy"}) },
		"another version":      func() (string, error) { return store.RowMAC(key, a, 2, map[string]any{"id": "1", "proof": "xy"}) },
		"another column":       func() (string, error) { return store.RowMAC(key, a, 1, map[string]any{"id": "1", "prooe": "xy"}) },
		"shifted into a name":  func() (string, error) { return store.RowMAC(key, a, 1, map[string]any{"id": "1", "proofx": "y"}) },
		"shifted into a value": func() (string, error) { return store.RowMAC(key, a, 1, map[string]any{"id": "1proof", "p": "xy"}) },
		"a column more": func() (string, error) {
			return store.RowMAC(key, a, 1, map[string]any{"id": "1", "proof": "xy", "at": int64(1)})
		},
		"another key": func() (string, error) {
			return store.RowMAC(testkit.SQLiteKey(), a, 1, map[string]any{"id": "1", "proof": "xy"})
		},
	} {
		got, err := mac()
		if err != nil {
			t.Fatal(err)
		}
		if other, taken := seen[got]; taken {
			t.Errorf("%s and %s have one MAC", name, other)
		}
		seen[got] = name
	}
	plain, _ := store.RowMAC(key, a, 1, map[string]any{"id": "1"})
	wider, _ := store.RowMAC(key, a, 1, map[string]any{"id": "1", "added_later": "", "level": int64(0), "held": false})
	if plain != wider {
		t.Error("a column that a migration adds with its zero value makes rows forged")
	}
}
