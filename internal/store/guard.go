package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"
)

// ChangeLog is told, in the transaction of the change, that a guarded row has a
// new version. internal/audit is one: the entry is what makes an older row that
// is put back show.
type ChangeLog interface {
	RowChanged(ctx context.Context, tx *Tx, object string, version int64) error
	// RowMade and RowGone tell that a row of a counted table was inserted or deleted.
	RowMade(tx *Tx, object string)
	RowGone(tx *Tx, object string)
}

// Finding is a row that was refused.
type Finding struct {
	Object string // table/key
	Reason string // forged: its MAC is wrong; returned: the audit log knows a later version
}

// guard makes and checks the MACs of guarded rows, inside GORM's statements:
// a query gives no row that was not written by somebody with the key, or that is
// not its last version. Such a row is as if it did not exist, and is reported.
type guard struct {
	key     []byte
	dialect Dialect
	rules   map[string]TableRule
	update  func(*gorm.DB) // GORM's own
	memory  memory

	mu       sync.Mutex
	log      ChangeLog
	findings map[Finding]bool // not drained yet
}

func newGuard(key []byte, d Dialect) (*guard, error) {
	g := &guard{key: key, dialect: d, rules: map[string]TableRule{}, findings: map[Finding]bool{}}
	g.memory.newest = map[ObjectHash]mark{}
	list, err := TableRules()
	for _, r := range list {
		if r.Guarded {
			g.rules[r.Table] = r
		}
	}
	return g, err
}

func (g *guard) install(db *gorm.DB) error {
	c := db.Callback()
	g.update = c.Update().Get("gorm:update")
	return errors.Join(
		c.Create().Before("gorm:create").Register("visavis:guard", g.beforeCreate),
		c.Create().After("gorm:create").Register("visavis:count", g.afterCreate),
		c.Query().Before("gorm:query").Register("visavis:guard", g.beforeQuery),
		c.Query().After("gorm:query").Register("visavis:verify", g.afterQuery),
		c.Update().Replace("gorm:update", g.onUpdate),
		c.Delete().Before("gorm:delete").Register("visavis:guard", g.beforeDelete))
}

const unverifiedKey = "visavis:unverified"

// Unverified lets a statement read some columns of a guarded table, or count
// its rows. What it reads is no proof of anything: it serves to look for work,
// to lock, or to show, and nobody may be let in by it.
func Unverified(g *gorm.DB) *gorm.DB { return g.Set(unverifiedKey, true) }

// ruleOf gives the rule of a statement's table; false when it is not guarded or
// the statement is not to be.
func (g *guard) ruleOf(db *gorm.DB) (TableRule, bool) {
	if db.Error != nil {
		return TableRule{}, false
	}
	r, ok := g.rules[db.Statement.Table]
	if !ok {
		return r, false
	}
	if _, free := db.Get(unverifiedKey); free {
		return r, false
	}
	s := db.Statement.Schema
	switch {
	case g.key == nil:
		_ = db.AddError(errRowKey)
	case s == nil || s.Table != r.Table || s.LookUpField("Rev") == nil || s.LookUpField("MAC") == nil:
		_ = db.AddError(fmt.Errorf("store: %s is guarded: use its row type, with store.Guarded in it", r.Table))
	default:
		return r, true
	}
	return r, false
}

func (g *guard) beforeCreate(db *gorm.DB) {
	r, ok := g.ruleOf(db)
	if !ok {
		return
	}
	if c, found := db.Statement.Clauses["ON CONFLICT"]; found {
		if on, _ := c.Expression.(clause.OnConflict); len(on.DoUpdates) > 0 || on.UpdateAll {
			_ = db.AddError(fmt.Errorf("store: %s is guarded: look for the row, then change it", r.Table))
			return
		}
	}
	each(db.Statement.ReflectValue, func(row reflect.Value) {
		if err := g.sign(db.Statement.Context, r, db.Statement.Schema, row, 1); err != nil {
			_ = db.AddError(err)
		}
	})
}

// each calls fn with the struct, or with each one of a slice.
func each(v reflect.Value, fn func(reflect.Value)) {
	switch v.Kind() {
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			fn(reflect.Indirect(v.Index(i)))
		}
	case reflect.Struct:
		fn(v)
	}
}

// sign gives a row a version and its MAC.
func (g *guard) sign(ctx context.Context, r TableRule, s *schema.Schema, row reflect.Value, rev int64) error {
	columns, err := r.covered(ctx, s, row)
	if err != nil {
		return err
	}
	return errors.Join(s.LookUpField("Rev").Set(ctx, row, rev), s.LookUpField("MAC").Set(ctx, row, rowMAC(g.key, r.Table, rev, columns)))
}

// beforeQuery reads with each row the newest version that the audit log tells
// of it: one statement sees one state of both.
func (g *guard) beforeQuery(db *gorm.DB) {
	r, ok := g.ruleOf(db)
	if !ok {
		return
	}
	st := db.Statement
	t := st.ReflectValue.Type()
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if _, chosen := st.Clauses["SELECT"]; chosen || t != st.Schema.ModelType || len(st.Selects)+len(st.Omits)+len(st.Joins) > 0 || st.Distinct {
		_ = db.AddError(fmt.Errorf("store: %s is guarded: read whole rows, or say store.Unverified", r.Table))
		return
	}
	st.AddClause(clause.Select{Expression: clause.Expr{SQL: `"` + r.Table + `".*, COALESCE((SELECT MAX(a.version) FROM audit a WHERE a.object = ` +
		r.objectSQL(g.dialect, st.Schema) + ` AND a.version > 0), 0) AS newest`}})
}

// afterQuery takes out what is forged or returned.
func (g *guard) afterQuery(db *gorm.DB) {
	r, ok := g.ruleOf(db)
	if !ok || db.RowsAffected == 0 {
		return
	}
	st := db.Statement
	if st.ReflectValue.Kind() == reflect.Struct {
		if !g.stands(db, r, st.ReflectValue) {
			st.ReflectValue.SetZero()
			db.RowsAffected = 0
			if st.RaiseErrorOnNotFound {
				_ = db.AddError(gorm.ErrRecordNotFound)
			}
		}
		return
	}
	kept := 0
	for i := range st.ReflectValue.Len() {
		if g.stands(db, r, st.ReflectValue.Index(i)) {
			st.ReflectValue.Index(kept).Set(st.ReflectValue.Index(i))
			kept++
		}
	}
	st.ReflectValue.SetLen(kept)
	db.RowsAffected = int64(kept)
}

// stands tells whether a row that was read is genuine and the last of its kind.
func (g *guard) stands(db *gorm.DB, r TableRule, row reflect.Value) bool {
	ctx, s := db.Statement.Context, db.Statement.Schema
	columns, err := r.covered(ctx, s, row)
	if err != nil {
		_ = db.AddError(err)
		return false
	}
	of := func(name string) reflect.Value { return s.LookUpField(name).ReflectValueOf(ctx, row) }
	object, rev := r.object(ctx, s, row), of("Rev").Int()
	reason := ""
	switch {
	case !sameText(of("MAC").String(), rowMAC(g.key, r.Table, rev, columns)):
		reason = "forged"
	case of("Newest").Int() > rev || g.memory.later(txOf(ctx), object, rev):
		reason = "returned"
	default:
		return true
	}
	g.report(Finding{object, reason})
	if count, ok := db.Get(refusedKey); ok {
		*count.(*int)++
	}
	return false
}
