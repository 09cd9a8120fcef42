package prescriptions_test

import (
	"testing"

	"visavis/internal/authz"
	"visavis/internal/testkit"
	"visavis/prescriptions"
)

// TestSign_StepUp: an old session signs no prescription, leaves the draft as it
// is, and does once its professional was asked again.
func TestSign_StepUp(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, _ := open(t, h)
		p := draft(t, svc, prescriptions.Medicines, thyroid)
		a := authz.From(doctor())
		a.SessionID, a.SignsUntil = "s", h.Clock.Now()
		_, err := svc.Sign(testkit.As(a), p.ID, p.Edit)
		problem(t, err, "step-up-required")
		a.SteppedUp = true
		if _, err := svc.Sign(testkit.As(a), p.ID, p.Edit); err != nil {
			t.Error(err)
		}
	})
}

func problem(t *testing.T, err error, code string) {
	t.Helper()
	if err == nil || err.Error() != code {
		t.Errorf("got %v, want %s", err, code)
	}
}
