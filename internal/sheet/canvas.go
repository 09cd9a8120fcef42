package sheet

import (
	"bytes"
	"fmt"
	"time"

	"codeberg.org/go-pdf/fpdf"

	"visavis/internal/fault"
	"visavis/internal/typography"
)

// Measures of an A4 page, in millimetres, and of type, in points.
const (
	pageWidth  = 210.0
	pageHeight = 297.0
	margin     = 18.0
	topMargin  = 14.0
	footTop    = pageHeight - 15 // nothing of the body below
	width      = pageWidth - 2*margin

	sizeSmall = 8.5
	sizeBody  = 10.5
	sizeName  = 12.0
	sizeTitle = 18.0
)

// pagesMark stands for the number of pages until it is known: a sign that no printed text can hold, since
// no font draws it. A mark that people can type would be replaced in their text as well.
const pagesMark = "\ue0ff"

type colour [3]int

var (
	ink    = colour{0x14, 0x21, 0x3d}
	soft   = colour{0x4a, 0x55, 0x6b}
	accent = colour{0x00, 0x60, 0x6b}
	mist   = colour{0xee, 0xf2, 0xf4}
	line   = colour{0xc4, 0xcd, 0xd4}
	black  = colour{0, 0, 0}
)

// canvas is one document being drawn, top to bottom.
type canvas struct {
	*fpdf.Fpdf
	press  *Press
	footer string        // on each page
	drawn  map[rune]bool // signs printed, for the character map
	lost   []rune        // signs that no font draws: the document is refused
	wide   map[bool]bool // wide fonts in use, by weight
}

// text says how a run of text looks.
type text struct {
	size   float64
	bold   bool
	colour colour
}

var (
	body   = text{sizeBody, false, ink}
	strong = text{sizeBody, true, ink}
	small  = text{sizeSmall, false, soft}
	label  = text{sizeSmall, true, accent}
)

func (p *Press) canvas(title, author, id, footer string, at time.Time) *canvas {
	c := &canvas{Fpdf: fpdf.New("P", "mm", "A4", ""), press: p, footer: footer, drawn: map[rune]bool{}, wide: map[bool]bool{}}
	title, author = typography.Clean(title), typography.Clean(author)
	c.SetCatalogSort(true)
	at = at.UTC() // finish says so
	c.SetCreationDate(at)
	c.SetModificationDate(at)
	c.SetProducer(p.source, true)
	c.SetCreator(p.source, true)
	c.SetTitle(title, true)
	c.SetAuthor(author, true)
	c.SetLang(p.tag())
	c.SetXmpMetadata(metadata(title, author, id, p.tag(), at))
	c.AddOutputIntent(fpdf.OutputIntentType{SubtypeIdent: fpdf.OutputIntent_GTS_PDFA1,
		OutputConditionIdentifier: "sRGB IEC61966-2.1", Info: "sRGB IEC61966-2.1", ICCProfile: srgbProfile()})
	c.AddUTF8FontFromBytes("a", "", typography.Font(false, false))
	c.AddUTF8FontFromBytes("a", "B", typography.Font(false, true))
	c.SetMargins(margin, topMargin, margin)
	c.SetCellMargin(0)
	c.SetAutoPageBreak(true, pageHeight-footTop)
	c.AliasNbPages(pagesMark)
	c.SetFooterFunc(c.foot)
	return c
}

func (c *canvas) foot() {
	c.stroke(line, 0.2)
	c.Line(margin, footTop+3, pageWidth-margin, footTop+3)
	c.SetXY(margin, footTop+4.5)
	c.set(margin, small, 4, c.fit(small, c.clean(c.footer), width-30))
	words := c.press.say("page", "n", fmt.Sprint(c.PageNo()), "total", "0") // about as wide as with the mark
	c.set(pageWidth-margin-measure(small, words), small, 4, c.press.say("page", "n", fmt.Sprint(c.PageNo()), "total", pagesMark))
}

func (c *canvas) use(t text) {
	style := ""
	if t.bold {
		style = "B"
	}
	c.SetFont("a", style, t.size)
	c.SetTextColor(t.colour[0], t.colour[1], t.colour[2])
}

func (c *canvas) stroke(col colour, w float64) {
	c.SetDrawColor(col[0], col[1], col[2])
	c.SetLineWidth(w)
}

func (c *canvas) fill(col colour) { c.SetFillColor(col[0], col[1], col[2]) }

// leading is the height of a line of type t, in millimetres.
func leading(t text) float64 { return t.size * 0.3528 * 1.38 }

// write puts a paragraph at x on w millimetres, wrapped, and moves below it. Empty text writes nothing.
func (c *canvas) write(x, w float64, t text, s string) {
	for _, l := range c.wrap(w, t, s) {
		c.set(x, t, leading(t), l)
		c.SetXY(margin, c.GetY()+leading(t))
	}
}

// lines counts the lines that s takes on w millimetres.
func (c *canvas) lines(w float64, t text, s string) int { return len(c.wrap(w, t, s)) }

// room starts a new page unless h millimetres are left.
func (c *canvas) room(h float64) {
	if c.GetY()+h > footTop && c.GetY() > topMargin+1 {
		c.AddPage()
	}
}

func (c *canvas) gap(h float64) { c.SetY(c.GetY() + h) }

// heading is a section title with its rule.
func (c *canvas) heading(s string) {
	c.room(18)
	c.gap(4)
	c.write(margin, width, text{sizeName, true, accent}, s)
	c.gap(0.6)
}

// output ends the document and makes it PDF/A. It fails as Invalid when a sign cannot be printed: no mark
// stands for it.
func (c *canvas) output() ([]byte, error) {
	if refused := typography.Fields("document", string(c.lost)); len(refused) > 0 {
		return nil, fault.Fields(refused...)
	}
	var b bytes.Buffer
	if err := c.Output(&b); err != nil {
		return nil, fmt.Errorf("sheet: %w", err)
	}
	return finish(b.Bytes(), characterMap(c.drawn))
}

// clock says a time of day with its hour.
func (p *Press) clock(t time.Time) string { return p.dates.Clock(p.tongue, t) }

// date says a full date.
func (p *Press) date(t time.Time) string { return p.dates.Date(p.tongue, t) }

// day says a YYYY-MM-DD date in figures, as identity documents do.
func (p *Press) day(iso string) string {
	t, err := time.Parse(time.DateOnly, iso)
	if err != nil {
		return iso
	}
	return t.Format("02/01/2006")
}
