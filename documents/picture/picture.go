// Package picture looks at a photo before it enters the record: that it is a whole JPEG or PNG of a bounded
// size, and that it says nothing but the picture. Cameras write where, when and with which telephone a photo
// was taken into it (Exif, XMP, maker's notes, a second picture behind the first); all of that is refused
// (product C8: GPS data is stripped), because whoever takes the photo strips it before the hash is made.
//
// Sources: ITU-T T.81 annex B (segments of JPEG), CIPA DC-008 §4.5 (Exif in APP1), W3C PNG third edition §5.
package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/jpeg"
	"image/png"
)

// MaxPixels bounds width × height: the largest sensors of telephones have 200 megapixels and give 12 to 50.
const MaxPixels = 100_000_000

// maxExif is the longest Exif that is let through, in bytes without its marker: its one entry, the
// orientation, needs 34.
const maxExif = 64

// maxProfile bounds the colour profile, in bytes as stored.
const maxProfile = 64 << 10

// maxScans bounds how often the pixels of a JPEG file are gone through: a progressive picture of a camera or of
// the common encoders has about ten scans, and one of thousands would keep a browser busy for minutes.
const maxScans = 32

// What is wrong with a picture.
var (
	ErrType     = errors.New("picture: neither JPEG nor PNG")
	ErrBroken   = errors.New("picture: not whole")
	ErrSize     = errors.New("picture: empty or too large")
	ErrMetadata = errors.New("picture: says more than the picture")
)

// Picture is what is known of a photo. Width and Height are those of the sensor, before the turn that its
// orientation asks for, in pixels.
type Picture struct {
	MIME          string
	Width, Height int
}

// Extension is the end of a file name for the picture.
func (p Picture) Extension() string {
	if p.MIME == "image/png" {
		return ".png"
	}
	return ".jpg"
}

// Inspect looks at the bytes of a photo. Its errors wrap ErrType, ErrBroken, ErrSize or ErrMetadata.
func Inspect(b []byte) (Picture, error) {
	var c image.Config
	var err error
	p := Picture{}
	switch {
	case bytes.HasPrefix(b, []byte{0xFF, 0xD8, 0xFF}):
		p.MIME = "image/jpeg"
		if err = walkJPEG(b[2:]); err == nil {
			c, err = jpeg.DecodeConfig(bytes.NewReader(b))
		}
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		p.MIME = "image/png"
		if err = walkPNG(b[8:]); err == nil {
			c, err = png.DecodeConfig(bytes.NewReader(b))
		}
	default:
		return p, ErrType
	}
	switch {
	case errors.Is(err, ErrMetadata), errors.Is(err, ErrBroken):
		return p, err
	case err != nil:
		return p, errors.Join(ErrBroken, err)
	case c.Width < 1 || c.Height < 1 || c.Width > MaxPixels/c.Height:
		return p, ErrSize
	}
	p.Width, p.Height = c.Width, c.Height
	return p, nil
}

// walkJPEG reads the segments after SOI up to EOI, which must be the end. There
// is one frame: with a second one, readers disagree about the size.
func walkJPEG(b []byte) error {
	scans, frames, profile := 0, 0, 0
	for {
		if len(b) < 2 || b[0] != 0xFF {
			return ErrBroken
		}
		marker := b[1]
		switch {
		case marker == 0xFF: // fill
			b = b[1:]
			continue
		case marker == 0xD9 && scans == 0:
			return ErrBroken
		case marker == 0xD9 && len(b) > 2:
			return ErrMetadata // a second picture, with all it says
		case marker == 0xD9:
			return nil
		}
		if len(b) < 4 {
			return ErrBroken
		}
		n := int(binary.BigEndian.Uint16(b[2:])) + 2
		if n < 4 || n > len(b) {
			return ErrBroken
		}
		if !plain(marker, b[4:n]) {
			return ErrMetadata
		}
		switch {
		case frame(marker):
			if frames++; frames > 1 || scans > 0 {
				return ErrBroken
			}
		case unusual(marker):
			return ErrBroken
		case marker == 0xDA && frames == 0, marker >= 0xE0 && scans > 0:
			return ErrBroken
		case marker == 0xE2:
			if profile += n; profile > maxProfile {
				return ErrMetadata
			}
		}
		b = b[n:]
		if marker == 0xDA {
			if scans++; scans > maxScans {
				return ErrBroken
			}
			b = b[entropy(b):]
		}
	}
}

// frame tells whether a marker begins a frame (T.81 table B.1): SOF0 to SOF15
// without DHT, JPG and DAC.
func frame(marker byte) bool {
	return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC
}

// unusual tells of markers that no camera writes and not every reader takes: DAC, JPG, and
// DNL, DHP and EXP, which say the size a second time.
func unusual(marker byte) bool {
	return marker == 0xCC || marker == 0xC8 || marker == 0xDC || marker == 0xDE || marker == 0xDF
}

// plain tells whether a segment belongs to the picture itself: its coding, its colours, its orientation.
func plain(marker byte, body []byte) bool {
	switch {
	case marker == 0xE0:
		return bytes.HasPrefix(body, []byte("JFIF\x00")) && len(body) == 14 // without a small picture
	case marker == 0xE1:
		return bytes.HasPrefix(body, []byte("Exif\x00\x00")) && len(body) <= maxExif
	case marker == 0xE2:
		return bytes.HasPrefix(body, []byte("ICC_PROFILE\x00"))
	case marker == 0xEE:
		return bytes.HasPrefix(body, []byte("Adobe")) && len(body) == 12
	}
	// Tables, frames and scans. APPn, JPGn and COM are not; RSTn and SOI do not stand here.
	return marker >= 0xC0 && marker < 0xE0 && (marker < 0xD0 || marker > 0xD9)
}

// entropy is how many bytes of coded picture come before the next marker.
func entropy(b []byte) int {
	for i := 0; i+1 < len(b); i++ {
		if b[i] == 0xFF && b[i+1] != 0 && (b[i+1] < 0xD0 || b[i+1] > 0xD7) {
			return i
		}
	}
	return len(b)
}
