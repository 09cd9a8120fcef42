package signaling_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/store"
	"visavis/internal/testkit"
	"visavis/internal/testkit/rtcclient"
	"visavis/signaling"
	"visavis/signaling/queue"
)

// exec changes rows as time would.
func (c *clinic) exec(sql string, args ...any) {
	c.t.Helper()
	err := c.h.DB.Tx(c.ctx, func(_ context.Context, tx *store.Tx) error { return tx.G().Exec(sql, args...).Error })
	if err != nil {
		c.t.Fatal(err)
	}
	testkit.SignRows(c.t, c.h.DB, "seats")
}

// held writes n acts of the doctor that lasted minutes each, days ago.
func (c *clinic) held(n, minutes int) {
	c.t.Helper()
	for i := range n {
		at := time.Now().Add(-time.Duration(48*60-15*i) * time.Minute)
		c.exec(`INSERT INTO seats (id, encounter_id, patient_id, person_id, role, host, state, queue, kind, planned, arrived_at, admitted_at, seen_at, ended_at, joined_at, recall_asked_at, recalled_at)
			VALUES (?, ?, ?, ?, 'patient', FALSE, 'ended', ?, 'teleconsultation', ?, ?, ?, ?, ?, 0, 0, 0)`,
			id(), id(), id(), id(), string(c.doctor.StaffID), store.Micros(at), store.Micros(at.Add(-10*time.Minute)), store.Micros(at), store.Micros(at),
			store.Micros(at.Add(time.Duration(minutes)*time.Minute)))
	}
}

func TestTheWaitIsOfRealActsAndSurvivesARestart(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		c := open(t, h)
		c.held(20, 10)
		other, act := care.EncounterID(id()), signaling.Act{AppointmentID: care.AppointmentID(id()), PatientID: care.PatientID(id()), PractitionerID: c.doctor.StaffID, Planned: time.Now().Add(-time.Hour)}
		act.ID = other
		c.world.mu.Lock()
		c.world.acts[other] = act
		mine := c.world.acts[c.enc]
		mine.Planned, mine.Kind = time.Now(), care.Teleconsultation
		c.world.acts[c.enc] = mine
		c.world.mu.Unlock()
		// Somebody of another act is in the room since four minutes.
		at := store.Micros(time.Now().Add(-4 * time.Minute))
		c.exec(`INSERT INTO seats (id, encounter_id, patient_id, person_id, role, host, state, queue, kind, planned, arrived_at, admitted_at, seen_at, ended_at, joined_at, recall_asked_at, recalled_at)
			VALUES (?, ?, ?, ?, 'patient', FALSE, 'admitted', ?, 'teleconsultation', ?, ?, ?, ?, 0, 0, 0, 0)`, id(), string(other), string(act.PatientID), string(act.PatientID), string(c.doctor.StaffID), at, at, at, at)
		says := func(cl *rtcclient.Client) rtcclient.Msg {
			q := c.wait(cl, "queue", nil)
			w := q.Obj("wait")
			if q.Num("position") != 1 || w.Str("basis") != "measured" || w.Num("fromMinutes") < 3 || w.Num("toMinutes") > 14 || q["hostOnline"] != true {
				t.Errorf("queue %v", q)
			}
			return q
		}
		patient, _ := c.enter("patient", "a")
		before := says(patient)
		stop(t, c.svc, c.media)
		c.start()
		patient, w := c.enter("patient", "a")
		if after := says(patient); after.Num("of") != before.Num("of") || w.Str("state") != "waiting" {
			t.Errorf("before the restart %v, after it %v", before, after)
		}
	})
}

// gone ends a client's socket and waits until the server noticed.
func (c *clinic) gone(cl *rtcclient.Client) {
	c.t.Helper()
	cl.Cut()
	testkit.Eventually(c.t, 10*time.Second, "the server notices", func() bool {
		on, err := c.svc.Online(c.ctx, c.enc)
		return err == nil && !on
	})
}

func TestWhoWaitsTooLongIsToldThatTheDoctorIsLate(t *testing.T) {
	c := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	c.world.mu.Lock()
	a := c.world.acts[c.enc]
	a.Planned = time.Now().Add(-17 * time.Minute)
	c.world.acts[c.enc] = a
	c.world.mu.Unlock()
	patient, _ := c.enter("patient", "a")
	if q := c.wait(patient, "queue", nil); q["lateMinutes"] != nil || q["wait"] != nil {
		t.Errorf("who has just come, late, is told %v", q)
	}
	c.exec("UPDATE seats SET arrived_at = ?", store.Micros(time.Now().Add(-20*time.Minute)))
	c.svc.Waiting(authz.With(c.ctx, authz.SystemActor()), c.doctor.StaffID)
	q := c.wait(patient, "queue", func(m rtcclient.Msg) bool { return m["lateMinutes"] != nil })
	if q.Num("lateMinutes") != 15 || q["wait"] != nil || q["hostOnline"] == true {
		t.Errorf("queue %v", q)
	}
}

func TestWhoIsAwayIsCalledBackOnce(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		c := open(t, h)
		patient, _ := c.enter("patient", "a")
		q := c.wait(patient, "queue", nil)
		if q.Obj("recall").Str("phoneEnd") != "12" || q.Obj("recall")["asked"] != false {
			t.Errorf("queue %v", q)
		}
		c.send(patient, "recall", nil)
		c.wait(patient, "queue", func(m rtcclient.Msg) bool { return m.Obj("recall")["asked"] == true })
		c.gone(patient)
		// An hour away is too long for a place, but not for who asked to be told.
		c.exec("UPDATE seats SET seen_at = ?, recall_asked_at = ?", store.Micros(time.Now().Add(-time.Hour)), store.Micros(time.Now().Add(-time.Hour)))
		system := authz.With(c.ctx, authz.SystemActor())
		if n, err := c.svc.Lapse(system); n != 0 || err != nil {
			t.Fatalf("%d places given up, %v", n, err)
		}
		c.svc.Waiting(system, c.doctor.StaffID)
		c.h.Deliver(c.t)
		if n := c.facts.count(events.PatientRecalled); n != 0 {
			t.Fatalf("called back %d times while nobody is there to see them", n)
		}
		doctor, _ := c.enter("doctor", "a")
		c.fact(events.PatientRecalled)
		c.wait(doctor, "room", func(m rtcclient.Msg) bool {
			for _, s := range m.List("seats") {
				if s["recalled"] != nil {
					return true
				}
			}
			return false
		})
		for range 3 {
			c.svc.Waiting(system, c.doctor.StaffID)
		}
		patient, w := c.enter("patient", "b")
		if w.Str("state") != "waiting" {
			t.Errorf("welcome %v", w)
		}
		q = c.wait(patient, "queue", nil)
		if q.Num("position") != 1 || q.Obj("recall").Str("sentAt") == "" {
			t.Errorf("back: %v", q)
		}
		c.h.Deliver(c.t)
		if n := c.facts.count(events.PatientRecalled); n != 1 {
			t.Errorf("called back %d times", n)
		}
		// Half an hour after the call the place is given up.
		c.gone(patient)
		c.exec("UPDATE seats SET seen_at = ?, recalled_at = ? WHERE role = 'patient'", store.Micros(time.Now().Add(-31*time.Minute)), store.Micros(time.Now().Add(-29*time.Minute)))
		if n, err := c.svc.Lapse(system); n != 0 || err != nil {
			t.Fatalf("29 minutes after the call: %d places given up, %v", n, err)
		}
		c.exec("UPDATE seats SET recalled_at = ? WHERE role = 'patient'", store.Micros(time.Now().Add(-31*time.Minute)))
		if n, err := c.svc.Lapse(system); n != 1 || err != nil {
			t.Fatalf("31 minutes after the call: %d places given up, %v", n, err)
		}
	})
}

func TestOnlyAWaitingPatientIsCalledBack(t *testing.T) {
	c := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	doctor, _ := c.enter("doctor", "a")
	n := c.send(doctor, "recall", nil)
	if e := c.wait(doctor, "error", nil); e.Str("code") != "forbidden" || uint64(e.Num("re")) != n {
		t.Errorf("a host asks to be called back: %v", e)
	}
}

// delays are the facts of delays that were told, as act:minutes.
func (c *clinic) delays() string {
	c.t.Helper()
	c.h.Deliver(c.t)
	c.facts.mu.Lock()
	defer c.facts.mu.Unlock()
	var out []string
	for _, f := range c.facts.list {
		if what, ok := strings.CutPrefix(f, events.ActDelayed+":"); ok {
			out = append(out, what)
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// M8, 4.8 step 4: the next three who are not there are told once for each
// threshold of delay, after a restart too, and nothing when it shrinks.
func TestTheNextThreeAreToldOfADelayOnce(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		c := open(t, h)
		c.held(20, 15)
		c.enter("patient", "a") // planned now
		now := time.Now()
		coming := func(minutes ...int) {
			c.world.mu.Lock()
			defer c.world.mu.Unlock()
			c.world.awaited = nil
			for i, m := range minutes {
				c.world.awaited = append(c.world.awaited, queue.Awaited{Kind: care.Teleconsultation, Planned: now.Add(time.Duration(m) * time.Minute), Act: care.EncounterID(fmt.Sprint("act", i+1))})
			}
		}
		look := func() {
			t.Helper()
			c.svc.Waiting(authz.With(c.ctx, authz.SystemActor()), c.doctor.StaffID)
		}
		began := func(minutes int) {
			at := store.Micros(time.Now().Add(-time.Duration(minutes) * time.Minute))
			c.exec("UPDATE seats SET admitted_at = ? WHERE state = 'admitted'", at)
		}
		at := store.Micros(time.Now().Add(-time.Minute))
		c.exec(`INSERT INTO seats (id, encounter_id, patient_id, person_id, role, host, state, queue, kind, planned, arrived_at, admitted_at, seen_at, ended_at, joined_at, recall_asked_at, recalled_at)
			VALUES (?, ?, ?, ?, 'patient', FALSE, 'admitted', ?, 'teleconsultation', ?, ?, ?, ?, 0, 0, 0, 0)`, id(), id(), id(), id(), string(c.doctor.StaffID), at, at, at, at)
		coming(4, 5, 6, 7)
		look()
		first := c.delays()
		acts := func(told string) (out []string) {
			for _, f := range strings.Fields(told) {
				act, _, _ := strings.Cut(f, ":")
				out = append(out, act)
			}
			return out
		}
		if got := acts(first); !slices.Equal(got, []string{"act1", "act2", "act3"}) {
			t.Fatalf("told %q", first)
		}
		look()
		stop(t, c.svc, c.media)
		c.start()
		look()
		began(8) // it shrinks
		look()
		if got := c.delays(); got != first {
			t.Fatalf("told again: %q after %q", got, first)
		}
		c.exec("UPDATE delays SET planned = planned + 1") // moved: another time, another word
		look()
		if got := acts(c.delays()); !slices.Equal(got, []string{"act1", "act1", "act2", "act2", "act3", "act3"}) {
			t.Fatalf("of their new time: %q", c.delays())
		}
	})
}

func TestADelayThatGrowsIsToldAgain(t *testing.T) {
	c := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	var d queue.Delay
	d.Act, d.Planned = "act", time.Now()
	for _, step := range []struct {
		level int
		fresh bool
	}{{10, true}, {10, false}, {30, true}, {10, false}, {30, false}, {120, true}, {60, false}} {
		d.Level = step.level
		if fresh, err := c.svc.Delayed(c.ctx, d); err != nil || fresh != step.fresh {
			t.Errorf("%d minutes: %v, %v", step.level, fresh, err)
		}
	}
}
