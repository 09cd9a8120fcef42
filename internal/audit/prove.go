package audit

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/store"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Wanted names an entry: the first of this action about this object.
type Wanted struct {
	Action authz.Action
	Object string
}

// Inclusion shows that one entry is in the tree of a head.
type Inclusion struct {
	Entry string   `json:"entry"` // what the tree commits to, byte for byte
	Index int64    `json:"index"`
	Path  []string `json:"path"` // hashes of RFC 6962 §2.1.1, base64
}

// Evidence is a signed head and entries that it covers. Check needs nothing
// else than the platform's public key.
type Evidence struct {
	Head    string      `json:"head"`
	Entries []Inclusion `json:"entries"`
}

// Name is the name under which heads are signed.
func (s *Sequencer) Name() string { return s.verifier.Name() }

// Prove gives the newest signed head and the place of the wanted entries in
// it. Entries not numbered yet are numbered first, so call it outside any
// transaction that wrote. It fails as NotFound when there is no such entry.
func (s *Sequencer) Prove(ctx context.Context, wanted ...Wanted) (Evidence, error) {
	if _, err := s.Sequence(ctx); err != nil {
		return Evidence{}, err
	}
	var out Evidence
	err := s.db.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		h, err := lastHead(tx)
		if err != nil {
			return err
		}
		out = Evidence{Head: h.Note}
		for _, w := range wanted {
			r, err := firstOf(tx, w)
			if err != nil {
				return err
			}
			if r.Seq == nil || *r.Seq >= h.Size {
				return fault.Missing()
			}
			path, err := tlog.ProveRecord(h.Size, *r.Seq, hashReader(tx))
			if err != nil {
				return fmt.Errorf("audit: %w", err)
			}
			in := Inclusion{Entry: string(leaf(r)), Index: *r.Seq, Path: make([]string, len(path))}
			for i, p := range path {
				in.Path[i] = base64.StdEncoding.EncodeToString(p[:])
			}
			out.Entries = append(out.Entries, in)
		}
		return nil
	})
	return out, err
}

// ErrNotProven is wrapped by every finding of Check.
var ErrNotProven = errors.New("audit: the entries are not in a log of this platform")

// Check verifies that the head is signed by key under name, in the one form
// such a head has, and that it covers every entry. It gives the entries without
// their sealed details, and when the head was signed.
func (e Evidence) Check(name string, key ed25519.PublicKey) (lines []Line, signed time.Time, err error) {
	tree, signed, err := e.head(name, key)
	if err != nil {
		return nil, time.Time{}, err
	}
	for _, in := range e.Entries {
		path := make(tlog.RecordProof, len(in.Path))
		for i, p := range in.Path {
			raw, err := base64.StdEncoding.Strict().DecodeString(p)
			if err != nil || len(raw) != tlog.HashSize {
				return nil, time.Time{}, fmt.Errorf("%w: path of entry %d", ErrNotProven, in.Index)
			}
			path[i] = tlog.Hash(raw)
		}
		if err := tlog.CheckRecord(path, tree.N, tree.Hash, in.Index, tlog.RecordHash([]byte(in.Entry))); err != nil {
			return nil, time.Time{}, fmt.Errorf("%w: entry %d: %w", ErrNotProven, in.Index, err)
		}
		l, err := readLeaf(in)
		if err != nil {
			return nil, time.Time{}, err
		}
		lines = append(lines, l)
	}
	return lines, signed, nil
}

func (e Evidence) head(name string, key ed25519.PublicKey) (t tlog.Tree, signed time.Time, err error) {
	vkey, err := note.NewEd25519VerifierKey(name, key)
	if err != nil {
		return t, signed, fmt.Errorf("%w: %w", ErrNotProven, err)
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return t, signed, fmt.Errorf("%w: %w", ErrNotProven, err)
	}
	n, err := note.Open([]byte(e.Head), note.VerifierList(verifier))
	if err != nil || len(n.Sigs) != 1 || len(n.UnverifiedSigs) != 0 {
		return t, signed, fmt.Errorf("%w: the head is not signed by this platform", ErrNotProven)
	}
	// A second spelling of the same signature is no second head.
	raw, err := base64.StdEncoding.Strict().DecodeString(n.Sigs[0].Base64)
	if err != nil || e.Head != n.Text+"\n— "+name+" "+base64.StdEncoding.EncodeToString(raw)+"\n" {
		return t, signed, fmt.Errorf("%w: the head is not in its one form", ErrNotProven)
	}
	if t, err = tlog.ParseTree([]byte(n.Text)); err != nil {
		return t, signed, fmt.Errorf("%w: the head cannot be read", ErrNotProven)
	}
	_, at, found := strings.Cut(n.Text, "\nat ")
	micros, err := strconv.ParseInt(strings.TrimSuffix(at, "\n"), 10, 64)
	if !found || err != nil {
		return t, signed, fmt.Errorf("%w: the head has no time", ErrNotProven)
	}
	return t, store.Time(micros), nil
}

func readLeaf(in Inclusion) (Line, error) {
	var f map[string]string
	if err := json.Unmarshal([]byte(in.Entry), &f); err != nil {
		return Line{}, fmt.Errorf("%w: entry %d cannot be read", ErrNotProven, in.Index)
	}
	at, err := strconv.ParseInt(f["at"], 10, 64)
	if err != nil || f["seq"] != fmt.Sprint(in.Index) {
		return Line{}, fmt.Errorf("%w: entry %d cannot be read", ErrNotProven, in.Index)
	}
	return Line{
		ID: f["id"], At: store.Time(at), Actor: f["actor"], Role: care.Role(f["role"]), Action: authz.Action(f["action"]),
		Object: f["object"], Patient: care.PatientID(f["patient"]), Outcome: Outcome(f["outcome"]),
	}, nil
}
