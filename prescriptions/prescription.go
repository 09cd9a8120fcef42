package prescriptions

import (
	"time"

	"visavis/internal/care"
	"visavis/internal/sheet"
	"visavis/prescriptions/prescriber"
)

// Status is where a prescription stands.
type Status string

// The states of a prescription.
const (
	Draft     Status = "draft"
	Signed    Status = "signed"
	Replaced  Status = "replaced"
	Cancelled Status = "cancelled"
)

// next is the table of legal transitions; a draft may also be dropped.
var next = map[Status][]Status{
	Draft:     {Signed},
	Signed:    {Replaced, Cancelled},
	Replaced:  {},
	Cancelled: {},
}

func (p *Prescription) to(s Status) bool {
	for _, n := range next[p.Status] {
		if n == s {
			p.Status = s
			return true
		}
	}
	return false
}

// Category is what is prescribed.
type Category string

// The categories of a prescription.
const (
	Medicines     Category = "medicines"
	Biology       Category = "biology"
	Imaging       Category = "imaging"
	Nursing       Category = "nursing"
	Physiotherapy Category = "physiotherapy"
	Device        Category = "device"
	Other         Category = "other"
)

// form gives the printed kind and the type of the CDA document (JDV_J07); ok is false for no category.
func (c Category) form() (kind sheet.Kind, typeCode string, ok bool) {
	switch c {
	case Medicines:
		return sheet.Medicines, "57833-6", true
	case Biology:
		return sheet.Biology, "PRESC-BIO", true
	case Imaging:
		return sheet.Imaging, "55115-0", true
	case Nursing:
		return sheet.Nursing, "PRESC-INF", true
	case Physiotherapy:
		return sheet.Physiotherapy, "PRESC-KINE", true
	case Device:
		return sheet.Device, "57833-6", true
	case Other:
		return sheet.Other, "57828-6", true
	}
	return "", "", false
}

// Line is one thing prescribed: words for an exam or care, words with a quantity and a duration for a
// device, the other fields for a medicine.
type Line struct {
	Text      string `json:"text,omitempty" maxLength:"2000" printed:"text"`
	CIS       string `json:"cis,omitempty" maxLength:"8" doc:"code of the speciality; empty for what the index does not know"`
	Name      string `json:"name,omitempty" maxLength:"300" printed:"line"`
	Regulated string `json:"regulated,omitempty" maxLength:"100" printed:"line" doc:"of a regulated medicine that the base does not have: its name in visavis' own list; name and inn are then made of it, of strength and of form"`
	Strength  string `json:"strength,omitempty" maxLength:"40" printed:"line" doc:"of a regulated medicine: of one unit or of a volume, as 0,25 mg"`
	INN       string `json:"inn,omitempty" maxLength:"300" printed:"line"`
	Form      string `json:"form,omitempty" maxLength:"200" printed:"line"`
	Dose      string `json:"dose,omitempty" maxLength:"300" printed:"line"`
	Frequency string `json:"frequency,omitempty" maxLength:"500" printed:"line"`
	// Dosage, when given, makes Dose and Frequency.
	Dosage           *Dosage `json:"dosage,omitempty"`
	LPP              string  `json:"lpp,omitempty" maxLength:"7" pattern:"^([0-9]{7})?$" doc:"of a device: its code in the list of reimbursed products"`
	DurationDays     int     `json:"durationDays,omitempty" minimum:"0" maximum:"400"`
	Quantity         int     `json:"quantity,omitempty" minimum:"0" maximum:"999" doc:"packages"`
	Renewals         int     `json:"renewals,omitempty" minimum:"0" maximum:"99"`
	NonSubstitutable string  `json:"nonSubstitutable,omitempty" enum:"MTE,EFG,CIF"`
	Pharmacist       string  `json:"pharmacist,omitempty" maxLength:"500" printed:"text" doc:"words for the pharmacist"`
	ALD              bool    `json:"ald,omitempty"`
	WorkAccident     bool    `json:"workAccident,omitempty"`
	WorkAccidentDate string  `json:"workAccidentDate,omitempty" maxLength:"10" doc:"YYYY-MM-DD, when known"`
	NotReimbursable  bool    `json:"notReimbursable,omitempty"`
	OffLabel         bool    `json:"offLabel,omitempty"`
	// What the prescriber confirmed of words that the medicines base does not know. Kept with the prescription, not printed.
	NotRestricted bool     `json:"notRestricted,omitempty" doc:"neither narcotic, hypnotic nor anxiolytic; of a medicine written by hand"`
	Acknowledged  []string `json:"acknowledged,omitempty" maxItems:"20" maxLength:"200" doc:"matches with what the patient declared that the prescriber has seen: code:name of the warning"`
	NotPrescribed []string `json:"notPrescribed,omitempty" maxItems:"10" maxLength:"100" doc:"names that the words resemble or cite, and that this line does not prescribe"`
	// What the prescriber states of the conditions of the medicine (package prescriber).
	Initial   *prescriber.Initial `json:"initial,omitempty" doc:"the initial prescription that this one renews, when somebody else had to make it"`
	Confirmed []string            `json:"confirmed,omitempty" maxItems:"30" doc:"sentences of the base that the prescriber says are done or hold"`
	Listed    bool                `json:"listed,omitempty" doc:"the prescriber says that the medicine is of the list of their profession"`
}

// Content is what is sealed of a prescription.
type Content struct {
	Category Category `json:"category"`
	Lines    []Line   `json:"lines"`
	Measures
	CancelReason string `json:"cancelReason,omitempty"`
	Frozen       Frozen `json:"frozen,omitzero"`
}

// Frozen is what the verification page shows, as it was when it was signed.
type Frozen struct {
	Number       string `json:"number"`
	Prescriber   string `json:"prescriber"`
	Quality      string `json:"quality,omitempty"`
	RPPS         string `json:"rpps,omitempty"`
	Organization string `json:"organization,omitempty"`
	Initials     string `json:"initials"`
	// FirstBy is the instant after which a first dispensing is too late; zero where the law gives none.
	FirstBy time.Time `json:"firstBy,omitzero"`
}

// Prescription is one prescription of an act.
type Prescription struct {
	ID             care.PrescriptionID
	SetID          string
	Number         int // of the version, from 1
	EncounterID    care.EncounterID
	PatientID      care.PatientID
	AuthorID       care.StaffID
	OrganizationID care.OrganizationID
	Status         Status
	Edit           int64 // counts the edits: the entity tag
	ReplacesID     care.PrescriptionID
	DocumentID     care.DocumentID
	PublicID       string // of the verification page, empty until signed
	Content
	SignedAt      time.Time
	ValidUntil    time.Time // end of the last day on which it may be dispensed; zero when the law gives none
	At, ChangedAt time.Time
	Dispensings   []Dispensing // of this version, oldest first
	Before        []Dispensing // of the versions it replaces

	codeHash []byte
	by       prescriber.Person // who reads or writes it, for the conditions of a draft
}

// Standing is what the verification page says of a prescription.
type Standing string

// The standings of a genuine prescription.
const (
	StandsValid     Standing = "valid"
	StandsReplaced  Standing = "replaced"
	StandsCancelled Standing = "cancelled"
	StandsExpired   Standing = "expired"
)

// standing says whether a signed prescription still holds at an instant.
func (p *Prescription) standing(now time.Time) Standing {
	switch {
	case p.Status == Replaced:
		return StandsReplaced
	case p.Status == Cancelled:
		return StandsCancelled
	case !p.ValidUntil.IsZero() && now.After(p.ValidUntil):
		return StandsExpired
	}
	return StandsValid
}
