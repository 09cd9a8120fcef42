package cda

import (
	"bytes"
	"encoding/xml"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestIdentifiers(t *testing.T) {
	for v, want := range map[string]bool{"2A020": true, "2B020": true, "75113": true, "99350": true, "7511": false, "2C020": false, "": false} {
		if ValidCOG(v) != want {
			t.Errorf("ValidCOG(%q) != %v", v, want)
		}
	}
	if !ValidFINESS("750803447") || !ValidFINESS("2A0000014") || ValidFINESS("75080344") || ValidFINESS("X50803447") {
		t.Error("ValidFINESS")
	}
	oid, err := OIDFromUUID("f81d4fae-7dec-11d0-a765-00a0c91e6bf6") // the example of X.667
	if err != nil || oid != "2.25.329800735698586629295641978511506172918" {
		t.Errorf("OIDFromUUID = %s %v", oid, err)
	}
	if _, err := OIDFromUUID("f81d4fae"); err == nil {
		t.Error("OIDFromUUID accepts a short value")
	}
}

func TestLookup(t *testing.T) {
	c, ok := Lookup(SetSpecialty, "G15_10/SM26")
	if !ok || c.Display != "Médecin - Qualifié en Médecine Générale (SM)" || c.System != "1.2.250.1.213.1.1.4.5" {
		t.Errorf("%+v %v", c, ok)
	}
	if _, ok := Lookup(SetSector, "SA99"); ok {
		t.Error("SA99 is not a sector")
	}
}

// TestCheckNamesTheField removes or spoils one input at a time.
func TestCheckNamesTheField(t *testing.T) {
	cases := []struct {
		want  string
		spoil func(*MedicationPrescription)
	}{
		{"patient.birthFamily:required", func(p *MedicationPrescription) { p.Patient.BirthFamily = " " }},
		{"patient.birthGiven:required", func(p *MedicationPrescription) { p.Patient.BirthGiven = nil }},
		{"patient.birthPlace:required", func(p *MedicationPrescription) { p.Patient.BirthPlace = "" }},
		{"patient.birthPlace:format", func(p *MedicationPrescription) { p.Patient.BirthPlace = "Paris" }},
		{"patient.birthDate:format", func(p *MedicationPrescription) { p.Patient.BirthDate = "1979-02-30" }},
		{"patient.sex:unknown", func(p *MedicationPrescription) { p.Patient.Sex = "X" }},
		{"patient.ins.value:key", func(p *MedicationPrescription) { p.Patient.INS.Value = "279035121518988" }},
		{"patient.ins.oid:unknown", func(p *MedicationPrescription) { p.Patient.INS.OID = "1.2.3" }},
		{"patient.local:required", func(p *MedicationPrescription) { p.Patient.INS, p.Patient.Local = nil, ID{} }},
		{"author.rpps:key", func(p *MedicationPrescription) { p.Author.RPPS = "10001234560" }},
		{"author.specialty:unknown", func(p *MedicationPrescription) { p.Author.Specialty = "G15_10/ZZ99" }},
		{"author.organization.finess:required", func(p *MedicationPrescription) { p.Author.Organization.FINESS = "" }},
		{"author.organization.setting:required", func(p *MedicationPrescription) { p.Author.Organization.Setting = "" }},
		{"encounter.facility.sector:unknown", func(p *MedicationPrescription) { p.Encounter.Facility.Sector = "SA99" }},
		{"encounter.end:order", func(p *MedicationPrescription) { p.Encounter.End = p.Encounter.Start.Add(-time.Second) }},
		{"signedAt:required", func(p *MedicationPrescription) { p.SignedAt = time.Time{} }},
		{"replaces:required", func(p *MedicationPrescription) { p.Version = 2 }},
		{"validUntil:order", func(p *MedicationPrescription) { p.ValidUntil = "2025-12-31" }},
		{"lines:required", func(p *MedicationPrescription) { p.Lines = nil }},
		{"lines[0].directions:required", func(p *MedicationPrescription) { p.Lines[0].Directions = "" }},
		{"lines[0].cis:format", func(p *MedicationPrescription) { p.Lines[0].CIS = "123" }},
		{"lines[0].inn:required", func(p *MedicationPrescription) { p.Lines[0].INN = nil }},
		{"lines[0].route:unknown", func(p *MedicationPrescription) { p.Lines[0].Route = "1" }},
		{"lines[0].dosage.amount:format", func(p *MedicationPrescription) { p.Lines[0].Dosage.Amount = "NaN" }},
		{"lines[0].dosage.period:format", func(p *MedicationPrescription) { p.Lines[0].Dosage.Period = "0" }},
		{"lines[0].dosage.period:format", func(p *MedicationPrescription) { p.Lines[0].Dosage.PeriodUnit = "mo" }},
		{"lines[0].dosage.maxPerDay:required", func(p *MedicationPrescription) { p.Lines[0].Dosage.MaxPerDay = "" }},
		{"lines[0].dosage.frequency:required", func(p *MedicationPrescription) { p.Lines[0].Dosage.Frequency = "" }},
		{"weight:format", func(p *MedicationPrescription) { p.Weight, p.WeightID = "lourd", p.CopyID }},
		{"devices[0].quantity:required", func(p *MedicationPrescription) {
			p.Devices, p.DevicesID = devices(t, p.Patient).Devices[:1], p.CopyID
			p.Devices[0].Quantity = 0
		}},
		{"devices[0].lpp:format", func(p *MedicationPrescription) {
			p.Devices, p.DevicesID = devices(t, p.Patient).Devices[:1], p.CopyID
			p.Devices[0].LPP = "12"
		}},
		{"lines[0].quantity.value:format", func(p *MedicationPrescription) { p.Lines[0].Quantity.Value = 0 }},
		{"lines[1].substitution.reason:required", func(p *MedicationPrescription) { p.Lines[1].Reason = "" }},
		{"lines[1].substitution.reason:unknown", func(p *MedicationPrescription) { p.Lines[1].Reason = "XXX" }},
		{"lines[0].substitution.reason:format", func(p *MedicationPrescription) { p.Lines[0].Reason = "MTE" }},
		{"lines[1].treatmentUntil:order", func(p *MedicationPrescription) { p.Lines[1].To = "2026-01-04" }},
		{"lines[2].repeats:format", func(p *MedicationPrescription) { p.Lines[2].Repeats = 13 }},
		{"pdf:format", func(p *MedicationPrescription) { p.PDF = []byte("hello") }},
		{"pdf:required", func(p *MedicationPrescription) { p.PDF = nil }},
	}
	for _, c := range cases {
		p := medicines(t, patients(t)["two-names"])
		if before := p.Check(); len(before) != 0 {
			t.Fatalf("the fixture itself is refused: %v", before)
		}
		c.spoil(&p)
		got := []string{}
		for _, pr := range p.Check() {
			got = append(got, pr.String())
		}
		if !slices.Contains(got, c.want) {
			t.Errorf("want %s, got %v", c.want, got)
		}
		var invalid *InvalidError
		if _, err := BuildMedicationPrescription(p); !errors.As(err, &invalid) || len(invalid.Problems) == 0 {
			t.Errorf("%s: built all the same: %v", c.want, err)
		}
	}
}

func TestKindsOfPrescription(t *testing.T) {
	p := exams(t, patients(t)["two-names"], "57833-6")
	if _, err := BuildOtherPrescription(p); err == nil {
		t.Error("medicines must not leave as an unstructured prescription")
	}
	r := report(t, patients(t)["two-names"])
	r.Act = "ZZZ"
	if got := r.Check(); len(got) != 1 || got[0] != (Problem{"act", Unknown}) {
		t.Errorf("%v", got)
	}
}

func TestErrorNamesNoValue(t *testing.T) {
	p := medicines(t, patients(t)["accents"])
	p.Patient.INS.Value, p.Lines[0].CIS = "285047511304299", "SECRETCIS"
	_, err := BuildMedicationPrescription(p)
	for _, secret := range []string{"2850475113042", "SECRETCIS", "GUESSAN"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error leaks %s: %v", secret, err)
		}
	}
}

func TestBuildIsDeterministicAndEscaped(t *testing.T) {
	p := medicines(t, patients(t)["accents"])
	p.Lines[0].Directions = "a < b & \"c\" \x00\x07 ]]> fin"
	a, err := BuildMedicationPrescription(p)
	if err != nil {
		t.Fatal(err)
	}
	b, err := BuildMedicationPrescription(p)
	if err != nil || !bytes.Equal(a, b) {
		t.Fatalf("two builds of the same inputs differ (%v)", err)
	}
	d := xml.NewDecoder(bytes.NewReader(a))
	seen := ""
	for {
		tok, err := d.Token()
		if err != nil {
			if err.Error() != "EOF" {
				t.Fatal(err)
			}
			break
		}
		if text, ok := tok.(xml.CharData); ok {
			seen += string(text)
		}
	}
	for _, want := range []string{"N'GUESSAN-LEFÈVRE", "D’ALMEIDA & FILS <Œ>", "a < b & \"c\" \uFFFD\uFFFD ]]> fin"} {
		if !strings.Contains(seen, want) {
			t.Errorf("%q is not in the document", want)
		}
	}
}

func TestUnqualifiedIdentityCarriesNoINS(t *testing.T) {
	doc, err := BuildTeleconsultationReport(report(t, patients(t)["unqualified"]))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(doc, []byte("1.2.250.1.213.1.4.1")) || bytes.Contains(doc, []byte("@patient.mssante.fr")) {
		t.Error("an identity that is not qualified must not carry an INS nor a mailbox made of it")
	}
}

func TestCheckDocumentRefusesForeignInput(t *testing.T) {
	for name, doc := range map[string]string{
		"empty": "", "not xml": "%PDF-1.4", "other root": "<html/>", "truncated": "<ClinicalDocument><id",
		"doctype": `<!DOCTYPE x [<!ENTITY a "b">]><ClinicalDocument>&a;</ClinicalDocument>`,
	} {
		if got := CheckDocument([]byte(doc)); len(got) != 1 || got[0].Field != "document" {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := CheckDocument([]byte("<ClinicalDocument/>")); len(got) < 15 {
		t.Errorf("an empty document breaks every rule, got %v", got)
	}
}

// TestStricterThanTheOfficialRules lists what the ANS rules let through.
func TestStricterThanTheOfficialRules(t *testing.T) {
	good, err := BuildMedicationPrescription(medicines(t, patients(t)["two-names"]))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []mutation{
		{"no-repeat", `<repeatNumber[^>]*></repeatNumber>`, "", "repeatNumber"},
		{"rpps", `extension="81000`, `extension="81001`, "id"},
		{"dangling-reference", `<text><reference value="#med-1">`, `<text><reference value="#nowhere">`, "text/reference"},
		{"not-a-pdf", `representation="B64">JVBE`, `representation="B64">AAAA`, "pdf"},
	} {
		problems := CheckDocument(mutate(t, good, m.pattern, m.with))
		if !slices.ContainsFunc(problems, func(p Problem) bool { return strings.Contains(p.Field, m.field) }) {
			t.Errorf("%s: %v", m.name, problems)
		}
	}
}
