package sheet

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"time"
)

var infoEntry = regexp.MustCompile(`/Info \d+ 0 R`)

// errShape says that the PDF writer changed under us.
var errShape = errors.New("sheet: the PDF does not have the expected trailer")

// srgbProfile builds a matrix ICC v2 profile of sRGB (IEC 61966-2-1): PDF/A asks that device colours be
// given a meaning by an output intent.
func srgbProfile() []byte {
	xyz := func(x, y, z float64) []byte {
		b := []byte("XYZ \x00\x00\x00\x00")
		for _, v := range []float64{x, y, z} {
			b = binary.BigEndian.AppendUint32(b, uint32(int32(math.Round(v*65536))))
		}
		return b
	}
	const points = 1024
	curve := binary.BigEndian.AppendUint32([]byte("curv\x00\x00\x00\x00"), points)
	for i := range points {
		v := float64(i) / (points - 1)
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		curve = binary.BigEndian.AppendUint16(curve, uint16(math.Round(v*65535)))
	}
	const name = "sRGB IEC61966-2.1"
	desc := binary.BigEndian.AppendUint32([]byte("desc\x00\x00\x00\x00"), uint32(len(name)+1))
	desc = append(append(desc, name...), 0)
	desc = append(desc, make([]byte, 4+4+2+1+67)...) // no Unicode, no Macintosh description
	tags := []struct {
		sign string
		data []byte
	}{
		{"desc", desc},
		{"cprt", []byte("text\x00\x00\x00\x00No copyright, use freely\x00")},
		{"wtpt", xyz(0.95045, 1, 1.08905)},
		{"rXYZ", xyz(0.43607, 0.22249, 0.01392)}, // primaries adapted to D50
		{"gXYZ", xyz(0.38515, 0.71687, 0.09708)},
		{"bXYZ", xyz(0.14307, 0.06061, 0.71410)},
		{"rTRC", curve}, {"gTRC", nil}, {"bTRC", nil}, // one curve for the three
	}
	table := binary.BigEndian.AppendUint32(nil, uint32(len(tags)))
	data := []byte{}
	base := 128 + 4 + 12*len(tags)
	var offset, size uint32
	for _, t := range tags {
		if t.data != nil {
			offset, size = uint32(base+len(data)), uint32(len(t.data))
			data = append(data, t.data...)
			data = append(data, make([]byte, (4-len(data)%4)%4)...)
		}
		table = append(table, t.sign...)
		table = binary.BigEndian.AppendUint32(table, offset)
		table = binary.BigEndian.AppendUint32(table, size)
	}
	head := make([]byte, 128)
	binary.BigEndian.PutUint32(head, uint32(base+len(data)))
	binary.BigEndian.PutUint32(head[8:], 0x02100000)
	copy(head[12:], "mntrRGB XYZ ")
	for i, v := range []uint16{2026, 1, 1, 0, 0, 0} {
		binary.BigEndian.PutUint16(head[24+2*i:], v)
	}
	copy(head[36:], "acsp")
	copy(head[68:], xyz(0.9642, 1, 0.8249)[8:]) // illuminant D50
	return append(append(head, table...), data...)
}

func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a bytes.Buffer never fails
	return b.String()
}

// metadata is the XMP packet; PDF/A-1 wants it to agree with the document information.
func metadata(title, author, id, language string, at time.Time) []byte {
	date := at.UTC().Format("2006-01-02T15:04:05Z07:00")
	return fmt.Appendf(nil, `<?xpacket begin="%s" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/">
<pdfaid:part>1</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">%s</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>%s</rdf:li></rdf:Seq></dc:creator>
<dc:language><rdf:Bag><rdf:li>%s</rdf:li></rdf:Bag></dc:language>
<xmp:CreateDate>%s</xmp:CreateDate><xmp:ModifyDate>%s</xmp:ModifyDate><xmp:CreatorTool>visavis</xmp:CreatorTool>
<pdf:Producer>visavis</pdf:Producer><xmpMM:DocumentID>%s</xmpMM:DocumentID>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>`, "\ufeff", escape(title), escape(author), language, date, date, escape("urn:visavis:"+id))
}

// finish makes the last changes that PDF/A-1 asks and the writer does not do: no name tree of embedded
// files (blanked in place, so that offsets stay true), a file identifier in the trailer, dates that say
// they are in UTC, and the right information dictionary (fpdf 0.12 counts one object too many when there
// is an output intent), and cmap as the character map of every font.
func finish(pdf, cmap []byte) ([]byte, error) {
	pdf, err := mapCharacters(pdf, cmap)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"/CreationDate (D:", "/ModDate (D:"} {
		at := bytes.LastIndex(pdf, []byte(name))
		if at < 0 {
			return nil, errShape
		}
		if pdf, err = replace(pdf, at+len(name)+len("20060102150405"), 0, "+00'00'"); err != nil {
			return nil, err
		}
	}
	start := bytes.LastIndex(pdf, []byte("/Names <<"))
	trailer := bytes.LastIndex(pdf, []byte("trailer\n<<\n"))
	if start < 0 || trailer < start {
		return nil, errShape
	}
	end := bytes.Index(pdf[start:trailer], []byte("\nendobj"))
	if end < 0 {
		return nil, errShape
	}
	names := pdf[start : start+end]
	closing := bytes.LastIndex(names, []byte(">>")) // of the catalogue itself
	if closing < 0 {
		return nil, errShape
	}
	for i := range names[:closing] {
		names[i] = ' '
	}
	sum := sha256.Sum256(pdf)
	id := hex.EncodeToString(sum[:16])
	at := trailer + len("trailer\n<<\n")
	out := make([]byte, 0, len(pdf)+80)
	out = append(out, pdf[:at]...)
	out = fmt.Appendf(out, "/ID [<%s><%s>]\n", id, id)
	info := bytes.LastIndex(pdf[:start], []byte(" 0 obj\n<<\n/Producer "))
	wrong := infoEntry.FindIndex(pdf[at:])
	if info < 0 || wrong == nil {
		return nil, errShape
	}
	number := pdf[bytes.LastIndexByte(pdf[:info], '\n')+1 : info]
	out = append(out, pdf[at:at+wrong[0]]...)
	out = fmt.Appendf(out, "/Info %s 0 R", number)
	return append(out, pdf[at+wrong[1]:]...), nil
}

// replace puts s in place of n bytes at an offset and moves the cross-reference table accordingly.
func replace(pdf []byte, at, n int, s string) ([]byte, error) {
	xref := bytes.LastIndex(pdf, []byte("\nxref\n"))
	start := bytes.LastIndex(pdf, []byte("startxref\n"))
	trailer := bytes.LastIndex(pdf, []byte("trailer\n"))
	if xref < at+n || trailer < xref || start < trailer {
		return nil, errShape
	}
	out := append(append(append([]byte{}, pdf[:at]...), s...), pdf[at+n:xref+1]...)
	for entry := range bytes.Lines(pdf[xref+1 : trailer]) {
		if len(entry) == 20 && bytes.HasSuffix(entry, []byte(" n \n")) {
			offset, err := strconv.Atoi(string(entry[:10]))
			if err != nil {
				return nil, errShape
			}
			if offset >= at+n {
				offset += len(s) - n
			}
			out = fmt.Appendf(out, "%010d", offset)
			entry = entry[10:]
		}
		out = append(out, entry...)
	}
	out = append(out, pdf[trailer:start]...)
	return fmt.Appendf(out, "startxref\n%d\n%%%%EOF\n", xref+1+len(s)-n), nil
}
