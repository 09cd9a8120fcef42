package audit

import (
	"fmt"
	"strconv"

	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/store"

	"golang.org/x/mod/sumdb/tlog"
)

type row struct {
	ID      string
	At      int64
	Actor   string
	Role    string
	Proof   string
	Action  string
	Object  string
	Patient string
	Outcome string
	Detail  []byte
	Request string
	Seq     *int64
	Version int64 // of the row that Object names, when the entry tells one; 0 else
	// Organization is that of who was refused; empty in other entries.
	Organization string
	MAC          string // of the row, until it is numbered: who writes to the table alone makes no entry
}

func (row) TableName() string { return "audit" }

type hashRow struct {
	Idx  int64
	Hash []byte
}

func (hashRow) TableName() string { return "audit_hashes" }

type headRow struct {
	Size int64
	At   int64
	Note string
}

func (headRow) TableName() string { return "audit_heads" }

func insert(tx *store.Tx, r row) (err error) {
	if r.MAC, err = tx.MAC("audit", r.parts()...); err != nil {
		return err
	}
	return tx.G().Create(&r).Error
}

func byObject(tx *store.Tx, object string) ([]row, error) {
	var rows []row
	err := tx.G().Where("object = ?", object).Order("at, id").Find(&rows).Error
	return rows, err
}

// refusals narrows by the id, which begins with the time: one index finds a page
// of it in order, however many there are.
func refusals(tx *store.Tx, q Search) ([]row, error) {
	g := tx.G().Where("outcome = 'refused' AND organization = ?", string(q.Organization))
	if q.Actor != "" {
		g = g.Where("actor = ?", q.Actor)
	}
	if !q.From.IsZero() {
		g = g.Where("id >= ?", care.FirstID(q.From))
	}
	if !q.Until.IsZero() {
		g = g.Where("id < ?", care.FirstID(q.Until))
	}
	if q.Before != "" {
		g = g.Where("id < ?", q.Before)
	}
	var rows []row
	err := g.Order("id DESC").Limit(q.Limit).Find(&rows).Error
	return rows, err
}

func recentRefusals(tx *store.Tx, since string, limit int) ([]row, error) {
	var rows []row
	err := tx.G().Where("id >= ? AND outcome = 'refused'", since).Order("id DESC").Limit(limit).Find(&rows).Error
	return rows, err
}

// lockSequencer lets one node number entries at a time. SQLite has one writer
// already.
func lockSequencer(tx *store.Tx) error {
	if tx.Dialect() != store.Postgres {
		return nil
	}
	return tx.G().Exec("SELECT pg_advisory_xact_lock(7364)").Error
}

// unnumbered gives entries to number, at most limit, without those that nobody
// with the key wrote: these are reported and stay without a number.
func (s *Sequencer) unnumbered(tx *store.Tx, limit int) ([]row, error) {
	var genuine []row
	for after := ""; len(genuine) < limit; {
		var rows []row
		if err := tx.G().Where("seq IS NULL AND id > ?", after).Order("id").Limit(limit).Find(&rows).Error; err != nil || len(rows) == 0 {
			return genuine, err
		}
		for _, r := range rows {
			after = r.ID
			switch {
			case !r.genuine(tx):
				if s.firstForged(r.ID) {
					tx.Report(store.Finding{Object: "audit/" + r.ID, Reason: "forged"})
				}
			case len(genuine) < limit:
				genuine = append(genuine, r)
			}
		}
	}
	return genuine, nil
}

// firstForged tells whether an entry was not reported yet: it stays in the table,
// and is found again each time.
func (s *Sequencer) firstForged(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.forged[id]
	if len(s.forged) < 1000 {
		s.forged[id] = true
	}
	return !known
}

// firstForgedEntry gives the oldest entry without number whose MAC is wrong; empty
// when there is none.
func firstForgedEntry(tx *store.Tx) (string, error) {
	for after := ""; ; {
		var rows []row
		if err := tx.G().Where("seq IS NULL AND id > ?", after).Order("id").Limit(batch).Find(&rows).Error; err != nil || len(rows) == 0 {
			return "", err
		}
		for _, r := range rows {
			if after = r.ID; !r.genuine(tx) {
				return r.ID, nil
			}
		}
	}
}

// parts are what the MAC of an entry covers.
func (r row) parts() []string {
	parts := []string{r.ID, strconv.FormatInt(r.At, 10), r.Actor, r.Role, r.Proof, r.Action, r.Object, r.Patient, r.Outcome, string(r.Detail), r.Request,
		strconv.FormatInt(r.Version, 10)}
	if r.Organization != "" {
		parts = append(parts, r.Organization)
	}
	return parts
}

func (r row) genuine(tx *store.Tx) bool { return tx.CheckMAC(r.MAC, "audit", r.parts()...) }

func numbered(tx *store.Tx, from int64, limit int) ([]row, error) {
	var rows []row
	err := tx.G().Where("seq >= ?", from).Order("seq").Limit(limit).Find(&rows).Error
	return rows, err
}

// numbersOf tells which of some entries are there, and whether each has a number.
func numbersOf(tx *store.Tx, ids []string) (map[string]bool, error) {
	var rows []row
	err := tx.G().Select("id", "seq").Where("id IN ?", ids).Find(&rows).Error
	known := make(map[string]bool, len(rows))
	for _, r := range rows {
		known[r.ID] = r.Seq != nil
	}
	return known, err
}

func setNumber(tx *store.Tx, id string, seq int64) error {
	return tx.G().Model(&row{}).Where("id = ?", id).Update("seq", seq).Error
}

func lastHead(tx *store.Tx) (headRow, error) {
	var h []headRow
	err := tx.G().Order("size DESC").Limit(1).Find(&h).Error
	if err != nil || len(h) == 0 {
		return headRow{}, err
	}
	return h[0], nil
}

func heads(tx *store.Tx) ([]headRow, error) {
	var h []headRow
	err := tx.G().Order("size").Find(&h).Error
	return h, err
}

func insertHead(tx *store.Tx, h headRow) error { return tx.G().Create(&h).Error }

func countNumbered(tx *store.Tx) (int64, error) {
	var n int64
	err := tx.G().Model(&row{}).Where("seq IS NOT NULL").Count(&n).Error
	return n, err
}

func insertHashes(tx *store.Tx, from int64, hashes []tlog.Hash) error {
	rows := make([]hashRow, len(hashes))
	for i, h := range hashes {
		rows[i] = hashRow{Idx: from + int64(i), Hash: h[:]}
	}
	return tx.G().CreateInBatches(&rows, 200).Error
}

// eachHash walks the stored hashes in order.
func eachHash(tx *store.Tx, fn func(hashRow) error) error {
	for next := int64(-1); ; {
		var rows []hashRow
		if err := tx.G().Where("idx > ?", next).Order("idx").Limit(2000).Find(&rows).Error; err != nil || len(rows) == 0 {
			return err
		}
		for _, r := range rows {
			if err := fn(r); err != nil {
				return err
			}
			next = r.Idx
		}
	}
}

// hashReader gives stored hashes of the tree to tlog.
func hashReader(tx *store.Tx) tlog.HashReaderFunc {
	return func(indexes []int64) ([]tlog.Hash, error) {
		var rows []hashRow
		if err := tx.G().Where("idx IN ?", indexes).Find(&rows).Error; err != nil {
			return nil, err
		}
		found := make(map[int64]tlog.Hash, len(rows))
		for _, r := range rows {
			if len(r.Hash) != tlog.HashSize {
				return nil, fmt.Errorf("audit: hash %d has a wrong size", r.Idx)
			}
			found[r.Idx] = tlog.Hash(r.Hash)
		}
		out := make([]tlog.Hash, len(indexes))
		for i, idx := range indexes {
			h, ok := found[idx]
			if !ok {
				return nil, fmt.Errorf("audit: hash %d is missing", idx)
			}
			out[i] = h
		}
		return out, nil
	}
}

// firstOf gives the oldest entry of an action about an object.
func firstOf(tx *store.Tx, w Wanted) (row, error) {
	var rows []row
	err := tx.G().Where("object = ? AND action = ?", w.Object, string(w.Action)).Order("at, id").Limit(1).Find(&rows).Error
	if err == nil && len(rows) == 0 {
		err = fault.Missing()
	}
	if err != nil {
		return row{}, err
	}
	return rows[0], nil
}
