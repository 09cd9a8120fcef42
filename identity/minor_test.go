package identity_test

import (
	"context"
	"testing"
	"time"

	"visavis/identity"
	"visavis/internal/care"
	"visavis/internal/testkit"
)

// TestAMinorIsWrittenToThroughARepresentative: the child's own telephone gets
// neither link nor code; from the eighteenth birthday on it does.
func TestAMinorIsWrittenToThroughARepresentative(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		id, err := c.svc.AddPatient(context.Background(), identity.Patient{OrganizationID: c.Lilas, Record: identity.Record{
			Traits: traitsOf("MINEUR", "Tom", c.Clock.Now().AddDate(-17, 0, 0).Format(time.DateOnly)), Phone: "0639980071", Email: "tom@patients.example",
			Representatives: []identity.Representative{
				{DisplayName: "Anne MINEUR", Relation: "mother", Phone: "0199005555", Email: "anne@patients.example"},
				{DisplayName: "Luc MINEUR", Relation: "father", Phone: "06 39 98 00 72"},
			}}})
		if err != nil {
			t.Fatal(err)
		}
		want := identity.Contact{Phone: "+33639980072", Mobile: true, Email: "anne@patients.example", Language: care.French}
		if got, err := c.svc.Contact(context.Background(), id); err != nil || got != want {
			t.Errorf("a minor: %+v %v", got, err)
		}
		_, a := c.open(t, c.book(id))
		sent, err := c.svc.RequestCode(testkit.As(a), "sms")
		if err != nil || sent.Hint != "•• •• •• •• 72" {
			t.Errorf("the code of a minor went to %q: %v", sent.Hint, err)
		}
		c.Clock.Advance(367 * 24 * time.Hour)
		want = identity.Contact{Phone: "+33639980071", Mobile: true, Email: "tom@patients.example", Language: care.French}
		if got, err := c.svc.Contact(context.Background(), id); err != nil || got != want {
			t.Errorf("grown up: %+v %v", got, err)
		}
	})
}

// TestAMinorWithoutRepresentativesOnFile: whoever booked gave the contacts.
func TestAMinorWithoutRepresentativesOnFile(t *testing.T) {
	c := newClinic(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	id, err := c.svc.FindOrCreatePatient(context.Background(), identity.Booking{OrganizationID: c.Lilas, FamilyName: "SEUL", GivenName: "Nino",
		BirthDate: c.Clock.Now().AddDate(-9, 0, 0).Format(time.DateOnly), Phone: "0639980073"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.svc.Contact(context.Background(), id); err != nil || got.Phone != "+33639980073" {
		t.Errorf("%+v %v", got, err)
	}
}
