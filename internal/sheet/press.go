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

//go:embed words/fr.json
var wordFiles embed.FS

// Press prints sheets. It is safe for concurrent use.
type Press struct {
	words  *lang.Catalogue
	dates  *lang.Words
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
	dates, err := lang.NewWords()
	if err != nil {
		return nil, fmt.Errorf("sheet: %w", err)
	}
	font, err := sfnt.Parse(regularTTF)
	if err != nil {
		return nil, fmt.Errorf("sheet: font: %w", err)
	}
	p := &Press{words: words, dates: dates, font: font, source: "visavis", stand: '?'}
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
	return p.words.T("fr", key, args)
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
