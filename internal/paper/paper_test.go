package paper

import (
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/cda"
)

func act() Act {
	start := time.Date(2026, 3, 10, 8, 0, 0, 0, time.UTC)
	zone := time.FixedZone("CET", 3600)
	return Act{
		EncounterID: "0199aaaa-0000-7000-8000-000000000041", AuthorID: "0199aaaa-0000-7000-8000-000000000011", Start: start, End: start.Add(15 * time.Minute), Zone: zone,
		Patient: cda.Patient{INS: &cda.INS{OID: cda.OIDINSTest, Value: "279035121518989"}, BirthFamily: "PAT-TROIS", BirthGiven: []string{"DOMINIQUE", "MARIE-LOUISE"}, Sex: "F", BirthDate: "1979-03-28",
			Guardians: []cda.Guardian{{Relation: "MTH", Family: "NESSI", Given: "Jeanne"}}},
		Author:    cda.Professional{Family: "Martin", Given: "Claire", Title: "DR", Organization: cda.Organization{Name: "Cabinet", FINESS: "750803447", Contact: cda.Contact{Phone: "+33156092000"}}},
		ConsentID: "0199aaaa-0000-7000-8000-000000000051", ConsentText: "donné en ligne",
		People: []Person{{Name: "Inès", Role: care.Nurse, Professional: &cda.Professional{Family: "Benali"}, From: start}, {Name: "Hugo", Professional: &cda.Professional{Family: "Dupré"}}},
	}
}

func TestHeader(t *testing.T) {
	v := Version{ID: "0199aaaa-0000-7000-8000-000000000061", Set: "0199aaaa-0000-7000-8000-000000000060", Replaces: "0199aaaa-0000-7000-8000-000000000062", Number: 2}
	h, err := act().Header(v, "Compte rendu", time.Date(2026, 3, 10, 8, 20, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	if h.Version != 2 || h.Replaces == "" || h.ID == h.SetID || h.Encounter.ID.Root == "" || len(h.Consents) != 1 || h.SignedAt.Format("15:04 -0700") != "09:20 +0100" {
		t.Errorf("%+v", h)
	}
	if len(h.Participants) != 1 || h.Participants[0].Professional.Family != "Benali" {
		t.Errorf("only those who joined take part: %+v", h.Participants)
	}
	if _, err := act().Header(Version{ID: "no"}, "", time.Time{}); err == nil {
		t.Error("an id that is no UUID is refused")
	}
}

func TestSheetBlocks(t *testing.T) {
	a := act()
	p := a.SheetPatient()
	if p.Family != "PAT-TROIS" || p.Given != "DOMINIQUE" || p.INSKind != "TEST" || p.Representatives[0] != "Jeanne NESSI (mère)" {
		t.Errorf("%+v", p)
	}
	a.Patient.INS, a.Patient.UsedFamily = nil, "DURAND"
	if p = a.SheetPatient(); p.INS != "" || p.Family != "DURAND" || p.BirthFamily != "PAT-TROIS" {
		t.Errorf("%+v", p)
	}
	if a.AuthorName() != "Dr Claire Martin" || a.SheetAuthor().Place.Phone != "+33156092000" {
		t.Errorf("%s %+v", a.AuthorName(), a.SheetAuthor())
	}
}

func TestFields(t *testing.T) {
	f := Fields([]cda.Problem{{Field: "lines[0].directions", Code: cda.Required}, {Field: "author.rpps", Code: cda.Key}}, func(s string) string {
		if s == "lines[0].directions" {
			return "lines[0].dose"
		}
		return s
	})
	if len(f) != 2 || f[0].Name != "lines[0].dose" || f[0].Code != "required" || f[1].Code != "key-wrong" {
		t.Errorf("%+v", f)
	}
}
