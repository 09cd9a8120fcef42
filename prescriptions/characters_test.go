package prescriptions_test

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"visavis/internal/testkit"
	"visavis/internal/testkit/signtest"
	"visavis/internal/typography"
	"visavis/prescriptions"
)

// categories are all there are; structured ones have their words in the CDA document, the others the PDF file.
var categories = map[prescriptions.Category]bool{prescriptions.Medicines: true, prescriptions.Device: true, prescriptions.Biology: false,
	prescriptions.Imaging: false, prescriptions.Nursing: false, prescriptions.Physiotherapy: false, prescriptions.Other: false}

// linesWith spreads texts over the lines of a category.
func linesWith(c prescriptions.Category, texts []string) []prescriptions.Line {
	var out []prescriptions.Line
	for part := range slices.Chunk(texts, (len(texts)+19)/20) {
		l := prescriptions.Line{Text: strings.Join(part, " "), Quantity: 1, DurationDays: 5}
		if c == prescriptions.Medicines {
			l = prescriptions.Line{CIS: "63107752", Dose: "1 comprimé", Frequency: strings.Join(part, " "), DurationDays: 5, Quantity: 1}
		}
		out = append(out, l)
	}
	return out
}

// Issue 9, B1: the PDF and the CDA document of each kind of prescription carry the signs that were typed.
func TestCharacters_PDFAndCDA(t *testing.T) {
	svc, w := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	w.act.Patient.BirthFamily, w.act.Patient.BirthGiven = "NGUYỄN", []string{"Мария", "Ελένη"}
	w.act.Patient.UsedFamily, w.act.Patient.UsedGiven = "الأحمد", "ليلى"
	names := []string{"NGUYỄN", "Мария", "الأحمد", "ليلى"}
	words := append(signtest.Words(), "LEVOTHYROX 25 \u00b5g", "25 \u03bcg", "SpO₂ 94 %", "10⁹/L", "½ cp", "ﬁbrose", "co\u00adopéré", "☐ №", "１２ ｍｇ")
	for c, structured := range categories {
		signed(t, svc, c, linesWith(c, append(slices.Clone(words), signtest.Points()...)))
		f := w.filed[len(w.filed)-1]
		compareFiles(t, string(c), f.PDF, f.CDA, structured, words, names)
	}
}

func compareFiles(t *testing.T, name string, pdf, doc []byte, structured bool, words, names []string) {
	t.Helper()
	sheet, coded := signtest.PDF(t, pdf), signtest.XML(t, doc)
	all := append(slices.Clone(words), names...)
	if missing := signtest.Missing(sheet, all...); len(missing) > 0 {
		t.Errorf("%s: not read on the sheet: %+q", name, missing)
	}
	if missing := signtest.Undrawn(t, pdf, append(all, signtest.Points()...)...); len(missing) > 0 {
		t.Errorf("%s: not drawn on the sheet: %+q", name, missing)
	}
	if !structured {
		if !strings.Contains(signtest.Letters(coded), base64.StdEncoding.EncodeToString(pdf)) {
			t.Errorf("%s: the document holds another sheet", name)
		}
		all = names
	} else {
		all = append(all, signtest.Points()...)
	}
	if missing := signtest.Missing(coded, all...); len(missing) > 0 {
		t.Errorf("%s: not in the document: %+q", name, missing)
	}
}

// Random words over the repertoire that reads from left to right; the right-to-left scripts are in the table above.
func TestCharacters_RandomText(t *testing.T) {
	h := testkit.NewHouse(t, testkit.OpenSQLite(t))
	svc, w := open(t, h)
	var alphabet []rune
	for _, r := range typography.Repertoire() {
		if r > ' ' && typography.Visual(string(r)+"a") == string(r)+"a" && (r < 0x590 || r > 0x6ff) && signtest.Letters(string(r)) != "" {
			alphabet = append(alphabet, r)
		}
	}
	word := rapid.StringOfN(rapid.SampledFrom(alphabet), 1, 9, -1)
	for seed := range 4 {
		var words []string
		for i := 0; len(words) < 400; i++ {
			if s := word.Example(seed*100_000 + i); len(typography.Unprintable(typography.Clean(s))) == 0 { // no mark that nothing carries
				words = append(words, s)
			}
		}
		signed(t, svc, prescriptions.Device, linesWith(prescriptions.Device, words))
		f := w.filed[len(w.filed)-1]
		a, b := signtest.Undrawn(t, f.PDF, words...), signtest.Missing(signtest.XML(t, f.CDA), words...)
		if len(a)+len(b) > 0 {
			t.Errorf("sheet %+q, document %+q", a, b)
		}
	}
}

// What cannot be printed is refused at its field, when it is written and when it is signed, with the sign named.
func TestUnprintableIsRefusedAtItsField(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(t, h)
		for _, sign := range []string{"😀", "\x00", "\x1b", "中", "\ufffd", "\u0486", "\u064e"} {
			d, err := svc.Add(doctor(), encounter, prescriptions.Biology)
			if err != nil {
				t.Fatal(err)
			}
			if _, err = svc.Write(doctor(), d.ID, []prescriptions.Line{{Text: "NFS"}, {Text: "CRP " + sign}}, prescriptions.Measures{}, d.Edit); fields(err) != "lines[1].text sign-not-printable" {
				t.Errorf("%+q: %v", sign, err)
			}
		}
		w.act.Patient.BirthGiven = []string{"😀"}
		d := draft(t, svc, prescriptions.Biology, []prescriptions.Line{{Text: "NFS"}})
		if _, err := svc.Sign(doctor(), d.ID, d.Edit); fields(err) != "document sign-not-printable" || len(w.filed) > 0 {
			t.Errorf("a name that cannot be printed: %v", err)
		}
	})
}

func TestTextIsCleanedWhenWritten(t *testing.T) {
	svc, _ := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	p := draft(t, svc, prescriptions.Biology, []prescriptions.Line{{Text: "e\u0301 ﬁ co\u00adopéré\r\n10⁹"}})
	if !bytes.Equal([]byte(p.Lines[0].Text), []byte("é fi coopéré\n10⁹")) {
		t.Errorf("%+q", p.Lines[0].Text)
	}
}
