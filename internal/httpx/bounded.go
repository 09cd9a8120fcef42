package httpx

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"visavis/internal/fault"

	"github.com/danielgtaylor/huma/v2"
)

// A refusal is bounded, whatever was sent: an answer that grows with the request
// would make us a way to flood somebody (issue 9, C7).
const (
	maxFields     = 50      // refused inputs that one problem lists
	maxFieldBytes = 8 << 10 // bytes of their names and texts together
	maxName       = 120     // bytes of the name of one; ours are shorter
	maxArg        = 400     // bytes of a value inside a text: the longest sentence of the medicines base fits
	maxValues     = 4000    // values in a JSON body; a prescription of thirty full lines has a thousand
)

// errTooManyValues refuses a body that is small in bytes and large in memory: each
// empty object of a list costs a whole line and a refusal for everything it lacks.
var errTooManyValues = errors.New("too many values")

// errNameTwice refuses an object that has one name twice: the check would read one of
// the values, and the program the other (RFC 8259 §4).
var errNameTwice = errors.New("a name is there twice")

// readJSON decodes a body of at most maxValues values, in which no object has a name twice.
func readJSON(data []byte, v any) error {
	values, quoted := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ',' || c == '[' || c == '{'):
			values++
		}
	}
	if values > maxValues && json.Valid(data) {
		return errTooManyValues
	}
	if err := json.Unmarshal(data, v); err != nil {
		return err
	}
	return uniqueNames(data)
}

// uniqueNames fails as errNameTwice for JSON that is known to be well formed.
func uniqueNames(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var open []map[string]bool // the names so far of each open object; nil for a list
	name := false              // the next text is a name
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'):
			open, name = append(open, map[string]bool{}), true
			continue
		case json.Delim('['):
			open, name = append(open, nil), false
			continue
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		default:
			if name {
				names, text := open[len(open)-1], t.(string)
				if names[text] {
					return errNameTwice
				}
				names[text], name = true, false
				continue
			}
		}
		name = len(open) > 0 && open[len(open)-1] != nil
	}
}

// formats are the media types of bodies.
func formats() map[string]huma.Format {
	f := huma.DefaultJSONFormat
	f.Unmarshal = readJSON
	return map[string]huma.Format{"application/json": f, "json": f}
}

// list puts the refused inputs in the problem, in their order, until they are
// too many; the others are counted in More.
func (p *Problem) list(r *request, fields []fault.Field) {
	size := 0
	for i, x := range fields {
		detail, _ := r.say.text(r.lang, "field."+x.Code, shortArgs(x.Args))
		field := ProblemField{Name: shorten(x.Name, maxName), Code: x.Code, Detail: detail}
		size += len(field.Name) + len(field.Code) + len(field.Detail)
		if i == maxFields || i > 0 && size > maxFieldBytes {
			p.More = len(fields) - i
			return
		}
		p.Fields = append(p.Fields, field)
	}
}

// shortArgs shortens the values of a text.
func shortArgs(args map[string]string) map[string]string {
	if len(args) == 0 {
		return args
	}
	out := make(map[string]string, len(args))
	for name, value := range args {
		out[name] = shorten(value, maxArg)
	}
	return out
}

// shorten drops the signs of text that cannot be seen, and cuts it after most
// bytes, at a whole sign.
func shorten(text string, most int) string {
	cut := len(text) > most
	if cut {
		text = text[:most]
		for len(text) > 0 && !utf8.RuneStart(text[len(text)-1]) {
			text = text[:len(text)-1]
		}
		if r, n := utf8.DecodeLastRuneInString(text); r == utf8.RuneError && n <= 1 {
			text = text[:len(text)-n] // the first byte of a sign that was cut
		}
	}
	text = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
			return -1
		}
		return r
	}, text)
	if cut {
		text += "…"
	}
	return text
}
