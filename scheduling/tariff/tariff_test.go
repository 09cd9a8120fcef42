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
		p, ok := table.On(c.day, "10", c.specialty)
		if !ok || p.Amount != c.amount || p.Reimbursed != c.reimbursed || p.Complementary != c.complementary || p.Participation != c.participation {
			t.Errorf("%s %s: %+v %v", c.day, c.specialty, p, ok)
		}
		if p.Source == "" || p.Label == "" {
			t.Errorf("%s %s has no source", c.day, c.specialty)
		}
	}
	if _, ok := table.On("2018-09-14", "10", "SM54"); ok {
		t.Error("a price before teleconsultations were paid back")
	}
}

// TestOn_NoTariff: the tariffs are those of physicians; an oral surgeon may be a
// dentist, and the rows for physicians of the same specialty are not theirs.
func TestOn_NoTariff(t *testing.T) {
	table, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{{"50", ""}, {"40", ""}, {"40", "SM56"}, {"40", "SCD01"}, {"21", ""}, {"60", ""}, {"", "SM54"}, {"86", "*"}} {
		if p, ok := table.On("2026-11-29", c[0], c[1]); ok {
			t.Errorf("profession %s, specialty %s: %+v", c[0], c[1], p)
		}
	}
	if _, ok := table.On("2026-11-29", "10", "SM56"); !ok {
		t.Error("no price for a physician who is an oral surgeon")
	}
}

// TestOf_Age: the participation is owed from the eighteenth birthday, on the day of
// the act (CSS L160-13 II).
func TestOf_Age(t *testing.T) {
	table, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		born, day  string
		reimbursed int64
	}{
		{"2012-03-04", "2026-11-29", 1750},
		{"2026-11-29", "2026-11-29", 1750},
		{"2008-11-30", "2026-11-29", 1750},
		{"2008-11-29", "2026-11-29", 1550},
		{"2008-11-28", "2026-11-29", 1550},
		{"2008-02-29", "2026-02-28", 1750},
		{"2008-02-29", "2026-03-01", 1550},
		{"1950-01-01", "2026-11-29", 1550},
		{"2010-05-15", "2024-05-14", 1750}, // one euro then
		{"", "2026-11-29", 1550},
		{"2012", "2026-11-29", 1550},
	} {
		p, ok := table.On(c.day, "10", "SM54")
		if got := p.Of(c.born, c.day); !ok || got.Reimbursed != c.reimbursed || got.Amount != 2500 || got.Remaining() != 2500-c.reimbursed {
			t.Errorf("born %s, act %s: %+v, want %d paid back", c.born, c.day, got, c.reimbursed)
		}
	}
}

func TestNobodyLosesACent(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		table := &Table{
			fees:   []fee{{"2020-01-01", "10", "*", "x", rapid.Int64Range(0, 100000).Draw(r, "amount"), "s"}},
			shares: []share{{"2020-01-01", rapid.Int64Range(0, 100).Draw(r, "percent"), rapid.Int64Range(0, 500).Draw(r, "participation"), 18, "s"}},
		}
		p, ok := table.On("2026-01-01", "10", "SM99")
		if !ok || p.Reimbursed+p.Complementary+p.Participation != p.Amount || p.Reimbursed < 0 || p.Remaining() != p.Complementary+p.Participation {
			r.Fatalf("%+v", p)
		}
		young := p.Young()
		if young.Reimbursed+young.Complementary != young.Amount || young.Participation != 0 || young.Remaining() != young.Complementary {
			r.Fatalf("%+v", young)
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
