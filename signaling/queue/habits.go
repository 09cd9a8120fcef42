package queue

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"time"

	"visavis/internal/care"
)

// Held is one act that took place.
type Held struct {
	Kind                              care.ActKind
	Planned, Arrived, Admitted, Ended time.Time
}

// Habits are what the acts that took place tell of a professional.
type Habits struct {
	acts   map[care.ActKind]minutes
	counts map[care.ActKind]int
	pause  minutes // between two acts
	late   minutes // of the first act of a day
	show   float64 // share of those awaited who come
	early  float64 // share of patients admitted before their time, when that was possible
}

// Known tells how many acts of a kind the habits rest on.
func (h *Habits) Known(k care.ActKind) int { return h.counts[usual(k)] }

const (
	longBreak = 3 * time.Hour    // after it a day begins
	early     = 90 * time.Second // before the planned time: no rounding any more
	longPause = 45               // minutes; longer, and it was a meal, not a pause
)

//go:embed guesses.tsv
var guesses string

// Learn reads the habits from the acts that took place, in any order.
func Learn(list []Held) *Habits {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Held) int { return a.Admitted.Compare(b.Admitted) })
	lasted := map[care.ActKind][]float64{}
	var pauses, lates []float64
	could, did := 2.0, 1.0 // nothing known: one in two
	for i, a := range list {
		if a.Admitted.IsZero() || !a.Ended.After(a.Admitted) {
			continue
		}
		lasted[usual(a.Kind)] = append(lasted[usual(a.Kind)], a.Ended.Sub(a.Admitted).Minutes())
		if i == 0 || a.Admitted.Sub(list[i-1].Ended) > longBreak {
			lates = append(lates, max(0, a.Admitted.Sub(latest(a.Planned, a.Arrived)).Minutes()))
			continue
		}
		ready := latest(list[i-1].Ended, a.Arrived)
		from := latest(ready, a.Planned)
		if a.Planned.Sub(ready) > early {
			could++
			if a.Planned.Sub(a.Admitted) > early {
				did++
				from = ready
			}
		}
		if m := a.Admitted.Sub(from).Minutes(); m < longPause {
			pauses = append(pauses, max(0, m))
		}
	}
	h := &Habits{acts: map[care.ActKind]minutes{}, counts: map[care.ActKind]int{}, early: did / could}
	h.supposed(func(what string, kind care.ActKind, median, spread, weight float64) {
		switch what {
		case "pause":
			h.pause = learnt(decay(median), weight, pauses)
		case "come":
			h.show = median
		case "late":
			h.late = learnt(decay(median), weight, lates)
		default:
			h.acts[kind], h.counts[kind] = learnt(around(median, spread), weight, lasted[kind]), len(lasted[kind])
		}
	})
	return h
}

// supposed reads guesses.tsv, which a test reads too: its numbers are numbers.
func (h *Habits) supposed(take func(what string, kind care.ActKind, median, spread, weight float64)) {
	for line := range strings.Lines(guesses) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if strings.HasPrefix(line, "#") || len(f) != 5 {
			continue
		}
		var n [3]float64
		for i := range n {
			n[i], _ = strconv.ParseFloat(f[2+i], 64) // of our own file, read by a test
		}
		take(f[0], care.ActKind(f[1]), n[0], n[1], n[2])
	}
}

// act is how long an act of a kind lasts.
func (h *Habits) act(k care.ActKind) minutes { return h.acts[usual(k)] }

// usual takes a kind that is not in the file for a teleconsultation.
func usual(k care.ActKind) care.ActKind {
	switch k {
	case care.Teleassistance, care.Telecare, care.Teleexpertise:
		return k
	}
	return care.Teleconsultation
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
