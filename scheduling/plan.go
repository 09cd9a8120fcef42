package scheduling

import (
	"fmt"
	"slices"
	"time"

	"visavis/internal/care"
	"visavis/internal/fault"
)

// Schedule is the agenda of one practitioner.
type Schedule struct {
	ID             care.ScheduleID
	PractitionerID care.StaffID
	OrganizationID care.OrganizationID
	Plan           Plan
	Version        int
}

// Plan says when a practitioner receives, on the clock of their zone.
type Plan struct {
	Zone       string      `json:"zone"`                // IANA name
	ActMinutes int         `json:"actMinutes"`          // length of a slot, 5 to 120
	Notice     int         `json:"noticeMinutes"`       // patients book at least that long before
	Horizon    int         `json:"horizonDays"`         // and at most that long, 1 to 365
	Territory  string      `json:"territory,omitempty"` // closed on its public holidays (FR, FR-974…); empty: works on them
	Rules      []Rule      `json:"rules"`
	Exceptions []Exception `json:"exceptions,omitempty"`
}

// Rule is an opening that comes back every week.
type Rule struct {
	Weekday time.Weekday `json:"weekday"` // 0 is Sunday
	From    TimeOfDay    `json:"from"`
	To      TimeOfDay    `json:"to"`
	Since   Day          `json:"since,omitzero"` // first day; zero: always
	Until   Day          `json:"until,omitzero"` // last day; zero: for ever
}

// Exception closes, or opens, the same hours of some days.
type Exception struct {
	First Day       `json:"first"`
	Last  Day       `json:"last"`
	From  TimeOfDay `json:"from"`
	To    TimeOfDay `json:"to"`
	Open  bool      `json:"open,omitempty"`
}

// Absent closes whole days, first and last included.
func Absent(first, last Day) Exception {
	return Exception{First: first, Last: last, From: 0, To: At(24, 0)}
}

// Same tells whether two plans say the same, rule by rule.
func (p Plan) Same(q Plan) bool {
	rules, exceptions := slices.Equal(p.Rules, q.Rules), slices.Equal(p.Exceptions, q.Exceptions)
	return rules && exceptions && p.Zone == q.Zone && p.ActMinutes == q.ActMinutes && p.Notice == q.Notice &&
		p.Horizon == q.Horizon && p.Territory == q.Territory
}

func (r Rule) on(d Day) bool {
	return d.Weekday() == r.Weekday && d >= r.Since && (r.Until == 0 || d <= r.Until)
}

func (e Exception) on(d Day) bool { return e.First <= d && d <= e.Last }

// Check tells everything that is wrong with a plan.
func (p Plan) Check() error {
	var problems []fault.Field
	wrong := func(bad bool, name, code string) {
		if bad {
			problems = append(problems, fault.Field{Name: name, Code: code})
		}
	}
	_, err := loadZone(p.Zone)
	wrong(err != nil, "zone", "zone-unknown")
	wrong(p.ActMinutes < 5 || p.ActMinutes > 120, "actMinutes", "out-of-range")
	wrong(p.Notice < 0 || p.Notice > 7*24*60, "noticeMinutes", "out-of-range")
	wrong(p.Horizon < 1 || p.Horizon > 365, "horizonDays", "out-of-range")
	for i, r := range p.Rules {
		name := fmt.Sprintf("rules[%d]", i)
		wrong(r.Weekday < time.Sunday || r.Weekday > time.Saturday, name+".weekday", "out-of-range")
		wrong(!window(r.From, r.To), name+".to", "hours-empty")
		wrong(r.Until != 0 && r.Until < r.Since, name+".until", "days-empty")
	}
	for i, e := range p.Exceptions {
		name := fmt.Sprintf("exceptions[%d]", i)
		wrong(!window(e.From, e.To), name+".to", "hours-empty")
		wrong(e.Last < e.First, name+".last", "days-empty")
	}
	return fault.Fields(problems...)
}

func window(from, to TimeOfDay) bool { return 0 <= from && from < to && to <= At(24, 0) }

// loadZone refuses the two names that mean something else on each machine.
func loadZone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("scheduling: no zone %q", name)
	}
	return time.LoadLocation(name)
}
