package identity_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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

func TestALinkOpensFromSevenDaysBeforeToOneHourAfter(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		visit := c.book(c.Fatou)
		link, err := c.svc.IssueLink(context.Background(), visit)
		if err != nil || len(link) != 43 {
			t.Fatalf("%q %v", link, err)
		}
		about := c.agent.known[visit]
		open := func(at time.Time) error {
			c.Clock.Set(at)
			_, _, err := c.svc.OpenLink(testkit.As(authz.Actor{}), link)
			return err
		}
		var early *identity.TooEarly
		if err := open(about.Start.Add(-7*24*time.Hour - time.Second)); !errors.As(err, &early) || !early.Opens.Equal(about.Start.Add(-7*24*time.Hour)) {
			t.Errorf("eight days before: %v", err)
		}
		for _, at := range []time.Time{about.Start.Add(-7 * 24 * time.Hour), about.Start, about.End.Add(time.Hour)} {
			if err := open(at); err != nil {
				t.Errorf("at %s: %v", at, err)
			}
		}
		is(t, open(about.End.Add(time.Hour+time.Second)), fault.Gone, "link-expired")
		late, err := c.svc.IssueLink(context.Background(), visit)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.svc.OpenLink(testkit.As(authz.Actor{}), late); err != nil {
			t.Errorf("a link asked for after the act: %v", err)
		}
		c.Clock.Advance(time.Hour + time.Second)
		_, _, err = c.svc.OpenLink(testkit.As(authz.Actor{}), late)
		is(t, err, fault.Gone, "link-expired")
		_, _, err = c.svc.OpenLink(testkit.As(authz.Actor{}), strings.Repeat("A", 43))
		is(t, err, fault.NotFound, "link-unknown")
	})
}

func TestALinkFollowsTheAppointmentThatMoves(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		visit := c.book(c.Fatou)
		link, _ := c.svc.IssueLink(context.Background(), visit)
		moved := c.agent.known[visit]
		moved.Start, moved.End = moved.Start.Add(30*24*time.Hour), moved.End.Add(30*24*time.Hour)
		c.agent.known[visit] = moved
		var early *identity.TooEarly
		if _, _, err := c.svc.OpenLink(testkit.As(authz.Actor{}), link); !errors.As(err, &early) {
			t.Errorf("%v", err)
		}
		c.Clock.Set(moved.Start)
		if _, a, err := c.svc.OpenLink(testkit.As(authz.Actor{}), link); err != nil || a.PatientID != c.Fatou || a.AppointmentID != visit || a.Level != authz.LevelLink {
			t.Errorf("%+v %v", a, err)
		}
	})
}

func TestRevokingEndsLinksAndSessionsAtOnce(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		visit, other := c.book(c.Fatou), c.book(c.Lea)
		link, _ := c.svc.IssueLink(context.Background(), visit)
		secret, _ := c.open(t, visit)
		kept, _ := c.open(t, other)
		if err := c.svc.RevokeLinks(c.staff(c.Benali, care.Nurse), visit); fault.KindOf(err) != fault.NotFound {
			t.Errorf("a nurse revoked: %v", err)
		}
		if err := c.svc.RevokeLinks(c.staff(c.Leroy, care.Secretary), visit); err != nil {
			t.Fatal(err)
		}
		_, _, err := c.svc.OpenLink(testkit.As(authz.Actor{}), link)
		is(t, err, fault.Gone, "link-revoked")
		if a, err := c.svc.Authenticate(context.Background(), secret); err != nil || a.Role != "" {
			t.Errorf("the session lives: %+v %v", a, err)
		}
		if a, err := c.svc.Authenticate(context.Background(), kept); err != nil || a.PatientID != c.Lea {
			t.Errorf("another's session ended: %+v %v", a, err)
		}
		if again, _ := c.svc.IssueLink(context.Background(), visit); again == "" {
			t.Error("no new link")
		}
	})
}

func TestSendingALinkIsAFactWithoutTheLink(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		visit := c.book(c.Fatou)
		for range 5 {
			if err := c.svc.SendLink(c.staff(c.Leroy, care.Secretary), visit); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.svc.SendLink(c.staff(c.Leroy, care.Secretary), visit); fault.KindOf(err) != fault.Throttled {
			t.Errorf("the sixth: %v", err)
		}
		got := c.facts(t, events.LinkRequested)
		if len(got) != 5 || got[0] != `{"appointmentId":"`+string(visit)+`","patientId":"`+string(c.Fatou)+`"}` {
			t.Errorf("%q", got)
		}
		for name, ctx := range map[string]context.Context{"another doctor of the house": c.staff(c.Dupre, care.Doctor)} {
			if err := c.svc.SendLink(ctx, c.book(c.Zoe)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := c.svc.SendLink(c.staff(c.Nguyen, care.Pharmacist), visit); fault.KindOf(err) != fault.NotFound {
			t.Errorf("a pharmacist: %v", err)
		}
	})
}

// TestSendLink_OfACancelledAppointment: what will not be sent is not answered as done (issue 9, what bad input gets).
func TestSendLink_OfACancelledAppointment(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		visit := c.book(c.Fatou)
		about := c.agent.known[visit]
		about.Cancelled = true
		c.agent.known[visit] = about
		for range 6 { // it costs nothing either
			is(t, c.svc.SendLink(c.staff(c.Leroy, care.Secretary), visit), fault.Conflict, "link-cancelled")
		}
		if got := c.facts(t, events.LinkRequested); len(got) != 0 {
			t.Errorf("%q", got)
		}
	})
}

// Recovering tells nothing, and sends to the contacts on file only.
func TestALostLinkIsRecoveredWithoutTelling(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		visit := c.book(c.Fatou)
		ctx := context.Background()
		for _, x := range [][2]string{{"06 39 98 00 03", ""}, {"", "FATOU.diallo@patients.example"}, {"0639980077", ""}, {"", "nobody@patients.example"}, {"", "zoe@patients.example"}} {
			if s, err := c.svc.RecoverLink(ctx, contacts.Request{Phone: x[0], Email: x[1]}); err != nil || !s.Sent || !s.At.Equal(c.Clock.Now()) || s.After != time.Minute {
				t.Errorf("%v: %+v %v", x, s, err)
			}
		}
		if n := len(c.facts(t, events.LinkRequested)); n != 0 {
			t.Errorf("%d links were asked for before the answer", n)
		}
		c.Deliver(t)
		got := c.facts(t, events.LinkRequested)
		if len(got) != 2 || !strings.Contains(got[0], string(visit)) || !strings.Contains(got[1], string(c.Fatou)) {
			t.Errorf("%q", got)
		}
		for _, x := range [][2]string{{"12", ""}, {"", ""}, {"", "x"}} {
			if _, err := c.svc.RecoverLink(ctx, contacts.Request{Phone: x[0], Email: x[1]}); fault.KindOf(err) != fault.Invalid {
				t.Errorf("%v: %v", x, err)
			}
		}
		// Asked again at once, known and unknown are answered alike, and nothing leaves.
		last := c.Clock.Now()
		c.Clock.Advance(12 * time.Second)
		for _, phone := range []string{"0639980003", "0639980077"} {
			if s, err := c.svc.RecoverLink(ctx, contacts.Request{Phone: phone}); err != nil || s.Sent || !s.At.Equal(last) || s.After != 48*time.Second {
				t.Errorf("12 s later, %s: %+v %v", phone, s, err)
			}
		}
		c.Deliver(t)
		if n := len(c.facts(t, events.LinkRequested)); n != 2 {
			t.Errorf("%d links were sent", n)
		}
	})
}

func TestSessionsEndIdleAndOldButNeverDuringACall(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		alive := func(secret string) bool {
			a, err := c.svc.Authenticate(context.Background(), secret)
			if err != nil {
				t.Fatal(err)
			}
			return a.Role != ""
		}
		visit := c.book(c.Fatou)
		s, _ := c.open(t, visit)
		c.Clock.Advance(14 * time.Minute)
		if !alive(s) {
			t.Error("ended after 14 minutes")
		}
		c.Clock.Advance(14 * time.Minute)
		if !alive(s) {
			t.Error("being used did not keep it")
		}
		c.Clock.Advance(16 * time.Minute)
		if alive(s) {
			t.Error("idle for 16 minutes and alive")
		}
		c.agent.live = true
		if alive(s) {
			t.Error("a stay that a crash left open keeps a session without a socket")
		}
		c.agent.live = false
		s, _ = c.open(t, visit)
		for range 24 {
			c.Clock.Advance(10 * time.Minute)
			alive(s)
		}
		if alive(s) {
			t.Error("alive after four hours")
		}
		if alive("") || alive("unknown") {
			t.Error("a secret nobody gave opens a session")
		}
	})
}

// Trust B5 7.3.1: who waits with an open socket is not signed out, whose call
// goes on neither; the absolute limit holds for who only waits.
func TestAnOpenSocketIsAUseOfTheSession(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		ctx := context.Background()
		secret, a := c.open(t, c.book(c.Fatou))
		other, _ := c.open(t, c.book(c.Lea)) // somebody without a socket
		ids := []care.SessionID{a.SessionID}
		alive := func(secret string) bool {
			t.Helper()
			x, err := c.svc.Authenticate(ctx, secret)
			if err != nil {
				t.Fatal(err)
			}
			return x.Role != ""
		}
		ended := func() bool {
			t.Helper()
			list, err := c.svc.Ended(ctx, ids)
			if err != nil {
				t.Fatal(err)
			}
			return len(list) > 0
		}
		sit := func(how time.Duration) {
			t.Helper()
			for ; how > 0; how -= time.Minute {
				c.Clock.Advance(time.Minute)
				if err := c.svc.Touch(ctx, ids); err != nil {
					t.Fatal(err)
				}
			}
		}
		sit(3*time.Hour + 59*time.Minute)
		if !alive(secret) || ended() {
			t.Error("signed out in the waiting room")
		}
		if alive(other) {
			t.Error("another session was kept alive too")
		}
		c.agent.live = true // admitted
		sit(time.Hour)
		if !alive(secret) || ended() {
			t.Error("signed out during a call, by the absolute limit")
		}
		c.Clock.Advance(20 * time.Minute) // the database was away, the call went on
		if !alive(secret) || ended() {
			t.Error("signed out because nobody could note that the call goes on")
		}
		c.Clock.Advance(time.Hour)
		if alive(secret) {
			t.Error("a call that no socket bears out for an hour keeps the session")
		}
		sit(time.Minute)
		c.agent.live = false // the call ended
		if alive(secret) || !ended() {
			t.Error("the absolute limit does not hold after the call")
		}
		if _, err := c.svc.SignOut(testkit.As(a)); err != nil {
			t.Fatal(err)
		}
		c.agent.live = true
		sit(time.Minute)
		if alive(secret) || !ended() {
			t.Error("a socket brought a signed out session back")
		}
	})
}

// S12: a session opened with a link is another one than the browser had.
func TestSessionsAreNotFixed(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		former, a := c.open(t, c.book(c.Fatou))
		link, _ := c.svc.IssueLink(context.Background(), c.book(c.Lea))
		next, b, err := c.svc.OpenLink(testkit.As(a), link)
		if err != nil || next == former || b.SessionID == a.SessionID || b.PatientID != c.Lea {
			t.Fatalf("%+v %v", b, err)
		}
		if x, _ := c.svc.Authenticate(context.Background(), former); x.Role != "" {
			t.Error("the former session lives")
		}
		for id, want := range map[care.SessionID]bool{a.SessionID: false, b.SessionID: true, "nobody": false} {
			if lives, err := c.svc.Lives(context.Background(), id); lives != want || err != nil {
				t.Errorf("session %s lives: %v %v", id, lives, err)
			}
		}
		c.Clock.Advance(time.Hour) // idle, which is not ended
		all := []care.SessionID{a.SessionID, b.SessionID, "nobody"}
		if ended, err := c.svc.Ended(context.Background(), all); err != nil || !slices.Equal(ended, []care.SessionID{a.SessionID, "nobody"}) {
			t.Errorf("ended: %v %v", ended, err)
		}
		if _, err := c.svc.SignOut(testkit.As(b)); err != nil {
			t.Fatal(err)
		}
		if ended, err := c.svc.Ended(context.Background(), all); err != nil || !slices.Equal(ended, all) {
			t.Errorf("after signing out: %v %v", ended, err)
		}
		if x, _ := c.svc.Authenticate(context.Background(), next); x.Role != "" {
			t.Error("signed out and alive")
		}
		var kept []string
		c.sql(t, "SELECT id FROM sessions WHERE ended_at = 0", &kept)
		if len(kept) != 0 {
			t.Errorf("%d sessions left", len(kept))
		}
	})
}

func TestACodeRaisesTheSessionAndRotatesIt(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		before, a := c.open(t, c.book(c.Fatou))
		sent, err := c.svc.RequestCode(testkit.As(a), "sms", "")
		if err != nil || sent.Hint != "•• •• •• •• 03" || !sent.Expires.Equal(c.Clock.Now().Add(10*time.Minute)) {
			t.Fatalf("%+v %v", sent, err)
		}
		code := c.lastCode(t)
		if fact := c.facts(t, events.CodeRequested); len(fact) != 1 || strings.Contains(fact[0], code) || len(code) != 6 {
			t.Errorf("%q", fact)
		}
		after, b, err := c.svc.VerifyCode(testkit.As(a), code)
		if err != nil || b.Level != authz.LevelCode || b.SessionID != a.SessionID || after == before || b.Proof != "link+sms" {
			t.Fatalf("%+v %v", b, err)
		}
		if x, _ := c.svc.Authenticate(context.Background(), before); x.Role != "" {
			t.Error("the cookie before the code still opens")
		}
		if x, err := c.svc.Authenticate(context.Background(), after); err != nil || x.Level != authz.LevelCode || x.PatientID != c.Fatou {
			t.Errorf("%+v %v", x, err)
		}
		_, _, err = c.svc.VerifyCode(testkit.As(b), code)
		is(t, err, fault.Conflict, "code-used")
		var left []string
		c.sql(t, "SELECT id FROM codes WHERE length(sealed) > 0", &left)
		if len(left) != 0 {
			t.Error("a used code is kept")
		}
	})
}

func TestCodesAreWrongExpiredAndCounted(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		_, a := c.open(t, c.book(c.Fatou))
		ctx := testkit.As(a)
		_, _, err := c.svc.VerifyCode(ctx, "000000")
		is(t, err, fault.Gone, "code-expired")
		if _, err := c.svc.RequestCode(ctx, "email", ""); err != nil {
			t.Fatal(err)
		}
		code := c.lastCode(t)
		wrong := "000000"
		if code == wrong {
			wrong = "000001"
		}
		for _, remaining := range []string{"4", "3", "2", "1", "0"} {
			_, _, err := c.svc.VerifyCode(ctx, wrong)
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != "code-wrong" || f.Args["remaining"] != remaining {
				t.Errorf("%v, want %s left", err, remaining)
			}
		}
		_, _, err = c.svc.VerifyCode(ctx, code)
		is(t, err, fault.Gone, "code-expired")
		if c.audited(t, "code.verify", "refused") != 7 {
			t.Errorf("%d refusals audited", c.audited(t, "code.verify", "refused"))
		}
		if _, err := c.svc.RequestCode(ctx, "email", ""); err != nil {
			t.Fatal(err)
		}
		old := c.lastCode(t)
		c.Clock.Advance(time.Second)
		if _, err := c.svc.RequestCode(ctx, "sms", ""); err != nil {
			t.Fatal(err)
		}
		if fresh := c.lastCode(t); old != fresh {
			_, _, err = c.svc.VerifyCode(ctx, old)
			is(t, err, fault.Invalid, "code-wrong")
		}
		c.Clock.Advance(10 * time.Minute)
		var ids []string
		c.sql(t, "SELECT id FROM codes ORDER BY id DESC", &ids)
		_, err = c.svc.PendingCode(context.Background(), ids[0])
		is(t, err, fault.Gone, "code-expired")
	})
}

// S13: however many guess at once, a code bears five tries.
func TestFiveTriesEvenAtOnce(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		_, a := c.open(t, c.book(c.Fatou))
		ctx := testkit.As(a)
		if _, err := c.svc.RequestCode(ctx, "sms", ""); err != nil {
			t.Fatal(err)
		}
		code := c.lastCode(t)
		wrong := "000000"
		if code == wrong {
			wrong = "000001"
		}
		var tried atomic.Int32
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				_, _, err := c.svc.VerifyCode(ctx, wrong)
				var f *fault.Error
				if errors.As(err, &f) && f.Code == "code-wrong" {
					tried.Add(1)
				}
			})
		}
		wg.Wait()
		if tried.Load() != 5 {
			t.Errorf("%d tries were answered", tried.Load())
		}
	})
}

func TestCodesGoWhereThePatientIsOnFileAndNotTooOften(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		_, zoe := c.open(t, c.book(c.Zoe))
		for channel, want := range map[string]string{"sms": "channel-not-on-file", "pigeon": "not-a-choice"} {
			_, err := c.svc.RequestCode(testkit.As(zoe), channel, "")
			var f *fault.Error
			if !errors.As(err, &f) || len(f.Fields) != 1 || f.Fields[0].Code != want {
				t.Errorf("%s: %v", channel, err)
			}
		}
		var err error
		for n := range 4 {
			at := c.Clock.Now()
			var sent identity.Sent
			if sent, err = c.svc.RequestCode(testkit.As(zoe), "email", ""); n < 3 && (err != nil || !sent.Sent || !sent.At.Equal(at)) {
				t.Errorf("code %d: %+v %v", n+1, sent, err)
			}
			if n == 3 {
				break
			}
			// Asked again at once, none leaves, and the last one is good.
			c.Clock.Advance(12 * time.Second)
			code := c.lastCode(t)
			if again, err := c.svc.RequestCode(testkit.As(zoe), "email", ""); err != nil || again.Sent || !again.At.Equal(at) || again.After != 48*time.Second || again.Hint != sent.Hint || !again.Expires.Equal(sent.Expires) {
				t.Errorf("12 s after code %d: %+v %v", n+1, again, err)
			}
			if c.lastCode(t) != code {
				t.Error("another code was made")
			}
			c.Clock.Advance(48 * time.Second)
		}
		is(t, err, fault.Throttled, "link-spent")
		if _, err := c.svc.RequestCode(c.staff(c.Martin, care.Doctor), "sms", ""); fault.KindOf(err) != fault.NotFound {
			t.Errorf("a doctor asked for a code: %v", err)
		}
		_, err = c.svc.RequestCode(testkit.As(authz.Actor{}), "sms", "")
		if fault.KindOf(err) != fault.Unauthenticated {
			t.Errorf("nobody asked for a code: %v", err)
		}
	})
}

// Facts, logs and job queues hold no secret of a whole visit.
func TestSecretsStayOutOfFactsAndLogs(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		visit := c.book(c.Fatou)
		link, _ := c.svc.IssueLink(context.Background(), visit)
		secret, a, err := c.svc.OpenLink(testkit.As(authz.Actor{}), link)
		if err != nil {
			t.Fatal(err)
		}
		c.svc.RequestCode(testkit.As(a), "sms", "")
		code := c.lastCode(t)
		var kept []string
		for _, table := range []string{"SELECT payload FROM events", "SELECT CAST(args AS TEXT) FROM river_job", "SELECT proof FROM sessions", "SELECT CAST(hash AS TEXT) FROM links", "SELECT CAST(hash AS TEXT) FROM sessions"} {
			c.sql(t, table, &kept)
		}
		all := strings.Join(kept, "\n") + c.Logged.String()
		for name, word := range map[string]string{"link": link, "session": secret, "code": code + `"`, "name": "DIALLO", "phone": "639980003"} {
			if strings.Contains(all, word) {
				t.Errorf("the %s is in clear", name)
			}
		}
	})
}

func TestSweepForgetsWhatIsOver(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		c.open(t, c.book(c.Fatou))
		b := newBrowser(t, c.web(t))
		b.land(b.choose(b.toPSC("/pro"), "810100000016"))
		c.Clock.Advance(72 * time.Hour)
		if err := c.svc.Sweep(context.Background()); err != nil {
			t.Fatal(err)
		}
		var left []string
		c.sql(t, "SELECT id FROM sessions", &left)
		c.sql(t, "SELECT return_to FROM signins", &left)
		if len(left) != 0 {
			t.Errorf("%q is left", left)
		}
	})
}
