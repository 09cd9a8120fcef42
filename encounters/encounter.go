package encounters

import (
	"time"

	"visavis/internal/care"
	"visavis/internal/fault"
)

// Status is where the act stands (FHIR R4 EncounterStatus).
type Status string

// The states of an act.
const (
	Planned    Status = "planned"
	Arrived    Status = "arrived"
	InProgress Status = "in-progress"
	Finished   Status = "finished"
	Cancelled  Status = "cancelled"
)

// next is the table of legal transitions. A state may follow itself: facts are
// delivered at least once.
var next = map[Status][]Status{
	Planned:    {Planned, Arrived, InProgress, Finished, Cancelled},
	Arrived:    {Arrived, Planned, InProgress, Finished, Cancelled},
	InProgress: {InProgress, Finished},
	Finished:   {Finished},
	Cancelled:  {Cancelled},
}

// Encounter is one act.
type Encounter struct {
	ID             care.EncounterID
	AppointmentID  care.AppointmentID
	PatientID      care.PatientID
	PractitionerID care.StaffID
	OrganizationID care.OrganizationID
	Kind           care.ActKind
	Status         Status
	PlannedStart   time.Time
	PlannedEnd     time.Time
	ArrivedAt      time.Time // the patient reached the waiting room
	StartedAt      time.Time // the professional admitted the patient
	FinishedAt     time.Time
	IdentifiedAt   time.Time // the professional confirmed who the patient is (A9)
	IdentifiedHow  How
	IdentifiedBy   care.StaffID
	VideoSeconds   int // video flowed both ways for that long
	Version        int64
	// AppointmentVersion is that of the appointment this act follows.
	AppointmentVersion int
	waitingToldAt      time.Time // of the last news from the waiting room

	Team      []Member
	Presence  []Presence // of people, and of the devices they brought
	Incidents []Incident
}

// How a professional made sure of the patient's identity.
type How string

// The ways to confirm an identity.
const (
	FaceAndName How = "face-and-name"
	Document    How = "document"
)

// Member is a professional invited into the act (product B2, B14).
type Member struct {
	StaffID   care.StaffID
	Role      care.Role
	InvitedBy care.StaffID
	At        time.Time
}

// Incident is a technical incident of the act (R6316-4, 5°).
type Incident struct {
	ID     string
	SeatID string
	Code   string // of docs/signaling.md; its text is incident.<code>
	At     time.Time
}

// RoleDevice is the role of a stay of a thing, as signaling names it: an
// ultrasound, a screen. Its person is the device's seat.
const RoleDevice care.Role = "device"

// to moves the act to a state, or refuses what the table does not allow.
func (e *Encounter) to(s Status, at time.Time) error {
	allowed := false
	for _, n := range next[e.Status] {
		allowed = allowed || n == s
	}
	if !allowed {
		return fault.New(fault.Conflict, "encounter-"+string(e.Status))
	}
	e.Status = s
	switch {
	case s == Planned:
		e.ArrivedAt = time.Time{} // nobody waits
	case s == Arrived && e.ArrivedAt.IsZero():
		e.ArrivedAt = at
	case s == InProgress && e.StartedAt.IsZero():
		e.StartedAt = at
	case s == Finished && e.FinishedAt.IsZero():
		e.FinishedAt = at
	}
	return nil
}

// Over tells whether the act has ended or was cancelled.
func (e *Encounter) Over() bool { return !e.open() }

// boundVideo holds the seconds of video to the length of an ended act: the seconds
// in which pictures went both ways are counted whole, its first and last too.
func (e *Encounter) boundVideo() {
	if !e.StartedAt.IsZero() && !e.FinishedAt.IsZero() {
		e.VideoSeconds = min(e.VideoSeconds, max(0, int(e.FinishedAt.Unix()-e.StartedAt.Unix())))
	}
}

// open tells whether people may still meet in this act.
func (e *Encounter) open() bool { return e.Status != Finished && e.Status != Cancelled }

// inTeam tells whether a professional was invited.
func (e *Encounter) inTeam(id care.StaffID) bool {
	for _, m := range e.Team {
		if m.StaffID == id {
			return true
		}
	}
	return false
}
