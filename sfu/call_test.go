package sfu_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"visavis/internal/testkit/rtcclient"
	"visavis/sfu"
)

// record keeps the events of a node and lets a test wait for one.
type record struct {
	mu     sync.Mutex
	list   []sfu.Event
	change chan struct{}
}

func newRecord() *record { return &record{change: make(chan struct{})} }

func (r *record) add(e sfu.Event) {
	r.mu.Lock()
	r.list = append(r.list, e)
	close(r.change)
	r.change = make(chan struct{})
	r.mu.Unlock()
}

func (r *record) until(t *testing.T, what string, ok func(sfu.Event) bool) sfu.Event {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		r.mu.Lock()
		list, ch := slices.Clone(r.list), r.change
		r.mu.Unlock()
		if i := slices.IndexFunc(list, ok); i >= 0 {
			return list[i]
		}
		select {
		case <-ch:
		case <-deadline:
			t.Fatalf("no event: %s; had %+v", what, list)
		}
	}
}

type fixture struct {
	t    *testing.T
	ctx  context.Context
	node *sfu.Node
	rec  *record
}

func open(t *testing.T, change func(*sfu.Config)) *fixture {
	t.Helper()
	leaks := goleak.IgnoreCurrent()
	rec := newRecord()
	cfg := sfu.Config{
		UDP: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, TCP: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
		Loopback: true, Events: rec.add,
	}
	if change != nil {
		change(&cfg)
	}
	n, err := sfu.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	t.Cleanup(func() {
		cancel()
		end, stop := context.WithTimeout(context.Background(), 10*time.Second)
		defer stop()
		if err := n.Close(end); err != nil {
			t.Errorf("close: %v", err)
		}
		goleak.VerifyNone(t, leaks)
	})
	return &fixture{t: t, ctx: ctx, node: n, rec: rec}
}

func (f *fixture) join(room, name string, o rtcclient.Options) *rtcclient.Media {
	f.t.Helper()
	o.Loopback = true
	m, err := rtcclient.NewMedia(o)
	if err != nil {
		f.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(f.ctx)
	f.t.Cleanup(func() { cancel(); _ = m.Close() })
	f.offer(m, sfu.Offer{Room: room, Peer: name, PC: 1})
	f.node.Update(room, name, sfu.Sources{Mic: true, Camera: true, Screen: true})
	m.Pump(ctx, 20)
	return m
}

func (f *fixture) offer(m *rtcclient.Media, o sfu.Offer) {
	f.t.Helper()
	text, err := m.Offer(f.ctx, o.Restart)
	if err != nil {
		f.t.Fatal(err)
	}
	o.SDP = text
	answer, err := f.node.Offer(f.ctx, o)
	if err != nil {
		f.t.Fatal(err)
	}
	if err := m.Answer(answer); err != nil {
		f.t.Fatalf("answer: %v\n%s", err, answer)
	}
}

func (f *fixture) until(m *rtcclient.Media, ok func(*rtcclient.Media) bool) {
	f.t.Helper()
	if err := m.Until(f.ctx, ok); err != nil {
		f.t.Fatal(err)
	}
}

var everything = rtcclient.Options{Voice: true, Camera: true, Screen: true, Sound: true, Slots: 6}

func total(m *rtcclient.Media) int {
	n := 0
	for _, v := range m.Summary() {
		n += v
	}
	return n
}

func TestTwoPeopleHearAndSeeEachOther(t *testing.T) {
	f := open(t, nil)
	talk := rtcclient.Options{Voice: true, Camera: true, Slots: 6}
	a := f.join("room", "a", talk)
	b := f.join("room", "b", talk)

	// Two sending sections, so the slots are mids 2…7 (sound) and 8…13 (picture).
	for name, m := range map[string]*rtcclient.Media{"a": a, "b": b} {
		f.until(m, func(m *rtcclient.Media) bool { return m.Got("2").Packets > 50 && m.Got("8").Packets > 90 })
		if g := m.Got("2"); g.Jumps != 0 || len(g.SSRCs) != 1 {
			t.Errorf("%s: sound %+v", name, g)
		}
		if len(m.Summary()) != 2 {
			t.Errorf("%s: got sections %v, want the other's two", name, m.Summary())
		}
	}
	e := f.rec.until(t, "a's slots", func(e sfu.Event) bool { return e.Peer == "a" && len(e.Slots) == 2 })
	for _, want := range []sfu.Binding{{Mid: "2", Peer: "b", Source: sfu.Voice}, {Mid: "8", Peer: "b", Source: sfu.Camera}} {
		if !slices.Contains(e.Slots, want) {
			t.Errorf("slots %v, want %v", e.Slots, want)
		}
	}
	f.rec.until(t, "both speak", func(e sfu.Event) bool { return slices.Equal(e.Speaking, []string{"a", "b"}) })
	if a.PLIs() == 0 || a.PLIs() > 3 {
		t.Errorf("a was asked for %d key frames, want one a second at most", a.PLIs())
	}
}

func TestWhatIsSaidToBeOffIsNotForwarded(t *testing.T) {
	f := open(t, nil)
	a := f.join("room", "a", rtcclient.Options{Voice: true, Slots: 1})
	b := f.join("room", "b", rtcclient.Options{Voice: true, Slots: 1})
	f.until(b, func(m *rtcclient.Media) bool { return total(m) > 20 })
	f.node.Update("room", "a", sfu.Sources{})
	before := total(b)
	had := total(a)
	f.until(a, func(m *rtcclient.Media) bool { return total(m) > had+50 }) // a second of the other way
	if after := total(b); after > before+5 {
		t.Errorf("%d packets passed after a said off", after-before)
	}
	f.node.Update("room", "a", sfu.Sources{Mic: true})
	f.until(b, func(m *rtcclient.Media) bool { return total(m) > before+25 })
}

func TestAThirdComesAndGoesWithoutRenegotiation(t *testing.T) {
	f := open(t, nil)
	a := f.join("room", "a", everything)
	b := f.join("room", "b", everything)
	f.until(a, func(m *rtcclient.Media) bool { return len(m.Summary()) == 4 })
	c := f.join("room", "c", everything)
	f.until(c, func(m *rtcclient.Media) bool { return len(m.Summary()) == 8 })
	f.until(a, func(m *rtcclient.Media) bool { return len(m.Summary()) == 8 })
	f.node.Drop("room", "c")
	f.rec.until(t, "c closed", func(e sfu.Event) bool {
		return e.Peer == "c" && e.Link == sfu.LinkClosed && e.Cause == sfu.CauseDropped
	})
	before := total(b)
	f.until(b, func(m *rtcclient.Media) bool { return total(m) > before+200 })
	// d takes the slots that c left: the same SSRCs go on.
	f.join("room", "d", everything)
	f.rec.until(t, "d at a", func(e sfu.Event) bool {
		return e.Peer == "a" && slices.ContainsFunc(e.Slots, func(b sfu.Binding) bool { return b.Peer == "d" && b.Source == sfu.Camera })
	})
	for mid := range a.Summary() {
		if g := a.Got(mid); len(g.SSRCs) != 1 {
			t.Errorf("section %s has %d SSRCs, want 1 for ever", mid, len(g.SSRCs))
		}
	}
}

func TestICERestartKeepsTheStream(t *testing.T) {
	f := open(t, nil)
	a := f.join("room", "a", rtcclient.Options{Voice: true, Slots: 1})
	b := f.join("room", "b", rtcclient.Options{Voice: true, Slots: 1})
	f.until(b, func(m *rtcclient.Media) bool { return total(m) > 20 })
	f.offer(b, sfu.Offer{Room: "room", Peer: "b", PC: 1, Restart: true})
	before, other := total(b), total(a)
	f.until(b, func(m *rtcclient.Media) bool { return total(m) > before+100 })
	f.until(a, func(m *rtcclient.Media) bool { return total(m) > other+100 })
	if g := b.Got("1"); len(g.SSRCs) != 1 || g.Jumps > 5 {
		t.Errorf("after restart %+v, want one stream going on", g)
	}
	if _, err := f.node.Offer(f.ctx, sfu.Offer{Room: "room", Peer: "b", PC: 9, Restart: true}); !errors.Is(err, sfu.ErrUnknownPeer) {
		t.Errorf("restart of an unknown connection: %v", err)
	}
}

func TestICETCPWhenUDPIsBlocked(t *testing.T) {
	f := open(t, nil)
	a := f.join("room", "a", rtcclient.Options{Voice: true, Camera: true, Slots: 1, TCPOnly: true})
	b := f.join("room", "b", rtcclient.Options{Voice: true, Camera: true, Slots: 1})
	f.until(b, func(m *rtcclient.Media) bool { return total(m) > 100 })
	f.until(a, func(m *rtcclient.Media) bool { return total(m) > 100 })
	pair, err := a.PC.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err == nil && pair != nil && pair.Local.Protocol.String() != "tcp" {
		t.Errorf("went over %s", pair.Local.Protocol)
	}
}

func TestDropLetsNothingThrough(t *testing.T) {
	f := open(t, nil)
	a := f.join("room", "a", rtcclient.Options{Voice: true, Slots: 1})
	b := f.join("room", "b", rtcclient.Options{Voice: true, Slots: 1})
	f.until(a, func(m *rtcclient.Media) bool { return total(m) > 10 })
	f.until(b, func(m *rtcclient.Media) bool { return total(m) > 10 })
	f.node.Drop("room", "")
	out := f.node.Stats().PacketsOut
	for _, p := range []string{"a", "b"} {
		f.rec.until(t, p+" closed", func(e sfu.Event) bool { return e.Peer == p && e.Link == sfu.LinkClosed })
	}
	if s := f.node.Stats(); s.PacketsOut != out || s.Rooms != 0 || s.Peers != 0 {
		t.Errorf("after drop: %+v, had %d out", s, out)
	}
}

func TestVideoProofCountsRealSeconds(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: not in -short")
	}
	f := open(t, nil)
	f.join("room", "a", rtcclient.Options{Camera: true, Slots: 1})
	start := time.Now().Unix()
	b := f.join("room", "b", rtcclient.Options{Camera: true, Slots: 1})
	f.until(b, func(m *rtcclient.Media) bool { return total(m) > 270 }) // 3 s of pictures
	f.node.Drop("room", "b")
	most := int(time.Now().Unix()-start) + 1 // seconds of the clock on the wall, begun ones too
	e := f.rec.until(t, "flow a to b", func(e sfu.Event) bool { return len(e.Flows) > 0 && e.Flows[0].To == "b" })
	if s := e.Flows[0].Seconds; e.Flows[0].From != "a" || s < 2 || s > most {
		t.Errorf("flow %+v over %d s", e.Flows[0], most)
	}
	f.rec.until(t, "flow b to a", func(e sfu.Event) bool {
		return slices.ContainsFunc(e.Flows, func(x sfu.Flow) bool { return x.From == "b" && x.To == "a" && x.Seconds >= 2 })
	}) // told at the latest by the next tick of a
}

func TestAWeakLinkLimitsThePicture(t *testing.T) {
	f := open(t, nil)
	a := f.join("room", "a", rtcclient.Options{Voice: true, Camera: true, Slots: 1})
	b := f.join("room", "b", rtcclient.Options{Voice: true, Camera: true, Slots: 1})
	f.until(b, func(m *rtcclient.Media) bool { return len(m.Summary()) == 2 })
	f.until(a, func(m *rtcclient.Media) bool { return len(m.Summary()) == 2 })
	if a.Ceiling() != 0 || b.Ceiling() != 0 {
		t.Errorf("limited without a reason: %d, %d", a.Ceiling(), b.Ceiling())
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); a.Ceiling() == 0 || a.Ceiling() > 700_000; {
		if time.Now().After(end) {
			t.Fatalf("a's ceiling is %d after b lost 40 %%", a.Ceiling())
		}
		<-tick.C
		if err := b.Complain(102); err != nil {
			t.Fatal(err)
		}
	}
	if b.Ceiling() != 0 {
		t.Errorf("b is limited to %d for a link that is b's own", b.Ceiling())
	}
}

func TestHandshakeDeadline(t *testing.T) {
	f := open(t, func(c *sfu.Config) { c.Handshake = 200 * time.Millisecond })
	m, err := rtcclient.NewMedia(rtcclient.Options{Voice: true, Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	text, err := m.Offer(f.ctx, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.node.Offer(f.ctx, sfu.Offer{Room: "r", Peer: "a", PC: 1, SDP: text}); err != nil {
		t.Fatal(err)
	}
	f.rec.until(t, "handshake", func(e sfu.Event) bool { return e.Link == sfu.LinkClosed && e.Cause == sfu.CauseHandshake })
}

func TestLostIsToldAndASilentPeerIsDropped(t *testing.T) {
	f := open(t, func(c *sfu.Config) { c.Lost, c.Failed = 500*time.Millisecond, 500*time.Millisecond })
	m, err := rtcclient.NewMedia(rtcclient.Options{Voice: true, Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	f.offer(m, sfu.Offer{Room: "r", Peer: "a", PC: 1})
	f.rec.until(t, "up", func(e sfu.Event) bool { return e.Link == sfu.LinkUp })
	_ = m.Close()
	f.rec.until(t, "closed", func(e sfu.Event) bool { return e.Link == sfu.LinkClosed })
}

func TestRefusedOffers(t *testing.T) {
	f := open(t, nil)
	m, err := rtcclient.NewMedia(everything)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	good, err := m.Offer(f.ctx, false)
	if err != nil {
		t.Fatal(err)
	}
	many := good
	for range 12 {
		i := strings.LastIndex(good, "m=video")
		many += good[i:]
	}
	for name, text := range map[string]string{
		"empty": "", "words": "hello", "no bundle": strings.Replace(good, "a=group:BUNDLE", "a=group:LS", 1),
		"data channel": strings.Replace(good, "m=audio", "m=application", 1),
		"too many":     many, "too long": good + strings.Repeat("a=x:y\r\n", 10000),
	} {
		if _, err := f.node.Offer(f.ctx, sfu.Offer{Room: "r", Peer: "a", PC: 1, SDP: text}); !errors.Is(err, sfu.ErrOffer) {
			t.Errorf("%s: %v, want ErrOffer", name, err)
		}
	}
	if s := f.node.Stats(); s.Rooms != 0 {
		t.Errorf("a refused offer left %+v", s)
	}
}
