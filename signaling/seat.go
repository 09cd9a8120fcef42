package signaling

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
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
	Held        bool         // admitted, and for the moment not with the others
	Queue       care.StaffID // the professional whose queue this is
	Kind        care.ActKind
	Planned     time.Time
	ArrivedAt   time.Time
	AdmittedAt  time.Time // zero: never admitted
	SeenAt      time.Time
	EndedAt     time.Time
	RecallAsked time.Time // the patient wants to be told when it is their turn
	Recalled    time.Time // and was, for this turn
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
	case s.State == Waiting && now.After(s.keptUntil()), s.State == Lapsed:
		s.again(now)
	case s.State == Left && (s.Host || !s.AdmittedAt.IsZero()):
		s.to(Admitted, now)
	case s.State == Left:
		s.again(now)
	}
	s.SeenAt = now
}

// again is a new turn: behind those with the same planned time.
func (s *Seat) again(now time.Time) {
	s.State, s.ArrivedAt, s.RecallAsked, s.Recalled = Waiting, now, time.Time{}, time.Time{}
}

// keptUntil is how long a place is kept without a further sign of life: who was
// told to come back has the full time to do so, who asked to be told is not
// expected to look.
func (s *Seat) keptUntil() time.Time {
	until := s.SeenAt.Add(keepFor)
	if !s.Recalled.IsZero() {
		return latest(until, s.Recalled.Add(keepFor))
	}
	if !s.RecallAsked.IsZero() {
		return latest(until, s.RecallAsked.Add(askedFor))
	}
	return until
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// over says that nothing can be done with the seat any more.
func (s *Seat) over() bool { return s.State == Removed || s.State == Ended }

// orphan is a connection whose client has not come back to this process yet.
type orphan struct {
	Standing
	since time.Time
}

// orphanFor is how long a connection goes on without anybody who claims it.
const orphanFor = 2 * time.Minute

// noteOf names a client's connection without telling its secret.
func noteOf(session string, pc int) string {
	sum := sha256.Sum256([]byte(session + "|" + strconv.Itoa(pc)))
	return base64.RawURLEncoding.EncodeToString(sum[:18])
}

// takeOverLocked decides what becomes of the connection that the seat had, in
// another session or in the process before: the client that still has it goes
// on with it, for everybody else it ends. It gives the client's number of it.
func (r *room) takeOverLocked(s, old *session, c *claim, allowed bool) int {
	var had Standing
	if o := r.orphans[s.seat]; o != nil {
		had = o.Standing
		delete(r.orphans, s.seat)
	}
	if old != nil && old.asked == 0 && old.mediaPC != 0 {
		had = Standing{PC: old.mediaPC, Note: old.note, Link: old.link, Slots: old.slots, Sources: old.media}
		s.cut = old.cut
	}
	if had.PC != 0 && allowed && c != nil && had.Note == noteOf(c.Session, c.PC) {
		s.pc, s.mediaPC, s.note, s.link, s.slots, s.media = c.PC, had.PC, had.Note, had.Link, had.Slots, had.Sources
		return c.PC
	}
	if had.PC != 0 || old != nil {
		r.hub.svc.Media.Drop(r.act.ID, s.seat)
	}
	return 0
}

func (r *room) orphanLocked(o *orphan, e MediaEvent) {
	switch {
	case e.Slots != nil:
		o.Slots = e.Slots
	case e.Gone:
		delete(r.orphans, e.Seat)
		r.absentLocked(e.Seat)
		r.showLocked()
	case e.Link != "":
		o.Link = e.Link
		r.showLocked()
	}
}

// expireLocked ends the connections that nobody came to claim.
func (r *room) expireLocked(now time.Time) {
	for seat, o := range r.orphans {
		if now.Sub(o.since) > orphanFor {
			delete(r.orphans, seat)
			r.hub.svc.Media.Drop(r.act.ID, seat)
			r.absentLocked(seat)
			r.showLocked()
		}
	}
}

// seatHello is a hello that was checked.
type seatHello struct {
	seat   Seat
	person Person
	room   *room
	tab    string
	kept   *claim
}
