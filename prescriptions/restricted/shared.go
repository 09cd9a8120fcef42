package restricted

import (
	_ "embed" // everyday names are data
	"maps"
	"slices"
	"strings"

	"visavis/internal/medicines"
)

//go:embed synonyms.tsv
var synonymsTSV string

// synonyms gives the letters of a substance by those of its everyday name.
func synonyms() map[string][]string {
	out := map[string][]string{}
	for line := range strings.Lines(synonymsTSV) {
		if name, substance, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok && !strings.HasPrefix(line, "#") {
			out[key(name)] = append(out[key(name)], innKey(substance))
		}
	}
	return out
}

// Shared gives the substances of a medicine that a declared text names too: by brand, common denomination or everyday name,
// or but for a letter. m is the speciality, zero for what was typed by hand; words are the name and the common denomination
// of the line, or its words. The names are those of the line.
func (b *Base) Shared(table *Table, declared string, m medicines.Medicine, words string) []string {
	line := map[string]string{}
	for _, inn := range m.INN {
		line[innKey(inn)] = inn
	}
	if len(line) == 0 {
		for k, name := range b.substances(table, words, nil) {
			line[k] = name
		}
		for part := range strings.FieldsFuncSeq(words, func(r rune) bool { return strings.ContainsRune("+,;/\n", r) }) {
			if k := innKey(part); len(k) >= joined {
				line[k] = strings.TrimSpace(part)
			}
		}
	}
	delete(line, "")
	said := b.substances(table, declared, line)
	var out []string
	for _, k := range slices.Sorted(maps.Keys(line)) {
		if _, ok := said[k]; ok {
			out = append(out, line[k])
		}
	}
	return slices.Compact(out)
}

// substances gives the substances that a text names, by their letters: those of the base, of the law, of the synonyms, and
// those of also.
func (b *Base) substances(table *Table, text string, also map[string]string) map[string]string {
	words, out := cut(text), map[string]string{}
	taken := make([]bool, len(words))
	own := map[string][]int{}
	for k := range also {
		own[k] = nil
	}
	everyday := synonyms()
	for i := range words {
		for _, keys := range []map[string][]int{b.names, b.inns, own} {
			if k, last, ok := widest(words, i, keys, longest, false); ok {
				b.add(out, k)
				for j := i; j <= last; j++ {
					taken[j] = true
				}
			}
		}
		letters := ""
		for j := i; j < min(len(words), i+4); j++ {
			letters += words[j].text
			for _, k := range everyday[letters] {
				out[k] = k
			}
		}
	}
	for _, f := range table.Find(text) {
		out[key(f.Substance)] = f.Substance
	}
	for _, w := range loose(words, taken) {
		if len(w) < nearLetters || slices.Contains(plain, w) {
			continue
		}
		for _, keys := range []map[string][]int{b.names, b.inns, own} {
			for k := range keys {
				if len(k) >= nearLetters && nearly(w, k) {
					b.add(out, k)
				}
			}
		}
	}
	return out
}

// add puts the substances of a name of the base, or the name itself when it is one.
func (b *Base) add(out map[string]string, k string) {
	k = b.short(k)
	named := false
	for _, i := range b.names[k] {
		for j, inn := range b.inn[i] {
			out[inn], named = b.list[i].INN[min(j, len(b.list[i].INN)-1)], true
		}
	}
	if !named {
		out[k] = k
		if list := b.inns[k]; len(list) > 0 {
			for _, inn := range b.list[list[0]].INN {
				if innKey(inn) == k {
					out[k] = inn
				}
			}
		}
	}
}
