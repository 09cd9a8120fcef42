package whip

import (
	"context"
	"strconv"
	"sync"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/limit"
	"visavis/internal/store"
	"visavis/signaling"
)

// What a device may ask for: connections at once, then one every other second,
// as everybody's offers (docs/signaling.md §7).
var offers = limit.Rule{Name: "device-offer", Burst: 8, Every: 2 * time.Second}

// resource is one connection of a device as HTTP sees it: the WHIP session of
// RFC 9725 §4.2.
type resource struct {
	id   string
	plug *signaling.Plug

	mu      sync.Mutex
	offer   string
	version int // of its ICE
}

// etag names the present ICE of the connection.
func (r *resource) etag() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.id + "." + strconv.Itoa(r.version)
}

// begin makes a connection out of an offer; the one that the device had ends.
func (s *Service) begin(ctx context.Context, d Device, offer string) (*resource, string, error) {
	way := map[Direction]string{Send: "sendonly", Receive: "recvonly"}[d.Direction]
	text, kinds, ok := oneWay(offer, way)
	if !ok {
		return nil, "", fault.New(fault.Invalid, "offer-direction")
	}
	if err := s.Limits.Take(ctx, offers, d.ID); err != nil {
		return nil, "", err
	}
	sources := signaling.Sources{}
	if d.Direction == Send {
		sources = signaling.Sources{Mic: kinds["audio"] > 0, Camera: kinds["video"] > 0, Screen: kinds["video"] > 1 || kinds["audio"] > 1}
	}
	in := signaling.Device{Seat: d.ID, Encounter: d.Encounter, Owner: d.Owner, Session: d.Session}
	plug, answer, err := s.Live.Plug(ctx, in, text, sources)
	if err != nil {
		return nil, "", err
	}
	ctx = authz.With(ctx, authz.Actor{
		Role: signaling.RoleDevice, StaffID: care.StaffID(d.Owner), SessionID: d.Session, Proof: "token", Request: authz.From(ctx).Request,
	})
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error { return s.trace(ctx, tx, "device.connect", d, nil) })
	if err != nil {
		plug.Close() // nothing flows that left no trace
		return nil, "", err
	}
	r := &resource{id: care.NewID(s.Clock.Now()), plug: plug, offer: text, version: 1}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, old := range s.resources {
		if !old.plug.Alive() {
			delete(s.resources, id)
		}
	}
	s.resources[d.ID] = r
	return r, answer, nil
}

// find gives a device's connection, while it lasts.
func (s *Service) find(d Device, id string) (*resource, error) {
	s.mu.Lock()
	r := s.resources[d.ID]
	s.mu.Unlock()
	if r == nil || r.id != id || !r.plug.Alive() {
		return nil, fault.Missing()
	}
	return r, nil
}

// restart takes new ICE credentials of the client and gives the server's. The
// same ones again are no restart: it gives nothing.
func (s *Service) restart(ctx context.Context, d Device, r *resource, sent string) (string, error) {
	ufrag, pwd := credentials(sent)
	if ufrag == "" || pwd == "" {
		return "", fault.New(fault.Invalid, "fragment-refused")
	}
	if err := s.Limits.Take(ctx, offers, d.ID); err != nil {
		return "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if u, p := credentials(r.offer); u == ufrag && p == pwd {
		return "", nil
	}
	offer := renewed(r.offer, ufrag, pwd)
	answer, err := r.plug.Restart(ctx, offer)
	if err != nil {
		return "", err
	}
	r.offer, r.version = offer, r.version+1
	return fragment(answer), nil
}

// end closes a connection; the device may begin another.
func (s *Service) end(d Device, r *resource) {
	r.plug.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.resources[d.ID] == r {
		delete(s.resources, d.ID)
	}
}
