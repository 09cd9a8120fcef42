package signaling

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/signaling/chat"
	"visavis/signaling/pauses"
	"visavis/signaling/still"
)

// room is the live side of one encounter.
type room struct {
	hub *hub
	act Act

	coming, came int // who is on the way in, and who was: under hub.mu

	// order is held from the transaction that changes a seat until the change is in seats below: both get the
	// changes in the same order. It comes before mu and is not taken inside a transaction.
	order sync.Mutex

	mu       sync.Mutex
	seats    map[string]*Seat
	people   map[string]Person
	sessions map[string]*session // by seat
	gate     mediaMsg            // of the act: consent and end
	told     map[string]mediaMsg // what each session was told last, by session id
	joined   map[string]bool     // seats whose presence was told to encounters
	away     map[string]bool     // seats whose lost connection was told
	orphans  map[string]*orphan  // connections without a session, by seat
	stills   []still.Request     // told now, in the order of time
	pauses   pauses.Log          // of pictures, on purpose
	started  time.Time
	over     bool
}

func newRoom(h *hub, act Act) *room {
	return &room{
		hub: h, act: act, seats: map[string]*Seat{}, people: map[string]Person{}, sessions: map[string]*session{},
		told: map[string]mediaMsg{}, joined: map[string]bool{}, away: map[string]bool{}, orphans: map[string]*orphan{},
	}
}

// ask asks for the consent record (product A7). No answer is a refusal.
func (r *room) ask(ctx context.Context) mediaMsg {
	state, err := r.hub.svc.Consents.State(authz.With(ctx, authz.SystemActor()), r.act.AppointmentID)
	switch {
	case err != nil:
		return mediaMsg{Reason: "unavailable"}
	case state.AllowsMedia():
		return mediaMsg{Allowed: true}
	case state == care.ConsentNone || state == "":
		return mediaMsg{Reason: "consent_missing"}
	}
	return mediaMsg{Reason: "consent_" + string(state)}
}

// mediaOf says whether a seat may have media, by what is known now.
func (r *room) mediaOf(seat *Seat) mediaMsg {
	switch {
	case r.over || seat.over():
		return mediaMsg{Reason: "ended"}
	case seat.State != Admitted, !r.answeredForLocked(seat):
		return mediaMsg{Reason: "not_admitted"}
	}
	return r.gate
}

// setGate takes a new answer. Media that flows is cut when consent goes; that
// nobody can be asked for a moment cuts nothing, but lets nothing new begin.
func (r *room) setGate(g mediaMsg) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if g == r.gate || g.Reason == "unavailable" && r.gate.Allowed {
		return
	}
	cut := r.gate.Allowed && !g.Allowed
	r.gate = g
	if cut {
		r.hub.svc.Media.Drop(r.act.ID, "")
		clear(r.orphans)
		for _, s := range r.sessions {
			s.mediaPC, s.link, s.slots = 0, LinkNone, nil
		}
		r.showLocked()
	}
	r.tellMediaLocked()
}

func (r *room) tellMediaLocked() {
	for _, s := range r.sessions {
		if m := r.mediaOf(r.seats[s.seat]); m != r.told[s.id] {
			r.told[s.id] = m
			s.send("media", m)
		}
	}
}

// heldElsewhere says whether another tab holds the seat now.
func (r *room) heldElsewhere(seat, tab string) (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.sessions[seat]
	if s == nil || s.tab == tab || !s.online() {
		return time.Time{}, false
	}
	return s.since, true
}

// presentLocked tells encounters that an admitted person or device is here.
func (r *room) presentLocked(s *session) {
	seat := r.seats[s.seat]
	if r.away[seat.ID] {
		delete(r.away, seat.ID)
		r.incident(seat.ID, "connection_restored", r.hub.svc.Clock.Now())
	}
	if seat.State == Admitted && !r.joined[seat.ID] {
		r.joined[seat.ID] = true
		r.hub.svc.scribe.joined(*seat)
	}
}

// absentLocked tells that somebody left now, for a proven cause. Their session is
// still known.
func (r *room) absentLocked(seat, how string) { r.absentAtLocked(seat, r.hub.svc.Clock.Now(), how) }

func (r *room) absentAtLocked(seat string, at time.Time, how string) {
	r.writeSamplesLocked(r.sessions[seat])
	if r.joined[seat] {
		delete(r.joined, seat)
		r.hub.svc.scribe.left(*r.seats[seat], at, how)
	}
}

func (r *room) incident(seat, code string, at time.Time) {
	if s := r.seats[seat]; s == nil || s.Role != RoleDevice { // the act keeps what happened to people
		r.hub.svc.scribe.incident(r.act.ID, seat, code, at)
	}
}

// showLocked sends everybody their picture of the room.
func (r *room) showLocked() {
	r.notePausesLocked()
	list := make([]*Seat, 0, len(r.seats))
	for _, s := range r.seats {
		if s.State == Waiting || s.State == Admitted || s.State == Left {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b *Seat) int {
		if c := a.ArrivedAt.Compare(b.ArrivedAt); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	for _, to := range r.sessions {
		me := r.seats[to.seat]
		msg := roomMsg{Seats: []seatMsg{}}
		if !r.started.IsZero() {
			msg.Started = &r.started
		}
		for _, s := range list {
			if me.State == Waiting && s != me && !s.Host {
				continue
			}
			msg.Seats = append(msg.Seats, r.seatMsg(s, s == me || me.Host))
		}
		to.send("room", msg)
	}
}

func (r *room) seatMsg(s *Seat, identity bool) seatMsg {
	p := r.people[s.ID]
	m := seatMsg{Seat: s.ID, Name: p.Name, Role: p.word(s.Role), Host: s.Host, State: s.State, Since: s.ArrivedAt, Held: s.Held, Link: LinkNone}
	if identity {
		m.Identity = p.Identity
		m.Again = s.State == Waiting && !s.AdmittedAt.IsZero()
		if !s.Recalled.IsZero() && s.State == Waiting {
			m.Recalled = &s.Recalled
		}
	}
	if o := r.orphans[s.ID]; o != nil {
		m.Link, m.Mic, m.Camera, m.Screen = o.Link, o.Sources.Mic, o.Sources.Camera, o.Sources.Screen
	}
	if l := r.sessions[s.ID]; l != nil {
		m.Online, m.Link = l.online(), l.link
		m.Mic, m.Camera, m.Screen = l.media.Mic, l.media.Camera, l.media.Screen
	}
	return m
}

func (r *room) socketLost(ctx context.Context, _ *session) {
	r.mu.Lock()
	r.showLocked()
	waits := false
	for _, s := range r.seats {
		waits = waits || s.Host || s.State == Waiting
	}
	r.mu.Unlock()
	if waits {
		r.hub.queue(ctx, r.act.PractitionerID)
	}
}

func (r *room) socketBack(_ context.Context, s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.presentLocked(s)
	r.showLocked()
}

// look notices who has been away for long.
func (r *room) look(ctx context.Context) {
	now := r.hub.svc.Clock.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expireLocked(now)
	if told := still.Last(r.stills, now); len(told) < len(r.stills) {
		r.setStillsLocked(told)
	}
	for id, s := range r.sessions {
		r.proveLocked(s, now)
		if !s.unplugged() && !s.expired(now) || s.link == LinkUp {
			continue // media lives its own life
		}
		if at, how := s.goneSince(); s.owner == "" {
			r.absentAtLocked(id, at, how)
		} else {
			r.absentLocked(id, "")
		}
		delete(r.sessions, id)
		delete(r.told, s.id)
		r.hub.forget(s)
		r.hub.svc.Media.Drop(r.act.ID, id)
		r.showLocked()
	}
}

func endReason(a Act) string {
	if a.Cancelled || a.Withdrawn {
		return "cancelled"
	}
	return "host"
}

// finish ends the live part for everybody, once.
func (r *room) finish(reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return
	}
	r.over = true
	svc := r.hub.svc
	svc.Media.Drop(r.act.ID, "")
	clear(r.orphans)
	r.partedLocked(svc.Clock.Now())
	svc.scribe.end(r.act.ID)
	for id, s := range r.sessions {
		r.writeSamplesLocked(s)
		svc.Relay.Revoke(r.act.ID, id)
		s.send("ended", endedMsg{Reason: reason, At: svc.Clock.Now()})
		s.kill(closeEnded, reason)
		r.hub.forget(s)
	}
	clear(r.sessions)
	clear(r.joined)
}

// part tells encounters that everybody is away: the process stops, and who comes
// back joins again. Where media outlives the process nobody leaves.
func (r *room) part() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.sessions {
		r.writeSamplesLocked(s)
	}
	for id := range r.joined {
		if !r.hub.svc.Outlived {
			r.absentLocked(id, events.LeftAppRestarted)
		}
	}
}

func (r *room) ended() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.over
}

func (r *room) empty() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.sessions)+len(r.orphans) == 0
}

func (r *room) patientOnline() bool {
	return r.anyOnline(func(s *Seat) bool { return s.Role == care.Patient })
}

func (r *room) anyOnline(ok func(*Seat) bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, s := range r.sessions {
		if ok(r.seats[id]) && s.online() {
			return true
		}
	}
	return false
}

// online gives the seats that have a socket or media that is up, and the sessions
// that have a socket, and notes that the seats were seen.
func (r *room) online(now time.Time) (seats []string, held []care.SessionID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, o := range r.orphans {
		if o.Link == LinkUp {
			seats = append(seats, id)
		}
	}
	for id, s := range r.sessions {
		if !s.online() && s.link == LinkUp { // the socket is away, sound and picture go on
			r.seats[id].SeenAt = now
			seats = append(seats, id)
		}
		if s.online() {
			r.seats[id].SeenAt = now
			if seats = append(seats, id); s.owner == "" { // a thing keeps nobody signed in
				held = append(held, s.actor.SessionID)
			}
		}
	}
	return seats, held
}

// answerReplay gives a message that was kept before to who sends it again, since its answer may have been lost,
// at most as often as new ones may be written.
func (r *room) answerReplay(s *session, m *inbound, kept chat.Line) {
	if !s.replays.Allow() {
		s.say("error", errorMsg{Re: m.Seq, Code: "chat_too_fast", Seconds: int(replayEvery.Seconds()), ID: m.ID})
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s.send("chat", r.chatMsgLocked(kept))
}

func (r *room) chatMsgLocked(l chat.Line) chatMsg {
	m := chatMsg{ID: l.ID, From: l.Seat, Name: r.people[l.Seat].Name, At: l.At, Text: l.Text, To: l.To}
	if seat := r.seats[l.Seat]; seat != nil {
		m.Role = r.people[l.Seat].word(seat.Role)
	}
	if l.To != "" {
		m.ToName = r.people[l.To].Name
	}
	return m
}
