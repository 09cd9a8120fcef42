package identity_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"visavis/identity"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/testkit"
)

var paul = identity.Invitation{Name: "Paul  d’Hérouville", Phone: "06 39 98 00 71"}

// invite invites somebody in the doctor's name and opens their link.
func (c *clinic) invite(t *testing.T, visit care.AppointmentID, who identity.Invitation) (identity.Companion, string, authz.Actor) {
	t.Helper()
	in, err := c.svc.InviteCompanion(c.staff(c.Martin, care.Doctor), visit, who)
	if err != nil {
		t.Fatal(err)
	}
	link, err := c.svc.IssueCompanionLink(context.Background(), in.ID)
	if err != nil {
		t.Fatal(err)
	}
	session, a, err := c.svc.OpenLink(testkit.As(authz.Actor{}), link)
	if err != nil {
		t.Fatal(err)
	}
	return in, session, a
}

// B2, B13: a companion has a link of their own, bound to them and to one act.
func TestACompanionHasALinkOfTheirOwn(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		visit := c.book(c.Dominique)
		in, session, a := c.invite(t, visit, paul)
		if in.Name != "Paul d'Hérouville" || in.Phone != "+33639980071" || in.PatientID != c.Dominique {
			t.Errorf("%+v", in)
		}
		if a.Role != care.Companion || a.ID() != string(in.ID) || a.AppointmentID != visit || a.Level != authz.LevelLink {
			t.Errorf("%+v", a)
		}
		again, err := c.svc.Authenticate(context.Background(), session)
		if err != nil || again.Role != care.Companion || again.CompanionID != in.ID || again.PatientID != c.Dominique {
			t.Errorf("%+v %v", again, err)
		}
		for _, payload := range c.facts(t, events.CompanionInvited) {
			if strings.Contains(payload, "Paul") || strings.Contains(payload, "639980071") {
				t.Errorf("a fact tells who: %s", payload)
			}
		}
		var kept []string
		c.sql(t, "SELECT sealed FROM companions", &kept)
		if len(kept) != 1 || bytes.Contains([]byte(kept[0]), []byte("Paul")) || strings.Contains(kept[0], "639980071") {
			t.Errorf("kept in clear: %q", kept)
		}
		// The patient's own link is another, and stays theirs.
		if _, p := c.open(t, visit); p.Role != care.Patient || p.ID() != string(c.Dominique) {
			t.Errorf("%+v", p)
		}
	})
}

func TestACompanionSeesTheActAndNothingOfThePatient(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		web := c.web(t)
		visit := c.book(c.Dominique)
		c.agent.act = identity.Act{ID: "0199aaaa-0000-7000-8000-000000000041"}
		in, _, _ := c.invite(t, visit, paul)
		link, err := c.svc.IssueCompanionLink(context.Background(), in.ID)
		if err != nil {
			t.Fatal(err)
		}
		var who json.RawMessage
		web.Post("/api/links/open", map[string]string{"token": link}).Want(200).JSON(&who)
		if text := string(who); !strings.Contains(text, `"kind":"companion"`) || strings.Contains(text, "PAT-TROIS") || strings.Contains(text, "1979") {
			t.Errorf("%s", text)
		}
		var seen struct {
			DisplayName, PatientName, PractitionerName, EncounterID string
			Start                                                   time.Time
			Over                                                    bool
		}
		web.Get("/api/me/attendance").Want(200).JSON(&seen)
		if seen.DisplayName != "Paul d'Hérouville" || seen.PatientName != "Dominique PAT-TROIS" || seen.PractitionerName != "Dr Claire MARTIN" ||
			seen.EncounterID != string(c.agent.act.ID) || seen.Over || !seen.Start.Equal(c.agent.known[visit].Start.Truncate(time.Nanosecond)) {
			t.Errorf("%+v", seen)
		}
		web.Get("/api/patients/"+string(c.Dominique)).Problem(404, "not-found")
		web.Post("/api/me/code", map[string]string{"channel": "sms"}).Problem(404, "not-found")
		web.Get("/api/appointments/"+string(visit)+"/companions").Problem(404, "not-found")
		web.Post("/api/appointments/"+string(visit)+"/companions", map[string]string{"displayName": "Un autre", "phone": "0639980072"}).Problem(404, "not-found")
		web.Post("/api/companions/"+string(in.ID)+"/revoke", nil).Problem(404, "not-found")
		web.Post("/api/appointments/"+string(visit)+"/link/revoke", nil).Problem(404, "not-found")
	})
}

func TestThePatientInvitesAndTakesBack(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		web := c.web(t)
		visit := c.book(c.Dominique)
		mine, _ := c.svc.IssueLink(context.Background(), visit)
		web.Post("/api/links/open", map[string]string{"token": mine}).Want(200)
		path := "/api/appointments/" + string(visit) + "/companions"
		var one struct{ ID, DisplayName, AddressHint string }
		web.Post(path, map[string]string{"displayName": "Rose Attal", "email": "Rose@Exemple.test"}).Want(201).JSON(&one)
		if one.DisplayName != "Rose Attal" || one.AddressHint == "" || strings.Contains(strings.ToLower(one.AddressHint), "rose@") {
			t.Errorf("%+v", one)
		}
		var list struct{ Items []struct{ ID string } }
		web.Get(path).Want(200).JSON(&list)
		if len(list.Items) != 1 || list.Items[0].ID != one.ID {
			t.Errorf("%+v", list)
		}
		id := care.CompanionID(one.ID)
		link, err := c.svc.IssueCompanionLink(context.Background(), id)
		if err != nil {
			t.Fatal(err)
		}
		session, a, err := c.svc.OpenLink(testkit.As(authz.Actor{}), link)
		if err != nil {
			t.Fatal(err)
		}
		web.Post("/api/companions/"+one.ID+"/revoke", nil).Want(204)
		web.Post("/api/companions/"+one.ID+"/revoke", nil).Want(204)
		if now, err := c.svc.Authenticate(context.Background(), session); err != nil || now.Role != "" {
			t.Errorf("a session after the invitation was taken back: %+v %v", now, err)
		}
		if ended, err := c.svc.Ended(context.Background(), []care.SessionID{a.SessionID}); err != nil || len(ended) != 1 {
			t.Errorf("the socket stays: %v %v", ended, err)
		}
		_, _, err = c.svc.OpenLink(testkit.As(authz.Actor{}), link)
		is(t, err, fault.Gone, "link-revoked")
		_, err = c.svc.IssueCompanionLink(context.Background(), id)
		is(t, err, fault.Gone, "link-revoked")
		web.Get(path).Want(200).JSON(&list)
		if len(list.Items) != 0 {
			t.Errorf("%+v", list)
		}
		web.Get("/api/me").Want(200) // the patient's own session goes on
		var me struct{ Kind string }
		if web.Get("/api/me").Want(200).JSON(&me); me.Kind != "patient" {
			t.Errorf("%+v", me)
		}
	})
}

func TestWhoMayInvite(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		visit, other := c.book(c.Dominique), c.book(c.Fatou)
		_, stranger := c.open(t, other)
		_, _, companion := c.invite(t, visit, paul)
		for name, ctx := range map[string]context.Context{
			"another patient": testkit.As(stranger), "a companion": testkit.As(companion), "nobody": context.Background(),
			"another doctor": c.staff(c.Dupre, care.Doctor), "a nurse": c.staff(c.Benali, care.Nurse), "a pharmacist": c.staff(c.Nguyen, care.Pharmacist),
		} {
			if _, err := c.svc.InviteCompanion(ctx, visit, identity.Invitation{Name: "Eve", Email: "eve@exemple.test"}); err == nil {
				t.Errorf("%s invited somebody", name)
			}
			if _, err := c.svc.Companions(ctx, visit); err == nil {
				t.Errorf("%s read who was invited", name)
			}
			if err := c.svc.RevokeCompanion(ctx, companion.CompanionID); err == nil {
				t.Errorf("%s took an invitation back", name)
			}
		}
		if _, err := c.svc.InviteCompanion(c.staff(c.Leroy, care.Secretary), visit, identity.Invitation{Name: "Ève", Email: "eve@exemple.test"}); err != nil {
			t.Errorf("the secretary: %v", err)
		}
	})
}

func TestInvitationsAreFew(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		doctor := c.staff(c.Martin, care.Doctor)
		visit := c.book(c.Dominique)
		first, _, _ := c.invite(t, visit, paul)
		_, err := c.svc.InviteCompanion(doctor, visit, identity.Invitation{Name: "Le même", Phone: "+33 6 39 98 00 71"})
		is(t, err, fault.Conflict, "companion-invited") // the other name would be lost (issue 9, what bad input gets)
		same, err := c.svc.InviteCompanion(doctor, visit, identity.Invitation{Name: "PAUL d'Hérouville", Phone: "+33 6 39 98 00 71"})
		if err != nil || same.ID != first.ID || same.Name != first.Name || same.Sent || !same.At.Equal(c.Clock.Now()) || same.After != time.Minute {
			t.Errorf("invited twice at once: %+v %v", same, err)
		}
		if n := len(c.facts(t, events.CompanionInvited)); n != 1 {
			t.Errorf("%d messages asked for, want 1", n)
		}
		c.Clock.Advance(time.Minute)
		if same, err = c.svc.InviteCompanion(doctor, visit, paul); err != nil || !same.Sent {
			t.Errorf("a minute later: %+v %v", same, err)
		}
		if n := len(c.facts(t, events.CompanionInvited)); n != 2 {
			t.Errorf("%d messages asked for, want 2", n)
		}
		second, err := c.svc.InviteCompanion(doctor, visit, identity.Invitation{Name: "Rose", Email: "rose@exemple.test"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.svc.InviteCompanion(doctor, visit, identity.Invitation{Name: "Trois", Email: "trois@exemple.test"})
		is(t, err, fault.Conflict, "companions-full")
		if err := c.svc.RevokeCompanion(doctor, second.ID); err != nil {
			t.Fatal(err)
		}
		back, err := c.svc.InviteCompanion(doctor, visit, identity.Invitation{Name: "Rose", Email: "rose@exemple.test"})
		if err != nil || back.ID == second.ID {
			t.Errorf("who was taken back is another person: %+v %v", back, err)
		}
		if list, err := c.svc.Invited(context.Background(), visit); err != nil || len(list) != 2 || !slices.Contains(list, first.ID) || !slices.Contains(list, back.ID) {
			t.Errorf("%v are invited: %v", list, err)
		}
		c.Clock.Advance(time.Minute)
		if _, err = c.svc.InviteCompanion(doctor, visit, paul); err != nil {
			t.Errorf("a fifth message: %v", err)
		}
		c.Clock.Advance(time.Minute)
		_, err = c.svc.InviteCompanion(doctor, visit, paul)
		if f, ok := err.(*fault.Error); !ok || f.Kind != fault.Throttled {
			t.Errorf("a sixth message: %v", err)
		}
		over := c.book(c.Fatou)
		c.agent.act = identity.Act{ID: "0199aaaa-0000-7000-8000-000000000041", Over: true}
		_, err = c.svc.InviteCompanion(doctor, over, paul)
		is(t, err, fault.Gone, "companions-over")
	})
}

func TestACompanionLinkExpiresWithTheAct(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		visit := c.book(c.Dominique)
		in, _, _ := c.invite(t, visit, paul)
		link, _ := c.svc.IssueCompanionLink(context.Background(), in.ID)
		c.Clock.Set(c.agent.known[visit].End.Add(time.Hour + time.Second))
		_, _, err := c.svc.OpenLink(testkit.As(authz.Actor{}), link)
		is(t, err, fault.Gone, "link-expired")
	})
	clinics(t, func(t *testing.T, c *clinic) {
		visit := c.book(c.Dominique)
		in, session, _ := c.invite(t, visit, paul)
		if err := c.svc.RevokeLinks(c.staff(c.Martin, care.Doctor), visit); err != nil {
			t.Fatal(err)
		}
		if a, _ := c.svc.Authenticate(context.Background(), session); a.Role != "" {
			t.Errorf("every link of the act was revoked: %+v", a)
		}
		if now, err := c.svc.Companion(context.Background(), in.ID); err != nil || now.RevokedAt.IsZero() {
			t.Errorf("%+v %v", now, err)
		}
	})
}

func TestAnInvitationNeedsANameAndOneWayThere(t *testing.T) {
	c := newClinic(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	visit := c.book(c.Dominique)
	for _, x := range []struct {
		who  identity.Invitation
		want string
	}{
		{identity.Invitation{Phone: "0639980071"}, "displayName=required"},
		{identity.Invitation{Name: "<b>", Phone: "0639980071"}, "displayName=name-characters"},
		{identity.Invitation{Name: "Rose"}, "phone=phone-or-email-needed"},
		{identity.Invitation{Name: "Rose", Phone: "01 99 00 12 34"}, "phone=phone-not-mobile"},
		{identity.Invitation{Name: "Rose", Email: "rose"}, "email=email-at"},
	} {
		_, err := c.svc.InviteCompanion(c.staff(c.Martin, care.Doctor), visit, x.who)
		f, ok := err.(*fault.Error)
		if !ok || len(f.Fields) != 1 || fmt.Sprintf("%s=%s", f.Fields[0].Name, f.Fields[0].Code) != x.want {
			t.Errorf("%+v: %v, want %s", x.who, err, x.want)
		}
	}
}

func TestInvitationsAtTheSameMomentAreFewToo(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		doctor, visit := c.staff(c.Martin, care.Doctor), c.book(c.Dominique)
		var wait sync.WaitGroup
		for i := range 4 {
			wait.Go(func() {
				_, err := c.svc.InviteCompanion(doctor, visit, identity.Invitation{Name: "Rose", Email: fmt.Sprintf("rose%d@exemple.test", i)})
				if err != nil {
					is(t, err, fault.Conflict, "companions-full")
				}
			})
		}
		wait.Wait()
		list, err := c.svc.Companions(doctor, visit)
		if err != nil || len(list) != 2 {
			t.Errorf("%d are invited, want 2: %v", len(list), err)
		}
	})
}
