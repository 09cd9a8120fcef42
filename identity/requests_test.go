package identity_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

// recover asks for a lost link as the page does: with work when it is asked to.
func (c *clinic) recover(r contacts.Request) (contacts.Sending, error) {
	s, err := c.svc.RecoverLink(context.Background(), r)
	var f *fault.Error
	if errors.As(err, &f) && f.Code == "work-needed" {
		r.Work = contacts.Work(f.Args["challenge"], r.Phone, r.Email)
		s, err = c.svc.RecoverLink(context.Background(), r)
	}
	return s, err
}

// TestRequests_OfADay: for a day somebody with a patient's link, or who knows their
// telephone, has something sent to them as often as the limits of the moment let pass:
// the contact gets what its budget of a day allows, and each answer says whether a message
// left.
func TestRequests_OfADay(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		visit := c.book(c.Fatou)
		_, fatou := c.open(t, visit)
		for name, x := range map[string]struct {
			ask    func(n int) (contacts.Sending, error)
			fact   string
			most   int
			refuse string // how those that do not leave are told; "" when the answer says so
		}{
			"code": {func(int) (contacts.Sending, error) {
				s, err := c.svc.RequestCode(testkit.As(fatou), "sms", "")
				return s.Sending, err
			}, events.CodeRequested, 8, "link-spent"},
			"link": {func(int) (contacts.Sending, error) {
				defer c.Deliver(t)
				return c.recover(contacts.Request{Email: "fatou.diallo@patients.example"})
			}, events.LinkRequested, 7, ""},
			"companion": {func(n int) (contacts.Sending, error) {
				who, err := c.svc.InviteCompanion(testkit.As(fatou), visit, identity.Invitation{Name: "Rose", Email: fmt.Sprintf("rose%d@exemple.test", n)})
				if err == nil {
					err = c.svc.RevokeCompanion(testkit.As(fatou), who.ID)
				}
				return who.Sending, err
			}, events.CompanionInvited, 6, "link-spent"},
		} {
			c.Clock.Set(c.Clock.Now().Truncate(24 * time.Hour).Add(24 * time.Hour))
			visit = c.book(c.Fatou)
			_, fatou = c.open(t, visit)
			told, sent := map[string]int{}, 0
			for n := range 30 {
				s, err := x.ask(n)
				var f *fault.Error
				switch {
				case errors.As(err, &f):
					told[f.Code]++
				case err != nil:
					t.Fatal(err)
				case s.Sent:
					sent++
				default:
					told[""]++
				}
				if got := len(c.facts(t, x.fact)); got != sent {
					t.Fatalf("%s: %d messages left, the answers say %d", name, got, sent)
				}
				c.Clock.Advance(13 * time.Minute)
			}
			if sent != x.most || told[x.refuse] != 30-x.most {
				t.Errorf("%s: %d messages in a day, want %d; %v", name, sent, x.most, told)
			}
		}
	})
}

// TestRequests_ForwardedLink: somebody with a forwarded link opens session after session,
// asks for codes, types wrong ones, and invites; day and night. At each hour of the day
// their patient asks for a new link, gets a code with it and proves themselves, and
// the practice invites their companion.
func TestRequests_ForwardedLink(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		c.Clock.Set(c.Clock.Now().Truncate(24 * time.Hour))
		visit := c.book(c.Fatou)
		forwarded, err := c.svc.IssueLink(context.Background(), visit)
		if err != nil {
			t.Fatal(err)
		}
		sent := map[string]int{}
		for hour := range 4 {
			for range 6 {
				_, thief, err := c.svc.OpenLink(testkit.As(authz.Actor{}), forwarded)
				if err != nil {
					t.Fatal(err)
				}
				for _, channel := range []string{"sms", "email"} {
					if _, err := c.svc.RequestCode(testkit.As(thief), channel, ""); err == nil {
						sent[channel]++
					}
				}
				for try := range 7 {
					if _, _, err := c.svc.VerifyCode(testkit.As(thief), fmt.Sprintf("%06d", try)); err == nil {
						t.Fatal("guessed")
					}
				}
				if who, err := c.svc.InviteCompanion(testkit.As(thief), visit, identity.Invitation{Name: "Eve", Phone: "0639980003"}); err == nil {
					if err := c.svc.RevokeCompanion(testkit.As(thief), who.ID); err != nil {
						t.Fatal(err)
					}
				}
				c.Clock.Advance(8 * time.Minute)
			}
			if s, err := c.recover(contacts.Request{Phone: "0639980003"}); err != nil || !s.Sent {
				t.Fatalf("hour %d: a new link: %+v %v", hour, s, err)
			}
			c.Deliver(t)
			var asked events.Link
			list := c.facts(t, events.LinkRequested)
			if len(list) != hour+1 || json.Unmarshal([]byte(list[hour]), &asked) != nil || asked.PatientID != c.Fatou {
				t.Fatalf("hour %d: %v", hour, list)
			}
			_, fatou := c.open(t, asked.AppointmentID)
			if s, err := c.svc.RequestCode(testkit.As(fatou), "sms", ""); err != nil || !s.Sent {
				t.Fatalf("hour %d: the patient's code: %+v %v", hour, s, err)
			}
			if _, a, err := c.svc.VerifyCode(testkit.As(fatou), c.lastCode(t)); err != nil || a.Level != authz.LevelCode {
				t.Errorf("hour %d: the patient types it: %v", hour, err)
			}
			who, err := c.svc.InviteCompanion(c.staff(c.Martin, care.Doctor), visit, identity.Invitation{Name: "Paul", Phone: fmt.Sprintf("063998010%d", hour)})
			if err != nil || !who.Sent {
				t.Errorf("hour %d: the practice invites: %v", hour, err)
			} else if err := c.svc.RevokeCompanion(c.staff(c.Martin, care.Doctor), who.ID); err != nil {
				t.Fatal(err)
			}
			c.Clock.Advance(12 * time.Minute)
		}
		if sent["sms"]+sent["email"] > 8 {
			t.Errorf("%v codes with one forwarded link in four hours, want 8 a day", sent)
		}
		if err := c.svc.RevokeLinks(c.staff(c.Leroy, care.Secretary), visit); err != nil {
			t.Fatal(err)
		}
		_, _, err = c.svc.OpenLink(testkit.As(authz.Actor{}), forwarded)
		is(t, err, fault.Gone, "link-revoked")
	})
}
