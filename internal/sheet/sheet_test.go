package sheet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"

	"visavis/internal/fault"
)

var paris = time.FixedZone("CET", 3600)

func press(t testing.TB) *Press {
	t.Helper()
	p, err := NewPress()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func doctor() Person {
	return Person{Title: "Dr", Given: "Claire", Family: "Martin", Quality: "Médecin, qualifié en médecine générale",
		RPPS: "10001234561", Place: Place{Name: "Cabinet médical de l'Île", Street: "20 rue Leblanc", PostalCode: "75015",
			City: "Paris", Country: "France", Phone: "+33156092000", Email: "contact@cabinet-ile.example", FINESS: "750803447"}}
}

func prescription() Prescription {
	at := time.Date(2026, 1, 5, 10, 20, 0, 0, paris)
	return Prescription{Kind: Medicines, ID: "0198-1", Number: "K7QF-2M4Z", IssuedAt: at, ValidUntil: at.AddDate(0, 3, 0),
		Prescriber: doctor(),
		Patient: Patient{Family: "N'GUESSAN-LEFÈVRE DE LA ROCHEFOUCAULD-MONTMORENCY", Given: "Anne-Élodie", BirthFamily: "N'GUESSAN",
			BirthGiven: "ANNE-ÉLODIE", Sex: "F", BirthDate: "1985-04-12", INS: "285047511304207", INSKind: "TEST", Weight: "62"},
		Lines: []Line{
			{Name: "PARACÉTAMOL 500 mg, comprimé", INN: []string{"paracétamol"}, Directions: "1 comprimé 3 fois par jour si douleur, sans dépasser 6 comprimés par jour",
				Duration: "6 jours", Quantity: "2 boîtes"},
			{Name: "LÉVOTHYROX 75 microgrammes, comprimé sécable", INN: []string{"lévothyroxine sodique"}, Directions: "1 comprimé le matin à jeun",
				Duration: "3 mois", Renewals: 3, Excluded: "MTE", ALD: true},
			{Name: "Diprosone 30 g, cérat frais de Galien 70 g", Directions: "2 applications par jour sur les plaques", Duration: "10 jours",
				Compounded: true, NonReimbursable: true, OffLabel: true, WorkAccident: true, Pharmacist: "pot de 100 g"},
		},
		Signature: Signature{Name: "Dr Claire Martin", At: at.Add(time.Minute)},
		Verify:    Verification{URL: "https://visavis.example/v/0f8fad5b-d9cb-469f-a165-70867728950e", Code: "7QMK-2WXR"},
	}
}

func report() Report {
	start := time.Date(2026, 1, 5, 10, 0, 0, 0, paris)
	return Report{Kind: "teleconsultation", ID: "0198-2", Author: doctor(),
		Patient: Patient{Family: "ECETINSI", Given: "Pierre-Alain", Sex: "M", BirthDate: "2016-07-14",
			Representatives: []string{"Jeanne ECETINSI (mère)", "Seán O'BRIEN (père)"}},
		Start: start, End: start.Add(18 * time.Minute), RequestedBy: "Dr Bernard Vacquier, médecin traitant",
		PatientPlace: "à son domicile, Clermont-Ferrand", IdentityCheck: "confirmée à l'écran par le médecin, pièce d'identité présentée par sa mère",
		Consent: "donné en ligne par sa mère le 4 janvier 2026, texte version 1",
		Video:   Video{Measured: true, Seconds: 1025},
		Presences: []Presence{{"Pierre-Alain ECETINSI", "patient", []Span{{start, start.Add(10*time.Minute + 26*time.Second), "a fermé la page"}, {start.Add(11 * time.Minute), start.Add(18 * time.Minute), ""}}},
			{"Odile Faure", "infirmière accompagnante", []Span{{start.Add(2 * time.Minute), start.Add(18 * time.Minute), ""}}}, {Name: "Seán O'BRIEN", Role: "père"}},
		Incidents: []Incident{{start.Add(6 * time.Minute), "son interrompu 12 secondes, repris sans intervention"}},
		Motive:    "Fièvre depuis deux jours", Content: "Température 38,6 °C. Gorge rouge, pas de gêne respiratoire.\n\nPas de signe de gravité.",
		Conclusion: "Angine probablement virale.", FollowUp: "Revoir dans 48 h si la fièvre persiste. Appeler le 15 en cas de gêne respiratoire.",
		Prescriptions: []string{"Ordonnance K7QF-2M4Z du 5 janvier 2026"}, Recipients: []string{"Dr Bernard Vacquier", "Mon espace santé"},
		Version:   Version{Number: 2, ReplacedOn: start.Add(-24 * time.Hour)},
		Signature: Signature{"Dr Claire Martin", start.Add(20 * time.Minute)}}
}

// words extracts the text of a PDF, spaces folded.
func words(t *testing.T, pdf []byte) string {
	t.Helper()
	need(t, "pdftotext", "poppler-utils")
	cmd := exec.Command("pdftotext", "-layout", "-", "-")
	cmd.Stdin = bytes.NewReader(pdf)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(out)), " ")
}

// sound checks the file with an independent reader and the marks of PDF/A-1b.
func sound(t *testing.T, name string, pdf []byte) {
	t.Helper()
	conf := model.NewDefaultConfiguration()
	conf.ValidationMode = model.ValidationStrict
	if err := api.Validate(bytes.NewReader(pdf), conf); err != nil {
		t.Errorf("%s: pdfcpu: %v", name, err)
	}
	for _, want := range []string{"<pdfaid:part>1</pdfaid:part>", "/GTS_PDFA1", "/Lang (fr-FR)", "/ID [<", "/Metadata "} {
		if !bytes.Contains(pdf, []byte(want)) {
			t.Errorf("%s: %s is missing", name, want)
		}
	}
	for _, forbidden := range []string{"/EmbeddedFiles", "/JavaScript", "/SMask", "/ca ", "/Encrypt", "/Type1 "} {
		if bytes.Contains(pdf, []byte(forbidden)) {
			t.Errorf("%s: %s has no place in PDF/A-1", name, forbidden)
		}
	}
	if dir := os.Getenv("SHEETS"); dir != "" { // to look at the pages
		if err := os.WriteFile(filepath.Join(dir, name+".pdf"), pdf, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func expect(t *testing.T, name, got string, wants ...string) {
	t.Helper()
	for _, w := range wants {
		if !strings.Contains(got, strings.Join(strings.Fields(w), " ")) {
			t.Errorf("%s: %q is not printed in:\n%s", name, w, got)
		}
	}
}

func TestPrescriptionMentions(t *testing.T) {
	pdf, err := press(t).Prescription(prescription())
	if err != nil {
		t.Fatal(err)
	}
	sound(t, "bizone", pdf)
	got := words(t, pdf)
	expect(t, "bizone", got, "Dr Claire Martin", "RPPS 10001234561", "médecine générale", "20 rue Leblanc", "75015 Paris", "France",
		"+33 1 56 09 20 00", "contact@cabinet-ile.example", "FINESS 750803447", "5 janvier 2026", "Anne-Élodie", "sexe féminin",
		"née le 12/04/1985 (40 ans)", "62 kg", "nom de naissance N'GUESSAN", "2 85 04 75 113 042 07 (INS de test)",
		"paracétamol", "lévothyroxine sodique", "1 comprimé le matin à jeun", "Pendant 3 mois", "Quantité : 2 boîtes", "À renouveler 3 fois", "Non renouvelable",
		"Non substituable (MTE : marge thérapeutique étroite)", "NR, non remboursable", "hors autorisation de mise sur le marché",
		"accident du travail", "Préparation magistrale", "Au pharmacien : pot de 100 g", "affection de longue durée reconnue", "maladies intercurrentes",
		"Signé électroniquement par Dr Claire Martin le 5 janvier 2026 à 10 h 21", "7QMK-2WXR", "visavis.example/v/0f8fad5b",
		"n'est pas le code de l'ordonnance numérique", "Page 1 sur ", "K7QF-2M4Z", "3 lignes")
	if ald, other := strings.Index(got, "LÉVOTHYROX"), strings.Index(got, "PARACÉTAMOL"); ald > other {
		t.Error("the long-term condition comes first, in the upper zone")
	}
}

func TestPrescriptionWithoutALDHasOneZone(t *testing.T) {
	pr := prescription()
	pr.Lines = pr.Lines[:1]
	pr.Version = Version{Number: 2, ReplacedOn: pr.IssuedAt.AddDate(0, 0, -2)}
	pdf, err := press(t).Prescription(pr)
	if err != nil {
		t.Fatal(err)
	}
	sound(t, "one-zone", pdf)
	got := words(t, pdf)
	expect(t, "one-zone", got, "Version 2, remplace la version 1 du 3 janvier 2026", "Fin de la prescription : 1 ligne")
	if strings.Contains(got, "affection de longue durée") || strings.Contains(got, "non substituable") {
		t.Error("a mention that does not apply is printed")
	}
}

func TestLongPrescriptionKeepsEveryLine(t *testing.T) {
	pr := prescription()
	base := pr.Lines
	pr.Lines = nil
	for i := range 24 {
		l := base[i%3]
		l.Directions = fmt.Sprintf("repère-%02d %s", i, strings.Repeat("très longue consigne ", i%7))
		pr.Lines = append(pr.Lines, l)
	}
	pdf, err := press(t).Prescription(pr)
	if err != nil {
		t.Fatal(err)
	}
	sound(t, "long", pdf)
	got := words(t, pdf)
	for i := range 24 {
		expect(t, "long", got, fmt.Sprintf("repère-%02d", i))
	}
	expect(t, "long", got, "Page 1 sur ", "24 lignes")
	if strings.Count(got, "Signé électroniquement") != 1 || strings.Count(got, "7QMK-2WXR") != 1 {
		t.Error("one signature and one code, whatever the number of pages")
	}
}

func TestEachKindHasItsTitle(t *testing.T) {
	p := press(t)
	for kind, title := range map[Kind]string{Biology: "biologie médicale", Imaging: "imagerie", Nursing: "actes infirmiers",
		Physiotherapy: "kinésithérapie", Speech: "orthophonie", Orthoptics: "orthoptie", Podiatry: "pédicurie", Care: "Prescription de soins",
		Device: "dispositif médical", Exams: "Prescription d'examens", Other: "Prescription", Medicines: "Ordonnance"} {
		pr := prescription()
		pr.Kind = kind
		pr.Lines = []Line{{Name: "Numération formule sanguine", Directions: "à jeun"}}
		pdf, err := p.Prescription(pr)
		if err != nil {
			t.Fatal(err)
		}
		sound(t, string(kind), pdf)
		got := words(t, pdf)
		expect(t, string(kind), got, title, "Numération formule sanguine")
		if strings.Contains(got, "⟦") {
			t.Errorf("%s: a text is missing: %s", kind, got)
		}
	}
}

func TestReport(t *testing.T) {
	pdf, err := press(t).Report(report())
	if err != nil {
		t.Fatal(err)
	}
	sound(t, "report", pdf)
	expect(t, "report", words(t, pdf), "Compte rendu de téléconsultation", "Version 2, remplace la version 1 du 4 janvier 2026",
		"de 10 h à 10 h 18 (18 min)", "Dr Bernard Vacquier, médecin traitant", "transmise dans les deux sens pendant 17 min 5 s", "patient, de 10 h à 10 h 10 (10 min 26 s), a fermé la page ; de 10 h 11 à 10 h 18 (7 min)",
		"Odile Faure, infirmière accompagnante, de 10 h 02 à 10 h 18 (16 min)", "Seán O'BRIEN, père, n'a pas rejoint", "10 h 06 : son interrompu",
		"Fièvre depuis deux jours", "Température 38,6 °C", "Pas de signe de gravité", "Angine probablement virale", "Revoir dans 48 h",
		"Représentants légaux : Jeanne ECETINSI (mère), Seán O'BRIEN (père)", "Signé électroniquement", "appelez le 15", "Consentement", "Ordonnance K7QF-2M4Z")
	r := report()
	r.Incidents, r.Signature, r.Video = nil, Signature{}, Video{Measured: true}
	pdf, err = press(t).Report(r)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "draft", words(t, pdf), "Aucun incident technique n'a été enregistré", "Projet, non signé", "jamais transmise dans les deux sens")
}

func TestHostileTextStaysOnThePage(t *testing.T) {
	pr := prescription()
	pr.Patient.Family = strings.Repeat("W", 180)
	pr.Lines[0].Directions = strings.Repeat("x", 900) + " {nb} e\u0301 fin"
	r := report()
	r.Content = strings.Repeat("Une phrase qui se répète pour remplir plusieurs pages. ", 400)
	p := press(t)
	pdf, err := p.Prescription(pr)
	if err != nil {
		t.Fatal(err)
	}
	sound(t, "hostile", pdf)
	got := strings.ReplaceAll(words(t, pdf), " ", "")
	if n := strings.Count(got, "W"); n < 180 {
		t.Errorf("%d of 180 letters of the name are printed", n)
	}
	if n := strings.Count(got, "x"); n < 900 {
		t.Errorf("%d of 900 letters of the directions are printed", n)
	}
	expect(t, "hostile", words(t, pdf), "{nb} é fin")
	if pdf, err = p.Report(r); err != nil {
		t.Fatal(err)
	}
	sound(t, "long-report", pdf)
	if n := strings.Count(words(t, pdf), "Une phrase"); n != 400 {
		t.Errorf("%d sentences of 400", n)
	}
}

// Issue 9, B1: what cannot be printed refuses the document, with the sign named; nothing stands for it.
func TestUnprintableRefusesTheDocument(t *testing.T) {
	for text, named := range map[string]string{"😀": "😀 (U+1F600)", "\x00": "U+0000", "\x1b[31m": "U+001B", "中": "中 (U+4E2D)", "\ue0ff": "U+E0FF", "\ufffd": "U+FFFD", "ہ": "ہ (U+06C1)"} {
		pr, r := prescription(), report()
		pr.Lines[0].Directions, r.Conclusion = "un "+text+" deux", "un "+text+" deux"
		rec := receipt("fr")
		rec.Patient = text
		p := press(t)
		_, first := p.Prescription(pr)
		_, second := p.Report(r)
		_, third := p.Receipt(rec)
		for _, err := range []error{first, second, third} {
			var f *fault.Error
			if !errors.As(err, &f) || len(f.Fields) != 1 || f.Fields[0].Args["signs"] != named {
				t.Errorf("%q: %v", text, err)
			}
		}
	}
}

func TestSameInputsSameBytes(t *testing.T) {
	a, err := press(t).Prescription(prescription())
	if err != nil {
		t.Fatal(err)
	}
	b, err := press(t).Prescription(prescription())
	if err != nil || !bytes.Equal(a, b) {
		t.Fatalf("two prints of the same prescription differ (%v)", err)
	}
	if len(a) > 200_000 {
		t.Errorf("%d bytes for one sheet", len(a))
	}
}

func TestProfile(t *testing.T) {
	icc := srgbProfile()
	if int(binary.BigEndian.Uint32(icc)) != len(icc) || string(icc[36:40]) != "acsp" || len(icc)%4 != 0 {
		t.Errorf("the profile says %d bytes and has %d", binary.BigEndian.Uint32(icc), len(icc))
	}
}

// need stops a test whose tool is missing: it fails in CI, where everything
// must be tested, and is skipped elsewhere.
func need(t *testing.T, tool, pkg string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing: apt-get install %s", tool, pkg)
	}
	t.Skipf("%s is missing: apt-get install %s", tool, pkg)
}

func TestSquareIsReadable(t *testing.T) {
	need(t, "zbarimg", "zbar-tools")
	pdf, err := press(t).Prescription(prescription())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.pdf"), pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("pdftoppm", "-r", "200", "-png", filepath.Join(dir, "a.pdf"), filepath.Join(dir, "a")).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	out, err := exec.Command("zbarimg", "-q", "--raw", filepath.Join(dir, "a-1.png")).Output()
	if err != nil || strings.TrimSpace(string(out)) != prescription().Verify.URL {
		t.Errorf("read %q %v", out, err)
	}
}

func BenchmarkPrescription(b *testing.B) {
	p := press(b)
	for b.Loop() {
		if _, err := p.Prescription(prescription()); err != nil {
			b.Fatal(err)
		}
	}
}

// Exams linked to a long-term condition are prescribed on two zones too (CSS R161-45, 5°).
func TestExamsHaveTwoZonesToo(t *testing.T) {
	pr := prescription()
	pr.Kind, pr.Lines = Biology, []Line{{Name: "HbA1c", ALD: true}, {Name: "Ferritine"}}
	pdf, err := press(t).Prescription(pr)
	if err != nil {
		t.Fatal(err)
	}
	got := words(t, pdf)
	expect(t, "exams", got, "Prescription d'actes de biologie médicale", "affection de longue durée reconnue", "maladies intercurrentes")
	if strings.Index(got, "HbA1c") > strings.Index(got, "intercurrentes") || strings.Index(got, "Ferritine") < strings.Index(got, "intercurrentes") {
		t.Error("a line is in the wrong zone")
	}
}
