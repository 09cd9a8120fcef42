package cache

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// TestWhatIsGivenIsWhatWasPut: whatever the sizes, Get gives the true payload or
// nothing, and the newest half of the ring is always there.
func TestWhatIsGivenIsWhatWasPut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const packets, size = 16, 4000
		r := New(packets, size)
		seq := rapid.Uint16().Draw(t, "seq")
		var put [][]byte
		for i := range rapid.IntRange(1, 60).Draw(t, "n") {
			b := bytes.Repeat([]byte{byte(i)}, rapid.IntRange(0, 1400).Draw(t, "size"))
			r.Put(Meta{Seq: seq + uint16(i), Timestamp: uint32(i), Marker: i%3 == 0}, b)
			put = append(put, b)
			kept := 0
			for j := range put {
				m, got, ok := r.Get(seq + uint16(j))
				if !ok {
					continue
				}
				kept++
				if !bytes.Equal(got, put[j]) || m.Timestamp != uint32(j) || m.Marker != (j%3 == 0) {
					t.Fatalf("packet %d of %d is wrong", j, i)
				}
			}
			if _, _, ok := r.Get(seq + uint16(i)); !ok || kept > packets {
				t.Fatalf("newest kept %v, %d kept", ok, kept)
			}
		}
	})
}

func TestTheLastSecondIsThere(t *testing.T) {
	r := New(512, 256<<10)
	payload := make([]byte, 1000)
	for i := range 1000 {
		r.Put(Meta{Seq: uint16(65000 + i)}, payload)
	}
	for i := range 1000 {
		if _, _, ok := r.Get(uint16(65000 + i)); ok != (i >= 1000-262) {
			t.Fatalf("packet %d kept: %v", i, ok)
		}
	}
	if _, _, ok := r.Get(64000); ok {
		t.Error("a packet that never was")
	}
}

func TestNothingIsAllocated(t *testing.T) {
	r := New(256, 64<<10)
	payload := make([]byte, 1100)
	var seq uint16
	if n := testing.AllocsPerRun(1000, func() {
		r.Put(Meta{Seq: seq}, payload)
		r.Get(seq)
		seq++
	}); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
	r.Put(Meta{Seq: 9}, make([]byte, 65<<10))
	if _, _, ok := r.Get(9); ok {
		t.Error("kept a packet larger than the ring")
	}
}
