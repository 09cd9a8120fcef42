package identity

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"visavis/identity/prosante"
	"visavis/identity/traits"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/profession"
	"visavis/internal/typography"
)

// Organization is a site that gives care, named by its FINESS.
type Organization struct {
	ID      care.OrganizationID
	FINESS  string
	Name    string `printed:"line"`
	Address Address
	Phone   string // E.164
	Sector  string // TRE_R02: SA07, SA33
	Setting string // JDV_J04 practice setting: AMBULATOIRE
	MSSante string // organisational mailbox, may be empty
	Zone    string // IANA, Europe/Paris when not said
}

// Address is a French postal address.
type Address struct {
	Street      string `json:"street,omitempty" printed:"line"`
	PostalCode  string `json:"postalCode,omitempty" printed:"line"`
	City        string `json:"city,omitempty" printed:"line"`
	CommuneCode string `json:"communeCode,omitempty"` // COG
}

// Staff is a person in an organisation.
type Staff struct {
	ID           care.StaffID
	Organization Organization
	Role         care.Role
	IdNat        prosante.IdNat
	Title        string `printed:"line"` // Dr, Pr, or nothing: one that the profession has
	GivenName    string `printed:"line"`
	FamilyName   string `printed:"line"`
	Profession   string // TRE_G15: 10, 21, 60; empty for an employee without one
	Specialty    string // TRE_R38: SM54; empty when there is none
	MSSante      string // personal mailbox
	Bio          string
	Languages    []string // BCP 47
	Capabilities authz.Capability
	Active       bool
}

// physician is the code of TRE_G15 that carries every title.
const physician = "10"

// DisplayName is « Claire MARTIN »; the title is given apart.
func (p Staff) DisplayName() string { return p.GivenName + " " + p.FamilyName }

// RPPS is the eleven digits, or nothing for who is not registered.
func (p Staff) RPPS() string { return p.IdNat.RPPS() }

// Word is what texts name the person by: the profession's, or the role's.
func (p Staff) Word() profession.Word { return profession.WordOf(p.Profession, p.Role) }

// AuthorCode is the CDA author code, as G15_10/SM54 or G15_60; nothing for an
// employee without a profession.
func (p Staff) AuthorCode() string {
	if p.Profession == "" {
		return ""
	}
	return prosante.Exercice{Profession: p.Profession, KnowHow: p.Specialty}.AuthorCode()
}

// Clean returns the organisation written one way, or names what is refused.
func (o Organization) Clean() (Organization, error) {
	problems := typography.Check(&o)
	note := func(field string, err error) {
		if r, ok := err.(traits.Refusal); ok {
			problems = append(problems, r.Field(field))
		}
	}
	note("finess", prosante.CheckFINESS(o.FINESS))
	if o.Name == "" {
		note("name", traits.Refusal("required"))
	}
	if o.Phone != "" {
		phone, err := traits.ParsePhone(o.Phone)
		note("phone", err)
		o.Phone = phone
	}
	if o.MSSante != "" {
		_, err := traits.ParseEmail(o.MSSante)
		note("mssante", err)
	}
	if o.Zone == "" {
		o.Zone = "Europe/Paris"
	}
	if _, err := time.LoadLocation(o.Zone); err != nil {
		note("zone", traits.Refusal("zone-unknown"))
	}
	return o, fault.Fields(problems...)
}

// Clean returns the person written one way, or names what is refused.
func (p Staff) Clean() (Staff, error) {
	organization := p.Organization // checked with its own name
	problems := typography.Check(&p)
	p.Organization = organization
	note := func(field string, err error) {
		if r, ok := err.(traits.Refusal); ok {
			problems = append(problems, r.Field(field))
		}
	}
	var err error
	p.GivenName, err = traits.CleanName(p.GivenName)
	note("givenName", err)
	p.FamilyName, err = traits.CleanName(p.FamilyName)
	note("familyName", err)
	p.IdNat, err = prosante.ParseIdNat(string(p.IdNat))
	note("idnat", err)
	if p.MSSante != "" {
		_, err = traits.ParseEmail(p.MSSante)
		note("mssante", err)
	}
	if !(prosante.Exercice{Profession: p.Profession, Category: "C"}).MayHold(p.Role) {
		note("role", traits.Refusal("role-profession"))
	}
	if profession.Title(physician, p.Title) != "" && profession.Title(p.Profession, p.Title) == "" {
		note("title", traits.Refusal("title-profession"))
	}
	if p.Capabilities != 0 && p.Role != care.Admin {
		note("capabilities", traits.Refusal("capability-admin-only"))
	}
	if len(p.Languages) == 0 {
		p.Languages = []string{"fr"}
	}
	return p, fault.Fields(problems...)
}

// Patient is a person cared for by one organisation.
type Patient struct {
	ID             care.PatientID
	OrganizationID care.OrganizationID
	Status         care.IdentityStatus
	Language       care.Language
	Record
	Since time.Time
}

// Record is what is sealed of a patient.
type Record struct {
	Traits          traits.Traits    `json:"traits"`
	INS             traits.INS       `json:"ins,omitzero"`
	Phone           string           `json:"phone,omitempty"` // E.164
	Email           string           `json:"email,omitempty"`
	Unproven        string           `json:"unproven,omitempty"` // "phone" or "email": typed by a stranger, never written to
	Address         Address          `json:"address,omitzero"`
	Representatives []Representative `json:"representatives,omitempty"`
	Referring       *Referring       `json:"referring,omitempty"`
}

// Representative is a holder of parental authority, a guardian.
type Representative struct {
	DisplayName string `json:"displayName" printed:"line"`
	Relation    string `json:"relation"` // mother, father, guardian
	Phone       string `json:"phone,omitempty"`
	Email       string `json:"email,omitempty"`
}

// Referring is the médecin traitant, who gets a copy when they have a mailbox.
type Referring struct {
	Title      string `json:"title,omitempty" printed:"line"`
	GivenName  string `json:"givenName" printed:"line"`
	FamilyName string `json:"familyName" printed:"line"`
	RPPS       string `json:"rpps"`
	Specialty  string `json:"specialty,omitempty"`
	MSSante    string `json:"mssante,omitempty"`
}

// DisplayName is the person's name as people read it.
func (r Referring) DisplayName() string {
	name := r.GivenName + " " + r.FamilyName
	if r.Title != "" {
		name = r.Title + " " + name
	}
	return name
}

// DisplayName is how people call the patient.
func (p Patient) DisplayName() string { return p.Traits.DisplayName() }

// QualifiedINS gives the matricule when it may leave the platform.
func (p Patient) QualifiedINS() (traits.INS, bool) {
	if !traits.MayLeave(p.Status) || p.INS.Matricule == "" {
		return traits.INS{}, false
	}
	return p.INS, true
}

// Minor tells whether the patient is under 18 on a day.
func (p Patient) Minor(on traits.Date) bool { return p.Traits.BirthDate.Minor(on) }

// reach is where messages about the patient go on a day. A minor's go to the
// first representative who has that kind of address; the one in the file serves
// when none has: whoever booked gave it.
func (p Patient) reach(on traits.Date) Contact {
	c := Contact{Phone: p.provenPhone(), Email: p.provenEmail(), Language: p.Language}
	if p.Minor(on) {
		if i := slices.IndexFunc(p.Representatives, func(r Representative) bool { return r.Phone != "" && traits.Mobile(r.Phone) }); i >= 0 {
			c.Phone = p.Representatives[i].Phone
		}
		if i := slices.IndexFunc(p.Representatives, func(r Representative) bool { return r.Email != "" }); i >= 0 {
			c.Email = p.Representatives[i].Email
		}
	}
	c.Mobile = c.Phone != "" && traits.Mobile(c.Phone)
	return c
}

// provenPhone is the telephone that may be written to, and stand for the patient.
func (r Record) provenPhone() string {
	if r.Unproven == "phone" {
		return ""
	}
	return r.Phone
}

// provenEmail is provenPhone for the e-mail address.
func (r Record) provenEmail() string {
	if r.Unproven == "email" {
		return ""
	}
	return r.Email
}

// representative is what a representative with that contact is found by, in
// lower case or E.164.
func (s *Service) representative(contact string) []byte {
	return s.index.Of("patients.representative", contact)
}

// through is where a patient is written to when the representative that hash
// finds asked: there, while the patient is a minor, and else as reach says.
func (s *Service) through(p Patient, hash string) Contact {
	if hash == "" || !p.Minor(s.today()) {
		return p.reach(s.today())
	}
	for _, r := range p.Representatives {
		for _, contact := range nonEmpty(r.Phone, strings.ToLower(r.Email)) {
			if hex.EncodeToString(s.representative(contact)) == hash {
				return Contact{Phone: r.Phone, Mobile: r.Phone != "" && traits.Mobile(r.Phone), Email: r.Email, Language: p.Language}
			}
		}
	}
	return p.reach(s.today())
}

// clean returns the patient written one way, or names what is refused. A
// status above PROV that rests on INSi needs a matricule and the whole strict
// set of traits.
func (p Patient) clean(today traits.Date) (Patient, error) {
	t, problems := p.Traits.Clean(today)
	p.Traits = t
	note := func(field string, err error) {
		if r, ok := err.(traits.Refusal); ok {
			problems = append(problems, r.Field(field))
		}
	}
	var err error
	if p.Phone != "" {
		p.Phone, err = traits.ParsePhone(p.Phone)
		note("phone", err)
	}
	if p.Email != "" {
		p.Email, err = traits.ParseEmail(p.Email)
		note("email", err)
	}
	p.Representatives = slices.Clone(p.Representatives)
	if p.Referring != nil {
		referring := *p.Referring
		p.Referring = &referring
	}
	problems = append(problems, typography.Check(&p.Record)...)
	for i := range p.Representatives {
		r, name := &p.Representatives[i], fmt.Sprintf("representatives[%d].", i)
		if r.Phone != "" {
			r.Phone, err = traits.ParsePhone(r.Phone)
			note(name+"phone", err)
		}
		if r.Email != "" {
			r.Email, err = traits.ParseEmail(r.Email)
			note(name+"email", err)
		}
	}
	if p.INS != (traits.INS{}) {
		p.INS, err = traits.ParseINS(p.INS.Matricule, p.INS.OID)
		note("ins", err)
		problems = append(problems, t.Complete()...)
	}
	switch p.Status {
	case "":
		p.Status = care.Provisional
	case care.Provisional, care.Validated:
	case care.Retrieved, care.Qualified:
		if p.INS == (traits.INS{}) {
			note("ins", traits.Refusal("required"))
		}
	default:
		note("status", traits.Refusal("not-a-choice"))
	}
	if p.Language != care.English {
		p.Language = care.French
	}
	return p, fault.Fields(problems...)
}
