package scheduling

import (
	"context"
	"slices"
	"time"

	"visavis/internal/care"
)

// Status is where an appointment stands (FHIR R4 AppointmentStatus).
type Status string

// The statuses.
const (
	Booked    Status = "booked"
	Arrived   Status = "arrived"
	Fulfilled Status = "fulfilled"
	Cancelled Status = "cancelled"
	NoShow    Status = "noshow"
)

// legal lists what each status may become. What is not here never happens.
var legal = map[Status][]Status{
	Booked:    {Arrived, Fulfilled, Cancelled, NoShow},
	Arrived:   {Fulfilled, Cancelled, NoShow},
	Fulfilled: {},
	Cancelled: {},
	NoShow:    {Arrived, Fulfilled}, // came after all
}

// May tells whether a status may become another.
func (s Status) May(next Status) bool { return slices.Contains(legal[s], next) }

// Open tells whether the act is still to come or going on.
func (s Status) Open() bool { return s == Booked || s == Arrived }

// Shown is the price the person saw before confirming (product B19), in cents
// of euro, and where it came from. When Known is false there was no tariff to
// show, the person saw that, and the rest is zero.
type Shown struct {
	Known      bool
	Amount     int64
	Reimbursed int64
	Source     string
}

// Subject is what a patient says of allergies, or of treatments: state "none", "listed" with a text, or nothing.
type Subject struct{ State, Text string }

// Declared is what a patient says at a booking; the zero value says nothing.
type Declared struct{ Allergies, Treatments Subject }

// Declarations keeps what a patient says, in the caller's transaction; encounters/declared answers. It fails as Invalid,
// naming the fields after "declared.".
type Declarations interface {
	Declare(ctx context.Context, id care.AppointmentID, patient care.PatientID, d Declared) error
}

// Appointment is a slot taken by a patient.
type Appointment struct {
	ID             care.AppointmentID
	ScheduleID     care.ScheduleID
	PractitionerID care.StaffID
	OrganizationID care.OrganizationID
	PatientID      care.PatientID
	Status         Status
	Interval
	Zone     string        // the patient's, to tell them the time
	Language care.Language // the patient's
	Shown    Shown
	BookedBy care.Role
	BookedAt time.Time
	Version  int
}

// late is how long after the end staff may still act, and after which nobody
// who has not come is expected.
const late = time.Hour

// Changeable tells whether a role may move or cancel now: patients until the
// start, staff until an hour after the end.
func (a Appointment) Changeable(by care.Role, now time.Time) bool {
	if by == care.Patient {
		return a.Status == Booked && now.Before(a.Start)
	}
	return a.Status == Booked && now.Before(a.End.Add(late))
}
