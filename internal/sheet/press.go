package sheet

import (
	"embed"
	"fmt"
	"io/fs"

	"visavis/internal/lang"
)

//go:embed words
var wordFiles embed.FS

// Press prints sheets. It is safe for concurrent use.
type Press struct {
	words  *lang.Catalogue
	dates  *lang.Words
	tongue string          // language of the words
	papers *lang.Catalogue // words of what is printed in the reader's language
	source string          // what the metadata give as producer
}

// NewPress loads the words. It fails only when the program was built wrong.
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
	return &Press{words: words, dates: dates, tongue: "fr", papers: papers, source: "visavis"}, nil
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
