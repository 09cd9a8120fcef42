package tariff

import (
	"testing"

	"pgregory.net/rapid"
)

func TestPrices(t *testing.T) {
	table, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		day, specialty                                   string
		amount, reimbursed, complementary, participation int64
	}{
		{"2018-09-15", "SM54", 2500, 1650, 750, 100},
		{"2024-05-14", "SM54", 2500, 1650, 750, 100},
		{"2024-05-15", "SM54", 2500, 1550, 750, 200},
		{"2024-12-22", "SM54", 2500, 1550, 750, 200}, // 30 € is the price on the spot, not by video
		{"2026-03-10", "SM54", 2500, 1550, 750, 200},
		{"2026-03-10", "SM15", 3000, 1900, 900, 200},
		{"2026-03-10", "SM42", 5020, 3314, 1506, 200},
		{"2020-01-01", "SM42", 3000, 2000, 900, 100},
	} {
		p, ok := table.On(c.day, c.specialty)
		if !ok || p.Amount != c.amount || p.Reimbursed != c.reimbursed || p.Complementary != c.complementary || p.Participation != c.participation {
			t.Errorf("%s %s: %+v %v", c.day, c.specialty, p, ok)
		}
		if p.Source == "" || p.Label == "" {
			t.Errorf("%s %s has no source", c.day, c.specialty)
		}
	}
	if _, ok := table.On("2018-09-14", "SM54"); ok {
		t.Error("a price before teleconsultations were paid back")
	}
}

func TestNobodyLosesACent(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		table := &Table{
			fees:   []fee{{"2020-01-01", "*", "x", rapid.Int64Range(0, 100000).Draw(r, "amount"), "s"}},
			shares: []share{{"2020-01-01", rapid.Int64Range(0, 100).Draw(r, "percent"), rapid.Int64Range(0, 500).Draw(r, "participation"), "s"}},
		}
		p, ok := table.On("2026-01-01", "SM99")
		if !ok || p.Reimbursed+p.Complementary+p.Participation != p.Amount || p.Reimbursed < 0 || p.Remaining() != p.Complementary+p.Participation {
			r.Fatalf("%+v", p)
		}
	})
}

func TestBadFilesAreRefused(t *testing.T) {
	for _, text := range []string{"2020-01-01\tx", "today\ta\tb", "# fine\n\n2020-13-01\ta\tb"} {
		if err := lines("x", text, 3, func([]string) error { return nil }); err == nil {
			t.Errorf("%q accepted", text)
		}
	}
}
