package sfu

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestRewriteGoesOnAcrossPublishers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r rewrite
		now := time.Unix(1000, 0)
		var lastSeq uint16
		var lastTS uint32
		first := true
		for range rapid.IntRange(1, 5).Draw(t, "publishers") {
			b := &publication{}
			seq := rapid.Uint16().Draw(t, "seq")
			ts := rapid.Uint32().Draw(t, "ts")
			for i := range rapid.IntRange(1, 20).Draw(t, "packets") {
				p := &packet{seq: seq, timestamp: ts}
				if r.of != b {
					r.start(b, p, 90000, now)
				}
				outSeq, outTS := r.next(p, now)
				if !first {
					want := lastSeq + 1
					if i == 0 {
						want++ // the break that a decoder must see
					}
					if outSeq != want {
						t.Fatalf("seq %d after %d, want %d", outSeq, lastSeq, want)
					}
					if int32(outTS-lastTS) <= 0 {
						t.Fatalf("timestamp %d after %d goes back", outTS, lastTS)
					}
				}
				first, lastSeq, lastTS = false, outSeq, outTS
				seq, ts, now = seq+1, ts+3000, now.Add(33*time.Millisecond)
			}
		}
	})
}

func TestCacheGivesTheLastPacketsOnly(t *testing.T) {
	c := newCache()
	for i := range 600 {
		c.put(&packet{seq: uint16(65300 + i), timestamp: uint32(i), payload: []byte{byte(i)}, marker: i%3 == 0})
	}
	for i := range 600 {
		got, ts, marker, ok := c.get(uint16(65300+i), []byte{9, 9})
		if want := i >= 600-cacheSize; ok != want {
			t.Fatalf("packet %d kept %v, want %v", i, ok, want)
		}
		if ok && (!bytes.Equal(got, []byte{9, 9, byte(i)}) || ts != uint32(i) || marker != (i%3 == 0)) {
			t.Fatalf("packet %d: %v %d %v", i, got, ts, marker)
		}
	}
	if n := testing.AllocsPerRun(100, func() { c.put(&packet{seq: 7, payload: []byte{1}}) }); n > 1 {
		t.Errorf("%v allocations a packet", n)
	}
}

func TestFlowMeter(t *testing.T) {
	at := func(sec int64, ms int) time.Time { return time.Unix(sec, int64(ms)*1e6) }
	for name, tc := range map[string]struct {
		feed func(*flowMeter)
		want int
	}{
		"nothing":                     {func(*flowMeter) {}, 0},
		"many packets of one picture": {func(m *flowMeter) { repeat(50, func(i int) { m.frame(1, at(1, i)) }) }, 0},
		"two stills a second": {func(m *flowMeter) {
			repeat(10, func(i int) { m.frame(uint32(i), at(int64(i/2), i%2*500)) })
		}, 0},
		"thirty pictures a second for 4 s": {func(m *flowMeter) {
			repeat(120, func(i int) { m.frame(uint32(i), at(int64(i/30), i%30*33)) })
		}, 4},
		"a hole of 2 s": {func(m *flowMeter) {
			repeat(30, func(i int) { m.frame(uint32(i), at(1, i*33)) })
			repeat(30, func(i int) { m.frame(uint32(40+i), at(4, i*33)) })
		}, 2},
	} {
		var m flowMeter
		tc.feed(&m)
		if got := m.take(); got != tc.want {
			t.Errorf("%s: %d s, want %d", name, got, tc.want)
		}
		if m.take() != 0 {
			t.Errorf("%s: taken twice", name)
		}
	}
}

func repeat(n int, f func(int)) {
	for i := range n {
		f(i)
	}
}

func TestSpeechNeedsLastingSound(t *testing.T) {
	base := time.Unix(100, 0)
	run := func(levels ...bool) bool { // one per 20 ms
		v := &voiceState{}
		for i, loud := range levels {
			v.step(loud, base.Add(time.Duration(i)*20*time.Millisecond))
		}
		return v.speaking
	}
	loud := func(n int) []bool { return series(n, true) }
	calm := func(n int) []bool { return series(n, false) }
	if run(loud(5)...) {
		t.Error("a knock of 100 ms is not speech")
	}
	if !run(loud(12)...) {
		t.Error("240 ms of sound is speech")
	}
	if !run(append(loud(12), calm(20)...)...) {
		t.Error("a pause of 400 ms does not end speech")
	}
	if run(append(loud(12), calm(40)...)...) {
		t.Error("800 ms of silence ends speech")
	}
}

func series(n int, v bool) []bool {
	out := make([]bool, n)
	for i := range out {
		out[i] = v
	}
	return out
}

func TestSideDoor(t *testing.T) {
	var door atomic.Pointer[sideDoor]
	p, err := openPort(netip.MustParseAddrPort("127.0.0.1:0"), &door)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	virtual := netip.MustParseAddrPort("203.0.113.7:5000")
	type got struct {
		b    string
		from netip.AddrPort
	}
	ch := make(chan got, 400)
	go func() {
		buf := make([]byte, 1600)
		for {
			n, from, err := p.ReadFromAddrPort(buf)
			if err != nil {
				close(ch)
				return
			}
			ch <- got{string(buf[:n]), from}
		}
	}()
	other, err := openPort(netip.MustParseAddrPort("127.0.0.1:0"), &door)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	// From both sides in turn: nothing may be lost or stay behind.
	for i := range 100 {
		if !p.enter([]byte{'s', byte(i)}, virtual) {
			t.Fatal("door full")
		}
		if _, err := other.WriteToAddrPort([]byte{'n', byte(i)}, p.local); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			select {
			case g := <-ch:
				if want := map[byte]netip.AddrPort{'s': virtual, 'n': other.local}[g.b[0]]; g.from != want || g.b[1] != byte(i) {
					t.Fatalf("round %d: %q from %s", i, g.b, g.from)
				}
			case <-time.After(5 * time.Second):
				t.Fatalf("round %d: reader not woken", i)
			}
		}
	}
	out := make(chan netip.AddrPort, 1)
	door.Store(&sideDoor{prefix: netip.MustParsePrefix("203.0.113.0/24"), exit: func(b []byte, from, to netip.AddrPort) {
		if from != p.local || string(b) != "out" {
			t.Errorf("left %q from %s", b, from)
		}
		out <- to
	}})
	if _, err := p.WriteToAddrPort([]byte("out"), virtual); err != nil {
		t.Fatal(err)
	}
	if to := <-out; to != virtual {
		t.Errorf("left to %s", to)
	}
}

func TestTheServerReadsNoAddressOfAClient(t *testing.T) {
	offer := "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=candidate:1 1 udp 1 169.254.169.254 80 typ host\r\na=mid:0\r\na=candidate:2 1 udp 1 10.0.0.1 22 typ host\r\n"
	if got := withoutCandidates(offer); got != "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n" {
		t.Errorf("%q", got)
	}
}

func TestOneHostHasSoManyTCPConnections(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &calmListener{Listener: inner, perHost: map[string]int{}}
	defer l.Close()
	accepted := make(chan net.Conn, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- c
		}
	}()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	var mine []net.Conn
	for range tcpPerHost {
		dial()
		mine = append(mine, <-accepted)
	}
	surplus := dial()
	_ = surplus.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := surplus.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the one above the limit: %v", err)
	}
	_ = mine[0].Close()
	_ = mine[0].Close() // closing twice frees one place
	dial()
	<-accepted
	if l.total != tcpPerHost {
		t.Errorf("%d places taken, want %d", l.total, tcpPerHost)
	}
}
