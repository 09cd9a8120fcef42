package scheduling

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/limit"
	"visavis/internal/store"
	"visavis/internal/testkit"

	"pgregory.net/rapid"
)

// TestOneSlotOneWinner is trust D1.
func TestOneSlotOneWinner(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		const n = 1000
		var wg sync.WaitGroup
		errs := make([]error, n)
		start := make(chan struct{})
		for i := range n {
			wg.Go(func() {
				<-start
				_, errs[i] = s.Book(anybody(), booking(paris(11, 9, 0), fmt.Sprintf("Nom %d", i)))
			})
		}
		began := time.Now()
		close(start)
		wg.Wait()
		won, lost := 0, 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case fault.KindOf(err) == fault.Conflict && err.Error() == "slot-taken":
				lost++
			default:
				t.Error(err)
			}
		}
		t.Logf("%d won, %d lost in %s", won, lost, time.Since(began).Round(time.Millisecond))
		if won != 1 || lost != n-1 {
			t.Errorf("%d won, %d lost", won, lost)
		}
		noOverlap(t, h.DB, 1)
	})
}

// noOverlap checks with a self-join, and counts what is not cancelled.
func noOverlap(t *testing.T, db *store.DB, atLeast int) {
	t.Helper()
	pool, err := db.SQL()
	if err != nil {
		t.Fatal(err)
	}
	var pairs, rows int
	if err := pool.QueryRow(`SELECT count(*) FROM appointments a JOIN appointments b ON a.practitioner_id = b.practitioner_id AND a.id < b.id
		AND a.start_at < b.end_at AND b.start_at < a.end_at WHERE a.status <> 'cancelled' AND b.status <> 'cancelled'`).Scan(&pairs); err != nil || pairs != 0 {
		t.Errorf("%d pairs overlap, %v", pairs, err)
	}
	if err := pool.QueryRow(`SELECT count(*) FROM appointments WHERE status <> 'cancelled'`).Scan(&rows); err != nil || rows < atLeast {
		t.Errorf("%d appointments, %v", rows, err)
	}
}

// TestTheDatabaseRefusesOverlaps is trust D2: without the lock of the use cases,
// the constraint alone keeps appointments apart, moves included.
func TestTheDatabaseRefusesOverlaps(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		schedule, err := s.SetPlan(system(), martin, weekdays())
		if err != nil {
			t.Fatal(err)
		}
		place := func(r *rand.Rand) Interval {
			start := testkit.Morning().Add(time.Duration(r.IntN(3*24*60)) * time.Minute)
			return Interval{start, start.Add(time.Duration(1+r.IntN(90)) * time.Minute)}
		}
		var wg sync.WaitGroup
		for worker := range 8 {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(1, uint64(worker)))
				var mine []Appointment
				for range 40 {
					a := Appointment{ID: care.AppointmentID(care.NewID(h.Clock.Now())), ScheduleID: schedule.ID, PractitionerID: martin, Status: Booked, Interval: place(r), Version: 1}
					move := len(mine) > 0 && r.IntN(3) == 0
					if move {
						a = mine[r.IntN(len(mine))]
						a.Interval = place(r)
					}
					err := h.DB.Tx(context.Background(), func(_ context.Context, tx *store.Tx) error {
						if move {
							_, err := update(tx, a, nil)
							return err
						}
						return insert(tx, a)
					})
					name, taken := store.Duplicate(err)
					switch {
					case err == nil && !move:
						mine = append(mine, a)
					case err != nil && !taken && fault.KindOf(err) != fault.Unavailable: // a deadlock, tried three times
						t.Error(name, err)
					}
				}
			})
		}
		wg.Wait()
		noOverlap(t, h.DB, 10)
		// A cancelled appointment takes no room, and cannot come back into it.
		free := Appointment{ID: "0190ffff-0000-7000-8000-000000000001", ScheduleID: schedule.ID, PractitionerID: dupre, Status: Booked, Interval: Interval{paris(1, 9, 0), paris(1, 10, 0)}, Version: 1}
		cancelled := free
		cancelled.ID, cancelled.Status = "0190ffff-0000-7000-8000-000000000002", Cancelled
		err = h.DB.Tx(context.Background(), func(_ context.Context, tx *store.Tx) error {
			if err := insert(tx, cancelled); err != nil {
				return err
			}
			return insert(tx, free)
		})
		if err != nil {
			t.Fatal(err)
		}
		err = h.DB.Tx(context.Background(), func(_ context.Context, tx *store.Tx) error {
			cancelled.Status = Booked
			_, err := update(tx, cancelled, nil)
			return err
		})
		if _, taken := store.Duplicate(err); !taken {
			t.Error("a cancelled appointment came back over another:", err)
		}
	})
}

// TestLegalHistoriesOnly is trust D3: whatever people do, the answers are those
// of a model in memory, on both databases.
func TestLegalHistoriesOnly(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		slots := []time.Time{paris(11, 9, 0), paris(11, 9, 20), paris(11, 9, 40), paris(12, 9, 0)}
		rapid.Check(t, func(r *rapid.T) {
			h.Clock.Set(testkit.Morning())
			model := map[care.AppointmentID]*Appointment{}
			var ids []care.AppointmentID
			taken := func(at time.Time, except care.AppointmentID) bool {
				for id, a := range model {
					if id != except && a.Status != Cancelled && a.Start.Equal(at) {
						return true
					}
				}
				return false
			}
			code := func(err error) string {
				if err == nil {
					return ""
				}
				return err.Error()
			}
			for range rapid.IntRange(1, 15).Draw(r, "steps") {
				at := rapid.SampledFrom(slots).Draw(r, "slot")
				op := rapid.SampledFrom([]string{"book", "book", "move", "cancel", "wait"}).Draw(r, "op")
				if op != "book" && op != "wait" && len(ids) == 0 {
					continue
				}
				now := h.Clock.Now()
				past, soon := !at.After(now), at.Before(now.Add(time.Hour))
				want := ""
				switch {
				case past:
					want = "fields start:in-past"
				case soon:
					want = "fields start:too-soon"
				}
				switch op {
				case "wait":
					h.Clock.Advance(time.Duration(rapid.IntRange(1, 30).Draw(r, "hours")) * time.Hour)
				case "book":
					if want == "" && taken(at, "") {
						want = "slot-taken"
					}
					got, err := s.Book(anybody(), booking(at, "Martin"))
					if code(err) != want {
						r.Fatalf("book: %v, want %q", err, want)
					}
					if err == nil {
						model[got.ID] = &got.Appointment
						ids = append(ids, got.ID)
					}
				default:
					a := model[rapid.SampledFrom(ids).Draw(r, "which")]
					me := testkit.As(patientOf(*a))
					open := a.Status == Booked && now.Before(a.Start)
					if op == "cancel" {
						want = ""
						if !open && a.Status != Cancelled {
							want = "appointment-closed"
						}
						got, err := s.Cancel(me, a.ID, "")
						if code(err) != want {
							r.Fatalf("cancel: %v, want %q", err, want)
						}
						if err == nil {
							*a = got
						}
						continue
					}
					version := a.Version - rapid.IntRange(0, 1).Draw(r, "stale")
					switch {
					case version != a.Version:
						want = "changed-meanwhile"
					case !open:
						want = "appointment-closed"
					case want == "" && taken(at, a.ID):
						want = "slot-taken"
					}
					got, err := s.Move(me, a.ID, at, version)
					if code(err) != want {
						r.Fatalf("move: %v, want %q", err, want)
					}
					if err == nil {
						*a = got
					}
				}
				for id, a := range model {
					if kept, err := s.Find(anybody(), id); err != nil || kept != *a {
						r.Fatalf("kept %+v, want %+v (%v)", kept, *a, err)
					}
				}
			}
			for _, a := range model { // leave the slots to the next history
				h.Clock.Set(testkit.Morning())
				if _, err := s.Cancel(testkit.As(patientOf(*a)), a.ID, ""); err != nil {
					r.Fatal(err)
				}
			}
		})
		noOverlap(t, h.DB, 0)
	})
}

// TestOneSlotOneWinnerOverHTTP is D1 from the outside, idempotency keys included.
func TestOneSlotOneWinnerOverHTTP(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		s.BookingLimit = limit.Rule{Name: "booking", Burst: 2000, Every: time.Second}
		words, err := Texts()
		if err != nil {
			t.Fatal(err)
		}
		server := h.Server(t, testkit.Actors{}, words)
		Routes(server, s)
		client := testkit.HTTP(t, server.Handler()).Held(server)
		const n = 1000
		var wg sync.WaitGroup
		statuses := make(chan int, n)
		began := time.Now()
		for range n {
			wg.Go(func() {
				a, err := client.Try("POST", "/api/appointments", provenRequest(paris(11, 9, 0)))
				if err != nil {
					t.Error(err)
					return
				}
				statuses <- a.Status
			})
		}
		wg.Wait()
		close(statuses)
		got := map[int]int{}
		for status := range statuses {
			got[status]++
		}
		t.Logf("%v in %s", got, time.Since(began).Round(time.Millisecond))
		if got[201] != 1 || got[409] != n-1 {
			t.Errorf("%v", got)
		}
		noOverlap(t, h.DB, 1)
	})
}

// TestEverybodyChangesTheirMind: bookings, moves and cancellations of one
// agenda at once end in a Conflict or not at all, never in a deadlock.
func TestEverybodyChangesTheirMind(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		slots := []time.Time{paris(11, 9, 0), paris(11, 9, 20), paris(11, 9, 40), paris(11, 10, 0), paris(12, 9, 0), paris(12, 9, 20)}
		var wg sync.WaitGroup
		for person := range 12 {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(2, uint64(person)))
				var mine *Appointment
				for range 15 {
					at := slots[r.IntN(len(slots))]
					var err error
					switch {
					case mine == nil:
						var got Receipt
						if got, err = s.Book(anybody(), booking(at, fmt.Sprintf("Nom %d", person))); err == nil {
							mine = &got.Appointment
						}
					case r.IntN(4) == 0:
						if _, err = s.Cancel(testkit.As(patientOf(*mine)), mine.ID, ""); err == nil {
							mine = nil
						}
					default:
						var got Appointment
						if got, err = s.Move(testkit.As(patientOf(*mine)), mine.ID, at, mine.Version); err == nil {
							mine = &got
						}
					}
					if err != nil && err.Error() != "slot-taken" {
						t.Error(err)
					}
				}
				if mine != nil {
					if kept, err := s.Find(anybody(), mine.ID); err != nil || kept != *mine {
						t.Errorf("kept %+v, want %+v (%v)", kept, *mine, err)
					}
				}
			})
		}
		wg.Wait()
		noOverlap(t, h.DB, 1)
	})
}
