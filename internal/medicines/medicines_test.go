package medicines

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/text/encoding/charmap"
)

func names(list []Medicine) string {
	var out []string
	for _, m := range list {
		out = append(out, m.Name)
	}
	return strings.Join(out, " | ")
}

func TestSearch(t *testing.T) {
	x := Sample()
	cases := []struct {
		query, first string
		min, max     int
	}{
		{"parac", "PARACETAMOL ACCORD 500 mg, comprimé effervescent", 5, 5},
		{"PARACÉTAMOL mylan", "PARACETAMOL MYLAN 500 mg, comprimé", 1, 1},
		{"ibuprofène", "ANTARENE 100 mg, comprimé pelliculé", 6, 6}, // by common denomination
		{"ibuprofene 400", "ANTARENE 400 mg, comprimé pelliculé", 1, 1},
		{"levothyrox 75", "LEVOTHYROX 75 microgrammes, comprimé sécable", 1, 1},
		{"lévothyroxine", "LEVOTHYROX 100 microgrammes, comprimé sécable", 4, 4},
		{"amoxi clavul", "AMOXICILLINE/ACIDE CLAVULANIQUE CRISTERS 500 mg/62,5 mg ADULTES, comprimé pelliculé (rapport amoxicilline/acide clavulanique : 8/1)", 1, 1},
		{"lidocaine", "LIDOCAÏNE/PRILOCAÏNE BIOGARAN 5 %, crème", 1, 1},
		{"0,05", "LEVOPHTA 0,05 %, collyre", 1, 1},
		{"p", "", 0, 0}, {"", "", 0, 0}, {"%%% ;", "", 0, 0}, {"zzzz", "", 0, 0},
	}
	for _, c := range cases {
		got := x.Search(c.query, 20)
		if len(got) < c.min || len(got) > c.max {
			t.Errorf("%q finds %d: %s", c.query, len(got), names(got))
		} else if c.first != "" && got[0].Name != c.first {
			t.Errorf("%q starts with %q, want %q", c.query, got[0].Name, c.first)
		}
	}
	if got := x.Search("comprimé", 3); len(got) != 3 {
		t.Errorf("limit 3 gives %d", len(got))
	}
	if got := x.Search("comprimé", 0); got != nil {
		t.Error("limit 0 gives something")
	}
}

func TestSampleIsSound(t *testing.T) {
	x := Sample()
	if x.Len() < 40 {
		t.Errorf("%d specialities", x.Len())
	}
	for _, e := range x.entries {
		if len(e.CIS) != 8 || e.Name == "" || len(e.INN) == 0 || len(e.Routes) == 0 || (e.CIP13 != "" && len(e.CIP13) != 13) || e.Route() == "" {
			t.Errorf("%+v", e.Medicine)
		}
	}
	if len(x.byCIS) != x.Len() {
		t.Error("a CIS appears twice")
	}
	m, ok := x.Lookup("63107752")
	if !ok || m.CIP13 != "3400933516390" || m.Route() != "20053000" {
		t.Errorf("%+v %v", m, ok)
	}
	if _, ok := x.Lookup("00000000"); ok {
		t.Error("an unknown CIS is found")
	}
}

func official(t *testing.T, encode func(string) []byte) fstest.MapFS {
	t.Helper()
	file := func(rows ...string) *fstest.MapFile {
		return &fstest.MapFile{Data: encode(strings.Join(rows, "\r\n") + "\r\n")}
	}
	return fstest.MapFS{
		"CIS_bdpm.txt": file(
			"60000001\tŒSTRODOSE 0,06 %, gel\tgel\tcutanée\tAutorisation active\tProcédure nationale\tCommercialisée\t01/01/1990\t\t\t X\tNon",
			"60000002\tVIEUX 1 mg, comprimé\tcomprimé\torale\tAutorisation abrogée\tProcédure nationale\tNon commercialisée\t01/01/1990\t\t\t X\tNon",
			"60000003\tSEL 5 mg, comprimé\tcomprimé\torale;sublinguale\tAutorisation active\tProcédure nationale\tCommercialisée\t01/01/1990\t\t\t X\tNon",
			"malformed", ""),
		"CIS_COMPO_bdpm.txt": file(
			"60000003\tcomprimé\t1\tCHLORHYDRATE DE SELATINE\t5 mg\tun comprimé\tSA\t1",
			"60000003\tcomprimé\t2\tSÉLATINE\t4 mg\tun comprimé\tFT\t1"),
		"CIS_CIP_bdpm.txt": file(
			"60000003\t1\tboîte de 10\tPrésentation active\tDéclaration d'arrêt de commercialisation\t01/01/2020\t3400900000001\toui",
			"60000003\t2\tboîte de 30\tPrésentation active\tDéclaration de commercialisation\t01/01/2020\t3400900000002\toui"),
	}
}

func TestLoadBothEncodings(t *testing.T) {
	for name, encode := range map[string]func(string) []byte{
		"utf-8": func(s string) []byte { return []byte(s) },
		"windows-1252": func(s string) []byte {
			b, err := charmap.Windows1252.NewEncoder().Bytes([]byte(s))
			if err != nil {
				t.Fatal(err)
			}
			return b
		},
	} {
		x, err := Load(official(t, encode))
		if err != nil {
			t.Fatal(err)
		}
		if x.Len() != 2 {
			t.Errorf("%s: %d specialities, want the two on the market", name, x.Len())
		}
		m, _ := x.Lookup("60000003")
		if len(m.INN) != 1 || m.INN[0] != "sélatine" || m.CIP13 != "3400900000002" {
			t.Errorf("%s: %+v", name, m)
		}
		if got := x.Search("oestrodose", 5); len(got) != 1 || got[0].Name != "ŒSTRODOSE 0,06 %, gel" {
			t.Errorf("%s: %s", name, names(got))
		}
		if got := x.Search("selatine", 5); len(got) != 1 {
			t.Errorf("%s: by common denomination: %s", name, names(got))
		}
	}
}

func TestLoadFailures(t *testing.T) {
	if _, err := Load(fstest.MapFS{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	if _, err := Load(fstest.MapFS{"CIS_bdpm.txt": {Data: []byte("nothing\n")}}); !errors.Is(err, ErrEmpty) {
		t.Errorf("empty: %v", err)
	}
	alone := official(t, func(s string) []byte { return []byte(s) })
	delete(alone, "CIS_COMPO_bdpm.txt")
	delete(alone, "CIS_CIP_bdpm.txt")
	if x, err := Load(alone); err != nil || x.Len() != 2 {
		t.Errorf("the two other files are optional: %v", err)
	}
}

func BenchmarkSearch(b *testing.B) {
	base := Sample()
	var list []Medicine
	for i := range 16000 {
		list = append(list, base.entries[i%base.Len()].Medicine)
	}
	x := newIndex(list)
	for b.Loop() {
		x.Search("amoxi 500", 20)
	}
}
