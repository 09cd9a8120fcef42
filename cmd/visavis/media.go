package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"visavis/internal/care"
	"visavis/internal/clock"
	"visavis/internal/config"
	"visavis/internal/seal"
	"visavis/sfu"
	"visavis/signaling"
	"visavis/turn"
)

// media is the SFU and the closed TURN in front of it, as signaling asks for
// them. Everything it knows of people is opaque ids.
type media struct {
	node  *sfu.Node
	relay *turn.Server
	cfg   config.Media
	clock clock.Clock
}

// openMedia binds the media ports. What happens there is told to heard.
func openMedia(cfg config.Media, m seal.Master, c clock.Clock, log *slog.Logger, heard func(signaling.MediaEvent)) (*media, error) {
	host, err := netip.ParseAddr(cfg.Host)
	if err != nil {
		return nil, fmt.Errorf("media-host: must be an IP address: %w", err)
	}
	bind := netip.IPv4Unspecified()
	var public []netip.Addr
	if host.IsLoopback() {
		bind = host
	} else {
		public = []netip.Addr{host}
	}
	at := func(port int) []netip.AddrPort { return []netip.AddrPort{netip.AddrPortFrom(bind, uint16(port))} }
	node, err := sfu.Open(sfu.Config{
		UDP: at(cfg.UDPPort), TCP: at(cfg.TCPPort), Public: public, Loopback: host.IsLoopback(), Clock: c, Log: log,
		Events: func(e sfu.Event) { heard(eventOf(e)) },
	})
	if err != nil {
		return nil, err
	}
	relay, err := turn.Open(turn.Config{
		UDP: at(cfg.TURNUDP), TCP: at(cfg.TURNTCP), Realm: "visavis", Keys: turn.Keys{m.Derive("turn")}, Door: node, Clock: c, Log: log,
	})
	if err != nil {
		return nil, errors.Join(err, node.Close(context.Background()))
	}
	return &media{node: node, relay: relay, cfg: cfg, clock: c}, nil
}

func (m *media) close(ctx context.Context) error {
	return errors.Join(m.relay.Close(), m.node.Close(ctx))
}

// Offer implements signaling.Media.
func (m *media) Offer(ctx context.Context, o signaling.Offer) (string, error) {
	answer, err := m.node.Offer(ctx, sfu.Offer{Room: string(o.Encounter), Peer: o.Seat, PC: o.PC, Restart: o.Restart, SDP: o.SDP})
	switch {
	case errors.Is(err, sfu.ErrOffer):
		return "", signaling.ErrOfferRefused
	case errors.Is(err, sfu.ErrUnknownPeer):
		return "", signaling.ErrPCUnknown
	case errors.Is(err, sfu.ErrRoomFull):
		return "", signaling.ErrRoomFull
	}
	return answer, err
}

// Update implements signaling.Media.
func (m *media) Update(id care.EncounterID, seat string, s signaling.Sources) {
	m.node.Update(string(id), seat, sfu.Sources(s))
}

// Drop implements signaling.Media.
func (m *media) Drop(id care.EncounterID, seat string) { m.node.Drop(string(id), seat) }

// Grant implements signaling.Relay.
func (m *media) Grant(seat string) signaling.ICE {
	c := m.relay.Issue(seat)
	policy := "all"
	if m.cfg.Relay {
		policy = "relay"
	}
	host := m.cfg.Host
	return signaling.ICE{
		Servers: []signaling.ICEServer{{
			URLs: []string{
				fmt.Sprintf("turn:%s:%d?transport=udp", host, m.cfg.TURNUDP),
				fmt.Sprintf("turn:%s:%d?transport=tcp", host, m.cfg.TURNTCP),
			},
			Username: c.Username, Credential: c.Password,
		}},
		ExpiresAt: c.Expires.Truncate(time.Second), Policy: policy,
	}
}

// Revoke implements signaling.Relay.
func (m *media) Revoke(seat string) { m.relay.Revoke(seat) }

func eventOf(e sfu.Event) signaling.MediaEvent {
	out := signaling.MediaEvent{Encounter: care.EncounterID(e.Room), Seat: e.Peer, PC: e.PC, Link: string(e.Link), Speaking: e.Speaking}
	if e.Link == sfu.LinkClosed {
		out.Gone, out.Link = true, signaling.LinkLost
		if e.Cause == sfu.CauseDropped || e.Cause == sfu.CauseReplaced {
			out.Link = signaling.LinkNone
		}
	}
	if e.Slots != nil {
		out.Slots = make([]signaling.Slot, 0, len(e.Slots))
		for _, b := range e.Slots {
			kind := "video"
			if b.Source == sfu.Voice || b.Source == sfu.Sound {
				kind = "audio"
			}
			out.Slots = append(out.Slots, signaling.Slot{Mid: b.Mid, Seat: b.Peer, Kind: kind, Source: string(b.Source)})
		}
	}
	for _, f := range e.Flows {
		if f.Source == sfu.Camera {
			out.Flows = append(out.Flows, signaling.Flow{From: f.From, To: f.To, Seconds: f.Seconds})
		}
	}
	return out
}
