package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/httpx"
	"visavis/internal/store"
	"visavis/internal/testkit"
	"visavis/internal/testkit/rtcclient"
)

// redisAway is how long Redis is away in acceptance 8.
const redisAway = 30 * time.Second

// TestACallOutlivesItsStores is acceptance 8 of issue 2: during a live call
// Redis is stopped for 30 s, then PostgreSQL is restarted. Media flow through
// both, bookings go on without Redis and come back by themselves after
// PostgreSQL, both keep their seats, and what happened is told afterwards.
func TestACallOutlivesItsStores(t *testing.T) {
	if testing.Short() {
		t.Skip("takes Redis away for 30 s: not in -short")
	}
	t.Parallel()
	pg := testkit.OwnPostgres(t)
	name, err := pg.Create("")
	if err != nil {
		t.Fatal(err)
	}
	rd, _ := testkit.Redis(t)
	r := newRig(t, pg.URL(name), rd.URL())
	c := &call{spy: &spy{witness: &witness{rig: r, doctor: r.staff(account("MARTIN"))}}, from: 10}
	c.begin()
	c.toBoth(time.Second)
	c.told("both stores there")

	c.must(rd.Stop)
	c.withoutRedis()
	c.told(fmt.Sprintf("Redis away for %v", redisAway))
	c.must(rd.Start)
	c.booksAgain("Redis", time.Second)

	c.booking(c.slots[c.from], 700+c.from) // proven while there is a database
	c.must(pg.Stop)
	c.withoutPostgres()
	c.must(pg.Start)
	c.booksAgain("PostgreSQL", 15*time.Second)
	c.told("PostgreSQL restarted")
	c.chats()
	c.finish()
	c.facts()
	r.kill()
	t.Logf("visavis verify:\n%s", r.verify())
}

// call is a doctor and a patient who see each other.
type call struct {
	*spy
	ctx         context.Context
	appointment string
	encounter   string
	db          *store.DB
	who         int                  // the demo patient
	from        int                  // the slot that is booked next
	patients    []*testkit.Client    // the patient's sessions, one after the other
	seats       [2]*rtcclient.Client // the doctor's, the patient's
	flows       [2]*flow
	chaos       [2]*rtcclient.Chaos // their networks, for those that go silent
	met         time.Time
	lasted      time.Duration // until the doctor ended it
}

// must runs what ends or begins a store.
func (c *call) must(act func() error) {
	c.t.Helper()
	if err := act(); err != nil {
		c.t.Fatal(err)
	}
}

// begin opens the act of the first demo patient and lets both in.
func (c *call) begin() {
	c.prepare()
	c.consentOral(c.appointment)
	c.meet()
	c.wait(1, "media", func(m rtcclient.Msg) bool { return m["allowed"] == true })
	for i, who := range []string{"to the doctor", "to the patient"} {
		c.flows[i] = c.join(i, who)
	}
	for _, f := range c.flows {
		err := f.Until(c.ctx, func(m *rtcclient.Media) bool { return len(m.Summary()) == 2 })
		if err != nil {
			c.t.Fatal(err)
		}
		f.watch(c.ctx)
	}
	c.met = time.Now()
}

// prepare finds the act; nobody agreed to anything yet.
func (c *call) prepare() {
	var cancel context.CancelFunc
	c.ctx, cancel = context.WithTimeout(c.t.Context(), 3*time.Minute)
	c.t.Cleanup(cancel)
	c.slots = c.rig.slots("MARTIN")
	if c.db == nil {
		c.db = c.rig.open()
	}
	patient := c.patient(c.who)
	c.patients = append(c.patients, patient)
	var me struct{ AppointmentID string }
	patient.Get("/api/me").Want(200).JSON(&me)
	c.appointment = me.AppointmentID
	c.booked = map[string]slot{me.AppointmentID: {start: c.links.Patients[c.who].Start}}
	c.encounter = c.spy.encounter(make(chan struct{}), me.AppointmentID)
}

// meet seats both, the patient admitted.
func (c *call) meet() {
	c.seats = [2]*rtcclient.Client{c.enter(c.doctor), c.enter(c.patients[0])}
	if _, err := c.seats[0].Send("admit", map[string]any{"seat": c.seats[1].Seat}); err != nil {
		c.t.Fatal(err)
	}
	c.wait(1, "admitted", nil)
}

// enter gets a ticket as a browser does, and says hello with it.
func (c *call) enter(who *testkit.Client) *rtcclient.Client {
	c.t.Helper()
	ticket, cl := c.ticket(who)
	if err := cl.Hello(ticket, "tab"); err != nil {
		c.t.Fatal(err)
	}
	if _, err := cl.Wait(c.ctx, "welcome", nil); err != nil {
		c.t.Fatal(err)
	}
	return cl
}

// ticket gives a ticket and the socket to say it on.
func (c *call) ticket(who *testkit.Client) (string, *rtcclient.Client) {
	c.t.Helper()
	var out struct{ Ticket, URL string }
	who.Post("/api/encounters/"+c.encounter+"/admission", nil, testkit.Header("Origin", c.url)).Want(http.StatusCreated).JSON(&out)
	cl, err := rtcclient.Connect(c.ctx, c.url+out.URL, c.url, &http.Cookie{Name: httpx.CookieName, Value: who.Session()})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(cl.Cut)
	return out.Ticket, cl
}

func (c *call) wait(seat int, what string, ok func(rtcclient.Msg) bool) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, 20*time.Second)
	defer cancel()
	if _, err := c.seats[seat].Wait(ctx, what, ok); err != nil {
		c.t.Fatal(err)
	}
}

func (c *call) join(seat int, who string) *flow { return c.joinAs(seat, who, 1) }

func (c *call) joinAs(seat int, who string, pc int) *flow {
	c.t.Helper()
	m, err := rtcclient.NewMedia(rtcclient.Options{Voice: true, Camera: true, Slots: 3, Loopback: true, Chaos: c.chaos[seat]})
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(c.ctx)
	c.t.Cleanup(func() { cancel(); _ = m.Close() })
	if _, err := c.seats[seat].Send("mute", map[string]any{"mic": true, "camera": true}); err != nil {
		c.t.Fatal(err)
	}
	if err := c.seats[seat].Join(ctx, m, pc, false); err != nil {
		c.t.Fatal(err)
	}
	m.Pump(ctx, 20)
	return &flow{Media: m, who: who}
}

// toBoth waits until both received for d more.
func (c *call) toBoth(d time.Duration) {
	c.t.Helper()
	more := int(d.Seconds() * 140) // sound 50 packets a second, pictures 90
	for _, f := range c.flows {
		had := f.packets()
		ctx, cancel := context.WithTimeout(c.ctx, d+15*time.Second)
		err := f.Until(ctx, func(*rtcclient.Media) bool { return f.packets() >= had+more })
		cancel()
		if err != nil {
			c.t.Fatalf("%s: %v", f.who, err)
		}
	}
}

// told prints what came since the last time, and fails when it did not flow.
func (c *call) told(when string) {
	c.t.Helper()
	for _, f := range c.flows {
		packets, gap, lasted := f.take()
		c.t.Logf("%s: %d packets in %.1f s %s, longest gap of a stream %v", when, packets, lasted.Seconds(), f.who, gap.Round(time.Millisecond))
		if gap > 2*time.Second || float64(packets) < lasted.Seconds()*140*0.7 {
			c.t.Errorf("%s: media did not flow %s", when, f.who)
		}
		if !f.Connected() {
			c.t.Errorf("%s: the connection %s is %s", when, f.who, f.PC.ConnectionState())
		}
	}
}

// book books the next slot, as another household.
func (c *call) book(key string) (*testkit.Answer, time.Duration) {
	c.t.Helper()
	body := c.booking(c.slots[c.from], 700+c.from) // their telephone is proven first, or was before a store stopped
	start := time.Now()
	a, err := c.client().From(500+c.from).Try("POST", "/api/appointments", body, testkit.Key(key))
	if err != nil {
		c.t.Fatal(err)
	}
	return a, time.Since(start)
}

// taken books a slot, which must work.
func (c *call) taken() time.Duration {
	c.t.Helper()
	a, took := c.book(care.NewID(time.Now()))
	if c.bookedAs(a, c.from) == "" {
		c.t.Fatalf("slot %d was not booked", c.from)
	}
	c.from++
	return took
}

// withoutRedis books for as long as Redis is away, and is still limited.
func (c *call) withoutRedis() {
	end := time.After(redisAway)
	again := time.NewTicker(2 * time.Second)
	defer again.Stop()
	n, slowest := 0, time.Duration(0)
	guesser, passed := c.client().From(90_000), 0
	for range 30 {
		if guesser.Post("/api/links/open", map[string]string{"token": "no such token"}).Status == http.StatusTooManyRequests {
			break
		}
		passed++
	}
	if passed < 15 || passed > 25 {
		c.t.Errorf("%d guesses of a link passed without Redis: the limit is 20", passed)
	}
	for away := true; away; {
		slowest = max(slowest, c.taken())
		n++
		select {
		case <-end:
			away = false
		case <-again.C:
		}
	}
	c.t.Logf("without Redis: %d bookings, each taken, slowest %v; guesses of a link refused after %d", n, slowest.Round(time.Millisecond), passed)
}

// withoutPostgres sees a clean refusal, and a call that goes on.
func (c *call) withoutPostgres() {
	a, took := c.book(care.NewID(time.Now()))
	c.t.Logf("without PostgreSQL: a booking is answered %d after %v", a.Status, took.Round(time.Millisecond))
	if a.Status != http.StatusServiceUnavailable {
		c.t.Errorf("a booking without PostgreSQL: %d %s", a.Status, a.Body)
	}
	c.toBoth(5 * time.Second)
}

// booksAgain sends one booking until it is taken.
func (c *call) booksAgain(what string, within time.Duration) {
	c.t.Helper()
	start, key, refused := time.Now(), care.NewID(time.Now()), 0
	testkit.Eventually(c.t, within, "bookings work again", func() bool {
		a, _ := c.book(key)
		if a.Status != http.StatusCreated {
			refused++
			return false
		}
		return c.bookedAs(a, c.from) != ""
	})
	c.from++
	c.t.Logf("%s is back: a booking works after %v (%d refused before)", what, time.Since(start).Round(time.Millisecond), refused)
}

// chats proves that the sockets are the same and both seats are kept.
func (c *call) chats() {
	for i, cl := range c.seats {
		id := "after-" + rand.Text() // a message that is sent again reaches its author only
		if _, err := cl.Send("chat", map[string]any{"id": id, "text": "toujours là"}); err != nil {
			c.t.Fatal(err)
		}
		c.wait(1-i, "chat", func(m rtcclient.Msg) bool { return m.Str("id") == id })
	}
	if n := c.count(c.db, "SELECT count(*) FROM seats WHERE state = 'admitted' AND encounter_id = '"+c.encounter+"'"); n != 2 {
		c.t.Errorf("%d seats are kept, want 2", n)
	}
}

func (c *call) finish() {
	path := "/api/encounters/" + c.encounter
	c.do("POST", path+"/identity", map[string]string{"how": "face-and-name"}, nil)
	c.lasted = time.Since(c.met)
	c.do("POST", path+"/finish", nil, nil)
	for i, cl := range c.seats {
		ctx, cancel := context.WithTimeout(c.ctx, 20*time.Second)
		code, err := cl.CloseCode(ctx)
		cancel()
		if err != nil || code != 4010 {
			c.t.Errorf("seat %d closed with %d (%v), want 4010", i, code, err)
		}
	}
}

// facts waits until everybody was told what happened.
func (c *call) facts() {
	var e struct {
		Status       string
		Participants []struct{ Role string }
		Incidents    []struct{ Code string }
		VideoProof   struct{ BothWaysSeconds int }
	}
	testkit.Eventually(c.t, 30*time.Second, "the act is finished, with both participants and every second of its video", func() bool {
		c.doctor.Get("/api/encounters/" + c.encounter).Want(200).JSON(&e)
		return e.Status == "finished" && len(e.Participants) == 2 && e.VideoProof.BothWaysSeconds >= int(c.lasted.Seconds())-3
	})
	if len(e.Incidents) != 0 {
		c.t.Errorf("incidents of a call that went on: %+v", e.Incidents)
	}
	for id, s := range c.booked {
		testkit.Eventually(c.t, 30*time.Second, "appointment "+id+" of "+s.start.String()+" has its act, and somebody was told", func() bool {
			return c.count(c.db, "SELECT count(*) FROM encounters WHERE appointment_id = '"+id+"'") == 1 &&
				c.count(c.db, "SELECT count(*) FROM deliveries WHERE appointment_id = '"+id+"'") > 0
		})
	}
	c.t.Logf("afterwards: %s, %d participants, %d s of video both ways of %.0f s, %d incidents; %d appointments with their act and message",
		e.Status, len(e.Participants), e.VideoProof.BothWaysSeconds, c.lasted.Seconds(), len(e.Incidents), len(c.booked))
}

// flow is what one of them receives, with its gaps.
type flow struct {
	*rtcclient.Media
	who string

	mu     sync.Mutex
	since  time.Time
	had    int
	counts map[string]int
	last   map[string]time.Time // when each stream last came
	worst  time.Duration
}

func (f *flow) packets() (n int) {
	for _, v := range f.Summary() {
		n += v
	}
	return n
}

// watch measures until ctx ends.
func (f *flow) watch(ctx context.Context) {
	f.since, f.had, f.counts, f.last = time.Now(), f.packets(), f.Summary(), map[string]time.Time{}
	for mid := range f.counts {
		f.last[mid] = f.since
	}
	go func() {
		_ = f.Until(ctx, func(m *rtcclient.Media) bool {
			f.mu.Lock()
			defer f.mu.Unlock()
			for mid, n := range m.Summary() {
				if n > f.counts[mid] {
					f.gapLocked(mid, true)
					f.counts[mid] = n
				}
			}
			return false
		})
	}()
}

func (f *flow) gapLocked(mid string, came bool) {
	now := time.Now()
	f.worst = max(f.worst, now.Sub(f.last[mid]))
	if came {
		f.last[mid] = now
	}
}

// take gives the packets and the longest gap of any stream since the last
// take; a gap that still lasts counts.
func (f *flow) take() (packets int, gap, lasted time.Duration) {
	n := f.packets()
	f.mu.Lock()
	defer f.mu.Unlock()
	for mid := range f.last {
		f.gapLocked(mid, false)
	}
	packets, gap, lasted = n-f.had, f.worst, time.Since(f.since)
	f.had, f.worst, f.since = n, 0, time.Now()
	return packets, gap, lasted
}
