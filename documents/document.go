package documents

import (
	"time"

	"visavis/internal/care"
	"visavis/internal/profession"
)

// Kind is the kind of a document.
type Kind string

// The kinds of document.
const (
	KindReport       Kind = "report"
	KindPrescription Kind = "prescription"
)

// State is whether a document still holds.
type State string

// The states of a signed document. Its content never changes.
const (
	Current   State = "current"
	Replaced  State = "replaced"
	Cancelled State = "cancelled"
)

// Document is a signed document.
type Document struct {
	ID             care.DocumentID
	SetID          string
	Number         int // of the version, from 1
	Kind           Kind
	State          State
	PatientID      care.PatientID
	AuthorID       care.StaffID
	EncounterID    care.EncounterID
	AppointmentID  care.AppointmentID
	OrganizationID care.OrganizationID
	ReplacesID     care.DocumentID
	SignedAt       time.Time
	Meta

	cdaBlob, pdfBlob string
	cdaHash, pdfHash []byte
	signature        []byte
	keyID            string
}

// Meta is what is sealed of a document beside its files.
type Meta struct {
	TypeCode     string `json:"typeCode"`
	Title        string `json:"title"`
	Detail       string `json:"detail,omitempty"`
	AuthorName   string `json:"authorName"`
	AuthorTitle  string `json:"authorTitle,omitempty"`
	Confidential string `json:"confidential"`
	// Measured are the sentences of a report that the platform measured, as its sheet prints them.
	Measured []string `json:"measured,omitempty"`
}

// Files are a signed document, byte for byte as it was signed.
type Files struct{ CDA, PDF []byte }

// Access is one line of who did what with a document.
type Access struct {
	At     time.Time
	Who    string
	Word   profession.Word // of their profession, or of their role
	Action string          // read, download, sign, send
}
