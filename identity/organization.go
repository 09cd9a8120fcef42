package identity

import (
	"time"

	"visavis/identity/prosante"
	"visavis/identity/traits"
	"visavis/internal/care"
	"visavis/internal/fault"
)

// Organization is a site that gives care, named by its FINESS.
type Organization struct {
	ID      care.OrganizationID
	FINESS  string
	Name    string
	Address Address
	Phone   string // E.164
	Sector  string // TRE_R02: SA07, SA33
	Setting string // JDV_J04 practice setting: AMBULATOIRE
	MSSante string // organisational mailbox, may be empty
	Zone    string // IANA, Europe/Paris when not said
}

// Address is a French postal address.
type Address struct {
	Street      string `json:"street,omitempty"`
	PostalCode  string `json:"postalCode,omitempty"`
	City        string `json:"city,omitempty"`
	CommuneCode string `json:"communeCode,omitempty"` // COG
}

// Staff is a person in an organisation.
type Staff struct {
	ID           care.StaffID
	Organization Organization
	Role         care.Role
	IdNat        prosante.IdNat
	Title        string // Dr, Pr, or nothing
	GivenName    string
	FamilyName   string
	Profession   string // TRE_G15: 10, 21, 60; empty for an employee without one
	Specialty    string // TRE_R38: SM54; empty when there is none
	MSSante      string // personal mailbox
	Bio          string
	Languages    []string // BCP 47
	Active       bool
}

// DisplayName is « Claire MARTIN »; the title is given apart.
func (p Staff) DisplayName() string { return p.GivenName + " " + p.FamilyName }

// RPPS is the eleven digits, or nothing for who is not registered.
func (p Staff) RPPS() string { return p.IdNat.RPPS() }

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
	var problems []fault.Field
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
	var problems []fault.Field
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
	if len(p.Languages) == 0 {
		p.Languages = []string{"fr"}
	}
	return p, fault.Fields(problems...)
}
