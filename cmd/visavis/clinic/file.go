package clinic

import (
	_ "embed"
	"encoding/json"
	"strings"

	"visavis/identity"
	"visavis/identity/prosante"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/scheduling"
)

// Version of the format, the only one there is.
const Version = 1

//go:embed example.json
var example []byte

// Example is a file to start from: one site, a doctor, a nurse, a secretary.
// Its people are invented.
func Example() []byte { return example }

// File is a whole clinic.
type File struct {
	Version       int            `json:"version"`
	Organizations []Organization `json:"organizations"`
}

// Organization is one site with its people.
type Organization struct {
	FINESS  string   `json:"finess"`
	Name    string   `json:"name"`
	Phone   string   `json:"phone,omitempty"` // any French or E.164 writing
	Sector  string   `json:"sector"`          // JDV_J02: SA05 centre de santé, SA08 cabinet de groupe, SA33 pharmacie
	Setting string   `json:"setting"`         // JDV_J04: AMBULATOIRE
	Zone    string   `json:"zone,omitempty"`  // IANA; Europe/Paris when not said
	MSSante string   `json:"mssante,omitempty"`
	Address Address  `json:"address"`
	Staff   []Person `json:"staff"`
}

// Address is a French postal address.
type Address struct {
	Street      string `json:"street,omitempty"`
	PostalCode  string `json:"postalCode"`
	City        string `json:"city"`
	CommuneCode string `json:"communeCode,omitempty"` // COG
}

// Person is somebody who works at a site.
type Person struct {
	RPPS       string   `json:"rpps,omitempty"`  // eleven digits
	IdNat      string   `json:"idnat,omitempty"` // for who has no RPPS: 3 + FINESS + / + number, as in the Pro Santé Connect account
	Role       string   `json:"role"`            // doctor, nurse, pharmacist, secretary, admin
	Title      string   `json:"title,omitempty"` // Dr, Pr
	GivenName  string   `json:"givenName"`
	FamilyName string   `json:"familyName"`
	Profession string   `json:"profession,omitempty"` // TRE_G15: 10, 21, 40, 50, 60
	Specialty  string   `json:"specialty,omitempty"`  // TRE_R38: SM54
	MSSante    string   `json:"mssante,omitempty"`
	Bio        string   `json:"bio,omitempty"`
	Languages  []string `json:"languages,omitempty"` // BCP 47; fr when not said
	Active     *bool    `json:"active,omitempty"`    // true when not said
	// Capabilities are rights beside the role: data-protection, for an
	// administrator who reads what people were refused.
	Capabilities []string `json:"capabilities,omitempty"`
	Plan         *Plan    `json:"plan,omitempty"` // left as it is when not said
}

// Plan says when a doctor receives.
type Plan struct {
	ActMinutes int         `json:"actMinutes"`              // 5 to 120
	Notice     int         `json:"noticeMinutes,omitempty"` // patients book at least that long before
	Horizon    int         `json:"horizonDays"`             // and at most that long, 1 to 365
	Zone       string      `json:"zone,omitempty"`          // the site's when not said
	Territory  string      `json:"territory,omitempty"`     // closed on its public holidays: FR, FR-57, FR-974…; works on them when not said
	Weeks      []Opening   `json:"weeks"`
	Exceptions []Exception `json:"exceptions,omitempty"`
}

// Opening is some hours of some days of every week.
type Opening struct {
	Days  []string             `json:"days"` // mon, tue, wed, thu, fri, sat, sun
	From  scheduling.TimeOfDay `json:"from"`
	To    scheduling.TimeOfDay `json:"to"`
	Since scheduling.Day       `json:"since,omitzero"`
	Until scheduling.Day       `json:"until,omitzero"`
}

// Exception closes some days, or with open adds hours to them; whole days when
// no hours are said.
type Exception struct {
	First scheduling.Day       `json:"first"`
	Last  scheduling.Day       `json:"last"`
	From  scheduling.TimeOfDay `json:"from,omitzero"`
	To    scheduling.TimeOfDay `json:"to,omitzero"`
	Open  bool                 `json:"open,omitempty"`
}

// Write gives the file as it is read.
func (f File) Write() ([]byte, error) {
	raw, err := json.MarshalIndent(f, "", "  ")
	return append(raw, '\n'), err
}

// weekdays are the names of the days, by time.Weekday.
var weekdays = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func (o Organization) domain() identity.Organization {
	return identity.Organization{
		FINESS: o.FINESS, Name: o.Name, Phone: o.Phone, Sector: o.Sector, Setting: o.Setting, Zone: o.Zone, MSSante: o.MSSante,
		Address: identity.Address{Street: o.Address.Street, PostalCode: o.Address.PostalCode, City: o.Address.City, CommuneCode: o.Address.CommuneCode},
	}
}

func organizationOf(o identity.Organization) Organization {
	return Organization{
		FINESS: o.FINESS, Name: o.Name, Phone: o.Phone, Sector: o.Sector, Setting: o.Setting, Zone: o.Zone, MSSante: o.MSSante,
		Address: Address{Street: o.Address.Street, PostalCode: o.Address.PostalCode, City: o.Address.City, CommuneCode: o.Address.CommuneCode},
		Staff:   []Person{},
	}
}

// Key is the national identifier: "8" and the RPPS, or what idnat says.
func (p Person) Key() string {
	if p.RPPS != "" {
		return "8" + p.RPPS
	}
	return p.IdNat
}

func (p Person) active() bool { return p.Active == nil || *p.Active }

// granted are the capabilities that this program knows; check refuses others.
func (p Person) granted() (set authz.Capability) {
	for _, name := range p.Capabilities {
		c, _ := authz.ParseCapability(name)
		set |= c
	}
	return set
}

func (p Person) domain() identity.Staff {
	return identity.Staff{
		Role: care.Role(p.Role), IdNat: prosante.IdNat(p.Key()), Title: p.Title, GivenName: p.GivenName, FamilyName: p.FamilyName,
		Profession: p.Profession, Specialty: p.Specialty, MSSante: p.MSSante, Bio: p.Bio, Languages: p.Languages, Active: p.active(),
		Capabilities: p.granted(),
	}
}

func personOf(s identity.Staff) Person {
	p := Person{
		RPPS: s.RPPS(), Role: string(s.Role), Title: s.Title, GivenName: s.GivenName, FamilyName: s.FamilyName,
		Profession: s.Profession, Specialty: s.Specialty, MSSante: s.MSSante, Bio: s.Bio, Languages: s.Languages,
		Capabilities: s.Capabilities.Names(),
	}
	if p.RPPS == "" {
		p.IdNat = string(s.IdNat)
	}
	if !s.Active {
		p.Active = new(bool)
	}
	return p
}

// domain expands the weeks day by day; from[i] is the opening rule i comes from.
func (p Plan) domain(zone string) (plan scheduling.Plan, from []int) {
	plan = scheduling.Plan{Zone: p.Zone, ActMinutes: p.ActMinutes, Notice: p.Notice, Horizon: p.Horizon, Territory: p.Territory}
	if plan.Zone == "" {
		plan.Zone = zone
	}
	for i, o := range p.Weeks {
		for _, name := range o.Days {
			if day, ok := weekday(name); ok {
				plan.Rules = append(plan.Rules, scheduling.Rule{Weekday: day, From: o.From, To: o.To, Since: o.Since, Until: o.Until})
				from = append(from, i)
			}
		}
	}
	for _, e := range p.Exceptions {
		x := scheduling.Exception{First: e.First, Last: e.Last, From: e.From, To: e.To, Open: e.Open}
		if x.From == 0 && x.To == 0 {
			x.To = scheduling.At(24, 0)
		}
		plan.Exceptions = append(plan.Exceptions, x)
	}
	return plan, from
}

// planOf gathers neighbouring rules of the same hours: domain gives back the
// same rules in the same order.
func planOf(s scheduling.Plan, zone string) *Plan {
	p := Plan{ActMinutes: s.ActMinutes, Notice: s.Notice, Horizon: s.Horizon, Territory: s.Territory, Weeks: []Opening{}}
	if s.Zone != zone {
		p.Zone = s.Zone
	}
	for _, r := range s.Rules {
		day := weekdays[r.Weekday]
		if n := len(p.Weeks) - 1; n >= 0 {
			w := &p.Weeks[n]
			if w.From == r.From && w.To == r.To && w.Since == r.Since && w.Until == r.Until && !strings.Contains(strings.Join(w.Days, " "), day) {
				w.Days = append(w.Days, day)
				continue
			}
		}
		p.Weeks = append(p.Weeks, Opening{Days: []string{day}, From: r.From, To: r.To, Since: r.Since, Until: r.Until})
	}
	for _, e := range s.Exceptions {
		x := Exception{First: e.First, Last: e.Last, From: e.From, To: e.To, Open: e.Open}
		if x.From == 0 && x.To == scheduling.At(24, 0) {
			x.To = 0
		}
		p.Exceptions = append(p.Exceptions, x)
	}
	return &p
}
