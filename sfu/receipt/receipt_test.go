package receipt

import (
	"math"
	"testing"
	"time"
)

func TestReportCountsLoss(t *testing.T) {
	s := Stream{Rate: 48000}
	now := time.Unix(1000, 0)
	if _, ok := s.Report(1, now); ok {
		t.Error("a report about nothing")
	}
	for i := range 100 {
		if i%4 != 3 {
			s.Add(uint16(65500+i), uint32(i*960), now.Add(time.Duration(i)*20*time.Millisecond))
		}
	}
	s.Add(uint16((65500+99)%65536), 99*960, now.Add(99*20*time.Millisecond)) // the end is there
	s.Heard(0x1122334455667788, now)
	r, ok := s.Report(7, now.Add(2*time.Second))
	if !ok || r.SSRC != 7 || r.Lost != 24 || r.High != 65536+63 || r.LSR != 0x33445566 || r.DLSR != 2*65536 {
		t.Errorf("%+v", r)
	}
	if want := uint8(24 * 256 / 100); r.Fraction != want {
		t.Errorf("fraction %d, want %d", r.Fraction, want)
	}
	if r.Jitter > 1 {
		t.Errorf("jitter %d of an even stream", r.Jitter)
	}
	s.Add(uint16((65500+100)%65536), 100*960, now.Add(100*20*time.Millisecond))
	if r, _ = s.Report(7, now); r.Fraction != 0 || r.Lost != 24 {
		t.Errorf("after a good second: %+v", r)
	}
}

func TestJitterIsInTheUnitsOfTheClock(t *testing.T) {
	s := Stream{Rate: 48000}
	now := time.Unix(1000, 0)
	for i := range 2000 {
		late := time.Duration(i%2) * 10 * time.Millisecond
		s.Add(uint16(i), uint32(i*960), now.Add(time.Duration(i)*20*time.Millisecond+late))
	}
	r, _ := s.Report(1, now)
	if math.Abs(float64(r.Jitter)-480) > 20 { // 10 ms at 48 kHz
		t.Errorf("jitter %d, want about 480", r.Jitter)
	}
}

func TestClockTakesTheShortestWay(t *testing.T) {
	var c Clock
	theirs := time.Unix(500, 0) // their clock is 1,000 s behind
	ours := time.Unix(1500, 0)
	for i, delay := range []time.Duration{80, 20, 95, 40} {
		at := time.Duration(i) * time.Second
		c.Hear(NTP(theirs.Add(at)), ours.Add(at+delay*time.Millisecond))
	}
	got := c.Ours(NTP(theirs.Add(10 * time.Second)))
	if d := got.Sub(ours.Add(10*time.Second + 20*time.Millisecond)); d < -time.Millisecond || d > time.Millisecond {
		t.Errorf("off by %s", d)
	}
	// Their clock was set back by an hour: followed at once.
	c.Hear(NTP(theirs.Add(-time.Hour)), ours.Add(5*time.Second))
	if got := c.Ours(NTP(theirs.Add(-time.Hour))); got.Sub(ours.Add(5*time.Second)).Abs() > time.Millisecond {
		t.Errorf("after the clock was set: %s", got)
	}
}

func TestMapping(t *testing.T) {
	var m Mapping
	if _, ok := m.At(time.Unix(1, 0), 90000); ok {
		t.Error("known before Set")
	}
	m.Set(math.MaxUint32, time.Unix(10, 0))
	for after, want := range map[time.Duration]uint32{0: math.MaxUint32, time.Second: 89999, -time.Second: math.MaxUint32 - 90000} {
		if got, ok := m.At(time.Unix(10, 0).Add(after), 90000); !ok || got != want {
			t.Errorf("after %s: %d, want %d", after, got, want)
		}
	}
	if at, ok := m.Time(89999-45000, 90000); !ok || at.Sub(time.Unix(10, 0)) != 500*time.Millisecond {
		t.Errorf("half a second later is %s", at)
	}
	if got := fromNTP(NTP(time.Unix(1700000000, 123456789))); got.Sub(time.Unix(1700000000, 123456789)).Abs() > time.Microsecond {
		t.Errorf("NTP there and back: %s", got)
	}
}
