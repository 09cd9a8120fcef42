package rewrite

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTheStreamGoesOnAcrossSources(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := Map{Rate: 90000}
		now := time.Unix(1000, 0)
		var lastSeq uint16
		var lastTS uint32
		first := true
		for range rapid.IntRange(1, 5).Draw(t, "sources") {
			seq, ts := rapid.Uint16().Draw(t, "seq"), rapid.Uint32().Draw(t, "ts")
			start := seq
			for i := range rapid.IntRange(1, 40).Draw(t, "packets") {
				if i == 0 {
					if rapid.Bool().Draw(t, "layer") {
						m.Switch(seq, ts, rapid.Uint32().Draw(t, "same"), now)
					} else {
						m.Start(seq, ts, now)
					}
				}
				outSeq, outTS, ok := m.Next(seq, ts, now)
				if !ok {
					t.Fatal("a packet in order is refused")
				}
				if !first {
					want := lastSeq + 1
					if i == 0 {
						want++ // the break that a decoder must see
					}
					if outSeq != want || int32(outTS-lastTS) <= 0 {
						t.Fatalf("%d/%d after %d/%d, want number %d", outSeq, outTS, lastSeq, lastTS, want)
					}
				}
				if back, ok := m.Source(outSeq); !ok || back != seq {
					t.Fatalf("%d came from %d, not %d", outSeq, seq, back)
				}
				if _, _, ok := m.Next(start-1, ts, now); ok {
					t.Fatal("a packet from before the start took a place")
				}
				first, lastSeq, lastTS = false, outSeq, outTS
				seq, ts, now = seq+1, ts+3000, now.Add(33*time.Millisecond)
			}
			if _, ok := m.Source(start - 1 + m.seqOff); ok {
				t.Fatal("a number of the source before is taken for ours")
			}
		}
	})
}

func TestALongStreamAndLatePackets(t *testing.T) {
	m := Map{Rate: 48000}
	now := time.Unix(1000, 0)
	m.Start(65000, 0, now)
	for i := range 200000 {
		seq := uint16(65000 + i)
		if out, _, ok := m.Next(seq, uint32(i*960), now); !ok || out != uint16(65000&0x7fff+i) {
			t.Fatalf("packet %d: %d %v", i, out, ok)
		}
		if i > 100 {
			if _, _, ok := m.Next(seq-50, 0, now); !ok {
				t.Fatalf("50 late at %d is refused", i)
			}
		}
	}
	if got := m.Now(now.Add(time.Second)); got != 199999*960+48000 {
		t.Errorf("now %d", got)
	}
}

func TestSwitchKeepsThePicturesTime(t *testing.T) {
	m := Map{Rate: 90000}
	now := time.Unix(1000, 0)
	m.Start(1, 5000, now)
	m.Next(1, 5000, now)
	// 8000 of the layer before is when 700000 of the new one was taken.
	m.Switch(40000, 700000, 8000, now.Add(33*time.Millisecond))
	if _, ts, _ := m.Next(40000, 700000, now); ts != 8000 {
		t.Errorf("timestamp %d, want 8000", ts)
	}
	if got := m.Timestamp(703000); got != 11000 {
		t.Errorf("%d", got)
	}
}
