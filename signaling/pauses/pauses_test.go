package pauses

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"visavis/internal/events"
)

func at(s int) time.Time { return time.Date(2026, 3, 10, 10, 0, s, 0, time.UTC) }

func told(list []events.Pause) string {
	var out []string
	for _, p := range list {
		from := "?"
		if p.From > 0 {
			from = fmt.Sprint(time.UnixMicro(p.From).Sub(at(0)).Seconds())
		}
		out = append(out, fmt.Sprintf("%s %s-%v", p.What, from, time.UnixMicro(p.To).Sub(at(0)).Seconds()))
	}
	return strings.Join(out, ", ")
}

// The pauses stored with the samples of the patient and of the doctor, both from 100 s to 110 s.
func TestLog_Of(t *testing.T) {
	on := func(s *Seat) { s.Camera = true }
	type step struct {
		at int
		p  func(*Seat) // the state of the patient's seat; nil when it is not in the call
		d  func(*Seat)
	}
	held := func(s *Seat) { s.Camera, s.Held = true, true }
	for name, c := range map[string]struct {
		steps           []step
		patient, doctor string
	}{
		"nothing":                          {[]step{{0, on, on}}, "", ""},
		"held":                             {[]step{{0, on, on}, {50, held, on}, {104, on, on}}, "hold 50-104", "picture 50-104"},
		"held long ago":                    {[]step{{0, on, on}, {50, held, on}, {80, on, on}}, "", ""},
		"still held":                       {[]step{{0, on, on}, {60, held, on}}, "hold 60-110", ""},
		"held just now":                    {[]step{{0, on, on}, {108, held, on}}, "hold 108-110", "picture 108-110"},
		"after the sample":                 {[]step{{0, on, on}, {111, held, on}}, "", ""},
		"camera off":                       {[]step{{0, on, on}, {60, func(*Seat) {}, on}, {105, on, on}}, "camera 60-105", "picture 60-105"},
		"camera never on":                  {[]step{{0, func(*Seat) {}, on}}, "camera 0-110", ""},
		"photo":                            {[]step{{0, on, on}, {60, func(s *Seat) { s.Camera, s.Photo = true, true }, on}, {103, on, on}}, "photo 60-103", "picture 60-103"},
		"left, and came back":              {[]step{{0, on, on}, {60, nil, on}, {103, on, on}}, "camera 60-103", "picture 60-103"},
		"screen":                           {[]step{{0, on, on}, {60, func(s *Seat) { s.Camera, s.Screen = true, true }, on}}, "", "screen 60-110"},
		"in the call before this process":  {[]step{{101, func(s *Seat) { s.Camera, s.Before = true, true }, on}}, "camera ?-101", "picture ?-101"},
		"held before this process":         {[]step{{101, func(s *Seat) { s.Camera, s.Held, s.Before = true, true, true }, on}}, "camera ?-101, hold ?-110", "picture ?-101"},
		"twice, with less than Look apart": {[]step{{0, on, on}, {95, held, on}, {98, on, on}, {102, held, on}, {104, on, on}}, "hold 95-104", "picture 95-104"},
	} {
		var l Log
		for _, s := range c.steps {
			var list []Seat
			for id, f := range map[string]func(*Seat){"p": s.p, "d": s.d} {
				if f != nil {
					x := Seat{ID: id}
					f(&x)
					list = append(list, x)
				}
			}
			l.Set(at(s.at), list)
		}
		if got := told(l.Of("p", at(100), at(110))); got != c.patient {
			t.Errorf("%s: the patient is told %q, want %q", name, got, c.patient)
		}
		if got := told(l.Of("d", at(100), at(110))); got != c.doctor {
			t.Errorf("%s: the doctor is told %q, want %q", name, got, c.doctor)
		}
	}
}

// A hidden page, a thumbnail that is not visible, and one that is shown again.
func TestLog_View(t *testing.T) {
	var l Log
	l.Set(at(0), []Seat{{ID: "p", Camera: true}, {ID: "d", Camera: true}})
	l.View(at(10), "nobody", map[string]int{"1": 0})
	l.View(at(10), "p", map[string]int{"1": 300, "2": 0})
	l.View(at(40), "p", map[string]int{"1": 0, "2": 0})
	if got := told(l.Of("p", at(40), at(50))); got != "hidden 40-50" {
		t.Error(got)
	}
	l.View(at(60), "p", map[string]int{"1": 300, "2": 0})
	if got := told(l.Of("p", at(60), at(65))); got != "hidden 40-60, picture 40-60" {
		t.Error(got)
	}
	l.View(at(100), "p", nil)
	if got := told(l.Of("p", at(95), at(105))); got != "picture 10-100" {
		t.Error(got)
	}
	if got := told(l.Of("d", at(0), at(110))); got != "" {
		t.Errorf("what the patient sees is not the doctor's: %s", got)
	}
}

// A seat that comes after another left may be given its place, and then continues its stream.
func TestLog_PlaceOfOneThatLeft(t *testing.T) {
	var l Log
	two := []Seat{{ID: "p", Camera: true}, {ID: "d", Camera: true}}
	l.Set(at(0), append(two, Seat{ID: "n", Camera: true}))
	if got := told(l.Of("p", at(0), at(10))); got != "" {
		t.Error(got)
	}
	l.Set(at(60), two)
	l.Set(at(100), append(two, Seat{ID: "c", Camera: true}))
	if got := told(l.Of("p", at(95), at(105))); got != "picture ?-100" {
		t.Error(got)
	}
}

// More pauses than are kept are joined, none is dropped.
func TestLog_ManyPauses(t *testing.T) {
	var l Log
	for i := range 4 * most {
		l.Set(at(10).Add(time.Duration(i)*100*time.Millisecond), []Seat{{ID: "p", Camera: true, Held: i%2 == 1}})
	}
	if got := told(l.Of("p", at(22), at(30))); got != "hold 10.1-22.8" && got != "hold 10.1-30" {
		t.Error(got)
	}
}

// Whatever a client does and however often, little is kept, and every pause near a sample is covered.
func TestLog_Bounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		var l Log
		l.Set(at(0), []Seat{{ID: "p", Camera: true}, {ID: "d", Camera: true}})
		held, since := false, 0
		for s := 1; s < 300; s++ {
			if r.IntN(2) == 0 {
				held, since = !held, s
			}
			l.Set(at(s), []Seat{{ID: "p", Camera: r.IntN(2) == 0, Held: held}, {ID: "d", Camera: r.IntN(2) == 0}})
			l.View(at(s), "p", map[string]int{fmt.Sprint(r.IntN(1000)): r.IntN(2)})
			list := l.Of("p", at(s-1), at(s))
			if len(list) > 20 {
				t.Fatalf("%d pauses", len(list))
			}
			covered := false
			for _, p := range list {
				covered = covered || p.What == events.PauseHold && p.From <= at(since).UnixMicro() && p.To >= at(s).UnixMicro()
			}
			if held && !covered {
				t.Fatalf("held since %d at %d: %s", since, s, told(list))
			}
		}
		for k, list := range l.spans {
			if len(list) > most {
				t.Fatalf("%v: %d", k, len(list))
			}
		}
		if len(l.hidden) > 1 {
			t.Fatalf("%d pictures not shown", len(l.hidden))
		}
	})
}
