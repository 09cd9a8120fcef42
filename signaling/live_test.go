package signaling_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/clock"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/httpx"
	"visavis/internal/store"
	"visavis/internal/testkit"
	"visavis/internal/testkit/rtcclient"
	"visavis/sfu"
	"visavis/signaling"
	"visavis/signaling/local"
	"visavis/signaling/queue"
	"visavis/signaling/remote"
	"visavis/signaling/sockets"
	"visavis/turn"
)

const origin = "https://visavis.test"

// world answers the questions of signaling as encounters, identity and consent
// would, and can be told to change its mind.
type world struct {
	mu      sync.Mutex
	acts    map[care.EncounterID]signaling.Act
	team    map[care.StaffID]bool
	consent care.ConsentState
	broken  error
	ends    int
	out     map[care.SessionID]bool // sessions that were ended
	touched map[care.SessionID]int
	awaited []queue.Awaited
	onEnd   func(ctx context.Context, id care.EncounterID, at time.Time) error
}

func (w *world) Act(_ context.Context, id care.EncounterID) (signaling.Act, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if a, ok := w.acts[id]; ok {
		return a, nil
	}
	return signaling.Act{}, fault.Missing()
}

func (w *world) Relation(ctx context.Context, a authz.Actor, id care.EncounterID) (authz.Relation, error) {
	act, err := w.Act(ctx, id)
	if err != nil {
		return authz.Other, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return a.To(authz.Subject{PatientID: act.PatientID, AppointmentID: act.AppointmentID, StaffID: act.PractitionerID}, w.team[a.StaffID]), nil
}

func (w *world) End(ctx context.Context, id care.EncounterID, at time.Time) error {
	w.mu.Lock()
	a := w.acts[id]
	a.Over = true
	w.acts[id] = a
	w.ends++
	w.mu.Unlock()
	return w.onEnd(ctx, id, at)
}

func (w *world) Person(_ context.Context, role care.Role, id string) (signaling.Person, error) {
	p := signaling.Person{Name: string(role) + " " + id[:4]}
	if role == care.Patient {
		p.Identity, p.PhoneEnd = "QUAL", "12"
	}
	return p, nil
}

func (w *world) Awaited(context.Context, care.StaffID, time.Time, time.Time) ([]queue.Awaited, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.awaited), nil
}

func (w *world) Ended(_ context.Context, ids []care.SessionID) (ended []care.SessionID, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		if w.out[id] {
			ended = append(ended, id)
		}
	}
	return ended, w.broken
}

func (w *world) Touch(_ context.Context, ids []care.SessionID) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		w.touched[id]++
	}
	return w.broken
}

func (w *world) State(context.Context, care.AppointmentID) (care.ConsentState, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.consent, w.broken
}

func (w *world) set(state care.ConsentState, broken error) {
	w.mu.Lock()
	w.consent, w.broken = state, broken
	w.mu.Unlock()
}

// clinic is a whole live side over real sockets: database, media, WebSocket.
type clinic struct {
	t       *testing.T
	ctx     context.Context
	h       *testkit.House
	world   *world
	svc     *signaling.Service
	media   *local.Carrier
	web     *testkit.Client
	facts   *facts
	enc     care.EncounterID
	patient authz.Actor
	doctor  authz.Actor
	change  func(*local.Config)
	sockets sockets.Limits
	far     bool // media in another process, as far as signaling can tell
	addr    string
	others  []string // further nodes
	node    *remote.Node
	pool    *remote.Pool
	ends    sync.Map // of a Media: what stops its pump
}

type facts struct {
	mu   sync.Mutex
	list []string
}

func (f *facts) add(name string) func(context.Context, *store.Tx, events.Event) error {
	return func(_ context.Context, _ *store.Tx, e events.Event) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		var m events.Media
		if name == events.MediaIncident && e.Decode(&m) == nil {
			name := name + ":" + m.Code
			f.list = append(f.list, name)
			return nil
		}
		var d events.Delay
		if name == events.ActDelayed && e.Decode(&d) == nil {
			f.list = append(f.list, fmt.Sprintf("%s:%s:%d", name, d.EncounterID, d.Minutes))
			return nil
		}
		f.list = append(f.list, name)
		return nil
	}
}

func (f *facts) count(name string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, x := range f.list {
		if x == name {
			n++
		}
	}
	return n
}

func id() string { return care.NewID(time.Now()) }

func open(t *testing.T, h *testkit.House) *clinic {
	t.Helper()
	return openWith(t, h, nil)
}

// openWith changes how media is carried.
func openWith(t *testing.T, h *testkit.House, change func(*local.Config)) *clinic {
	t.Helper()
	c := openLater(t, h)
	c.change = change
	c.start()
	return c
}

// openLater is a clinic before its start.
func openLater(t *testing.T, h *testkit.House) *clinic {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	c := &clinic{t: t, ctx: ctx, h: h, facts: &facts{}, enc: care.EncounterID(id())}
	app, pat, doc := care.AppointmentID(id()), care.PatientID(id()), care.StaffID(id())
	c.patient = authz.Actor{Role: care.Patient, PatientID: pat, AppointmentID: app, SessionID: "s-patient", Level: authz.LevelLink}
	c.doctor = authz.Actor{Role: care.Doctor, StaffID: doc, OrganizationID: "org", SessionID: "s-doctor", Level: authz.LevelPSC}
	c.world = &world{touched: map[care.SessionID]int{},
		acts: map[care.EncounterID]signaling.Act{c.enc: {ID: c.enc, AppointmentID: app, PatientID: pat, PractitionerID: doc, Planned: h.Clock.Now()}},
		team: map[care.StaffID]bool{}, consent: care.ConsentGranted,
	}
	return c
}

// start makes the process: media, service, web server. It can be called again
// after stop, on the same database.
func (c *clinic) start() {
	c.t.Helper()
	d := signaling.Deps{
		DB: c.h.DB, Bus: c.h.Bus, Audit: c.h.Audit, Keeper: c.h.Keeper, Table: c.h.Table, Clock: clock.System{}, Log: c.h.Log, Origins: []string{origin},
		Acts: c.world, People: c.world, Consents: c.world, Agenda: c.world, Outlived: c.far, Sockets: c.sockets,
	}
	if c.far {
		c.reach(&d)
	} else {
		c.carry()
		d.Media, d.Relay = c.media, c.media
	}
	c.svc = signaling.New(d)
	if c.far {
		ctx, cancel := context.WithTimeout(c.ctx, 5*time.Second)
		c.pool.Start(ctx, c.svc)
		cancel()
	} else {
		c.media.Tell(c.svc.Heard)
	}
	c.serve()
}

// carry opens the media.
func (c *clinic) carry() {
	c.t.Helper()
	loopback := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}
	var err error
	cfg := local.Config{
		SFU:  sfu.Config{UDP: loopback, Loopback: true},
		TURN: turn.Config{UDP: loopback, TCP: loopback, Realm: "visavis.test", Keys: turn.Keys{bytes.Repeat([]byte{7}, 32)}},
		Host: "127.0.0.1",
	}
	if c.change != nil {
		c.change(&cfg)
	}
	c.media, err = local.Open(cfg)
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *clinic) serve() {
	c.t.Helper()
	c.world.onEnd = func(ctx context.Context, id care.EncounterID, at time.Time) error {
		return c.h.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
			return c.h.Bus.Publish(ctx, tx, events.EncounterFinished, string(id), events.Presence{EncounterID: id, At: store.Micros(at)})
		})
	}
	c.svc.Start()
	if c.web == nil {
		c.svc.Subscribe(c.h.Bus)
		for _, name := range []string{events.PatientArrived, events.PatientWentAway, events.PatientRecalled, events.ActDelayed, events.EncounterStarted, events.ParticipantJoined, events.ParticipantLeft, events.MediaIncident, events.MediaFlowed, events.EncounterFinished} {
			c.h.Bus.On(name, "test."+name, c.facts.add(name))
		}
		c.h.Start(c.t)
	}
	words, err := signaling.Texts()
	if err != nil {
		c.t.Fatal(err)
	}
	srv := c.h.Server(c.t, testkit.Actors{"patient": c.patient, "doctor": c.doctor, "nurse": c.nurse(), "companion": c.companion(), "stranger": c.stranger(), "pharmacist": c.pharmacist()}, words)
	signaling.Routes(srv, c.svc)
	c.web = testkit.HTTP(c.t, srv.Handler()).Held(srv)
	svc, media := c.svc, c.media
	if c.far {
		pool := c.pool
		c.t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			if err := svc.Stop(ctx); err != nil {
				c.t.Errorf("stop: %v", err)
			}
			pool.Close()
		})
		return
	}
	c.t.Cleanup(func() { stop(c.t, svc, media) })
}

func stop(t *testing.T, svc *signaling.Service, media *local.Carrier) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := svc.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
	if err := media.Close(ctx); err != nil {
		t.Errorf("media close: %v", err)
	}
}

func (c *clinic) nurse() authz.Actor {
	return authz.Actor{Role: care.Nurse, StaffID: "0190-nurse", OrganizationID: "org", SessionID: "s-nurse", Level: authz.LevelPSC}
}

func (c *clinic) stranger() authz.Actor {
	return authz.Actor{Role: care.Patient, PatientID: "0190-other", AppointmentID: "other", SessionID: "s-stranger", Level: authz.LevelLink}
}

func (c *clinic) ticket(who string) string {
	c.t.Helper()
	var out struct{ Ticket, URL string }
	c.web.With(who).Post("/api/encounters/"+string(c.enc)+"/admission", nil, testkit.Header("Origin", origin), testkit.Header("Sec-Fetch-Site", "same-origin")).Want(http.StatusCreated).JSON(&out)
	if len(out.Ticket) != 43 || out.URL != "/api/live" {
		c.t.Fatalf("admission %+v", out)
	}
	return out.Ticket
}

func (c *clinic) connect(who string) *rtcclient.Client {
	c.t.Helper()
	cl, err := rtcclient.Connect(c.ctx, c.web.URL("/api/live"), origin, &http.Cookie{Name: httpx.CookieName, Value: who})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(cl.Cut)
	return cl
}

// enter gets in with a ticket and returns the welcome.
func (c *clinic) enter(who, tab string) (*rtcclient.Client, rtcclient.Msg) {
	c.t.Helper()
	cl := c.connect(who)
	if err := cl.Hello(c.ticket(who), tab); err != nil {
		c.t.Fatal(err)
	}
	return cl, c.wait(cl, "welcome", nil)
}

func (c *clinic) wait(cl *rtcclient.Client, t string, ok func(rtcclient.Msg) bool) rtcclient.Msg {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, 15*time.Second)
	defer cancel()
	m, err := cl.Wait(ctx, t, ok)
	if err != nil {
		c.t.Fatal(err)
	}
	return m
}

func (c *clinic) send(cl *rtcclient.Client, t string, fields map[string]any) uint64 {
	c.t.Helper()
	n, err := cl.Send(t, fields)
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}

func (c *clinic) closes(cl *rtcclient.Client, want int) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, 15*time.Second)
	defer cancel()
	if code, err := cl.CloseCode(ctx); err != nil || code != want {
		c.t.Errorf("closed with %d (%v), want %d", code, err, want)
	}
}

// join offers media and starts to send.
func (c *clinic) join(cl *rtcclient.Client, pc int) *rtcclient.Media {
	c.t.Helper()
	m, err := rtcclient.NewMedia(rtcclient.Options{Voice: true, Camera: true, Slots: 5, Loopback: true})
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(c.ctx)
	c.t.Cleanup(func() { cancel(); _ = m.Close() })
	c.ends.Store(m, cancel)
	c.send(cl, "mute", map[string]any{"mic": true, "camera": true})
	if err := cl.Join(c.ctx, m, pc, false); err != nil {
		c.t.Fatal(err)
	}
	m.Pump(ctx, 20)
	return m
}

// leave ends a connection of join, without waiting for it.
func (c *clinic) leave(m *rtcclient.Media) {
	if cancel, ok := c.ends.LoadAndDelete(m); ok {
		cancel.(context.CancelFunc)()
		_ = m.PC.Close() // its cleanup waits for it
	}
}

func (c *clinic) flows(m *rtcclient.Media, more int) {
	c.t.Helper()
	had := sum(m)
	ctx, cancel := context.WithTimeout(c.ctx, 15*time.Second)
	defer cancel()
	if err := m.Until(ctx, func(m *rtcclient.Media) bool { return sum(m) > had+more }); err != nil {
		c.t.Fatal(err)
	}
}

func sum(m *rtcclient.Media) (n int) {
	for _, v := range m.Summary() {
		n += v
	}
	return n
}

func (c *clinic) fact(name string) {
	c.t.Helper()
	c.told(name, 1)
}

// told waits until a fact was told n times.
func (c *clinic) told(name string, n int) {
	c.t.Helper()
	for end := time.Now().Add(15 * time.Second); c.facts.count(name) < n; {
		if time.Now().After(end) {
			c.t.Fatalf("%d times the fact %s, want %d, had %v", c.facts.count(name), name, n, c.facts.list)
		}
		c.h.Deliver(c.t)
	}
}
