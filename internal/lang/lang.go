// Package lang loads the server-side catalogues of texts and says dates,
// durations and money the way people say them, French first, English second.
//
// A module keeps its own texts in <lang>.json files, one per language, embeds
// them and calls New. New refuses a catalogue whose languages do not hold the
// same keys with the same {placeholders}, so that a text missing in one
// language fails the first test that starts the module.
package lang

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Args are the values put in place of the {name} marks of a text.
type Args map[string]string

// Catalogue holds the texts of one module in several languages. It is
// immutable after New and safe for concurrent use.
type Catalogue struct {
	fallback string
	texts    map[string]map[string]string
}

// ErrIncomplete is returned by New when the languages of a catalogue disagree.
var ErrIncomplete = errors.New("lang: catalogue incomplete")

// New reads <language>.json for each language at the root of fsys. The first
// language is the one used for a language that is not in the catalogue. A key
// or a {placeholder} present in one language only, an empty text, and a key
// written twice are errors that wrap ErrIncomplete and name the key.
func New(fsys fs.FS, languages ...string) (*Catalogue, error) {
	if len(languages) == 0 {
		return nil, fmt.Errorf("%w: no language asked", ErrIncomplete)
	}
	c := &Catalogue{fallback: languages[0], texts: map[string]map[string]string{}}
	for _, l := range languages {
		texts, err := readTexts(fsys, l+".json")
		if err != nil {
			return nil, err
		}
		c.texts[l] = texts
	}
	for _, l := range languages[1:] {
		if err := sameShape(languages[0], c.texts[languages[0]], l, c.texts[l]); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func readTexts(fsys fs.FS, name string) (map[string]string, error) {
	raw, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("lang: read %s: %w", name, err)
	}
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("lang: %s is not a JSON object", name)
	}
	texts := map[string]string{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("lang: %s: %w", name, err)
		}
		k, _ := key.(string)
		var v string
		if err := dec.Decode(&v); err != nil {
			return nil, fmt.Errorf("lang: %s: %q: %w", name, k, err)
		}
		if _, twice := texts[k]; twice {
			return nil, fmt.Errorf("%w: %s: key %q written twice", ErrIncomplete, name, k)
		}
		if strings.TrimSpace(v) == "" {
			return nil, fmt.Errorf("%w: %s: key %q is empty", ErrIncomplete, name, k)
		}
		texts[k] = v
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("lang: %s: %w", name, err)
	}
	return texts, nil
}

func sameShape(la string, a map[string]string, lb string, b map[string]string) error {
	for _, k := range slices.Sorted(maps.Keys(a)) {
		other, ok := b[k]
		if !ok {
			return fmt.Errorf("%w: key %q is in %s and not in %s", ErrIncomplete, k, la, lb)
		}
		if pa, pb := placeholders(a[k]), placeholders(other); !slices.Equal(pa, pb) {
			return fmt.Errorf("%w: key %q takes %v in %s and %v in %s", ErrIncomplete, k, pa, la, pb, lb)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(b)) {
		if _, ok := a[k]; !ok {
			return fmt.Errorf("%w: key %q is in %s and not in %s", ErrIncomplete, k, lb, la)
		}
	}
	return nil
}

func placeholders(text string) []string {
	var names []string
	for _, m := range regexp.MustCompile(`\{([A-Za-z][A-Za-z0-9_]*)\}`).FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Match gives the language of the catalogue that fits a BCP 47 tag ("fr",
// "fr-FR", "en_GB"), or the first language of the catalogue.
func (c *Catalogue) Match(tag string) string {
	base, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(tag), "_", "-"), "-")
	if _, ok := c.texts[base]; ok {
		return base
	}
	return c.fallback
}

// Lookup gives the text of key as written, and whether the catalogue has it.
func (c *Catalogue) Lookup(language, key string) (string, bool) {
	text, ok := c.texts[c.Match(language)][key]
	return text, ok
}

// Keys lists the keys of the catalogue in alphabetical order.
func (c *Catalogue) Keys() []string {
	return slices.Sorted(maps.Keys(c.texts[c.fallback]))
}

// Languages lists the languages of the catalogue in alphabetical order.
func (c *Catalogue) Languages() []string { return slices.Sorted(maps.Keys(c.texts)) }

// T gives the text of key with its {placeholders} replaced. An unknown key
// comes out as ⟦key⟧ and a value not given as ⟦name⟧: Complete finds both in a
// test, and a person who meets one can still quote it.
func (c *Catalogue) T(language, key string, args Args) string {
	text, ok := c.Lookup(language, key)
	if !ok {
		return "⟦" + key + "⟧"
	}
	pairs := make([]string, 0, 2*len(args))
	for _, name := range placeholders(text) {
		value, given := args[name]
		if !given {
			value = "⟦" + name + "⟧"
		}
		pairs = append(pairs, "{"+name+"}", value)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// N is T for a text that counts: it uses key_one or key_other after the rule
// of the language (0 and 1 are singular in French, 1 only in English) and sets
// {n}.
func (c *Catalogue) N(language, key string, n int, args Args) string {
	l := c.Match(language)
	form := "_other"
	if n == 1 || (n == 0 && l == "fr") {
		form = "_one"
	}
	all := Args{"n": fmt.Sprint(n)}
	maps.Copy(all, args)
	return c.T(l, key+form, all)
}

// Complete reports whether a rendered text has neither a missing key nor a
// missing value.
func Complete(text string) bool { return !strings.ContainsAny(text, "⟦⟧") }
