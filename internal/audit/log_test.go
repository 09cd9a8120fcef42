package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/store"
	"visavis/internal/testkit"

	"github.com/google/go-cmp/cmp"
)

func about(t *testing.T, h *testkit.House, object string) ([]audit.Line, error) {
	t.Helper()
	var lines []audit.Line
	err := h.DB.Read(context.Background(), func(ctx context.Context, tx *store.Tx) (err error) {
		lines, err = h.Audit.About(ctx, tx, object)
		return err
	})
	return lines, err
}

func TestEntryTellsWhoDidWhat(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		doctor := testkit.As(authz.Actor{Role: care.Doctor, StaffID: "doctor-1", Proof: "psc eidas1", Request: "r1"})
		stranger := testkit.As(authz.Actor{})
		write := func(ctx context.Context, e audit.Entry) {
			t.Helper()
			err := h.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error { return h.Audit.Append(ctx, tx, e) })
			if err != nil {
				t.Fatal(err)
			}
			h.Clock.Advance(time.Second)
		}
		write(doctor, audit.Entry{Action: "document.read", Object: "document/1", Patient: "patient-1", Detail: map[string]string{"title": "Angine"}})
		write(stranger, audit.Entry{Action: "document.read", Object: "document/1", Outcome: audit.Refused})
		write(doctor, audit.Entry{Action: "document.read", Object: "document/2"})
		got, err := about(t, h, "document/1")
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if !care.ValidID(got[i].ID) {
				t.Errorf("id %q", got[i].ID)
			}
			got[i].ID = ""
		}
		want := []audit.Line{
			{At: testkit.Morning(), Actor: "doctor-1", Role: care.Doctor, Action: "document.read", Object: "document/1", Patient: "patient-1",
				Outcome: audit.Done, Detail: map[string]string{"title": "Angine"}},
			{At: testkit.Morning().Add(time.Second), Actor: "anonymous", Role: care.Anonymous, Action: "document.read", Object: "document/1", Outcome: audit.Refused},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestNoFactNoTrace(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		refusal := errors.New("the use case fails")
		err := h.DB.Tx(context.Background(), func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(h.Audit.Append(ctx, tx, audit.Entry{Action: "document.read", Object: "document/1"}), refusal)
		})
		if !errors.Is(err, refusal) {
			t.Fatal(err)
		}
		if lines, err := about(t, h, "document/1"); err != nil || len(lines) != 0 {
			t.Errorf("%v %v", lines, err)
		}
	})
}

// TestDetailDiesWithItsPatientAndTheChainLives: crypto-shredding (trust B9).
func TestDetailDiesWithItsPatientAndTheChainLives(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		pool := fill(t, h)
		var detail []byte
		if err := pool.QueryRow("SELECT detail FROM audit WHERE seq = 3").Scan(&detail); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(detail, []byte("Compte rendu")) {
			t.Error("a detail is stored in clear")
		}
		err := h.DB.Tx(context.Background(), func(ctx context.Context, tx *store.Tx) error { return h.Keeper.Shred(ctx, tx, "patient-1") })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := about(t, h, "document/3"); fault.KindOf(err) != fault.Gone {
			t.Errorf("after shredding: %v", err)
		}
		h.VerifyAudit(t)
	})
}

func TestManyWritersAndSequencersMakeOneChain(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		var writers, sequencers sync.WaitGroup
		done := make(chan struct{})
		for range 3 {
			sequencers.Go(func() {
				for {
					if _, err := h.Sequencer.Sequence(context.Background()); err != nil {
						t.Error(err)
						return
					}
					select {
					case <-done:
						return
					default:
					}
				}
			})
		}
		const each = 20
		for w := range 8 {
			writers.Go(func() {
				for i := range each {
					err := h.DB.Tx(context.Background(), func(ctx context.Context, tx *store.Tx) error {
						return h.Audit.Append(ctx, tx, audit.Entry{Action: "document.read", Object: fmt.Sprintf("document/%d-%d", w, i)})
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		writers.Wait()
		close(done)
		sequencers.Wait()
		h.VerifyAudit(t)
		if n, err := h.Sequencer.Verify(context.Background()); n != 8*each || err != nil {
			t.Errorf("%d entries, want %d: %v", n, 8*each, err)
		}
	})
}
