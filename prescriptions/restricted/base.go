package restricted

import (
	"iter"
	"slices"
	"strings"

	"visavis/internal/medicines"
)

// Base finds the specialities of the medicines base by what people type. It never changes and is safe for concurrent use.
type Base struct {
	list  []medicines.Medicine
	inn   [][]string        // of each: the letters of its common denominations, without salts
	full  map[string][]int  // specialities by all letters and digits of the denomination
	names map[string][]int  // specialities by the letters of the brand, or of "substance laboratory"
	inns  map[string][]int  // specialities by the letters of one common denomination
	whole map[string]string // those letters by all letters of the denomination, where they differ: "loflazépate d'éthyle"
}

// Match is one name of the base met in a text.
type Match struct {
	Name      string               // as the base writes it, without strength
	Medicines []medicines.Medicine // that have it, those of the strength typed when there are any
}

// NewBase reads the specialities of a base.
func NewBase(all iter.Seq[medicines.Medicine]) *Base {
	b := &Base{full: map[string][]int{}, names: map[string][]int{}, inns: map[string][]int{}, whole: map[string]string{}}
	for m := range all {
		i := len(b.list)
		var inns []string
		for _, d := range m.INN {
			if k := innKey(d); k != "" && !slices.Contains(inns, k) {
				inns = append(inns, k)
				b.inns[k] = append(b.inns[k], i)
				if all := key(d); all != k {
					b.whole[all] = k
					b.inns[all] = append(b.inns[all], i)
				}
			}
		}
		b.list, b.inn = append(b.list, m), append(b.inn, inns)
		k := ""
		for _, w := range cut(m.Name) {
			k += w.text
		}
		b.full[k] = append(b.full[k], i)
		if k := key(brand(m.Name)); len(k) > 2 {
			b.names[k] = append(b.names[k], i)
		}
	}
	return b
}

// salts are the words of a common denomination that do not tell the substance.
var salts = strings.Fields("chlorhydrate bromhydrate dichlorhydrate sulfate phosphate hemiphosphate citrate tartrate hemitartrate maleate fumarate hemifumarate succinate mesilate " +
	"besilate tosilate acetate carbonate nitrate bromure chlorure iodure oxalate lactate gluconate trometamol sodique disodique potassique dipotassique calcique " +
	"magnesique de d du la le l et anhydre monohydrate dihydrate trihydrate hemihydrate sesquihydrate base monohydratee")

func innKey(inn string) string {
	inn, _, _ = strings.Cut(inn, "(")
	var b strings.Builder
	for _, w := range cut(inn) {
		if !w.digits && !slices.Contains(salts, w.text) {
			b.WriteString(w.text)
		}
	}
	return b.String()
}

// endings are the words at the end of a brand that people leave out.
var endings = []string{"lp", "l.p.", "l.p", "adultes", "enfants", "adulte", "enfant", "nourrissons", "nourrisson", "et", "sans", "sucre", "generiques", "conseil"}

// brand takes strength and form off the name of a speciality.
func brand(name string) string {
	name, _, _ = strings.Cut(name, ",")
	name, _, _ = strings.Cut(name, "(")
	words := strings.Fields(name)
	for i, w := range words {
		if i > 0 && strings.ContainsAny(w[:1], "0123456789") {
			words = words[:i]
			break
		}
	}
	for len(words) > 1 && slices.Contains(endings, strings.ToLower(words[len(words)-1])) {
		words = words[:len(words)-1]
	}
	return strings.Join(words, " ")
}

// Find gives the names of the base that a text holds. When it holds none, near gives at most three that it holds but for a letter.
func (b *Base) Find(text string) (exact []Match, near []string) {
	words := cut(text)
	taken := make([]bool, len(words))
	take := func(from, to int) {
		for j := from; j <= to; j++ {
			taken[j] = true
		}
	}
	var inns []string
	for i := 0; i < len(words); i++ {
		if k, last, ok := widest(words, i, b.full, maxDenomination, true); ok {
			take(i, last)
			exact = append(exact, Match{brand(b.list[b.full[k][0]].Name), b.restricted(b.full[k])})
			i = last
			continue
		}
		k, last, named := widest(words, i, b.names, longest, false)
		k2, last2, substance := widest(words, i, b.inns, longest, false)
		k2 = b.short(k2)
		switch {
		case named && (!substance || last >= last2):
			take(i, last)
			list := b.strength(b.names[k], words)
			exact = append(exact, Match{brand(list[0].Name), list})
			if substance && !slices.Contains(inns, k2) {
				inns = append(inns, k2)
			}
		case substance:
			take(i, last2)
			if !slices.Contains(inns, k2) {
				inns = append(inns, k2)
			}
		}
	}
	if len(exact) == 0 {
		if list := b.strength(b.of(inns), words); len(list) > 0 {
			exact = append(exact, Match{strings.Join(list[0].INN, " + "), list})
		}
	}
	if len(exact) > 0 || len(inns) > 0 {
		return exact, nil
	}
	return nil, b.near(loose(words, taken))
}

// short gives the letters under which a common denomination is compared.
func (b *Base) short(k string) string {
	if s, ok := b.whole[k]; ok {
		return s
	}
	return k
}

// maxDenomination bounds the letters of a denomination; those of allergens and vaccines are long.
const maxDenomination = 300

// widest finds the longest key of at most so many letters that begins at word i.
func widest(words []word, i int, keys map[string][]int, most int, digits bool) (found string, last int, ok bool) {
	letters, spaced := "", false
	for j := i; j < len(words) && len(letters) < most && (digits || !words[j].digits); j++ {
		spaced = spaced || j > i && words[j].spaced
		letters += words[j].text
		if _, is := keys[letters]; is && (!spaced || len(letters) >= joined) {
			found, last, ok = letters, j, true
		}
	}
	return found, last, ok
}

// of gives the specialities made of these substances, of as many of them as there are.
func (b *Base) of(inns []string) []int {
	var out []int
	most := 0
	for _, k := range inns {
		for _, i := range b.inns[k] {
			n := len(b.inn[i])
			if n < most || slices.ContainsFunc(b.inn[i], func(s string) bool { return !slices.Contains(inns, s) }) {
				continue
			}
			if n > most {
				most, out = n, nil
			}
			out = append(out, i)
		}
	}
	return out
}

// restricted gives the specialities of one denomination, only the restricted ones when there are some.
func (b *Base) restricted(list []int) []medicines.Medicine {
	var all, some []medicines.Medicine
	for _, i := range list {
		all = append(all, b.list[i])
		if Restricted(b.list[i]) {
			some = append(some, b.list[i])
		}
	}
	if len(some) > 0 {
		return some
	}
	return all
}

// strength keeps the specialities whose strength is among the numbers typed, all when there is none.
func (b *Base) strength(list []int, typed []word) []medicines.Medicine {
	var all, same []medicines.Medicine
	for _, i := range list {
		m := b.list[i]
		all = append(all, m)
		for _, w := range cut(m.Name) {
			if w.digits {
				if slices.ContainsFunc(typed, func(t word) bool { return t.digits && t.text == w.text }) {
					same = append(same, m)
				}
				break
			}
		}
	}
	if len(same) > 0 {
		return same
	}
	return all
}

func (b *Base) near(words []string) []string {
	var out []string
	for _, w := range words {
		if len(w) < nearLetters || slices.Contains(plain, w) {
			continue
		}
		for _, keys := range []map[string][]int{b.names, b.inns} {
			for k, list := range keys {
				if len(k) >= nearLetters && oneEdit(w, k) {
					out = append(out, brand(b.list[list[0]].Name))
				}
			}
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return out[:min(3, len(out))]
}

// plain are words of every prescription that are one letter from the name of a medicine.
var plain = strings.Fields("comprime comprimes gelule gelules sirop creme solution suspension pommade collyre sachet sachets ampoule ampoules poudre buvable injectable matin soir midi jours enfant adulte")

// Restricted says whether the base gives a condition of prescribing besides being on list I or II, or on prescription.
func Restricted(m medicines.Medicine) bool {
	return slices.ContainsFunc(m.Terms, func(c medicines.Condition) bool {
		switch c.Kind {
		case medicines.ListOne, medicines.ListTwo, medicines.PrescriptionOnly, medicines.Heading:
			return false
		}
		return true
	})
}
