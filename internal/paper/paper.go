// Package paper says what a document must know of the act it is about, and turns it into the header of a
// CDA document and the blocks of a printed sheet. The modules that sign documents (documents,
// prescriptions) ask for an Act and never look at one another.
package paper

import (
	"strings"
	"time"

	"visavis/internal/care"
	"visavis/internal/cda"
	"visavis/internal/fault"
	"visavis/internal/sheet"
)

// Person took part in the act.
type Person struct {
	ID           string // a PatientID or a StaffID
	Name         string
	Role         care.Role
	Profession   string            // TRE_G15, of a professional
	Professional *cda.Professional // of a professional other than the author who has an RPPS number
	From, To     time.Time         // first arrival and last departure; zero when they never joined
	Stays        []Stay            // each of them, in the order of time
	Told         time.Time         // when we learnt that they were there; it may be after the end
}

// Device took part in the act as a source or a screen (product A10); it is nobody.
type Device struct {
	ID       string
	Name     string    // what who brought it called it
	Owner    string    // the name of who brought it and answers for it
	From, To time.Time // first connection and last end
	Stays    []Stay    // each connection
}

// Stay is one time for which somebody was there. To is zero while it lasts.
type Stay struct {
	From, To time.Time
	Assumed  bool   // nobody saw them leave: To is when they were last known to be there
	How      string // the proven cause of the departure, of events.Left…; empty at the end of the act
}

// Incident is a technical incident of the act, in words.
type Incident struct {
	At   time.Time
	Text string
}

// Act is an act as its documents need it.
type Act struct {
	EncounterID    care.EncounterID
	AppointmentID  care.AppointmentID
	PatientID      care.PatientID
	AuthorID       care.StaffID // the professional responsible for the act
	OrganizationID care.OrganizationID
	Started        bool
	Finished       bool
	Start, End     time.Time // End is zero while the act lasts
	Zone           *time.Location
	Patient        cda.Patient
	PatientName    string
	Author         cda.Professional
	AuthorQuality  string // profession and specialty, in words
	People         []Person
	Devices        []Device
	Incidents      []Incident
	VideoSeconds   int               // during which video flowed both ways
	Unmeasured     bool              // a process of ours died during the act: it may have measured more
	IdentityCheck  string            // in words, empty when nobody confirmed
	ConsentID      string            // empty when no consent is recorded
	ConsentText    string            // in words
	Referring      *cda.Professional // médecin traitant or requesting doctor
	ReferringName  string
}

// Version places a document among the versions of its set. IDs are UUIDs.
type Version struct {
	ID, Set, Replaces string
	Number            int
	ReplacedOn        time.Time
}

// Header makes the header of a document of the act signed at an instant.
func (a Act) Header(v Version, title string, at time.Time) (cda.Header, error) {
	id, err := cda.OIDFromUUID(v.ID)
	if err != nil {
		return cda.Header{}, err
	}
	set, err := cda.OIDFromUUID(v.Set)
	if err != nil {
		return cda.Header{}, err
	}
	h := cda.Header{
		ID: id, SetID: set, Version: v.Number, Title: title, CreatedAt: a.in(at), SignedAt: a.in(at), Confidential: "N",
		Patient: a.Patient, Author: a.Author, Custodian: a.Author.Organization,
		Encounter: cda.Encounter{Start: a.in(a.Start), End: a.in(a.End), Facility: a.Author.Organization},
	}
	if v.Replaces != "" {
		if h.Replaces, err = cda.OIDFromUUID(v.Replaces); err != nil {
			return cda.Header{}, err
		}
	}
	if h.Encounter.ID, err = instance(string(a.EncounterID)); err != nil {
		return cda.Header{}, err
	}
	if a.ConsentID != "" {
		id, err := instance(a.ConsentID)
		if err != nil {
			return cda.Header{}, err
		}
		h.Consents = []cda.Consent{{ID: id, Text: a.ConsentText}}
	}
	if a.Referring != nil {
		h.Recipients = []cda.Professional{*a.Referring}
	}
	for _, p := range a.People {
		if p.Professional != nil && !p.From.IsZero() {
			h.Participants = append(h.Participants, cda.Participant{Professional: *p.Professional, Function: "353", Start: a.in(p.From), End: a.in(p.To)})
		}
	}
	return h, nil
}

func instance(uuid string) (cda.ID, error) {
	root, err := cda.OIDFromUUID(uuid)
	return cda.ID{Root: root}, err
}

// in says an instant in the zone of the clinic; a zero instant stays zero.
func (a Act) in(t time.Time) time.Time {
	if t.IsZero() || a.Zone == nil {
		return t
	}
	return t.In(a.Zone)
}

// Local is in for other packages: the hour people read.
func (a Act) Local(t time.Time) time.Time { return a.in(t) }

// SheetPatient is the patient as a sheet names them.
func (a Act) SheetPatient() sheet.Patient {
	p := a.Patient
	s := sheet.Patient{Family: p.UsedFamily, Given: p.UsedGiven, BirthFamily: p.BirthFamily, BirthGiven: strings.Join(p.BirthGiven, " "),
		Sex: p.Sex, BirthDate: p.BirthDate}
	if s.Family == "" {
		s.Family = p.BirthFamily
	}
	if s.Given == "" && len(p.BirthGiven) > 0 {
		s.Given = p.BirthGiven[0]
	}
	if p.INS != nil {
		s.INS = p.INS.Value
		switch p.INS.OID {
		case cda.OIDINSNIA:
			s.INSKind = "NIA"
		case cda.OIDINSTest:
			s.INSKind = "TEST"
		case cda.OIDINSDemo:
			s.INSKind = "DEMO"
		default:
			s.INSKind = "NIR"
		}
	}
	for _, g := range p.Guardians {
		name := strings.TrimSpace(g.Given + " " + g.Family)
		if label, ok := cda.Lookup(cda.SetRelation, g.Relation); ok {
			name += " (" + strings.ToLower(label.Display) + ")"
		}
		s.Representatives = append(s.Representatives, name)
	}
	return s
}

// SheetAuthor is the professional who signs, as a sheet names them.
func (a Act) SheetAuthor() sheet.Person {
	p := a.Author
	o := p.Organization
	return sheet.Person{Title: title(p.Title), Given: p.Given, Family: p.Family, Quality: a.AuthorQuality, RPPS: p.RPPS,
		Place: sheet.Place{Name: o.Name, Street: o.Address.Street, Extra: o.Address.Extra, PostalCode: o.Address.PostalCode, City: o.Address.City,
			Country: o.Address.Country, Phone: first(p.Contact.Phone, o.Contact.Phone), Email: first(p.Contact.MSSante, o.Contact.MSSante, o.Contact.Email), FINESS: o.FINESS}}
}

// AuthorName is the full name of the one who signs: « Dr Claire Martin ».
func (a Act) AuthorName() string {
	return strings.TrimSpace(title(a.Author.Title) + " " + a.Author.Given + " " + a.Author.Family)
}

// title turns a code of JDV_J246 into what is printed before a name.
func title(code string) string {
	switch code {
	case "DR":
		return "Dr"
	case "PR":
		return "Pr"
	}
	return ""
}

func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

// Fields turns the problems of a document into refused fields; rename gives the name a page knows the
// field by, and may be nil.
func Fields(problems []cda.Problem, rename func(string) string) []fault.Field {
	codes := map[string]string{cda.Required: "required", cda.Unknown: "code-unknown", cda.Format: "form-wrong", cda.Key: "key-wrong", cda.Order: "order-wrong"}
	out := make([]fault.Field, 0, len(problems))
	for _, p := range problems {
		name := p.Field
		if rename != nil {
			name = rename(name)
		}
		out = append(out, fault.Field{Name: name, Code: codes[p.Code]})
	}
	return out
}

// Filing is a signed document entering the patient's documents.
type Filing struct {
	Act      Act
	Version  Version
	Kind     string // report or prescription
	TypeCode string // of the CDA document
	Title    string
	Detail   string   // what tells it from others, for the report: a number; never clinical
	Measured []string // its sentences that the platform measured, as they are printed; of a report
	CDA, PDF []byte
	SignedAt time.Time
}
