package messaging

import (
	"time"

	"visavis/internal/care"
	"visavis/internal/fault"
)

// Channel is the way a message leaves.
type Channel string

// The channels.
const (
	MSSante Channel = "mssante"
	Email   Channel = "email"
	SMS     Channel = "sms"
	Paper   Channel = "paper"
)

// About is what a message says.
type About string

// What messages say.
const (
	Booked    About = "booked"
	Moved     About = "moved"
	Cancelled About = "cancelled"
	Reminder  About = "reminder"
	Link      About = "link"    // a new link to the same appointment
	Recall    About = "recall"  // it is nearly your turn: come back
	Late      About = "late"    // the professional runs late: come later
	Invited   About = "invited" // come to an act at a patient's side
	Code      About = "code"
	Documents About = "documents"
)

// Recipient is who a message is for.
type Recipient string

// The recipients.
const (
	ToPatient Recipient = "patient"
	ToDoctor  Recipient = "doctor" // the referring doctor
	// ToCompanion is somebody invited at the patient's side.
	ToCompanion Recipient = "companion"
)

// State is where a delivery stands, as people see it.
type State string

// The states.
const (
	WaitingIdentity State = "waiting-identity"
	Queued          State = "queued"
	Sending         State = "sending"
	Sent            State = "sent"
	Accepted        State = "accepted"
	Refused         State = "refused"
	Bounced         State = "bounced"
	ToPost          State = "to-post"
	Posted          State = "posted"
)

// legal is the table of transitions. A state to itself is a change of reason.
func legal(from, to State) bool {
	switch from {
	case WaitingIdentity:
		return to == WaitingIdentity || to == Queued || to == ToPost || to == Posted || to == Refused
	case Queued:
		return to == Queued || to == Sending || to == Sent || to == WaitingIdentity || to == ToPost || to == Refused
	case Sending:
		return to == Sending || to == Queued || to == Sent || to == Accepted || to == Refused || to == Bounced || to == WaitingIdentity || to == ToPost
	case Sent:
		return to == Sent || to == Accepted || to == Bounced || to == Refused
	case Accepted:
		return to == Accepted || to == Refused // a late technical refusal
	case Refused, Bounced:
		return to == ToPost || to == Queued || to == Posted
	case ToPost:
		return to == ToPost || to == Posted || to == Queued
	default:
		return false
	}
}

// The reasons shown with a state; their texts are "reason.<code>".
const (
	reasonInDoubt       = "in-doubt"
	reasonRetry         = "retry"
	reasonDelayed       = "delayed"
	reasonUnknownReport = "unknown-report"
	reasonOvertaken     = "overtaken"
	reasonWithdrawn     = "withdrawn"
	reasonExpired       = "expired"
	reasonUnreachable   = "unreachable"
	reasonNoOutlet      = "no-outlet"
	reasonNoAddress     = "no-address"
	reasonIdentity      = "identity"
	reasonHidden        = "hidden"
	reasonServer        = "server"
	reasonClosed        = "mailbox-closed"
	reasonFull          = "mailbox-full"
	reasonTooLarge      = "too-large"
	reasonDocument      = "document"
	reasonSignedBefore  = "signed-before"
	reasonNotIntegrated = "not-integrated"
	reasonPhone         = "phone-failed"
	reasonArrived       = "arrived"
	reasonProcessed     = "processed"
	reasonRead          = "read"
)

// Step is one line of a delivery's history.
type Step struct {
	At     time.Time
	State  State
	Reason string
}

// phase says how far an attempt went.
type phase string

const (
	phaseNone    phase = ""
	phaseWriting phase = "writing" // nothing has left
	phaseData    phase = "data"    // the message may have left
)

// Delivery is one message to one person by one channel.
type Delivery struct {
	ID             care.DeliveryID
	Once           string // the fact and part this delivery is made for
	Channel        Channel
	About          About
	Recipient      Recipient
	PatientID      care.PatientID
	PractitionerID care.StaffID
	OrganizationID care.OrganizationID
	AppointmentID  care.AppointmentID
	EncounterID    care.EncounterID
	CodeID         string
	CompanionID    care.CompanionID // who is invited
	Representative string           // of a minor, who asked for it: what the fact said
	Language       care.Language
	Zone           string // IANA, the patient's
	StartsAt       time.Time
	TurnFrom       time.Time // of a delay: when the patient is admitted now
	TurnTo         time.Time // zero: nobody can know
	FactAt         time.Time
	FactVersion    int // of the appointment, when the fact is about one; 0 of an older program
	State          State
	Reason         string
	Attempts       int
	NextAt         time.Time
	Label          string // who, as people say it
	Hint           string // the address, mostly hidden
	Documents      []care.DocumentID
	History        []Step
	At             time.Time

	claim        string
	claimedUntil time.Time
	phase        phase
	dataAt       time.Time
	witnessed    bool
	messageID    string
	writtenAt    time.Time
	sealedTo     []byte
	sealed       []byte
	updatedAt    time.Time
	steps        []Step // made since it was loaded
}

// to changes the state; a change the table does not know is a Conflict.
func (d *Delivery) to(s State, reason string, now time.Time) error {
	if !legal(d.State, s) {
		return fault.New(fault.Conflict, "delivery-not-now")
	}
	if d.State != s || d.Reason != reason {
		d.steps = append(d.steps, Step{At: now, State: s, Reason: reason})
	}
	d.State, d.Reason = s, reason
	return nil
}

// after tells whether the fact behind d came after another about the same
// appointment. The appointment counts its changes; clocks may agree or go back.
func (d *Delivery) after(version int, at time.Time) bool {
	if d.FactVersion > 0 && version > 0 {
		return d.FactVersion > version
	}
	return d.FactAt.After(at)
}

// settled tells whether the secret part of the message is of no more use.
func (d *Delivery) settled() bool {
	switch d.State {
	case Sent, Accepted, Posted:
		return true
	case Refused, Bounced:
		return d.About != Documents
	}
	return false
}

// inDoubt tells whether the message may have left with nobody to say so.
func (d *Delivery) inDoubt(now time.Time) bool {
	return d.State == Sending && d.phase == phaseData && !now.Before(d.claimedUntil)
}
