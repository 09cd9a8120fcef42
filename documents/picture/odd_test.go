package picture_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image/jpeg"
	"image/png"
	"testing"

	"visavis/documents/picture"
)

// piece is one chunk of a PNG with its length and its sum.
func piece(kind string, body []byte) []byte {
	c := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	c = append(append(c, kind...), body...)
	return binary.BigEndian.AppendUint32(c, crc32.ChecksumIEEE(c[4:]))
}

func header(w, h uint32, rest ...byte) []byte {
	b := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	return append(b, rest...)
}

func deflated(n int) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write(make([]byte, n))
	_ = w.Close()
	return b.Bytes()
}

func made(pieces ...[]byte) []byte {
	return append([]byte("\x89PNG\r\n\x1a\n"), bytes.Join(pieces, nil)...)
}

// frameAt gives where the frame header of a JPEG stands, and its length.
func frameAt(t *testing.T, b []byte) (int, int) {
	t.Helper()
	i := bytes.Index(b, []byte{0xFF, 0xC0})
	if i < 0 {
		t.Fatal("no frame")
	}
	return i, int(binary.BigEndian.Uint16(b[i+2:])) + 2
}

// Files that readers do not agree about, that hide something, or that are larger
// than they say (issue 9, C7).
func TestInspect_OddFiles(t *testing.T) {
	j, p := jfif(jpegOf(t, 64, 48)), pngOf(t, 30, 20)
	at, n := frameAt(t, j)
	second := bytes.Clone(j[at : at+n])
	binary.BigEndian.PutUint16(second[5:], 60000) // another height
	end := piece("IEND", nil)
	grey := func(w, h uint32, data []byte, more ...[]byte) []byte {
		return made(append(append([][]byte{piece("IHDR", header(w, h, 8, 0, 0, 0, 0))}, more...), piece("IDAT", data), end)...)
	}
	scanAt := bytes.Index(j, []byte{0xFF, 0xDA})
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"PNG, a second IHDR":                   {chunk(p, "IHDR", header(60000, 60000, 8, 6, 0, 0, 0)), picture.ErrBroken},
		"PNG, IHDR not first":                  {made(piece("gAMA", make([]byte, 4)), piece("IHDR", header(1, 1, 8, 0, 0, 0, 0)), piece("IDAT", deflated(2)), end), picture.ErrBroken},
		"PNG, an animation":                    {chunk(p, "acTL", make([]byte, 8)), picture.ErrMetadata},
		"PNG, a frame of an animation":         {chunk(p, "fdAT", make([]byte, 8)), picture.ErrMetadata},
		"PNG, trailing data":                   {append(bytes.Clone(p), "<script>"...), picture.ErrMetadata},
		"PNG, an end with a body":              {made(piece("IHDR", header(1, 1, 8, 0, 0, 0, 0)), piece("IDAT", deflated(2)), piece("IEND", []byte("x"))), picture.ErrMetadata},
		"PNG, more rows than it says":          {grey(4, 4, deflated(400)), picture.ErrBroken},
		"PNG, fewer rows than it says":         {grey(4, 4, deflated(19)), picture.ErrBroken},
		"PNG, a bomb":                          {grey(100, 100, deflated(200_000_000)), picture.ErrBroken},
		"PNG, larger than is allowed":          {grey(60000, 60000, deflated(1)), picture.ErrSize},
		"PNG, no row":                          {made(piece("IHDR", header(1, 1, 8, 0, 0, 0, 0)), end), picture.ErrBroken},
		"PNG, rows in two runs":                {made(piece("IHDR", header(1, 1, 8, 0, 0, 0, 0)), piece("IDAT", deflated(2)), piece("pHYs", make([]byte, 9)), piece("IDAT", nil), end), picture.ErrBroken},
		"PNG, a chunk twice":                   {chunk(chunk(p, "gAMA", make([]byte, 4)), "gAMA", make([]byte, 4)), picture.ErrBroken},
		"PNG, a wrong sum":                     {func() []byte { b := bytes.Clone(p); b[30] ^= 1; return b }(), picture.ErrBroken},
		"PNG, a huge profile":                  {chunk(p, "iCCP", make([]byte, 70_000)), picture.ErrMetadata},
		"PNG, a colour type that is not":       {made(piece("IHDR", header(1, 1, 8, 5, 0, 0, 0)), piece("IDAT", deflated(2)), end), picture.ErrBroken},
		"JPEG, two frames":                     {bytes.Join([][]byte{j[:at+n], second, j[at+n:]}, nil), picture.ErrBroken},
		"JPEG, the second frame first":         {bytes.Join([][]byte{j[:at], second, j[at:]}, nil), picture.ErrBroken},
		"JPEG, a height given later (DNL)":     {bytes.Join([][]byte{j[:scanAt], {0xFF, 0xDC, 0, 4, 0xEA, 0x60}, j[scanAt:]}, nil), picture.ErrBroken},
		"JPEG, a scan without a frame":         {bytes.Join([][]byte{j[:at], j[at+n:]}, nil), picture.ErrBroken},
		"JPEG, more scans than a camera makes": {bytes.Join([][]byte{j[:len(j)-2], bytes.Repeat(j[scanAt:len(j)-2], 32), j[len(j)-2:]}, nil), picture.ErrBroken},
		"JPEG, trailing data":                  {append(bytes.Clone(j), "<script>"...), picture.ErrMetadata},
		"JPEG, Exif with a thumbnail":          {segment(j, 0xE1, append(orientation(), make([]byte, 4000)...)), picture.ErrMetadata},
		"JPEG, profiles without end":           {segment(segment(j, 0xE2, append([]byte("ICC_PROFILE\x00"), make([]byte, 40_000)...)), 0xE2, append([]byte("ICC_PROFILE\x00"), make([]byte, 40_000)...)), picture.ErrMetadata},
		"a page that says it is a picture":     {[]byte("<html><script>alert(1)</script>"), picture.ErrType},
		"a drawing with a script (SVG)":        {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>`), picture.ErrType},
		"PNG, interlaced, with too few bytes":  {made(piece("IHDR", header(8, 8, 8, 0, 0, 0, 1)), piece("IDAT", deflated(72)), end), picture.ErrBroken},
	} {
		if _, err := picture.Inspect(c.data); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	// Adam7 of 8 × 8 grey: 1+1, 1+1, 1+2, 2+4, 2+8, 4+16, 4+32.
	if got, err := picture.Inspect(made(piece("IHDR", header(8, 8, 8, 0, 0, 0, 1)), piece("IDAT", deflated(64+15)), end)); err != nil || got.Width != 8 {
		t.Errorf("interlaced: %+v %v", got, err)
	}
}

// jfif gives a JPEG the head that most have. Go's own reader looks no further than
// the first frame then, so that what comes after it is for us to see.
func jfif(jpeg []byte) []byte {
	return segment(jpeg, 0xE0, []byte("JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"))
}

// TestInspect_NeighbourFormats: files of other kinds, under whatever name they come, and the
// rarer frames of JPEG, where readers disagree about the size.
func TestInspect_NeighbourFormats(t *testing.T) {
	j := jfif(jpegOf(t, 64, 48))
	at, n := frameAt(t, j)
	insert := func(where int, b ...byte) []byte { return bytes.Join([][]byte{j[:where], b, j[where:]}, nil) }
	for kind := byte(0xC3); kind <= 0xCF; kind++ {
		other := bytes.Clone(j)
		other[at+1] = kind
		if _, err := picture.Inspect(other); !errors.Is(err, picture.ErrBroken) {
			t.Errorf("a frame of kind %X: %v", kind, err)
		}
		second := bytes.Clone(j[at : at+n])
		second[1] = kind
		if kind == 0xC4 {
			continue // a table, which may stand there
		}
		if _, err := picture.Inspect(insert(at+n, second...)); !errors.Is(err, picture.ErrBroken) {
			t.Errorf("a second frame of kind %X: %v", kind, err)
		}
	}
	scanAt := bytes.Index(j, []byte{0xFF, 0xDA})
	hierarchy := bytes.Clone(j[at : at+n])
	hierarchy[1] = 0xDE
	for name, data := range map[string][]byte{
		"WebP":                          []byte("RIFF\x24\x00\x00\x00WEBPVP8 \x18\x00\x00\x00"),
		"HEIC":                          []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"),
		"AVIF":                          []byte("\x00\x00\x00\x1cftypavif\x00\x00\x00\x00mif1"),
		"TIFF":                          []byte("II*\x00\x08\x00\x00\x00"),
		"BMP":                           []byte("BM\x46\x00\x00\x00"),
		"ICO":                           []byte("\x00\x00\x01\x00\x01\x00"),
		"JPEG 2000":                     []byte("\x00\x00\x00\x0cjP  \r\n\x87\n"),
		"JPEG XL":                       []byte("\xff\x0a\x00\x00"),
		"PDF":                           []byte("%PDF-1.7\n"),
		"PDF, a JPEG behind":            append([]byte("%PDF-1.7\n"), j...),
		"a page, a JPEG behind":         append([]byte("<!doctype html><script>"), j...),
		"a space before a JPEG":         append([]byte(" "), j...),
		"a byte order mark before":      append([]byte("\xef\xbb\xbf"), j...),
		"a PDF behind a JPEG":           append(bytes.Clone(j), "%PDF-1.7\n%%EOF"...),
		"a ZIP behind a JPEG":           append(bytes.Clone(j), "PK\x05\x06\x00\x00\x00\x00"...),
		"JPEG, a hierarchy with a size": insert(at, hierarchy...),
		"JPEG, another size behind it":  insert(at+n, hierarchy...),
		"JPEG, a size that is expanded": insert(at+n, 0xFF, 0xDF, 0, 3, 0x11),
		"JPEG, begun twice":             insert(at, 0xFF, 0xD8),
		"JPEG, a restart before a scan": insert(at, 0xFF, 0xD0),
		"JPEG, a frame after its scan":  bytes.Join([][]byte{j[:len(j)-2], j[at : at+n], j[len(j)-2:]}, nil),
		"JPEG, a page in a comment":     segment(j, 0xFE, []byte("<script>alert(1)</script>")),
		"JPEG, a page in APP15":         segment(j, 0xEF, []byte("%PDF-1.7")),
		"JPEG, a reserved marker":       insert(scanAt, 0xFF, 0xBF, 0, 4, 0, 0),
		"JPEG, a length of one":         insert(scanAt, 0xFF, 0xDB, 0, 1),
	} {
		if p, err := picture.Inspect(data); err == nil {
			t.Errorf("%s is taken for a %s of %d × %d", name, p.MIME, p.Width, p.Height)
		}
	}
}

// Whatever is kept decodes to the size that was read.
func FuzzInspectedSize(f *testing.F) {
	var j, p bytes.Buffer
	_ = jpeg.Encode(&j, drawn(16, 8), nil)
	_ = png.Encode(&p, drawn(9, 5))
	f.Add(j.Bytes())
	f.Add(p.Bytes())
	f.Add(chunk(p.Bytes(), "IHDR", header(7, 7, 8, 6, 0, 0, 0)))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := picture.Inspect(b)
		if err != nil || got.Width*got.Height > 1<<20 {
			return
		}
		if got.MIME == "image/png" {
			if m, err := png.Decode(bytes.NewReader(b)); err == nil && (m.Bounds().Dx() != got.Width || m.Bounds().Dy() != got.Height) {
				t.Fatalf("decodes to %v, read as %+v", m.Bounds(), got)
			}
			return
		}
		if m, err := jpeg.Decode(bytes.NewReader(b)); err == nil && (m.Bounds().Dx() != got.Width || m.Bounds().Dy() != got.Height) {
			t.Fatalf("decodes to %v, read as %+v", m.Bounds(), got)
		}
	})
}
