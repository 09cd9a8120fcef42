package sheet

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
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

// pagesMark stands for the number of pages until it is known.
const pagesMark = "{nb}"

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
	footer string // on each page
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
	c := &canvas{Fpdf: fpdf.New("P", "mm", "A4", ""), press: p, footer: p.printable(footer)}
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
	c.AddUTF8FontFromBytes("a", "", regularTTF)
	c.AddUTF8FontFromBytes("a", "B", boldTTF)
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
	c.use(small)
	c.CellFormat(width-30, 4, c.fit(c.footer, width-30), "", 0, "L", false, 0, "")
	mark := c.GetStringWidth(pagesMark) - c.GetStringWidth("0") // the mark is wider than the number
	c.CellFormat(30+mark, 4, c.press.say("page", "n", fmt.Sprint(c.PageNo()), "total", pagesMark), "", 0, "R", false, 0, "")
}

// fit cuts s with an ellipsis so that it holds on one line of w millimetres in the current font.
func (c *canvas) fit(s string, w float64) string {
	if c.GetStringWidth(s) <= w-2 {
		return s
	}
	r := []rune(s)
	for len(r) > 0 && c.GetStringWidth(string(r)+"…") > w-2 {
		r = r[:len(r)-1]
	}
	return strings.TrimSpace(string(r)) + "…"
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
	s = c.press.printable(strings.TrimSpace(s))
	if s == "" {
		return
	}
	c.use(t)
	left, _, right, _ := c.GetMargins()
	c.SetLeftMargin(x) // an automatic page break goes on at the same place
	c.SetX(x)
	c.MultiCell(w, leading(t), s, "", "L", false)
	c.SetMargins(left, topMargin, right)
	c.SetX(left)
}

// lines counts the lines that s takes on w millimetres.
func (c *canvas) lines(w float64, t text, s string) int {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0
	}
	c.use(t)
	return len(c.SplitText(c.press.printable(s), w-0.1))
}

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

// output ends the document and makes it PDF/A.
func (c *canvas) output() ([]byte, error) {
	var b bytes.Buffer
	if err := c.Output(&b); err != nil {
		return nil, fmt.Errorf("sheet: %w", err)
	}
	return finish(b.Bytes())
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
