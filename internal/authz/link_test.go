package authz

import (
	"slices"
	"testing"

	"visavis/internal/care"

	"github.com/google/go-cmp/cmp"
)

// TestWhatALinkOpens is docs/decisions/0008: every action on a record that the
// link of a patient allows by itself, and every one that the second factor adds.
// One more is one more decision: write it there.
func TestWhatALinkOpens(t *testing.T) {
	table := load(t)
	link, code := []string{}, []string{}
	for _, act := range table.Actions() {
		can := func(l Level) bool { return table.Can(Actor{Role: care.Patient, Level: l}, act, Own) == nil }
		switch {
		case can(LevelLink):
			link = append(link, string(act))
		case can(LevelCode):
			code = append(code, string(act))
		}
	}
	slices.Sort(link)
	slices.Sort(code)
	if diff := cmp.Diff([]string{"appointment.cancel", "appointment.move", "appointment.read", "check.run", "companion.invite", "companion.list",
		"companion.revoke", "consent.grant", "consent.prove", "consent.read",
		"consent.receipt", "consent.withdraw", "link.revoke", "seat.admission", "still.keep"}, link); diff != "" {
		t.Errorf("the link alone: %s", diff)
	}
	if diff := cmp.Diff([]string{"declaration.read", "declaration.write", "document.accesses", "document.list", "document.read", "patient.read", "still.list", "still.read"}, code); diff != "" {
		t.Errorf("link and code: %s", diff)
	}

	// The record of another act of the same patient is somebody else's to a link.
	a := Actor{Role: care.Patient, PatientID: "p", AppointmentID: "mine", Level: LevelCode}
	for s, want := range map[Subject]Relation{
		{PatientID: "p", AppointmentID: "mine"}:  Own,
		{PatientID: "p", AppointmentID: "other"}: Other,
		{PatientID: "q", AppointmentID: "mine"}:  Other,
		{PatientID: "p"}:                         Own, // their file, which the table keeps behind the code
		{AppointmentID: "mine"}:                  Other,
	} {
		if got := a.To(s, false); got != want {
			t.Errorf("%+v: %c, want %c", s, got, want)
		}
	}
}
