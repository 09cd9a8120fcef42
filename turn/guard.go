package turn

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"visavis/internal/clock"
)

// The quotas of trust B4.
const (
	perParticipant     = 4       // allocations
	perParticipantPeer = 8       // permissions, of all their allocations
	participantRate    = 750_000 // bytes/s each way: 6 Mbit/s
	participantBurst   = 256 << 10
	perHost            = 20 // allocations per /32 or /64
	unsignedPerSecond  = 10 // answers to whom we do not know, per /32 or /64
	idleFor            = 60 * time.Second
	maxKnownHosts      = 50_000
	maxTokens          = 1000
	channelLife        = 10 * time.Minute // RFC 8656 §12
	revocationsKeptFor = CredentialLife + time.Minute
)

// verdict is what becomes of a datagram.
type verdict struct {
	pass   bool
	answer []byte // sent instead, when not nil
}

// flow names a client: the listener (by its own address and transport) and the
// client's address, which make the 5-tuple.
type flow struct {
	listener string
	client   netip.AddrPort
}

// guard stands before pion/turn on every transport.
type guard struct {
	clock  clock.Clock
	relays *relays

	mu      sync.Mutex
	flows   map[flow]*bound
	byRelay map[*relayConn]flow
	asked   map[flow]string // user of the Allocate under way
	users   map[string]*budget
	hosts   map[netip.Prefix]*rate.Limiter
	revoked map[string]time.Time
	tokens  map[string]uint16 // ports after even ones, by RESERVATION-TOKEN
	drained chan struct{}     // made when draining begins, closed when nobody is left
	stats   Stats
}

// Stats count what the guard did. They name nobody.
type Stats struct {
	Allocations int    // now
	Dropped     uint64 // malformed, unknown, unbound
	Silenced    uint64 // answers not given: budget of the host spent
	Refused     uint64 // quota, expiry, wrong user
}

func newGuard(c clock.Clock, r *relays) *guard {
	g := &guard{
		clock: c, relays: r, flows: map[flow]*bound{}, byRelay: map[*relayConn]flow{}, asked: map[flow]string{},
		users: map[string]*budget{}, hosts: map[netip.Prefix]*rate.Limiter{}, revoked: map[string]time.Time{}, tokens: map[string]uint16{},
	}
	r.closed = g.forget
	return g
}

// hostOf is what counts as one host: /32 of IPv4, /64 of IPv6.
func hostOf(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits)
	return p
}

// in judges a STUN message from a client.
func (g *guard) in(f flow, b []byte) verdict {
	if len(b) == 0 {
		return g.drop()
	}
	m, ok := readMessage(b)
	if !ok {
		return g.drop()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case m.class == classRequest && m.unknown:
		return g.refuseLocked(f, m, 420, "Unknown Attribute")
	case m.class == classIndication && m.method == methodSend:
		return g.sendLocked(f, m)
	case m.class != classRequest:
		return g.dropLocked()
	}
	switch m.method {
	case methodBinding:
		return verdict{pass: true}
	case methodAllocate:
		return g.allocateLocked(f, m)
	case methodRefresh, methodPermission, methodChannel:
		return g.ownedLocked(f, m)
	}
	return g.dropLocked()
}

func (g *guard) drop() verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.dropLocked()
}

func (g *guard) dropLocked() verdict {
	g.stats.Dropped++
	return verdict{}
}

// refuseLocked answers with an error, within the host's budget.
func (g *guard) refuseLocked(f flow, m message, code int, reason string) verdict {
	g.stats.Refused++
	if !g.budgetLocked(f) {
		return verdict{}
	}
	return verdict{answer: errorAnswer(m, code, reason)}
}

// budgetLocked takes one unauthenticated answer from the host's budget.
func (g *guard) budgetLocked(f flow) bool {
	h := hostOf(f.client.Addr())
	l := g.hosts[h]
	if l == nil {
		if len(g.hosts) >= maxKnownHosts {
			clear(g.hosts) // a flood from everywhere: start over
		}
		l = rate.NewLimiter(unsignedPerSecond, unsignedPerSecond)
		g.hosts[h] = l
	}
	if !l.AllowN(g.clock.Now(), 1) {
		g.stats.Silenced++
		return false
	}
	return true
}

func (g *guard) sendLocked(f flow, m message) verdict {
	if g.flows[f] == nil || !m.data || len(m.peers) != 1 || !g.relays.reaches(m.peers[0]) || m.unknown {
		return g.dropLocked()
	}
	return verdict{pass: true}
}

// allocateLocked checks what pion does not: expiry, quotas, one user a flow.
// An unsigned Allocate is the usual first one and is answered by pion with a
// nonce; out takes that answer from the host's budget.
func (g *guard) allocateLocked(f flow, m message) verdict {
	if !m.signed {
		return verdict{pass: true}
	}
	who, exp, _, ok := readName(m.username)
	now := g.clock.Now()
	switch {
	case !ok || now.After(exp) || exp.Sub(now) > 2*CredentialLife:
		return g.refuseLocked(f, m, 401, "Unauthorized")
	case g.revokedLocked(who):
		return g.refuseLocked(f, m, 401, "Unauthorized")
	case !m.udp:
		return g.refuseLocked(f, m, 442, "Unsupported Transport Protocol")
	case m.ipv6:
		return g.refuseLocked(f, m, 440, "Address Family not Supported")
	case m.token != "" && g.tokens[m.token] == 0:
		return g.refuseLocked(f, m, 508, "Insufficient Capacity") // RFC 8656 §7.2
	}
	if o := g.flows[f]; o != nil {
		if o.user != m.username {
			return g.refuseLocked(f, m, 441, "Wrong Credentials")
		}
		return verdict{pass: true} // a repeated request: pion answers from its memory
	}
	if g.drained != nil {
		return g.refuseLocked(f, m, 508, "Insufficient Capacity")
	}
	byUser, byHost := g.countLocked(who, hostOf(f.client.Addr()))
	if byUser >= perParticipant || byHost >= perHost {
		return g.refuseLocked(f, m, 486, "Allocation Quota Reached")
	}
	g.asked[f] = m.username
	if m.token != "" {
		g.relays.wish.Store(uint32(g.tokens[m.token]))
		delete(g.tokens, m.token)
	}
	return verdict{pass: true}
}

// ownedLocked lets a request touch only the allocation of its own user (RFC
// 8656 §5), and only our SFU as peer.
func (g *guard) ownedLocked(f flow, m message) verdict {
	o := g.flows[f]
	switch {
	case o == nil:
		return g.refuseLocked(f, m, 437, "Allocation Mismatch")
	case !m.signed:
		return verdict{pass: true}
	case m.username != o.user:
		return g.refuseLocked(f, m, 441, "Wrong Credentials")
	}
	switch m.method {
	case methodPermission:
		if len(m.peers) == 0 {
			return g.refuseLocked(f, m, 400, "Bad Request")
		}
		return g.peersLocked(f, o, m)
	case methodChannel:
		if len(m.peers) != 1 || m.channel == 0 {
			return g.refuseLocked(f, m, 400, "Bad Request")
		}
		if !g.relays.reaches(m.peers[0]) {
			return g.refuseLocked(f, m, 403, "Forbidden")
		}
		if len(o.pending) < perParticipantPeer {
			o.pending[m.id] = channel{number: m.channel, peer: m.peers[0]}
		}
		return g.peersLocked(f, o, m)
	}
	return verdict{pass: true}
}

func (g *guard) peersLocked(f flow, o *bound, m message) verdict {
	for _, p := range m.peers {
		switch {
		case !g.relays.reachesIP(p.Addr()):
			return g.refuseLocked(f, m, 403, "Forbidden")
		case o.peers[p.Addr()]:
		case g.permissionsLocked(o.who) >= perParticipantPeer:
			return g.refuseLocked(f, m, 486, "Allocation Quota Reached")
		default:
			o.peers[p.Addr()] = true
		}
	}
	return verdict{pass: true}
}

// out sees what pion answers, learns from it, and says what goes out: b, an
// answer instead of it, or nothing. w is the client's socket, nil for a stream.
func (g *guard) out(f flow, b []byte, w wire) []byte {
	if isChannel(b) {
		return b
	}
	m, ok := readMessage(b)
	if !ok {
		return b // a Data indication larger than a client may send
	}
	g.mu.Lock()
	var surplus *relayConn
	switch {
	case !m.signed && m.class != classIndication && !g.budgetLocked(f):
		b = nil // what we say to whom we do not know: so many a second, then silence
	case m.method == methodAllocate && m.class == classSuccess:
		if surplus = g.bindLocked(f, m); surplus != nil {
			b = errorAnswer(m, 486, "Allocation Quota Reached")
		} else if m.token != "" && len(g.tokens) < maxTokens {
			g.tokens[m.token] = m.relayed.Port() + 1
		}
	case m.method == methodChannel && m.class == classSuccess:
		if o := g.flows[f]; o != nil && o.pending[m.id].number != 0 {
			o.open(o.pending[m.id], time.Now())
			delete(o.pending, m.id)
			if w != nil {
				o.relay.back.Store(&wayBack{wire: w, client: f.client, channels: slices.Clone(o.channels)})
			}
		}
	}
	if m.method == methodAllocate {
		delete(g.asked, f)
	}
	g.mu.Unlock()
	if surplus != nil {
		_ = surplus.Close()
	}
	return b
}

func (g *guard) revokedLocked(who string) bool { return !g.revoked[who].IsZero() }

// revoke ends a participant's allocations and lets no credential that is out
// make another.
func (g *guard) revoke(who string) {
	g.mu.Lock()
	g.revoked[who] = g.clock.Now()
	var list []*relayConn
	for _, o := range g.flows {
		if o.who == who {
			list = append(list, o.relay)
		}
	}
	g.mu.Unlock()
	for _, c := range list {
		_ = c.Close()
	}
}

// drain refuses new allocations from now on; the channel is closed when none is
// left.
func (g *guard) drain() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.drained == nil {
		g.drained = make(chan struct{})
		if len(g.flows) == 0 {
			close(g.drained)
		}
	}
	return g.drained
}

// lives says whether a user has an allocation.
func (g *guard) lives(user string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, o := range g.flows {
		if o.user == user {
			return true
		}
	}
	return false
}

// sweep forgets revocations whose credentials are dead anyway, and budgets that
// are full again.
func (g *guard) sweep(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for who, at := range g.revoked {
		if now.Sub(at) > revocationsKeptFor {
			delete(g.revoked, who)
		}
	}
	for h, l := range g.hosts {
		if l.TokensAt(now) >= unsignedPerSecond {
			delete(g.hosts, h)
		}
	}
	if len(g.asked) > maxKnownHosts {
		clear(g.asked)
	}
	clear(g.tokens) // they live as long as it takes to ask for the pair's other half
}

func (g *guard) read() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.stats
	s.Allocations = len(g.flows)
	return s
}
