package medicines

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/text/encoding/charmap"
)

const (
	speciality = "60000001\tSÉLATINE 1 mg, comprimé\tcomprimé\torale\tAutorisation active\tProcédure nationale\tCommercialisée\t01/01/2000\t\t\t X\tNon"
	other      = "60000002\tŒSTRODOSE 0,06 %, gel\tgel\tcutanée\tAutorisation active\tProcédure nationale\tCommercialisée\t01/01/2000\t\t\t X\tNon"
	third      = "60000003\tTROISIÈME 2 mg, gélule\tgélule\torale\tAutorisation active\tProcédure nationale\tCommercialisée\t01/01/2000\t\t\t X\tNon"
)

func cp1252(t *testing.T, s string) string {
	t.Helper()
	b, err := charmap.Windows1252.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestLoad_OddRows: whatever one row holds, the others keep their names, and what was odd is counted.
func TestLoad_OddRows(t *testing.T) {
	both := "SÉLATINE 1 mg, comprimé | TROISIÈME 2 mg, gélule | ŒSTRODOSE 0,06 %, gel"
	latin := func(s string) string { return cp1252(t, s) }
	for name, c := range map[string]struct {
		text, names string
		odd         map[Odd]int
	}{
		"UTF-8":                              {speciality + "\n" + other + "\n" + third + "\n", both, nil},
		"Windows-1252":                       {latin(speciality + "\r\n" + other + "\r\n" + third + "\r\n"), both, nil},
		"a BOM and CRLF":                     {"\ufeff" + speciality + "\r\n" + other + "\r\n" + third, both, nil},
		"one CP1252 line in UTF-8":           {speciality + "\n" + latin(other) + "\n" + third + "\n", both, map[Odd]int{OddEncoding: 1}},
		"one CP1252 byte in a UTF-8 field":   {speciality + "\n" + strings.Replace(other, "cutanée", "cutan\xe9e;orale à l’œil", 1) + "\n" + third, both, map[Odd]int{OddEncoding: 1}},
		"one UTF-8 line in CP1252":           {latin(speciality) + "\n" + other + "\n" + latin(third) + "\n", both, map[Odd]int{OddEncoding: 1}},
		"one UTF-8 field in a CP1252 line":   {latin(speciality) + "\n" + strings.Replace(latin(other), latin("ŒSTRODOSE"), "ŒSTRODOSE", 1) + "\n" + latin(third), both, map[Odd]int{OddEncoding: 1}},
		"a tab in a name":                    {speciality + "\n" + strings.Replace(third, "TROISIÈME ", "TROISIÈME\t", 1) + "\n" + other, "SÉLATINE 1 mg, comprimé | ŒSTRODOSE 0,06 %, gel", map[Odd]int{OddColumns: 1}},
		"too few columns":                    {speciality + "\n60000009\tX\n" + other + "\n" + third, both, map[Odd]int{OddColumns: 1}},
		"a new column everywhere":            {speciality + "\tx\n" + other + "\tx\n" + third + "\tx\n", both, nil},
		"empty lines and an empty last line": {speciality + "\n\n\t\t\n" + other + "\n" + third + "\n", both, map[Odd]int{OddEmpty: 2}},
		"a name of spaces":                   {speciality + "\n" + strings.Replace(other, "ŒSTRODOSE 0,06 %, gel", "  ", 1) + "\n" + third, "SÉLATINE 1 mg, comprimé | TROISIÈME 2 mg, gélule", map[Odd]int{OddName: 1}},
		"a code seen before":                 {speciality + "\n" + strings.Replace(other, "60000002", "60000001", 1) + "\n" + third, "SÉLATINE 1 mg, comprimé | TROISIÈME 2 mg, gélule", map[Odd]int{OddDuplicate: 1}},
		"a code of letters":                  {speciality + "\n" + strings.Replace(other, "60000002", "6000000O", 1) + "\n" + third, "SÉLATINE 1 mg, comprimé | TROISIÈME 2 mg, gélule", map[Odd]int{OddCode: 1}},
		"a NUL in a name":                    {speciality + "\n" + strings.Replace(other, "ODOSE", "O\x00DOSE", 1) + "\n" + third, "SÉLATINE 1 mg, comprimé | TROISIÈME 2 mg, gélule", map[Odd]int{OddCharacter: 1}},
		"a byte that CP1252 has not":         {latin(speciality) + "\n" + strings.Replace(latin(other), "ODOSE", "O\x81DOSE", 1) + "\n" + latin(third), "SÉLATINE 1 mg, comprimé | TROISIÈME 2 mg, gélule", map[Odd]int{OddCharacter: 1}},
		"an unknown authorisation":           {speciality + "\n" + strings.Replace(other, "Autorisation active", "Autorisation active sous réserve", 1) + "\n" + third, "SÉLATINE 1 mg, comprimé | TROISIÈME 2 mg, gélule", map[Odd]int{OddWord: 1}},
		"an unknown state of sale":           {speciality + "\n" + strings.Replace(other, "Commercialisée", "Commercialisée jusqu'à épuisement", 1) + "\n" + third, "SÉLATINE 1 mg, comprimé | TROISIÈME 2 mg, gélule", map[Odd]int{OddWord: 1}},
		"a known one that does not count":    {speciality + "\n" + strings.Replace(other, "Autorisation active", "Autorisation suspendue", 1) + "\n" + third, "SÉLATINE 1 mg, comprimé | TROISIÈME 2 mg, gélule", nil},
	} {
		t.Run(name, func(t *testing.T) {
			x, err := Load(fstest.MapFS{"CIS_bdpm.txt": {Data: []byte(c.text)}})
			if err != nil {
				t.Fatal(err)
			}
			var list []Medicine
			for m := range x.All {
				list = append(list, m)
			}
			got := strings.Split(names(list), " | ")
			slices.Sort(got)
			if strings.Join(got, " | ") != c.names {
				t.Errorf("%q, want %q", got, c.names)
			}
			odd := map[Odd]int{}
			for why, rows := range x.Report().Files[0].Odd {
				odd[why] = rows.Count
			}
			if !maps.Equal(odd, c.odd) && len(odd)+len(c.odd) > 0 {
				t.Errorf("odd rows %v, want %v", odd, c.odd)
			}
		})
	}
}

// TestLoad_Packs: a pack counts when it is active and on the market, by the exact sentences.
func TestLoad_Packs(t *testing.T) {
	for _, c := range []struct {
		state, sale string
		counts      bool
		unknown     int
	}{
		{"Présentation active", "Déclaration de commercialisation", true, 0},
		{"Présentation active", "Déclaration d'arrêt de commercialisation", false, 0},
		{"Présentation active", "Déclaration de suspension de commercialisation", false, 0},
		{"Présentation active", "Arrêt de commercialisation (le médicament n'a plus d'autorisation)", false, 0},
		{"Présentation active", "Arrêt de commercialisation (le médicament n’a plus d’autorisation)", false, 0},
		{"Présentation abrogée", "Déclaration de commercialisation", false, 0},
		{"Présentation active", "Déclaration de commercialisation retirée", false, 1},
		{"Présentation active", "Déclaration de non commercialisation", false, 1},
		{"Présentation active", "", false, 1},
		{"Présentation suspendue", "Déclaration de commercialisation", false, 1},
		{"PRÉSENTATION ACTIVE", "DÉCLARATION DE COMMERCIALISATION", false, 2},
	} {
		x, err := Load(fstest.MapFS{
			"CIS_bdpm.txt":     {Data: []byte(speciality)},
			"CIS_CIP_bdpm.txt": {Data: []byte("60000001\t1\tplaquette(s) PVC de 30 comprimé(s)\t" + c.state + "\t" + c.sale + "\t01/01/2020\t3400900000001\toui")},
		})
		if err != nil {
			t.Fatal(err)
		}
		m, _ := x.Lookup("60000001")
		if (m.CIP13 != "") != c.counts || (m.Pack.Units != 0) != c.counts {
			t.Errorf("%s, %s: pack %q", c.state, c.sale, m.CIP13)
		}
		if n := x.Report().Files[2].Odd[OddWord].Count; n != c.unknown {
			t.Errorf("%s, %s: %d unknown words, want %d", c.state, c.sale, n, c.unknown)
		}
	}
}

// TestLoad_Conditions: a sentence is never dropped, whatever it holds; one of no kind is reported.
func TestLoad_Conditions(t *testing.T) {
	x, err := Load(fstest.MapFS{
		"CIS_bdpm.txt": {Data: []byte(speciality)},
		"CIS_CPD_bdpm.txt": {Data: []byte("60000001\tliste I\n60000001\tprescription réservée aux spécialistes et services\tNEUROLOGIE\n" +
			"60000001\tprescription réservée aux spécialistes et services CONCHYLIOLOGIE\r\n60000001\tune phrase d’une autre année\n60000001\tliste I\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	m, _ := x.Lookup("60000001")
	var got []string
	for _, c := range m.Terms {
		got = append(got, string(c.Kind)+": "+c.Sentence+" "+strings.Join(c.Specialties, ",")+" "+string(c.Confidence))
	}
	want := []string{"list-1: liste I  sure", "specialists: prescription réservée aux spécialistes et services NEUROLOGIE SM32,SM33,SM84 sure",
		"specialists: prescription réservée aux spécialistes et services CONCHYLIOLOGIE  to check", ": une phrase d’une autre année  to check"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if o := x.Report().Files[3].Odd; o[OddSentence].Count != 1 || o[OddColumns].Count != 1 {
		t.Errorf("%+v", o)
	}
}
