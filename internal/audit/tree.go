package audit

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"time"

	"visavis/internal/clock"
	"visavis/internal/store"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// batch is how many entries one sequencing transaction takes.
const batch = 256

// Sequencer numbers entries and signs the heads of the tree.
type Sequencer struct {
	db       *store.DB
	clock    clock.Clock
	signer   note.Signer
	verifier note.Verifier
	key      ed25519.PublicKey

	mu     sync.Mutex
	newest tlog.Tree       // the longest tree that this process knows to be signed
	forged map[string]bool // entries without number whose MAC is wrong, reported already
}

// NewSequencer returns a sequencer whose heads are signed by key under name,
// the host name of the platform.
func NewSequencer(db *store.DB, c clock.Clock, name string, key ed25519.PrivateKey) (*Sequencer, error) {
	vkey, err := note.NewEd25519VerifierKey(name, key.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	return &Sequencer{db: db, clock: c, signer: headSigner{verifier, key}, verifier: verifier, key: key.Public().(ed25519.PublicKey), forged: map[string]bool{}}, nil
}

// anyName verifies with our key under whatever name a head was signed: the
// name is the address people type, and a clinic may move.
type anyName struct{ key ed25519.PublicKey }

func (a anyName) Verifier(name string, hash uint32) (note.Verifier, error) {
	unknown := &note.UnknownVerifierError{Name: name, KeyHash: hash}
	vkey, err := note.NewEd25519VerifierKey(name, a.key)
	if err != nil {
		return nil, unknown
	}
	v, err := note.NewVerifier(vkey)
	if err != nil || v.KeyHash() != hash {
		return nil, unknown
	}
	return v, nil
}

// headSigner signs notes with a key that lives in memory only.
type headSigner struct {
	note.Verifier
	key ed25519.PrivateKey
}

func (s headSigner) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(s.key, msg), nil }

// Sequence numbers what is committed and not yet numbered, and signs a new
// head. It returns how many entries it took.
func (s *Sequencer) Sequence(ctx context.Context) (int, error) {
	total := 0
	for {
		n := 0
		err := s.db.Tx(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
			n, err = s.step(tx)
			return err
		})
		total += n
		if err != nil || n < batch {
			return total, err
		}
	}
}

func (s *Sequencer) step(tx *store.Tx) (int, error) {
	if err := lockSequencer(tx); err != nil {
		return 0, err
	}
	head, err := lastHead(tx)
	if err != nil {
		return 0, err
	}
	if err := s.extends(tx, head); err != nil {
		return 0, err
	}
	rows, err := s.unnumbered(tx, batch)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	size := head.Size
	known := map[int64]tlog.Hash{}
	stored := hashReader(tx)
	if err := s.checkLast(head, stored); err != nil {
		return 0, err
	}
	reader := tlog.HashReaderFunc(func(idx []int64) ([]tlog.Hash, error) { return readThrough(idx, known, stored) })
	first := tlog.StoredHashCount(size)
	var fresh []tlog.Hash
	for _, r := range rows {
		if err := setNumber(tx, r.ID, size); err != nil {
			return 0, err
		}
		r.Seq = &size
		hashes, err := tlog.StoredHashes(size, leaf(r), reader)
		if err != nil {
			return 0, err
		}
		at := tlog.StoredHashIndex(0, size)
		for i, h := range hashes {
			known[at+int64(i)] = h
		}
		fresh = append(fresh, hashes...)
		size++
	}
	if err := insertHashes(tx, first, fresh); err != nil {
		return 0, err
	}
	return len(rows), s.sign(tx, size, reader)
}

// learn keeps the longest tree that was signed.
func (s *Sequencer) learn(t tlog.Tree) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.N > s.newest.N {
		s.newest = t
	}
}

// extends refuses a stored head whose tree does not begin with the longest one
// that this process knows: the end of the log was cut, with its hashes and heads,
// while the process ran.
func (s *Sequencer) extends(tx *store.Tx, h headRow) error {
	s.mu.Lock()
	known := s.newest
	s.mu.Unlock()
	if known.N == 0 {
		return nil
	}
	const name = "that this process knows"
	if h.Size < known.N {
		return cutBefore(name, time.Time{}, known.N, h.Size)
	}
	now, err := s.openStored(h)
	if err != nil {
		return err
	}
	if now.N == known.N {
		if now.Hash != known.Hash {
			return forked(name, time.Time{}, known.N)
		}
		return nil
	}
	proof, err := tlog.ProveTree(now.N, known.N, hashReader(tx))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrTampered, err)
	}
	if tlog.CheckTree(proof, now.N, now.Hash, known.N, known.Hash) != nil {
		return forked(name, time.Time{}, known.N)
	}
	s.learn(now)
	return nil
}

func readThrough(idx []int64, known map[int64]tlog.Hash, stored tlog.HashReaderFunc) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(idx))
	for i, x := range idx {
		if h, ok := known[x]; ok {
			out[i] = h
			continue
		}
		h, err := stored([]int64{x})
		if err != nil {
			return nil, err
		}
		out[i] = h[0]
	}
	return out, nil
}

func (s *Sequencer) sign(tx *store.Tx, size int64, r tlog.HashReader) error {
	root, err := tlog.TreeHash(size, r)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	at := store.Micros(s.clock.Now())
	tree := tlog.Tree{N: size, Hash: root}
	signed, err := note.Sign(&note.Note{Text: headText(tree, at)}, s.signer)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	tx.AfterCommit(func() { s.learn(tree) })
	return insertHead(tx, headRow{Size: size, At: at, Note: string(signed)})
}

// headText is what a head signs: the tree, and when it was signed as a line of
// our own, which readers of trees ignore.
func headText(t tlog.Tree, at int64) string {
	return string(tlog.FormatTree(t)) + "at " + strconv.FormatInt(at, 10) + "\n"
}

// leaf is what the tree commits to: the whole row, as canonical JSON. Keys of
// a Go map are written sorted and every value is a string (RFC 8785 needs no
// more than that here).
func leaf(r row) []byte {
	parts := map[string]string{
		"id": r.ID, "at": fmt.Sprint(r.At), "actor": r.Actor, "role": r.Role, "proof": r.Proof,
		"action": r.Action, "object": r.Object, "patient": r.Patient, "outcome": r.Outcome,
		"detail": base64.StdEncoding.EncodeToString(r.Detail), "request": r.Request, "seq": fmt.Sprint(*r.Seq),
	}
	if r.Version > 0 {
		parts["version"] = fmt.Sprint(r.Version)
	}
	if r.Organization != "" {
		parts["organization"] = r.Organization
	}
	raw, err := json.Marshal(parts)
	if err != nil {
		return nil // a map of strings always marshals
	}
	return raw
}

// Head gives the newest signed head, to be kept somewhere else; empty before
// the first entry.
func (s *Sequencer) Head(ctx context.Context) (string, error) {
	var text string
	err := s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		h, err := lastHead(tx)
		text = h.Note
		return err
	})
	return text, err
}
