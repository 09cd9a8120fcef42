package identity_test

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"visavis/identity"
	"visavis/identity/contacts"
	"visavis/internal/care"
	"visavis/internal/testkit"
	"visavis/simulators/psc"
)

// web serves the clinic's routes, signing in by identity itself.
func (c *clinic) web(t *testing.T) *testkit.Client {
	t.Helper()
	texts, err := identity.Texts()
	if err != nil {
		t.Fatal(err)
	}
	s := c.Server(t, c.svc, texts)
	if err := identity.Routes(s, c.svc); err != nil {
		t.Fatal(err)
	}
	return testkit.HTTP(t, s.Handler()).Held(s)
}

type me struct {
	Kind, Level, Locale, AppointmentID string
	Patient                            *struct {
		ID, DisplayName, BirthDate, IdentityStatus string
		Minor                                      bool
	}
	Staff *struct{ ID, DisplayName, Role, RoleLabel, Title, SpecialtyLabel, OrganizationName string }
}

func TestAPatientComesInThroughHTTP(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		web := c.web(t)
		var who me
		web.Get("/api/me").Want(200).JSON(&who)
		if who.Kind != "anonymous" || who.Level != "none" || who.Patient != nil {
			t.Errorf("%+v", who)
		}
		visit := c.book(c.Lea)
		link, _ := c.svc.IssueLink(context.Background(), visit)
		answer := web.Post("/api/links/open", map[string]string{"token": link}).Want(200).JSON(&who)
		cookie := answer.Header.Get("Set-Cookie")
		for _, want := range []string{"__Host-visavis=", "Path=/", "HttpOnly", "Secure", "SameSite=Lax"} {
			if !strings.Contains(cookie, want) {
				t.Errorf("cookie %q has no %s", cookie, want)
			}
		}
		if strings.Contains(cookie, "Domain") || strings.Contains(cookie, link) {
			t.Errorf("cookie %q", cookie)
		}
		if who.Kind != "patient" || who.Level != "link" || who.Patient.DisplayName != "Léa MOREAU--GARCIA" || !who.Patient.Minor ||
			who.Patient.IdentityStatus != "QUAL" || who.AppointmentID != string(visit) {
			t.Errorf("%+v %+v", who, who.Patient)
		}
		former := web.Session()
		var sent struct{ Channel, Hint, ExpiresAt string }
		web.Post("/api/me/code", map[string]string{"channel": "email"}).Want(202).JSON(&sent)
		if sent.Hint != "f•••@patients.example" || sent.Channel != "email" {
			t.Errorf("%+v", sent)
		}
		web.Post("/api/me/code/verify", map[string]string{"code": "12"}).Problem(422, "code-wrong")
		code := c.lastCode(t)
		web.Post("/api/me/code/verify", map[string]string{"code": code[:3] + " " + code[3:]}).Want(200).JSON(&who)
		if who.Level != "code" || web.Session() == former {
			t.Errorf("%+v", who)
		}
		web.With(former).Get("/api/me").Want(200).JSON(&who)
		if who.Kind != "anonymous" {
			t.Errorf("the former cookie is %s", who.Kind)
		}
		var mine struct{ INS, Phone string }
		web.Get("/api/patients/" + string(c.Lea)).Want(200).JSON(&mine)
		if mine.INS != "215029300803302" {
			t.Errorf("%+v", mine)
		}
		out := web.Post("/api/me/sign-out", nil).Want(200)
		if out.Header.Get("Clear-Site-Data") == "" || web.Session() != "" {
			t.Errorf("signing out: %v", out.Header)
		}
	})
}

// What may not be seen answers byte for byte like what is not there (S1).
func TestForeignRecordsLookAbsent(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		web := c.web(t)
		link, _ := c.svc.IssueLink(context.Background(), c.book(c.Lea))
		web.Post("/api/links/open", map[string]string{"token": link}).Want(200)
		web.Post("/api/me/code", map[string]string{"channel": "sms"}).Want(202)
		web.Post("/api/me/code/verify", map[string]string{"code": c.lastCode(t)}).Want(200)
		absent := web.Get("/api/patients/" + care.NewID(time.Now())).Want(404)
		for _, id := range []string{string(c.Fatou), string(c.Zoe), "x", strings.Repeat("a", 36)} {
			if a := web.Get("/api/patients/" + id).Want(404); string(a.Body) != string(absent.Body) {
				t.Errorf("%s answers %s", id, a.Body)
			}
		}
		other := c.book(c.Fatou)
		unknown := web.Post("/api/appointments/"+care.NewID(time.Now())+"/link/revoke", nil).Want(404)
		if a := web.Post("/api/appointments/"+string(other)+"/link/revoke", nil).Want(404); string(a.Body) != string(unknown.Body) {
			t.Errorf("%s", a.Body)
		}
		for _, path := range []string{"/api/patients?q=diallo", "/api/staff"} {
			web.Get(path).Problem(404, "not-found")
			web.Fresh().Get(path).Problem(401, "sign-in")
		}
	})
}

func TestLinksAnswerExactly(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		web := c.web(t)
		visit := c.book(c.Fatou)
		link, _ := c.svc.IssueLink(context.Background(), visit)
		web.Post("/api/links/open", map[string]string{"token": link}).Want(200)
		web.Fresh().Post("/api/links/open", map[string]string{"token": link}).Want(200) // a second device
		web.Post("/api/links/open", map[string]string{"token": "inconnu"}).Problem(404, "link-unknown")
		web.Post("/api/links/open", map[string]string{"jeton": link}).Problem(400, "fields")
		web.Post("/api/links/open", map[string]string{"token": link}, testkit.Header("Sec-Fetch-Site", "cross-site")).Problem(403, "cross-origin")
		web.Get("/api/links/open").Want(404)
		about := c.agent.known[visit]
		about.Start, about.End = about.Start.Add(30*24*time.Hour), about.End.Add(30*24*time.Hour)
		c.agent.known[visit] = about
		p := web.Fresh().Post("/api/links/open", map[string]string{"token": link}).Problem(410, "link-not-yet")
		if strings.Contains(p.Detail, "T") && strings.Contains(p.Detail, "Z") || !strings.Contains(p.Detail, "20") {
			t.Errorf("the date is not said to people: %q", p.Detail)
		}
		c.Clock.Set(about.End.Add(2 * time.Hour))
		web.Fresh().Post("/api/links/open", map[string]string{"token": link}).Problem(410, "link-expired")
		late, _ := c.svc.IssueLink(context.Background(), visit)
		web.Post("/api/links/recover", map[string]string{"phone": "0639980003"}).Want(202)
		unknown := web.Post("/api/links/recover", map[string]string{"phone": "0639980033"}).Want(202)
		if known := web.Post("/api/links/recover", map[string]string{"email": "zoe@patients.example"}).Want(202); string(known.Body) != string(unknown.Body) {
			t.Errorf("%s and %s differ", known.Body, unknown.Body)
		}
		web.Post("/api/links/recover", map[string]string{"phone": "3624"}).Fields("phone phone-special")
		if err := c.svc.RevokeLinks(c.staff(c.Martin, care.Doctor), visit); err != nil {
			t.Fatal(err)
		}
		web.Fresh().Post("/api/links/open", map[string]string{"token": late}).Problem(410, "link-revoked")
	})
}

// browser follows the redirects between visavis and the simulator as a real
// one, keeping the __Host- cookies that plain HTTP on the loopback may hold.
type browser struct {
	t    *testing.T
	web  *testkit.Client
	http *http.Client
	bind string
	// before is the cookie as the last landing sent it: a browser that was copied.
	before string
}

func newBrowser(t *testing.T, web *testkit.Client) *browser {
	jar, _ := cookiejar.New(nil)
	return &browser{t: t, web: web, http: &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), redirect) {
			return http.ErrUseLastResponse
		}
		return nil
	}}}
}

// toPSC begins a sign-in and stops on the provider's page.
func (b *browser) toPSC(back string) *http.Response {
	b.t.Helper()
	return b.toPSCBy("/api/auth/psc/start?return=" + url.QueryEscape(back))
}

func (b *browser) toPSCBy(start string) *http.Response {
	b.t.Helper()
	answer := b.web.Get(start).Want(302)
	for _, c := range (&http.Response{Header: answer.Header}).Cookies() {
		if c.Name == "__Host-visavis-psc" {
			b.bind = c.Value
			if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode {
				b.t.Errorf("cookie %v", c)
			}
		}
	}
	page, err := b.http.Get(answer.Header.Get("Location"))
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { page.Body.Close() })
	return page
}

// choose presses an account's button and gives the address it returns to.
func (b *browser) choose(page *http.Response, account string) string {
	b.t.Helper()
	text, _ := io.ReadAll(page.Body)
	if page.StatusCode != 200 || !strings.Contains(string(text), account) {
		b.t.Fatalf("page of the provider: %d", page.StatusCode)
	}
	res, err := b.http.PostForm(page.Request.URL.Scheme+"://"+page.Request.URL.Host+page.Request.URL.Path,
		url.Values{"id": {page.Request.URL.Query().Get("id")}, "account": {account}})
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	to, err := res.Location()
	if err != nil {
		b.t.Fatalf("%d %v", res.StatusCode, err)
	}
	return to.Path + "?" + to.RawQuery
}

// land calls our callback with the browser's cookie and gives where it leads.
func (b *browser) land(path string) string {
	b.t.Helper()
	b.before = b.bind
	return b.web.Get(path, testkit.Header("Cookie", "__Host-visavis-psc="+b.bind)).Want(302).Header.Get("Location")
}

func TestStaffSignInByProSanteConnect(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		web := c.web(t)
		for account, want := range map[string]struct{ role, name, title, specialty string }{
			"810100000016":    {"doctor", "Claire MARTIN", "Dr", "Médecine générale"},
			"810100000032":    {"nurse", "Inès BENALI", "", ""},
			"3930812342/SL01": {"secretary", "Sophie LEROY", "", ""},
			"810100000040":    {"pharmacist", "Paul NGUYEN", "", ""},
		} {
			b := newBrowser(t, web.Fresh())
			if to := b.land(b.choose(b.toPSC("/pro/agenda"), account)); to != "/pro/agenda" {
				t.Fatalf("%s lands on %s", account, to)
			}
			var who me
			b.web.Get("/api/me").Want(200).JSON(&who)
			if who.Kind != "staff" || who.Level != "psc" || who.Staff.Role != want.role || who.Staff.DisplayName != want.name ||
				who.Staff.Title != want.title || who.Staff.SpecialtyLabel != want.specialty {
				t.Errorf("%s: %+v %+v", account, who, who.Staff)
			}
		}
		if n := c.audited(t, "signin.start", "done"); n != 4 {
			t.Errorf("%d sign-ins audited", n)
		}
		var proofs []string
		c.sql(t, "SELECT proof FROM sessions", &proofs)
		if len(proofs) != 4 || !strings.Contains(proofs[0], "acr=eidas1") || !strings.HasPrefix(proofs[0], "psc iss=http") {
			t.Errorf("%q", proofs)
		}
	})
}

// S14: whatever is wrong on the way back, nobody is signed in, and it is audited.
func TestBadReturnsSignNobodyIn(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		web := c.web(t)
		refused := 0
		expect := func(name string, b *browser, path, code string) {
			t.Helper()
			refused++
			if to := b.land(path); to != "/pro?error="+code {
				t.Errorf("%s lands on %s", name, to)
			}
			var who me
			if b.web.Get("/api/me").Want(200).JSON(&who); who.Kind != "anonymous" {
				t.Errorf("%s signed %s in", name, who.Kind)
			}
		}
		b := newBrowser(t, web.Fresh())
		good := b.choose(b.toPSC("/pro"), "810100000016")
		victim := newBrowser(t, web.Fresh())
		victim.toPSC("/pro")
		expect("another browser", victim, good, "psc-expired")
		if to := b.land(good); to != "/pro" { // nobody else burns it
			t.Errorf("after another browser brought it, it lands on %s", to)
		}
		b.bind, b.web = b.before, b.web.Fresh()
		expect("a state used", b, good, "psc-expired")

		b = newBrowser(t, web.Fresh())
		path := b.choose(b.toPSC("/pro"), "810100000016")
		b.bind = ""
		expect("no cookie", b, path, "psc-expired")

		b = newBrowser(t, web.Fresh())
		path = b.choose(b.toPSC("/pro"), "810100000016")
		c.Clock.Advance(10 * time.Minute)
		expect("ten minutes", b, path, "psc-expired")
		c.Clock.Set(time.Now())

		b = newBrowser(t, web.Fresh())
		expect("a made-up state", b, "/api/auth/psc/callback?state=x&code=y", "psc-expired")
		expect("nothing", b, "/api/auth/psc/callback", "psc-expired")

		b = newBrowser(t, web.Fresh())
		expect("somebody unknown", b, b.choose(b.toPSC("/pro"), "810100000057"), "psc-unknown")

		for _, f := range psc.Faults()[1:] {
			if f == psc.Slow || f == psc.Down {
				continue
			}
			b := newBrowser(t, web.Fresh())
			page := b.toPSC("/pro")
			c.psc.SetFault(f)
			path := b.choose(page, "810100000016")
			code := map[psc.Fault]string{psc.Denied: "psc-cancelled", psc.WrongState: "psc-expired"}[f]
			if code == "" {
				code = "psc-refused"
			}
			expect(string(f), b, path, code)
			c.psc.SetFault(psc.NoFault)
		}
		b = newBrowser(t, web.Fresh())
		path = b.choose(b.toPSC("/pro"), "810100000016")
		c.psc.SetFault(psc.Down)
		expect("a provider that is down", b, path, "psc-unavailable")
		if n := c.audited(t, "signin.start", "refused"); n != refused {
			t.Errorf("%d refusals audited, want %d", n, refused)
		}
		if strings.Contains(c.Logged.String(), "code=") || strings.Contains(c.Logged.String(), "eyJ") {
			t.Error("the log holds a code or a token")
		}
	})
}

func TestReturnAddressesStayHere(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		web := c.web(t)
		for _, to := range []string{"https://ailleurs.example/", "//ailleurs.example", "/\\ailleurs.example", "javascript:alert(1)", "/api/me/sign-out", "", "/a\r\nSet-Cookie: x=y", "\\\\x"} {
			b := newBrowser(t, web.Fresh())
			if landed := b.land(b.choose(b.toPSC(to), "810100000032")); landed != "/pro" {
				t.Errorf("%q lands on %q", to, landed)
			}
		}
	})
}

func TestStaffWhoLeaveAreOutAtOnce(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		b := newBrowser(t, c.web(t))
		b.land(b.choose(b.toPSC("/pro"), "810100000032"))
		var who me
		if b.web.Get("/api/me").JSON(&who); who.Kind != "staff" {
			t.Fatalf("%+v", who)
		}
		if err := c.svc.Dismiss(context.Background(), c.Benali); err != nil {
			t.Fatal(err)
		}
		if b.web.Get("/api/me").JSON(&who); who.Kind != "anonymous" {
			t.Errorf("%+v", who)
		}
		again := newBrowser(t, b.web.Fresh())
		if to := again.land(again.choose(again.toPSC("/pro"), "810100000032")); to != "/pro?error=psc-unknown" {
			t.Errorf("lands on %s", to)
		}
	})
}

// 8.3.2: a changed role is the role of the next request; so is having left,
// even where the sessions were not ended.
func TestRolesAreReadAtEachRequest(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		b := newBrowser(t, c.web(t))
		b.land(b.choose(b.toPSC("/pro"), "810100000016"))
		change := func(set string) (who me) {
			pool, err := c.DB.SQL()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := pool.Exec("UPDATE staff SET " + set + " WHERE id = '" + string(c.Martin) + "'"); err != nil {
				t.Fatal(err)
			}
			testkit.SignRows(t, c.DB, "staff")
			b.web.Get("/api/me").Want(200).JSON(&who)
			return who
		}
		if who := change("role = 'admin'"); who.Staff == nil || who.Staff.Role != "admin" {
			t.Errorf("%+v", who)
		}
		b.web.Get("/api/patients?q=diallo").Problem(404, "not-found")
		if who := change("active = 0"); who.Kind != "anonymous" {
			t.Errorf("%+v", who)
		}
	})
}

func TestSecretaryWorksThroughHTTP(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		b := newBrowser(t, c.web(t))
		b.land(b.choose(b.toPSC("/pro"), "3930812342/SL01"))
		var found struct {
			Items []struct{ ID, DisplayName, FamilyName, BirthDate, Sex, IdentityStatus, PhoneHint, EmailHint string }
		}
		b.web.Get("/api/patients?q=o%27brien").Want(200).JSON(&found)
		if len(found.Items) != 1 || found.Items[0].PhoneHint != "•• •• •• •• 05" || found.Items[0].EmailHint != "" || found.Items[0].ID != string(c.Marcel) {
			t.Errorf("%+v", found)
		}
		b.web.Get("/api/patients?q=o").Fields("q too-short")
		var staff struct {
			Items []struct{ ID, DisplayName, Role, RoleLabel string }
		}
		b.web.Get("/api/staff?role=nurse").Want(200).JSON(&staff)
		if len(staff.Items) != 1 || staff.Items[0].DisplayName != "Inès BENALI" || staff.Items[0].RoleLabel == "" {
			t.Errorf("%+v", staff)
		}
		b.web.Get("/api/staff", testkit.English()).Want(200).JSON(&staff)
		if len(staff.Items) != 4 {
			t.Errorf("%+v", staff)
		}
		b.web.Get("/api/staff?role=wizard").Want(422)
		var p struct {
			IdentityStatus        string
			ReferringPractitioner *struct{ DisplayName string }
			Representatives       []struct{ DisplayName, Relation string }
		}
		b.web.Get("/api/patients/" + string(c.Lea)).Want(200).JSON(&p)
		if len(p.Representatives) != 2 {
			t.Errorf("%+v", p)
		}
		b.web.Post("/api/patients/"+string(c.Zoe)+"/identity", map[string]string{"status": "QUAL", "document": "passport"}).Want(200).JSON(&p)
		if p.IdentityStatus != "QUAL" {
			t.Errorf("%+v", p)
		}
		visit := c.book(c.Zoe)
		b.web.Post("/api/appointments/"+string(visit)+"/link", nil).Want(202)
		b.web.Post("/api/appointments/"+string(visit)+"/link/revoke", nil).Want(204)
	})
}

// A patient who lost a phone can close every door it opens, this one included.
func TestAPatientRevokesTheirOwnLinks(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		web := c.web(t)
		visit := c.book(c.Fatou)
		link, _ := c.svc.IssueLink(context.Background(), visit)
		web.Post("/api/links/open", map[string]string{"token": link}).Want(200)
		web.Post("/api/appointments/"+string(visit)+"/link", nil).Problem(404, "not-found") // sending is the clinic's
		web.Post("/api/appointments/"+string(visit)+"/link/revoke", nil).Want(204)
		var who me
		if web.Get("/api/me").JSON(&who); who.Kind != "anonymous" {
			t.Errorf("%+v", who)
		}
		web.Post("/api/links/open", map[string]string{"token": link}).Problem(410, "link-revoked")
	})
}

// S13: asking for a lost link takes as long for a patient as for nobody.
func TestRecoveringTellsNothingByItsTime(t *testing.T) {
	c := newClinic(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	took := func(i int, email string) time.Duration {
		c.Clock.Advance(time.Hour) // the limits forget
		start := time.Now()
		if _, err := c.svc.RecoverLink(context.Background(), contacts.Request{Email: email}); err != nil {
			t.Fatal(i, err)
		}
		return time.Since(start)
	}
	var known, unknown []time.Duration
	for i := range 60 {
		known = append(known, took(i, "fatou.diallo@patients.example"))
		unknown = append(unknown, took(i, "personne@patients.example"))
	}
	slices.Sort(known)
	slices.Sort(unknown)
	if gap := (known[30] - unknown[30]).Abs(); gap > 5*time.Millisecond {
		t.Errorf("medians differ by %v", gap)
	}
}

// Every code this module answers is said in both languages.
func TestTextsAreComplete(t *testing.T) {
	texts, err := identity.Texts()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range texts.Keys() {
		if strings.HasPrefix(key, "fault.") && !strings.HasSuffix(key, ".title") {
			if _, ok := texts.Lookup("fr", key+".title"); !ok {
				t.Errorf("%s has no title", key)
			}
		}
	}
}
