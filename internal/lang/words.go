package lang

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
	"time"
)

//go:embed catalogue/*.json
var catalogueFiles embed.FS

// nbsp keeps a number and its unit on one line.
const nbsp = "\u00a0"

// Words says dates, times, durations and money in the languages of the house.
type Words struct{ c *Catalogue }

// NewWords loads the words of dates and time zones.
func NewWords() (*Words, error) {
	sub, err := New(subFS{catalogueFiles, "catalogue"}, "fr", "en")
	if err != nil {
		return nil, err
	}
	return &Words{c: sub}, nil
}

// Clock says the time of day of t in its own zone: « 14 h 30 », « 9 h »,
// "2:30 pm".
func (w *Words) Clock(language string, t time.Time) string {
	if w.c.Match(language) == "en" {
		if t.Minute() == 0 {
			return t.Format("3 pm")
		}
		return t.Format("3:04 pm")
	}
	if t.Minute() == 0 {
		return strconv.Itoa(t.Hour()) + nbsp + "h"
	}
	return fmt.Sprintf("%d%sh%s%02d", t.Hour(), nbsp, nbsp, t.Minute())
}

// Day says the day of t with its month: « mardi 4 novembre », « jeudi 1er
// janvier », "Tuesday 4 November".
func (w *Words) Day(language string, t time.Time) string {
	return w.c.T(language, "day_month", Args{
		"weekday": w.weekday(language, t),
		"day":     w.dayNumber(language, t),
		"month":   w.c.T(language, "month_"+strconv.Itoa(int(t.Month())), nil),
	})
}

// Date says the full date of t: « 4 novembre 2026 », "4 November 2026".
func (w *Words) Date(language string, t time.Time) string {
	return w.c.T(language, "date", Args{
		"day":   w.dayNumber(language, t),
		"month": w.c.T(language, "month_"+strconv.Itoa(int(t.Month())), nil),
		"year":  strconv.Itoa(t.Year()),
	})
}

// When says an appointment's instant for a person who lives in zone here:
// « mardi 4 novembre à 14 h 30 ». When the other end lives where clocks show
// another time at that instant, the zone is named: « … (heure de Paris) ». A
// nil zone counts as here.
func (w *Words) When(language string, t time.Time, here, other *time.Location) string {
	if here == nil {
		here = time.UTC
	}
	local := t.In(here)
	said := w.c.T(language, "day_at_time", Args{"day": w.Day(language, local), "time": w.Clock(language, local)})
	if other == nil || sameOffset(t, here, other) {
		return said
	}
	return w.c.T(language, "with_zone", Args{"when": said, "zone": w.Zone(language, here)})
}

// Short is When without the month, for a text that must be short:
// « mardi 4 à 14 h 30 ».
func (w *Words) Short(language string, t time.Time, here, other *time.Location) string {
	if here == nil {
		here = time.UTC
	}
	local := t.In(here)
	said := w.c.T(language, "day_at_time", Args{
		"day":  w.c.T(language, "day_short", Args{"weekday": w.weekday(language, local), "day": w.dayNumber(language, local)}),
		"time": w.Clock(language, local),
	})
	if other == nil || sameOffset(t, here, other) {
		return said
	}
	return w.c.T(language, "with_zone", Args{"when": said, "zone": w.Zone(language, here)})
}

// Zone names a time zone as people do: « heure de Paris », « heure de La
// Réunion ». A zone without a name of its own is named after its city.
func (w *Words) Zone(language string, loc *time.Location) string {
	key := "zone_" + strings.ToLower(strings.NewReplacer("/", "_", "-", "_").Replace(loc.String()))
	if _, ok := w.c.Lookup(language, key); ok {
		return w.c.T(language, key, nil)
	}
	city := loc.String()
	if i := strings.LastIndexByte(city, '/'); i >= 0 {
		city = city[i+1:]
	}
	return w.c.T(language, "zone_other", Args{"city": strings.ReplaceAll(city, "_", " ")})
}

// In says how far an instant is: « dans 12 minutes », « dans 3 heures »,
// « dans 2 jours », « maintenant ». A negative duration is said as now.
func (w *Words) In(language string, d time.Duration) string {
	switch minutes := int(d.Round(time.Minute) / time.Minute); {
	case minutes <= 0:
		return w.c.T(language, "now", nil)
	case minutes < 60:
		return w.c.N(language, "in_minutes", minutes, nil)
	case minutes < 24*60:
		return w.c.N(language, "in_hours", (minutes+30)/60, nil)
	default:
		return w.c.N(language, "in_days", (minutes+12*60)/(24*60), nil)
	}
}

// Money says an amount given in cents of euro: « 26,50 € », « 25 € »,
// "€26.50".
func (w *Words) Money(language string, cents int64) string {
	sign := ""
	if cents < 0 {
		sign, cents = "-", -cents
	}
	units, rest := cents/100, cents%100
	if w.c.Match(language) == "en" {
		if rest == 0 {
			return sign + "€" + group(units, ",")
		}
		return fmt.Sprintf("%s€%s.%02d", sign, group(units, ","), rest)
	}
	if rest == 0 {
		return sign + group(units, "\u202f") + nbsp + "€"
	}
	return fmt.Sprintf("%s%s,%02d%s€", sign, group(units, "\u202f"), rest, nbsp)
}

func (w *Words) weekday(language string, t time.Time) string {
	return w.c.T(language, "weekday_"+strconv.Itoa(int(t.Weekday())), nil)
}

func (w *Words) dayNumber(language string, t time.Time) string {
	if t.Day() == 1 {
		return w.c.T(language, "first_of_month", nil)
	}
	return strconv.Itoa(t.Day())
}

func sameOffset(t time.Time, a, b *time.Location) bool {
	_, oa := t.In(a).Zone()
	_, ob := t.In(b).Zone()
	return oa == ob
}

func group(n int64, sep string) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + sep + digits[i:]
	}
	return digits
}
