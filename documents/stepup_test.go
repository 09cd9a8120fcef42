package documents_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"visavis/documents"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/paper"
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

// TestSign_StepUpLast: a report that cannot be signed says why to an old session as to
// a new one; only one that is ready asks to prove again who signs, and is left as it is.
func TestSign_StepUpLast(t *testing.T) {
	for _, c := range []struct {
		name   string
		text   documents.Text
		older  bool // the signer saw an older version
		change func(*paper.Act)
		kind   fault.Kind
		code   string
		field  string
	}{
		{"nothing written", documents.Text{}, false, nil, fault.Invalid, "", "motive"},
		{"no motive", documents.Text{Text: "Examen normal."}, false, nil, fault.Invalid, "", "motive"},
		{"no text", documents.Text{Motive: "Toux"}, false, nil, fault.Invalid, "", "text"},
		{"the act goes on", words, false, func(a *paper.Act) { a.Finished = false }, fault.Conflict, "act-not-finished", ""},
		{"changed meanwhile", words, true, nil, fault.Conflict, "changed-meanwhile", ""},
		{"a wrong number", words, false, func(a *paper.Act) { a.Author.RPPS = "10001234" }, fault.Invalid, "", "rpps"},
		{"ready", words, false, nil, fault.Forbidden, "step-up-required", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := testkit.NewHouse(t, testkit.OpenSQLite(t))
			svc, w := open(t, h)
			doctor := authz.From(staff(care.Doctor, claire))
			doctor.SessionID, doctor.SignsUntil = "s", h.Clock.Now().Add(-time.Hour)
			edit := int64(0)
			if c.text != (documents.Text{}) {
				r, err := svc.Write(testkit.As(doctor), encounter, c.text, 0)
				if err != nil {
					t.Fatal(err)
				}
				edit = r.Edit
			}
			seen := edit
			if c.older {
				seen--
			}
			if c.change != nil {
				w.change(c.change)
			}
			_, err := svc.Sign(testkit.As(doctor), encounter, seen)
			if c.field == "" {
				refused(t, err, c.kind, c.code)
			} else if fault.KindOf(err) != c.kind || !strings.Contains(names(err), c.field) {
				t.Errorf("got %v (%s), want the field %s", err, names(err), c.field)
			}
			if r, err := svc.Read(testkit.As(doctor), encounter); err != nil || r.Status != documents.Draft || r.Edit != edit {
				t.Errorf("the draft changed: %+v %v", r, err)
			}
		})
	}
}

// names lists the fields that a refusal names.
func names(err error) (list string) {
	var f *fault.Error
	if errors.As(err, &f) {
		for _, x := range f.Fields {
			list += x.Name + " "
		}
	}
	return list
}
