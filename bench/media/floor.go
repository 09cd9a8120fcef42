package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	pion "github.com/pion/srtp/v3"
	"visavis/sfu/packet"
	"visavis/sfu/srtp"
	"visavis/sfu/udp"
)

// sameKeys is the exporter of everybody on the floor: what is measured is work,
// not secrecy.
type sameKeys struct{}

func (sameKeys) ExportKeyingMaterial(_ string, _ []byte, n int) ([]byte, error) {
	return make([]byte, n), nil
}

// floorPeer is one address on the floor; its room is told by its first datagram.
type floorPeer struct {
	addr   netip.AddrPort
	room   *[]*floorPeer
	keys   *srtp.Session
	in     map[uint32]*srtp.Window
	out    map[uint32]*srtp.Window
	number uint32
}

// runFloor opens, seals and sends, and nothing else. Its address is its first
// line.
func runFloor() error {
	s, err := udp.Listen(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		return err
	}
	fmt.Println(s.Local())
	peers, rooms := map[netip.AddrPort]*floorPeer{}, map[byte]*[]*floorPeer{}
	in, out := udp.NewIn(), udp.NewOut()
	for {
		n, err := s.Read(in)
		if err != nil {
			return err
		}
		for i := range n {
			b, from := in.At(i)
			if p := peers[from]; p != nil {
				floorForward(s, out, p, b)
				continue
			}
			if rooms[b[0]] == nil {
				rooms[b[0]] = &[]*floorPeer{}
			}
			keys, err := srtp.New(sameKeys{}, srtp.GCM)
			if err != nil {
				return err
			}
			p := &floorPeer{addr: from, room: rooms[b[0]], keys: keys, in: map[uint32]*srtp.Window{}, out: map[uint32]*srtp.Window{}, number: uint32(len(peers))}
			*p.room = append(*p.room, p)
			peers[from] = p
		}
		s.Write(out)
	}
}

func floorForward(s *udp.Socket, out *udp.Out, p *floorPeer, b []byte) {
	h, ok := packet.Parse(b)
	if !ok {
		return
	}
	w := p.in[h.SSRC]
	if w == nil {
		w = &srtp.Window{}
		p.in[h.SSRC] = w
	}
	plain, err := p.keys.OpenRTP(b, &h, w)
	if err != nil {
		return
	}
	for _, q := range *p.room {
		if q == p {
			continue
		}
		ssrc := p.number<<16 | h.SSRC
		w := q.out[ssrc]
		if w == nil {
			w = &srtp.Window{}
			q.out[ssrc] = w
		}
		if out.Full() {
			s.Write(out)
		}
		buf := out.Next()
		wr := packet.Write(buf, h.Type, h.Marker, h.Seq, h.Timestamp, ssrc)
		head := wr.End()
		if sealed, err := q.keys.SealRTP(buf, head, plain[h.Size:], ssrc, h.Seq, w); err == nil {
			out.Commit(len(sealed), q.addr)
		}
	}
}

// rawCrowd sends what the people send, without WebRTC.
type rawCrowd struct {
	server string
	conns  []*net.UDPConn
	got    atomic.Int64
	stop   chan struct{}
	work   sync.WaitGroup
}

func (c *rawCrowd) fill(_ context.Context, rooms, size int) error {
	c.stop = make(chan struct{})
	addr, err := netip.ParseAddrPort(c.server)
	if err != nil {
		return err
	}
	for r := range rooms {
		for range size {
			conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(addr))
			if err != nil {
				return err
			}
			if _, err := conn.Write([]byte{byte(r)}); err != nil {
				return err
			}
			c.conns = append(c.conns, conn)
		}
	}
	for _, conn := range c.conns {
		c.work.Go(func() { c.read(conn) })
		for _, s := range []struct {
			ssrc    uint32
			every   time.Duration
			n, size int
		}{{1, 20 * time.Millisecond, 1, 80}, {2, 33 * time.Millisecond, perPicture, 1000}} {
			keys := pion.Config{Profile: pion.ProtectionProfileAeadAes128Gcm}
			if err := keys.ExtractSessionKeysFromDTLS(sameKeys{}, true); err != nil {
				return err
			}
			seal, err := pion.CreateContext(keys.Keys.LocalMasterKey, keys.Keys.LocalMasterSalt, keys.Profile)
			if err != nil {
				return err
			}
			c.work.Go(func() { c.send(conn, seal, s.ssrc, s.every, s.n, s.size) })
		}
	}
	return nil
}

func (c *rawCrowd) send(conn *net.UDPConn, seal *pion.Context, ssrc uint32, every time.Duration, n, size int) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	plain, sealed := make([]byte, 12+size), make([]byte, 1500)
	var seq uint16
	for {
		select {
		case <-c.stop:
			return
		case <-tick.C:
		}
		for range n {
			w := packet.Write(plain[:76], 96, false, seq, 0, ssrc)
			w.End()
			seq++
			b, err := seal.EncryptRTP(sealed[:0], plain, nil)
			if err != nil {
				return
			}
			if _, err := conn.Write(b); err != nil {
				return
			}
		}
	}
}

func (c *rawCrowd) read(conn *net.UDPConn) {
	b := make([]byte, 1600)
	for {
		_, err := conn.Read(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			c.got.Add(1)
		}
	}
}

func (c *rawCrowd) received() int       { return int(c.got.Load()) }
func (c *rawCrowd) delays() []float64   { return nil }
func (c *rawCrowd) arrivals() []float64 { return nil }
func (c *rawCrowd) joins() []float64    { return nil }

func (c *rawCrowd) leave() {
	close(c.stop)
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.work.Wait()
}
