package proof

import (
	"testing"
	"time"
)

func TestMeter(t *testing.T) {
	at := func(sec int64, ms int) time.Time { return time.Unix(sec, int64(ms)*1e6) }
	repeat := func(n int, f func(int)) {
		for i := range n {
			f(i)
		}
	}
	for name, tc := range map[string]struct {
		feed func(*Meter)
		want int
	}{
		"nothing":                     {func(*Meter) {}, 0},
		"many packets of one picture": {func(m *Meter) { repeat(50, func(i int) { m.Frame(1, at(1, i)) }) }, 0},
		"two stills a second": {func(m *Meter) {
			repeat(10, func(i int) { m.Frame(uint32(i), at(int64(i/2), i%2*500)) })
		}, 0},
		"thirty pictures a second for 4 s": {func(m *Meter) {
			repeat(120, func(i int) { m.Frame(uint32(i), at(int64(i/30), i%30*33)) })
		}, 4},
		"a hole of 2 s": {func(m *Meter) {
			repeat(30, func(i int) { m.Frame(uint32(i), at(1, i*33)) })
			repeat(30, func(i int) { m.Frame(uint32(40+i), at(4, i*33)) })
		}, 2},
	} {
		var m Meter
		tc.feed(&m)
		if got := m.Take(); got != tc.want {
			t.Errorf("%s: %d s, want %d", name, got, tc.want)
		}
		if m.Take() != 0 {
			t.Errorf("%s: taken twice", name)
		}
	}
}
