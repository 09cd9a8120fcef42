package srtp

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/pion/rtp"
	pion "github.com/pion/srtp/v3"
	"pgregory.net/rapid"
	"visavis/sfu/packet"
)

// material is an exporter with fixed keys.
type material []byte

func (m material) ExportKeyingMaterial(_ string, _ []byte, n int) ([]byte, error) { return m[:n], nil }

func keys() material {
	b := make([]byte, 128)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// client is pion's view of the other side.
func client(t testing.TB, p Profile) (in, out *pion.Context) {
	t.Helper()
	conf := pion.Config{Profile: pion.ProtectionProfile(p)}
	if err := conf.ExtractSessionKeysFromDTLS(keys(), true); err != nil {
		t.Fatal(err)
	}
	in, err := pion.CreateContext(conf.Keys.RemoteMasterKey, conf.Keys.RemoteMasterSalt, conf.Profile)
	if err != nil {
		t.Fatal(err)
	}
	out, err = pion.CreateContext(conf.Keys.LocalMasterKey, conf.Keys.LocalMasterSalt, conf.Profile)
	if err != nil {
		t.Fatal(err)
	}
	return in, out
}

func profiles(t *testing.T, f func(t *testing.T, p Profile)) {
	for name, p := range map[string]Profile{"GCM": GCM, "CM": CM} {
		t.Run(name, func(t *testing.T) { f(t, p) })
	}
}

func TestAnotherImplementationUnderstandsUs(t *testing.T) {
	profiles(t, func(t *testing.T, p Profile) {
		in, out := client(t, p)
		s, err := New(keys(), p)
		if err != nil {
			t.Fatal(err)
		}
		var opened, sealed Window
		buf := make([]byte, 1600)
		for i := range 70000 { // the sequence number turns over twice
			h := rtp.Header{Version: 2, PayloadType: 96, SequenceNumber: uint16(65000 + i), SSRC: 77, Extension: true}
			_ = h.SetExtension(3, []byte{1, 2})
			raw, _ := h.Marshal()
			head := len(raw)
			raw = append(raw, byte(i), 'x', 'y')
			if i%100 == 0 || i > 69000 {
				enc, err := out.EncryptRTP(nil, raw, nil)
				if err != nil {
					t.Fatal(err)
				}
				ph, _ := packet.Parse(enc)
				plain, err := s.OpenRTP(enc, &ph, &opened)
				if err != nil || !bytes.Equal(plain, raw) {
					t.Fatalf("packet %d: %v", i, err)
				}
			}
			copy(buf, raw[:head])
			b, err := s.SealRTP(buf, head, raw[head:], 77, h.SequenceNumber, &sealed)
			if err != nil {
				t.Fatal(err)
			}
			if i%100 == 0 || i > 69000 {
				dec, err := in.DecryptRTP(nil, b, nil)
				if err != nil || !bytes.Equal(dec, raw) {
					t.Fatalf("sealed packet %d: %v", i, err)
				}
			}
		}
		report := []byte{0x80, 201, 0, 1, 0, 0, 0, 7}
		for range 5 {
			b, err := s.SealRTCP(buf, report)
			if err != nil {
				t.Fatal(err)
			}
			if dec, err := in.DecryptRTCP(nil, b, nil); err != nil || !bytes.Equal(dec, report) {
				t.Fatalf("RTCP out: %v", err)
			}
			report[7] ^= 1 // each SSRC counts for itself
			enc, err := out.EncryptRTCP(nil, report, nil)
			if err != nil {
				t.Fatal(err)
			}
			again := bytes.Clone(enc)
			if plain, err := s.OpenRTCP(enc); err != nil || !bytes.Equal(plain, report) {
				t.Fatalf("RTCP in: %v", err)
			}
			if _, err := s.OpenRTCP(again); err == nil {
				t.Fatal("a replayed report was taken")
			}
		}
	})
}

func TestForgedAndReplayedPacketsAreRefused(t *testing.T) {
	profiles(t, func(t *testing.T, p Profile) {
		_, out := client(t, p)
		s, _ := New(keys(), p)
		var w Window
		raw := []byte{0x80, 96, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1, 'p', 'a', 'y'}
		enc, err := out.EncryptRTP(nil, raw, nil)
		if err != nil {
			t.Fatal(err)
		}
		h, _ := packet.Parse(enc)
		for i := range enc {
			bad := bytes.Clone(enc)
			bad[i] ^= 1
			if bh, ok := packet.Parse(bad); ok {
				if _, err := s.OpenRTP(bad, &bh, &w); err == nil {
					t.Fatalf("byte %d changed and taken", i)
				}
			}
		}
		for n := range len(enc) {
			if ch, ok := packet.Parse(enc[:n]); ok {
				if _, err := s.OpenRTP(bytes.Clone(enc[:n]), &ch, &w); err == nil {
					t.Fatalf("cut to %d and taken", n)
				}
			}
		}
		if _, err := s.OpenRTP(bytes.Clone(enc), &h, &w); err != nil {
			t.Fatalf("the true one: %v", err)
		}
		if _, err := s.OpenRTP(bytes.Clone(enc), &h, &w); !errors.Is(err, ErrReplayed) {
			t.Errorf("the same again: %v", err)
		}
	})
}

func TestANonceIsNeverUsedTwice(t *testing.T) {
	s, _ := New(keys(), GCM)
	rapid.Check(t, func(t *rapid.T) {
		var w Window
		out := make([]byte, 100)
		used := map[uint64]bool{}
		seq := rapid.Uint16().Draw(t, "first")
		for range rapid.IntRange(1, 300).Draw(t, "packets") {
			seq += uint16(rapid.IntRange(-40, 60).Draw(t, "step"))
			index := w.Index(seq)
			if _, err := s.SealRTP(out, 12, []byte("x"), 1, seq, &w); err == nil {
				if used[index] {
					t.Fatalf("index %d sealed twice", index)
				}
				used[index] = true
			} else if !used[index] && w.high-index < windowSize {
				t.Fatalf("index %d refused though fresh", index)
			}
		}
	})
}

func TestNothingIsAllocated(t *testing.T) {
	s, _ := New(keys(), GCM)
	_, out := client(t, GCM)
	var in, sealed Window
	payload, buf := make([]byte, 1100), make([]byte, 1600)
	var list [][]byte
	for i := range 2000 {
		p := rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: uint16(i), SSRC: 5}, Payload: payload}
		raw, _ := p.Marshal()
		enc, err := out.EncryptRTP(nil, raw, nil)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, enc)
	}
	i := 0
	if n := testing.AllocsPerRun(1000, func() {
		h, _ := packet.Parse(list[i])
		plain, err := s.OpenRTP(list[i], &h, &in)
		if err != nil {
			t.Fatal(err)
		}
		copy(buf, plain[:12])
		if _, err := s.SealRTP(buf, 12, plain[12:], 6, h.Seq, &sealed); err != nil {
			t.Fatal(err)
		}
		i++
	}); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
}

func TestUnknownProfile(t *testing.T) {
	if _, err := New(keys(), 0x0002); !errors.Is(err, ErrProfile) {
		t.Error(err)
	}
}

// FuzzOpen: what is not authentic never panics (S8).
func FuzzOpen(f *testing.F) {
	f.Add([]byte{0x80, 96, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1, 'p'}, false)
	f.Add([]byte{0x80, 200, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1, 'p'}, true)
	f.Fuzz(func(t *testing.T, b []byte, cm bool) {
		p := GCM
		if cm {
			p = CM
		}
		s, err := New(keys(), p)
		if err != nil {
			t.Fatal(err)
		}
		var w Window
		if !packet.Is(b) {
			return
		}
		if packet.IsRTCP(b) {
			_, _ = s.OpenRTCP(b)
		} else if h, ok := packet.Parse(b); ok {
			_, _ = s.OpenRTP(b, &h, &w)
		}
	})
}
