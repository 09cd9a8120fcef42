package documents_test

import (
	"testing"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/testkit"
)

// TestSign_StepUp: an old session signs no report, nothing is changed by asking,
// and it does once its professional was asked again.
func TestSign_StepUp(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, _ := open(t, h)
		doctor := authz.From(staff(care.Doctor, claire))
		r, err := svc.Write(testkit.As(doctor), encounter, words, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			age     time.Duration
			again   bool
			session care.SessionID
			signs   bool
		}{
			{time.Hour, false, "s", false}, {11 * time.Hour, false, "s", false}, {time.Hour - time.Second, false, "s", true}, {11 * time.Hour, true, "s", true},
		} {
			doctor.SessionID, doctor.SignsUntil, doctor.SteppedUp = c.session, h.Clock.Now().Add(time.Hour-c.age), c.again
			if _, err = svc.Sign(testkit.As(doctor), encounter, r.Edit); c.signs != (err == nil) {
				t.Errorf("%+v: %v", c, err)
			}
			if !c.signs {
				refused(t, err, fault.Forbidden, "step-up-required")
				continue
			}
			d, err := svc.Read(testkit.As(doctor), encounter)
			if err != nil || d.DocumentID == "" {
				t.Fatalf("%v %v", d, err)
			}
			if r, err = svc.Replace(testkit.As(doctor), d.DocumentID); err != nil {
				t.Fatal(err)
			}
		}
	})
}
