package consent

import (
	"fmt"
	"testing"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/testkit"
)

// TestDuringAnAct: what was in force when the act began, and what was decided
// until its end; never what came after it.
func TestDuringAnAct(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		me, doctor := testkit.As(patient(zoe, anAct)), testkit.As(staff(care.Doctor, martin))
		t0 := h.Clock.Now()
		at := func(minute int) time.Time { return t0.Add(time.Duration(minute) * time.Minute) }
		step := func(minute int, state care.ConsentState) {
			t.Helper()
			h.Clock.Set(at(minute))
			var err error
			if state == care.ConsentWithdrawn {
				_, err = s.Withdraw(me, anAct, Screen{})
			} else {
				_, err = s.Decide(me, s.decision(state, Web))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		step(0, care.ConsentGranted)
		step(10, care.ConsentWithdrawn)
		step(12, care.ConsentGranted)
		step(30, care.ConsentWithdrawn)
		for _, c := range []struct {
			from, to int
			want     string
		}{
			{5, 8, "[1]"},      // the ordinary case
			{5, 11, "[1 2]"},   // withdrawn meanwhile
			{5, 20, "[1 2 3]"}, // and given again
			{15, 20, "[3]"},    // what was before is over
			{15, 29, "[3]"},    // withdrawn after the end: not of the act
			{11, 20, "[2 3]"},  // without consent at the start
			{30, 40, "[4]"}, {-9, -5, "[]"}, {-9, 5, "[1]"},
		} {
			list, err := s.During(doctor, anAct, at(c.from), at(c.to))
			got := []int{}
			for _, r := range list {
				got = append(got, r.Seq)
			}
			if err != nil || fmt.Sprint(got) != c.want {
				t.Errorf("from %d to %d: %v %v, want %s", c.from, c.to, got, err, c.want)
			}
		}
		stranger := testkit.As(authz.Actor{Role: care.Doctor, StaffID: "0190cccc-0000-7000-8000-0000000000ee", OrganizationID: "0190dddd-0000-7000-8000-000000000009", SessionID: "s", Level: authz.LevelPSC})
		if _, err := s.During(stranger, anAct, at(0), at(9)); fault.KindOf(err) != fault.NotFound && fault.KindOf(err) != fault.Forbidden {
			t.Errorf("a stranger: %v", err)
		}
	})
}
