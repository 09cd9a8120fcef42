package packet

import (
	"bytes"
	"testing"

	"github.com/pion/rtp"
	"pgregory.net/rapid"
)

func TestReadsWhatAnotherImplementationWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := rtp.Header{
			Version: 2, PayloadType: rapid.Uint8Range(0, 127).Draw(t, "pt"), Marker: rapid.Bool().Draw(t, "marker"),
			SequenceNumber: rapid.Uint16().Draw(t, "seq"), Timestamp: rapid.Uint32().Draw(t, "ts"), SSRC: rapid.Uint32().Draw(t, "ssrc"),
			CSRC: rapid.SliceOfN(rapid.Uint32(), 0, 15).Draw(t, "csrc"),
		}
		want := map[uint8][]byte{}
		for id := range rapid.MapOfN(rapid.Uint8Range(1, 14), rapid.Bool(), 0, 4).Draw(t, "ids") {
			want[id] = rapid.SliceOfN(rapid.Byte(), 1, rapid.SampledFrom([]int{16, 40}).Draw(t, "long")).Draw(t, "value")
			if err := h.SetExtension(id, want[id]); err != nil {
				delete(want, id) // does not fit the form that the first one chose
			}
		}
		b, err := h.Marshal()
		if err != nil {
			t.Skip(err)
		}
		size := len(b)
		b = append(b, "payload"...)
		got, ok := Parse(b)
		if !ok || got.Type != h.PayloadType || got.Marker != h.Marker || got.Seq != h.SequenceNumber || got.Timestamp != h.Timestamp ||
			got.SSRC != h.SSRC || got.Size != size {
			t.Fatalf("read %+v of %+v", got, h)
		}
		for id := range uint8(16) {
			if x := got.Extension(b, id); !bytes.Equal(x, want[id]) {
				t.Fatalf("extension %d is %v, want %v", id, x, want[id])
			}
		}
	})
}

func TestAnotherImplementationReadsWhatIsWritten(t *testing.T) {
	b := make([]byte, 64)
	w := Write(b, 111, true, 7, 8, 9)
	w.Extension(1, 1)[0] = 0x85
	copy(w.Extension(5, 2), []byte{1, 2})
	n := w.End()
	var h rtp.Header
	if size, err := h.Unmarshal(b[:n]); err != nil || size != n {
		t.Fatalf("%d of %d, %v", size, n, err)
	}
	if h.PayloadType != 111 || !h.Marker || h.SequenceNumber != 7 || h.Timestamp != 8 || h.SSRC != 9 ||
		!bytes.Equal(h.GetExtension(1), []byte{0x85}) || !bytes.Equal(h.GetExtension(5), []byte{1, 2}) {
		t.Errorf("%+v", h)
	}
	plain := Write(b, 96, false, 1, 2, 3)
	if n := plain.End(); n != 12 || b[0] != 0x80 || b[1] != 96 {
		t.Errorf("without extensions: %d bytes, %x", n, b[:2])
	}
}

func TestPadding(t *testing.T) {
	head := []byte{0xa0, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}
	for name, tc := range map[string]struct {
		tail []byte
		end  int
		ok   bool
	}{
		"two of padding":          {[]byte{'x', 0, 2}, 13, true},
		"padding only":            {[]byte{0, 0, 3}, 12, true},
		"longer than the payload": {[]byte{'x', 4}, 0, false},
		"none though said":        {[]byte{'x', 0}, 0, false},
		"no payload":              {nil, 0, false},
	} {
		b := append(append([]byte(nil), head...), tc.tail...)
		h, ok := Parse(b)
		if !ok {
			t.Fatal(name)
		}
		if end, ok := h.Payload(b); ok != tc.ok || ok && end != tc.end {
			t.Errorf("%s: %d %v", name, end, ok)
		}
	}
}

func TestPrimary(t *testing.T) {
	two := []byte{0x80 | 111, 3, 0xc0, 2, 0x80 | 111, 1, 0xe0, 1, 111, 'a', 'b', 'c', 'n', 'e', 'w'}
	for name, tc := range map[string]struct {
		in   []byte
		want string
		ok   bool
	}{
		"two older ones": {two, "new", true}, "none": {[]byte{111, 'n', 'e', 'w'}, "new", true}, "cut": {two[:11], "", false},
		"only headers": {two[:8], "", false}, "empty": {nil, "", false},
	} {
		if got, ok := Primary(tc.in); string(got) != tc.want || ok != tc.ok {
			t.Errorf("%s: %q %v", name, got, ok)
		}
	}
}

// FuzzHeader is the RTP part of trust.md S8.
func FuzzHeader(f *testing.F) {
	f.Add([]byte{0x90, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0xbe, 0xde, 0, 1, 0x10, 1, 0, 0})
	f.Add([]byte{0xb1, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 9, 0x10, 0, 0, 1, 4, 200, 1, 1, 9})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, ok := Parse(b)
		if !ok {
			return
		}
		if h.Size > len(b) {
			t.Fatal("longer than the datagram")
		}
		for id := range uint8(20) {
			h.Extension(b, id)
		}
		Primary(b[h.Size:])
		if end, ok := h.Payload(b); ok && (end < h.Size || end > len(b)) {
			t.Fatalf("payload ends at %d of %d", end, len(b))
		}
	})
}
