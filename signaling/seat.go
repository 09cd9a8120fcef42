package signaling

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/store"
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
	PersonID    string         // a PatientID, a StaffID or a CompanionID
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

	SessionID       care.SessionID // the sign-in that sat down last
	AdmittedSession care.SessionID // the one that a host admitted; empty when never, or by an older program
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
		s.upAt, s.cutAt, s.cutFor, s.cutBy, s.cut = old.upAt, old.cutAt, old.cutFor, old.cutBy, old.cut
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
		r.absentLocked(e.Seat, events.LeftConnectionLost)
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
			r.absentLocked(seat, events.LeftConnectionLost)
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

// RoleDevice is the role of a seat that a thing holds: an ultrasound, an
// otoscope, an encoder, a screen (signaling/whip). It has media and nothing else.
const RoleDevice care.Role = "device"

// Device is a thing in an act. It ends with the sign-in of its owner, the person
// who brought it and answers for it.
type Device struct {
	Seat      string
	Encounter care.EncounterID
	Owner     string // a PersonID
	Session   care.SessionID
}

// Plug is one connection of a device.
type Plug struct {
	ICE  ICE
	room *room
	sess *session
}

// SeatDevice makes the seat of a device, in the name of the actor of ctx, who
// must be admitted; name is what the others see. It fails as Gone when the act
// is over, as Forbidden when the asker is not in it.
func (s *Service) SeatDevice(ctx context.Context, tx *store.Tx, id care.EncounterID, name string) (Seat, error) {
	act, err := s.current(ctx, tx, id)
	if err != nil {
		return Seat{}, err
	}
	owner, err := lockSeatOf(tx, id, authz.From(ctx).ID())
	switch {
	case fault.KindOf(err) == fault.NotFound, err == nil && owner.State != Admitted:
		return Seat{}, fault.New(fault.Forbidden, "device-owner-away")
	case err != nil:
		return Seat{}, err
	}
	now := s.Clock.Now()
	seat := Seat{
		ID: care.NewID(now), EncounterID: id, PatientID: act.PatientID, Role: RoleDevice, State: Admitted,
		Queue: act.PractitionerID, Planned: act.Planned, ArrivedAt: now, AdmittedAt: now, SeenAt: now,
	}
	seat.PersonID = seat.ID
	tx.AfterCommit(func() {
		if r := s.hub.find(id); r != nil {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.seats[seat.ID], r.people[seat.ID] = &seat, Person{Name: name}
			r.showLocked()
		}
	})
	return seat, insertSeat(tx, seat)
}

// Unseat takes a device out of its act for good.
func (s *Service) Unseat(ctx context.Context, id string) error {
	seat, err := s.remove(ctx, id, "device")
	if err != nil {
		return err
	}
	if r := s.hub.find(seat.EncounterID); r != nil {
		r.putOut(seat)
	}
	return nil
}

// Plug answers a device's offer, at the gate where everybody's is answered; the
// connection that the device had ends. It fails as Forbidden or Unavailable when
// media is refused, as Invalid when the offer is, as Unavailable when the room
// is full, as Gone when the act is over.
func (s *Service) Plug(ctx context.Context, d Device, sdp string, sources Sources) (p *Plug, answer string, err error) {
	ctx = authz.With(ctx, authz.SystemActor())
	var seat Seat
	err = s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if seat, err = loadSeat(tx, d.Seat); err != nil {
			return err
		}
		_, err = s.current(ctx, tx, seat.EncounterID)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	r, person, err := s.hub.enter(ctx, seat)
	if err != nil {
		return nil, "", err
	}
	defer s.hub.release(r)
	p = &Plug{room: r, sess: s.hub.plugged(r, d, sources)}
	r.mu.Lock()
	if known := r.seats[seat.ID]; r.over || known != nil && known.over() { // it ended since it was read
		r.mu.Unlock()
		s.hub.forget(p.sess)
		return nil, "", errOver
	}
	if old := r.sessions[seat.ID]; old != nil {
		r.unseatLocked(old)
	}
	delete(r.orphans, seat.ID)
	if known := r.seats[seat.ID]; known != nil {
		seat.Held = known.Held
	}
	r.seats[seat.ID], r.people[seat.ID], r.sessions[seat.ID] = &seat, person, p.sess
	r.mu.Unlock()
	if answer, err = p.Restart(ctx, sdp); err != nil {
		r.expel(p.sess)
		return nil, "", err
	}
	p.ICE = s.Relay.Grant(r.act.ID, seat.ID)
	return p, answer, nil
}

// Restart answers the device's offer again: an ICE restart of its connection. It
// fails as Plug does, and as NotFound when the connection is gone.
func (p *Plug) Restart(ctx context.Context, sdp string) (answer string, err error) {
	r := p.room
	no := r.negotiate(authz.With(ctx, authz.SystemActor()), p.sess, 1, sdp, func(text string) {
		answer = text
		r.showLocked()
	})
	if no == nil {
		return answer, nil
	}
	switch no.Code {
	case "media_refused":
		return "", refusal(no.Reason)
	case "offer_refused":
		return "", fault.New(fault.Invalid, "offer-refused")
	case "room_full":
		return "", fault.New(fault.Unavailable, "room-full").With("seconds", "30")
	case "pc_unknown":
		return "", fault.Missing()
	}
	return "", fault.New(fault.Unavailable, "media-unavailable")
}

// refusal is what a device is told of the reasons of docs/signaling.md §6.1.
func refusal(reason string) error {
	switch reason {
	case "not_admitted":
		return fault.New(fault.Forbidden, "device-owner-away")
	case "consent_missing":
		return fault.New(fault.Forbidden, "media-consent-missing")
	case "consent_refused":
		return fault.New(fault.Forbidden, "media-consent-refused")
	case "consent_withdrawn":
		return fault.New(fault.Forbidden, "media-consent-withdrawn")
	case "ended":
		return fault.New(fault.Gone, "encounter-over")
	}
	return fault.New(fault.Unavailable, "media-unavailable")
}

// Alive says whether the connection is still the device's.
func (p *Plug) Alive() bool {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	return p.room.sessions[p.sess.seat] == p.sess && p.sess.mediaPC != 0
}

// Close ends the connection; the seat stays.
func (p *Plug) Close() { p.room.expel(p.sess) }

// answeredForLocked says, of a device, whether who brought it is still in the
// act, or left it by their own will.
func (r *room) answeredForLocked(device *Seat) bool {
	s := r.sessions[device.ID]
	if s == nil || s.owner == "" {
		return true
	}
	owner := r.seatOfLocked(s.owner)
	return owner != nil && (owner.State == Admitted || owner.State == Left)
}

// seatOfLocked finds a person's seat; nil when there is none.
func (r *room) seatOfLocked(person string) *Seat {
	for _, seat := range r.seats {
		if seat.PersonID == person {
			return seat
		}
	}
	return nil
}
