package scheduling

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"visavis/internal/fault"

	"pgregory.net/rapid"
)

// zones are those people of the French Republic live in, and Lord Howe, whose
// clocks change by half an hour.
var zones = []string{
	"Europe/Paris", "America/Guadeloupe", "America/Martinique", "America/Cayenne", "America/Miquelon", "America/St_Barthelemy", "America/Marigot",
	"Indian/Reunion", "Indian/Mayotte", "Pacific/Noumea", "Pacific/Tahiti", "Pacific/Wallis", "Australia/Lord_Howe",
}

func day(t testing.TB, s string) Day {
	t.Helper()
	d, err := ParseDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func location(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := loadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func holidays(t testing.TB) Holidays {
	t.Helper()
	h, err := LoadHolidays()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// everyDay is open on the same hours every day of the week.
func everyDay(zone string, minutes int, from, to TimeOfDay) Plan {
	p := Plan{Zone: zone, ActMinutes: minutes, Horizon: 60}
	for w := time.Sunday; w <= time.Saturday; w++ {
		p.Rules = append(p.Rules, Rule{Weekday: w, From: from, To: to})
	}
	return p
}

func clocks(intervals []Interval, zone *time.Location) string {
	var out []string
	for _, i := range intervals {
		out = append(out, i.Start.In(zone).Format("15:04"))
	}
	return strings.Join(out, " ")
}

func TestClockChanges(t *testing.T) {
	paris := location(t, "Europe/Paris")
	p := everyDay("Europe/Paris", 30, At(1, 0), At(4, 0))
	for d, want := range map[string]string{
		"2026-03-28": "01:00 01:30 02:00 02:30 03:00 03:30",
		"2026-03-29": "01:00 01:30 03:00 03:30", // 02:00 to 03:00 does not exist
		"2026-10-24": "01:00 01:30 02:00 02:30 03:00 03:30",
		"2026-10-25": "01:00 01:30 02:00 02:30 03:00 03:30", // 02:00 to 03:00 comes twice, its slots once
	} {
		got := p.day(day(t, d), Holidays{}, paris)
		if clocks(got, paris) != want {
			t.Errorf("%s: %s, want %s", d, clocks(got, paris), want)
		}
	}
	autumn := p.day(day(t, "2026-10-25"), Holidays{}, paris)
	if at := autumn[2].Start.UTC().Format("15:04"); at != "00:00" {
		t.Errorf("02:00 is the first of the two: %s UTC", at)
	}
}

// TestNoSlotIsLostDoubledOrShifted is trust D4: on every day of two years, in
// every zone, the clock on the wall shows the same slots as on any other day,
// except those of an hour that does not exist.
func TestNoSlotIsLostDoubledOrShifted(t *testing.T) {
	for _, name := range zones {
		zone := location(t, name)
		p := everyDay(name, 30, 0, At(24, 0))
		missing := 0
		for d := day(t, "2026-01-01"); d <= day(t, "2027-12-31"); d++ {
			slots := p.day(d, Holidays{}, zone)
			seen := map[TimeOfDay]bool{}
			for i, s := range slots {
				local := s.Start.In(zone)
				m := At(local.Hour(), local.Minute())
				if DayOf(s.Start, zone) != d || m%30 != 0 || seen[m] {
					t.Fatalf("%s %s: slot at %s is shifted or doubled", name, d, local)
				}
				if i > 0 && slots[i-1].Overlaps(s) {
					t.Fatalf("%s %s: %s overlaps the one before", name, d, local)
				}
				if s.End.Sub(s.Start) != 30*time.Minute {
					t.Fatalf("%s %s: %s lasts %s", name, d, local, s.End.Sub(s.Start))
				}
				seen[m] = true
			}
			for m := TimeOfDay(0); m < At(24, 0); m += 30 {
				if _, exists := wall(d, m, zone); exists != seen[m] {
					t.Fatalf("%s %s: %s exists %v, offered %v", name, d, m, exists, seen[m])
				}
			}
			missing += 48 - len(slots)
		}
		want := map[string]int{"Europe/Paris": 4, "America/Miquelon": 4, "Australia/Lord_Howe": 2}[name]
		if missing != want {
			t.Errorf("%s: %d slots do not exist in two years, want %d", name, missing, want)
		}
	}
}

func TestSlotsNeverOverlap(t *testing.T) {
	h := holidays(t)
	rapid.Check(t, func(r *rapid.T) {
		p := Plan{
			Zone: rapid.SampledFrom(zones).Draw(r, "zone"), ActMinutes: rapid.IntRange(5, 120).Draw(r, "act"), Horizon: 30,
			Territory: rapid.SampledFrom([]string{"", "FR", "FR-974"}).Draw(r, "territory"),
		}
		hours := func() (TimeOfDay, TimeOfDay) {
			from := rapid.IntRange(0, 24*60-1).Draw(r, "from")
			return TimeOfDay(from), TimeOfDay(rapid.IntRange(from+1, 24*60).Draw(r, "to"))
		}
		first := day(t, rapid.SampledFrom([]string{"2026-03-27", "2026-10-23", "2026-04-03", "2026-07-13", "2026-12-24"}).Draw(r, "first"))
		for range rapid.IntRange(1, 10).Draw(r, "rules") {
			from, to := hours()
			p.Rules = append(p.Rules, Rule{Weekday: time.Weekday(rapid.IntRange(0, 6).Draw(r, "weekday")), From: from, To: to})
		}
		for range rapid.IntRange(0, 4).Draw(r, "exceptions") {
			from, to := hours()
			start := first + Day(rapid.IntRange(0, 5).Draw(r, "day"))
			p.Exceptions = append(p.Exceptions, Exception{start, start + Day(rapid.IntRange(0, 3).Draw(r, "days")), from, to, rapid.Bool().Draw(r, "open")})
		}
		if err := p.Check(); err != nil {
			r.Fatal(err)
		}
		s := Schedule{ID: "s", Plan: p}
		var last Interval
		var busy []Interval
		n := 0
		for slot := range s.Slots(h, first, first+6) {
			if n++; n > 1 && (last.Overlaps(slot.Interval) || slot.Start.Before(last.Start)) {
				r.Fatalf("%v after %v", slot.Interval, last)
			}
			last = slot.Interval
			if rapid.Bool().Draw(r, "taken") {
				busy = append(busy, Interval{slot.Start.Add(time.Minute), slot.Start.Add(2 * time.Minute)})
			}
		}
		free := 0
		for slot := range Free(s.Slots(h, first, first+6), busy, time.Time{}) {
			free++
			if slices.ContainsFunc(busy, slot.Overlaps) {
				r.Fatalf("%v is offered and taken", slot)
			}
		}
		if free+len(busy) != n {
			r.Fatalf("%d free and %d taken of %d", free, len(busy), n)
		}
	})
}

func TestRulesAndExceptions(t *testing.T) {
	paris := location(t, "Europe/Paris")
	tuesday := day(t, "2026-03-10")
	p := Plan{Zone: "Europe/Paris", ActMinutes: 20, Horizon: 30, Territory: "FR", Rules: []Rule{
		{Weekday: time.Tuesday, From: At(9, 0), To: At(10, 10)},
		{Weekday: time.Tuesday, From: At(14, 0), To: At(14, 40), Since: day(t, "2026-03-17")},
		{Weekday: time.Tuesday, From: At(18, 0), To: At(18, 20), Until: day(t, "2026-03-10")},
	}}
	h := holidays(t)
	got := func(d Day) string { return clocks(p.day(d, h, paris), paris) }
	for d, want := range map[Day]string{
		tuesday:                  "09:00 09:20 09:40 18:00",
		tuesday + 1:              "",
		tuesday + 7:              "09:00 09:20 09:40 14:00 14:20",
		day(t, "2026-07-14"):     "", // a Tuesday
		day(t, "2026-07-14") + 7: "09:00 09:20 09:40 14:00 14:20",
	} {
		if got(d) != want {
			t.Errorf("%s: %q, want %q", d, got(d), want)
		}
	}
	p.Exceptions = []Exception{{First: tuesday, Last: tuesday, From: At(9, 30), To: At(9, 35)}}
	if got(tuesday) != "09:00 09:40 18:00" {
		t.Error("absent at 09:30:", got(tuesday))
	}
	p.Exceptions = []Exception{Absent(tuesday, tuesday+7), {First: tuesday, Last: tuesday, From: At(9, 10), To: At(9, 55), Open: true}}
	if got(tuesday) != "09:10 09:30" || got(tuesday+7) != "" {
		t.Errorf("absent but open: %q %q", got(tuesday), got(tuesday+7))
	}
	july14 := day(t, "2026-07-14")
	p.Exceptions = []Exception{{First: july14, Last: july14, From: At(8, 0), To: At(8, 20), Open: true}}
	if got(july14) != "08:00" {
		t.Error("opened on a holiday:", got(july14))
	}
}

func TestFreeSlots(t *testing.T) {
	s := Schedule{ID: "s", Plan: everyDay("Europe/Paris", 60, At(9, 0), At(12, 0))}
	d := day(t, "2026-03-10")
	at := func(hour, minute int) time.Time { return time.Date(2026, 3, 10, hour-1, minute, 0, 0, time.UTC) }
	list := func(busy []Interval, after time.Time) string {
		var out []Interval
		for f := range Free(s.Slots(Holidays{}, d, d), busy, after) {
			out = append(out, f.Interval)
		}
		return clocks(out, location(t, "Europe/Paris"))
	}
	for want, busy := range map[string][]Interval{
		"09:00 10:00 11:00": nil,
		"09:00 11:00":       {{at(10, 0), at(11, 0)}},
		"11:00":             {{at(9, 59), at(10, 1)}},
		"10:00 11:00":       {{at(7, 0), at(7, 30)}, {at(8, 0), at(9, 1)}},
		"":                  {{at(0, 0), at(23, 0)}},
	} {
		if got := list(busy, at(0, 0)); got != want {
			t.Errorf("busy %v: %q, want %q", busy, got, want)
		}
	}
	if got := list(nil, at(10, 0)); got != "11:00" {
		t.Error("after 10:00:", got)
	}
	if slot, ok := first(s.Slots(Holidays{}, d, d)); !ok || !slot.Start.Equal(at(9, 0)) {
		t.Error("first slot", slot)
	}
	if _, ok := first(Free(s.Slots(Holidays{}, d, d), nil, at(23, 0))); ok {
		t.Error("a slot after the last")
	}
}

func TestHolidays(t *testing.T) {
	h := holidays(t)
	for d, territories := range map[string]string{
		"2026-01-01": "FR FR-974 FR-67", "2026-04-03": "FR-67", "2026-04-05": "", "2026-04-06": "FR", "2026-05-14": "FR", "2026-05-25": "FR",
		"2026-12-20": "FR-974", "2026-12-25": "FR", "2026-12-26": "FR-57", "2026-03-10": "", "2024-04-01": "FR", "2038-04-26": "FR", "2027-03-29": "FR",
	} {
		for _, territory := range []string{"FR", "FR-974", "FR-67", "FR-57", ""} {
			want := territory != "" && (strings.Contains(" "+territories+" ", " FR ") || strings.Contains(territories, territory))
			if territory == "FR" {
				want = strings.Contains(" "+territories+" ", " FR ")
			}
			if strings.Contains(territories, "FR-57") || strings.Contains(territories, "FR-67") {
				want = want || territory == "FR-57" || territory == "FR-67"
			}
			if got := h.Closed(day(t, d), territory); got != want {
				t.Errorf("%s in %q: closed %v, want %v", d, territory, got, want)
			}
		}
	}
}

func TestPlanCheck(t *testing.T) {
	p := everyDay("Europe/Paris", 20, At(9, 0), At(12, 0))
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	p = Plan{
		Zone: "Local", ActMinutes: 4, Notice: -1, Horizon: 366,
		Rules:      []Rule{{Weekday: 7, From: At(9, 0), To: At(9, 0), Since: 5, Until: 4}},
		Exceptions: []Exception{{First: 3, Last: 2, From: 0, To: At(24, 1)}},
	}
	const want = "fields zone:zone-unknown actMinutes:out-of-range noticeMinutes:out-of-range horizonDays:out-of-range rules[0].weekday:out-of-range " +
		"rules[0].to:hours-empty rules[0].until:days-empty exceptions[0].to:hours-empty exceptions[0].last:days-empty"
	err := p.Check()
	if err == nil || err.Error() != want || fault.KindOf(err) != fault.Invalid {
		t.Error(err)
	}
}

func TestPlanIsReadBackAsWritten(t *testing.T) {
	p := everyDay("Indian/Reunion", 15, At(8, 0), At(24, 0))
	p.Rules[0].Since, p.Territory = day(t, "2026-03-01"), "FR-974"
	p.Exceptions = []Exception{Absent(day(t, "2026-08-01"), day(t, "2026-08-31"))}
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back Plan
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	again, _ := json.Marshal(back)
	if string(raw) != string(again) || !strings.Contains(string(raw), `"to":"24:00"`) || !strings.Contains(string(raw), `"2026-08-31"`) {
		t.Errorf("%s\n%s", raw, again)
	}
	for _, bad := range []string{`{"rules":[{"from":"9:00"}]}`, `{"rules":[{"since":"2026-02-30"}]}`} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s accepted", bad)
		}
	}
}

func TestDayBegins(t *testing.T) {
	for _, c := range []struct{ zone, day, want string }{
		{"Europe/Paris", "2026-03-29", "2026-03-28T23:00:00Z"},
		{"Pacific/Noumea", "2026-03-29", "2026-03-28T13:00:00Z"},
		{"America/Santiago", "2026-09-06", "2026-09-06T04:00:00Z"}, // midnight does not exist
	} {
		if got := day(t, c.day).Begins(location(t, c.zone)).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("%s in %s begins at %s, want %s", c.day, c.zone, got, c.want)
		}
	}
}
