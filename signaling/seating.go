// Package signaling is the live side of an act: who sits where, who waits and
// for how long, who was admitted, what is said in the chat, and whether sound
// and picture may flow. Its wire protocol is docs/signaling.md.
//
// A seat is what one person holds in one encounter. It lives in the database
// and outlives tabs, sockets and restarts; a session is one client that holds
// a seat, lives in memory and outlives sockets (resume).
//
// Invariants:
//   - a person has one seat in an encounter, and one session holds it;
//   - no PeerConnection exists for a seat that is not admitted, or for an act
//     without consent (CSP R6316-2, product A7): the server asks at each offer
//     and drops everybody when consent goes;
//   - a seat that waits keeps its place for 30 minutes without a sign of life;
//   - facts for the other modules are written in order and never lost while the
//     process lives, even when the database is away.
//
// Locks: room.order first, room.mu second, session.mu third; the database is never asked with
// session.mu held, and the media never answers into the caller: its events come
// from a goroutine of their own.
package signaling

import (
	"context"
	"errors"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/store"
	"visavis/signaling/chat"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"
)

// Why nobody sits down, beside errOver.
var (
	errRemoved   = errors.New("signaling: a host removed this seat")
	errSignedOut = fault.New(fault.Gone, "ticket-invalid")
)

// hello redeems the ticket and sits down, or says that the seat is busy.
func (c *conn) hello(ctx context.Context, m *inbound) bool {
	seat, err := c.svc.redeem(ctx, m.Ticket, c.actor, c.origin)
	if err != nil {
		return c.turnAway(err, seat.EncounterID)
	}
	h := seatHello{seat: seat, tab: m.Tab, kept: m.Kept}
	if h.room, h.person, err = c.svc.hub.enter(ctx, seat); err != nil {
		return c.turnAway(err, seat.EncounterID)
	}
	defer c.svc.hub.release(h.room)
	if h.room.ended() {
		return c.turnAway(errOver, seat.EncounterID)
	}
	if since, busy := h.room.heldElsewhere(seat.ID, m.Tab); busy {
		c.busy = &h
		c.direct("busy", busyMsg{since})
		time.AfterFunc(takeWait, func() {
			if c.cur.Load() == nil {
				c.finish(int(websocket.StatusNormalClosure), "not taken over")
			}
		})
		return true
	}
	return c.svc.hub.sit(ctx, c, h)
}

// turnAway tells a connection why it gets no seat, and closes it. It returns false, for the read loop.
func (c *conn) turnAway(err error, id care.EncounterID) bool {
	switch {
	case errors.Is(err, errOver):
		c.error(errorMsg{Code: "ended"})
		return c.finish(closeEnded, "ended")
	case errors.Is(err, errRemoved):
		c.svc.note(c.actor, "encounter/"+string(id), "removed")
		c.error(errorMsg{Code: "removed"})
		return c.finish(closeRemoved, "removed")
	case fault.KindOf(err) == fault.Gone:
		c.svc.note(c.actor, "ticket", "ticket-invalid")
		c.error(errorMsg{Code: "ticket_invalid"})
		return c.finish(closeTicket, "ticket")
	}
	c.svc.Log.Warn("signaling: nobody sat down", "err", err)
	c.error(errorMsg{Code: "internal"})
	return c.finish(int(websocket.StatusInternalError), "internal")
}

// sit gives the seat to the connection: a new session, the old one ends. False ends the connection.
func (h *hub) sit(ctx context.Context, c *conn, in seatHello) bool {
	h.mu.Lock()
	if now := h.rooms[in.room.act.ID]; now != nil {
		in.room = now // another was made after it had emptied: one act has one room
	}
	h.rooms[in.room.act.ID] = in.room
	in.room.coming++
	h.mu.Unlock()
	defer h.release(in.room)
	s := &session{
		id: newSecret(), seat: in.seat.ID, tab: in.tab, actor: c.actor, room: in.room, since: h.svc.Clock.Now(), link: LinkNone,
		offers:  rate.NewLimiter(rate.Every(offerEvery), offerBurst),
		replays: rate.NewLimiter(rate.Every(replayEvery), chat.PerMinute),
	}
	if err := in.room.giveSeat(ctx, c, s, in); err != nil {
		h.forget(s)
		return c.turnAway(err, in.room.act.ID)
	}
	h.queue(ctx, in.room.act.PractitionerID)
	h.later(in.room) // what ended between the transaction and the seat is seen now
	return true
}

// giveSeat takes the seat in the database as it is now and puts the session on it. What the hello or the
// takeover was decided on may have changed since.
func (r *room) giveSeat(ctx context.Context, c *conn, s *session, in seatHello) (err error) {
	svc, unknown := r.hub.svc, false
	err = func() error {
		r.order.Lock()
		defer r.order.Unlock()
		if in.seat, err = svc.takeSeat(ctx, s.seat, c.actor); err != nil {
			return err
		}
		r.hub.mu.Lock()
		r.hub.sessions[s.id] = s
		r.hub.mu.Unlock()
		var old *session
		if old, unknown, err = r.seatTaken(ctx, c, s, in); old != nil {
			r.hub.forget(old)
			old.kill(closeTakenOver, "taken over")
		}
		return err
	}()
	if err == nil && unknown {
		r.dropStill(ctx, s.seat)
	}
	return err
}

// enterable gives the act of a seat that somebody may come to. It fails as errRemoved, as errOver, and as
// current does.
func (s *Service) enterable(ctx context.Context, tx *store.Tx, seat Seat) (Act, error) {
	act, err := s.current(ctx, tx, seat.EncounterID)
	switch {
	case err != nil:
	case seat.State == Removed:
		err = errRemoved
	case seat.State == Ended:
		err = errOver
	}
	return act, err
}

// takeSeat marks in one transaction that a person sits down: the seat, the act and the sign-in are as they
// are now. It fails as enterable does, and as Gone when the sign-in has ended.
func (s *Service) takeSeat(ctx context.Context, id string, a authz.Actor) (seat Seat, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		now := s.Clock.Now()
		if seat, err = lockSeat(tx, id); err != nil {
			return err
		}
		act, err := s.enterable(ctx, tx, seat)
		if err != nil {
			return err
		}
		ended, err := s.People.Ended(ctx, []care.SessionID{a.SessionID})
		if err == nil && len(ended) > 0 {
			err = errSignedOut
		}
		if err != nil {
			return err
		}
		seat.Planned = act.Planned                               // the appointment may have been moved since the ticket
		if !seat.JoinedAt.IsZero() && !s.scribe.holds(seat.ID) { // in a process that died: the stay there ended
			if err := errors.Join(s.lost(ctx, tx, seat), joinSeat(tx, id, 0)); err != nil {
				return err
			}
		}
		seat.sitDown(a, now)
		if err := s.People.Touch(ctx, []care.SessionID{a.SessionID}); err != nil {
			return err
		}
		if err := updateSeat(tx, seat); err != nil || seat.Role != care.Patient || seat.State != Waiting || !seat.AdmittedAt.IsZero() {
			return err
		}
		return s.Bus.Publish(ctx, tx, events.PatientArrived, string(seat.EncounterID), presence(seat, now))
	})
	return seat, err
}

// sitDown is a hello in a sign-in. A host admits the person they see; a link may be forwarded. So the seat
// stays admitted for the sign-in that was admitted, whichever tab or network, and waits again for any other
// (docs/decisions/0008). Staff prove who they are when they sign in.
func (s *Seat) sitDown(a authz.Actor, now time.Time) {
	known := s.Host || a.StaffID != "" || s.AdmittedSession == "" || s.AdmittedSession == a.SessionID
	switch {
	case s.AdmittedAt.IsZero():
		s.arrive(now)
	case known:
		if s.arrive(now); s.State == Waiting { // after somebody else had sat there
			s.to(Admitted, now)
		}
		s.AdmittedSession = a.SessionID
	case s.State == Admitted, s.State == Left:
		s.again(now)
		s.SeenAt = now
	default:
		s.arrive(now)
	}
	s.SessionID = a.SessionID
}

// seatTaken puts a new session on a seat and greets it. It gives the old one, and whether the seat waits again
// because the person is not known to be the one who was admitted. It fails as errOver.
func (r *room) seatTaken(ctx context.Context, c *conn, s *session, in seatHello) (old *session, unknown bool, err error) {
	svc := r.hub.svc
	ice := svc.Relay.Grant(r.act.ID, in.seat.ID)
	gate := r.ask(ctx)
	r.setGate(gate)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return nil, false, errOver
	}
	seat := in.seat
	if known := r.seats[seat.ID]; known != nil && known.State == Admitted && seat.State == Waiting {
		r.waitAgainLocked(seat)
		unknown = true
	}
	if old = r.sessions[seat.ID]; old != nil {
		r.writeSamplesLocked(old)
		delete(r.told, old.id)
	}
	r.seats[seat.ID], r.people[seat.ID], r.sessions[seat.ID] = &seat, in.person, s
	m := r.mediaOf(&seat)
	r.told[s.id] = m
	kept := r.takeOverLocked(s, old, in.kept, m.Allowed)
	s.send("welcome", welcomeMsg{
		Session: s.id, ResumeFor: int(resumeFor.Seconds()), Seat: seat.ID, Encounter: r.act.ID, Role: in.person.word(seat.Role), Name: in.person.Name,
		Host: seat.Host, State: seat.State, Identity: in.person.Identity, KeptUntil: seat.keptUntil(), Media: m, ICE: ice, Kept: kept, Now: svc.Clock.Now(),
	})
	if kept != 0 {
		s.tellSlots()
	}
	c.bind(s)
	s.attach(c)
	r.showLocked()
	r.presentLocked(s)
	r.sendHistoryLocked(ctx, s)
	if seat.State == Admitted {
		r.tellStillsLocked(s)
	}
	return old, unknown, nil
}

// waitAgainLocked ends the part that an admitted seat has in the call, with its media and its devices. Why the
// person is away is not known, and is not told.
func (r *room) waitAgainLocked(seat Seat) {
	r.hub.svc.Media.Drop(r.act.ID, seat.ID)
	delete(r.orphans, seat.ID)
	r.absentLocked(seat.ID, "")
	if s := r.sessions[seat.ID]; s != nil {
		s.mediaPC, s.link, s.slots = 0, LinkNone, nil
	}
	for _, s := range r.sessions {
		if s.owner == seat.PersonID {
			r.unseatLocked(s)
		}
	}
	r.seats[seat.ID] = &seat
}

// review asks again whether the act goes on, whether consent stands, and who is admitted: what says so may
// have happened on another node.
func (r *room) review(ctx context.Context) {
	if r.empty() {
		return
	}
	if r.catchUp(ctx) {
		r.setGate(r.ask(ctx))
	}
}

// catchUp brings the room to what the database says; false when the act is over. A seat that is admitted here
// and not there is out of the call.
func (r *room) catchUp(ctx context.Context) (goesOn bool) {
	r.order.Lock()
	defer r.order.Unlock()
	svc := r.hub.svc
	act, err := svc.Acts.Act(ctx, r.act.ID)
	if err != nil {
		return true
	}
	var over bool
	var list []Seat
	err = svc.DB.Read(ctx, func(_ context.Context, tx *store.Tx) (err error) {
		if over, err = svc.isOver(tx, act); err != nil {
			return err
		}
		list, err = seatsOf(tx, r.act.ID)
		return err
	})
	if err != nil {
		return true
	}
	if over {
		r.finish(endReason(act))
		return false
	}
	for _, seat := range list {
		r.mu.Lock()
		known := r.seats[seat.ID]
		removed := known != nil && seat.State == Removed && known.State != Removed
		if known != nil && seat.State == Waiting && known.State == Admitted {
			r.waitAgainLocked(seat)
			r.showLocked()
			r.tellMediaLocked()
		}
		r.mu.Unlock()
		if removed {
			r.putOut(seat)
		}
	}
	return true
}

func (r *room) leave(ctx context.Context, c *conn, s *session, m *inbound) bool {
	if err := r.vacate(ctx, s); err != nil {
		r.fail(s, m, err)
		return true
	}
	s.say("ack", nil)
	r.dropStill(ctx, s.seat)
	r.hub.forget(s)
	s.kill(int(websocket.StatusNormalClosure), "left")
	r.hub.queue(ctx, r.act.PractitionerID)
	return c.finish(int(websocket.StatusNormalClosure), "left")
}

// vacate takes whoever leaves off their seat.
func (r *room) vacate(ctx context.Context, s *session) error {
	r.order.Lock()
	defer r.order.Unlock()
	if !r.holds(s) {
		return nil // somebody else sits there by now
	}
	if err := r.hub.svc.leave(ctx, s.seat); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sessions[s.seat] != s {
		return nil
	}
	seat := r.seats[s.seat]
	seat.to(Left, r.hub.svc.Clock.Now())
	r.hub.svc.Media.Drop(r.act.ID, s.seat)
	r.absentLocked(s.seat, events.LeftByButton)
	delete(r.sessions, s.seat)
	delete(r.told, s.id)
	r.showLocked()
	return nil
}

// holds says whether a session still has its seat.
func (r *room) holds(s *session) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sessions[s.seat] == s
}
