package sheet

import "time"

// Place is a postal address and the phone and e-mail of a practice.
type Place struct {
	Name, Street, Extra, PostalCode, City, Country string
	Phone, Email, FINESS                           string
}

// Person is a professional as the sheet names them.
type Person struct {
	Title, Given, Family string // "Dr", "Claire", "Martin"
	Quality              string // profession and specialty, in words
	RPPS                 string
	Place                Place
}

// Patient is the person that the sheet concerns.
type Patient struct {
	Family, Given   string // as used
	BirthFamily     string // printed when it differs from Family
	BirthGiven      string
	Sex             string // F, M or UN
	BirthDate       string // YYYY-MM-DD
	INS, INSKind    string // INSKind NIR, NIA, TEST or DEMO; both empty unless the identity is qualified
	Weight          string // kilograms, optional
	Height          string // centimetres, optional
	Representatives []string
}

// Version tells which document this one replaces; the zero value is a first version.
type Version struct {
	Number     int
	ReplacedOn time.Time // date of the version replaced
}

// Signature is who signed and when; the zero value prints a draft.
type Signature struct {
	Name string
	At   time.Time
}

// Kind is the kind of a prescription.
type Kind string

// The kinds of prescription, each with its own title.
const (
	Medicines     Kind = "medicines"
	Biology       Kind = "biology"
	Imaging       Kind = "imaging"
	Nursing       Kind = "nursing"
	Physiotherapy Kind = "physiotherapy"
	Speech        Kind = "speech"
	Orthoptics    Kind = "orthoptics"
	Podiatry      Kind = "podiatry"
	Care          Kind = "care"
	Device        Kind = "device"
	Exams         Kind = "exams"
	Other         Kind = "other"
)

// Line is one thing prescribed.
type Line struct {
	Name            string   // denomination, or the exam in words
	INN             []string // common denominations
	Directions      string
	Duration        string // in words: "6 jours"
	Quantity        string // in words: "2 boîtes"
	Renewals        int
	Excluded        string // reason why a substitution is excluded: MTE, EFG, CIF; empty when allowed
	Pharmacist      string
	Compounded      bool
	ALD             bool
	WorkAccident    bool
	NonReimbursable bool
	OffLabel        bool
}

// Verification is our own way to check a printed prescription.
type Verification struct {
	URL  string // opens the public page; holds no health word
	Code string // printed once, opens the content
}

// Prescription is what is printed of a prescription.
type Prescription struct {
	Kind       Kind
	ID         string // stable identifier, in the metadata
	Number     string // for people
	IssuedAt   time.Time
	ValidUntil time.Time // zero when the law gives none
	Prescriber Person
	Patient    Patient
	Lines      []Line
	Version    Version
	Signature  Signature
	Verify     Verification
}

// Presence is someone who took part.
type Presence struct {
	Name, Role string
	Spans      []Span // none: did not join
}

// Span is one time for which somebody was there; To is zero while it lasts.
type Span struct {
	From, To time.Time
	Note     string // how it ended, when that is known
}

// Incident is a technical incident (CSP R6316-4, 5°).
type Incident struct {
	At   time.Time
	Text string
}

// Video says what the server measured of the image: for how long it went both ways, in whole seconds.
type Video struct {
	Measured bool
	Seconds  int
}

// Section is a titled text of a report; an empty one is not printed.
type Section struct {
	Title, Text string
}

// Report is what is printed of a report.
type Report struct {
	Kind          string // teleconsultation or other
	ID            string
	Author        Person
	Patient       Patient
	Start, End    time.Time
	RequestedBy   string
	PatientPlace  string
	IdentityCheck string
	Consent       string
	Video         Video
	Presences     []Presence
	Incidents     []Incident
	Motive        string
	Content       string
	Conclusion    string
	FollowUp      string
	Prescriptions []string
	Stills        []string // a line for each photo of the act
	Recipients    []string
	Version       Version
	Signature     Signature
}
