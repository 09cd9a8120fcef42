package clock

import (
	"testing"
	"time"
)

func TestFakeStandsUntilTold(t *testing.T) {
	paris := time.FixedZone("CET", 3600)
	f := NewFake(time.Date(2026, 3, 10, 9, 0, 0, 1234, paris))
	want := time.Date(2026, 3, 10, 8, 0, 0, 1000, time.UTC)
	if got := f.Now(); got != want {
		t.Errorf("%v, want %v: UTC, to the microsecond", got, want)
	}
	f.Advance(90 * time.Minute)
	if got := f.Now(); got != want.Add(90*time.Minute) {
		t.Error(got)
	}
	f.Set(want)
	if got := f.Now(); got != want {
		t.Error(got)
	}
}

func TestSystemIsUTCToTheMicrosecond(t *testing.T) {
	before := time.Now()
	now := System{}.Now()
	if now.Location() != time.UTC || now.Nanosecond()%1000 != 0 {
		t.Errorf("%v cannot be stored as it is", now)
	}
	if now.Before(before.Add(-time.Millisecond)) || now.After(time.Now()) {
		t.Errorf("%v is not now", now)
	}
}
