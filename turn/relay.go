package turn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/logging"
	pion "github.com/pion/turn/v3"
	"visavis/internal/clock"
	"visavis/sfu/udp"
)

// Config is what a Server needs.
type Config struct {
	// UDP and TCP addresses to listen on.
	UDP, TCP []netip.AddrPort
	// Streams are listeners made elsewhere: TLS on 443, split from HTTPS.
	Streams []net.Listener
	// Realm of the long-term credentials, the service's public name.
	Realm string
	// Keys make and check credentials. At least one, of 32 bytes or more.
	Keys Keys
	// Door leads into the SFU.
	Door Door
	// Max allocations at once. 1,000.
	Max int
	// Clock decides on expiry. System.
	Clock clock.Clock
	// Log gets technical lines without addresses. slog.Default.
	Log *slog.Logger

	wires []wire // more sockets: those of the fuzz test, in memory
}

// Server is a running closed relay.
type Server struct {
	cfg    Config
	guard  *guard
	relays *relays
	pion   *pion.Server
	udp    []netip.AddrPort
	tcp    []netip.AddrPort
	stop   chan struct{}
	once   sync.Once
	done   sync.WaitGroup

	mu   sync.RWMutex
	keys Keys // those that count now
	old  Keys // those that only keep what lives alive
}

// Open binds the sockets and starts the server.
func Open(cfg Config) (*Server, error) {
	if cfg.Door == nil || cfg.Realm == "" {
		return nil, errors.New("turn: Door and Realm are required")
	}
	if err := cfg.Keys.check(); err != nil {
		return nil, err
	}
	if cfg.Max == 0 {
		cfg.Max = 1000
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.System{}
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	s := &Server{cfg: cfg, keys: cfg.Keys, relays: newRelays(cfg.Door, cfg.Max), stop: make(chan struct{})}
	s.guard = newGuard(cfg.Clock, s.relays)
	if err := s.listen(); err != nil {
		return nil, err
	}
	s.done.Add(1)
	go s.sweep()
	return s, nil
}

func (s *Server) listen() (err error) {
	var opened []interface{ Close() error }
	defer func() {
		if err != nil {
			for _, c := range opened {
				_ = c.Close()
			}
		}
	}()
	pc := pion.ServerConfig{Realm: s.cfg.Realm, AuthHandler: s.key, LoggerFactory: quiet{s.cfg.Log}, ChannelBindTimeout: channelLife}
	wires := s.cfg.wires
	udps, err := udp.Expand(s.cfg.UDP, false)
	if err != nil {
		return fmt.Errorf("turn: %w", err)
	}
	for _, a := range udps {
		w, err := openWire(a)
		if err != nil {
			return fmt.Errorf("turn: listen udp %s: %w", a, err)
		}
		opened = append(opened, w)
		s.udp = append(s.udp, clientAddr(w.LocalAddr()))
		wires = append(wires, w)
	}
	for _, w := range wires {
		pc.PacketConnConfigs = append(pc.PacketConnConfigs, pion.PacketConnConfig{
			PacketConn:            guardConn(w, s.guard, "udp "+w.LocalAddr().String()),
			RelayAddressGenerator: generator{s}, PermissionHandler: s.permit,
		})
	}
	s.relays.begin(wires)
	streams := s.cfg.Streams
	for _, a := range s.cfg.TCP {
		l, err := net.Listen("tcp", a.String())
		if err != nil {
			return fmt.Errorf("turn: listen tcp %s: %w", a, err)
		}
		opened = append(opened, l)
		s.tcp = append(s.tcp, clientAddr(l.Addr()))
		streams = append(streams, l)
	}
	for i, l := range streams {
		pc.ListenerConfigs = append(pc.ListenerConfigs, pion.ListenerConfig{
			Listener:              guardListener(l, s.guard, fmt.Sprintf("stream %d", i)),
			RelayAddressGenerator: generator{s}, PermissionHandler: s.permit,
		})
	}
	s.pion, err = pion.NewServer(pc)
	if err != nil {
		return fmt.Errorf("turn: start: %w", err)
	}
	return nil
}

// key is pion's question for a user's key. It is the MD5 that the protocol
// imposes (RFC 8489 §9.2.2); expiry is the guard's and is asked of Allocate
// alone.
func (s *Server) key(username, realm string, _ net.Addr) ([]byte, bool) {
	s.mu.RLock()
	keys, old := s.keys, s.old
	s.mu.RUnlock()
	pw, ok := keys.password(username)
	if !ok && s.guard.lives(username) {
		pw, ok = old.password(username)
	}
	if !ok {
		return nil, false
	}
	return pion.GenerateAuthKey(username, realm, pw), true
}

// permit is the second lock behind the guard's: the address of our SFU only.
func (s *Server) permit(_ net.Addr, peer net.IP) bool {
	ip, ok := netip.AddrFromSlice(peer)
	return ok && s.relays.reachesIP(ip.Unmap())
}

// Addresses are those that the server listens on, for UDP and for TCP.
func (s *Server) Addresses() (udp, tcp []netip.AddrPort) { return s.udp, s.tcp }

// Issue makes a credential for a participant.
func (s *Server) Issue(participant string) Credential {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.keys.Issue(participant, s.cfg.Clock.Now())
}

// Rekey replaces the keys: give the new one first and the one before behind it,
// and leave that one out CredentialLife later. An allocation that was made with
// a key lives on without it.
func (s *Server) Rekey(keys Keys) error {
	if err := keys.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.old = append(s.keys[:len(s.keys):len(s.keys)], s.old...)
	s.old = s.old[:min(len(s.old), maxOldKeys)]
	s.keys = keys
	return nil
}

// Drain refuses new allocations and waits until the last one is gone, or ctx
// ends, which is its error then.
func (s *Server) Drain(ctx context.Context) error {
	select {
	case <-s.guard.drain():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Revoke ends a participant's allocations and refuses their credentials.
func (s *Server) Revoke(participant string) { s.guard.revoke(participant) }

// Stats reads the counters.
func (s *Server) Stats() Stats { return s.guard.read() }

func (s *Server) sweep() {
	defer s.done.Done()
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
			s.relays.idle(time.Now().Add(-idleFor))
			s.guard.sweep(s.cfg.Clock.Now())
		}
	}
}

// Close frees the sockets and every allocation.
func (s *Server) Close() error {
	var err error
	s.once.Do(func() {
		close(s.stop)
		err = s.pion.Close()
		s.relays.idle(time.Now().Add(time.Hour))
		s.done.Wait()
	})
	return err
}

// generator gives pion virtual sockets.
type generator struct{ s *Server }

// Validate has nothing to check.
func (generator) Validate() error { return nil }

// AllocatePacketConn opens a virtual socket.
func (g generator) AllocatePacketConn(_ string, port int) (net.PacketConn, net.Addr, error) {
	c, err := g.s.relays.open(port)
	if err != nil {
		return nil, nil, err
	}
	return c, c.LocalAddr(), nil
}

// AllocateConn refuses TCP relaying (RFC 6062): off by trust B4.
func (generator) AllocateConn(string, int) (net.Conn, net.Addr, error) {
	return nil, nil, errors.New("turn: no TCP relaying")
}

// quiet gives pion's errors to slog at debug level; they hold addresses.
type quiet struct{ log *slog.Logger }

// NewLogger returns a logger for one part of pion.
func (q quiet) NewLogger(scope string) logging.LeveledLogger { return quietLine(q) }

type quietLine struct{ log *slog.Logger }

func (quietLine) Trace(string)          {}
func (quietLine) Tracef(string, ...any) {}
func (quietLine) Debug(string)          {}
func (quietLine) Debugf(string, ...any) {}
func (quietLine) Info(string)           {}
func (quietLine) Infof(string, ...any)  {}
func (quietLine) Warn(string)           {}
func (quietLine) Warnf(string, ...any)  {}
func (l quietLine) Error(s string)      { l.log.Debug("turn: " + s) }
func (l quietLine) Errorf(f string, a ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug("turn: " + fmt.Sprintf(f, a...))
	}
}
