package nack

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const ms = int64(time.Millisecond)

func TestALossIsAskedForOnceAtATime(t *testing.T) {
	var k Tracker
	for _, seq := range []uint16{65533, 65534, 1} {
		if !k.Add(seq, 0) {
			t.Fatalf("%d refused", seq)
		}
	}
	if got := k.Due(nil, 0, 50*ms); !slices.Equal(got, []uint16{65535, 0}) {
		t.Fatalf("asks for %v", got)
	}
	if got := k.Due(nil, 49*ms, 50*ms); got != nil {
		t.Errorf("asks again after 49 ms: %v", got)
	}
	k.Add(0, 49*ms)
	if got := k.Due(nil, 50*ms, 50*ms); !slices.Equal(got, []uint16{65535}) {
		t.Errorf("asks for %v, want the one that is still missing", got)
	}
	if k.Add(0, 60*ms) {
		t.Error("the same packet twice")
	}
	asked := 2
	for now := 100 * ms; k.Missing(); now += 50 * ms {
		asked += len(k.Due(nil, now, 50*ms))
	}
	if asked != tries {
		t.Errorf("asked %d times, want %d", asked, tries)
	}
	if !k.GaveUp() || k.GaveUp() {
		t.Error("says not, or says twice, that it gave up")
	}
}

func TestAJumpIsNotALoss(t *testing.T) {
	var k Tracker
	k.Add(10, 0)
	k.Add(11, 0)
	if k.GaveUp() {
		t.Error("gives up what came in order")
	}
	k.Add(11+most+1, 0)
	if k.Missing() || !k.GaveUp() {
		t.Error("asks for a jump, or does not say that it will not come")
	}
	k.Add(30000, 0)
	if k.Add(30000-window, 0) {
		t.Error("took a packet that is too old to know")
	}
	if !k.Add(30000-window+1, 0) {
		t.Error("refused an old packet that never came")
	}
}

// TestEachPacketPassesOnce in whatever order packets come.
func TestEachPacketPassesOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var k Tracker
		first := rapid.Uint16().Draw(t, "first")
		passed := map[uint16]bool{}
		high := 0
		for range rapid.IntRange(1, 500).Draw(t, "n") {
			at := max(0, high+rapid.IntRange(-60, 20).Draw(t, "step"))
			seq := first + uint16(at)
			if k.Add(seq, 0) {
				if passed[seq] {
					t.Fatalf("%d passed twice", seq)
				}
				passed[seq] = true
			} else if !passed[seq] && at >= high-window {
				t.Fatalf("%d refused though it is new", seq)
			}
			high = max(high, at)
			for _, m := range k.Due(nil, 0, 0) {
				if passed[m] {
					t.Fatalf("asks for %d, which came", m)
				}
			}
		}
	})
}

func TestNothingIsAllocated(t *testing.T) {
	var k Tracker
	var seq uint16
	buf := make([]uint16, 0, most)
	if n := testing.AllocsPerRun(1000, func() {
		seq += 2
		k.Add(seq, int64(seq)*ms)
		k.Due(buf, int64(seq)*ms, 50*ms)
	}); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
}
