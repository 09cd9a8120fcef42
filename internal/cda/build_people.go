package cda

import (
	"strings"
	"time"
)

// stamp writes a time with its offset, as TS.DATETIMETZ.MIN asks.
func stamp(t time.Time) string { return t.Format("20060102150405-0700") }

// day turns YYYY-MM-DD into the HL7 form.
func day(iso string) string { return strings.ReplaceAll(iso, "-", "") }

func coded(name string, set Set, code string) *node {
	c, _ := Lookup(set, code)
	return el(name, "code", code, "displayName", c.Display, "codeSystem", c.System)
}

func ident(id ID) *node { return el("id", "root", id.Root, "extension", id.Extension) }

func address(a Address) *node {
	if a == (Address{}) {
		return el("addr", "nullFlavor", "NASK")
	}
	n := el("addr")
	parts := []struct{ name, value string }{
		{"streetName", a.Street}, {"additionalLocator", a.Extra},
		{"postalCode", a.PostalCode}, {"city", a.City}, {"country", a.Country},
	}
	for _, p := range parts {
		if p.value != "" {
			n.add(el(p.name).say(p.value))
		}
	}
	return n
}

// telecoms lists the ways to reach someone, or says that none is known.
func telecoms(c Contact, landline string) []*node {
	var out []*node
	add := func(scheme, value, use string) {
		if value != "" {
			out = append(out, el("telecom", "value", scheme+strings.ReplaceAll(value, " ", ""), "use", use))
		}
	}
	add("tel:", c.Phone, landline)
	add("tel:", c.Mobile, "MC")
	add("mailto:", c.Email, "")
	add("mailto:", c.MSSante, "")
	if out == nil {
		out = append(out, el("telecom", "nullFlavor", "NASK"))
	}
	return out
}

func patientRole(p Patient) *node {
	role := el("patientRole")
	contact := p.Contact
	if p.INS != nil {
		role.add(ident(ID{p.INS.OID, p.INS.Value}))
		if contact.MSSante == "" {
			contact.MSSante = p.INS.Value + "@patient.mssante.fr"
		}
	}
	if p.Local.Root != "" {
		role.add(ident(p.Local))
	}
	role.add(address(p.Address)).add(telecoms(contact, "H")...)
	return role.add(patientNode(p))
}

func patientNode(p Patient) *node {
	name := el("name").add(
		el("family", "qualifier", "BR").say(p.BirthFamily),
		el("given").say(strings.Join(p.BirthGiven, " ")),
		el("given", "qualifier", "BR").say(p.BirthGiven[0]),
	)
	if p.UsedFamily != "" {
		name.add(el("family", "qualifier", "CL").say(p.UsedFamily))
	}
	if p.UsedGiven != "" {
		name.add(el("given", "qualifier", "CL").say(p.UsedGiven))
	}
	n := el("patient", "classCode", "PSN").add(name,
		coded("administrativeGenderCode", SetGender, p.Sex),
		el("birthTime", "value", day(p.BirthDate)))
	for _, g := range p.Guardians {
		n.add(guardian(g))
	}
	if p.BirthPlace != "" {
		place := el("addr").add(el("county").say(p.BirthPlace))
		if p.BirthCity != "" {
			place.add(el("city").say(p.BirthCity))
		}
		n.add(el("birthplace").add(el("place").add(place)))
	}
	return n
}

// guardian leaves the relation out: the French header has no element for it, the PDF says it.
func guardian(g Guardian) *node {
	return el("guardian").
		add(address(g.Address)).
		add(telecoms(g.Contact, "H")...).
		add(el("guardianPerson").add(el("name").add(
			el("family").say(g.Family), el("given").say(g.Given))))
}

func structureID(o Organization) ID {
	if o.FINESS != "" {
		return ID{OIDStructure, "1" + o.FINESS}
	}
	return ID{OIDStructure, "3" + o.SIRET}
}

func personName(p Professional) *node {
	n := el("name")
	if p.Civility != "" {
		n.add(el("prefix").say(p.Civility))
	}
	n.add(el("given").say(p.Given), el("family").say(p.Family))
	if p.Title != "" {
		n.add(el("suffix").say(p.Title))
	}
	return n
}

// assigned fills an assignedAuthor or an assignedEntity, which have the same content.
func assigned(name string, p Professional) *node {
	return el(name).
		add(el("id", "root", OIDPerson, "extension", "8"+p.RPPS), coded("code", SetSpecialty, p.Specialty),
			address(p.Address)).
		add(telecoms(p.Contact, "WP")...).
		add(el("assignedPerson").add(personName(p)), represented(p.Organization))
}

func represented(o Organization) *node {
	return el("representedOrganization").
		add(ident(structureID(o)), el("name").say(o.Name)).
		add(telecoms(o.Contact, "WP")...).
		add(address(o.Address), coded("standardIndustryClassCode", SetSetting, o.Setting))
}

func custodian(o Organization) *node {
	return el("custodian").add(el("assignedCustodian").add(
		el("representedCustodianOrganization").
			add(ident(structureID(o)), el("name").say(o.Name)).
			add(telecoms(o.Contact, "WP")[:1]...).
			add(address(o.Address))))
}

func recipient(p Professional) *node {
	r := el("intendedRecipient").
		add(el("id", "root", OIDPerson, "extension", "8"+p.RPPS), address(p.Address)).
		add(telecoms(p.Contact, "WP")...).
		add(el("informationRecipient").add(personName(p)))
	if o := p.Organization; o.Name != "" {
		r.add(el("receivedOrganization").add(el("name").say(o.Name)).
			add(telecoms(o.Contact, "WP")...).add(address(o.Address)))
	}
	return el("informationRecipient").add(r)
}

func participant(p Participant) *node {
	pr := p.Professional
	return el("participant", "typeCode", "PRF").add(
		coded("functionCode", SetFunction, p.Function),
		interval("time", "IVL_TS", p.Start, p.End),
		el("associatedEntity", "classCode", "PROV").
			add(el("id", "root", OIDPerson, "extension", "8"+pr.RPPS),
				coded("code", SetSpecialty, pr.Specialty), address(pr.Address)).
			add(telecoms(pr.Contact, "WP")...).
			add(el("associatedPerson").add(personName(pr))))
}

func interval(name, xsiType string, from, to time.Time) *node {
	n := el(name, "xsi:type", xsiType).add(el("low", "value", stamp(from)))
	if !to.IsZero() {
		n.add(el("high", "value", stamp(to)))
	}
	return n
}
