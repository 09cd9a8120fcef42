package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"io"
)

// walkPNG reads the chunks up to IEND, which must be the end: one IHDR at the
// start, each other chunk once, IDAT in one run, and as many rows behind it as
// the header says (PNG third edition, §5.6). Readers that take another IHDR than
// the first, or frames of an animation, would show another picture.
func walkPNG(b []byte) error {
	var head []byte
	var rows bytes.Buffer
	seen, last := map[string]bool{}, ""
	for {
		if len(b) < 12 {
			return ErrBroken
		}
		n := int(binary.BigEndian.Uint32(b))
		if n < 0 || n > len(b)-12 {
			return ErrBroken
		}
		kind, body := string(b[4:8]), b[8:8+n]
		if crc32.ChecksumIEEE(b[4:8+n]) != binary.BigEndian.Uint32(b[8+n:]) {
			return ErrBroken
		}
		if (kind == "IHDR") != (last == "") || seen[kind] && (kind != "IDAT" || last != "IDAT") {
			return ErrBroken
		}
		switch kind {
		case "IHDR":
			if head = body; n != 13 {
				return ErrBroken
			}
		case "IDAT":
			rows.Write(body)
		case "IEND":
			if len(b) > 12+n || n > 0 {
				return ErrMetadata
			}
			return checkRows(head, &rows)
		case "PLTE", "tRNS", "cHRM", "gAMA", "iCCP", "sBIT", "sRGB", "cICP", "pHYs", "bKGD":
			if n > maxProfile {
				return ErrMetadata
			}
			if seen["IDAT"] {
				return ErrBroken
			}
		default:
			return ErrMetadata // eXIf, tEXt, iTXt, zTXt, tIME, animations and whatever is invented
		}
		seen[kind], last = true, kind
		b = b[n+12:]
	}
}

// checkRows inflates the rows of a picture without keeping them, and compares
// their length with the header. More than the header says is never read.
func checkRows(head []byte, data io.Reader) error {
	width, height := int64(binary.BigEndian.Uint32(head)), int64(binary.BigEndian.Uint32(head[4:]))
	if width < 1 || height < 1 || width > MaxPixels/height {
		return ErrSize
	}
	channels := map[byte]int64{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[head[9]]
	bits := channels * int64(head[8])
	if bits == 0 || bits > 64 || head[12] > 1 {
		return ErrBroken
	}
	size := func(w, h int64) int64 {
		if w <= 0 || h <= 0 {
			return 0
		}
		return h * (1 + (w*bits+7)/8)
	}
	want := size(width, height)
	if head[12] == 1 { // Adam7 (§8.1): first column, first row, and the steps of each pass
		want = 0
		for _, p := range [7][4]int64{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}} {
			want += size((width-p[0]+p[2]-1)/p[2], (height-p[1]+p[3]-1)/p[3])
		}
	}
	z, err := zlib.NewReader(data)
	if err != nil {
		return ErrBroken
	}
	got, err := io.Copy(io.Discard, io.LimitReader(z, want+1))
	if err != nil || got != want {
		return ErrBroken
	}
	return nil
}
