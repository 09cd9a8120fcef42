package medicines

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/text/encoding/charmap"
)

// latin is a file of the BDPM as published: Windows-1252, tabs, CRLF, no header.
func latin(t testing.TB, rows ...string) *fstest.MapFile {
	t.Helper()
	b, err := charmap.Windows1252.NewEncoder().Bytes([]byte(strings.Join(rows, "\r\n") + "\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	return &fstest.MapFile{Data: b}
}

// TestOddLinesOfTheOfficialFiles: what the published files hold besides the lines of the manual.
func TestOddLinesOfTheOfficialFiles(t *testing.T) {
	files := fstest.MapFS{
		"CIS_bdpm.txt": latin(t,
			"61266250\tA 313 200 000 UI POUR CENT, pommade\tpommade\tcutanée\tAutorisation active\tProcédure nationale\tCommercialisée\t12/03/1998\t\t\t PHARMA DEVELOPPEMENT\tNon",
			"62049552\tCODOLIPRANE 500 mg/30 mg, gélule\tgélule\torale\tAutorisation active\tProcédure nationale\tCommercialisée\t23/01/2017\t\t\t X; Y\tOui",
			"62049552\tCODOLIPRANE, une seconde fois\tgélule\torale\tAutorisation active\tProcédure nationale\tCommercialisée\t23/01/2017\t\t\t X\tNon",
			"68257528\tABACAVIR/LAMIVUDINE ACCORD 600 mg/300 mg, comprimé pelliculé\tcomprimé pelliculé\torale\tAutorisation active\tProcédure nationale\tNon commercialisée\t16/03/2017\tWarning disponibilité\t\t ACCORD\tNon",
			"6000000X\tPAS UN CODE, gélule\tgélule\torale\tAutorisation active\tProcédure nationale\tCommercialisée\t01/01/2000\t\t\t X\tNon",
			"69999999\t\tgélule\torale\tAutorisation active\tProcédure nationale\tCommercialisée\t01/01/2000\t\t\t X\tNon",
			"60000009\tŒSTROGÈNE « FORT » 0,5 %, crème – à l’huile\tcrème\tcutanée;vaginale\tAutorisation active\tProcédure nationale\tCommercialisée\t01/01/2000\t\t\t X\tNon",
			"", "\t\t\t", "trois\tcolonnes\tseulement"),
		"CIS_COMPO_bdpm.txt": latin(t,
			"62049552\tgélule\t02202\tPARACÉTAMOL\t500 mg\tune gélule\tSA\t1\t",
			"62049552\tgélule\t01234\tPHOSPHATE DE CODÉINE HÉMIHYDRATÉ\t30 mg\tune gélule\tSA\t2\t",
			"62049552\tgélule\t01235\tCODÉINE\t\tune gélule\tFT\t2\t",
			"61266250\tpommade"),
		"CIS_CIP_bdpm.txt": latin(t,
			"62049552\t3001111\tplaquette(s) PVC-aluminium de 16 gélule(s)\tPrésentation active\tDéclaration de commercialisation\t01/01/2018\t3400930011119\toui\t65%\t2,18\t3,20\t1,02\tune indication ; une autre",
			"61266250\t3002222\t1 tube(s) aluminium verni de 50 g\tPrésentation active\tDéclaration de commercialisation\t01/01/1999\t340093002222X\toui"),
		"CIS_CPD_bdpm.txt": latin(t,
			"62049552\tliste I", "62049552\tprescription limitée à 12 semaines", "62049552\tprescription en toutes lettres sur ordonnance sécurisée", "62049552\tliste I",
			"", "60000009"),
	}
	x, err := Load(files)
	if err != nil {
		t.Fatal(err)
	}
	if x.Len() != 3 {
		t.Errorf("%d specialities, want 3", x.Len())
	}
	m, ok := x.Lookup("62049552")
	if !ok || m.Name != "CODOLIPRANE 500 mg/30 mg, gélule" || strings.Join(m.INN, "+") != "paracétamol+codéine" || m.CIP13 != "3400930011119" || m.Pack != (Pack{16, "{capsule}"}) {
		t.Errorf("%+v", m)
	}
	if !slices.Equal(m.Conditions, []string{"liste I", "prescription limitée à 12 semaines", "prescription en toutes lettres sur ordonnance sécurisée"}) {
		t.Errorf("conditions: %q", m.Conditions)
	}
	if got := x.Search("oestrogene fort", 5); len(got) != 1 || got[0].Name != "ŒSTROGÈNE « FORT » 0,5 %, crème – à l’huile" || len(got[0].Routes) != 2 {
		t.Errorf("%+v", got)
	}
	if m, _ := x.Lookup("61266250"); m.CIP13 != "" {
		t.Errorf("a pack whose code is no code: %+v", m)
	}
}

func TestContentOfAPack(t *testing.T) {
	for label, want := range map[string]Pack{
		"plaquette(s) thermoformée(s) PVC-aluminium de 16 comprimé(s)":               {16, "{tablet}"},
		"2 plaquette(s) PVC-Aluminium de 7 gélule(s)":                                {14, "{capsule}"},
		"1 flacon(s) en verre brun de 60 ml avec seringue pour administration orale": {60, "mL"},
		"1 tube(s) aluminium verni de 2,5 g":                                         {2.5, "g"},
		"12 sachet(s) polytéréphtalate":                                              {},
		"plaquettes de 21 comprimés et de 7 comprimés":                               {},
		"pilulier(s) polypropylène de 30 comprimés":                                  {30, "{tablet}"},
		"": {},
	} {
		if got := content(label); got != want {
			t.Errorf("%q holds %+v, want %+v", label, got, want)
		}
	}
}

// TestTheFolderOfAClinic reads real files from a real folder.
func TestTheFolderOfAClinic(t *testing.T) {
	dir := t.TempDir()
	for name, f := range official(t, func(s string) []byte {
		b, err := charmap.Windows1252.NewEncoder().Bytes([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}) {
		if err := os.WriteFile(filepath.Join(dir, name), f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	x, err := Load(os.DirFS(dir))
	if err != nil || x.Len() != 2 {
		t.Errorf("%v %v", x, err)
	}
	if _, err := Load(os.DirFS(t.TempDir())); err == nil {
		t.Error("a folder without files loads")
	}
}

// BenchmarkSearchAmong16000 measures a search among as many specialities as the BDPM has: below 50 ms is the goal.
func BenchmarkSearchAmong16000(b *testing.B) {
	rows := make([]string, 16000)
	for i := range rows {
		rows[i] = fmt.Sprintf("6%07d\tMÉDICAMENT%c%c NUMÉRO %d LABORATOIRE 500 mg/%d mg, comprimé pelliculé sécable\tcomprimé pelliculé sécable\torale\tAutorisation active\tProcédure nationale\tCommercialisée\t01/01/2000\t\t\t X\tNon",
			i, 'A'+i%26, 'A'+i/26%26, i, i%100)
	}
	x, err := Load(fstest.MapFS{"CIS_bdpm.txt": latin(b, rows...)})
	if err != nil || x.Len() != len(rows) {
		b.Fatal(x.Len(), err)
	}
	for _, q := range []string{"mé", "comprimé sécable 500", "rien de tel", "medicamentzz numero"} {
		b.Run(q, func(b *testing.B) {
			for b.Loop() {
				x.Search(q, 20)
			}
		})
	}
}
