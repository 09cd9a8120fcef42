package identity_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"visavis/identity"
	"visavis/identity/prosante"
	"visavis/internal/care"
	"visavis/internal/testkit"
	"visavis/simulators/psc"
)

type places struct {
	DisplayName string
	Items       []struct{ ID, OrganizationName, City, RoleLabel string }
}

// nomad is the clinic with somebody who works at two places.
func nomad(t *testing.T, h *testkit.House) (c *clinic, here, there care.StaffID) {
	t.Helper()
	id := "8" + rpps(7)
	c = newClinic(t, h, psc.Account{IdNat: id, GivenName: "Nadia", FamilyName: "ROUSSEL", Exercices: []psc.Exercice{
		{Profession: "10", Category: "E", Activities: []psc.Activity{{FINESS: pharmacyFINESS}}},
		{Profession: "60", Category: "C", Activities: []psc.Activity{{FINESS: lilasFINESS}, {FINESS: "750100042"}, {StructureID: "1" + pharmacyFINESS}}}}})
	for organization, staff := range map[care.OrganizationID]*care.StaffID{c.Lilas: &here, c.Pharmacy: &there} {
		p := identity.Staff{Role: care.Nurse, IdNat: prosante.IdNat(id), GivenName: "Nadia", FamilyName: "ROUSSEL", Profession: "60"}
		p.Organization.ID = organization
		var err error
		if *staff, err = c.svc.PutStaff(context.Background(), p); err != nil {
			t.Fatal(err)
		}
	}
	return c, here, there
}

// arrive signs her in until the choice, and gives the cookie that makes it hers.
func (c *clinic) arrive(t *testing.T, b *browser) testkit.Option {
	t.Helper()
	back := b.choose(b.toPSC("/pro/agenda"), "8"+rpps(7))
	answer := b.web.Get(back, testkit.Header("Cookie", "__Host-visavis-psc="+b.bind)).Want(302)
	if to := answer.Header.Get("Location"); to != "/pro/situation" || b.web.Session() != "" {
		t.Fatalf("lands on %s with the session %q", to, b.web.Session())
	}
	for _, k := range (&http.Response{Header: answer.Header}).Cookies() {
		if k.Name == "__Host-visavis-psc" && k.HttpOnly && k.Secure && k.Value != b.bind {
			return testkit.Header("Cookie", k.Name+"="+k.Value)
		}
	}
	t.Fatal("no cookie for the choice")
	return nil
}

// TestAProfessionalOfTwoPlacesSaysWhich: nothing opens before, one place after,
// once (interop §2.4).
func TestAProfessionalOfTwoPlacesSaysWhich(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		c, here, there := nomad(t, h)
		web := c.web(t)
		b := newBrowser(t, web.Fresh())
		mine := c.arrive(t, b)
		var who me
		b.web.Get("/api/me", mine).Want(200).JSON(&who)
		if who.Kind != "anonymous" {
			t.Errorf("signed in before the choice: %+v", who)
		}
		var list places
		b.web.Get("/api/auth/psc/situations", mine).Want(200).JSON(&list)
		ids := []string{list.Items[0].ID, list.Items[1].ID}
		if len(list.Items) != 2 || !slices.Contains(ids, string(here)) || !slices.Contains(ids, string(there)) || list.DisplayName != "Nadia ROUSSEL" ||
			list.Items[0].OrganizationName == list.Items[1].OrganizationName || list.Items[0].RoleLabel == "" {
			t.Errorf("%+v", list)
		}
		for _, stranger := range []testkit.Option{testkit.Header("Cookie", "__Host-visavis-psc=x"), testkit.Header("X-Nothing", "x")} {
			web.Fresh().Get("/api/auth/psc/situations", stranger).Problem(410, "psc-expired")
			web.Fresh().Post("/api/auth/psc/situation", map[string]string{"id": string(here)}, stranger).Problem(410, "psc-expired")
		}
		b.web.Post("/api/auth/psc/situation", map[string]string{"id": string(c.Martin)}, mine).Want(422)
		var done struct{ To string }
		b.web.Post("/api/auth/psc/situation", map[string]string{"id": string(there)}, mine).Want(200).JSON(&done)
		b.web.Get("/api/me").Want(200).JSON(&who)
		if done.To != "/pro/agenda" || who.Staff == nil || who.Staff.ID != string(there) || who.Level != "psc" {
			t.Errorf("%+v %+v %+v", done, who, who.Staff)
		}
		web.Fresh().Post("/api/auth/psc/situation", map[string]string{"id": string(here)}, mine).Problem(410, "psc-expired")

		b = newBrowser(t, web.Fresh())
		mine = c.arrive(t, b)
		c.Clock.Advance(10 * time.Minute)
		b.web.Post("/api/auth/psc/situation", map[string]string{"id": string(here)}, mine).Problem(410, "psc-expired")
	})
}

// TestAPlaceLeftMeanwhileIsNoChoice: who was dismissed cannot pick it.
func TestAPlaceLeftMeanwhileIsNoChoice(t *testing.T) {
	c, here, there := nomad(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	web := c.web(t)
	b := newBrowser(t, web)
	mine := c.arrive(t, b)
	if err := c.svc.Dismiss(context.Background(), here); err != nil {
		t.Fatal(err)
	}
	b.web.Post("/api/auth/psc/situation", map[string]string{"id": string(here)}, mine).Want(422)
	b.web.Post("/api/auth/psc/situation", map[string]string{"id": string(there)}, mine).Want(200)

	b = newBrowser(t, web.Fresh()) // one place is left: nothing to choose
	if to := b.land(b.choose(b.toPSC("/pro"), "8"+rpps(7))); to != "/pro" {
		t.Errorf("lands on %s", to)
	}
}

// TestSigningOutEndsTheSessionAtProSanteConnect: the answer names where, the
// hint was sealed meanwhile, and with Pro Santé Connect away ours ends all the same.
func TestSigningOutEndsTheSessionAtProSanteConnect(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		c, here, _ := nomad(t, h)
		web := c.web(t)
		leave := func(b *browser) (next string) {
			t.Helper()
			var out struct{ Next string }
			answer := b.web.Post("/api/me/sign-out", nil).Want(200).JSON(&out)
			if answer.Header.Get("Clear-Site-Data") == "" || b.web.Session() != "" {
				t.Errorf("%v", answer.Header)
			}
			return out.Next
		}
		ends := func(next, account string) {
			t.Helper()
			to, err := url.Parse(next)
			if err != nil || to.Query().Get("post_logout_redirect_uri") != logout {
				t.Fatalf("%s %v", next, err)
			}
			res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Get(next)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if over := c.psc.SignedOut(); res.StatusCode != 302 || res.Header.Get("Location") != logout || len(over) == 0 || over[len(over)-1] != account {
				t.Errorf("%d to %q, signed out there: %v", res.StatusCode, res.Header.Get("Location"), over)
			}
		}
		b := newBrowser(t, web.Fresh())
		b.land(b.choose(b.toPSC("/pro"), "810100000016"))
		var kept []string
		c.sql(t, "SELECT id_token FROM sessions WHERE length(id_token) > 0", &kept)
		if len(kept) != 1 || strings.Contains(kept[0], "eyJ") {
			t.Errorf("%d tokens kept, or in clear", len(kept))
		}
		ends(leave(b), "810100000016")
		kept = nil
		c.sql(t, "SELECT id_token FROM sessions WHERE length(id_token) > 0", &kept)
		if len(kept) != 0 {
			t.Error("the token outlives the session")
		}

		b = newBrowser(t, web.Fresh()) // through the choice
		mine := c.arrive(t, b)
		b.web.Post("/api/auth/psc/situation", map[string]string{"id": string(here)}, mine).Want(200)
		ends(leave(b), "8"+rpps(7))

		b = newBrowser(t, web.Fresh())
		b.land(b.choose(b.toPSC("/pro"), "810100000016"))
		if err := c.psc.SetFault(psc.Down); err != nil {
			t.Fatal(err)
		}
		leave(b)
		var who me
		b.web.Get("/api/me").Want(200).JSON(&who)
		if who.Kind != "anonymous" {
			t.Errorf("%+v", who)
		}
		if err := c.psc.SetFault(psc.NoFault); err != nil {
			t.Fatal(err)
		}
		patient := web.Fresh()
		link, _ := c.svc.IssueLink(context.Background(), c.book(c.Lea))
		patient.Post("/api/links/open", map[string]string{"token": link}).Want(200)
		if next := leave(newBrowser(t, patient)); next != "" {
			t.Errorf("a patient is sent to %s", next)
		}
	})
}
