package twcc

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"pgregory.net/rapid"
)

const ms = int64(time.Millisecond)

// TestAnotherImplementationReadsTheFeedback: pion's reader finds the packets
// that came, in order, at the times that they came.
func TestAnotherImplementationReadsTheFeedback(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r Recorder
		seq, now := rapid.Uint16().Draw(t, "first"), rapid.Int64Range(1, 1<<40).Draw(t, "start")
		arrived := map[uint16]int64{}
		var order []uint16
		r.Add(seq, now)
		arrived[seq] = now
		order = append(order, seq)
		for range rapid.IntRange(0, 60).Draw(t, "n") {
			skip := rapid.SampledFrom([]uint16{1, 1, 1, 1, 1, 2, 9}).Draw(t, "skip")
			for range skip - 1 {
				seq++
				order = append(order, seq)
			}
			seq++
			order = append(order, seq)
			now += rapid.SampledFrom([]int64{0, 1, 5, 90, 400}).Draw(t, "ms") * ms
			r.Add(seq, now)
			arrived[seq] = now
		}
		var dst [1400]byte
		n := r.Feedback(dst[:], 1, 2)
		var p rtcp.TransportLayerCC
		if err := p.Unmarshal(dst[:n]); err != nil {
			t.Fatalf("%v: %x", err, dst[:n])
		}
		if int(p.PacketStatusCount) != len(order) || p.BaseSequenceNumber != order[0] || p.SenderSSRC != 1 || p.MediaSSRC != 2 {
			t.Fatalf("count %d of %d, base %d", p.PacketStatusCount, len(order), p.BaseSequenceNumber)
		}
		at, k := int64(p.ReferenceTime)*reference, 0
		for _, seq := range order {
			if arrived[seq] == 0 {
				continue
			}
			at += p.RecvDeltas[k].Delta * 1000
			k++
			want := arrived[seq] % cycle
			if d := at%cycle - want; d < -tick || d > tick {
				t.Fatalf("packet %d at %d, want %d", seq, at, want)
			}
		}
		if k != len(p.RecvDeltas) || r.Pending() || r.Feedback(dst[:], 1, 2) != 0 {
			t.Fatalf("%d of %d deltas, pending %v", k, len(p.RecvDeltas), r.Pending())
		}
	})
}

// TestThereAndBack: History reads what Recorder writes. What is missing is lost
// once a packet came that left long after it.
func TestThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := History{next: rapid.Uint16().Draw(t, "next")}
		h.settled = h.next
		var r Recorder
		var now int64 = 1e9
		want := map[uint16]bool{}
		left := map[uint16]int64{}
		last := uint16(0)
		for i := range rapid.IntRange(1, 200).Draw(t, "n") {
			now += 3 * ms
			seq := h.Leave(100+i, now)
			left[seq] = now
			if came := i == 0 || rapid.IntRange(0, 9).Draw(t, "came") > 1; came {
				r.Add(seq, now+20*ms)
				want[seq], last = true, seq
			}
		}
		var dst [1400]byte
		n := r.Feedback(dst[:], 1, 2)
		list, err := h.Read(nil, dst[:n])
		if err != nil {
			t.Fatal(err)
		}
		told := map[uint16]bool{}
		for _, s := range list {
			if told[s.Seq] || s.Received != want[s.Seq] || s.Left != left[s.Seq] {
				t.Fatalf("packet %d: %+v, told before: %v", s.Seq, s, told[s.Seq])
			}
			told[s.Seq] = true
			if d := s.Arrived - s.Left - 20*ms; s.Received && (d < -300000 || d > 300000) {
				t.Fatalf("packet %d is %d ns off", s.Seq, d)
			}
		}
		for seq, at := range left {
			if should := want[seq] || at <= left[last]-overtaken; should != told[seq] {
				t.Fatalf("packet %d told: %v, came: %v, %d ms before the last that did", seq, told[seq], want[seq], (left[last]-at)/ms)
			}
		}
		if again, _ := h.Read(nil, dst[:n]); len(again) != 0 {
			t.Fatalf("told twice: %d", len(again))
		}
	})
}

// TestALinkThatChangesTheOrder: each packet is on its way for 20 to 100 ms and
// feedback is made in the middle of them: what is told as lost is what was lost.
func TestALinkThatChangesTheOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var h History
	var r Recorder
	came := map[int64][]uint16{} // by the ms
	dropped := map[uint16]bool{}
	sent, told := 0, 0
	const seconds = 60
	for now := int64(0); now < seconds*1000; now++ {
		if now%5 == 0 && now < (seconds-1)*1000 {
			seq, at := h.Leave(1000, now*ms), now+20+random.Int64N(81)
			if sent++; random.IntN(10) == 0 {
				dropped[seq] = true
			} else {
				came[at] = append(came[at], seq)
			}
		}
		for _, seq := range came[now] {
			r.Add(seq, now*ms)
		}
		if now%100 != 0 || !r.Pending() {
			continue
		}
		var dst [1400]byte
		n := r.Feedback(dst[:], 1, 2)
		var p rtcp.TransportLayerCC
		if err := p.Unmarshal(dst[:n]); err != nil {
			t.Fatal(err)
		}
		list, err := h.Read(nil, dst[:n])
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			if told++; s.Received == dropped[s.Seq] {
				t.Fatalf("packet %d told as received: %v", s.Seq, s.Received)
			}
		}
	}
	if told > sent || told < sent-30 {
		t.Errorf("%d of %d told", told, sent)
	}
}

// TestAHoleIsNotALoss: of what left while a link was cut nothing is told; of what
// is lost after it everything.
func TestAHoleIsNotALoss(t *testing.T) {
	for _, tc := range []struct{ cut, told int }{{900, 90 + 8}, {1100, 8}, {5000, 8}} {
		var h History
		var r Recorder
		var list []Sent
		lost := 0
		for now := 0; now < 2000+tc.cut+1000; now += 10 {
			seq := h.Leave(1000, int64(now)*ms)
			if cut, after := now >= 2000 && now < 2000+tc.cut, now >= 2000+tc.cut; !cut && !(after && now%100 == 50) {
				r.Add(seq, int64(now+20)*ms)
			}
			if now%100 != 0 || !r.Pending() {
				continue
			}
			var dst [1400]byte
			n := r.Feedback(dst[:], 1, 2)
			var err error
			if list, err = h.Read(list[:0], dst[:n]); err != nil {
				t.Fatal(err)
			}
			for _, s := range list {
				if !s.Received {
					lost++
				}
			}
		}
		if lost != tc.told {
			t.Errorf("cut for %d ms: %d told as lost, want %d", tc.cut, lost, tc.told)
		}
	}
}

func TestOldNumbersAndJumps(t *testing.T) {
	var r Recorder
	r.Add(10, ms)
	var dst [1400]byte
	r.Feedback(dst[:], 1, 2)
	r.Add(10, 2*ms)
	if r.Pending() {
		t.Error("reports a copy")
	}
	report := func() (p rtcp.TransportLayerCC) {
		t.Helper()
		if err := p.Unmarshal(dst[:r.Feedback(dst[:], 1, 2)]); err != nil {
			t.Fatal(err)
		}
		return p
	}
	r.Add(13, 3*ms)
	if p := report(); p.BaseSequenceNumber != 11 || p.PacketStatusCount != 3 || len(p.RecvDeltas) != 1 {
		t.Errorf("after a hole: %+v", p)
	}
	r.Add(12, 4*ms)
	if p := report(); p.BaseSequenceNumber != 12 || p.PacketStatusCount != 2 || len(p.RecvDeltas) != 2 {
		t.Errorf("after it came late: %+v", p)
	}
	r.Add(20000, 3*ms)
	r.Add(20001, 4*ms)
	if p := report(); p.BaseSequenceNumber != 20000 || p.PacketStatusCount != 2 {
		t.Errorf("%+v", p)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	var r Recorder
	var h History
	h.Leave(1, 1)
	var dst [1400]byte
	list := make([]Sent, 0, 64)
	var now int64
	if n := testing.AllocsPerRun(1000, func() {
		for range 20 {
			now += ms
			r.Add(h.Leave(1000, now), now)
		}
		n := r.Feedback(dst[:], 1, 2)
		var err error
		if list, err = h.Read(list[:0], dst[:n]); err != nil || len(list) != 20 {
			t.Fatal(err, len(list))
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzFeedback: malformed feedback never panics and never tells a packet twice.
func FuzzFeedback(f *testing.F) {
	var r Recorder
	for i := range uint16(30) {
		if i%5 != 0 {
			r.Add(i, int64(i)*ms)
		}
	}
	var dst [1400]byte
	n := r.Feedback(dst[:], 1, 2)
	f.Add(dst[:n])
	f.Add([]byte{0x8f, 205, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0x1f, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		var h History
		for range 100 {
			h.Leave(10, 1)
		}
		list, _ := h.Read(nil, b)
		seen := map[uint16]bool{}
		for _, s := range list {
			if s.Received && seen[s.Seq] {
				t.Fatal("told twice")
			}
			seen[s.Seq] = seen[s.Seq] || s.Received
		}
	})
}
