package queue

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"visavis/internal/care"

	"pgregory.net/rapid"
)

func noon() time.Time { return time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC) }

func minute(n int) time.Duration { return time.Duration(n) * time.Minute }

// steady is a professional whose acts lasted n minutes each, and who keeps to
// the timetable.
func steady(n, acts int) []Held {
	var list []Held
	for i := range acts {
		at := noon().Add(-minute(15 * (acts - i)))
		list = append(list, Held{care.Teleconsultation, at, at.Add(-minute(10)), at, at.Add(minute(n))})
	}
	return list
}

func waiting(planned ...int) []Place {
	var list []Place
	for i, p := range planned {
		list = append(list, Place{Seat: fmt.Sprint(i), Kind: care.Teleconsultation, Planned: noon().Add(minute(p)), Arrived: noon().Add(-minute(10))})
	}
	return list
}

func TestOrderIsStable(t *testing.T) {
	now := noon()
	list := []Place{{Seat: "late", Planned: now.Add(time.Hour), Arrived: now}, {Seat: "second", Planned: now, Arrived: now.Add(2 * time.Second)}, {Seat: "first", Planned: now, Arrived: now.Add(time.Second)}}
	Order(list)
	for i, want := range []string{"first", "second", "late"} {
		if Position(list, want) != i+1 {
			t.Errorf("%s is at %d", want, Position(list, want))
		}
	}
	if Position(list, "absent") != 0 {
		t.Error("an absent seat has a place")
	}
}

func TestWhatIsSaid(t *testing.T) {
	for name, tc := range map[string]struct {
		o        Outlook
		list     []Place
		known    bool
		least    int // From is at least
		most     int // To is at most
		measured bool
		late     bool
	}{
		"nobody there, time passed: nothing is promised": {Outlook{}, waiting(-6), false, 0, 0, false, true},
		"nobody there, in 20 minutes":                    {Outlook{Habits: Learn(nil)}, waiting(20), true, 20, 40, false, false},
		"there and free, my time":                        {Outlook{HostOnline: true, Habits: Learn(nil)}, waiting(0), true, 0, 7, false, false},
		"two ahead, nothing measured":                    {Outlook{HostOnline: true, Habits: Learn(nil)}, waiting(0, 0, 0), true, 12, 65, false, true},
		"two ahead, measured":                            {Outlook{HostOnline: true, Habits: Learn(steady(10, 30))}, waiting(0, 0, 0), true, 16, 34, true, true},
		"in an act for 4 minutes":                        {Outlook{HostOnline: true, BusySince: noon().Add(-minute(4)), Habits: Learn(steady(10, 30))}, waiting(6), true, 3, 16, true, false},
		"an act that lasts longer than any":              {Outlook{HostOnline: true, BusySince: noon().Add(-minute(200)), Habits: Learn(steady(10, 60))}, waiting(0), true, 0, 200, true, false},
		"the whole morning is still to come":             {Outlook{HostOnline: true, Habits: Learn(steady(30, 40))}, waiting(0, 60, 60, 60), true, 40, 240, true, false},
		"late for sure":                                  {Outlook{HostOnline: true, BusySince: noon().Add(-minute(2)), Habits: Learn(steady(30, 40))}, waiting(0), true, 8, 60, true, true},
	} {
		tc.o.Now = noon()
		all := tc.o.Estimate(tc.list)
		w := all[len(all)-1]
		if w.Known != tc.known || w.From < tc.least || w.To > tc.most || w.Measured != tc.measured || (w.Late > 0) != tc.late {
			t.Errorf("%s: %+v, want %+v", name, w, tc)
		}
	}
}

func TestWhoCameLateMakesNobodyLate(t *testing.T) {
	list := waiting(-30)
	list[0].Arrived = noon().Add(-minute(10))
	if w := (Outlook{Now: noon(), Habits: Learn(nil)}).Estimate(list)[0]; w.Late != 0 {
		t.Errorf("said to be %d minutes late to who was late", w.Late)
	}
}

// TestTheIntervalIsOne: ends in order, nobody behind is earlier than who is
// ahead, distributions sum to 1, whatever the past.
func TestTheIntervalIsOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := func(name string, a, b int) int { return rapid.IntRange(a, b).Draw(t, name) }
		var past []Held
		at := noon().Add(-72 * time.Hour)
		for range n("acts", 0, 30) {
			at = at.Add(minute(n("gap", -5, 600)))
			a := Held{rapid.SampledFrom([]care.ActKind{care.Teleconsultation, care.Telecare, "other"}).Draw(t, "kind"), at.Add(minute(n("planned", -60, 60))), at.Add(-minute(n("arrived", 0, 90))), at, at.Add(minute(n("lasted", -1, 400)))}
			past, at = append(past, a), a.Ended
		}
		h := Learn(past)
		for name, d := range map[string]minutes{"act": h.act(care.Teleconsultation), "other": h.act("other"), "pause": h.pause, "late": h.late, "rest": h.act(care.Telecare).rest(n("spent", -5, 500))} {
			sum := 0.0
			for _, p := range d {
				if p < 0 {
					t.Fatalf("%s: %v", name, d)
				}
				sum += p
			}
			if math.Abs(sum-1) > 1e-6 {
				t.Fatalf("%s sums to %v", name, sum)
			}
		}
		o := Outlook{Now: noon(), HostOnline: rapid.Bool().Draw(t, "online"), Habits: h}
		if rapid.Bool().Draw(t, "busy") {
			o.BusySince, o.BusyKind = noon().Add(-minute(n("since", 0, 300))), care.Teleconsultation
		}
		var list []Place
		for range n("places", 1, 5) {
			list = append(list, Place{Planned: noon().Add(minute(n("place", -60, 120))), Arrived: noon().Add(-minute(n("came", 0, 60))), Kind: care.Teleconsultation})
		}
		Order(list)
		last := Wait{}
		for i, w := range o.Estimate(list) {
			if !w.Known {
				continue
			}
			if w.From < 0 || w.To < w.From+2 || w.To > horizon+2 || w.Late < 0 || i > 0 && last.Known && (w.From < last.From || w.To < last.To) {
				t.Fatalf("%d: %+v after %+v", i, w, last)
			}
			last = w
		}
	})
}

// day is one simulated day of a professional.
type character struct {
	median, spread float64 // of an act
	slot           int
	early          float64 // takes who is there before their time
	start          float64 // mean lateness in the morning
	absent         float64
}

type visit struct {
	Place
	admitted, ended time.Time
	absent          bool
}

// simulate makes a morning: patients come around their time, the professional
// takes the first who is there.
func simulate(r *rand.Rand, c character, morning time.Time, patients int) (list []visit, begins time.Time) {
	for i := range patients {
		at := morning.Add(minute(i * c.slot))
		come := at.Add(-minute(15) + time.Duration(r.ExpFloat64()*float64(minute(7))))
		list = append(list, visit{Place: Place{Seat: fmt.Sprint(i), Kind: care.Teleconsultation, Planned: at, Arrived: come}, absent: r.Float64() < c.absent})
	}
	begins = morning.Add(time.Duration(r.ExpFloat64() * c.start * float64(time.Minute)))
	for now := begins; ; {
		next, soonest := -1, time.Time{}
		for i, v := range list {
			if v.absent || !v.admitted.IsZero() {
				continue
			}
			if !v.Arrived.After(now) { // the first by planned time of those who are there
				next = i
				break
			}
			if soonest.IsZero() || v.Arrived.Before(soonest) {
				soonest = v.Arrived
			}
		}
		if next < 0 {
			if soonest.IsZero() {
				return list, begins
			}
			now = soonest
			continue
		}
		v := &list[next]
		if v.Planned.After(now) && r.Float64() >= c.early {
			now = v.Planned
		}
		v.admitted = now.Add(time.Duration(r.ExpFloat64() * 1.5 * float64(time.Minute)))
		v.ended = v.admitted.Add(time.Duration(c.median * math.Exp(c.spread*r.NormFloat64()) * float64(time.Minute)))
		now = v.ended
	}
}

// TestEightOfTenAreInside plays weeks of several professionals, the first of
// whom nothing is known, and asks at each five minutes what every patient who
// waits is told (product M8: 80 % inside the interval).
func TestEightOfTenAreInside(t *testing.T) {
	for name, c := range map[string]character{
		"brief and punctual":      {9, 0.35, 15, 0, 2, 0.05},
		"always behind":           {17, 0.45, 15, 1, 10, 0.05},
		"takes who is there":      {11, 0.5, 15, 1, 4, 0.1},
		"sometimes early, uneven": {12, 0.65, 20, 0.4, 6, 0.1},
		"long sessions":           {27, 0.25, 30, 0.2, 3, 0.05},
	} {
		r := rand.New(rand.NewPCG(7, 9))
		var past []Held
		in, all, first, firstAll, width := 0, 0, 0, 0, 0
		for d := range 25 {
			morning := time.Date(2026, 1, 2+d, 9, 0, 0, 0, time.UTC)
			list, begins := simulate(r, c, morning, 10)
			h := Learn(past)
			for now := morning.Add(-minute(10)); now.Before(morning.Add(5 * time.Hour)); now = now.Add(minute(5)) {
				o := Outlook{Now: now, HostOnline: !now.Before(begins), Habits: h, FreeSince: begins}
				var here []Place
				var truth []time.Time
				for _, v := range list {
					switch {
					case v.Arrived.After(now) || v.absent:
						o.Awaited = append(o.Awaited, Awaited{v.Kind, v.Planned, care.EncounterID(v.Seat)})
					case !v.Arrived.After(now) && v.admitted.After(now):
						here, truth = append(here, v.Place), append(truth, v.admitted)
					case !v.admitted.After(now) && v.ended.After(now):
						o.BusySince, o.BusyKind = v.admitted, v.Kind
					case !v.ended.After(now) && v.ended.After(o.FreeSince):
						o.FreeSince = v.ended
					}
				}
				for i, w := range o.Estimate(here) {
					if !w.Known {
						continue
					}
					real := truth[i].Sub(now).Minutes()
					ok := real >= float64(w.From) && real <= float64(w.To)
					all, width = all+1, width+w.To-w.From
					if ok {
						in++
					}
					if d == 0 {
						firstAll++
						if ok {
							first++
						}
					}
				}
			}
			for _, v := range list {
				if !v.absent {
					past = append(past, Held{v.Kind, v.Planned, v.Arrived, v.admitted, v.ended})
				}
			}
			past = past[max(0, len(past)-60):]
		}
		share := float64(in) / float64(all)
		t.Logf("%-30s %4d asked, %.0f %% inside, %.0f minutes wide; first day %d of %d", name, all, 100*share, float64(width)/float64(all), first, firstAll)
		if share < 0.80 || share > 0.985 {
			t.Errorf("%s: %.1f %% inside", name, 100*share)
		}
		if float64(first) < 0.6*float64(firstAll) {
			t.Errorf("%s: on the first day %d of %d", name, first, firstAll)
		}
	}
}

func TestRecall(t *testing.T) {
	away := waiting(0)
	away[0].Seen = noon().Add(-minute(3))
	o := Outlook{Now: noon(), HostOnline: true, Habits: Learn(steady(10, 30))}
	for name, tc := range map[string]struct {
		o    Outlook
		list []Place
		want bool
	}{
		"nobody":                  {o, nil, false},
		"free, first away":        {o, away, true},
		"first is here":           {o, func() []Place { l := slices.Clone(away); l[0].Seen = noon(); return l }(), false},
		"told already":            {o, func() []Place { l := slices.Clone(away); l[0].Recalled = noon().Add(-minute(1)); return l }(), false},
		"the second is away":      {o, append([]Place{{Seat: "x", Seen: noon(), Planned: noon().Add(-minute(5)), Kind: care.Teleconsultation}}, away...), false},
		"the act has just begun":  {Outlook{Now: noon(), HostOnline: true, BusySince: noon(), Habits: o.Habits}, away, false},
		"the act is near its end": {Outlook{Now: noon(), HostOnline: true, BusySince: noon().Add(-minute(8)), Habits: o.Habits}, away, true},
		"nobody there":            {Outlook{Now: noon(), Habits: o.Habits}, away, false},
		"punctual, and not their time": {o, func() []Place {
			l := waiting(40)
			l[0].Seen = noon().Add(-minute(3))
			l[0].Arrived = noon().Add(-minute(30))
			return l
		}(), false},
	} {
		if _, got := tc.o.Recall(tc.list, 5, 45*time.Second); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestGuessesAreNumbers(t *testing.T) {
	n := 0
	(&Habits{}).supposed(func(what string, kind care.ActKind, median, spread, weight float64) {
		n++
		if median <= 0 || what != "come" && weight <= 0 || what == "act" && spread <= 0 {
			t.Errorf("%s %s: %v %v %v", what, kind, median, spread, weight)
		}
	})
	if n != 7 {
		t.Errorf("%d lines", n)
	}
}

func awaited(planned ...int) []Awaited {
	var list []Awaited
	for _, p := range planned {
		list = append(list, Awaited{care.Teleconsultation, noon().Add(minute(p)), care.EncounterID(fmt.Sprint(p))})
	}
	return list
}

// M8, 4.8 step 4: only what is sure is said, of the next ones only, and no more
// than can be known.
func TestWhoIsToldOfADelay(t *testing.T) {
	busy := func(since int, coming ...int) Outlook {
		return Outlook{Now: noon(), HostOnline: true, BusySince: noon().Add(-minute(since)), BusyKind: care.Teleconsultation, Habits: Learn(steady(30, 60)), Awaited: awaited(coming...)}
	}
	free := Outlook{Now: noon(), HostOnline: true, FreeSince: noon().Add(-minute(20)), Habits: Learn(steady(30, 60)), Awaited: awaited(5, 20)}
	away := Outlook{Now: noon(), Habits: Learn(steady(30, 60)), Awaited: awaited(10)}
	for name, tc := range map[string]struct {
		o    Outlook
		list []Place
		want string // planned:level of each, * when nobody knows until when
	}{
		"nobody is to come":                   {busy(5), nil, ""},
		"the professional is free":            {free, nil, ""},
		"in time":                             {busy(25, 15, 60), nil, ""},
		"an act has just begun":               {busy(0, 5, 100), nil, "5:10"},
		"two wait before them":                {busy(0, 15, 100), waiting(-20, -5), "15:30"},
		"only the next three":                 {busy(0, 20, 21, 22, 23), waiting(-45, -30, -20, -10, -5), "20:120 21:120 22:120"},
		"further away, it is not known":       {busy(0, 31), waiting(-45, -30, -20), ""},
		"who is late themselves":              {busy(0, -16), waiting(-20), ""},
		"the professional is not there":       {away, waiting(-20, -10), "10:30*"},
		"not there, and nobody waits past it": {away, waiting(5, 8), ""},
		"not there, and who waits has just come": {away, func() []Place {
			l := waiting(-20)
			l[0].Arrived = noon()
			return l
		}(), ""},
	} {
		var got []string
		for _, d := range tc.o.Delays(tc.list, 3) {
			until := int(d.Planned.Sub(noon()) / time.Minute)
			said := fmt.Sprintf("%d:%d", until, d.Level)
			if d.To == 0 {
				said += "*"
			} else if d.To < d.From+2 {
				t.Errorf("%s: %+v", name, d)
			}
			if d.From-until < d.Level {
				t.Errorf("%s: %d minutes late are not sure: %+v", name, d.Level, d)
			}
			got = append(got, said)
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%s: %v, want %q", name, got, tc.want)
		}
	}
}

// TestADelayThatIsToldComes plays the days of professionals who run late: who is
// told of a delay, and comes as they would have, is seldom taken before it ends.
func TestADelayThatIsToldComes(t *testing.T) {
	told, early, inside := 0, 0, 0
	for name, c := range map[string]character{
		"always behind":           {17, 0.45, 15, 1, 10, 0.05},
		"takes who is there":      {14, 0.5, 15, 1, 10, 0.1},
		"sometimes early, uneven": {19, 0.65, 20, 0.4, 10, 0.1},
	} {
		r := rand.New(rand.NewPCG(3, 5))
		var past []Held
		for d := range 20 {
			morning := time.Date(2026, 1, 2+d, 9, 0, 0, 0, time.UTC)
			list, begins := simulate(r, c, morning, 10)
			h := Learn(past)
			levels := map[care.EncounterID]int{}
			for now := begins; now.Before(morning.Add(5 * time.Hour)); now = now.Add(minute(4)) {
				o := Outlook{Now: now, HostOnline: true, Habits: h, FreeSince: begins}
				var here []Place
				for _, v := range list {
					switch {
					case v.Arrived.After(now) || v.absent:
						o.Awaited = append(o.Awaited, Awaited{v.Kind, v.Planned, care.EncounterID(v.Seat)})
					case v.admitted.After(now):
						here = append(here, v.Place)
					case v.ended.After(now):
						o.BusySince, o.BusyKind = v.admitted, v.Kind
					case v.ended.After(o.FreeSince):
						o.FreeSince = v.ended
					}
				}
				Order(here)
				for _, say := range o.Delays(here, 3) {
					v := list[slices.IndexFunc(list, func(v visit) bool { return v.Seat == string(say.Act) })]
					if v.absent || say.Level <= levels[say.Act] {
						continue
					}
					levels[say.Act] = say.Level
					in := v.admitted.Sub(now).Minutes()
					told++
					if in < float64(say.From) {
						early++
					} else if in <= float64(say.To) {
						inside++
					}
				}
			}
			for _, v := range list {
				if !v.absent {
					past = append(past, Held{v.Kind, v.Planned, v.Arrived, v.admitted, v.ended})
				}
			}
			past = past[max(0, len(past)-60):]
		}
		t.Logf("with %s: %d told, %d taken before, %d inside", name, told, early, inside)
	}
	if told < 60 || early*100 > told*10 || inside*100 < told*70 {
		t.Errorf("of %d told %d were taken before the delay was over, %d inside", told, early, inside)
	}
}
