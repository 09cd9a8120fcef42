package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"sync"
)

// ObjectHash names a row in few bytes: SHA-256 of table/key, cut.
type ObjectHash [16]byte

// HashObject gives the hash of table/key.
func HashObject(object string) ObjectHash {
	sum := sha256.Sum256([]byte(object))
	return ObjectHash(sum[:16])
}

// mark is the last version of a row, and when this process learned of it.
type mark struct{ version, at int64 }

// memory is what this process knows of the versions of rows, about 40 bytes for
// each row that was ever changed. It is what refuses a row that is put back
// together with a cut of the audit log.
type memory struct {
	mu     sync.Mutex
	ticks  int64 // counts transactions and marks, in order
	newest map[ObjectHash]mark
}

// begin gives the time of a transaction that begins.
func (m *memory) begin() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ticks++
	return m.ticks
}

// note keeps a version whose transaction is committed.
func (m *memory) note(h ObjectHash, version int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ticks++
	if m.newest[h].version < version {
		m.newest[h] = mark{version, m.ticks}
	}
}

// later tells whether a later version than rev was known when tx began. What was
// committed since may be outside what tx sees.
func (m *memory) later(tx *Tx, object string, rev int64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	known, ok := m.newest[HashObject(object)]
	return ok && known.version > rev && tx != nil && known.at <= tx.began
}

// SetChangeLog says who is told of new versions of guarded rows.
func (db *DB) SetChangeLog(l ChangeLog) {
	db.guard.mu.Lock()
	defer db.guard.mu.Unlock()
	db.guard.log = l
}

// version gives the last version of a row that this process knows; 0 for none.
func (m *memory) version(object string) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.newest[HashObject(object)].version
}

// Remember keeps a version of a row that was told before this process began.
func (db *DB) Remember(h ObjectHash, version int64) { db.guard.memory.note(h, version) }

// report keeps a finding until Findings takes it; the same one once.
func (g *guard) report(f Finding) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.findings) < 1000 {
		g.findings[f] = true
	}
}

// Report adds a finding of another check.
func (db *DB) Report(f Finding) { db.guard.report(f) }

// Findings gives the rows that were refused since it was last asked, at most a
// thousand, each once.
func (db *DB) Findings() []Finding {
	db.guard.mu.Lock()
	defer db.guard.mu.Unlock()
	var list []Finding
	for f := range db.guard.findings {
		list = append(list, f)
	}
	clear(db.guard.findings)
	return list
}

// MAC gives a MAC under the key of rows for what is kept in a table of a
// library: a job's kind and payload. kind says what the parts are.
func (tx *Tx) MAC(kind string, parts ...string) (string, error) {
	if tx.guard.key == nil {
		return "", errRowKey
	}
	h := hmac.New(sha256.New, tx.guard.key)
	part(h, append([]string{"visavis " + kind}, parts...)...)
	return base64.RawStdEncoding.EncodeToString(h.Sum(nil)), nil
}

// CheckMAC tells whether MAC made it of the same parts.
func (tx *Tx) CheckMAC(mac, kind string, parts ...string) bool {
	want, err := tx.MAC(kind, parts...)
	return err == nil && sameText(mac, want)
}

// MAC is that of Tx, outside a transaction.
func (db *DB) MAC(kind string, parts ...string) (string, error) {
	return (&Tx{guard: db.guard}).MAC(kind, parts...)
}

// CheckMAC is that of Tx, outside a transaction.
func (db *DB) CheckMAC(mac, kind string, parts ...string) bool {
	return (&Tx{guard: db.guard}).CheckMAC(mac, kind, parts...)
}

// Report adds a finding of another check.
func (tx *Tx) Report(f Finding) { tx.guard.report(f) }

func sameText(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }

// txOf gives the transaction of a context, nil without one.
func txOf(ctx context.Context) *Tx {
	tx, _ := ctx.Value(txKey{}).(*Tx)
	return tx
}
