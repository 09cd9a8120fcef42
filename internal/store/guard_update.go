package store

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"visavis/internal/fault"

	"gorm.io/gorm"
	"gorm.io/gorm/callbacks"
	"gorm.io/gorm/clause"
)

// onUpdate changes guarded rows one by one: it locks and checks those that the
// statement finds, applies the assignments, and writes each with its new MAC.
// The count of rows is what the plain statement would give. A statement that finds
// refused rows and no other fails: whoever goes on as if there had been nothing to
// change would answer that it is done.
func (g *guard) onUpdate(db *gorm.DB) {
	r, ok := g.ruleOf(db)
	if !ok {
		g.update(db)
		return
	}
	set := callbacks.ConvertToAssignments(db.Statement)
	set = slices.DeleteFunc(set, func(a clause.Assignment) bool {
		return a.Column.Name == "rev" || a.Column.Name == "mac" || a.Column.Name == "newest"
	})
	if db.Error != nil || len(set) == 0 {
		return
	}
	if !slices.ContainsFunc(set, func(a clause.Assignment) bool { return !slices.Contains(r.Free, a.Column.Name) }) {
		db.Statement.AddClause(set)
		g.update(db)
		return
	}
	rows, err := g.found(db)
	if err != nil {
		_ = db.AddError(err)
		return
	}
	for i := range rows.Len() {
		if err := g.change(db, r, rows.Index(i), set); err != nil {
			_ = db.AddError(err)
			return
		}
	}
	db.RowsAffected = int64(rows.Len())
}

// found locks and reads the rows that a statement is about. It fails as Conflict
// row-refused when there are some and none is genuine.
func (g *guard) found(db *gorm.DB) (reflect.Value, error) {
	st := db.Statement
	list := reflect.New(reflect.SliceOf(st.Schema.ModelType))
	where, ok := st.Clauses["WHERE"].Expression.(clause.Where)
	if !ok || len(where.Exprs) == 0 {
		return list.Elem(), gorm.ErrMissingWhereClause
	}
	refused := 0
	q := db.Session(&gorm.Session{NewDB: true}).Set(refusedKey, &refused).Clauses(where)
	if g.dialect == Postgres {
		q = q.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
	}
	err := q.Find(list.Interface()).Error
	if err == nil && refused > 0 && list.Elem().Len() == 0 {
		err = fault.New(fault.Conflict, rowRefused)
	}
	return list.Elem(), err
}

// rowRefused is the code of a write that finds refused rows and no other.
const rowRefused = "row-refused"

// IsRowRefused tells whether a write failed because it found refused rows and no
// other, for who answers that as if there were none.
func IsRowRefused(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Code == rowRefused
}

// refusedKey is the setting of a statement that counts the rows it refuses.
const refusedKey = "visavis:refused"

// change applies assignments to one row and writes it.
func (g *guard) change(db *gorm.DB, r TableRule, row reflect.Value, set clause.Set) error {
	st := db.Statement
	ctx, s := st.Context, st.Schema
	before, err := r.covered(ctx, s, row)
	if err != nil {
		return err
	}
	for _, a := range set {
		f := s.LookUpField(a.Column.Name)
		if f == nil {
			return fmt.Errorf("store: %s has no column %s", r.Table, a.Column.Name)
		}
		if _, expression := a.Value.(clause.Expression); expression {
			return fmt.Errorf("store: %s.%s is guarded: a value, no expression", r.Table, a.Column.Name)
		}
		if err := f.Set(ctx, row, a.Value); err != nil {
			return err
		}
	}
	after, err := r.covered(ctx, s, row)
	if err != nil {
		return err
	}
	rev := s.LookUpField("Rev").ReflectValueOf(ctx, row).Int()
	versioned := func(c column) bool { return slices.Contains(r.Unversioned, c.name) }
	fresh := !slices.Equal(slices.DeleteFunc(slices.Clone(before), versioned), slices.DeleteFunc(slices.Clone(after), versioned))
	if fresh {
		rev++
	}
	if err := g.sign(ctx, r, s, row, rev); err != nil {
		return err
	}
	if err := g.write(db, r, row, set); err != nil || !fresh {
		return err
	}
	return g.tell(db, r.object(ctx, s, row), rev)
}

// write updates one row by its key.
func (g *guard) write(db *gorm.DB, r TableRule, row reflect.Value, set clause.Set) error {
	ctx, s := db.Statement.Context, db.Statement.Schema
	names := []string{"rev", "mac"}
	for _, a := range set {
		names = append(names, a.Column.Name)
	}
	var values []any
	value := func(name string) string {
		v, _ := s.LookUpField(name).ValueOf(ctx, row)
		values = append(values, v)
		return `"` + name + `" = ?`
	}
	var sets, keys []string
	for _, n := range names {
		sets = append(sets, value(n))
	}
	for _, k := range r.Key {
		keys = append(keys, value(k))
	}
	query := `UPDATE "` + r.Table + `" SET ` + strings.Join(sets, ", ") + ` WHERE ` + strings.Join(keys, " AND ")
	return db.Session(&gorm.Session{NewDB: true}).Exec(query, values...).Error
}

// beforeDelete tells the end of rows that could still be used: one that is put
// back afterwards is older than the log says.
func (g *guard) beforeDelete(db *gorm.DB) {
	r, ok := g.ruleOf(db)
	if !ok || r.Forgets {
		return
	}
	rows, err := g.found(db)
	if err != nil {
		_ = db.AddError(err)
		return
	}
	s := db.Statement.Schema
	for i := range rows.Len() {
		rev := s.LookUpField("Rev").ReflectValueOf(db.Statement.Context, rows.Index(i)).Int()
		object := r.object(db.Statement.Context, s, rows.Index(i))
		if err := g.tell(db, object, rev+1); err != nil {
			_ = db.AddError(err)
			return
		}
		if log, tx := g.changes(), txOf(db.Statement.Context); r.Counted && log != nil && tx != nil {
			log.RowGone(tx, object)
		}
	}
}

// afterCreate reports the new rows of a counted table to the journal. When a statement
// skips some of its rows because of a conflict, none of them is reported, so that a
// later deletion of these is not seen.
func (g *guard) afterCreate(db *gorm.DB) {
	r, ok := g.ruleOf(db)
	log, tx := g.changes(), txOf(db.Statement.Context)
	if !ok || !r.Counted || log == nil || tx == nil {
		return
	}
	var objects []string
	each(db.Statement.ReflectValue, func(row reflect.Value) {
		objects = append(objects, r.object(db.Statement.Context, db.Statement.Schema, row))
	})
	if int64(len(objects)) != db.RowsAffected {
		return
	}
	for _, object := range objects {
		log.RowMade(tx, object)
	}
}

func (g *guard) changes() ChangeLog {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.log
}

// tell writes a new version to the audit log, and remembers it once it is
// committed.
func (g *guard) tell(db *gorm.DB, object string, rev int64) error {
	log := g.changes()
	tx := txOf(db.Statement.Context)
	if log == nil || tx == nil {
		return fmt.Errorf("store: %s changed and no audit log is told", object)
	}
	if err := log.RowChanged(db.Statement.Context, tx, object, rev); err != nil {
		return err
	}
	tx.AfterCommit(func() { g.memory.note(HashObject(object), rev) })
	return nil
}
