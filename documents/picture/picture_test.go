package picture_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"

	"visavis/documents/picture"
)

func drawn(w, h int) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for x := range w {
		for y := range h {
			m.Set(x, y, color.RGBA{byte(x * 7), byte(y * 5), byte(x * y), 255})
		}
	}
	return m
}

func jpegOf(t *testing.T, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, drawn(w, h), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t *testing.T, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, drawn(w, h)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// segment puts a segment right after SOI.
func segment(jpeg []byte, marker byte, body []byte) []byte {
	s := binary.BigEndian.AppendUint16([]byte{0xFF, marker}, uint16(len(body)+2))
	return bytes.Join([][]byte{jpeg[:2], s, body, jpeg[2:]}, nil)
}

// chunk puts a chunk right after IHDR.
func chunk(png []byte, kind string, body []byte) []byte {
	const head = 8 + 25
	c := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	c = append(append(c, kind...), body...)
	c = binary.BigEndian.AppendUint32(c, crc32.ChecksumIEEE(c[4:]))
	return bytes.Join([][]byte{png[:head], c, png[head:]}, nil)
}

// orientation is the Exif of one entry that a sender keeps.
func orientation() []byte {
	return []byte("Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00")
}

func TestWhatIsKept(t *testing.T) {
	j, p := jpegOf(t, 64, 48), pngOf(t, 30, 20)
	for name, c := range map[string]struct {
		data []byte
		want picture.Picture
	}{
		"JPEG":                       {j, picture.Picture{MIME: "image/jpeg", Width: 64, Height: 48}},
		"JPEG with its orientation":  {segment(j, 0xE1, orientation()), picture.Picture{MIME: "image/jpeg", Width: 64, Height: 48}},
		"JPEG with a colour profile": {segment(j, 0xE2, []byte("ICC_PROFILE\x00\x01\x01…")), picture.Picture{MIME: "image/jpeg", Width: 64, Height: 48}},
		"JPEG with a JFIF head":      {segment(j, 0xE0, []byte("JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")), picture.Picture{MIME: "image/jpeg", Width: 64, Height: 48}},
		"PNG":                        {p, picture.Picture{MIME: "image/png", Width: 30, Height: 20}},
		"PNG with a resolution":      {chunk(p, "pHYs", make([]byte, 9)), picture.Picture{MIME: "image/png", Width: 30, Height: 20}},
	} {
		if got, err := picture.Inspect(c.data); err != nil || got != c.want {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
}

// Product C8: nothing that says where, when or with what a photo was taken gets in.
func TestWhatIsRefused(t *testing.T) {
	j, p := jpegOf(t, 64, 48), pngOf(t, 30, 20)
	vast := bytes.Clone(p)
	binary.BigEndian.PutUint32(vast[16:], 20_000)
	binary.BigEndian.PutUint32(vast[20:], 5_001)
	binary.BigEndian.PutUint32(vast[29:], crc32.ChecksumIEEE(vast[12:29]))
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"nothing":                   {nil, picture.ErrType},
		"a GIF":                     {[]byte("GIF89a"), picture.ErrType},
		"HTML":                      {[]byte("<html>"), picture.ErrType},
		"Exif with a place":         {segment(j, 0xE1, append([]byte("Exif\x00\x00"), make([]byte, 400)...)), picture.ErrMetadata},
		"XMP":                       {segment(j, 0xE1, []byte("http://ns.adobe.com/xap/1.0/\x00<x/>")), picture.ErrMetadata},
		"several pictures":          {segment(j, 0xE2, []byte("MPF\x00…")), picture.ErrMetadata},
		"Photoshop":                 {segment(j, 0xED, []byte("Photoshop 3.0\x00")), picture.ErrMetadata},
		"a comment":                 {segment(j, 0xFE, []byte("Jeanne")), picture.ErrMetadata},
		"a small picture in JFIF":   {segment(j, 0xE0, append([]byte("JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x01\x01"), 1, 2, 3)), picture.ErrMetadata},
		"a second picture behind":   {append(bytes.Clone(j), j...), picture.ErrMetadata},
		"text in a PNG":             {chunk(p, "tEXt", []byte("Author\x00Jeanne")), picture.ErrMetadata},
		"Exif in a PNG":             {chunk(p, "eXIf", orientation()[6:]), picture.ErrMetadata},
		"bytes behind a PNG":        {append(bytes.Clone(p), 0), picture.ErrMetadata},
		"half a JPEG":               {j[:len(j)/2], picture.ErrBroken},
		"a JPEG without its end":    {j[:len(j)-2], picture.ErrBroken},
		"a JPEG of a head only":     {[]byte{0xFF, 0xD8, 0xFF, 0xD9}, picture.ErrBroken},
		"half a PNG":                {p[:len(p)/2], picture.ErrBroken},
		"a length beyond the end":   {segment(j, 0xDB, nil)[:4], picture.ErrBroken},
		"a PNG of 100.02 megapixel": {vast, picture.ErrSize},
	} {
		if _, err := picture.Inspect(c.data); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// Whatever comes, it is refused or it is a picture: no panic, and nothing large is made of it.
func FuzzInspect(f *testing.F) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, drawn(16, 16), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(bytes.Clone(b.Bytes()))
	b.Reset()
	if err := png.Encode(&b, drawn(16, 16)); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, err := picture.Inspect(data); err == nil && (p.Width < 1 || p.Height < 1 || p.Width*p.Height > picture.MaxPixels) {
			t.Errorf("%+v", p)
		}
	})
}
