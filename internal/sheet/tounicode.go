package sheet

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"visavis/internal/typography"
)

// identityMap begins the character map that the PDF writer puts beside each font: every sign means itself.
// That is wrong of the joined forms of Arabic letters, and one range over all is not allowed (ISO 32000-1,
// 9.10.3).
const (
	identityMap = "/CIDInit /ProcSet findresource begin"
	mapEnd      = "\nendstream"
	mapBlock    = 100 // entries in a block, at most
)

// characterMap says what each printed sign means (ToUnicode): what is searched, copied and read aloud.
func characterMap(drawn map[rune]bool) []byte {
	var list []rune
	for r := range drawn {
		list = append(list, r)
	}
	for r := '0'; r <= '9'; r++ { // the number of pages, known late
		if !drawn[r] {
			list = append(list, r)
		}
	}
	slices.Sort(list)
	var b bytes.Buffer
	b.WriteString(identityMap + "\n12 dict begin\nbegincmap\n/CIDSystemInfo\n<</Registry (Adobe)\n/Ordering (UCS)\n/Supplement 0\n>> def\n" +
		"/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n")
	for block := range slices.Chunk(list, mapBlock) {
		fmt.Fprintf(&b, "%d beginbfchar\n", len(block))
		for _, r := range block {
			fmt.Fprintf(&b, "<%04X> <%s>\n", r, hexUTF16(typography.Letters(r)))
		}
		b.WriteString("endbfchar\n")
	}
	b.WriteString("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend")
	return b.Bytes()
}

func hexUTF16(s string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, "%04X", u)
	}
	return b.String()
}

// mapCharacters puts the character map beside every font of a file.
func mapCharacters(pdf, cmap []byte) ([]byte, error) {
	const length, stream = "<</Length ", ">>\nstream\n"
	for from := 0; ; {
		at := bytes.Index(pdf[from:], []byte(stream+identityMap))
		if at < 0 {
			if from == 0 {
				return nil, errShape
			}
			return pdf, nil
		}
		at += from
		start := bytes.LastIndex(pdf[:at], []byte(length))
		end := bytes.Index(pdf[at:], []byte(mapEnd))
		if start < 0 || end < 0 {
			return nil, errShape
		}
		fresh := fmt.Appendf(nil, "%s%d%s%s", length, len(cmap), stream, cmap)
		var err error
		if pdf, err = replace(pdf, start, at+end-start, string(fresh)); err != nil {
			return nil, err
		}
		from = start + len(fresh)
	}
}
