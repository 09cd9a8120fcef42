package events

import "visavis/internal/care"

// The facts modules tell each other. A payload holds identifiers and times
// only: no name, no clinical word, no secret. It must stay readable one
// version back and forward, so fields are added, never renamed.
const (
	AppointmentBooked    = "AppointmentBooked"
	AppointmentMoved     = "AppointmentMoved"
	AppointmentCancelled = "AppointmentCancelled"
	ConsentRecorded      = "ConsentRecorded"
	PatientArrived       = "PatientArrived"
	PatientWentAway      = "PatientWentAway" // from the waiting room
	PatientRecalled      = "PatientRecalled" // is nearly next and not looking: to be told
	ActDelayed           = "ActDelayed"      // who is to come soon will not be admitted at their time: to be told
	EncounterStarted     = "EncounterStarted"
	ParticipantJoined    = "ParticipantJoined"
	ParticipantLeft      = "ParticipantLeft"
	MediaIncident        = "MediaIncident"
	MediaFlowed          = "MediaFlowed"
	MediaMeasured        = "MediaMeasured" // what a client said of its own call
	EncounterFinished    = "EncounterFinished"
	ReportSigned         = "ReportSigned"
	PrescriptionIssued   = "PrescriptionIssued"
	LinkRequested        = "LinkRequested"
	CodeRequested        = "CodeRequested"
	ContactCodeRequested = "ContactCodeRequested" // by somebody not known yet
	CompanionInvited     = "CompanionInvited"
	DeliveryChanged      = "DeliveryChanged"
	StillKept            = "StillKept" // the photo that a host asked for in the call
)

// Appointment is the payload of the Appointment… facts.
type Appointment struct {
	AppointmentID  care.AppointmentID  `json:"appointmentId"`
	PatientID      care.PatientID      `json:"patientId"`
	PractitionerID care.StaffID        `json:"practitionerId"`
	OrganizationID care.OrganizationID `json:"organizationId"`
	Start          int64               `json:"start"` // microseconds, as store.Micros
	End            int64               `json:"end"`
	Language       care.Language       `json:"language"`
	Zone           string              `json:"zone"`
	By             care.Role           `json:"by"`
	// Version of the appointment, from 1: facts may be told out of order.
	Version int `json:"version,omitempty"`
}

// Consent is the payload of ConsentRecorded.
type Consent struct {
	ConsentID     care.ConsentID     `json:"consentId"`
	AppointmentID care.AppointmentID `json:"appointmentId"`
	PatientID     care.PatientID     `json:"patientId"`
	State         care.ConsentState  `json:"state"`
}

// Presence is the payload of PatientArrived, PatientWentAway, PatientRecalled, EncounterStarted,
// ParticipantJoined, ParticipantLeft and EncounterFinished.
type Presence struct {
	EncounterID care.EncounterID `json:"encounterId"`
	SeatID      string           `json:"seatId,omitempty"`
	PersonID    string           `json:"personId,omitempty"` // a PatientID, a StaffID or a CompanionID
	Role        care.Role        `json:"role,omitempty"`
	At          int64            `json:"at"`
	// Assumed, of ParticipantLeft: nobody saw them leave, At is when they were
	// last known to be there.
	Assumed bool `json:"assumed,omitempty"`
	// How, of ParticipantLeft: the proven cause, one of the Left… constants;
	// empty when nothing proves one.
	How string `json:"how,omitempty"`
}

// The proven causes of a departure.
const (
	LeftByButton       = "left"            // the person pressed leave
	LeftRemoved        = "removed"         // a host removed them
	LeftPageClosed     = "page-closed"     // their client said that its page closes, and did not come back
	LeftConnectionLost = "connection-lost" // the server heard nothing more of them, and their client did not say goodbye
	LeftSignedOut      = "signed-out"      // their sign-in ended
	LeftAppRestarted   = "app-restarted"   // the server stopped or died while they were there
)

// Delay is the payload of ActDelayed. Minutes is the threshold after the planned
// time that is passed for sure; the patient is admitted between From and To, and
// not before From when To is 0: the professional is not there.
type Delay struct {
	EncounterID care.EncounterID `json:"encounterId"`
	Minutes     int              `json:"minutes"`
	From        int64            `json:"from"` // microseconds
	To          int64            `json:"to,omitempty"`
	At          int64            `json:"at"`
}

// Media is the payload of MediaIncident and MediaFlowed. Code is one of the
// incident codes of the signaling document; an incident of our own side has no
// SeatID when it is everybody's; Seconds is how long video flowed
// both ways since the start of the call.
type Media struct {
	EncounterID care.EncounterID `json:"encounterId"`
	SeatID      string           `json:"seatId,omitempty"`
	Code        string           `json:"code,omitempty"`
	Seconds     int              `json:"seconds,omitempty"`
	At          int64            `json:"at"`
}

// Measured is the payload of MediaMeasured: what one seat's client said of its
// call, in the order of time. Numbers and words of closed lists only.
type Measured struct {
	EncounterID care.EncounterID `json:"encounterId"`
	SeatID      string           `json:"seatId"`
	Role        care.Role        `json:"role"`
	Samples     []Sample         `json:"samples"`
}

// Sample is the quality of one stretch of a call, seen by one client. What is
// nil was not said. Losses are in thousandths, rates in kbit/s, times in
// milliseconds; words as in the signaling document.
type Sample struct {
	At       int64         `json:"at"` // its end, microseconds, by the server's clock
	Ms       int           `json:"ms,omitempty"`
	Word     string        `json:"word"`
	RTT      *int          `json:"rtt,omitempty"`
	Up       *int          `json:"up,omitempty"`
	Down     *int          `json:"down,omitempty"`
	UpLoss   *int          `json:"upLoss,omitempty"`
	DownLoss *int          `json:"downLoss,omitempty"`
	Freezes  int           `json:"freezes,omitempty"`
	FreezeMs int           `json:"freezeMs,omitempty"`
	Pair     string        `json:"pair,omitempty"`
	Faults   []DeviceFault `json:"faults,omitempty"`
	// Pauses are those near the stretch, as the server knows them; a client cannot say any.
	Pauses []Pause `json:"pauses,omitempty"`
}

// Pause is a time in which a picture was stopped on purpose, in microseconds; From is
// 0 when its beginning is not known. What is one of the Pause… constants.
type Pause struct {
	What string `json:"what"`
	From int64  `json:"from"`
	To   int64  `json:"to"`
}

// The kinds of pauses, as seen from the seat whose sample it is.
const (
	PauseHold    = "hold"    // the seat was on hold: it neither sent nor received
	PauseHidden  = "hidden"  // its page showed no picture, so that none was sent to it
	PausePhoto   = "photo"   // it was asked for a photo
	PauseCamera  = "camera"  // its own camera was off
	PausePicture = "picture" // somebody else's picture was stopped: held, camera off, photo, not shown, left
	PauseScreen  = "screen"  // somebody else shared a screen, which may stand still for long
)

// DeviceFault is one thing that happened to a client during a stretch; Ms is
// how long it lasted, 0 when it is not over or has no length.
type DeviceFault struct {
	What string `json:"what"`
	Ms   int    `json:"ms,omitempty"`
}

// Still is the payload of StillKept.
type Still struct {
	StillID     string           `json:"stillId"`
	RequestID   string           `json:"requestId"` // of signaling
	EncounterID care.EncounterID `json:"encounterId"`
	PatientID   care.PatientID   `json:"patientId"`
	At          int64            `json:"at"`
}

// Document is the payload of ReportSigned and PrescriptionIssued.
type Document struct {
	DocumentID  care.DocumentID  `json:"documentId"`
	EncounterID care.EncounterID `json:"encounterId"`
	PatientID   care.PatientID   `json:"patientId"`
	AuthorID    care.StaffID     `json:"authorId"`
	Version     int              `json:"version"`
	ReplacesID  care.DocumentID  `json:"replacesId,omitempty"`
}

// Link is the payload of LinkRequested: a patient, or a secretary for them,
// asked for a new join link of an appointment. Representative, when a minor's
// asked, is how identity finds which: a blind index, no address.
type Link struct {
	AppointmentID  care.AppointmentID `json:"appointmentId"`
	PatientID      care.PatientID     `json:"patientId"`
	Representative string             `json:"representative,omitempty"`
}

// Companion is the payload of CompanionInvited: somebody is to be sent a link of
// their own to an act; identity, when asked, tells who and where.
type Companion struct {
	CompanionID   care.CompanionID   `json:"companionId"`
	AppointmentID care.AppointmentID `json:"appointmentId"`
	PatientID     care.PatientID     `json:"patientId"`
}

// Code is the payload of CodeRequested. The code itself waits sealed in
// identity, which gives it to messaging when asked.
type Code struct {
	CodeID         string         `json:"codeId"`
	PatientID      care.PatientID `json:"patientId"`
	Channel        string         `json:"channel"` // sms or email
	Representative string         `json:"representative,omitempty"`
}

// ContactCode is the payload of ContactCodeRequested. The code and the contact wait
// sealed in identity.
type ContactCode struct {
	CodeID   string        `json:"codeId"`
	Channel  string        `json:"channel"` // sms or email
	Language care.Language `json:"language"`
	// PractitionerID is whose appointment is being booked: the message names their organisation.
	PractitionerID care.StaffID `json:"practitionerId,omitempty"`
}

// Delivery is the payload of DeliveryChanged.
type Delivery struct {
	DeliveryID  care.DeliveryID  `json:"deliveryId"`
	EncounterID care.EncounterID `json:"encounterId,omitempty"`
	State       string           `json:"state"`
}
