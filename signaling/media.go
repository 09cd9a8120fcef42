package signaling

import (
	"context"
	"errors"
	"time"

	"visavis/internal/care"
	"visavis/internal/store"
	"visavis/signaling/quality"
)

// Sources says what a client sends now.
type Sources struct{ Mic, Camera, Screen bool }

// Offer is one client's offer to the media. PC is unique in this process.
type Offer struct {
	Encounter care.EncounterID
	Seat      string
	PC        int
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
// what happens by Service.Heard, from a goroutine of its own.
type Media interface {
	// Offer answers with every candidate in it, or fails with one of the
	// errors above.
	Offer(ctx context.Context, o Offer) (answer string, err error)
	// Update says what a seat means to send: what is false is not forwarded.
	Update(id care.EncounterID, seat string, s Sources)
	// Drop cuts one seat, or everybody when seat is empty. When it returns no
	// packet is forwarded any more.
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
	Grant(seat string) ICE
	Revoke(seat string)
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
	Slots     []Slot
	Speaking  []string
	Flows     []Flow
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
			if r.seats[id].State == Admitted {
				to.send("speaking", speakingMsg{e.Speaking})
			}
		}
		return
	}
	to := r.sessions[e.Seat]
	if to == nil || to.mediaPC != e.PC {
		return // of a connection that was replaced
	}
	if e.Slots != nil {
		msg := slotsMsg{PC: to.pc, Slots: []slotMsg{}}
		for _, x := range e.Slots {
			msg.Slots = append(msg.Slots, slotMsg(x))
		}
		to.slots = e.Slots
		to.send("slots", msg)
		return
	}
	r.linkLocked(to, e)
}

func (r *room) linkLocked(to *session, e MediaEvent) {
	was := to.link
	to.link = e.Link
	if e.Gone {
		to.mediaPC = 0
	}
	switch {
	case e.Link == LinkLost && was == LinkUp:
		r.incident(to.seat, "media_lost")
		to.cut = true
	case e.Link == LinkUp && to.cut:
		to.cut = false
		r.incident(to.seat, "media_restored")
	}
	if was != to.link {
		r.showLocked()
	}
}

// quality takes what a client says of its own call. Nothing that it says can
// harm the call: what is wrong is refused by name, what is too much is not kept.
func (r *room) quality(s *session, m *inbound) {
	sample, field := quality.Read(m.raw)
	if field != "" {
		s.say("error", errorMsg{Re: m.Seq, Code: "invalid", Field: field})
		return
	}
	now := r.hub.svc.Clock.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seats[s.seat].State != Admitted || now.Sub(s.saidAt) < sayEvery {
		return
	}
	s.saidAt, sample.At = now, store.Micros(now)
	s.samples = append(s.samples, sample)
	if len(s.samples) >= keepSamples || quality.Urgent(sample) && now.Sub(s.wroteAt) >= writeEvery {
		r.writeSamplesLocked(s)
	}
}

// writeSamplesLocked writes what a client said and was not written yet.
func (r *room) writeSamplesLocked(s *session) {
	if s == nil || len(s.samples) == 0 {
		return
	}
	r.hub.svc.scribe.measured(*r.seats[s.seat], quality.Merge(s.samples))
	s.samples, s.wroteAt = nil, r.hub.svc.Clock.Now()
}
