package scheduling

import (
	"errors"
	"fmt"
	"time"
	_ "time/tzdata" // zones must not depend on the machine
)

// Day is a day of the calendar, in no zone: days since 1 January 1970.
type Day int

// ParseDay reads YYYY-MM-DD.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, errors.New("not a day")
	}
	return Day(t.Unix() / 86400), nil
}

// DayOf is the day an instant falls on in a zone.
func DayOf(t time.Time, zone *time.Location) Day {
	y, m, d := t.In(zone).Date()
	return dayOn(y, m, d)
}

func dayOn(y int, m time.Month, d int) Day {
	return Day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

func (d Day) utc() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// String writes YYYY-MM-DD.
func (d Day) String() string { return d.utc().Format(time.DateOnly) }

// Weekday is the day of the week.
func (d Day) Weekday() time.Weekday { return d.utc().Weekday() }

// Begins is the first instant of the day in a zone.
func (d Day) Begins(zone *time.Location) time.Time {
	for m := TimeOfDay(0); m < 24*60; m++ { // some zones change their clocks at midnight
		if t, ok := wall(d, m, zone); ok {
			return t
		}
	}
	return d.utc()
}

// MarshalText writes YYYY-MM-DD.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads YYYY-MM-DD.
func (d *Day) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDay(string(b))
	return err
}

// TimeOfDay is a time on the clock on the wall: minutes since midnight, 24:00 included.
type TimeOfDay int

// At gives the time of day for hours and minutes.
func At(hour, minute int) TimeOfDay { return TimeOfDay(60*hour + minute) }

// String writes HH:MM.
func (m TimeOfDay) String() string { return fmt.Sprintf("%02d:%02d", int(m)/60, int(m)%60) }

// MarshalText writes HH:MM.
func (m TimeOfDay) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads HH:MM.
func (m *TimeOfDay) UnmarshalText(b []byte) error {
	var hour, minute int
	if n, err := fmt.Sscanf(string(b), "%02d:%02d", &hour, &minute); n != 2 || err != nil || len(b) != 5 {
		return errors.New("not a time of day")
	}
	*m = At(hour, minute)
	return nil
}

// wall gives the instant at which the clock on the wall shows m on day d: the
// first one when a clock change repeats the hour, none when it skips it.
func wall(d Day, m TimeOfDay, zone *time.Location) (time.Time, bool) {
	naive := d.utc().Add(time.Duration(m) * time.Minute)
	for _, near := range [...]time.Duration{-24 * time.Hour, 24 * time.Hour} {
		_, offset := naive.Add(near).In(zone).Zone()
		t := naive.Add(-time.Duration(offset) * time.Second)
		if _, here := t.In(zone).Zone(); here == offset {
			return t, true
		}
	}
	return time.Time{}, false
}
