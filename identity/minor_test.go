package identity_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"visavis/identity"
	"visavis/identity/contacts"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/fault"
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
		sent, err := c.svc.RequestCode(testkit.As(a), "sms", "")
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

// TestEitherParentRecoversTheLinkOfAMinor: it goes to the one who asked, and so
// do its codes; a stranger's number makes nothing (S13); at 18 it is over.
func TestEitherParentRecoversTheLinkOfAMinor(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		ctx := context.Background()
		id, err := c.svc.AddPatient(ctx, identity.Patient{OrganizationID: c.Lilas, Record: identity.Record{
			Traits: traitsOf("MINEUR", "Tom", c.Clock.Now().AddDate(-17, 0, 0).Format(time.DateOnly)), Phone: "0639980071",
			Representatives: []identity.Representative{
				{DisplayName: "Anne MINEUR", Relation: "mother", Phone: "0639980072"},
				{DisplayName: "Luc MINEUR", Relation: "father", Phone: "06 39 98 00 73", Email: "Luc@Patients.example"},
			}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.raw(`DELETE FROM patient_index`, `UPDATE patients SET indexed = 0`); err != nil { // as an earlier version left them
			t.Fatal(err)
		}
		if err := c.svc.Reindex(ctx); err != nil {
			t.Fatal(err)
		}
		visit := c.book(id)
		ask := func(phone, email string) (asked []events.Link) {
			t.Helper()
			c.Clock.Advance(time.Hour) // one is asked for again
			before := len(c.facts(t, events.LinkRequested))
			if s, err := c.svc.RecoverLink(ctx, contacts.Request{Phone: phone, Email: email}); err != nil || !s.Sent {
				t.Fatal(s, err)
			}
			c.Deliver(t)
			for _, raw := range c.facts(t, events.LinkRequested)[before:] {
				var l events.Link
				if err := json.Unmarshal([]byte(raw), &l); err != nil || strings.Contains(raw, "0639") || strings.Contains(strings.ToLower(raw), "luc") {
					t.Errorf("%s %v", raw, err)
				}
				asked = append(asked, l)
			}
			return asked
		}
		father := identity.Contact{Phone: "+33639980073", Mobile: true, Email: "luc@patients.example", Language: care.French}
		for typed, want := range map[[2]string]identity.Contact{
			{"06 39 98 00 73", ""}:       father,
			{"", "LUC@patients.example"}: father,
			{"0639980072", ""}:           {Phone: "+33639980072", Mobile: true, Language: care.French},
			{"0639980071", ""}:           {Phone: "+33639980072", Mobile: true, Email: "luc@patients.example", Language: care.French}, // his own: to the first of each
		} {
			asked := ask(typed[0], typed[1])
			if len(asked) != 1 || asked[0].AppointmentID != visit {
				t.Fatalf("%v: %+v", typed, asked)
			}
			got, err := c.svc.ContactThrough(ctx, id, asked[0].Representative)
			got.Email = strings.ToLower(got.Email)
			if err != nil || got != want {
				t.Errorf("%v: sent to %+v %v", typed, got, err)
			}
		}
		if asked := ask("0639980079", ""); len(asked) != 0 {
			t.Errorf("a stranger had a link sent: %+v", asked)
		}

		asked := ask("", "luc@patients.example")
		link, err := c.svc.IssueLinkTo(ctx, visit, asked[0].Representative)
		if err != nil {
			t.Fatal(err)
		}
		_, a, err := c.svc.OpenLink(testkit.As(authz.Actor{}), link)
		if err != nil {
			t.Fatal(err)
		}
		sent, err := c.svc.RequestCode(testkit.As(a), "sms", "")
		if err != nil || sent.Hint != "•• •• •• •• 73" {
			t.Errorf("the father's code went to %q: %v", sent.Hint, err)
		}
		if raw := c.facts(t, events.CodeRequested); len(raw) != 1 || !strings.Contains(raw[0], asked[0].Representative) {
			t.Errorf("%v", raw)
		}

		c.Clock.Advance(367 * 24 * time.Hour)
		c.book(id)
		if asked := ask("0639980073", ""); len(asked) != 0 {
			t.Errorf("a parent of an adult had a link sent: %+v", asked)
		}
		if got, _ := c.svc.ContactThrough(ctx, id, asked[0].Representative); got.Phone != "+33639980071" {
			t.Errorf("grown up, through the father: %+v", got)
		}
	})
}

// raw runs statements as no use case would.
func (c *clinic) raw(statements ...string) error {
	pool, err := c.DB.SQL()
	for _, s := range statements {
		if err == nil {
			_, err = pool.Exec(s)
		}
	}
	return err
}

// TestProvenRepresentative: a consent on the page is of who on the file received
// the code of the session, and of nobody else (issue 9, C6).
func TestProvenRepresentative(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		minor := func(age int, family string, representatives ...identity.Representative) authz.Actor {
			t.Helper()
			id, err := c.svc.AddPatient(context.Background(), identity.Patient{OrganizationID: c.Lilas, Record: identity.Record{
				Traits: traitsOf(family, "Tom", c.Clock.Now().AddDate(-age, 0, 0).Format(time.DateOnly)), Phone: "0639980071", Email: "tom@patients.example",
				Representatives: representatives}})
			if err != nil {
				t.Fatal(err)
			}
			_, a := c.open(t, c.book(id))
			return a
		}
		anne := identity.Representative{DisplayName: "Anne MINEUR", Relation: "mother", Phone: "0639980072"}
		luc := identity.Representative{DisplayName: "Luc MINEUR", Relation: "father", Email: "Luc@Patients.example"}
		fixed := identity.Representative{DisplayName: "Eve MINEUR", Relation: "mother", Phone: "0199005555"} // no SMS reaches her
		for name, w := range map[string]struct {
			a       authz.Actor
			chosen  int // of the list, from 1; 0 for nobody
			channel string
			want    string // who is proven
			count   int
		}{
			"the mother, by SMS":            {minor(9, "UN", anne, luc), 1, "sms", "Anne MINEUR", 2},
			"the father, by e-mail":         {minor(9, "DEUX", anne, luc), 2, "email", "Luc MINEUR", 2},
			"nobody chosen: the first":      {minor(9, "TROIS", anne, luc), 0, "sms", "Anne MINEUR", 2},
			"nobody chosen, by e-mail":      {minor(9, "QUATRE", anne, luc), 0, "email", "Luc MINEUR", 2},
			"the child's own telephone":     {minor(9, "CINQ", fixed), 0, "sms", "", 1},
			"nobody on the file":            {minor(9, "SIX"), 0, "sms", "", 0},
			"an adult with parents on file": {minor(19, "SEPT", anne, luc), 0, "sms", "", 0},
		} {
			t.Run(name, func(t *testing.T) {
				if who, found, n, err := c.svc.ProvenRepresentative(testkit.As(w.a), w.a); err != nil || found || n != w.count {
					t.Fatalf("before a code: %+v %v %d %v", who, found, n, err)
				}
				c.Clock.Advance(time.Second) // codes are told apart by their time
				chosen := ""
				if w.chosen > 0 {
					list, err := c.svc.RepresentativesOnFile(context.Background(), w.a.PatientID)
					if err != nil {
						t.Fatal(err)
					}
					chosen = list[w.chosen-1].Reference
				}
				sent, err := c.svc.RequestCode(testkit.As(w.a), w.channel, chosen)
				if err != nil {
					t.Fatal(sent, err)
				}
				_, raised, err := c.svc.VerifyCode(testkit.As(w.a), c.lastCode(t))
				if err != nil {
					t.Fatal(err)
				}
				who, found, _, err := c.svc.ProvenRepresentative(testkit.As(raised), raised)
				if err != nil || found != (w.want != "") || who.DisplayName != w.want {
					t.Errorf("%+v %v %v, want %q", who, found, err, w.want)
				}
			})
		}
		a := minor(9, "HUIT", anne)
		if _, err := c.svc.RequestCode(testkit.As(a), "sms", "00ff"); err == nil {
			t.Error("somebody who is not on the file was sent a code")
		}
	})
}

// TestNoCodeOfAConfidentialAppointment: a code would tell the parents (C6).
func TestNoCodeOfAConfidentialAppointment(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		id, err := c.svc.AddPatient(context.Background(), identity.Patient{OrganizationID: c.Lilas, Record: identity.Record{
			Traits: traitsOf("MINEUR", "Zia", c.Clock.Now().AddDate(-16, 0, 0).Format(time.DateOnly)), Phone: "0639980071",
			Representatives: []identity.Representative{{DisplayName: "Anne MINEUR", Relation: "mother", Phone: "0639980072"}}}})
		if err != nil {
			t.Fatal(err)
		}
		_, a := c.open(t, c.book(id))
		c.agent.quiet = true
		_, err = c.svc.RequestCode(testkit.As(a), "sms", "")
		is(t, err, fault.Conflict, "code-not-here")
		if sent := c.facts(t, events.CodeRequested); len(sent) != 0 {
			t.Errorf("%v", sent)
		}
		_, adult := c.open(t, c.book(c.Fatou))
		if _, err := c.svc.RequestCode(testkit.As(adult), "sms", ""); err != nil {
			t.Errorf("an adult: %v", err)
		}
	})
}
