package signaling_test

import (
	"context"
	"testing"
	"time"

	"visavis/internal/events"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

// departures collects what is told of people leaving.
func departures(h *testkit.House) chan events.Presence {
	told := make(chan events.Presence, 20)
	h.Bus.On(events.ParticipantLeft, "test.departures", func(_ context.Context, _ *store.Tx, e events.Event) error {
		var p events.Presence
		if err := e.Decode(&p); err != nil {
			return err
		}
		told <- p
		return nil
	})
	return told
}

// killed leaves the database as kill -9 of the process does, seen being the
// last sign of life of everybody: nobody was told to have left.
func (c *clinic) killed(told chan events.Presence, joined, seen time.Time) {
	c.t.Helper()
	stop(c.t, c.svc, c.media)
	for range 2 { // an orderly stop tells; a kill does not
		testkit.Receive(c.t, 10*time.Second, "the departures of the orderly stop", told)
	}
	err := c.h.DB.Tx(c.ctx, func(_ context.Context, tx *store.Tx) error {
		return tx.G().Exec("UPDATE seats SET joined_at = ?, seen_at = ?", store.Micros(joined), store.Micros(seen)).Error
	})
	if err != nil {
		c.t.Fatal(err)
	}
	testkit.SignRows(c.t, c.h.DB, "seats")
}

// TestWhoWasInAKilledCallIsNotThereForEver: the next process tells that they
// left, unseen, when they were last known to be there.
func TestWhoWasInAKilledCallIsNotThereForEver(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		told := departures(h)
		c := open(t, h)
		doctor, _ := c.enter("doctor", "d")
		patient, _ := c.enter("patient", "p")
		c.send(doctor, "admit", map[string]any{"seat": patient.Seat})
		c.wait(patient, "admitted", nil)
		c.told(events.ParticipantJoined, 2)
		now := time.Now()
		seen := now.Add(-10 * time.Minute)
		c.killed(told, now.Add(-20*time.Minute), seen)
		c.start()
		seats := map[string]bool{}
		for range 2 {
			p := testkit.Receive(t, 20*time.Second, "a departure", told)
			if !p.Assumed || p.At != store.Micros(seen) {
				t.Errorf("%+v, want assumed at %v", p, seen)
			}
			seats[p.SeatID] = true
		}
		if len(seats) != 2 || !seats[patient.Seat] {
			t.Errorf("told of %v", seats)
		}
		if err := c.svc.Abandon(c.ctx); err != nil {
			t.Fatal(err)
		}
		h.Deliver(t)
		if len(told) != 0 {
			t.Errorf("told again: %+v", <-told)
		}
	})
}

// TestWhoComesBackAfterAKillHasTwoStays: the first ended when they were last
// known to be there, the second begins now.
func TestWhoComesBackAfterAKillHasTwoStays(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		told := departures(h)
		c := open(t, h)
		doctor, _ := c.enter("doctor", "d")
		patient, _ := c.enter("patient", "p")
		c.send(doctor, "admit", map[string]any{"seat": patient.Seat})
		c.wait(patient, "admitted", nil)
		c.told(events.ParticipantJoined, 2)
		now := time.Now()
		seen := now.Add(-30 * time.Second) // too fresh for the bound
		c.killed(told, now.Add(-5*time.Minute), seen)
		c.start()
		_, w := c.enter("patient", "p")
		p := testkit.Receive(t, 10*time.Second, "the end of the first stay", told)
		if !p.Assumed || p.SeatID != w.Str("seat") || p.At != store.Micros(seen) {
			t.Errorf("%+v, want %s assumed at %v", p, w.Str("seat"), seen)
		}
		c.told(events.ParticipantJoined, 3)
		// A second page of the same person in the same process is no departure.
		c.ticket("patient")
		h.Deliver(t)
		if len(told) != 0 {
			t.Errorf("told again: %+v", <-told)
		}
	})
}
