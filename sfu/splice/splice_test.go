package splice

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"visavis/sfu/cache"
)

// TestAStreamGoesOverWithTheFirstPacket of a picture, in whatever order a network
// delivers. One that never comes is not waited for longer than Patience.
func TestAStreamGoesOverWithTheFirstPacket(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p Point
		ring := cache.New(512, 1<<10)
		took := func(ns int64, seq uint16, picture uint32) (uint16, bool) {
			m := cache.Meta{Seq: seq, Timestamp: 1<<31 + picture*3000}
			ring.Put(m, []byte{1})
			return p.Begins(ring, seq, m.Timestamp, ns)
		}
		begin := rapid.Uint16().Draw(t, "first packet")
		key := rapid.IntRange(1, 8).Draw(t, "packets")
		last := begin + uint16(key+rapid.IntRange(1, 20).Draw(t, "packets of pictures behind")) // one more picture at least
		p.Pass(1 << 31)
		ring.Put(cache.Meta{Seq: begin - 1, Timestamp: 1 << 31}, []byte{1})
		if _, ok := took(2e9, begin-2, 0); ok {
			t.Fatal("begins with what comes late of a picture before the request")
		}
		var rest []uint16
		for seq := begin; seq != last; seq++ {
			rest = append(rest, seq)
		}
		never := rapid.Bool().Draw(t, "the first never comes")
		of := func(seq uint16) uint32 { return 1 + uint32(seq-begin)/uint32(key) }
		var order []uint16
		for _, seq := range rapid.Permutation(rest).Draw(t, "order") {
			if !never || seq != begin {
				order = append(order, seq)
			}
		}
		came := false
		for i, seq := range order {
			came = came || seq == begin
			got, ok := took(2e9+int64(i+1)*1e6, seq, of(seq))
			if ok != came || ok && got != begin {
				t.Fatalf("packet %d, begins: %v at %d, want %v at %d", seq-begin, ok, got-begin, came, begin)
			}
			if ok {
				return
			}
		}
		if got, ok := took(2e9+1e6+int64(Patience)+int64(time.Millisecond), last, of(last)); !ok || got != begin+1 {
			t.Fatalf("without its first packet: %v at %d, want the second", ok, got-begin)
		}
	})
}
