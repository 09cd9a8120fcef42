package main

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

// TestKilledAgainAndAgain is acceptance 6 of issue 2: the program is killed
// with SIGKILL during bookings, consents and signatures. Nothing that was
// acknowledged is missing, nothing is sent twice, visavis verify is content.
// VISAVIS_KILLS says how often (50 for the acceptance).
func TestKilledAgainAndAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("kills the program for a minute: not in -short")
	}
	kills, err := strconv.Atoi(os.Getenv("VISAVIS_KILLS"))
	if err != nil {
		kills = 3
	}
	stores(t, func(t *testing.T, database, redis string) {
		office := openPostOffice(t)
		r := newRig(t, database, redis, office.settings...)
		w := &witness{rig: r, office: office, toSign: make(chan string, 5000), signed: map[string]string{}, random: rand.New(rand.NewPCG(6, 6)), slots: append(r.slots("MARTIN"), r.slots("DUPRÉ")...)}
		w.random.Shuffle(len(w.slots), func(i, j int) { w.slots[i], w.slots[j] = w.slots[j], w.slots[i] })
		w.doctor = r.staff(account("MARTIN"))
		w.martin = r.slots("MARTIN")[0].practitioner
		w.slots = w.slots[:min(len(w.slots), 60*kills)]
		people := make([]guest, len(w.slots))
		for n := range people {
			people[n] = guestOf(n)
		}
		r.prove(w.slots[0], people...) // before the first kill: what is cut afterwards is the booking itself
		// A slow machine may acknowledge nothing of a kind between two blows: it gets more of
		// them, with more time.
		rounds := 0
		for ; rounds < kills || rounds < kills+10 && !w.enough(); rounds++ {
			length := time.Duration(300+w.random.IntN(1500)) * time.Millisecond
			if rounds >= kills {
				length += 3 * time.Second
			}
			w.round(length)
			r.kill()
			r.start()
		}
		w.retry()
		r.kill()
		w.settle()
		t.Logf("%d kills: %d bookings, %d consents, %d signatures acknowledged; %d requests cut\n%s",
			rounds, len(w.booked), len(w.consents), len(w.signed), w.cut, r.verify())
		w.check()
		w.received()
	})
}

// attempt is a booking that was sent; its answer may never have come.
type attempt struct {
	key  string
	body map[string]any
	n    int
}

// witness remembers what the program acknowledged.
type witness struct {
	*rig
	office *postOffice
	random *rand.Rand
	slots  []slot
	doctor *testkit.Client
	martin string      // her id
	toSign chan string // appointments whose act is to be closed, also from before a kill

	mu       sync.Mutex
	next     int
	booked   map[string]slot
	open     []attempt
	consents map[string]bool
	signed   map[string]string // document to appointment
	guests   map[string]guest  // by appointment
	cut      int
}

// enough tells whether something of each kind was acknowledged, and something cut.
func (w *witness) enough() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.booked) > 0 && len(w.consents) > 0 && len(w.signed) > 0 && w.cut > 0
}

// round works until the program is killed, after d.
func (w *witness) round(d time.Duration) {
	stop := make(chan struct{})
	var g sync.WaitGroup
	for range 3 {
		g.Go(func() { w.book(stop) })
	}
	consenting := w.patient(w.random.IntN(len(w.links.Patients)))
	g.Go(func() { w.consent(stop, consenting) })
	g.Go(func() { w.sign(stop) })
	<-time.After(d) // when the blow falls is the point
	if err := w.cmd.Process.Kill(); err != nil {
		w.t.Error(err)
	}
	close(stop)
	g.Wait()
}

func running(stop chan struct{}) bool {
	select {
	case <-stop:
		return false
	default:
		return true
	}
}

// lost notes an answer that did not come, and tells whether there is one.
func (w *witness) lost(a *testkit.Answer, err error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		return false
	}
	w.cut++
	return true
}

func (w *witness) book(stop chan struct{}) {
	pace := time.NewTicker(150 * time.Millisecond) // as fast as a busy clinic, so that acts open in time to be signed
	defer pace.Stop()
	for running(stop) {
		<-pace.C
		w.mu.Lock()
		if w.next == len(w.slots) {
			w.mu.Unlock()
			return
		}
		n := w.next
		w.next++
		w.mu.Unlock()
		try := attempt{key: care.NewID(time.Now()), body: w.bookingOf(w.slots[n], guestOf(n)), n: n}
		a, err := w.client().From(n+2).Try("POST", "/api/appointments", try.body, testkit.Key(try.key))
		if w.lost(a, err) {
			w.mu.Lock()
			w.open = append(w.open, try)
			w.mu.Unlock()
			return
		}
		if id := w.bookedAs(a, n); id != "" && w.slots[n].practitioner == w.martin {
			w.toSign <- id
		}
	}
}

func (w *witness) bookedAs(a *testkit.Answer, n int) string {
	var out struct{ ID string }
	if err := json.Unmarshal(a.Body, &out); err != nil || a.Status != 201 {
		w.t.Errorf("booking %d: %d %s", n, a.Status, a.Body)
		return ""
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.booked == nil {
		w.booked = map[string]slot{}
	}
	if w.guests == nil {
		w.guests = map[string]guest{}
	}
	if _, twice := w.booked[out.ID]; twice {
		w.t.Errorf("appointment %s acknowledged for two slots", out.ID)
	}
	w.booked[out.ID], w.guests[out.ID] = w.slots[n], guestOf(n)
	return out.ID
}

// retry sends again, with the same key, the bookings that were cut: each gets
// its slot, once.
func (w *witness) retry() {
	for _, try := range w.open {
		a, err := w.client().From(try.n+2).Try("POST", "/api/appointments", try.body, testkit.Key(try.key))
		if err != nil {
			w.t.Error(err)
			continue
		}
		w.bookedAs(a, try.n)
	}
}

// consent grants and withdraws in turn.
func (w *witness) consent(stop chan struct{}, c *testkit.Client) {
	me, err := c.Try("GET", "/api/me", nil)
	if w.lost(me, err) {
		return
	}
	var who struct {
		AppointmentID string
		Patient       struct{ Minor bool }
	}
	me.Want(200).JSON(&who)
	text, err := c.Try("GET", "/api/consent-texts?purpose=teleconsultation&lang=fr", nil)
	if w.lost(text, err) {
		return
	}
	var agreed struct{ ID, SHA256 string }
	text.Want(200).JSON(&agreed)
	body := map[string]any{"textId": agreed.ID, "sha256": agreed.SHA256, "decision": "granted", "channel": "web"}
	if who.Patient.Minor {
		return // a representative's code comes first, and codes are bounded by the hour
	}
	path := "/api/appointments/" + who.AppointmentID + "/consent"
	for running(stop) {
		granted, err := c.Try("POST", path, body)
		if w.lost(granted, err) {
			return
		}
		var record struct{ ID string }
		granted.Want(201).JSON(&record)
		w.note(&w.consents, record.ID)
		withdrawn, err := c.Try("POST", path+"/withdraw", nil)
		if w.lost(withdrawn, err) {
			return
		}
		var state struct{ Record struct{ ID string } }
		withdrawn.Want(200).JSON(&state)
		w.note(&w.consents, state.Record.ID)
	}
}

func (w *witness) note(set *map[string]bool, id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if *set == nil {
		*set = map[string]bool{}
	}
	(*set)[id] = true
}

// sign closes each act and signs its report.
func (w *witness) sign(stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case id := <-w.toSign:
			if !w.close(stop, id) {
				return
			}
		}
	}
}

// close tells whether the program still answers.
func (w *witness) close(stop chan struct{}, appointment string) bool {
	encounter := w.encounter(stop, appointment)
	if encounter == "" {
		return false
	}
	w.began(encounter)
	path := "/api/encounters/" + encounter
	for _, step := range []struct {
		method, path string
		body         any
		match        string
	}{
		{"POST", path + "/identity", map[string]string{"how": "face-and-name"}, ""},
		{"POST", path + "/finish", nil, ""},
		{"PUT", path + "/report", map[string]string{"motive": "Toux", "text": "Examen normal.", "conclusion": "Rhume.", "followUp": "Revoir si fièvre."}, "0"},
		{"POST", path + "/report/sign", map[string]int{"version": 1}, ""},
	} {
		var o []testkit.Option
		if step.match != "" {
			o = append(o, testkit.Match(step.match))
		}
		a, err := w.doctor.Try(step.method, step.path, step.body, o...)
		if w.lost(a, err) {
			return false
		}
		if a.Status >= 300 {
			w.t.Errorf("%s %s: %d %s", step.method, step.path, a.Status, a.Body)
			return true
		}
		var d struct{ DocumentID string }
		if step.path == path+"/report/sign" {
			a.JSON(&d)
			w.mu.Lock()
			w.signed[d.DocumentID] = appointment
			w.mu.Unlock()
		}
	}
	return true
}

// began notes that the call began; calls have tests of their own.
func (w *witness) began(encounter string) {
	db := w.rig.open()
	err := db.Tx(w.t.Context(), func(_ context.Context, tx *store.Tx) error {
		return tx.G().Exec("UPDATE encounters SET started_at = ? WHERE id = ?", store.Micros(time.Now().Add(-10*time.Minute)), encounter).Error
	})
	w.rig.sign(db, "encounters")
	if err := errors.Join(err, db.Close()); err != nil {
		w.t.Error(err)
	}
}

// encounter waits for the act that a booking opens.
func (w *witness) encounter(stop chan struct{}, appointment string) string {
	w.mu.Lock()
	day := w.booked[appointment].start.In(mustParis(w.t)).Format(time.DateOnly)
	w.mu.Unlock()
	for running(stop) {
		a, err := w.doctor.Try("GET", "/api/day?date="+day, nil)
		if w.lost(a, err) {
			return ""
		}
		var list struct {
			Items []struct{ EncounterID, AppointmentID string }
		}
		a.Want(200).JSON(&list)
		for _, i := range list.Items {
			if i.AppointmentID == appointment {
				return i.EncounterID
			}
		}
		<-time.After(50 * time.Millisecond) // the next question; ends with the kill
	}
	return ""
}

func mustParis(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}
