package scheduling

import (
	"testing"
	"time"

	"visavis/internal/care"
)

func TestLegalTransitions(t *testing.T) {
	all := []Status{Booked, Arrived, Fulfilled, Cancelled, NoShow}
	want := map[Status]string{Booked: "-afcn", Arrived: "--fcn", Fulfilled: "-----", Cancelled: "-----", NoShow: "-af--"}
	for _, from := range all {
		got := ""
		for i, to := range all {
			letter := "-"
			if from.May(to) {
				letter = "bafcn"[i : i+1]
			}
			got += letter
		}
		if got != want[from] {
			t.Errorf("%s may become %s, want %s", from, got, want[from])
		}
	}
	if !Booked.Open() || !Arrived.Open() || Cancelled.Open() || NoShow.Open() || Fulfilled.Open() {
		t.Error("open")
	}
}

func TestWhoMayChangeUntilWhen(t *testing.T) {
	start := time.Date(2026, 3, 10, 9, 0, 0, 0, time.UTC)
	a := Appointment{Status: Booked, Interval: Interval{start, start.Add(20 * time.Minute)}}
	for _, c := range []struct {
		role care.Role
		at   time.Duration
		want bool
	}{
		{care.Patient, -time.Second, true}, {care.Patient, 0, false}, {care.Secretary, 0, true},
		{care.Doctor, 79 * time.Minute, true}, {care.Doctor, 80 * time.Minute, false},
	} {
		if got := a.Changeable(c.role, start.Add(c.at)); got != c.want {
			t.Errorf("%s at %s: %v", c.role, c.at, got)
		}
	}
	a.Status = Arrived
	if a.Changeable(care.Doctor, start) {
		t.Error("who has arrived is moved")
	}
}

func TestSpecialties(t *testing.T) {
	s, err := LoadSpecialties()
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"SM54", "SM53", "SM26"} {
		if listed, ok := s.Listed(code); !ok || listed != "SM54" || s.Label(code, care.French) != "Médecine générale" || s.Label(code, care.English) == "" {
			t.Errorf("%s is listed under %s", code, listed)
		}
	}
	if _, ok := s.Listed("SM00"); ok || s.Label("SM00", care.French) != "" {
		t.Error("SM00 is known")
	}
	if len(s.Codes("SM54")) != 3 {
		t.Error(s.Codes("SM54"))
	}
	for code, under := range s.under {
		if s.Label(under, care.French) == "" || s.Label(code, care.English) == "" {
			t.Errorf("%s has no label", code)
		}
	}
}
