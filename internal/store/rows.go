package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gorm.io/gorm/schema"
)

// Guarded is embedded by the row type of every table that decides who may do
// or see what (rows.tsv). A row is then believed only when its MAC, under a key
// that is not in the database, covers its table, its version and its columns,
// and when the audit log knows no later version of it. Only guard*.go sets
// these fields.
type Guarded struct {
	Rev int64  // version of the row, from 1; an entry of the audit log tells each later one
	MAC string // HMAC-SHA256, base64
	// Newest is the last version that the audit log tells, read together with
	// the row; 0 when it tells none.
	Newest int64 `gorm:"->"`
}

// rowsTable says, of every table, how it is guarded or why it is not.
//
//go:embed rows.tsv
var rowsTable string

// TableRule is a line of rows.tsv.
type TableRule struct {
	Table   string
	Guarded bool
	Key     []string // columns that name a row
	// Unversioned columns are covered by the MAC, and a change of them alone
	// makes no new version: putting an older value back must not help anybody.
	Unversioned []string
	// Free columns are not covered: they decide nothing.
	Free []string
	// Forgets tells that rows which are deleted could not be used any more, so
	// that no version tells their end.
	Forgets bool
	// Counted tells that the journal holds the name of each row, so that one that is
	// deleted without the program is missed.
	Counted bool
	Why     string
}

// TableRules gives the lines of rows.tsv.
func TableRules() ([]TableRule, error) {
	var rules []TableRule
	list := func(cell string) []string {
		if cell == "-" {
			return nil
		}
		return strings.Split(cell, ",")
	}
	for n, line := range strings.Split(strings.TrimSuffix(rowsTable, "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		c := strings.Split(line, "\t")
		if len(c) != 7 || c[6] == "" || c[1] != "mac" && c[1] != "open" || !slices.Contains([]string{"-", "forgets", "tells", "counted"}, c[5]) {
			return nil, fmt.Errorf("store: rows.tsv:%d: want table, mac or open, key, unversioned, free, deletes, why", n+1)
		}
		rules = append(rules, TableRule{Table: c[0], Guarded: c[1] == "mac", Key: list(c[2]), Unversioned: list(c[3]), Free: list(c[4]),
			Forgets: c[5] == "forgets", Counted: c[5] == "counted", Why: c[6]})
	}
	return rules, nil
}

// errRowKey refuses to work on guarded rows without the key.
var errRowKey = errors.New("store: no key for the MACs of rows")

// column is one column of a row as the MAC covers it. A column that has the
// zero value of its type is left out, so that a migration may add one.
type column struct{ name, value string }

// rowMAC is HMAC-SHA256 over the table, the version and the columns sorted by
// name, each length-prefixed.
func rowMAC(key []byte, table string, rev int64, columns []column) string {
	h := hmac.New(sha256.New, key)
	part(h, "visavis row 1", table, strconv.FormatInt(rev, 10))
	for _, c := range columns {
		part(h, c.name, c.value)
	}
	return base64.RawStdEncoding.EncodeToString(h.Sum(nil))
}

func part(h hash.Hash, texts ...string) {
	var size [8]byte
	for _, t := range texts {
		binary.BigEndian.PutUint64(size[:], uint64(len(t)))
		h.Write(size[:])
		h.Write([]byte(t))
	}
}

// covered gives the columns of a row that the MAC covers, sorted.
func (r TableRule) covered(ctx context.Context, s *schema.Schema, row reflect.Value) ([]column, error) {
	var out []column
	for _, f := range s.Fields {
		if f.DBName == "" || f.DBName == "rev" || f.DBName == "mac" || f.DBName == "newest" || slices.Contains(r.Free, f.DBName) {
			continue
		}
		text, err := columnText(f.ReflectValueOf(ctx, row))
		if err != nil {
			return nil, fmt.Errorf("store: %s.%s: %w", r.Table, f.DBName, err)
		}
		if text != "" {
			out = append(out, column{f.DBName, text})
		}
	}
	slices.SortFunc(out, func(a, b column) int { return strings.Compare(a.name, b.name) })
	return out, nil
}

// columnText writes a value one way; "" is the zero value.
func columnText(v reflect.Value) (string, error) {
	switch v.Kind() {
	case reflect.String:
		return v.String(), nil
	case reflect.Bool:
		if v.Bool() {
			return "1", nil
		}
		return "", nil
	case reflect.Int, reflect.Int64, reflect.Int32:
		if v.Int() == 0 {
			return "", nil
		}
		return strconv.FormatInt(v.Int(), 10), nil
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return string(v.Bytes()), nil
		}
	}
	return "", fmt.Errorf("no MAC covers a %s", v.Type())
}

// object names a row in the audit log: its table and its key.
func (r TableRule) object(ctx context.Context, s *schema.Schema, row reflect.Value) string {
	name := r.Table
	for _, k := range r.Key {
		v := s.LookUpField(k).ReflectValueOf(ctx, row)
		switch v.Kind() {
		case reflect.Slice:
			name += "/" + hex.EncodeToString(v.Bytes())
		case reflect.String:
			name += "/" + v.String()
		default:
			name += "/" + fmt.Sprint(v.Interface())
		}
	}
	return name
}

// objectSQL is object as an expression of the database.
func (r TableRule) objectSQL(d Dialect, s *schema.Schema) string {
	out := "'" + r.Table + "'"
	for _, k := range r.Key {
		col := `"` + r.Table + `"."` + k + `"`
		switch s.LookUpField(k).IndirectFieldType.Kind() {
		case reflect.Slice:
			if d == Postgres {
				col = "encode(" + col + ", 'hex')"
			} else {
				col = "lower(hex(" + col + "))"
			}
		case reflect.String:
		default:
			col = "CAST(" + col + " AS TEXT)"
		}
		out += " || '/' || " + col
	}
	return out
}
