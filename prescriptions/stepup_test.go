package prescriptions_test

import (
	"errors"
	"slices"
	"testing"

	"visavis/internal/authz"
	"visavis/internal/fault"
	"visavis/internal/paper"
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

// TestSign_StepUpLast: a prescription that cannot be signed says why to an old session
// as to a new one; only one that is ready asks to prove again who signs, and is left as it is.
func TestSign_StepUpLast(t *testing.T) {
	h := testkit.NewHouse(t, testkit.OpenSQLite(t))
	svc, w := open(t, h)
	good := w.act
	old := authz.From(doctor())
	old.SessionID, old.SignsUntil = "s", h.Clock.Now()
	undosed := slices.Clone(thyroid)
	undosed[0].Dose = ""
	for _, c := range []struct {
		name   string
		lines  []prescriptions.Line
		older  bool // the signer saw an older version
		change func(*paper.Act)
		code   string
	}{
		{"no line", nil, false, nil, "invalid"},
		{"no dose", undosed, false, nil, "invalid"},
		{"a wrong number", thyroid, false, func(a *paper.Act) { a.Author.RPPS = "10001234" }, "invalid"},
		{"the act has not begun", thyroid, false, func(a *paper.Act) { a.Started = false }, "act-not-started"},
		{"changed meanwhile", thyroid, true, nil, "changed-before-signing"},
		{"ready", thyroid, false, nil, "step-up-required"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.act = good
			p := draft(t, svc, prescriptions.Medicines, c.lines)
			if c.change != nil {
				c.change(&w.act)
			}
			seen := p.Edit
			if c.older {
				seen--
			}
			_, err := svc.Sign(testkit.As(old), p.ID, seen)
			var f *fault.Error
			if !errors.As(err, &f) || c.code == "invalid" && (f.Kind != fault.Invalid || len(f.Fields) == 0) || c.code != "invalid" && f.Code != c.code {
				t.Errorf("got %v, want %s", err, c.code)
			}
			w.act = good
			all, err := svc.OfEncounter(testkit.As(old), encounter)
			if err != nil {
				t.Fatal(err)
			}
			kept := all[slices.IndexFunc(all, func(x *prescriptions.Prescription) bool { return x.ID == p.ID })]
			if kept.Status != prescriptions.Draft || kept.Edit != p.Edit || kept.DocumentID != "" || len(w.filed) != 0 {
				t.Errorf("the draft changed: %+v", kept)
			}
		})
	}
}

func problem(t *testing.T, err error, code string) {
	t.Helper()
	if err == nil || err.Error() != code {
		t.Errorf("got %v, want %s", err, code)
	}
}
