// Package local carries the media of signaling in the same process: it puts
// the SFU and the closed TURN behind the questions that signaling asks. A media
// role in another process will answer the same questions over a socket.
package local

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"visavis/internal/care"
	"visavis/sfu"
	"visavis/signaling"
	"visavis/turn"
)

// Config says where media is carried. Door and Events of the parts are set
// here.
type Config struct {
	SFU sfu.Config
	// TURN without UDP, TCP and Streams means no relay.
	TURN turn.Config
	// Host is the name or address under which clients reach the TURN server.
	Host string
	// Secure is host:port under which they reach it over TLS, with a name that
	// the certificate has; empty when TURN.Streams is.
	Secure string
	// RelayOnly makes every client use the relay (to test it).
	RelayOnly bool
	// Rotate is how often the secret of TURN credentials is replaced, when
	// TURN.Keys is empty: then it is random and never leaves this process. 24 h.
	Rotate time.Duration
}

// Carrier is signaling's Media and Relay.
type Carrier struct {
	node  *sfu.Node
	relay *turn.Server
	cfg   Config
	tell  atomic.Pointer[func(signaling.MediaEvent)]
	stop  context.CancelFunc
	work  sync.WaitGroup
}

// Open binds the sockets and starts both.
func Open(cfg Config) (*Carrier, error) {
	c := &Carrier{cfg: cfg, stop: func() {}}
	cfg.SFU.Events = c.event
	node, err := sfu.Open(cfg.SFU)
	if err != nil {
		return nil, err
	}
	c.node = node
	if len(cfg.TURN.UDP)+len(cfg.TURN.TCP)+len(cfg.TURN.Streams) == 0 {
		return c, nil
	}
	cfg.TURN.Door = node
	rotate := len(cfg.TURN.Keys) == 0
	if rotate {
		cfg.TURN.Keys = turn.Keys{turn.NewKey()}
	}
	if c.relay, err = turn.Open(cfg.TURN); err != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		return nil, errors.Join(err, node.Close(ctx))
	}
	if rotate {
		every := cfg.Rotate
		if every <= 0 {
			every = 24 * time.Hour
		}
		var ctx context.Context
		ctx, c.stop = context.WithCancel(context.Background())
		c.work.Go(func() { c.rotate(ctx, every, cfg.TURN.Keys) })
	}
	return c, nil
}

// rotate makes a new secret again and again. What the ones before have made is
// good for as long as a credential lives; a call that stands needs none (trust
// B4).
func (c *Carrier) rotate(ctx context.Context, every time.Duration, keys turn.Keys) {
	good := 1 + int((turn.CredentialLife+every-1)/every)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		keys = append(turn.Keys{turn.NewKey()}, keys[:min(len(keys), good)]...)
		_ = c.relay.Rekey(keys) // refuses keys that are too short only
	}
}

// Drain lets nobody be relayed anew and waits until nobody is, or ctx ends,
// which is its error then. The calls that are not relayed go on.
func (c *Carrier) Drain(ctx context.Context) error {
	if c.relay == nil {
		return nil
	}
	return c.relay.Drain(ctx)
}

// Tell says who hears what happens: Service.Heard.
func (c *Carrier) Tell(to func(signaling.MediaEvent)) { c.tell.Store(&to) }

// Close ends every call and frees the sockets.
func (c *Carrier) Close(ctx context.Context) error {
	c.stop()
	c.work.Wait()
	err := c.node.Close(ctx)
	if c.relay != nil {
		err = errors.Join(err, c.relay.Close())
	}
	return err
}

// Stats reads the counters of both; they name nobody.
func (c *Carrier) Stats() (sfu.Stats, turn.Stats) {
	if c.relay == nil {
		return c.node.Stats(), turn.Stats{}
	}
	return c.node.Stats(), c.relay.Stats()
}

// Offer implements signaling.Media.
func (c *Carrier) Offer(ctx context.Context, o signaling.Offer) (string, error) {
	answer, err := c.node.Offer(ctx, sfu.Offer{Room: string(o.Encounter), Peer: o.Seat, PC: o.PC, Restart: o.Restart, SDP: o.SDP})
	switch {
	case errors.Is(err, sfu.ErrOffer):
		return "", errors.Join(signaling.ErrOfferRefused, err)
	case errors.Is(err, sfu.ErrUnknownPeer):
		return "", errors.Join(signaling.ErrPCUnknown, err)
	case errors.Is(err, sfu.ErrRoomFull):
		return "", errors.Join(signaling.ErrRoomFull, err)
	}
	return answer, err
}

// Update implements signaling.Media.
func (c *Carrier) Update(id care.EncounterID, seat string, s signaling.Sources) {
	c.node.Update(string(id), seat, sfu.Sources(s))
}

// View implements signaling.Media.
func (c *Carrier) View(id care.EncounterID, seat string, heights map[string]int) {
	c.node.View(string(id), seat, heights)
}

// Drop implements signaling.Media.
func (c *Carrier) Drop(id care.EncounterID, seat string) { c.node.Drop(string(id), seat) }

// Grant implements signaling.Relay.
func (c *Carrier) Grant(_ care.EncounterID, seat string) signaling.ICE {
	ice := signaling.ICE{Servers: []signaling.ICEServer{}, ExpiresAt: time.Now().UTC().Add(turn.CredentialLife), Policy: "all"}
	if c.relay == nil {
		return ice
	}
	if c.cfg.RelayOnly {
		ice.Policy = "relay"
	}
	cred := c.relay.Issue(seat)
	udp, tcp := c.relay.Addresses()
	var urls []string
	urls = append(urls, c.urls(udp, "udp")...)
	urls = append(urls, c.urls(tcp, "tcp")...)
	if c.cfg.Secure != "" {
		urls = append(urls, "turns:"+c.cfg.Secure+"?transport=tcp")
	}
	ice.ExpiresAt = cred.Expires.UTC()
	ice.Servers = append(ice.Servers, signaling.ICEServer{URLs: urls, Username: cred.Username, Credential: cred.Password})
	return ice
}

func (c *Carrier) urls(addrs []netip.AddrPort, transport string) (list []string) {
	seen := map[string]bool{}
	for _, a := range addrs {
		url := "turn:" + net.JoinHostPort(c.cfg.Host, strconv.Itoa(int(a.Port()))) + "?transport=" + transport
		if !seen[url] {
			seen[url] = true
			list = append(list, url)
		}
	}
	return list
}

// Revoke implements signaling.Relay.
func (c *Carrier) Revoke(_ care.EncounterID, seat string) {
	if c.relay != nil {
		c.relay.Revoke(seat)
	}
}

// event translates; it runs on the SFU's goroutine.
func (c *Carrier) event(e sfu.Event) {
	tell := c.tell.Load()
	if tell == nil {
		return
	}
	out := signaling.MediaEvent{Encounter: care.EncounterID(e.Room), Seat: e.Peer, PC: e.PC, Speaking: e.Speaking, Silent: e.Silent}
	switch {
	case e.Link == sfu.LinkClosed:
		out.Gone, out.Link = true, signaling.LinkLost
		if e.Cause == sfu.CauseDropped || e.Cause == sfu.CauseReplaced {
			out.Link = signaling.LinkNone
		}
	case e.Link != "":
		out.Link = string(e.Link)
	case e.Slots != nil:
		out.Slots = []signaling.Slot{}
		for _, b := range e.Slots {
			kind := "audio"
			if b.Source == sfu.Camera || b.Source == sfu.Screen {
				kind = "video"
			}
			out.Slots = append(out.Slots, signaling.Slot{Mid: b.Mid, Seat: b.Peer, Kind: kind, Source: string(b.Source), Paused: b.Paused})
		}
	}
	for _, f := range e.Flows {
		if f.Source == sfu.Camera {
			out.Flows = append(out.Flows, signaling.Flow{From: f.From, To: f.To, Seconds: f.Seconds})
		}
	}
	if len(e.Flows) > 0 && len(out.Flows) == 0 {
		return // screens prove no consultation
	}
	(*tell)(out)
}
