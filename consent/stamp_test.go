package consent

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"visavis/internal/audit"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/seal/timestamp"
	"visavis/internal/store"
	"visavis/internal/testkit"
	"visavis/simulators/tsa"
)

// withAuthority gives the service a real client of a simulated authority, on
// the clock of the house.
func withAuthority(t *testing.T, h *testkit.House, s *Service) (*tsa.Server, *x509.CertPool) {
	t.Helper()
	sim, err := tsa.Start(t.Context(), tsa.Options{Clock: h.Clock, SlowFor: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(sim.RootPEM())
	s.Stamps = &timestamp.Client{URL: sim.URL(), Roots: roots, Policy: "2.999.3161", Clock: h.Clock, HTTP: &http.Client{Timeout: 500 * time.Millisecond}}
	s.Subscribe(h.Bus)
	return sim, roots
}

func (s *Service) mustDecide(t *testing.T, ctx context.Context, d Decision) Record {
	t.Helper()
	r, err := s.Decide(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (s *Service) mustStamp(t *testing.T, id care.ConsentID) Stamp {
	t.Helper()
	out, err := s.StampOf(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAConsentIsStamped(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		sim, roots := withAuthority(t, h, s)
		me := testkit.As(patient(zoe, anAct))
		r := s.mustDecide(t, me, s.decision(care.ConsentGranted, Web))
		if st := s.mustStamp(t, r.ID); st.State != StampPending {
			t.Errorf("at once: %+v", st)
		}
		h.Deliver(t) // the job was enqueued with the record
		st := s.mustStamp(t, r.ID)
		if st.State != Stamped || !st.At.Equal(h.Clock.Now()) || !strings.Contains(st.Authority, "visavis simulated TSA") || st.Attempts != 0 {
			t.Errorf("%+v", st)
		}
		if err := s.Stamp(me, r.ID); err != nil || sim.Asked() != 1 {
			t.Errorf("asked %d times, %v", sim.Asked(), err)
		}
		if n, err := s.VerifyStamps(me, roots); err != nil || n != (StampTally{Checked: 1}) {
			t.Errorf("%+v, %v", n, err)
		}
		if n, err := s.VerifyStamps(me, nil); err != nil || n != (StampTally{Unchecked: 1}) {
			t.Errorf("%+v, %v", n, err)
		}
		if _, err := s.VerifyStamps(me, x509.NewCertPool()); !errors.Is(err, ErrNotGenuine) {
			t.Errorf("other roots: %v", err)
		}
		token := tokenOf(t, h, r.ID)
		var lines []audit.Line
		err := h.DB.Read(me, func(ctx context.Context, tx *store.Tx) (err error) {
			lines, err = h.Audit.About(ctx, tx, stampObject(token))
			return err
		})
		if err != nil || len(lines) != 1 || lines[0].Patient != zoe || lines[0].Role != care.System {
			t.Errorf("the log holds no hash of the token: %+v, %v", lines, err)
		}
		pool, err := h.DB.SQL()
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range []string{"UPDATE consent_stamps SET at = 0", "DELETE FROM consent_stamps"} {
			if _, err := pool.Exec(q); err == nil || !strings.Contains(err.Error(), "a time stamp") {
				t.Errorf("%s: %v", q, err)
			}
		}
	})
}

func tokenOf(t *testing.T, h *testkit.House, id care.ConsentID) []byte {
	t.Helper()
	var r stampRow
	err := h.DB.Read(t.Context(), func(_ context.Context, tx *store.Tx) (err error) {
		r, err = stampRowOf(tx, id, false)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return r.Token
}

// TestNoFaultOfTheAuthorityStopsCare: whatever it does, the consent is in force
// at once, media may flow, nothing false is kept as a stamp, the failure is
// seen, and the stamp comes when the authority is well (B8, P2).
func TestNoFaultOfTheAuthorityStopsCare(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, w := newService(t, h)
		sim, roots := withAuthority(t, h, s)
		me := testkit.As(patient(zoe, anAct))
		reasons := map[tsa.Fault]timestamp.Reason{
			tsa.Down: timestamp.Unreachable, tsa.Cut: timestamp.Unreachable, tsa.Slow: timestamp.Unreachable, tsa.Imprint: timestamp.Imprint,
			tsa.Nonce: timestamp.Nonce, tsa.Foreign: timestamp.Certificate, tsa.Rejected: timestamp.Rejected, tsa.Garbage: timestamp.Malformed,
			tsa.Policy: timestamp.Policy, tsa.Forged: timestamp.Signature, tsa.Late: timestamp.Clock,
		}
		for i, f := range tsa.Faults() {
			if f == tsa.None {
				continue
			}
			if err := sim.SetFault(f); err != nil {
				t.Fatal(err)
			}
			id := care.AppointmentID("0190aaaa-0000-7000-8000-0000000001" + string(rune('0'+i/10)) + string(rune('0'+i%10)))
			w.mu.Lock()
			w.acts[id] = w.acts[anAct]
			w.mu.Unlock()
			mine := testkit.As(patient(zoe, id))
			d := s.decision(care.ConsentGranted, Web)
			d.AppointmentID = id
			began := time.Now()
			r := s.mustDecide(t, mine, d)
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("%s: the decision took %s", f, took)
			}
			if ok, err := s.MediaAllowed(mine, id); err != nil || !ok {
				t.Errorf("%s: no media: %v", f, err)
			}
			if err := s.Stamp(me, r.ID); err != nil {
				t.Errorf("%s: %v", f, err)
			}
			st := s.mustStamp(t, r.ID)
			if st.State != StampRetrying || st.Attempts != 1 || !st.NextAt.Equal(h.Clock.Now().Add(firstRetry)) || len(tokenOf(t, h, r.ID)) != 0 {
				t.Errorf("%s: %+v", f, st)
			}
			if want, told := reasons[f]; told && st.Reason != string(want) {
				t.Errorf("%s: %s, want %s", f, st.Reason, want)
			}
		}
		if n, err := s.VerifyStamps(me, roots); err != nil || n.Waiting != int64(len(tsa.Faults())-1) || n.Checked != 0 {
			t.Errorf("%+v, %v", n, err)
		}
		if err := sim.SetFault(tsa.None); err != nil {
			t.Fatal(err)
		}
		h.Clock.Advance(time.Hour)
		if err := s.Sweep(me); err != nil {
			t.Fatal(err)
		}
		h.Deliver(t)
		if n, err := s.VerifyStamps(me, roots); err != nil || n.Waiting != 0 || n.Checked != len(tsa.Faults())-1 {
			t.Errorf("%+v, %v", n, err)
		}
		if n, err := s.VerifyAll(me); err != nil || n != len(tsa.Faults())-1 {
			t.Errorf("%d, %v", n, err)
		}
		if strings.Contains(h.Logged.String(), "Mazerolles") {
			t.Error("a name is in the log")
		}
	})
}

func TestRetriesGetRarerAndNeverEnd(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		sim, _ := withAuthority(t, h, s)
		if err := sim.SetFault(tsa.Down); err != nil {
			t.Fatal(err)
		}
		me := testkit.As(patient(zoe, anAct))
		r := s.mustDecide(t, me, s.decision(care.ConsentGranted, Web))
		var waits []time.Duration
		for i := range 10 {
			if err := s.Stamp(me, r.ID); err != nil {
				t.Fatal(err)
			}
			st := s.mustStamp(t, r.ID)
			if st.Attempts != i+1 || st.State != StampRetrying {
				t.Fatalf("%+v", st)
			}
			if err := s.Stamp(me, r.ID); err != nil || s.mustStamp(t, r.ID) != st {
				t.Fatalf("an attempt before its time: %v", err)
			}
			waits = append(waits, st.NextAt.Sub(h.Clock.Now()))
			h.Clock.Set(st.NextAt)
		}
		if waits[0] != firstRetry || waits[1] != 3*firstRetry || waits[2] != 9*firstRetry || waits[9] != lastRetry {
			t.Errorf("%v", waits)
		}
		if err := sim.SetFault(tsa.None); err != nil {
			t.Fatal(err)
		}
		if err := s.Stamp(me, r.ID); err != nil || s.mustStamp(t, r.ID).State != Stamped {
			t.Errorf("%+v, %v", s.mustStamp(t, r.ID), err)
		}
	})
}

func TestTwoAttemptsAtOnceKeepOneToken(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		_, roots := withAuthority(t, h, s)
		me := testkit.As(patient(zoe, anAct))
		r := s.mustDecide(t, me, s.decision(care.ConsentGranted, Web))
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if err := s.Stamp(me, r.ID); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n, err := s.VerifyStamps(me, roots); err != nil || n.Checked != 1 {
			t.Errorf("%+v, %v", n, err)
		}
		pool, err := h.DB.SQL()
		if err != nil {
			t.Fatal(err)
		}
		var n int
		if err := pool.QueryRow("SELECT count(*) FROM audit WHERE action = 'consent.stamp'").Scan(&n); err != nil || n != 1 {
			t.Errorf("%d lines in the log, %v", n, err)
		}
	})
}

// TestWithoutAuthority: records are signed, and say that nobody stamps them;
// an authority configured later stamps them too.
func TestWithoutAuthority(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		me := testkit.As(patient(zoe, anAct))
		r := s.mustDecide(t, me, s.decision(care.ConsentGranted, Web))
		if err := errors.Join(s.Stamp(me, r.ID), s.Sweep(me)); err != nil {
			t.Error(err)
		}
		if st := s.mustStamp(t, r.ID); st != (Stamp{State: StampOff}) {
			t.Errorf("%+v", st)
		}
		_, roots := withAuthority(t, h, s)
		h.Clock.Advance(24 * time.Hour)
		if err := s.Sweep(me); err != nil {
			t.Fatal(err)
		}
		h.Deliver(t)
		if n, err := s.VerifyStamps(me, roots); err != nil || n.Checked != 1 {
			t.Errorf("%+v, %v", n, err)
		}
	})
}

// failing is an authority whose answer comes when our database is away.
type failing struct{ cancel context.CancelFunc }

func (f failing) Stamp(context.Context, [sha256.Size]byte) ([]byte, timestamp.Info, error) {
	f.cancel()
	return []byte("token"), timestamp.Info{}, nil
}

func TestAStampLostOnTheWayIsAskedAgain(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		me := testkit.As(patient(zoe, anAct))
		r := s.mustDecide(t, me, s.decision(care.ConsentGranted, Web))
		ctx, cancel := context.WithCancel(me)
		s.Stamps = failing{cancel}
		if err := s.Stamp(ctx, r.ID); err == nil {
			t.Error("a stamp that was not kept is no success")
		}
		_, roots := withAuthority(t, h, s)
		if err := s.Stamp(me, r.ID); err != nil {
			t.Fatal(err)
		}
		if n, err := s.VerifyStamps(me, roots); err != nil || n.Checked != 1 {
			t.Errorf("%+v, %v", n, err)
		}
	})
}

func TestARemovedStampIsSeen(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		_, roots := withAuthority(t, h, s)
		me := testkit.As(patient(zoe, anAct))
		r := s.mustDecide(t, me, s.decision(care.ConsentGranted, Web))
		if err := s.Stamp(me, r.ID); err != nil {
			t.Fatal(err)
		}
		drop := "DROP TRIGGER consent_stamps_frozen ON consent_stamps"
		if h.DB.Dialect() == store.SQLite {
			drop = "DROP TRIGGER consent_stamps_no_update; DROP TRIGGER consent_stamps_no_delete"
		}
		pool, err := h.DB.SQL()
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range []string{drop, "UPDATE consent_stamps SET at = at + 1"} {
			if _, err := pool.Exec(q); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.VerifyStamps(me, roots); !errors.Is(err, ErrNotGenuine) {
			t.Errorf("another time: %v", err)
		}
		if _, err := pool.Exec("DELETE FROM consent_stamps"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.VerifyStamps(me, roots); !errors.Is(err, ErrNotGenuine) {
			t.Errorf("no stamp: %v", err)
		}
		_, err = s.StampOf(me, r.ID)
		if fault.KindOf(err) != fault.NotFound {
			t.Errorf("%v", err)
		}
	})
}
