package documents_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"visavis/documents"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/testkit"
	"visavis/internal/testkit/signtest"
)

// Issue 9, B1: a report carries the signs that were typed, in both versions; its CDA document holds this very
// sheet and the same names.
func TestCharacters_Report(t *testing.T) {
	svc, w := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	w.act.Patient.BirthFamily, w.act.Patient.BirthGiven = "NGUYỄN", []string{"Мария", "Ελένη"}
	w.act.Patient.UsedFamily, w.act.Patient.UsedGiven = "الأحمد", "ليلى"
	names := []string{"NGUYỄN", "Мария", "الأحمد", "ليلى"}
	all, points := append(signtest.Words(), "25 \u00b5g", "25 \u03bcg", "ﬁbrose", "co\u00adopéré", "１２ ｍｇ"), signtest.Points()
	text := documents.Text{Motive: strings.Join(names, " "), Text: strings.Join(all, "\n"), Conclusion: strings.Join(points, " "), FollowUp: "SpO₂ ≥ 94 %"}
	doctor := staff(care.Doctor, claire)
	r, err := svc.Write(doctor, encounter, text, 0)
	for version := 1; version <= 2 && err == nil; version++ {
		var d *documents.Document
		if d, err = svc.Sign(doctor, encounter, r.Edit); err != nil {
			break
		}
		_, f, failed := svc.Open(doctor, d.ID)
		if failed != nil {
			t.Fatal(failed)
		}
		want := append(append(append([]string{"SpO₂", "≥"}, all...), names...), points...)
		if lost := signtest.Undrawn(t, f.PDF, want...); len(lost) > 0 {
			t.Errorf("version %d: not drawn: %+q", version, lost)
		}
		if lost := signtest.Missing(signtest.PDF(t, f.PDF), append(all, names...)...); len(lost) > 0 {
			t.Errorf("version %d: not read: %+q", version, lost)
		}
		xml := signtest.XML(t, f.CDA)
		if lost := signtest.Missing(xml, names...); len(lost) > 0 {
			t.Errorf("version %d: not in the document: %+q", version, lost)
		}
		if !strings.Contains(signtest.Letters(xml), base64.StdEncoding.EncodeToString(f.PDF)) {
			t.Errorf("version %d: the document holds another sheet", version)
		}
		r, err = svc.Replace(doctor, d.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A sign that cannot be printed is refused at its field when a report is written, and nothing is kept.
func TestCharacters_RefusedWhenWritten(t *testing.T) {
	svc, _ := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	for _, sign := range []string{"中", "😀", "\u0301", "\x00"} {
		text := documents.Text{Motive: "Toux", Text: "Examen " + sign, Conclusion: sign}
		_, err := svc.Write(staff(care.Doctor, claire), encounter, text, 0)
		var f *fault.Error
		if !errors.As(err, &f) || len(f.Fields) != 2 || f.Fields[0].Name != "text" || f.Fields[0].Code != "sign-not-printable" {
			t.Errorf("%+q: %v", sign, err)
		}
	}
}
