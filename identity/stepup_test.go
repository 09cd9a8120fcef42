package identity_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"visavis/internal/authz"
	"visavis/internal/fault"
	"visavis/internal/httpx"
	"visavis/internal/testkit"
	"visavis/simulators/psc"
)

const again = "/api/auth/psc/start?again=1&return=%2Fpro%2Fencounters%2Fx"

// signs tells whether the session of a browser may sign now.
func (c *clinic) signs(t *testing.T, b *browser) error {
	t.Helper()
	a, err := c.svc.Authenticate(t.Context(), b.web.Session())
	if err != nil || a.SessionID == "" {
		t.Fatalf("the session ended: %v", err)
	}
	return authz.MaySign(authz.With(t.Context(), a), c.Clock.Now())
}

// back is land in a browser that has a session.
func (b *browser) back(path string) string {
	b.t.Helper()
	cookie := "__Host-visavis-psc=" + b.bind + "; " + httpx.CookieName + "=" + b.web.Session()
	return b.web.Get(path, testkit.Header("Cookie", cookie)).Want(302).Header.Get("Location")
}

// older lets time pass in a session that is used.
func (c *clinic) older(t *testing.T, b *browser, d time.Duration) {
	t.Helper()
	for ; d > 0; d -= 20 * time.Minute {
		c.Clock.Advance(min(d, 20*time.Minute))
		b.web.Get("/api/me").Want(200)
	}
}

// TestStepUp: a session signs for an hour; then its professional is asked again,
// by name, once; whatever is not exactly that is refused, audited, and opens nothing.
func TestStepUp(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		b := newBrowser(t, c.web(t))
		b.land(b.choose(b.toPSC("/pro"), "810100000016"))
		session := b.web.Session()
		c.older(t, b, 59*time.Minute)
		if err := c.signs(t, b); err != nil {
			t.Errorf("before the hour: %v", err)
		}
		c.older(t, b, time.Minute)
		refused := func(what string) {
			t.Helper()
			if err := c.signs(t, b); fault.KindOf(err) != fault.Forbidden || !strings.Contains(err.Error(), "step-up-required") {
				t.Errorf("%s: %v", what, err)
			}
			if b.web.Session() != session {
				t.Errorf("%s: another session", what)
			}
		}
		refused("after an hour")

		page := b.toPSCBy(again)
		if q := page.Request.URL.Query(); q.Get("id") == "" {
			t.Fatalf("%v", page.Request.URL)
		}
		audits := c.audited(t, "signin.start", "refused")
		for _, x := range []struct {
			what, account, code string
			fault               psc.Fault
		}{
			{"another person", "810100000032", "step-up-other", psc.NoFault},
			{"somebody unknown", "810100000057", "step-up-other", psc.NoFault},
			{"an old authentication", "810100000016", "psc-refused", psc.OldAuthTime},
			{"no time of authentication", "810100000016", "psc-refused", psc.NoAuthTime},
			{"cancelled", "810100000016", "psc-cancelled", psc.Denied},
			{"another nonce", "810100000016", "psc-refused", psc.WrongNonce},
		} {
			page := b.toPSCBy(again)
			if err := c.psc.SetFault(x.fault); err != nil {
				t.Fatal(err)
			}
			landed := b.back(b.choose(page, x.account))
			if landed != "/pro/encounters/x?step-up="+x.code {
				t.Errorf("%s lands on %s", x.what, landed)
			}
			refused(x.what)
			_ = c.psc.SetFault(psc.NoFault)
			if n := c.audited(t, "signin.start", "refused"); n != audits+1 {
				t.Errorf("%s: %d refusals audited", x.what, n-audits)
			}
			audits++
		}
		// Begun in one session, brought back by another of the same person.
		other := newBrowser(t, b.web.Fresh())
		other.land(other.choose(other.toPSC("/pro"), "810100000016"))
		back := b.choose(b.toPSCBy(again), "810100000016")
		other.bind = b.bind
		if landed := other.back(back); landed != "/pro/encounters/x?step-up=psc-expired" {
			t.Errorf("another session lands on %s", landed)
		}
		refused("another session")

		back = b.choose(b.toPSCBy(again), "810100000016")
		if landed := b.back(back); landed != "/pro/encounters/x" || b.web.Session() != session {
			t.Errorf("lands on %s, session kept: %v", landed, b.web.Session() == session)
		}
		if err := c.signs(t, b); err != nil {
			t.Errorf("after the step-up: %v", err)
		}
		c.older(t, b, 2*time.Hour)
		if err := c.signs(t, b); err != nil {
			t.Errorf("once in a session: %v", err)
		}
		if landed := b.back(back); !strings.Contains(landed, "psc-expired") {
			t.Errorf("the same return again lands on %s", landed)
		}
	})
}

// TestStepUp_RowIsNoProof: a row written or moved in the database is none.
func TestStepUp_RowIsNoProof(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		stepped, b := newBrowser(t, c.web(t)), newBrowser(t, c.web(t))
		for _, x := range []*browser{stepped, b} {
			x.land(x.choose(x.toPSC("/pro"), "810100000016"))
		}
		for range 4 {
			c.older(t, stepped, 20*time.Minute)
			b.web.Get("/api/me").Want(200)
		}
		stepped.back(stepped.choose(stepped.toPSCBy(again), "810100000016"))
		if err := c.signs(t, stepped); err != nil {
			t.Fatal(err)
		}
		for _, row := range []string{
			"INSERT INTO step_ups (session_id, at, mac) SELECT id, at + 1, hash FROM sessions WHERE ended_at = 0 AND id NOT IN (SELECT session_id FROM step_ups)",
			"UPDATE step_ups SET mac = (SELECT s.mac FROM step_ups s ORDER BY s.session_id LIMIT 1)",
		} {
			if err := c.raw(row); err != nil {
				t.Fatal(err)
			}
			if err := c.signs(t, b); err == nil {
				t.Errorf("%s signs", row)
			}
		}
	})
}

// TestStepUp_NeedsASession: who is nobody, or a patient, begins none.
func TestStepUp_NeedsASession(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		web := c.web(t)
		look := func(web *testkit.Client) {
			t.Helper()
			to, err := url.Parse(web.Get(again).Want(http.StatusFound).Header.Get("Location"))
			if err != nil || to.Path != "/pro/encounters/x" || to.Query().Get("step-up") != "sign-in" {
				t.Errorf("%v %v", to, err)
			}
		}
		look(web)
		link, _ := c.svc.IssueLink(t.Context(), c.book(c.Fatou))
		web.Post("/api/links/open", map[string]string{"token": link}).Want(200)
		look(web)
	})
}
