// Package audit keeps the log of who did what, so that nobody, not even with
// write access to the database, can change yesterday unseen (trust B7).
//
// An entry is written in the transaction of the fact it tells: no fact without
// a trace, no trace without a fact. Afterwards one sequencer numbers entries,
// hashes each into a Merkle tree (RFC 6962 hashing, golang.org/x/mod/sumdb/tlog)
// and signs the head of the tree with a key that is not in the database.
package audit

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/clock"
	"visavis/internal/seal"
	"visavis/internal/store"
)

// Outcome says how what was tried ended.
type Outcome string

// The outcomes.
const (
	Done    Outcome = "done"
	Refused Outcome = "refused"
)

// Entry is one line to write.
type Entry struct {
	Action  authz.Action
	Object  string         // kind/id, as "document/0190…"
	Patient care.PatientID // empty when no patient is concerned
	Outcome Outcome        // empty means Done
	// Organization of who was refused, in an entry of a refusal; that of the actor
	// when it is empty.
	Organization care.OrganizationID
	// Detail is sealed under the patient's key: it may hold clinical words,
	// and is lost with the key while the chain stays whole.
	Detail map[string]string

	version int64 // of the row Object names, for RowChanged
}

// Line is an entry as read back.
type Line struct {
	ID      string
	At      time.Time
	Actor   string
	Role    care.Role
	Action  authz.Action
	Object  string
	Patient care.PatientID
	Outcome Outcome
	Detail  map[string]string
}

// Log appends and reads entries.
type Log struct {
	keeper  *seal.Keeper
	clock   clock.Clock
	journal *Journal // nil: none is kept
}

// New returns the log.
func New(k *seal.Keeper, c clock.Clock) *Log { return &Log{keeper: k, clock: c} }

// SetJournal says where entries are kept outside the database once they are
// committed. Call it before the first Append.
func (l *Log) SetJournal(j *Journal) { l.journal = j }

// Append writes an entry in tx, in the name of the actor of ctx.
func (l *Log) Append(ctx context.Context, tx *store.Tx, e Entry) error {
	a := authz.From(ctx)
	now := l.clock.Now()
	r := row{
		ID: care.NewID(now), At: store.Micros(now), Actor: a.ID(), Role: string(a.Role), Proof: a.Proof,
		Action: string(e.Action), Object: e.Object, Patient: string(e.Patient),
		Outcome: string(e.Outcome), Request: a.Request, Detail: []byte{}, Version: e.version,
	}
	if e.Outcome == "" {
		r.Outcome = string(Done)
	}
	if e.Outcome == Refused {
		r.Organization = string(cmp.Or(e.Organization, a.OrganizationID))
	}
	if len(e.Detail) > 0 {
		raw, err := json.Marshal(e.Detail)
		if err != nil {
			return fmt.Errorf("audit: %w", err)
		}
		if r.Detail, err = l.keeper.Seal(ctx, tx, owner(e.Patient), l.place(r.ID), raw); err != nil {
			return err
		}
	}
	if err := insert(tx, r); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	tx.AfterCommit(func() { l.journal.add(r.ID, r.Object, r.Version) })
	return nil
}

// rowChange is the action of entries that tell the version of a row.
const rowChange authz.Action = "row.change"

// RowChanged implements store.ChangeLog: the entry tells that a guarded row has
// a new version, or was deleted, and an older one that is put back is refused.
func (l *Log) RowChanged(ctx context.Context, tx *store.Tx, object string, version int64) error {
	return l.Append(ctx, tx, Entry{Action: rowChange, Object: object, version: version})
}

// RowMade implements store.ChangeLog: the journal gets the name of the row.
func (l *Log) RowMade(tx *store.Tx, object string) {
	tx.AfterCommit(func() { l.journal.note(rowMade, object) })
}

// RowGone implements store.ChangeLog.
func (l *Log) RowGone(tx *store.Tx, object string) {
	tx.AfterCommit(func() { l.journal.note(rowGone, object) })
}

// RecordFindings writes what was refused as forged or put back to the log, in
// the name of the platform, and gives it for an alarm.
func (l *Log) RecordFindings(ctx context.Context, db *store.DB) ([]store.Finding, error) {
	found := db.Findings()
	if len(found) == 0 {
		return nil, nil
	}
	ctx = authz.With(ctx, authz.SystemActor())
	return found, db.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		for _, f := range found {
			e := Entry{Action: "row.refuse", Object: f.Object, Outcome: Refused, Detail: map[string]string{"reason": f.Reason}}
			if err := l.Append(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// Search says which refusals are wanted. Empty fields do not narrow.
type Search struct {
	Organization care.OrganizationID // of who was refused; needed
	Actor        string
	From, Until  time.Time // from the first to before the second
	Before       string    // id of an entry: older ones only
	Limit        int       // 1 to 1000
}

// Refusals lists what people of an organisation were refused, the newest first. An
// entry that nobody with the key wrote is left out and reported.
func (l *Log) Refusals(ctx context.Context, tx *store.Tx, q Search) ([]Line, error) {
	rows, err := refusals(tx, q)
	if err != nil {
		return nil, err
	}
	return l.genuine(ctx, tx, rows)
}

// RecentRefusals lists what anybody was refused since an instant, the newest
// first, at most limit of them.
func (l *Log) RecentRefusals(ctx context.Context, tx *store.Tx, since time.Time, limit int) ([]Line, error) {
	rows, err := recentRefusals(tx, care.FirstID(since), limit)
	if err != nil {
		return nil, err
	}
	return l.genuine(ctx, tx, rows)
}

func (l *Log) genuine(ctx context.Context, tx *store.Tx, rows []row) ([]Line, error) {
	out := make([]Line, 0, len(rows))
	for _, r := range rows {
		if !r.genuine(tx) {
			tx.Report(store.Finding{Object: "audit/" + r.ID, Reason: "forged"})
			continue
		}
		line, err := l.line(ctx, tx, r)
		if err != nil {
			return nil, err
		}
		out = append(out, line)
	}
	return out, nil
}

// About lists what was done to an object, oldest first.
func (l *Log) About(ctx context.Context, tx *store.Tx, object string) ([]Line, error) {
	rows, err := byObject(tx, object)
	if err != nil {
		return nil, err
	}
	out := make([]Line, 0, len(rows))
	for _, r := range rows {
		line, err := l.line(ctx, tx, r)
		if err != nil {
			return nil, err
		}
		out = append(out, line)
	}
	return out, nil
}

func (l *Log) line(ctx context.Context, tx *store.Tx, r row) (Line, error) {
	line := Line{
		ID: r.ID, At: store.Time(r.At), Actor: r.Actor, Role: care.Role(r.Role), Action: authz.Action(r.Action),
		Object: r.Object, Patient: care.PatientID(r.Patient), Outcome: Outcome(r.Outcome),
	}
	if len(r.Detail) == 0 {
		return line, nil
	}
	raw, err := l.keeper.Open(ctx, tx, owner(line.Patient), l.place(r.ID), r.Detail)
	if err != nil {
		return Line{}, err
	}
	if err := json.Unmarshal(raw, &line.Detail); err != nil {
		return Line{}, fmt.Errorf("audit: %w", err)
	}
	return line, nil
}

func (l *Log) place(id string) seal.Place {
	return seal.Place{Table: "audit", Column: "detail", Row: id}
}

func owner(p care.PatientID) care.PatientID {
	if p == "" {
		return seal.House
	}
	return p
}
