package main

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"runtime/pprof"
	"sync"
	"time"

	"visavis/sfu/udp"
	"visavis/turn"
)

// hello is the first word of a datagram that says whose an address is; the
// number of the client follows.
const hello = 0xFFFFFFFF

// pairs know who is at which address.
type pairs struct {
	by map[netip.AddrPort]int
	at [allocations]netip.AddrPort
}

// other is where a datagram goes. False: it said who is there, or nobody is.
func (p *pairs) other(b []byte, from netip.AddrPort) (netip.AddrPort, bool) {
	if len(b) >= 8 && binary.BigEndian.Uint32(b) == hello {
		i := int(binary.BigEndian.Uint32(b[4:])) % allocations
		p.by[from], p.at[i] = i, from
		return netip.AddrPort{}, false
	}
	i, ok := p.by[from]
	to := p.at[i^1]
	return to, ok && to.IsValid()
}

// room is an SFU behind the door that only passes on.
type room struct {
	mu   sync.Mutex
	all  pairs
	exit func(b []byte, from, to netip.AddrPort)
	done func()
}

// Addresses is one that nobody has.
func (*room) Addresses() []netip.AddrPort {
	return []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:7000")}
}

// Burst passes on what enters.
func (r *room) Burst(do func(enter turn.Entry)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	do(r.enter)
	r.done()
}

func (r *room) enter(b []byte, from, at netip.AddrPort) bool {
	if to, ok := r.all.other(b, from); ok {
		r.exit(b, at, to)
	}
	return true
}

// Leave notes where the way out is.
func (r *room) Leave(_ netip.Prefix, exit func(b []byte, from, to netip.AddrPort), done func()) {
	r.exit, r.done = exit, done
}

// runOurs says: address of the server, of the peer; then a user and a password
// for each client.
func runOurs(profile string) error {
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer func() { pprof.StopCPUProfile(); _ = f.Close() }()
	}
	key := []byte("a key for measuring, which is not secret")
	r := &room{all: pairs{by: map[netip.AddrPort]int{}}}
	s, err := turn.Open(turn.Config{
		UDP: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Realm: "bench", Keys: turn.Keys{key}, Door: r, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	at, _ := s.Addresses()
	fmt.Print(at[0], " ", r.Addresses()[0])
	for i := range allocations {
		c := turn.Keys{key}.Issue(fmt.Sprint("client", i), time.Now())
		fmt.Print(" ", c.Username, " ", c.Password)
	}
	fmt.Println()
	wait()
	return s.Close()
}

// runHop says its address.
func runHop() error {
	s, err := udp.Listen(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		return err
	}
	fmt.Println(s.Local())
	go func() { wait(); _ = s.Close() }()
	all := pairs{by: map[netip.AddrPort]int{}}
	in, out := udp.NewIn(), udp.NewOut()
	for {
		n, err := s.Read(in)
		if err != nil {
			return nil
		}
		for i := range n {
			b, from := in.At(i)
			if to, ok := all.other(b, from); ok {
				if out.Full() {
					s.Write(out)
				}
				out.Commit(copy(out.Next(), b), to)
			}
		}
		s.Write(out)
	}
}

func wait() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt)
	<-c
}
