package turn

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"visavis/internal/clock"
)

// aDoor has nine addresses and counts what enters.
type aDoor struct {
	all     []netip.AddrPort
	entered int
	exit    func(b []byte, from, to netip.AddrPort)
}

func newADoor() *aDoor {
	d := &aDoor{}
	for i := range 9 {
		d.all = append(d.all, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(50 + i)}), 7000))
	}
	return d
}

func (d *aDoor) Addresses() []netip.AddrPort { return d.all }

func (d *aDoor) Burst(do func(enter Entry)) {
	do(func(b []byte, _, _ netip.AddrPort) bool { d.entered += len(b); return true })
}

func (d *aDoor) Leave(_ netip.Prefix, exit func(b []byte, from, to netip.AddrPort), _ func()) {
	d.exit = exit
}

// bench is a guard with allocations of one participant, made as out makes them.
func setUp(t *testing.T, n int) (*guard, *aDoor, []flow) {
	t.Helper()
	door := newADoor()
	r := newRelays(door, 100)
	g := newGuard(clock.NewFake(time.Now()), r)
	r.begin(nil)
	name := encodeName("seat", time.Now().Add(time.Minute), "key")
	var flows []flow
	for i := range n {
		f := flow{"udp", netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, 7}), uint16(4000+i))}
		c, err := r.open(0)
		if err != nil {
			t.Fatal(err)
		}
		g.asked[f] = name
		if surplus := g.bindLocked(f, message{relayed: c.addr}); surplus != nil {
			t.Fatalf("allocation %d is one too many", i)
		}
		g.flows[f].open(channel{number: 0x4000, peer: door.all[0]}, time.Now())
		flows = append(flows, f)
	}
	return g, door, flows
}

func frame(n int) []byte {
	b := make([]byte, channelHeaderSize+n)
	channelHead(b, 0x4000, n)
	return b
}

// B4: 6 Mbit/s for a participant, with all allocations together.
func TestAParticipantHasSixMegabitsASecond(t *testing.T) {
	g, door, flows := setUp(t, 4)
	b, start := frame(1200), time.Now()
	const seconds = 10
	for ms := range seconds * 1000 { // four times 9.6 Mbit/s
		now := start.Add(time.Duration(ms) * time.Millisecond)
		for _, f := range flows {
			door.Burst(func(enter Entry) { g.carry(f, b, now, enter) })
		}
	}
	if most := seconds*participantRate + participantBurst; door.entered > most || door.entered < seconds*participantRate*9/10 {
		t.Errorf("%d bytes in %d s, want %d a second", door.entered, seconds, participantRate)
	}
}

func TestAChannelEndsAfterTenMinutes(t *testing.T) {
	g, door, flows := setUp(t, 1)
	at := time.Now()
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, 100}, {channelLife - time.Minute, 200}, {channelLife + time.Second, 200}} {
		door.Burst(func(enter Entry) { g.carry(flows[0], frame(100), at.Add(step.after), enter) })
		if door.entered != step.want {
			t.Errorf("after %v: %d bytes, want %d", step.after, door.entered, step.want)
		}
	}
	back := &wayBack{channels: g.flows[flows[0]].channels}
	if back.channel(door.all[0], at) != 0x4000 || back.channel(door.all[1], at) != 0 || back.channel(door.all[0], at.Add(channelLife+time.Second)) != 0 {
		t.Error("the way back does not end with the channel")
	}
}

// B4: eight permissions for a participant, with all allocations together.
func TestAParticipantHasEightPermissions(t *testing.T) {
	g, door, flows := setUp(t, 2)
	user := g.flows[flows[0]].user
	ask := func(f flow, i int) bool {
		return g.ownedLocked(f, message{method: methodPermission, signed: true, username: user, peers: []netip.AddrPort{door.all[i]}}).pass
	}
	for i := range 4 {
		if !ask(flows[0], i) || !ask(flows[1], i) {
			t.Fatalf("permission %d is refused", i)
		}
	}
	if !ask(flows[0], 0) {
		t.Error("asking again is refused")
	}
	if ask(flows[0], 4) || ask(flows[1], 5) {
		t.Error("a ninth is given")
	}
}

// B4: an allocation that nobody uses ends after a minute.
func TestWhoIsIdleIsForgotten(t *testing.T) {
	g, door, flows := setUp(t, 2)
	now := time.Now()
	door.Burst(func(enter Entry) { g.carry(flows[0], frame(10), now.Add(40*time.Second), enter) })
	g.relays.idle(now.Add(70 * time.Second).Add(-idleFor))
	if g.flows[flows[0]] == nil || g.flows[flows[1]] != nil {
		t.Errorf("the used one is there: %v, the idle one: %v", g.flows[flows[0]] != nil, g.flows[flows[1]] != nil)
	}
	g.relays.idle(now.Add(101 * time.Second).Add(-idleFor))
	if len(g.flows)+len(g.byRelay)+len(g.users)+len(g.relays.byAddr) != 0 {
		t.Error("something is left of them")
	}
}

// A flood from everywhere is not remembered without end.
func TestStrangersTakeNoMemory(t *testing.T) {
	g, _, _ := setUp(t, 0)
	for i := range 3 * maxKnownHosts {
		a := netip.AddrFrom4([4]byte{byte(i >> 16), byte(i >> 8), byte(i), 1})
		g.out(flow{"udp", netip.AddrPortFrom(a, 1)}, errorAnswer(message{method: methodAllocate}, 401, "Unauthorized"), nil)
	}
	if len(g.hosts) > maxKnownHosts {
		t.Errorf("%d hosts are remembered", len(g.hosts))
	}
}

// nowhere is a socket whose datagrams are counted and lost.
type nowhere struct{ puts, flushed int }

func (*nowhere) next() ([]byte, netip.AddrPort, error) { return nil, netip.AddrPort{}, net.ErrClosed }
func (*nowhere) more() bool                            { return false }
func (w *nowhere) put(uint16, []byte, netip.AddrPort)  { w.puts++ }
func (w *nowhere) flush()                              { w.flushed++ }
func (*nowhere) Close() error                          { return nil }
func (*nowhere) LocalAddr() net.Addr                   { return nil }

// A packet of a bound channel costs no memory on its way in, nor on its way out.
func TestARelayedPacketAllocatesNothing(t *testing.T) {
	g, door, flows := setUp(t, 1)
	sock, o := &nowhere{}, g.flows[flows[0]]
	o.relay.back.Store(&wayBack{wire: sock, client: flows[0].client, channels: o.channels})
	b, peer, to := frame(100), door.all[0], o.relay.addr
	now, entered := time.Now(), 0
	enter := func([]byte, netip.AddrPort, netip.AddrPort) bool { entered++; return true }
	if n := testing.AllocsPerRun(1000, func() { g.carry(flows[0], b, now, enter) }); n != 0 || entered == 0 {
		t.Errorf("in: %v allocations a packet, %d entered", n, entered)
	}
	if n := testing.AllocsPerRun(1000, func() { door.exit(b, peer, to) }); n != 0 || sock.puts == 0 {
		t.Errorf("out: %v allocations a packet, %d left", n, sock.puts)
	}
}
