package signaling_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"visavis/internal/care"
	"visavis/internal/store"
	"visavis/internal/testkit"
	"visavis/signaling"
)

func (w *world) change(id care.EncounterID, change func(*signaling.Act)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := w.acts[id]
	change(&a)
	w.acts[id] = a
}

// withdraw cancels the appointment as scheduling does: the act is told later.
func withdraw(a *signaling.Act) { a.Withdrawn = true }

// over ends the act as encounters does: the live side is told later.
func over(a *signaling.Act) { a.Over = true }

// Issue 9, C7: whoever asks for a seat after the end or the cancellation was
// written gets none, and a ticket of before opens nothing, though no fact has
// reached the live side yet.
func TestAdmission_AfterTheEndIsRefused(t *testing.T) {
	for name, end := range map[string]func(*signaling.Act){"cancelled": withdraw, "ended": over} {
		t.Run(name, func(t *testing.T) {
			testkit.Houses(t, func(t *testing.T, h *testkit.House) {
				c := open(t, h)
				before := map[string]string{"patient": c.ticket("patient"), "companion": c.ticket("companion")}
				if name == "ended" { // the room is there already
					c.enter("doctor", "d")
				}
				c.world.change(c.enc, end)
				for who, ticket := range before {
					cl := c.connect(who)
					_ = cl.Hello(ticket, "a")
					if e := c.wait(cl, "error", nil); e.Str("code") != "ended" {
						t.Errorf("%s: %v", who, e)
					}
					c.closes(cl, 4010)
					c.web.With(who).Post("/api/encounters/"+string(c.enc)+"/admission", nil, testkit.Header("Origin", origin)).Problem(410, "encounter-over")
				}
			})
		})
	}
}

// Many ask while the appointment is cancelled: who asked after the answer of the
// cancellation is refused, and who sat down before is put out.
func TestAdmission_RaceWithACancellation(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		c := open(t, h)
		var done atomic.Bool
		var late, early, outside atomic.Int64
		var all sync.WaitGroup
		begin := make(chan struct{})
		for n := range 24 {
			who := []string{"patient", "companion", "doctor"}[n%3]
			all.Go(func() {
				<-begin
				for range 5 {
					after := done.Load()
					a, err := c.web.With(who).Try("POST", "/api/encounters/"+string(c.enc)+"/admission", nil, testkit.Header("Origin", origin))
					if err != nil {
						t.Error(err)
						return
					}
					switch {
					case a.Status == 201 && after:
						late.Add(1)
					case a.Status == 201:
						early.Add(1)
					case a.Status != 410 && a.Status != 429:
						outside.Add(1)
					}
				}
			})
		}
		patient, _ := c.enter("patient", "p")
		close(begin)
		c.world.change(c.enc, withdraw)
		done.Store(true)
		all.Wait()
		if late.Load() > 0 || outside.Load() > 0 {
			t.Errorf("%d tickets after the cancellation, %d other answers (%d before)", late.Load(), outside.Load(), early.Load())
		}
		c.closes(patient, 4010) // at the next review
	})
}

// A patient who was let in stays: a late cancellation does not undo an act.
func TestAdmission_AnActThatBeganGoesOn(t *testing.T) {
	c := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	doctor, _ := c.enter("doctor", "d")
	patient, _ := c.enter("patient", "p")
	c.send(doctor, "admit", map[string]any{"seat": patient.Seat})
	c.wait(patient, "admitted", nil)
	c.world.change(c.enc, withdraw)
	again, w := c.enter("patient", "p")
	if w.Str("state") != "admitted" {
		t.Errorf("welcome %v", w)
	}
	c.send(again, "chat", map[string]any{"id": "1", "text": "toujours là"})
	c.wait(again, "chat", nil)
}

// A moved appointment moves the place, with a ticket of before the move too.
func TestAdmission_TicketOfBeforeAMove(t *testing.T) {
	c := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	ticket := c.ticket("patient")
	c.world.change(c.enc, func(a *signaling.Act) { a.Planned = a.Planned.Add(3600e9) })
	cl := c.connect("patient")
	_ = cl.Hello(ticket, "a")
	c.wait(cl, "welcome", nil)
	var planned int64
	if err := c.h.DB.Read(c.ctx, func(_ context.Context, tx *store.Tx) error {
		return tx.G().Raw("SELECT planned FROM seats").Scan(&planned).Error
	}); err != nil {
		t.Fatal(err)
	}
	if want := store.Micros(c.world.acts[c.enc].Planned); planned != want {
		t.Errorf("the seat is planned at %d, want %d", planned, want)
	}
}
