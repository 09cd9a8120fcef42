package sheet

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/norm"

	"visavis/internal/lang"
)

//go:embed font/regular.ttf
var regularTTF []byte

//go:embed font/bold.ttf
var boldTTF []byte

//go:embed words
var wordFiles embed.FS

// Press prints sheets. It is safe for concurrent use.
type Press struct {
	words  *lang.Catalogue
	dates  *lang.Words
	tongue string          // language of the words
	papers *lang.Catalogue // words of what is printed in the reader's language
	font   *sfnt.Font
	source string // what the metadata give as producer
	stand  rune   // stands for what the font cannot draw
}

// NewPress loads the fonts and the words. It fails only when the program was built wrong.
func NewPress() (*Press, error) {
	sub, err := fs.Sub(wordFiles, "words")
	if err != nil {
		return nil, fmt.Errorf("sheet: %w", err)
	}
	words, err := lang.New(sub, "fr")
	if err != nil {
		return nil, fmt.Errorf("sheet: %w", err)
	}
	receipts, err := fs.Sub(wordFiles, "words/receipt")
	if err != nil {
		return nil, fmt.Errorf("sheet: %w", err)
	}
	papers, err := lang.New(receipts, "fr", "en")
	if err != nil {
		return nil, fmt.Errorf("sheet: %w", err)
	}
	dates, err := lang.NewWords()
	if err != nil {
		return nil, fmt.Errorf("sheet: %w", err)
	}
	font, err := sfnt.Parse(regularTTF)
	if err != nil {
		return nil, fmt.Errorf("sheet: font: %w", err)
	}
	p := &Press{words: words, dates: dates, tongue: "fr", papers: papers, font: font, source: "visavis", stand: '?'}
	var buf sfnt.Buffer
	for _, r := range "□◊¤" {
		if i, err := font.GlyphIndex(&buf, r); err == nil && i != 0 {
			p.stand = r
			break
		}
	}
	return p, nil
}

func (p *Press) say(key string, pairs ...string) string {
	args := lang.Args{}
	for i := 0; i+1 < len(pairs); i += 2 {
		args[pairs[i]] = pairs[i+1]
	}
	return p.words.T(p.tongue, key, args)
}

// in gives a press that prints the papers of its readers' language.
func (p *Press) in(language string) *Press {
	q := *p
	q.words, q.tongue = p.papers, p.papers.Match(language)
	return &q
}

// tag is the language of the sheet for those who read it aloud (BCP 47).
func (p *Press) tag() string {
	if p.tongue == "en" {
		return "en-GB"
	}
	return "fr-FR"
}

// printable returns s composed (NFC) with what the font cannot draw replaced by a mark, so that nothing
// disappears without a trace; control characters other than a line feed become spaces.
func (p *Press) printable(s string) string {
	var buf sfnt.Buffer
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\u00a0':
			return r
		case r == '\u202f': // narrow no-break space, absent from many fonts
			return '\u00a0'
		case r < ' ' || r == 0x7f:
			return ' '
		}
		if i, err := p.font.GlyphIndex(&buf, r); err != nil || i == 0 || r > 0xffff {
			return p.stand
		}
		return r
	}, norm.NFC.String(strings.ReplaceAll(s, "\r\n", "\n")))
}
