package signaling

import (
	"context"
	"errors"
	"sync"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/store"
)

// Sources says what a client sends now. Who is Held neither sends nor receives,
// whatever else is said.
type Sources struct{ Mic, Camera, Screen, Held bool }

// Offer is one client's offer to the media. PC is unique, also beside those of
// the processes before this one. Note is kept beside the connection and given
// back in its Standing.
type Offer struct {
	Encounter care.EncounterID
	Seat      string
	PC        int
	Note      string
	Restart   bool
	SDP       string
}

// The refusals of Media.Offer.
var (
	ErrOfferRefused = errors.New("signaling: offer refused")
	ErrPCUnknown    = errors.New("signaling: no such connection")
	ErrRoomFull     = errors.New("signaling: room full")
)

// Media carries sound and picture. It may live in another process; it tells
// what happens by Service.Heard and Service.Flowed, and by Service.Reconcile
// what it holds when the way to it was cut, each from a goroutine of its own.
type Media interface {
	// Offer answers with every candidate in it, or fails with one of the
	// errors above.
	Offer(ctx context.Context, o Offer) (answer string, err error)
	// Update says what a seat means to send: what is false is not forwarded.
	Update(id care.EncounterID, seat string, s Sources)
	// View says how high, in device pixels, a seat shows its receive sections, by
	// mid: a picture is sent no larger than it is shown, one of height 0 not at
	// all, and what is not named as the link allows.
	View(id care.EncounterID, seat string, heights map[string]int)
	// Drop cuts one seat, or everybody when seat is empty. When it returns no
	// packet is forwarded any more; when the media cannot be reached, none is as
	// soon as it can.
	Drop(id care.EncounterID, seat string)
}

// ICE is what a client gives to its PeerConnection.
type ICE struct {
	Servers   []ICEServer `json:"servers"`
	ExpiresAt time.Time   `json:"expiresAt"`
	Policy    string      `json:"policy"` // all or relay
}

// ICEServer is one entry of RTCConfiguration.iceServers.
type ICEServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

// Relay gives and takes back the right to be relayed.
type Relay interface {
	Grant(id care.EncounterID, seat string) ICE
	Revoke(id care.EncounterID, seat string)
}

// The links of a seat (docs/signaling.md §5).
const (
	LinkNone       = "none"
	LinkConnecting = "connecting"
	LinkUp         = "up"
	LinkLost       = "lost"
)

// Slot says what a receive section carries.
type Slot struct {
	Mid, Seat, Kind, Source string
	// Paused: the seat's link does not carry even the smallest layer.
	Paused bool
}

// Flow says that a camera's pictures really went From → To for Seconds more.
type Flow struct {
	From, To string
	Seconds  int
}

// MediaEvent is one thing that happened to media. One of Link, Slots, Speaking
// and Flows is set.
type MediaEvent struct {
	Encounter care.EncounterID
	Seat      string
	PC        int
	Link      string // connecting, up, lost, or none when the connection is gone on our word
	Gone      bool   // the connection is no more
	// Silent, of a lost link: for how long nothing was heard when that was noticed.
	Silent   time.Duration
	Slots    []Slot
	Speaking []string
	Flows    []Flow
}

// Heard takes what the media tells.
func (s *Service) Heard(e MediaEvent) {
	if len(e.Flows) > 0 {
		s.scribe.flows(e.Encounter, e.Flows)
		return
	}
	r := s.hub.find(e.Encounter)
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.Speaking != nil {
		for id, to := range r.sessions {
			if seat := r.seats[id]; seat.State == Admitted && !seat.Held {
				to.send("speaking", speakingMsg{e.Speaking})
			}
		}
		return
	}
	if o := r.orphans[e.Seat]; o != nil && o.PC == e.PC {
		r.orphanLocked(o, e)
		return
	}
	to := r.sessions[e.Seat]
	if to == nil || to.mediaPC != e.PC {
		return // of a connection that was replaced
	}
	if e.Slots != nil {
		to.slots = e.Slots
		to.tellSlots()
		return
	}
	r.linkLocked(to, e)
}

// tellSlots tells the whole table.
func (s *session) tellSlots() {
	msg := slotsMsg{PC: s.pc, Slots: []slotMsg{}}
	for _, x := range s.slots {
		msg.Slots = append(msg.Slots, slotMsg(x))
	}
	s.send("slots", msg)
}

func (r *room) linkLocked(to *session, e MediaEvent) {
	was, now := to.link, r.hub.svc.Clock.Now()
	if to.link = e.Link; e.Link == LinkUp && was != LinkUp {
		to.upAt = now
	}
	if e.Gone {
		to.mediaPC = 0
	}
	switch {
	case e.Link == LinkLost && was == LinkUp:
		to.cutFor = max(0, min(e.Silent, now.Sub(to.upAt)))
		to.cutAt, to.cutBy = now.Add(-to.cutFor), "media_lost"
	case e.Link == LinkUp && !to.cutAt.IsZero():
		r.tellCutLocked(to)
		to.cutAt, to.cut = time.Time{}, false
		r.incident(to.seat, "media_restored", now)
	}
	if to.owner != "" && e.Link == LinkUp { // a thing is there while it is connected
		r.presentLocked(to)
	}
	if was != to.link {
		r.showLocked()
	}
}

// Standing is one connection as the media holds it.
type Standing struct {
	Encounter care.EncounterID
	Seat      string
	PC        int
	Note      string
	Link      string
	Slots     []Slot
	Sources   Sources
}

// EncounterFlows are the flows of one encounter.
type EncounterFlows struct {
	Encounter care.EncounterID
	Flows     []Flow
}

// Flowed takes batch n of a run of a media node and returns when it is written.
// A batch that comes again is written once.
func (s *Service) Flowed(ctx context.Context, run string, n uint64, list []EncounterFlows) error {
	done := make(chan struct{})
	var once sync.Once
	s.scribe.add(func(ctx context.Context, tx *store.Tx) error {
		fresh, err := markRun(tx, run, n, store.Micros(s.Clock.Now()))
		if err != nil {
			return err
		}
		for _, e := range list {
			if !fresh {
				break
			}
			if err := s.scribe.flowed(ctx, tx, e.Encounter, e.Flows); err != nil {
				return err
			}
		}
		tx.AfterCommit(func() { once.Do(func() { close(done) }) })
		return nil
	})
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reconciled is how many rooms are compared at once: each asks the database and
// a node.
const reconciled = 8

// Reconcile takes everything that the media holds of some encounters, and of
// those in placed that it holds nothing of. Who may not be there any more is
// dropped, whose connection is gone is told to rejoin, and what nobody here
// knows of waits for its client. It returns when that is done.
func (s *Service) Reconcile(ctx context.Context, held []Standing, placed []care.EncounterID) {
	ctx = authz.With(ctx, authz.SystemActor())
	rooms := map[care.EncounterID][]Standing{}
	for _, id := range placed {
		rooms[id] = nil
	}
	for _, x := range held {
		rooms[x.Encounter] = append(rooms[x.Encounter], x)
	}
	var all sync.WaitGroup
	few := make(chan struct{}, reconciled)
	for id, list := range rooms {
		few <- struct{}{}
		all.Go(func() {
			defer func() { <-few }()
			if !s.reconcile(ctx, id, list) {
				s.hub.retry(id, list)
			}
		})
	}
	all.Wait()
}

// Move tells everybody in an encounter to make a new connection, because the
// media node that holds theirs is about to stop.
func (s *Service) Move(id care.EncounterID) {
	r := s.hub.find(id)
	if r == nil {
		return
	}
	r.mu.Lock()
	var list []*session
	for _, to := range r.sessions {
		if to.mediaPC != 0 {
			list = append(list, to)
		}
	}
	r.mu.Unlock()
	r.rejoin(list, "node_draining")
}

// reconcile answers false when the database could not be asked.
func (s *Service) reconcile(ctx context.Context, id care.EncounterID, list []Standing) bool {
	r := s.hub.hold(id)
	if r == nil && len(list) == 0 {
		return true
	}
	if r == nil {
		var err error
		if r, err = s.hub.open(ctx, id); err != nil {
			gone := fault.KindOf(err) == fault.NotFound
			if gone {
				s.Media.Drop(id, "")
			}
			return gone
		}
	}
	defer s.hub.release(r)
	gate := r.ask(ctx)
	s.adopt(ctx, r, list)
	r.rejoin(r.compare(list), "node_lost")
	r.setGate(gate)
	if !gate.Allowed && gate.Reason != "unavailable" {
		s.Media.Drop(id, "")
	}
	return true
}

// retry reconciles a room again until the database answers.
func (h *hub) retry(id care.EncounterID, list []Standing) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopping {
		return
	}
	h.work.Go(func() {
		ctx := authz.With(context.Background(), authz.SystemActor())
		for h.find(id) == nil { // who came back meanwhile has a connection of their own
			select {
			case <-h.quit:
				return
			case <-time.After(time.Second):
			}
			if h.find(id) == nil && h.svc.reconcile(ctx, id, list) {
				return
			}
		}
	})
}

// compare puts what the media holds beside what is known here, and gives the
// sessions whose connection is gone.
func (r *room) compare(list []Standing) (gone []*session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	held := map[string]int{}
	clear(r.orphans)
	for _, x := range list {
		held[x.Seat] = x.PC
		seat, to := r.seats[x.Seat], r.sessions[x.Seat]
		switch {
		case to != nil && to.mediaPC == x.PC:
			to.link, to.slots = x.Link, x.Slots
			to.tellSlots()
		case to != nil && to.asked != 0: // its answer says what becomes of it
		case to != nil, seat == nil, r.over, seat.State != Admitted:
			r.hub.svc.Media.Drop(r.act.ID, x.Seat)
		default:
			r.orphans[x.Seat] = &orphan{Standing: x, since: r.hub.svc.Clock.Now()}
			if !seat.JoinedAt.IsZero() {
				r.joined[x.Seat] = true
				r.hub.svc.scribe.inCall(x.Seat, true)
			}
		}
	}
	for id, to := range r.sessions {
		if to.mediaPC != 0 && to.asked == 0 && held[id] != to.mediaPC {
			r.nodeLostLocked(to)
			gone = append(gone, to)
		}
	}
	r.showLocked()
	return gone
}

// rejoin asks clients for a new connection, with the relay that goes with it.
func (r *room) rejoin(list []*session, why string) {
	for _, to := range list {
		ice := r.hub.svc.Relay.Grant(r.act.ID, to.seat)
		r.mu.Lock()
		to.send("rejoin", rejoinMsg{PC: to.pc, Reason: why, ICE: ice})
		r.mu.Unlock()
	}
}
