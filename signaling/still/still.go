// Package still holds the photos that a host asks for in a call (docs/signaling.md §5, still): one open
// request for a seat, kept in the database so that a reload, another session or a restart of the server
// changes nothing, and settled once: refused, failed, or kept with the photo. The photo itself is of
// another module.
package still

import (
	"time"

	"visavis/internal/care"
	"visavis/internal/store"
)

// How long a request is told, and how long the photo that answers it is taken: who has begun may finish.
const (
	Told  = 5 * time.Minute
	Taken = 15 * time.Minute
)

// State is where a request stands.
type State string

// The states of a request. All but Asked are final. Dropped is never told: asked again after Told, or the seat
// went away.
const (
	Asked   State = "asked"
	Refused State = "refused" // by the person
	Failed  State = "failed"  // the device or the network did not let them
	Kept    State = "kept"    // the photo is in the record
	Dropped State = "dropped"
)

// Request is one photo asked for.
type Request struct {
	ID        string
	Encounter care.EncounterID
	Seat, By  string // who is asked, and the seat of who asks
	State     State
	Still     string // of the photo, once kept
	At        time.Time
}

// Answer tells whether a client may settle a request with this word.
func Answer(word State) bool { return word == Refused || word == Failed }

// Shown tells whether a request is still told to clients.
func (r Request) Shown(now time.Time) bool { return r.State != Dropped && now.Sub(r.At) < Told }

// Waits tells whether the photo that answers the request is still taken.
func (r Request) Waits(now time.Time) bool { return r.State == Asked && now.Sub(r.At) < Taken }

// Ask keeps a request; fresh is false, and nothing is done, when one is open for that seat.
func Ask(tx *store.Tx, r Request) (fresh bool, err error) {
	if err := dropOlder(tx, r.Seat, store.Micros(r.At.Add(-Told))); err != nil {
		return false, err
	}
	r.State = Asked
	return insert(tx, r)
}

// Settle gives an open request its end, once; done is false when it has one. photo is empty unless state is
// Kept.
func Settle(tx *store.Tx, id string, state State, photo string) (done bool, err error) {
	return settle(tx, id, state, photo)
}

// Find gives a request; it fails as NotFound.
func Find(tx *store.Tx, id string) (Request, error) { return find(tx, id) }

// Of gives the requests of an act that are told at now, the oldest first, one for each seat.
func Of(tx *store.Tx, id care.EncounterID, now time.Time) ([]Request, error) {
	list, err := since(tx, id, store.Micros(now.Add(-Told)))
	return Last(list, now), err
}

// Last leaves of a list, which is in the order of time, what is told at now: the last request of each seat.
func Last(list []Request, now time.Time) []Request {
	out := make([]Request, 0, len(list))
	for i, r := range list {
		later := false
		for _, x := range list[i+1:] {
			later = later || x.Seat == r.Seat
		}
		if !later && r.Shown(now) {
			out = append(out, r)
		}
	}
	return out
}
