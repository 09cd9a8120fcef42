package turn

import (
	"net/netip"
	"slices"
	"time"
)

// bound is an allocation as the guard knows it.
type bound struct {
	user     string
	who      string // participant
	host     netip.Prefix
	relay    *relayConn
	channels []channel            // bound
	pending  map[[12]byte]channel // ChannelBind requests under way
	peers    map[netip.Addr]bool  // permissions asked
}

// channel is a number that stands for a peer (RFC 8656 §12).
type channel struct {
	number uint16
	peer   netip.AddrPort
	until  time.Time
}

// carry brings the data of a bound channel to the SFU, and drops any other.
func (g *guard) carry(f flow, b []byte, now time.Time, enter Entry) {
	number, data, ok := readChannel(b)
	g.mu.Lock()
	o := g.flows[f]
	if ok = ok && o != nil; ok {
		i := slices.IndexFunc(o.channels, func(c channel) bool { return c.number == number && now.Before(c.until) })
		if ok = i >= 0; ok {
			relay, peer := o.relay, o.channels[i].peer
			g.mu.Unlock()
			relay.carry(data, peer, now, enter)
			return
		}
	}
	g.stats.Dropped++
	g.mu.Unlock()
}

func (g *guard) countLocked(who string, host netip.Prefix) (byUser, byHost int) {
	for _, o := range g.flows {
		if o.who == who {
			byUser++
		}
		if o.host == host {
			byHost++
		}
	}
	return byUser, byHost
}

// permissionsLocked counts those of a participant.
func (g *guard) permissionsLocked(who string) (n int) {
	for _, o := range g.flows {
		if o.who == who {
			n += len(o.peers)
		}
	}
	return n
}

// bindLocked ties the new allocation to its 5-tuple and user. It returns the
// relay to close when quotas were passed while pion worked.
func (g *guard) bindLocked(f flow, m message) *relayConn {
	user, ok := g.asked[f]
	if o := g.flows[f]; o != nil {
		return nil // pion repeated its answer
	}
	c := g.relays.find(m.relayed)
	if c == nil {
		return nil
	}
	who, _, _, _ := readName(user)
	host := hostOf(f.client.Addr())
	byUser, byHost := g.countLocked(who, host)
	if !ok || byUser >= perParticipant || byHost >= perHost || g.revokedLocked(who) || g.drained != nil {
		return c
	}
	l := g.users[who]
	if l == nil {
		l = newBudget()
		g.users[who] = l
	}
	c.share(l)
	g.flows[f] = &bound{
		user: user, who: who, host: host, relay: c,
		pending: map[[12]byte]channel{}, peers: map[netip.Addr]bool{},
	}
	g.byRelay[c] = f
	return nil
}

// open binds a channel, or binds it again, and forgets those that are over.
func (o *bound) open(c channel, now time.Time) {
	c.until = now.Add(channelLife)
	o.channels = slices.DeleteFunc(o.channels, func(x channel) bool { return x.number == c.number || !now.Before(x.until) })
	o.channels = append(o.channels, c)
}

// forget is called when a relay closes: expiry, idleness, revocation, end.
func (g *guard) forget(c *relayConn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f, ok := g.byRelay[c]
	if !ok {
		return
	}
	who := g.flows[f].who
	delete(g.flows, f)
	delete(g.byRelay, c)
	if len(g.flows) == 0 && g.drained != nil {
		close(g.drained)
	}
	if n, _ := g.countLocked(who, netip.Prefix{}); n == 0 {
		delete(g.users, who)
	}
}
