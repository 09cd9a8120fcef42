package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/logging"
	pion "github.com/pion/turn/v3"
)

// place is where the clients find a relay, and who they are.
type place struct {
	server, peer string
	realm        string
	user         func(i int) (name, password string)
}

// open starts the servers of a kind: the relay, and the hop when there is one.
func open(kind, profile string) (relay, hop *server, at place, err error) {
	if kind == "ours" {
		relay, err = start(os.Args[0], "-serve", "ours", "-profile", profile)
		if err != nil {
			return nil, nil, at, err
		}
		return relay, nil, place{relay.said[0], relay.said[1], "bench", func(i int) (string, string) {
			return relay.said[2+2*i], relay.said[3+2*i]
		}}, nil
	}
	if hop, err = start(os.Args[0], "-serve", "hop"); err != nil {
		return nil, nil, at, err
	}
	port, err := freePort()
	if err != nil {
		return nil, hop, at, err
	}
	relay, err = start("turnserver", "-n", "--no-tls", "--no-dtls", "--no-cli", "--lt-cred-mech", "--user=bench:bench", "--realm=bench",
		"--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--listening-port="+port, "--allow-loopback-peers", "--log-file=/dev/null",
		"--no-stdout-log", "--pidfile=/dev/null", "--userdb=/dev/null")
	return relay, hop, place{"127.0.0.1:" + port, hop.said[0], "bench", func(int) (string, string) { return "bench", "bench" }}, err
}

func freePort() (string, error) {
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer c.Close()
	_, port, err := net.SplitHostPort(c.LocalAddr().String())
	return port, err
}

// measure starts the servers, allocates, sends, and reads what it cost.
func measure(kind string, rate, size int, d time.Duration, profile string) (r row, err error) {
	relay, hop, at, err := open(kind, profile)
	defer hop.end()
	defer relay.end()
	if err != nil {
		return r, err
	}
	if err := answers(at.server); err != nil {
		return r, err
	}
	idle, err := relay.resident()
	if err != nil {
		return r, err
	}
	var clients []*client
	defer func() {
		for _, c := range clients {
			c.close()
		}
	}()
	for i := range allocations {
		c, err := allocate(at, i)
		if err != nil {
			return r, fmt.Errorf("client %d: %w", i, err)
		}
		clients = append(clients, c)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	work.Go(func() { send(ctx, clients, rate, size) })
	time.Sleep(time.Second) // warm
	count := func() (n, sent int64) {
		for _, c := range clients {
			n, sent = n+c.got.Load(), sent+c.sent.Load()
		}
		return n, sent
	}
	a, b := relay.used(), hop.used()
	n0, s0 := count()
	time.Sleep(d)
	n1, s1 := count()
	busy, err := relay.resident()
	if err != nil {
		return r, err
	}
	n := float64(n1 - n0)
	per := func(t time.Duration) float64 { return t.Seconds() * 1e6 / n }
	return row{relay: per(relay.used() - a), hop: per(hop.used() - b), memory: (busy - idle) / allocations, lost: max(0, 100*(1-n/float64(s1-s0)))}, nil
}

// send gives each client its share, every two milliseconds.
func send(ctx context.Context, clients []*client, rate, size int) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	start, sent := time.Now(), 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for due := int(time.Since(start).Seconds() * float64(rate)); sent < due; sent++ {
			clients[sent%len(clients)].data(size)
		}
	}
}

// answers waits until a server answers a Binding request.
func answers(server string) error {
	c, err := net.Dial("udp", server)
	if err != nil {
		return err
	}
	defer c.Close()
	for range 50 {
		time.Sleep(50 * time.Millisecond) // nobody there yet is an error at once
		_, _ = c.Write(append([]byte{0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42}, "transaction."...))
		_ = c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		if _, err := c.Read(make([]byte, 1500)); err == nil {
			return nil
		}
	}
	return errors.New("the server does not answer")
}

// client has an allocation and a channel to the peer. It is the socket that
// pion's client uses to get them; what comes by the channel is counted here.
type client struct {
	net.PacketConn
	pion      *pion.Client
	server    net.Addr
	channel   atomic.Uint32
	got, sent atomic.Int64
	buf       [1500]byte
}

// allocate makes client i, each from an address of its own: so many from one
// would be refused.
func allocate(at place, i int) (*client, error) {
	sock, err := net.ListenPacket("udp4", fmt.Sprintf("127.0.1.%d:0", 1+i))
	if err != nil {
		return nil, err
	}
	server, err := net.ResolveUDPAddr("udp4", at.server)
	if err != nil {
		return nil, err
	}
	c := &client{PacketConn: sock, server: server}
	name, password := at.user(i)
	c.pion, err = pion.NewClient(&pion.ClientConfig{
		STUNServerAddr: at.server, TURNServerAddr: at.server, Conn: c, Username: name, Password: password, Realm: at.realm,
		LoggerFactory: &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled},
	})
	if err != nil {
		return nil, err
	}
	if err := c.pion.Listen(); err != nil {
		return nil, err
	}
	relayed, err := c.pion.Allocate()
	if err != nil {
		return nil, err
	}
	who := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, hello), uint32(i))
	peer := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(at.peer))
	for range 100 { // until pion's client has its channel
		if _, err := relayed.WriteTo(who, peer); err != nil {
			return nil, err
		}
		if c.channel.Load() != 0 {
			return c, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil, errors.New("no channel")
}

// WriteTo looks for the number of the channel.
func (c *client) WriteTo(p []byte, to net.Addr) (int, error) {
	if len(p) > 4 && p[0]&0xC0 == 0x40 {
		c.channel.Store(uint32(binary.BigEndian.Uint16(p)))
	}
	return c.PacketConn.WriteTo(p, to)
}

// ReadFrom counts what came by the channel and gives the rest.
func (c *client) ReadFrom(p []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.PacketConn.(*net.UDPConn).ReadFromUDPAddrPort(p)
		if err != nil {
			return 0, nil, err
		}
		if n > 4 && p[0]&0xC0 == 0x40 {
			c.got.Add(1)
			continue
		}
		return n, net.UDPAddrFromAddrPort(from), nil
	}
}

func (c *client) data(size int) {
	binary.BigEndian.PutUint16(c.buf[:], uint16(c.channel.Load()))
	binary.BigEndian.PutUint16(c.buf[2:], uint16(size))
	if _, err := c.PacketConn.WriteTo(c.buf[:4+size], c.server); err == nil {
		c.sent.Add(1)
	}
}

func (c *client) close() {
	c.pion.Close()
	_ = c.PacketConn.Close()
}
