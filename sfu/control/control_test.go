package control

import (
	"math"
	"slices"
	"testing"

	"github.com/pion/rtcp"
	"pgregory.net/rapid"
)

func TestAnotherImplementationReadsWhatIsWritten(t *testing.T) {
	b := PutSender(nil, 1, 2<<32|3, 4, 5, 6)
	b = PutReceiver(b, 7, []Block{{SSRC: 8, Fraction: 9, Lost: 10, High: 11, Jitter: 12, LSR: 13, DLSR: 14}})
	b = PutNACK(b, 15, 16, []uint16{65530, 65535, 0, 10, 11, 300})
	b = PutPLI(b, 17, 18)
	b = PutREMB(b, 19, 1_234_567, 20)
	list, err := rtcp.Unmarshal(b)
	if err != nil || len(list) != 5 {
		t.Fatal(err, list)
	}
	if m := list[0].(*rtcp.SenderReport); m.SSRC != 1 || m.NTPTime != 2<<32|3 || m.RTPTime != 4 || m.PacketCount != 5 || m.OctetCount != 6 {
		t.Errorf("%+v", m)
	}
	if m := list[1].(*rtcp.ReceiverReport); m.SSRC != 7 || len(m.Reports) != 1 || m.Reports[0] != (rtcp.ReceptionReport{
		SSRC: 8, FractionLost: 9, TotalLost: 10, LastSequenceNumber: 11, Jitter: 12, LastSenderReport: 13, Delay: 14,
	}) {
		t.Errorf("%+v", m)
	}
	var asked []uint16
	nack := list[2].(*rtcp.TransportLayerNack)
	for _, p := range nack.Nacks {
		asked = append(asked, p.PacketList()...)
	}
	if nack.MediaSSRC != 16 || !slices.Equal(asked, []uint16{65530, 65535, 0, 10, 11, 300}) {
		t.Errorf("%+v asks for %v", nack, asked)
	}
	if m := list[3].(*rtcp.PictureLossIndication); m.SenderSSRC != 17 || m.MediaSSRC != 18 {
		t.Errorf("%+v", m)
	}
	if m := list[4].(*rtcp.ReceiverEstimatedMaximumBitrate); math.Abs(float64(m.Bitrate)-1_234_567) > 10 || m.SSRCs[0] != 20 {
		t.Errorf("%+v", m)
	}
}

func TestReadsWhatAnotherImplementationWrites(t *testing.T) {
	b, err := rtcp.Marshal([]rtcp.Packet{
		&rtcp.SenderReport{SSRC: 1, NTPTime: 99, RTPTime: 98, Reports: []rtcp.ReceptionReport{{SSRC: 2, FractionLost: 3, TotalLost: 4, LastSequenceNumber: 5, Delay: 6}}},
		&rtcp.ReceiverReport{SSRC: 1, Reports: []rtcp.ReceptionReport{{SSRC: 7}, {SSRC: 8}}},
		&rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{Source: 1, Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: "x"}}}}},
		&rtcp.TransportLayerNack{SenderSSRC: 1, MediaSSRC: 9, Nacks: rtcp.NackPairsFromSequenceNumbers([]uint16{1, 2, 18, 40})},
		&rtcp.FullIntraRequest{SenderSSRC: 1, FIR: []rtcp.FIREntry{{SSRC: 10}, {SSRC: 11}}},
		&rtcp.PictureLossIndication{SenderSSRC: 1, MediaSSRC: 12},
	})
	if err != nil {
		t.Fatal(err)
	}
	var blocks, pictures []uint32
	var missing []uint16
	n := 0
	for p, rest, ok := Next(b); ok; p, rest, ok = Next(rest) {
		n++
		if p.Type != 202 && p.Sender() != 1 {
			t.Errorf("packet %d is from %d", n, p.Sender())
		}
		if ntp, rtp, ok := p.Times(); ok != (n == 1) || ok && (ntp != 99 || rtp != 98) {
			t.Errorf("packet %d: times %d %d %v", n, ntp, rtp, ok)
		}
		for i := 0; ; i++ {
			x, ok := p.Block(i)
			if !ok {
				break
			}
			blocks = append(blocks, x.SSRC)
			if x.SSRC == 2 && x != (Block{SSRC: 2, Fraction: 3, Lost: 4, High: 5, DLSR: 6}) {
				t.Errorf("%+v", x)
			}
		}
		missing, pictures = p.Missing(missing, 100), p.Pictures(pictures)
	}
	if n != 6 || !slices.Equal(blocks, []uint32{2, 7, 8}) || !slices.Equal(missing, []uint16{1, 2, 18, 40}) || !slices.Equal(pictures, []uint32{10, 11, 12}) {
		t.Errorf("%d packets, blocks %v, missing %v, pictures %v", n, blocks, missing, pictures)
	}
}

func TestNACKThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seq := rapid.Uint16().Draw(t, "first")
		list := []uint16{seq}
		for range rapid.IntRange(0, 100).Draw(t, "n") {
			seq += rapid.Uint16Range(1, 40).Draw(t, "step")
			list = append(list, seq)
		}
		p, _, ok := Next(PutNACK(nil, 1, 2, list))
		if got := p.Missing(nil, 1000); !ok || !slices.Equal(got, list) {
			t.Fatalf("%v, want %v", got, list)
		}
		if got := p.Missing(nil, 5); len(got) > 5 {
			t.Fatal("more than asked for")
		}
	})
}

// FuzzRead is the RTCP part of trust.md S8.
func FuzzRead(f *testing.F) {
	f.Add(PutNACK(PutReceiver(PutSender(nil, 1, 2, 3, 4, 5), 6, make([]Block, 3)), 1, 2, []uint16{1, 9}))
	f.Add([]byte{0x9f, 201, 0, 1, 0, 0, 0, 1})
	f.Add([]byte{0x84, 206, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, b []byte) {
		for p, rest, ok := Next(b); ok; p, rest, ok = Next(rest) {
			p.Sender()
			p.Media()
			p.Times()
			for i := 0; i < 40; i++ {
				p.Block(i)
			}
			if n := len(p.Missing(nil, 50)); n > 50 {
				t.Fatalf("%d missing", n)
			}
			p.Pictures(nil)
		}
	})
}
