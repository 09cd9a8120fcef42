package signaling_test

import (
	"context"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/store"
	"visavis/internal/testkit"
	"visavis/internal/testkit/rtcclient"
)

// stills waits until a client is told exactly these requests, by their states.
func (c *clinic) stills(cl *rtcclient.Client, states ...string) []rtcclient.Msg {
	c.t.Helper()
	return c.wait(cl, "stills", func(m rtcclient.Msg) bool {
		list := m.List("requests")
		if len(list) != len(states) {
			return false
		}
		for i, r := range list {
			if r.Str("state") != states[i] {
				return false
			}
		}
		return true
	}).List("requests")
}

const photo = "0199aaaa-0000-7000-8000-0000000000c1"

func (c *clinic) kept(request, photo string) {
	c.t.Helper()
	err := c.h.DB.Tx(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		return c.h.Bus.Publish(ctx, tx, events.StillKept, photo, events.Still{StillID: photo, RequestID: request, EncounterID: c.enc, PatientID: c.patient.PatientID})
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

// Row 17 of product.md, issue 3 §5: asked, told again after a reload of either side and after a restart, answered once.
func TestAPhotoIsAskedFor(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		c := open(t, h)
		c.world.mu.Lock()
		c.world.team[c.nurse().StaffID] = true
		c.world.mu.Unlock()
		doctor, _ := c.enter("doctor", "d")
		patient, _ := c.enter("patient", "p")
		refused := func(by *rtcclient.Client, seat, code string) {
			t.Helper()
			n := c.send(by, "still", map[string]any{"seat": seat})
			c.wait(by, "error", func(m rtcclient.Msg) bool { return m.Str("code") == code && m["re"] == float64(n) })
		}
		refused(doctor, patient.Seat, "not_found") // waits
		c.send(doctor, "admit", map[string]any{"seat": patient.Seat})
		c.wait(patient, "media", func(m rtcclient.Msg) bool { return m["allowed"] == true })
		nurse, _ := c.enter("nurse", "n")
		c.send(doctor, "admit", map[string]any{"seat": nurse.Seat})
		c.wait(nurse, "media", func(m rtcclient.Msg) bool { return m["allowed"] == true })
		refused(patient, nurse.Seat, "forbidden")
		refused(doctor, doctor.Seat, "not_found")
		refused(doctor, "nobody", "not_found")
		refused(doctor, "", "invalid")
		c.send(doctor, "hold", map[string]any{"seats": []string{nurse.Seat}})
		c.wait(nurse, "room", func(m rtcclient.Msg) bool { return seatIn(m, nurse.Seat)["held"] == true })
		refused(doctor, nurse.Seat, "not_found")
		c.send(doctor, "hold", map[string]any{"seats": []string{}})

		c.send(doctor, "still", map[string]any{"seat": patient.Seat})
		asked := c.stills(patient, "asked")[0]
		if asked.Str("by") != doctor.Seat || asked.Str("seat") != patient.Seat || asked.Str("name") == "" {
			t.Errorf("%v", asked)
		}
		id := asked.Str("id")
		c.stills(doctor, "asked")
		c.send(doctor, "still", map[string]any{"seat": patient.Seat}) // again: nothing
		c.send(doctor, "still", map[string]any{"seat": nurse.Seat})
		other := c.stills(doctor, "asked", "asked")
		if other[0].Str("id") != id {
			t.Errorf("a second request was made: %v", other)
		}
		if mine := c.stills(nurse, "asked"); mine[0].Str("seat") != nurse.Seat {
			t.Errorf("told of somebody else's: %v", mine)
		}
		a, err := c.svc.Still(c.ctx, id)
		if err != nil || a.Encounter != c.enc || a.Person != string(c.patient.PatientID) || a.By != string(c.doctor.StaffID) || !a.Waits {
			t.Errorf("%+v %v", a, err)
		}

		// Only who is asked answers, with a word that there is.
		n := c.send(nurse, "still_answer", map[string]any{"id": id, "state": "refused"})
		c.wait(nurse, "error", func(m rtcclient.Msg) bool { return m.Str("code") == "not_found" && m["re"] == float64(n) })
		n = c.send(nurse, "still_answer", map[string]any{"id": id, "state": "kept"})
		c.wait(nurse, "error", func(m rtcclient.Msg) bool { return m.Str("field") == "state" && m["re"] == float64(n) })
		c.send(nurse, "still_answer", map[string]any{"id": other[1].Str("id"), "state": "failed"})
		c.stills(doctor, "asked", "failed")
		c.stills(nurse)

		// Either side comes anew, and is told again.
		patient, _ = c.enter("patient", "p")
		c.stills(patient, "asked")
		doctor, _ = c.enter("doctor", "d")
		c.stills(doctor, "asked", "failed")

		c.kept(id, photo)
		h.Deliver(t)
		if list := c.stills(doctor, "kept", "failed"); list[0].Str("still") != photo {
			t.Errorf("the photo is not told: %v", list)
		}
		c.stills(patient)
		c.send(doctor, "still", map[string]any{"seat": patient.Seat})
		again := c.stills(patient, "asked")[0].Str("id")
		if again == id {
			t.Error("the same request again")
		}

		// The process stops; the next one knows.
		stop(t, c.svc, c.media)
		c.start()
		doctor, _ = c.enter("doctor", "d")
		patient, _ = c.enter("patient", "p")
		c.stills(patient, "asked")
		c.send(patient, "still_answer", map[string]any{"id": again, "state": "refused"})
		c.stills(doctor, "failed", "refused")
		c.send(patient, "still_answer", map[string]any{"id": again, "state": "failed"}) // settled: the first word stands
		if a, err := c.svc.Still(c.ctx, again); err != nil || a.Waits {
			t.Errorf("a photo that was refused is taken: %+v %v", a, err)
		}

		if _, err := c.svc.Still(c.ctx, care.NewID(time.Now())); err == nil {
			t.Error("a request that nobody made")
		}

		// Who leaves is not awaited.
		c.send(doctor, "still", map[string]any{"seat": patient.Seat})
		last := c.stills(patient, "asked")[0].Str("id")
		c.send(patient, "leave", nil)
		c.stills(doctor, "failed")
		if a, err := c.svc.Still(c.ctx, last); err != nil || a.Waits {
			t.Errorf("%+v %v", a, err)
		}
	})
}

// Without consent nothing is asked: the photo would be of the act.
func TestNoPhotoWithoutConsent(t *testing.T) {
	c := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	doctor, _ := c.enter("doctor", "d")
	patient, _ := c.enter("patient", "p")
	c.send(doctor, "admit", map[string]any{"seat": patient.Seat})
	c.wait(patient, "media", func(m rtcclient.Msg) bool { return m["allowed"] == true })
	c.world.set(care.ConsentWithdrawn, nil)
	c.wait(patient, "media", func(m rtcclient.Msg) bool { return m["allowed"] == false })
	c.send(doctor, "still", map[string]any{"seat": patient.Seat})
	c.wait(doctor, "error", func(m rtcclient.Msg) bool {
		return m.Str("code") == "media_refused" && m.Str("reason") == "consent_withdrawn"
	})
}
