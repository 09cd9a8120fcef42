package identity_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"visavis/identity"
	"visavis/identity/prosante"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/store"
	"visavis/internal/testkit"
	"visavis/simulators/psc"
)

// Who signs in where: our table gives the role, Pro Santé Connect must declare
// a profession that may hold it, at this organisation, today.
func TestTheSituationOfExerciseDecides(t *testing.T) {
	there := psc.Activity{Sector: "SA07", FINESS: lilasFINESS}
	shop := psc.Activity{Sector: "SA33", StructureID: "1" + pharmacyFINESS}
	elsewhere := psc.Activity{Sector: "SA01", FINESS: "750100042"}
	one := func(profession, category string, at ...psc.Activity) []psc.Exercice {
		return []psc.Exercice{{Profession: profession, Category: category, Activities: at}}
	}
	cases := map[string]struct {
		role      care.Role
		exercices []psc.Exercice
		in        bool
	}{
		"doctor here":                      {care.Doctor, one("10", "C", there), true},
		"military doctor here":             {care.Doctor, one("10", "M", there), true},
		"midwife here":                     {care.Doctor, one("50", "C", there), true},
		"doctor here and elsewhere":        {care.Doctor, one("10", "C", elsewhere, there), true},
		"doctor whose second exercice is":  {care.Doctor, append(one("60", "C", elsewhere), one("10", "C", there)...), true},
		"doctor elsewhere only":            {care.Doctor, one("10", "C", elsewhere), false},
		"doctor nowhere":                   {care.Doctor, one("10", "C"), false},
		"nobody any more":                  {care.Doctor, nil, false},
		"medical student":                  {care.Doctor, one("10", "E", there), false},
		"nurse entered as a doctor":        {care.Doctor, one("60", "C", there), false},
		"doctor entered as a nurse":        {care.Nurse, one("10", "C", there), false},
		"nurse here":                       {care.Nurse, one("60", "C", there), true},
		"pharmacist named by structure id": {care.Pharmacist, one("21", "C", shop), true},
		"pharmacist at the wrong place":    {care.Pharmacist, one("21", "C", there), false},
		"doctor who administers":           {care.Admin, one("10", "C", there), true},
	}
	var people []psc.Account
	ids := map[string]string{}
	for name, x := range cases {
		ids[name] = "8" + rpps(200000+len(ids))
		people = append(people, psc.Account{IdNat: ids[name], GivenName: "Anne", FamilyName: "LAURENT", Exercices: x.exercices})
	}
	c := newClinic(t, testkit.NewHouse(t, testkit.OpenSQLite(t)), people...)
	web := c.web(t)
	for name, x := range cases {
		p := identity.Staff{Role: x.role, IdNat: prosante.IdNat(ids[name]), GivenName: "Anne", FamilyName: "LAURENT",
			Profession: map[care.Role]string{care.Doctor: "10", care.Nurse: "60", care.Pharmacist: "21"}[x.role]}
		p.Organization.ID = c.Lilas
		if x.role == care.Pharmacist {
			p.Organization.ID = c.Pharmacy
		}
		if _, err := c.svc.PutStaff(context.Background(), p); err != nil {
			t.Fatal(err)
		}
		b := newBrowser(t, web.Fresh())
		landed := b.land(b.choose(b.toPSC("/pro"), ids[name]))
		if want := map[bool]string{true: "/pro", false: "/pro?error=psc-unknown"}[x.in]; landed != want {
			t.Errorf("%s: lands on %s, want %s", name, landed, want)
		}
	}
}

// rpps makes a number with a valid key.
func rpps(n int) string {
	for key := range 10 {
		if s := fmt.Sprintf("10%08d%d", n, key); prosante.CheckRPPS(s) == nil {
			return s
		}
	}
	return ""
}

// Somebody who works at two of our organisations signs in at the one Pro Santé
// Connect declares.
func TestOneOfTwoOrganisationsIsTheDeclaredOne(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		p, err := c.svc.Staff(context.Background(), c.Nguyen)
		if err != nil {
			t.Fatal(err)
		}
		p.Organization.ID = c.Lilas
		if _, err := c.svc.PutStaff(context.Background(), p); err != nil {
			t.Fatal(err)
		}
		b := newBrowser(t, c.web(t))
		b.land(b.choose(b.toPSC("/pro"), string(p.IdNat)))
		var who me
		b.web.Get("/api/me").Want(200).JSON(&who)
		if who.Staff == nil || who.Staff.ID != string(c.Nguyen) || who.Staff.OrganizationName != "Pharmacie du Marché" {
			t.Errorf("%+v", who.Staff)
		}
	})
}

// S1 for this module: every route, every role, every relation.
func TestEveryRouteForEveryRole(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		visit := c.book(c.Fatou)
		c.agent.team[string(c.Martin)+string(c.Fatou)], c.agent.team[string(c.Benali)+string(c.Fatou)] = true, true
		staff := func(r care.Role, id care.StaffID, o care.OrganizationID) authz.Actor {
			return authz.Actor{Role: r, StaffID: id, OrganizationID: o, Level: authz.LevelPSC, SessionID: care.SessionID("s-" + string(r) + string(id))}
		}
		patient := func(p care.PatientID, a care.AppointmentID, l authz.Level) authz.Actor {
			return authz.Actor{Role: care.Patient, PatientID: p, AppointmentID: a, Level: l, SessionID: care.SessionID("p-" + string(p) + l.String())}
		}
		actors := testkit.Actors{
			"doctor-own": staff(care.Doctor, c.Martin, c.Lilas), "doctor-org": staff(care.Doctor, c.Dupre, c.Lilas), "doctor-other": staff(care.Doctor, "z1", c.Pharmacy),
			"nurse-team": staff(care.Nurse, c.Benali, c.Lilas), "nurse-org": staff(care.Nurse, "z2", c.Lilas), "pharmacist": staff(care.Pharmacist, c.Nguyen, c.Pharmacy),
			"secretary": staff(care.Secretary, c.Leroy, c.Lilas), "secretary-other": staff(care.Secretary, "z3", c.Pharmacy), "admin": staff(care.Admin, "z4", c.Lilas),
			"own-link": patient(c.Fatou, visit, authz.LevelLink), "own-code": patient(c.Fatou, visit, authz.LevelCode), "other-patient": patient(c.Zoe, "v2", authz.LevelCode),
		}
		texts, err := identity.Texts()
		if err != nil {
			t.Fatal(err)
		}
		server := c.Server(t, actors, texts)
		if err := identity.Routes(server, c.svc); err != nil {
			t.Fatal(err)
		}
		web := testkit.HTTP(t, server.Handler()).Held(server)
		document := map[string]string{"status": "VALI", "document": "passport"}
		columns := strings.Fields("anonymous own-link own-code other-patient doctor-own doctor-org doctor-other nurse-team nurse-org pharmacist secretary secretary-other admin")
		for _, x := range []struct {
			method, path string
			body         any
			want         string
		}{
			{"GET", "/api/patients?q=zzzz", nil, "401 404 404 404 200 200 200 404 404 404 200 200 404"},
			{"GET", "/api/patients/" + string(c.Fatou), nil, "401 403 200 404 200 404 404 200 404 404 200 404 404"},
			{"POST", "/api/patients/" + string(c.Fatou) + "/identity", document, "401 404 404 404 200 404 404 404 404 404 200 404 404"},
			{"GET", "/api/staff", nil, "401 404 404 404 200 200 200 200 200 404 200 200 200"},
			{"POST", "/api/appointments/" + string(visit) + "/link", nil, "401 404 404 404 202 202 404 404 404 404 202 404 404"},
			{"POST", "/api/me/code", map[string]string{"channel": "email"}, "401 202 202 202 404 404 404 404 404 404 404 404 404"},
			{"POST", "/api/me/code/verify", map[string]string{"code": "x"}, "401 422 422 422 404 404 404 404 404 404 404 404 404"},
			{"POST", "/api/links/open", map[string]string{"token": "x"}, "404 404 404 404 404 404 404 404 404 404 404 404 404"},
			{"POST", "/api/links/recover", map[string]string{"email": "nobody@patients.example"}, "202 202 202 202 202 202 202 202 202 202 202 202 202"},
			{"POST", "/api/appointments/" + string(visit) + "/link/revoke", nil, "401 204 204 404 204 204 404 404 404 404 204 404 404"},
		} {
			got := make([]string, 0, len(columns))
			for _, actor := range columns {
				as := web.Fresh()
				if actor != "anonymous" {
					as = web.With(actor)
				}
				got = append(got, http.StatusText(as.Do(x.method, x.path, x.body).Status))
			}
			for i, w := range strings.Fields(x.want) {
				if got[i] != statusText(w) {
					t.Errorf("%s %s as %s: %s, want %s", x.method, strings.ReplaceAll(x.path, string(c.Fatou), "{fatou}"), columns[i], got[i], statusText(w))
				}
			}
		}
	})
}

func statusText(code string) string {
	n := 0
	for _, d := range code {
		n = n*10 + int(d-'0')
	}
	return http.StatusText(n)
}

// S17: a sealed file moved to another patient does not open, and a destroyed
// one is gone without breaking the searches of the others.
func TestSealedFilesCannotBeSwappedAndCanBeDestroyed(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		pool, err := c.DB.SQL()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pool.Exec("UPDATE patients SET record = (SELECT p.record FROM patients p WHERE p.id = '" + string(c.Zoe) + "') WHERE id = '" + string(c.Fatou) + "'"); err != nil {
			t.Fatal(err)
		}
		testkit.SignRows(t, c.DB, "patients") // as somebody with that key alone could
		if p, err := c.svc.Patient(context.Background(), c.Fatou); err == nil || p.Traits.BirthFamilyName != "" {
			t.Errorf("the file of another patient opened as %q", p.Traits.BirthFamilyName)
		}
		err = c.DB.Tx(context.Background(), func(ctx context.Context, tx *store.Tx) error { return c.Keeper.Shred(ctx, tx, c.Fatou) })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.svc.Patient(context.Background(), c.Fatou); fault.KindOf(err) != fault.Gone {
			t.Errorf("a destroyed file: %v", err)
		}
		secretary := c.staff(c.Leroy, care.Secretary)
		for _, q := range []string{"diallo", "pat"} {
			found, err := c.svc.SearchPatients(secretary, q)
			if err != nil || len(found) != map[string]int{"diallo": 0, "pat": 1}[q] {
				t.Errorf("%q: %d found, %v", q, len(found), err)
			}
		}
		names, err := c.svc.PatientNames(context.Background(), []care.PatientID{c.Fatou, c.Lea})
		if err != nil || len(names) != 1 {
			t.Errorf("%v %v", names, err)
		}
	})
}
