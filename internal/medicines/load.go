package medicines

import (
	"errors"
	"io/fs"
	"strings"
)

// ErrEmpty says that the folder held no speciality on the market.
var ErrEmpty = errors.New("medicines: no marketed speciality in CIS_bdpm.txt")

// The files of the BDPM that are read, and how many columns their manual gives at least.
const (
	FileSpecialities = "CIS_bdpm.txt"
	FileSubstances   = "CIS_COMPO_bdpm.txt"
	FilePacks        = "CIS_CIP_bdpm.txt"
	FileConditions   = "CIS_CPD_bdpm.txt"
)

// Names lists the files that are read, the specialities first.
func Names() []string {
	return []string{FileSpecialities, FileSubstances, FilePacks, FileConditions}
}

// Load reads the files of the BDPM at the root of fsys: CIS_bdpm.txt must be there, CIS_COMPO_bdpm.txt
// (substances), CIS_CIP_bdpm.txt (packs) and CIS_CPD_bdpm.txt (conditions of prescribing) may be missing.
// Specialities whose authorisation is not active or that are not marketed are left out. Odd rows are
// counted in the report of the index. It fails with fs.ErrNotExist, ErrEmpty or the error of a read.
func Load(fsys fs.FS) (*Index, error) {
	var report [4]FileReport
	rows, err := table(fsys, layout{name: FileSpecialities, least: 7}, &report[0])
	if err != nil {
		return nil, err
	}
	names := make(map[string]bool, len(rows))
	for _, r := range rows {
		names[r[0]] = true
	}
	l := loader{names: names}
	steps := []func(fs.FS, *FileReport) error{l.substances, l.packs, l.conditions}
	for i, step := range steps {
		if err := step(fsys, &report[i+1]); err != nil {
			return nil, err
		}
	}
	list := l.specialities(rows, &report[0])
	if len(list) == 0 {
		return nil, ErrEmpty
	}
	x := newIndex(list)
	x.report = Report{Files: report[:]}
	return x, nil
}

// loader holds what the other files say of each speciality.
type loader struct {
	names        map[string]bool // every CIS of CIS_bdpm.txt, on the market or not
	composition  map[string][]Substance
	presentation map[string]presentation
	terms        map[string][]Condition
}

// The closed lists of CIS_bdpm.txt: true for the one word that counts. A word that is in none is not
// accepted, and reported.
var (
	authorisations = map[string]bool{"Autorisation active": true, "Autorisation abrogée": false, "Autorisation archivée": false,
		"Autorisation suspendue": false, "Autorisation retirée": false}
	marketed = map[string]bool{"Commercialisée": true, "Non commercialisée": false}
)

// The closed lists of CIS_CIP_bdpm.txt.
var (
	packStates = map[string]bool{"Présentation active": true, "Présentation abrogée": false}
	packSales  = map[string]bool{"Déclaration de commercialisation": true, "Déclaration d'arrêt de commercialisation": false,
		"Déclaration de suspension de commercialisation":                     false,
		"Arrêt de commercialisation (le médicament n'a plus d'autorisation)": false}
)

// counts tells whether a word of a closed list counts; a word outside it never does, and is reported.
func counts(list map[string]bool, word string, report *FileReport) bool {
	yes, known := list[strings.ReplaceAll(word, "’", "'")]
	if !known {
		report.word(word)
	}
	return yes
}

func (l *loader) specialities(rows [][]string, report *FileReport) []Medicine {
	var list []Medicine
	seen := map[string]bool{}
	for _, r := range rows {
		if r[1] == "" {
			report.note(0, OddName, r[0])
			continue
		}
		if seen[r[0]] {
			report.note(0, OddDuplicate, r[0])
			continue
		}
		seen[r[0]] = true
		active, sold := counts(authorisations, r[4], report), counts(marketed, r[6], report)
		if !active || !sold {
			continue
		}
		p := l.presentation[r[0]]
		m := Medicine{CIS: r[0], Name: r[1], Form: r[2], Routes: split(r[3]), Substances: l.composition[r[0]], CIP13: p.cip13, Pack: p.pack,
			Terms: l.terms[r[0]]}
		m.INN = denominations(m.Substances)
		for _, c := range m.Terms {
			m.Conditions = append(m.Conditions, c.Sentence)
		}
		list = append(list, m)
	}
	return list
}

// substances reads the composition of each speciality. A substance that several elements of a medicine
// hold counts once.
func (l *loader) substances(fsys fs.FS, report *FileReport) error {
	rows, err := optional(fsys, layout{name: FileSubstances, least: 8}, report)
	if err != nil {
		return err
	}
	l.composition = map[string][]Substance{}
	words := map[string]string{} // one copy of each name
	for _, r := range rows {
		s := Substance{Code: r[2], Name: strings.ToLower(r[3]), Dose: r[4], Fraction: r[6] == "FT", Link: r[7]}
		if !counts(map[string]bool{"FT": true, "SA": true}, r[6], report) || s.Name == "" {
			continue
		}
		if !l.names[r[0]] {
			report.note(0, OddOrphan, r[0])
			continue
		}
		if name, ok := words[s.Name]; ok {
			s.Name = name
		} else {
			words[s.Name] = s.Name
		}
		l.composition[r[0]] = append(l.composition[r[0]], s)
	}
	return nil
}

// denominations gives the common denominations of a composition. A therapeutic fraction (FT) names the
// substance better than the salt (SA) of the same link number.
func denominations(list []Substance) []string {
	fraction := map[string]bool{}
	for _, s := range list {
		if s.Fraction {
			fraction[s.Link] = true
		}
	}
	var out []string
	for _, s := range list {
		if (s.Fraction || !fraction[s.Link]) && !contains(out, s.Name) {
			out = append(out, s.Name)
		}
	}
	return out
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}

// presentation is the first pack on the market of a speciality.
type presentation struct {
	cip13 string
	pack  Pack
}

// packs gives the first pack of each speciality that is active and on the market: 77 packs of June 2022 are
// repealed and say that they are sold.
func (l *loader) packs(fsys fs.FS, report *FileReport) error {
	rows, err := optional(fsys, layout{name: FilePacks, least: 7}, report)
	if err != nil {
		return err
	}
	l.presentation = map[string]presentation{}
	for _, r := range rows {
		active, sold := counts(packStates, r[3], report), counts(packSales, r[4], report)
		if !l.names[r[0]] {
			report.note(0, OddOrphan, r[0])
			continue
		}
		if !digits(r[6], 13) {
			report.note(0, OddCode, r[6])
			continue
		}
		if active && sold && l.presentation[r[0]].cip13 == "" {
			l.presentation[r[0]] = presentation{r[6], content(r[2])}
		}
	}
	return nil
}

// conditions gives the conditions of prescribing and dispensing of each speciality. None is dropped: one
// with a tab inside is put together again, one of no kind keeps its words.
func (l *loader) conditions(fsys fs.FS, report *FileReport) error {
	rows, err := optional(fsys, layout{name: FileConditions, least: 2, lax: true}, report)
	if err != nil {
		return err
	}
	read, err := newReader()
	if err != nil {
		return err
	}
	l.terms = map[string][]Condition{}
	given := map[string]bool{}
	for _, r := range rows {
		sentence := strings.Join(strings.Fields(strings.Join(r[1:], " ")), " ")
		if sentence == "" {
			report.note(0, OddName, r[0])
			continue
		}
		if !l.names[r[0]] {
			report.note(0, OddOrphan, r[0])
		}
		if key := r[0] + "\t" + sentence; !given[key] {
			given[key] = true
			c := read.read(sentence)
			if c.Kind == KindNone {
				report.note(0, OddSentence, sentence)
			}
			l.terms[r[0]] = append(l.terms[r[0]], c)
		}
	}
	return nil
}
