package encounters

import (
	"cmp"
	"slices"
	"time"

	"visavis/internal/care"
)

// Presence is one stay of a person in the call; LeftAt is zero while it lasts.
type Presence struct {
	ID       string
	PersonID string
	SeatID   string
	Role     care.Role
	JoinedAt time.Time
	LeftAt   time.Time
	Assumed  bool      // nobody saw them leave: LeftAt is when they were last known to be there
	How      string    // the proven cause of the departure, of events.Left…; empty at the end of the act, or when nothing proves one
	ToldAt   time.Time // when we learnt that they joined; it may be after the end
}

// cutOff tells whether the patient is in the call and cut from it: what was lost
// last did not come back, and they did not leave.
func (e *Encounter) cutOff() bool {
	var lost bool
	seats := map[string]bool{}
	for _, p := range e.Presence {
		if p.PersonID == string(e.PatientID) {
			seats[p.SeatID] = p.LeftAt.IsZero() || p.Assumed
		}
	}
	for _, i := range e.Incidents {
		if !seats[i.SeatID] {
			continue
		}
		switch i.Code {
		case "connection_lost", "media_lost", "node_lost":
			lost = true
		case "connection_restored", "media_restored":
			lost = false
		}
	}
	return lost
}

// departure is a fact about a seat: its person left.
type departure struct {
	seat    string
	at      time.Time
	assumed bool
	told    time.Time // when signaling said it
	how     string
}

// counts tells whether a departure may say anything about an act that ended at
// end. An assumed departure is a guess from silence: it is void when it was made
// after the end, because everybody falls silent then.
func (d departure) counts(end time.Time) bool {
	return !d.assumed || end.IsZero() || !d.told.After(end)
}

// stays puts arrivals (LeftAt unset) and departures together. The order in
// which they were told does not matter, nor that one was told twice. A
// departure that was seen goes before one that was assumed. end is the end of
// the act, zero while it lasts: it ends every stay, what comes after it is not of
// the act, and a departure that was assumed after it is void.
func stays(arrivals []Presence, left []departure, end time.Time) []Presence {
	seats := map[string][]Presence{}
	for _, p := range arrivals {
		if end.IsZero() || !p.JoinedAt.After(end) {
			seats[p.SeatID] = append(seats[p.SeatID], p)
		}
	}
	out := make([]Presence, 0, len(arrivals))
	for seat, joined := range seats {
		slices.SortFunc(joined, func(a, b Presence) int { return cmp.Or(a.JoinedAt.Compare(b.JoinedAt), cmp.Compare(a.ID, b.ID)) })
		var gone []departure
		for _, d := range left {
			if d.seat == seat && d.counts(end) {
				gone = append(gone, d)
			}
		}
		slices.SortFunc(gone, func(a, b departure) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.how, b.how)) })
		out = append(out, ofSeat(joined, gone)...)
	}
	for i := range out {
		if p := &out[i]; !end.IsZero() && (p.LeftAt.IsZero() || p.LeftAt.After(end)) {
			p.LeftAt, p.Assumed, p.How = end, false, ""
		}
	}
	slices.SortFunc(out, func(a, b Presence) int { return cmp.Or(a.JoinedAt.Compare(b.JoinedAt), cmp.Compare(a.ID, b.ID)) })
	return out
}

// ofSeat gives the stays of one seat, both lists in the order of time. Who
// joins while there has not left: it is the same stay.
func ofSeat(joined []Presence, gone []departure) (out []Presence) {
	for i, p := range joined {
		p.LeftAt, p.Assumed, p.How = time.Time{}, false, ""
		if last := len(out) - 1; last >= 0 {
			if out[last].LeftAt.IsZero() {
				p = out[last]
				out = out[:last]
			}
		}
		for _, d := range gone {
			if d.at.Before(joined[i].JoinedAt) || i+1 < len(joined) && !d.at.Before(joined[i+1].JoinedAt) {
				continue
			}
			if !d.assumed {
				p.LeftAt, p.Assumed, p.How = d.at, false, d.how
				break
			}
			if p.LeftAt.IsZero() {
				p.LeftAt, p.Assumed, p.How = d.at, true, d.how
			}
		}
		out = append(out, p)
	}
	return out
}
