package signaling

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"maps"
	"slices"
	"sync"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/events"

	"golang.org/x/time/rate"
)

// outFrame is one sent message that was not acked.
type outFrame struct {
	seq uint64
	b   []byte
}

// session is one client that holds a seat. Its buffers outlive sockets.
type session struct {
	id      string // the secret of resume
	seat    string
	tab     string
	actor   authz.Actor
	room    *room
	since   time.Time
	offers  *rate.Limiter // a PeerConnection costs more than a message
	replays *rate.Limiter // chat messages that were kept before
	owner   string        // PersonID of who answers for this thing; empty: a person's

	// Under room.mu: what this client says and has.
	media   Sources
	pc      int    // the client's number
	mediaPC int    // the media's number of it
	asked   int    // the mediaPC whose offer the media has not answered yet
	note    string // what the media keeps beside mediaPC
	link    string
	slots   []Slot
	upAt    time.Time       // when media came up last; zero when that is not known
	cutAt   time.Time       // when the last media came; zero when media is not lost
	cutFor  time.Duration   // how long it was silent when that was noticed
	cutBy   string          // the incident that this is
	cut     bool            // and that was told
	samples []events.Sample // said of its call, not written yet
	saidAt  time.Time
	wroteAt time.Time

	mu     sync.Mutex
	out    []outFrame // not acked, in order
	seq    uint64     // last sent
	taken  uint64     // last client seq taken
	pushed uint64     // last written to the present socket
	conn   *conn      // nil while there is none
	lost   time.Time  // since when
	seen   time.Time  // when the client was last there
	bye    bool       // and said that its page closes
	dead   bool
	loose  [][]byte // messages without seq for the present socket
}

func newSecret() string {
	var b [32]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// send queues a message; it reaches the client now or after resume. When the
// client acks nothing for keepUnacked messages the session is given up.
func (s *session) send(t string, body any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead || s.owner != "" {
		return // a thing has no signalling to hear it
	}
	s.seq++
	s.out = append(s.out, outFrame{s.seq, frame(t, s.seq, s.taken, body)})
	if len(s.out) > keepUnacked {
		s.killLocked(closeResume, "behind")
		return
	}
	s.wakeLocked()
}

// say queues a message without seq: for the present socket or not at all.
func (s *session) say(t string, body any) {
	s.noteRefusal(body)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return
	}
	s.loose = append(s.loose, frame(t, 0, s.taken, body))
	s.wakeLocked()
}

func (s *session) wakeLocked() {
	if s.conn != nil {
		s.conn.nudge()
	}
}

// pending gives what the present socket has not been given yet.
func (s *session) pending(c *conn) [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != c {
		return nil
	}
	list := s.loose
	s.loose = nil
	for _, f := range s.out {
		if f.seq > s.pushed {
			list = append(list, f.b)
			s.pushed = f.seq
		}
	}
	return list
}

// acked drops what the client has. A number that was never sent is ignored.
func (s *session) acked(n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n > s.seq {
		return
	}
	i := 0
	for i < len(s.out) && s.out[i].seq <= n {
		i++
	}
	s.out = s.out[i:]
}

// order of a client's message.
type arrival int

const (
	fresh arrival = iota
	again
	hole
)

// take decides what a sequenced message is. A fresh one is not counted before
// took is called: what was refused by the rate limit comes again.
func (s *session) arrived(seq uint64) arrival {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case seq == s.taken+1:
		return fresh
	case seq != 0 && seq <= s.taken:
		return again
	}
	return hole
}

func (s *session) took(seq uint64) {
	s.mu.Lock()
	s.taken = seq
	s.mu.Unlock()
}

// attach gives the session a socket; the old one, if any, is returned to be
// closed.
func (s *session) attach(c *conn) (old *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead { // its sign-in ended while it sat down
		c.finish(closeTicket, "session ended")
	}
	old, s.conn, s.loose = s.conn, c, nil
	s.lost, s.bye = time.Time{}, false
	s.wakeLocked()
	return old
}

// resume takes a new socket that has everything up to last, and tells it first of all. False: too old.
func (s *session) resume(c *conn, last uint64, now time.Time) (old *conn, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.seq + 1
	if len(s.out) > 0 {
		first = s.out[0].seq
	}
	if s.dead || last > s.seq || last+1 < first || (s.conn == nil && now.Sub(s.lost) > resumeFor) {
		return nil, false
	}
	old, s.conn = s.conn, c
	s.pushed, s.lost, s.bye = last, time.Time{}, false
	s.loose = [][]byte{frame("resumed", 0, s.taken, nil)} // before anything that is sent again
	return old, true
}

// detach notes that the socket is gone since now, when its client was last there,
// and whether that said that its page closes. False: it was not the present one.
func (s *session) detach(c *conn, now, seen time.Time, bye bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != c {
		return false
	}
	s.conn, s.lost, s.seen, s.bye = nil, now, seen, bye
	return true
}

// kill ends the session for good and closes its socket, after what is queued.
func (s *session) kill(code int, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.killLocked(code, reason)
}

func (s *session) killLocked(code int, reason string) {
	if s.dead {
		return
	}
	s.dead = true
	if s.conn != nil {
		s.conn.finish(code, reason)
	}
}

// online says whether a socket is there now.
func (s *session) online() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return (s.conn != nil || s.owner != "") && !s.dead
}

// lostAt is since when there is no socket.
func (s *session) lostAt() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

// expired says that the session cannot be resumed any more.
func (s *session) expired(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead || s.conn == nil && s.owner == "" && now.Sub(s.lost) > resumeFor
}

// expel puts out who was signed out or whose link was revoked, wherever that
// happened (trust B10, S12). When nobody can be asked, the call goes on.
func (h *hub) expel(ctx context.Context) {
	held := map[care.SessionID][]*session{}
	h.mu.Lock()
	for _, s := range h.sessions {
		held[s.actor.SessionID] = append(held[s.actor.SessionID], s)
	}
	h.mu.Unlock()
	if len(held) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookEvery)
	defer cancel()
	ended, err := h.svc.People.Ended(ctx, slices.Collect(maps.Keys(held)))
	if err != nil {
		return
	}
	for _, id := range ended {
		for _, s := range held[id] {
			s.room.expel(s)
		}
	}
}

// expel ends a session and its media; the seat stays for who comes back by
// right.
func (r *room) expel(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sessions[s.seat] == s {
		r.unseatLocked(s)
		r.showLocked()
	}
	r.hub.forget(s)
	s.kill(closeTicket, "session ended")
}

// unseatLocked takes a session off its seat, with its media.
func (r *room) unseatLocked(s *session) {
	r.hub.svc.Media.Drop(r.act.ID, s.seat)
	at, how := s.departure(r.hub.svc.Clock.Now())
	r.absentAtLocked(s.seat, at, how)
	delete(r.sessions, s.seat)
	delete(r.told, s.id)
	s.mediaPC, s.link = 0, LinkNone
	r.hub.forget(s)
	s.kill(closeTicket, "session ended")
}

// departure says when and how the person of a session left that ends now. Who had gone
// before did not leave by the end of their sign-in: a link that is opened again in the
// same browser ends the former one.
func (s *session) departure(now time.Time) (at time.Time, how string) {
	switch {
	case s.online() || s.owner != "" || s.link == LinkUp:
		return now, events.LeftSignedOut
	case s.saidBye():
		return s.lostAt(), events.LeftPageClosed
	}
	return s.lostAt(), ""
}

// plugged makes the session of a device, which no socket holds.
func (h *hub) plugged(r *room, d Device, sources Sources) *session {
	s := &session{
		id: newSecret(), seat: d.Seat, room: r, since: h.svc.Clock.Now(), link: LinkNone, media: sources, owner: d.Owner,
		actor: authz.Actor{SessionID: d.Session}, offers: rate.NewLimiter(rate.Every(offerEvery), offerBurst),
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sessions[s.id] = s
	return s
}

// unplugged says that a device's connection came to its end.
func (s *session) unplugged() bool { return s.owner != "" && s.pc != 0 && s.mediaPC == 0 }

// adopt gives devices the connections that outlived the process before this
// one: they have no signalling to claim them by. What cannot be given ends as
// what nobody claims.
func (s *Service) adopt(ctx context.Context, r *room, list []Standing) {
	for _, x := range list {
		r.mu.Lock()
		seat := r.seats[x.Seat]
		theirs := seat != nil && seat.Role == RoleDevice && seat.State == Admitted && !r.over && r.sessions[x.Seat] == nil
		r.mu.Unlock()
		if !theirs || s.Devices == nil {
			continue
		}
		d, err := s.Devices.Device(ctx, x.Seat)
		if err != nil {
			s.Log.Warn("signaling: a device's connection was not taken up", "err", err)
			continue
		}
		to := s.hub.plugged(r, d, x.Sources)
		to.pc, to.mediaPC, to.note, to.link, to.slots = 1, x.PC, x.Note, x.Link, x.Slots
		r.mu.Lock()
		if r.sessions[x.Seat] == nil {
			r.sessions[x.Seat] = to
		} else {
			s.hub.forget(to)
		}
		r.mu.Unlock()
	}
}

// Ending tells everybody in an encounter that its media ends in so many seconds.
func (s *Service) Ending(id care.EncounterID, in int) {
	r := s.hub.find(id)
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, to := range r.sessions {
		to.send("notice", noticeMsg{Code: "stopping", InSeconds: in})
	}
}

// view passes on what a client shows of its present connection.
func (r *room) view(s *session, m *inbound) {
	heights := make(map[string]int, len(m.Slots))
	for _, x := range m.Slots {
		heights[x.Mid] = x.Height
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if m.PC == s.pc && s.mediaPC != 0 {
		r.pauses.View(r.hub.svc.Clock.Now(), s.seat, heights)
		r.hub.svc.Media.View(r.act.ID, s.seat, heights)
	}
}
