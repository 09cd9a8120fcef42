package main

import (
	"context"
	"strings"
	"time"
	"unicode"

	"visavis/consent"
	"visavis/encounters"
	"visavis/identity"
	"visavis/identity/traits"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/cda"
	"visavis/internal/fault"
	"visavis/internal/profession"
	"visavis/scheduling"
)

// ask is how one module's question reaches another. Each type below is one
// question as its asker declared it.
type ask struct{ *platform }

// paris is the day a patient's age is told on.
func (a ask) day(at time.Time) traits.Date {
	zone, err := time.LoadLocation(a.cfg.Zone)
	if err != nil {
		zone = time.UTC // cfg.Zone was checked when it was read
	}
	return traits.DayOf(at, zone)
}

type identityEncounters struct{ ask }

// InTeam asks encounters for the care team.
func (q identityEncounters) InTeam(ctx context.Context, staff care.StaffID, patient care.PatientID) (bool, error) {
	return q.encounters.CaresFor(ctx, staff, patient)
}

// Live asks encounters who is in a call.
func (q identityEncounters) Live(ctx context.Context, a authz.Actor) (bool, error) {
	return q.encounters.InCall(ctx, a)
}

// Act asks encounters for the act of an appointment; it follows the booking a
// moment later.
func (q identityEncounters) Act(ctx context.Context, id care.AppointmentID) (identity.Act, error) {
	e, err := q.encounters.OfAppointment(ctx, id)
	if fault.KindOf(err) == fault.NotFound && err != nil {
		return identity.Act{}, nil
	}
	if err != nil {
		return identity.Act{}, err
	}
	return identity.Act{ID: e.ID, Over: e.Status == encounters.Finished || e.Status == encounters.Cancelled}, nil
}

type encounterPeople struct{ ask }

// Patient asks identity for what the doctor's page shows of a patient.
func (q encounterPeople) Patient(ctx context.Context, id care.PatientID) (encounters.Person, error) {
	p, err := q.identity.Patient(ctx, id)
	if err != nil {
		return encounters.Person{}, err
	}
	return encounters.Person{
		ID: string(id), DisplayName: p.DisplayName(), Role: care.Patient, BirthDate: string(p.Traits.BirthDate),
		Minor: p.Minor(q.day(q.clock.Now())), IdentityStatus: p.Status,
	}, nil
}

// Staff asks identity for a professional.
func (q encounterPeople) Staff(ctx context.Context, id care.StaffID) (encounters.Person, error) {
	p, err := q.identity.Staff(ctx, id)
	if err != nil {
		return encounters.Person{}, err
	}
	if !p.Active {
		return encounters.Person{}, fault.Missing()
	}
	return encounters.Person{ID: string(id), DisplayName: named(p), Role: p.Role, Word: p.Word(), Title: p.Title, OrganizationID: p.Organization.ID}, nil
}

// Companion asks identity for somebody who came at the patient's side.
func (q encounterPeople) Companion(ctx context.Context, id care.CompanionID) (encounters.Person, error) {
	c, err := q.identity.Companion(ctx, id)
	return encounters.Person{ID: string(id), DisplayName: c.Name, Role: care.Companion}, err
}

// named is « Dr Claire MARTIN ».
func named(p identity.Staff) string {
	if p.Title == "" {
		return p.DisplayName()
	}
	return p.Title + " " + p.DisplayName()
}

// quality is the profession and the specialty of a prescriber as people read them (CSP R5132-3): « Médecin, médecine
// générale ». A specialty that patients cannot look for is called as the nomenclature calls it.
func quality(p identity.Staff) (string, error) {
	name := profession.Name(p.Profession, care.French)
	if p.Specialty == "" {
		return name, nil
	}
	known, err := scheduling.LoadSpecialties()
	if err != nil {
		return "", err
	}
	specialty := known.Label(p.Specialty, care.French)
	if specialty == "" {
		label, _ := cda.Lookup(cda.SetSpecialty, p.AuthorCode())
		_, specialty, _ = strings.Cut(label.Display, " - ")
		specialty, _, _ = strings.Cut(specialty, " (") // the type of know-how: SM, SCD
	}
	if specialty == "" {
		return name, nil
	}
	if first := []rune(specialty); !(len(first) > 1 && unicode.IsUpper(first[1])) { // not ORL
		specialty = string(unicode.ToLower(first[0])) + string(first[1:])
	}
	return name + ", " + specialty, nil
}

type consentPeople struct{ ask }

// Patient asks identity for the name on the consent and whether a
// representative must agree.
func (q consentPeople) Patient(ctx context.Context, id care.PatientID, on time.Time) (consent.Patient, error) {
	p, err := q.identity.Patient(ctx, id)
	return consent.Patient{DisplayName: p.DisplayName(), Minor: err == nil && p.Minor(q.day(on))}, err
}

// Professionals asks identity for the names that a consent record keeps.
func (q consentPeople) Professionals(ctx context.Context, practitioner, actor care.StaffID) (consent.Professionals, error) {
	p, err := q.identity.Staff(ctx, practitioner)
	if err != nil {
		return consent.Professionals{}, err
	}
	out := consent.Professionals{Practitioner: named(p), RPPS: p.RPPS(), Organization: p.Organization.Name}
	switch actor {
	case "":
	case practitioner:
		out.Actor = out.Practitioner
	default:
		a, err := q.identity.Staff(ctx, actor)
		if err != nil {
			return consent.Professionals{}, err
		}
		out.Actor = named(a)
	}
	return out, nil
}

// Representative asks identity who on file received the code of a session.
func (q consentPeople) Representative(ctx context.Context, session authz.Actor) (consent.OnFile, error) {
	who, found, count, err := q.identity.ProvenRepresentative(ctx, session)
	if err != nil || !found {
		return consent.OnFile{Count: count}, err
	}
	return consent.OnFile{Name: who.DisplayName, Relation: consent.Relation(who.Relation), Count: count}, nil
}

type consentTeam struct{ ask }

// InCareTeam asks encounters for the team of an appointment's act.
func (q consentTeam) InCareTeam(ctx context.Context, id care.AppointmentID, staff care.StaffID) (bool, error) {
	return q.encounters.InTeam(ctx, id, staff)
}
