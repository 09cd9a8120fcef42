package identity_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"visavis/identity"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/testkit"

	"pgregory.net/rapid"
)

// linkModel says in few words what links and sessions of one appointment are.
type linkModel struct {
	issued  time.Time
	revoked bool
}

func (m linkModel) opens(now time.Time, about identity.Appointment) string {
	last := about.End
	if m.issued.After(last) {
		last = m.issued
	}
	switch {
	case m.revoked:
		return "link-revoked"
	case now.After(last.Add(time.Hour)):
		return "link-expired"
	case now.Before(about.Start.Add(-7 * 24 * time.Hour)):
		return "early"
	}
	return ""
}

// Whatever is issued, moved, revoked and waited, a link opens exactly when the
// model says, and a session lives exactly as long as it should.
func TestLinksAndSessionsFollowTheirModel(t *testing.T) {
	c := newClinic(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	rapid.Check(t, func(rt *rapid.T) {
		visit := c.book(c.Fatou)
		var secrets []string
		var models []linkModel
		session, seen, born := "", time.Time{}, time.Time{}
		waits := rapid.SampledFrom([]time.Duration{time.Second, 5 * time.Minute, 14 * time.Minute, 16 * time.Minute, time.Hour, 5 * time.Hour, 26 * time.Hour, 8 * 24 * time.Hour})
		for range rapid.IntRange(3, 12).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"issue", "open", "open", "wait", "use", "revoke", "move"}).Draw(rt, "step") {
			case "issue":
				s, err := c.svc.IssueLink(context.Background(), visit)
				if err != nil {
					rt.Fatal(err)
				}
				secrets, models = append(secrets, s), append(models, linkModel{issued: c.Clock.Now()})
			case "wait":
				c.Clock.Advance(waits.Draw(rt, "wait"))
			case "move":
				c.agent.mu.Lock()
				about := c.agent.known[visit]
				by := waits.Draw(rt, "by")
				about.Start, about.End = about.Start.Add(by), about.End.Add(by)
				c.agent.known[visit] = about
				c.agent.mu.Unlock()
			case "revoke":
				if err := c.svc.RevokeLinks(c.staff(c.Leroy, care.Secretary), visit); err != nil {
					rt.Fatal(err)
				}
				for i := range models {
					models[i].revoked = true
				}
				session = ""
			case "open":
				if len(secrets) == 0 {
					continue
				}
				i := rapid.IntRange(0, len(secrets)-1).Draw(rt, "link")
				s, a, err := c.svc.OpenLink(testkit.As(authz.Actor{}), secrets[i])
				if got, want := outcome(err), models[i].opens(c.Clock.Now(), c.agent.known[visit]); got != want {
					rt.Fatalf("opens as %q, want %q", got, want)
				}
				if err == nil {
					session, seen, born = s, c.Clock.Now(), c.Clock.Now()
					if a.PatientID != c.Fatou || a.AppointmentID != visit || a.Level != authz.LevelLink {
						rt.Fatalf("%+v", a)
					}
				}
			case "use":
				a, err := c.svc.Authenticate(context.Background(), session)
				if err != nil {
					rt.Fatal(err)
				}
				now := c.Clock.Now()
				want := session != "" && now.Sub(seen) < 15*time.Minute && now.Sub(born) < 4*time.Hour
				if lives := a.Role == care.Patient; lives != want {
					rt.Fatalf("lives %v, want %v: unused for %v, born %v ago", lives, want, now.Sub(seen), now.Sub(born))
				}
				if want && now.Sub(seen) >= time.Minute {
					seen = now
				}
			}
		}
	})
}

func outcome(err error) string {
	var early *identity.TooEarly
	var f *fault.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &early):
		return "early"
	case errors.As(err, &f):
		return f.Code
	}
	return err.Error()
}
