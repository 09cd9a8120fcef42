package signaling

import (
	"time"

	"visavis/internal/care"
)

// State is where a seat stands.
type State string

// The states of a seat (docs/signaling.md §5).
const (
	Waiting  State = "waiting"
	Admitted State = "admitted"
	Left     State = "left"
	Lapsed   State = "lapsed"
	Removed  State = "removed"
	Ended    State = "ended"
)

// keepFor is how long a waiting seat keeps its place without a sign of life.
const keepFor = 30 * time.Minute

// lostFor is after how long without a sign of life somebody is taken to have
// left the call: two missed touches and the time a lost socket may come back.
const lostFor = 3*touchEvery + resumeFor

// Seat is what one person holds in one encounter.
type Seat struct {
	ID          string
	EncounterID care.EncounterID
	PatientID   care.PatientID // of the act: its chat is sealed under this key
	PersonID    string         // a PatientID or a StaffID
	Role        care.Role
	Host        bool
	State       State
	Queue       care.StaffID // the professional whose queue this is
	Planned     time.Time
	ArrivedAt   time.Time
	AdmittedAt  time.Time // zero: never admitted
	SeenAt      time.Time
	EndedAt     time.Time
	JoinedAt    time.Time // into the call; zero when not in it. The scribe writes it
}

// next lists what a state may become; removed and ended are final.
func (s State) next() []State {
	switch s {
	case Waiting:
		return []State{Admitted, Removed, Lapsed, Left, Ended}
	case Admitted:
		return []State{Left, Removed, Ended}
	case Left:
		return []State{Waiting, Admitted, Removed, Ended}
	case Lapsed:
		return []State{Waiting, Removed, Ended, Admitted}
	}
	return nil
}

// to moves the seat; false when that is not possible. Staying is not a move.
func (s *Seat) to(state State, now time.Time) bool {
	ok := false
	for _, n := range s.State.next() {
		ok = ok || n == state
	}
	if !ok {
		return false
	}
	s.State = state
	switch state {
	case Admitted:
		if s.AdmittedAt.IsZero() {
			s.AdmittedAt = now
		}
	case Ended, Removed:
		s.EndedAt = now
	}
	return true
}

// arrive is a hello: who left or lapsed comes back, and lapsing costs the place.
func (s *Seat) arrive(now time.Time) {
	switch {
	case s.State == Waiting && now.Sub(s.SeenAt) > keepFor, s.State == Lapsed:
		s.State, s.ArrivedAt = Waiting, now
	case s.State == Left && (s.Host || !s.AdmittedAt.IsZero()):
		s.to(Admitted, now)
	case s.State == Left:
		s.State, s.ArrivedAt = Waiting, now
	}
	s.SeenAt = now
}

// over says that nothing can be done with the seat any more.
func (s *Seat) over() bool { return s.State == Removed || s.State == Ended }
