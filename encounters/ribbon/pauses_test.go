package ribbon

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"visavis/internal/care"
	"visavis/internal/events"
)

// stop is a time in which a picture stood still at its receiver, in seconds.
type stop struct {
	from, to int
	what     string // the kind of pause; empty: a fault
}

// report is what a browser says of the seconds up to a time: a freeze is counted when the next frame
// comes, two seconds after its end, and the word follows the pictures that it sees.
func report(end, long int, stops []stop) events.Sample {
	x := events.Sample{At: at(end).UnixMicro(), Ms: 1000 * long, Word: Good, Up: num(700), Down: num(800), RTT: num(40), UpLoss: num(0), DownLoss: num(0)}
	for _, s := range stops {
		if s.to < end-long-6 || s.from >= end {
			continue
		}
		if s.what != events.PauseCamera {
			x.Word, x.Down = AudioOnly, num(20)
			if next := s.to + 2; next > end-long && next <= end {
				x.Word, x.Freezes, x.FreezeMs = Weak, x.Freezes+1, x.FreezeMs+1000*(next-s.from)
			}
		}
		if s.what == events.PauseHold || s.what == events.PauseCamera || s.what == events.PausePhoto {
			x.Up = num(30)
		}
		if s.what == events.PausePhoto {
			x.Faults = []events.DeviceFault{{What: "interrupted", Ms: 1000 * (s.to - s.from)}}
		}
		if s.what != "" && s.from < end {
			x.Pauses = append(x.Pauses, events.Pause{What: s.what, From: at(s.from).UnixMicro(), To: at(min(s.to, end)).UnixMicro()})
		}
	}
	return x
}

// reports are those of ten minutes, with windows of one to ten seconds.
func reports(t *rapid.T, stops []stop) (list []events.Sample) {
	for end := 0; end < length; {
		long := min(rapid.SampledFrom([]int{1, 3, 10, 10, 10}).Draw(t, "window"), length-end)
		end += long
		list = append(list, report(end, long, stops))
	}
	return list
}

func pauseKinds() []string {
	return []string{events.PauseHold, events.PauseHidden, events.PausePhoto, events.PauseCamera, events.PausePicture}
}

// Issue 9, A2: a picture that is stopped on purpose is no incident, on neither side, and makes none longer; a
// fault outside keeps its own length.
func TestPauses_AreNoIncidents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stops []stop
		for at := rapid.IntRange(1, 60).Draw(t, "first"); at < length-60; at += rapid.IntRange(1, 120).Draw(t, "until the next") {
			s := stop{at, at + rapid.IntRange(1, 40).Draw(t, "long"), rapid.SampledFrom(pauseKinds()).Draw(t, "what")}
			stops, at = append(stops, s), s.to
		}
		fault := stop{}
		if rapid.Bool().Draw(t, "fault?") {
			from := rapid.IntRange(40, length-60).Draw(t, "fault")
			fault = stop{from, from + rapid.IntRange(3, 15).Draw(t, "fault long"), ""}
			apart := func(s stop) bool { return s.to+25 < fault.from || fault.to+25 < s.from }
			stops = slices.DeleteFunc(stops, func(s stop) bool { return !apart(s) })
			stops = append(stops, fault)
		}
		s := Seat{ID: "p", Role: care.Patient, Stays: []Span{{at(0), at(length)}}, Ended: at(length), Samples: reports(t, stops)}
		list, err := Of([]Seat{s, {ID: "d", Role: care.Doctor, Stays: s.Stays, Ended: s.Ended}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range list {
			switch {
			case x.Word == Good:
			case fault.to == 0:
				t.Fatalf("%s (%+v) from %v to %v: pauses %v", x.Word, x.Cause, x.From, x.To, stops)
			case x.From.Before(at(fault.from-20)) || x.To.After(at(fault.to+25)):
				t.Fatalf("%s (%+v) from %v to %v: a pause makes a fault longer: %v", x.Word, x.Cause, x.From, x.To, stops)
			case x.Cause.Timed && x.Cause.Value > 1000*(fault.to+2-fault.from):
				t.Fatalf("%+v, of %v", x.Cause, fault)
			}
		}
		alone, err := Of([]Seat{{ID: "p", Role: care.Patient, Stays: s.Stays, Samples: without(s.Samples, fault)}}, nil)
		if fault.to > 0 && (err != nil || causesOf(alone) != causesOf(list)) {
			t.Fatalf("with pauses %s, without them %s, %v", causesOf(list), causesOf(alone), err)
		}
	})
}

// without gives the samples of the same windows when nothing but a fault happened.
func without(list []events.Sample, fault stop) []events.Sample {
	out := make([]events.Sample, len(list))
	for i, x := range list {
		out[i] = report(int(time.UnixMicro(x.At).Sub(ten()).Seconds()), x.Ms/1000, []stop{fault})
	}
	return out
}

func causesOf(list []Stretch) (s string) {
	for _, x := range list {
		if x.Cause != nil {
			s += fmt.Sprintf("%s %d %s–%s ", x.Cause.Code, x.Cause.Value, x.From.Format("04:05"), x.To.Format("04:05"))
		}
	}
	return s
}

// What a pause explains and what it does not, kind by kind.
func TestPauses_WhatIsStillProven(t *testing.T) {
	pause := func(what string, from, to int) []events.Pause {
		return []events.Pause{{What: what, From: at(from).UnixMicro(), To: at(to).UnixMicro()}}
	}
	frozen := events.Sample{Word: Weak, Freezes: 1, FreezeMs: 9000}
	lossy := events.Sample{Word: Weak, DownLoss: num(200), FreezeMs: 6000}
	for name, c := range map[string]struct {
		sample events.Sample
		pauses []events.Pause
		want   string
	}{
		"nobody paused":                        {frozen, nil, "frozen 9000 00:30–00:40 "},
		"long before":                          {frozen, pause(events.PauseHold, 5, 20), "frozen 9000 00:30–00:40 "},
		"held meanwhile":                       {frozen, pause(events.PauseHold, 29, 38), ""},
		"held, and it ended just before":       {frozen, pause(events.PauseHold, 20, 29), ""},
		"page hidden":                          {frozen, pause(events.PauseHidden, 30, 39), ""},
		"the other's camera was off":           {frozen, pause(events.PausePicture, 30, 39), ""},
		"since when the other's was is known":  {frozen, []events.Pause{{What: events.PausePicture, To: at(31).UnixMicro()}}, ""},
		"own camera off: the others' can stop": {frozen, pause(events.PauseCamera, 0, 40), "frozen 9000 00:30–00:40 "},
		"own photo":                            {frozen, pause(events.PausePhoto, 31, 35), ""},
		"a screen that stands still":           {frozen, pause(events.PauseScreen, 0, 40), ""},
		"packets lost beside the other's hold": {lossy, pause(events.PausePicture, 31, 35), "downlink-loss 200 00:30–00:40 "},
		"packets lost before a hold":           {lossy, pause(events.PauseHold, 36, 40), "downlink-loss 200 00:30–00:36 "},
		"packets lost on hold only":            {lossy, pause(events.PauseHold, 30, 40), ""},
		"no upload with the camera off":        {events.Sample{Word: Weak, Up: num(30), RTT: num(900)}, pause(events.PauseCamera, 0, 40), "slow 900 00:30–00:40 "},
		"media lost on hold":                   {events.Sample{Word: Lost, Faults: []events.DeviceFault{{What: "offline", Ms: 4000}}}, pause(events.PauseHold, 30, 40), "offline 4000 00:30–00:40 "},
		"camera taken by the photo":            {events.Sample{Word: Good, Faults: []events.DeviceFault{{What: "camera-lost", Ms: 4000}}}, pause(events.PausePhoto, 31, 35), ""},
		"camera lost on hold":                  {events.Sample{Word: Weak, Faults: []events.DeviceFault{{What: "camera-lost", Ms: 4000}}}, pause(events.PauseHold, 30, 40), "camera-lost 4000 00:30–00:40 "},
		"two weak stretches beside a hold":     {lossy, pause(events.PauseHold, 33, 36), "downlink-loss 200 00:36–00:40 "},
	} {
		c.sample.At, c.sample.Ms, c.sample.Pauses = at(40).UnixMicro(), 10_000, c.pauses
		list, err := Of([]Seat{{ID: "p", Role: care.Patient, Stays: []Span{{at(0), at(60)}}, Samples: []events.Sample{c.sample}}}, nil)
		if got := causesOf(list); err != nil || got != c.want {
			t.Errorf("%s: %q, want %q, %v", name, got, c.want, err)
		}
	}
}

// Two troubles with a pause between them are two: the pause makes neither longer.
func TestPauses_JoinNothing(t *testing.T) {
	for _, paused := range []bool{false, true} {
		var samples []events.Sample
		for s := 10; s <= 60; s += 10 {
			x := events.Sample{At: at(s).UnixMicro(), Ms: 10_000, Word: Good}
			if s == 20 || s == 40 {
				x.Word, x.RTT = Weak, num(900)
			}
			if s == 30 && paused {
				x.Pauses = []events.Pause{{What: events.PauseHold, From: at(20).UnixMicro(), To: at(30).UnixMicro()}}
			}
			samples = append(samples, x)
		}
		list, err := Of([]Seat{{ID: "p", Role: care.Patient, Stays: []Span{{at(0), at(60)}}, Samples: samples}}, nil)
		want := map[bool]string{false: "slow 900 00:10–00:40 ", true: "slow 900 00:10–00:20 slow 900 00:30–00:40 "}[paused]
		if got := causesOf(list); err != nil || got != want {
			t.Errorf("paused %v: %q, want %q, %v", paused, got, want, err)
		}
	}
}
