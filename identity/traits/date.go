package traits

import (
	"fmt"
	"time"
)

// Date is a day of the civil calendar. It sorts as text: YYYY-MM-DD.
type Date string

// ParseDate reads YYYY-MM-DD ("date-shape" when it is no day of the calendar).
func ParseDate(text string) (Date, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil || t.Year() < 1 {
		return "", Refusal("date-shape")
	}
	return Date(t.Format(time.DateOnly)), nil
}

// DayOf is the day an instant falls on in a zone.
func DayOf(t time.Time, zone *time.Location) Date {
	return Date(t.In(zone).Format(time.DateOnly))
}

// CheckBirth refuses a birth date after today ("in-future") or more than 130
// years before it ("too-old").
func (d Date) CheckBirth(today Date) error {
	switch {
	case d > today:
		return Refusal("in-future")
	case d.Age(today) > 130:
		return Refusal("too-old")
	}
	return nil
}

// Age is the number of whole years lived on a day. Someone born on 29 February
// grows older on 1 March of ordinary years. A date before the birth gives a
// negative age.
func (d Date) Age(on Date) int {
	var by, bm, bd, y, m, day int
	fmt.Sscanf(string(d), "%d-%d-%d", &by, &bm, &bd)
	fmt.Sscanf(string(on), "%d-%d-%d", &y, &m, &day)
	age := y - by
	if m < bm || m == bm && day < bd {
		age--
	}
	return age
}

// Minor tells whether the person is under 18 on a day (Code civil, art. 388).
func (d Date) Minor(on Date) bool { return d.Age(on) < 18 }
