package typography

import (
	_ "embed" // the fonts
	"sync"
	"unicode"

	xfont "golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

//go:embed font/regular.ttf
var regularTTF []byte

//go:embed font/bold.ttf
var boldTTF []byte

//go:embed font/wide-regular.ttf
var wideRegularTTF []byte

//go:embed font/wide-bold.ttf
var wideBoldTTF []byte

// Font returns a font file (TrueType). wide is the font of a Run that needs it. The bytes are shared: do
// not change them.
func Font(wide, bold bool) []byte {
	switch {
	case wide && bold:
		return wideBoldTTF
	case wide:
		return wideRegularTTF
	case bold:
		return boldTTF
	}
	return regularTTF
}

// lastBasic is the last code point that the PDF writer can address.
const lastBasic = 0xffff

// widths are the advances of a sign in ems, regular and bold.
type widths [2]float64

// repertoire is what the fonts draw.
type repertoire struct {
	main, wide map[rune]widths
	shapes     shapes
}

// loadFonts reads the character maps of the embedded fonts once. A sign counts when the regular and the bold
// font both draw it.
var loadFonts = sync.OnceValue(func() repertoire {
	p := repertoire{main: drawn(regularTTF, boldTTF), wide: drawn(wideRegularTTF, wideBoldTTF), shapes: loadShapes()}
	for r := range p.main {
		if unicode.Is(unicode.M, r) {
			delete(p.main, r) // its marks need layout rules: without them they stand over the next letter
		}
	}
	return p
})

// drawn lists the signs that both fonts draw; a font that cannot be read draws none, which TestRepertoire
// would show.
func drawn(regular, bold []byte) map[rune]widths {
	out := map[rune]widths{}
	for i, file := range [][]byte{regular, bold} {
		font, err := sfnt.Parse(file)
		if err != nil {
			return nil
		}
		var buf sfnt.Buffer
		em := fixed.I(int(font.UnitsPerEm()))
		for r := rune(' '); r <= lastBasic; r++ {
			w, before := out[r]
			glyph, err := font.GlyphIndex(&buf, r)
			if err == nil && glyph != 0 && (i == 0 || before) {
				advance, err := font.GlyphAdvance(&buf, glyph, em, xfont.HintingNone)
				if err == nil {
					w[i] = float64(advance) / float64(em)
					out[r] = w
					continue
				}
			}
			delete(out, r)
		}
	}
	return out
}

// draws tells whether the fonts draw a sign.
func (p repertoire) draws(r rune) bool {
	_, main := p.main[r]
	_, wide := p.wide[r]
	return main || wide
}

// onlyWide tells whether only the wide font draws a sign.
func (p repertoire) onlyWide(r rune) bool {
	_, main := p.main[r]
	_, wide := p.wide[r]
	return wide && !main
}

// printable tells whether a sign of a cleaned text can be printed. An Arabic letter needs its joined forms.
func (p repertoire) printable(r rune) bool {
	switch {
	case r == '\n':
		return true
	case unicode.Is(unicode.Co, r):
		return false // private use: what it looks like is nobody's rule
	case unicode.Is(unicode.Arabic, r) && unicode.IsLetter(r) && r != tatweel:
		_, known := p.shapes.forms[r]
		return known
	}
	return p.draws(r)
}

// Printable tells whether a sign of a cleaned text can be printed.
func Printable(r rune) bool { return loadFonts().printable(r) }

// RunWidth is the width of a run in ems of its font.
func RunWidth(run Run, bold bool) float64 {
	fonts := loadFonts()
	of, i, sum := fonts.main, 0, 0.0
	if run.Wide {
		of = fonts.wide
	}
	if bold {
		i = 1
	}
	for _, r := range run.Text {
		sum += of[r][i]
	}
	return sum
}

// Width is the width of a line of cleaned text in ems, as it is printed.
func Width(line string, bold bool) float64 {
	sum := 0.0
	for _, run := range Runs(Visual(line)) {
		sum += RunWidth(run, bold)
	}
	return sum
}

// Repertoire lists the signs that can be printed as they are typed, in order of their code points: no
// controls, no sign that table.tsv writes another way, no sign that composition changes.
func Repertoire() []rune {
	var out []rune
	for r := rune(' '); r <= lastBasic; r++ {
		if Printable(r) && Clean(string(r)) == string(r) {
			out = append(out, r)
		}
	}
	return out
}
