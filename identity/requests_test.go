package identity_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"visavis/identity"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/testkit"
)

// TestRequests_OfADay: for a day somebody with a patient's link, or who knows their
// telephone, has something sent to them as often as the limits of the moment let pass:
// the contact gets what its budget of a day allows, and who asks is told.
func TestRequests_OfADay(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		visit := c.book(c.Fatou)
		_, fatou := c.open(t, visit)
		for name, x := range map[string]struct {
			ask  func(n int) error
			fact string
			most int
		}{
			"code": {func(int) error { _, err := c.svc.RequestCode(testkit.As(fatou), "sms", ""); return err }, events.CodeRequested, 15},
			"link": {func(int) error {
				defer c.Deliver(t)
				return c.svc.RecoverLink(context.Background(), "", "fatou.diallo@patients.example")
			}, events.LinkRequested, 15},
			"companion": {func(n int) error {
				who, err := c.svc.InviteCompanion(testkit.As(fatou), visit, identity.Invitation{Name: "Rose", Email: fmt.Sprintf("rose%d@exemple.test", n)})
				if err == nil {
					err = c.svc.RevokeCompanion(testkit.As(fatou), who.ID)
				}
				return err
			}, events.CompanionInvited, 10},
		} {
			c.Clock.Set(c.Clock.Now().Truncate(24 * time.Hour).Add(24 * time.Hour))
			visit = c.book(c.Fatou)
			_, fatou = c.open(t, visit)
			told := map[string]int{}
			for n := range 30 {
				var f *fault.Error
				if err := x.ask(n); errors.As(err, &f) {
					told[f.Code]++
				} else if err != nil {
					t.Fatal(err)
				}
				c.Clock.Advance(13 * time.Minute)
			}
			if got := len(c.facts(t, x.fact)); got != x.most {
				t.Errorf("%s: %d messages in a day, want %d; %v", name, got, x.most, told)
			}
			if name != "link" && told["request-budget"] != 30-x.most { // who asks for a lost link learns nothing
				t.Errorf("%s: told %v", name, told)
			}
		}
	})
}
