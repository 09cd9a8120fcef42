package main

import (
	"context"
	"testing"
	"time"

	"visavis/internal/store"
	"visavis/internal/testkit/rtcclient"
)

// TestWhoIsSignedOutLeavesTheCall is S12 (ASVS 8.3.1) for the program: signed
// out, link revoked, dismissed: within two seconds the socket and the media of
// that person end, and nobody else's.
func TestWhoIsSignedOutLeavesTheCall(t *testing.T) {
	t.Parallel()
	rigs(t, func(t *testing.T, r *rig) {
		c := &call{spy: &spy{witness: &witness{rig: r, doctor: r.staff(account("MARTIN"))}}}
		c.begin()
		c.expelled(1, "the patient signed out", func() { c.patients[0].Post("/api/me/sign-out", nil).Want(200) })
		if !c.flows[0].Connected() {
			t.Error("the doctor's media ended with the patient's")
		}
		c.patients = append(c.patients, c.patient(0))
		c.seats[1] = c.enter(c.patients[1]) // in another sign-in: the doctor has not seen who it is
		c.sends(0, "admit", map[string]any{"seat": c.seats[1].Seat})
		c.wait(1, "admitted", nil)
		c.flows[1] = c.join(1, "to the patient")
		c.toBoth(time.Second)
		c.expelled(1, "the patient's link was revoked", func() { c.doctor.Post("/api/appointments/"+c.appointment+"/link/revoke", nil).Want(204) })
		c.expelled(0, "the doctor was dismissed", func() {
			err := c.db.Tx(c.ctx, func(_ context.Context, tx *store.Tx) error {
				return tx.G().Exec("UPDATE staff SET active = 0 WHERE id = ?", c.slots[0].practitioner).Error
			})
			if err != nil {
				t.Fatal(err)
			}
			r.sign(c.db, "staff")
		})
	})
}

// expelled ends somebody's session and waits until they are out.
func (c *call) expelled(seat int, how string, end func()) {
	c.t.Helper()
	end()
	start := time.Now()
	ctx, cancel := context.WithTimeout(c.ctx, 10*time.Second)
	defer cancel()
	code, err := c.seats[seat].CloseCode(ctx)
	socket := time.Since(start)
	if err != nil || code != 4001 {
		c.t.Fatalf("%s: closed with %d (%v), want 4001", how, code, err)
	}
	if err := c.flows[seat].Until(ctx, func(m *rtcclient.Media) bool { return !m.Connected() }); err != nil {
		c.t.Fatalf("%s: %v", how, err)
	}
	media := time.Since(start)
	c.t.Logf("%s: socket closed after %v, media after %v", how, socket.Round(time.Millisecond), media.Round(time.Millisecond))
	if media > 2*time.Second {
		c.t.Errorf("%s: still in the call after %v", how, media)
	}
}
