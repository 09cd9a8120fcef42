package identity_test

import (
	"context"
	"sync"
	"testing"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/testkit"
)

// TestRevokeLinks_WhileTheyOpen (issue 9, C1): whoever opens a link while it is revoked has no session afterwards,
// whichever of the two was first.
func TestRevokeLinks_WhileTheyOpen(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		for range 5 {
			visit := c.book(c.Fatou)
			link, err := c.svc.IssueLink(context.Background(), visit)
			if err != nil {
				t.Fatal(err)
			}
			var opening sync.WaitGroup
			secrets := make([]string, 12)
			for i := range secrets {
				opening.Go(func() {
					secrets[i], _, _ = c.svc.OpenLink(testkit.As(authz.Actor{}), link)
				})
			}
			if err := c.svc.RevokeLinks(c.staff(c.Leroy, care.Secretary), visit); err != nil {
				t.Error(err)
			}
			opening.Wait()
			for i, secret := range secrets {
				if secret == "" {
					continue
				}
				if a, err := c.svc.Authenticate(context.Background(), secret); err != nil || a.Role != "" {
					t.Errorf("session %d lives: %+v %v", i, a, err)
				}
			}
		}
	})
}
