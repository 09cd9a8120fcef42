package signaling

import (
	"context"
	"slices"
	"sync"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/store"
	"visavis/signaling/still"

	"github.com/coder/websocket"
)

// The hub's rhythm.
const (
	lookEvery  = time.Second      // sessions that are gone
	askEvery   = 5 * time.Second  // consent and state of each act
	queueEvery = 30 * time.Second // positions and waits
	touchEvery = time.Minute      // signs of life of who is here
	lostAfter  = 10 * time.Second // a socket away that long is an incident
)

// hub knows the rooms and sockets of this process.
type hub struct {
	svc *Service

	mu       sync.Mutex
	rooms    map[care.EncounterID]*room
	sessions map[string]*session
	conns    map[*conn]bool
	nextPC   int
	stopping bool

	quit chan struct{}
	work sync.WaitGroup
}

func newHub(s *Service) *hub {
	// Numbers of one process never meet those of the one before it: the media
	// may have outlived that.
	return &hub{svc: s, nextPC: int(time.Now().UnixMicro()), rooms: map[care.EncounterID]*room{}, sessions: map[string]*session{}, conns: map[*conn]bool{}, quit: make(chan struct{})}
}

func (h *hub) start() { h.work.Go(h.tend) }

// stop closes the sockets with 1001; clients come back to the next process.
func (h *hub) stop(ctx context.Context) {
	h.mu.Lock()
	if h.stopping {
		h.mu.Unlock()
		return
	}
	h.stopping = true
	conns := make([]*conn, 0, len(h.conns))
	for c := range h.conns {
		conns = append(conns, c)
	}
	h.mu.Unlock()
	close(h.quit)
	for _, r := range h.all() {
		r.part()
	}
	for _, c := range conns {
		if s := c.cur.Load(); s != nil {
			s.send("notice", noticeMsg{Code: "stopping"})
		}
		c.finish(int(websocket.StatusGoingAway), "stopping")
	}
	done := make(chan struct{})
	go func() { h.work.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

func (h *hub) opened(c *conn) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopping {
		return false
	}
	h.conns[c] = true
	h.work.Add(1)
	return true
}

func (h *hub) closed(c *conn) {
	h.mu.Lock()
	delete(h.conns, c)
	h.mu.Unlock()
	h.work.Done()
}

func (h *hub) session(id string) *session {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sessions[id]
}

func (h *hub) find(id care.EncounterID) *room {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rooms[id]
}

func (h *hub) all() []*room {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]*room, 0, len(h.rooms))
	for _, r := range h.rooms {
		list = append(list, r)
	}
	return list
}

func (h *hub) newPC() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.nextPC++
	return h.nextPC
}

// hold finds a room and keeps it until release, though nobody is in it yet.
func (h *hub) hold(id care.EncounterID) *room {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[id]
	if r != nil {
		r.coming++
	}
	return r
}

func (h *hub) release(r *room) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r.coming--
	r.came++
}

// enter finds the room of a seat or makes it from the database, and holds it.
func (h *hub) enter(ctx context.Context, seat Seat) (*room, Person, error) {
	p, err := h.svc.People.Person(authz.With(ctx, authz.SystemActor()), seat.Role, seat.PersonID)
	if err != nil {
		return nil, p, err
	}
	if r := h.hold(seat.EncounterID); r != nil {
		return r, p, nil
	}
	r, err := h.open(ctx, seat.EncounterID)
	return r, p, err
}

// open makes the room of an encounter from the database, unless it is there, and
// holds it.
func (h *hub) open(ctx context.Context, id care.EncounterID) (*room, error) {
	r, err := h.load(ctx, id)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if other := h.rooms[id]; other != nil {
		r = other
	}
	h.rooms[id] = r
	r.coming++
	return r, nil
}

func (h *hub) load(ctx context.Context, id care.EncounterID) (*room, error) {
	ctx = authz.With(ctx, authz.SystemActor())
	act, err := h.svc.Acts.Act(ctx, id)
	if err != nil {
		return nil, err
	}
	r := newRoom(h, act)
	r.over = act.Over
	var list []Seat
	err = h.svc.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if list, err = seatsOf(tx, id); err != nil {
			return err
		}
		r.stills, err = still.Of(tx, id, h.svc.Clock.Now())
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, s := range list {
		p, err := h.svc.People.Person(ctx, s.Role, s.PersonID)
		if err != nil {
			return nil, err
		}
		r.seats[s.ID], r.people[s.ID] = &s, p
		if s.Role == care.Patient && !s.AdmittedAt.IsZero() {
			r.started = s.AdmittedAt
		}
	}
	r.gate = r.ask(ctx)
	return r, nil
}

func (h *hub) forget(s *session) {
	h.mu.Lock()
	delete(h.sessions, s.id)
	h.mu.Unlock()
}

// tend looks after the rooms until the hub stops.
func (h *hub) tend() {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	ctx, cancel := context.WithCancel(authz.With(context.Background(), authz.SystemActor()))
	defer cancel()
	last := map[time.Duration]time.Time{}
	due := func(every time.Duration, now time.Time) bool {
		if now.Sub(last[every]) < every {
			return false
		}
		last[every] = now
		return true
	}
	for {
		select {
		case <-h.quit:
			return
		case now := <-look.C:
			rooms := h.all()
			ask, touch := due(askEvery, now), due(touchEvery, now)
			for _, r := range rooms {
				r.look(ctx)
				if ask {
					r.review(ctx)
				}
			}
			h.expel(ctx)
			if touch {
				h.touch(ctx, rooms)
			}
			if due(queueEvery, now) {
				h.queues(ctx, rooms)
			}
			h.sweep(rooms)
		}
	}
}

// later reviews a room on a goroutine of the hub.
func (h *hub) later(r *room) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopping {
		return
	}
	h.work.Go(func() { r.review(authz.With(context.Background(), authz.SystemActor())) })
}

// sweep drops rooms where nobody has a session and nobody is on the way in.
func (h *hub) sweep(rooms []*room) {
	for _, r := range rooms {
		h.mu.Lock()
		came := r.came
		h.mu.Unlock()
		empty := r.empty()
		h.mu.Lock()
		if empty && r.coming == 0 && r.came == came && h.rooms[r.act.ID] == r {
			delete(h.rooms, r.act.ID)
		}
		h.mu.Unlock()
	}
}

// touch writes the signs of life of who is here, and gives up the places of who
// was not seen for keepFor.
func (h *hub) touch(ctx context.Context, rooms []*room) {
	now := h.svc.Clock.Now()
	var ids []string
	var held []care.SessionID
	for _, r := range rooms {
		seats, sessions := r.online(now)
		ids, held = append(ids, seats...), append(held, sessions...)
	}
	lapsed := 0
	err := h.svc.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if len(ids) > 0 {
			if err := touchSeats(tx, ids, store.Micros(now)); err != nil {
				return err
			}
			if err := h.svc.People.Touch(ctx, held); err != nil {
				return err
			}
		}
		if lapsed, err = h.svc.Lapse(ctx); err != nil {
			return err
		}
		return h.svc.Abandon(ctx)
	})
	if err != nil {
		h.svc.Log.Warn("signaling: signs of life not written", "err", err)
	}
	if lapsed > 0 {
		h.queues(ctx, rooms)
	}
}

func (h *hub) queues(ctx context.Context, rooms []*room) {
	var ids []care.StaffID
	for _, r := range rooms {
		if !slices.Contains(ids, r.act.PractitionerID) {
			ids = append(ids, r.act.PractitionerID)
		}
	}
	for _, id := range ids {
		h.queue(ctx, id)
	}
}
