package twcc

import (
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

// TestThereAndBack: History reads what Recorder writes.
func TestThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := History{next: rapid.Uint16().Draw(t, "next")}
		var r Recorder
		var now int64 = 1e9
		want := map[uint16]bool{}
		last := uint16(0)
		for i := range rapid.IntRange(1, 200).Draw(t, "n") {
			now += 3 * ms
			seq := h.Leave(100+i, now)
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
		got := 0
		for _, s := range list {
			if s.Received != want[s.Seq] {
				t.Fatalf("packet %d received %v", s.Seq, s.Received)
			}
			if s.Received {
				got++
				if d := s.Arrived - s.Left - 20*ms; d < -300000 || d > 300000 {
					t.Fatalf("packet %d is %d ns off", s.Seq, d)
				}
			}
		}
		if got != len(want) || list[len(list)-1].Seq != last {
			t.Fatalf("%d told, want %d", got, len(want))
		}
		if again, _ := h.Read(nil, dst[:n]); len(again) != len(list)-got {
			t.Fatalf("told twice: %d", len(again))
		}
	})
}

func TestOldNumbersAndJumps(t *testing.T) {
	var r Recorder
	r.Add(10, ms)
	var dst [1400]byte
	r.Feedback(dst[:], 1, 2)
	r.Add(9, 2*ms)
	if r.Pending() {
		t.Error("reports what was reported as lost")
	}
	r.Add(20000, 3*ms)
	r.Add(20001, 4*ms)
	n := r.Feedback(dst[:], 1, 2)
	var p rtcp.TransportLayerCC
	if err := p.Unmarshal(dst[:n]); err != nil || p.BaseSequenceNumber != 20000 || p.PacketStatusCount != 2 {
		t.Errorf("%v %+v", err, p)
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
