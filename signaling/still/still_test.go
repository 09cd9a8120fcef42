package still_test

import (
	"context"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/store"
	"visavis/internal/testkit"
	"visavis/signaling/still"
)

const act = care.EncounterID("0199aaaa-0000-7000-8000-000000000041")

// One open request for a seat, for five minutes; the photo that answers it is taken for fifteen.
func TestTimes(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		in := func(f func(tx *store.Tx) error) {
			t.Helper()
			if err := h.DB.Tx(context.Background(), func(_ context.Context, tx *store.Tx) error { return f(tx) }); err != nil {
				t.Fatal(err)
			}
		}
		pool, err := h.DB.SQL()
		if err != nil {
			t.Fatal(err)
		}
		for _, seat := range []string{"s1", "s2"} {
			const row = "INSERT INTO seats (id, encounter_id, patient_id, person_id, role, host, state, queue, planned, arrived_at, admitted_at, seen_at, ended_at) VALUES "
			if _, err := pool.Exec(row + "('" + seat + "', '" + string(act) + "', 'p', '" + seat + "', 'patient', FALSE, 'admitted', 'd', 0, 0, 0, 0, 0)"); err != nil {
				t.Fatal(err)
			}
		}
		testkit.SignRows(t, h.DB, "seats")
		start := h.Clock.Now()
		ask := func(seat string, after time.Duration) (id string, fresh bool) {
			t.Helper()
			id = care.NewID(start.Add(after))
			in(func(tx *store.Tx) (err error) {
				fresh, err = still.Ask(tx, still.Request{ID: id, Encounter: act, Seat: seat, By: "host", At: start.Add(after)})
				return err
			})
			return id, fresh
		}
		told := func(after time.Duration) (out string) {
			t.Helper()
			in(func(tx *store.Tx) error {
				list, err := still.Of(tx, act, start.Add(after))
				for _, r := range list {
					out += r.Seat + " " + string(r.State) + ", "
				}
				return err
			})
			return out
		}
		first, fresh := ask("s1", 0)
		if _, again := ask("s1", time.Minute); !fresh || again {
			t.Errorf("%v %v: one open request for a seat", fresh, again)
		}
		if got := told(4 * time.Minute); got != "s1 asked, " {
			t.Error(got)
		}
		if got := told(still.Told); got != "" {
			t.Errorf("told after five minutes: %s", got)
		}
		in(func(tx *store.Tx) error {
			r, err := still.Find(tx, first)
			if !r.Waits(start.Add(still.Taken-time.Second)) || r.Waits(start.Add(still.Taken)) {
				t.Errorf("%+v", r)
			}
			return err
		})
		second, fresh := ask("s1", 6*time.Minute)
		if !fresh {
			t.Error("what is no longer told keeps from asking again")
		}
		in(func(tx *store.Tx) error {
			r, err := still.Find(tx, first)
			if r.State != still.Dropped || r.Waits(start.Add(6*time.Minute)) {
				t.Errorf("%+v", r)
			}
			return err
		})
		if _, fresh := ask("s2", 6*time.Minute+time.Second); !fresh {
			t.Error("each seat has its own")
		}
		for i, want := range []bool{true, false} {
			in(func(tx *store.Tx) error {
				done, err := still.Settle(tx, second, still.Refused, "")
				if done != want {
					t.Errorf("settled %d: %v", i, done)
				}
				return err
			})
		}
		if got := told(7 * time.Minute); got != "s1 refused, s2 asked, " {
			t.Error(got)
		}
		if _, fresh := ask("s1", 7*time.Minute); !fresh {
			t.Error("after a refusal one may ask again")
		}
		if got := told(8 * time.Minute); got != "s2 asked, s1 asked, " {
			t.Errorf("the last of each seat: %s", got)
		}
	})
}
