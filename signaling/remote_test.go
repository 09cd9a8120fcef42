package signaling_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/control"
	"visavis/internal/events"
	"visavis/internal/testkit"
	"visavis/internal/testkit/rtcclient"
	"visavis/signaling"
	"visavis/signaling/remote"
)

func wireKey() control.Key { return bytes.Repeat([]byte{9}, control.KeySize) }

// openFar is a clinic whose media is behind the control protocol.
func openFar(t *testing.T) *clinic {
	t.Helper()
	c := openLater(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	c.far = true
	c.begin("127.0.0.1:0")
	c.start()
	return c
}

// begin starts a media node: another run of it, when there was one.
func (c *clinic) begin(addr string) {
	c.t.Helper()
	c.carry()
	var err error
	c.node, err = remote.OpenNode(remote.NodeConfig{Addr: addr, Key: wireKey(), Carrier: c.media, Log: c.h.Log})
	if err != nil {
		c.t.Fatal(err)
	}
	c.addr = c.node.Addr()
	node, media := c.node, c.media
	c.t.Cleanup(func() { end(c.t, node, media) })
}

type closer interface{ Close(context.Context) error }

func end(t *testing.T, parts ...closer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, p := range parts {
		if err := p.Close(ctx); err != nil {
			t.Error(err)
		}
	}
}

func (c *clinic) reach(d *signaling.Deps) {
	c.pool = remote.NewPool(remote.PoolConfig{Key: wireKey(), Nodes: append([]string{c.addr}, c.others...), Log: c.h.Log})
	d.Media, d.Relay = c.pool, c.pool
}

// both are in a call.
func (c *clinic) both() (seats [2]*rtcclient.Client, media [2]*rtcclient.Media) {
	c.t.Helper()
	doctor, _ := c.enter("doctor", "d")
	patient, _ := c.enter("patient", "p")
	c.send(doctor, "admit", map[string]any{"seat": patient.Seat})
	c.wait(patient, "media", func(m rtcclient.Msg) bool { return m["allowed"] == true })
	dm, pm := c.join(doctor, 1), c.join(patient, 1)
	c.flows(dm, 100)
	c.flows(pm, 100)
	return [2]*rtcclient.Client{doctor, patient}, [2]*rtcclient.Media{dm, pm}
}

// again says hello with a new ticket and the claim to a connection.
func (c *clinic) again(who string, session string, pc int) (*rtcclient.Client, rtcclient.Msg) {
	c.t.Helper()
	cl := c.connect(who)
	err := cl.Raw(map[string]any{"t": "hello", "ticket": c.ticket(who), "tab": who[:1], "kept": map[string]any{"session": session, "pc": pc}})
	if err != nil {
		c.t.Fatal(err)
	}
	return cl, c.wait(cl, "welcome", nil)
}

// M7: the application stops and another one starts; media does not notice, who
// comes back goes on with the same connection, and nobody is told to have left.
func TestMediaOutlivesTheApplication(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: not in -short")
	}
	c := openFar(t)
	old, media := c.both()
	c.told(events.ParticipantJoined, 2)
	end(t, stopper{c})
	for _, m := range media {
		c.flows(m, 300) // nobody is there who could have been asked
	}
	c.start()
	doctor, w := c.again("doctor", old[0].Session, 1)
	if w.Num("kept") != 1 {
		t.Fatalf("the doctor's connection is not kept: %v", w)
	}
	if s := c.wait(doctor, "slots", nil); len(s.List("slots")) != 2 || s.Num("pc") != 1 {
		t.Errorf("%v", s)
	}
	c.wait(doctor, "room", func(m rtcclient.Msg) bool { return link(m, old[1].Seat) == "up" }) // though the patient is not back
	patient, w := c.again("patient", old[1].Session, 1)
	if w.Num("kept") != 1 || w.Str("state") != "admitted" {
		t.Fatalf("the patient's connection is not kept: %v", w)
	}
	for i, m := range media {
		c.flows(m, 100)
		if !m.Connected() {
			t.Errorf("connection %d is %s", i, m.PC.ConnectionState())
		}
	}
	// What is kept obeys: its ICE restarts, it is muted, it ends.
	if err := doctor.Join(c.ctx, media[0], 1, true); err != nil {
		t.Error(err)
	}
	c.send(patient, "mute", map[string]any{"mic": false, "camera": false})
	c.wait(doctor, "room", func(m rtcclient.Msg) bool {
		for _, s := range m.List("seats") {
			if s.Str("seat") == patient.Seat {
				return s["mic"] == false && s["online"] == true
			}
		}
		return false
	})
	c.send(doctor, "end", nil)
	c.closes(doctor, 4010)
	c.fact(events.MediaFlowed) // counted at the node, also while nobody listened
	c.fact(events.EncounterFinished)
	if n := c.facts.count(events.ParticipantJoined); n != 2 {
		t.Errorf("%d times somebody joined, want 2: a stay was cut", n)
	}
	if s, _ := c.media.Stats(); s.Peers != 0 {
		t.Errorf("%d connections after the end", s.Peers)
	}
}

// stopper stops the application part, as an upgrade does.
type stopper struct{ c *clinic }

// Close implements closer.
func (s stopper) Close(ctx context.Context) error {
	err := s.c.svc.Stop(ctx)
	s.c.pool.Close()
	return err
}

// A claim that is not proved gives nothing, and ends what was there.
func TestAConnectionGoesToNobodyElse(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: not in -short")
	}
	for name, claim := range map[string]func(old *rtcclient.Client) (string, int){
		"another session": func(*rtcclient.Client) (string, int) { return "guessed", 1 },
		"another number":  func(old *rtcclient.Client) (string, int) { return old.Session, 2 },
	} {
		t.Run(name, func(t *testing.T) {
			c := openFar(t)
			old, media := c.both()
			end(t, stopper{c})
			c.start()
			_, w := c.again("doctor", old[0].Session, 1)
			session, pc := claim(old[1])
			_, other := c.again("patient", session, pc)
			if w.Num("kept") != 1 || other.Num("kept") != 0 {
				t.Fatalf("kept %d and %d", w.Num("kept"), other.Num("kept"))
			}
			testkit.Eventually(t, 5*time.Second, "the patient's connection is gone, the doctor's is not", func() bool {
				s, _ := c.media.Stats()
				return s.Peers == 1
			})
			_ = media
		})
	}
}

// What was decided while nobody could be told is done before anything else: here
// the consent is withdrawn between two applications.
func TestConsentWithdrawnMeanwhileEndsMediaAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: not in -short")
	}
	c := openFar(t)
	c.both()
	end(t, stopper{c})
	c.world.set(care.ConsentWithdrawn, nil)
	if s, _ := c.media.Stats(); s.Peers != 2 {
		t.Fatalf("%d connections while nobody is asked, want 2", s.Peers)
	}
	c.start()
	if s, _ := c.media.Stats(); s.Peers != 0 {
		t.Errorf("%d connections without consent once the application is back", s.Peers)
	}
}

// M8: the media process dies and another run of it starts: seats stay, everybody
// is told to rejoin and does.
func TestWhoseNodeDiesRejoins(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: not in -short")
	}
	c := openFar(t)
	seats, _ := c.both()
	addr := c.addr
	end(t, c.node, c.media)
	c.begin(addr)
	for i, who := range []string{"doctor", "patient"} {
		m := c.wait(seats[i], "rejoin", nil)
		if m.Num("pc") != 1 || m.Str("reason") != "node_lost" || len(m.Obj("ice").List("servers")) == 0 {
			t.Fatalf("%s: %v", who, m)
		}
	}
	dm, pm := c.join(seats[0], 2), c.join(seats[1], 2)
	c.flows(dm, 100)
	c.flows(pm, 100)
	c.fact(events.MediaIncident + ":node_lost")
	c.fact(events.MediaIncident + ":media_restored")
	if n := c.facts.count(events.ParticipantLeft); n != 0 {
		t.Errorf("%d left", n)
	}
}

// An offer that finds no node waits for one.
func TestAnOfferWaitsForANode(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: not in -short")
	}
	c := openFar(t)
	doctor, _ := c.enter("doctor", "d")
	addr := c.addr
	end(t, c.node, c.media)
	done := make(chan *rtcclient.Media, 1)
	go func() { done <- c.join(doctor, 1) }()
	c.begin(addr)
	if m := testkit.Receive(t, 10*time.Second, "the answer", done); m == nil {
		t.Fatal("no media")
	}
}
