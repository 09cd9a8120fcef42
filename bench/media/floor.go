//go:build linux

package main

import (
	"fmt"
	"net/netip"

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
	peers, rooms := map[netip.AddrPort]*floorPeer{}, map[string]*[]*floorPeer{}
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
			name := string(b)
			if rooms[name] == nil {
				rooms[name] = &[]*floorPeer{}
			}
			keys, err := srtp.New(sameKeys{}, srtp.GCM)
			if err != nil {
				return err
			}
			p := &floorPeer{addr: from, room: rooms[name], keys: keys, in: map[uint32]*srtp.Window{}, out: map[uint32]*srtp.Window{}, number: uint32(len(peers))}
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
