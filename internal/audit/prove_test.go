package audit_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"testing"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/store"
	"visavis/internal/testkit"

	"pgregory.net/rapid"
)

// TestAnEntryIsProvenAwayFromTheDatabase: a head and a path show to whoever has
// the public key that an entry is in the log; nothing else does (B7, B8).
func TestAnEntryIsProvenAwayFromTheDatabase(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		ctx := testkit.As(authz.Actor{Role: care.Patient, PatientID: "patient-1", Proof: "link"})
		for i := range 300 { // more than one sequencing batch
			err := h.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
				return h.Audit.Append(ctx, tx, audit.Entry{Action: "consent.grant", Object: fmt.Sprintf("consent/%d", i), Patient: "patient-1"})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		name, key := h.Sequencer.Name(), h.Signer.Private().Public().(ed25519.PublicKey)
		e, err := h.Sequencer.Prove(ctx, audit.Wanted{Action: "consent.grant", Object: "consent/7"}, audit.Wanted{Action: "consent.grant", Object: "consent/299"})
		if err != nil {
			t.Fatal(err)
		}
		lines, signed, err := e.Check(name, key)
		if err != nil || len(lines) != 2 || !signed.Equal(h.Clock.Now()) {
			t.Fatalf("%+v, %s, %v", lines, signed, err)
		}
		if l := lines[0]; l.Object != "consent/7" || l.Action != "consent.grant" || l.Patient != "patient-1" || l.Role != care.Patient || l.Outcome != audit.Done || !l.At.Equal(h.Clock.Now()) {
			t.Errorf("%+v", l)
		}
		for _, w := range []audit.Wanted{{Action: "consent.grant", Object: "consent/300"}, {Action: "consent.attest", Object: "consent/7"}} {
			if _, err := h.Sequencer.Prove(ctx, w); fault.KindOf(err) != fault.NotFound {
				t.Errorf("%+v: %v", w, err)
			}
		}
		if _, _, err := e.Check("other.test", key); !errors.Is(err, audit.ErrNotProven) {
			t.Errorf("another name: %v", err)
		}
		if _, _, err := e.Check(name, ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey)); !errors.Is(err, audit.ErrNotProven) {
			t.Errorf("another key: %v", err)
		}
		rapid.Check(t, func(r *rapid.T) {
			forged := audit.Evidence{Head: e.Head, Entries: []audit.Inclusion{e.Entries[0]}}
			in := &forged.Entries[0]
			in.Path = append([]string{}, in.Path...)
			switch rapid.IntRange(0, 5).Draw(r, "what") {
			case 0:
				forged.Head = mutate(r, forged.Head)
			case 1:
				in.Entry = mutate(r, in.Entry)
			case 2:
				in.Index = rapid.Int64Range(-1, 400).Filter(func(i int64) bool { return i != in.Index }).Draw(r, "index")
			case 3:
				i := rapid.IntRange(0, len(in.Path)-1).Draw(r, "hash")
				in.Path[i] = mutate(r, in.Path[i])
			case 4:
				in.Path = in.Path[:len(in.Path)-1]
			case 5:
				in.Entry = e.Entries[1].Entry
			}
			if _, _, err := forged.Check(name, key); !errors.Is(err, audit.ErrNotProven) {
				r.Fatalf("accepted: %+v (%v)", forged, err)
			}
		})
	})
}

// mutate changes one character to another printable one.
func mutate(r *rapid.T, s string) string {
	i := rapid.IntRange(0, len(s)-1).Draw(r, "at")
	c := rapid.SampledFrom(strings.Split("0 1 9 A a z / + = \n", " ")).Filter(func(c string) bool { return c != s[i:i+1] }).Draw(r, "by")
	return s[:i] + c + s[i+1:]
}
