package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"visavis/consent"
	"visavis/encounters"
	"visavis/identity"
	"visavis/identity/traits"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/scheduling"
)

type agendaPatients struct{ ask }

// Resolve asks identity for the patient of a booking, or makes one.
func (q agendaPatients) Resolve(ctx context.Context, p scheduling.Person, o care.OrganizationID) (scheduling.Known, error) {
	id, err := p.ID, error(nil)
	if id == "" {
		id, err = q.identity.FindOrCreatePatient(ctx, ofBooking(p, o))
	} else if ours, e := q.identity.IsPatientOf(ctx, id, o); e != nil || !ours {
		err = errors.Join(e, fault.Fields(fault.Field{Name: "patientId", Code: "patient-unknown"}))
	}
	if err != nil {
		return scheduling.Known{}, err
	}
	known := scheduling.Known{ID: id, BirthDate: p.BirthDate}
	if p.ID != "" {
		file, err := q.identity.Patient(ctx, id)
		if err != nil {
			return scheduling.Known{}, err
		}
		known.BirthDate = string(file.Traits.BirthDate)
	}
	to, err := q.identity.Contact(ctx, id)
	// Of a booking, only the contacts it gave: what else is on file, or that there
	// is a file, is not told.
	looked := p.ID != ""
	if to.Mobile && (looked || p.Phone != "") {
		known.SMSHint = traits.HidePhone(to.Phone)
	}
	if to.Email != "" && (looked || p.Email != "") {
		known.EmailHint = traits.HideEmail(to.Email)
	}
	return known, err
}

func ofBooking(p scheduling.Person, o care.OrganizationID) identity.Booking {
	return identity.Booking{
		OrganizationID: o, FamilyName: p.FamilyName, GivenName: p.GivenName, BirthDate: p.BirthDate,
		Phone: p.Phone, Email: p.Email, Language: p.Language, Proven: p.Proven,
	}
}

// Check asks identity what it would refuse of a booking.
func (q agendaPatients) Check(p scheduling.Person, o care.OrganizationID) error {
	return q.identity.CheckBooking(ofBooking(p, o))
}

// Reached asks identity whether typed contacts are those on a patient's file.
func (q agendaPatients) Reached(ctx context.Context, id care.PatientID, phone, email string) (string, error) {
	to, err := q.identity.Contact(ctx, id)
	if err != nil {
		return "", err
	}
	p, wrongPhone := traits.ParsePhone(phone)
	e, wrongEmail := traits.ParseEmail(email)
	sms := wrongPhone == nil && to.Mobile && p == to.Phone
	mail := wrongEmail == nil && to.Email != "" && strings.EqualFold(e, to.Email)
	switch {
	case sms && (mail || strings.TrimSpace(email) == ""), mail && strings.TrimSpace(phone) == "":
		return "both", nil
	case sms:
		return "sms", nil
	case mail:
		return "email", nil
	}
	return "", nil
}

// Names asks identity how people call patients.
func (q agendaPatients) Names(ctx context.Context, ids []care.PatientID) (map[care.PatientID]string, error) {
	out := make(map[care.PatientID]string, len(ids))
	for _, id := range ids {
		if _, ok := out[id]; ok {
			continue
		}
		name, err := q.identity.PatientName(ctx, id)
		if err != nil {
			return nil, err
		}
		out[id] = name
	}
	return out, nil
}

type agendaPractitioners struct{ ask }

// Card asks identity for an active doctor.
func (q agendaPractitioners) Card(ctx context.Context, id care.StaffID) (scheduling.Card, error) {
	p, err := q.identity.Staff(ctx, id)
	if err == nil && (!p.Active || p.Role != care.Doctor) {
		err = fault.Missing()
	}
	return card(p), err
}

// Search asks identity for the doctors of some specialties.
func (q agendaPractitioners) Search(ctx context.Context, specialties []string, name string) ([]scheduling.Card, error) {
	list, err := q.identity.Doctors(ctx, specialties, name)
	return cards(list), err
}

// Colleagues asks identity for the doctors of an organisation.
func (q agendaPractitioners) Colleagues(ctx context.Context, o care.OrganizationID) ([]scheduling.Card, error) {
	list, err := q.identity.StaffOf(ctx, o, care.Doctor)
	return cards(list), err
}

func card(p identity.Staff) scheduling.Card {
	return scheduling.Card{
		ID: p.ID, DisplayName: named(p), Title: p.Title, Profession: p.Profession, Specialty: p.Specialty, RPPS: p.RPPS(),
		OrganizationID: p.Organization.ID, OrganizationName: p.Organization.Name, Phone: p.Organization.Phone, City: p.Organization.Address.City,
		Bio: p.Bio, Languages: p.Languages,
	}
}

func cards(list []identity.Staff) []scheduling.Card {
	out := make([]scheduling.Card, len(list))
	for i, p := range list {
		out[i] = card(p)
	}
	return out
}

type agendaEncounters struct{ ask }

// InCareTeam asks encounters for the team of an appointment's act.
func (q agendaEncounters) InCareTeam(ctx context.Context, id care.AppointmentID, staff care.StaffID) (bool, error) {
	return q.encounters.InTeam(ctx, id, staff)
}

// AppointmentOf asks encounters whose act it is.
func (q agendaEncounters) AppointmentOf(ctx context.Context, id care.EncounterID) (care.AppointmentID, error) {
	e, err := q.encounters.Facts(ctx, id)
	if err != nil {
		return "", err
	}
	return e.AppointmentID, nil
}

// Progress asks encounters who waits, and whom technical trouble keeps away.
func (q agendaEncounters) Progress(ctx context.Context, ids []care.AppointmentID) (map[care.AppointmentID]scheduling.Progress, error) {
	acts, err := q.encounters.Progress(ctx, ids)
	if err != nil {
		return nil, err
	}
	troubled, err := q.encounters.Troubled(ctx, slices.Collect(maps.Values(acts)))
	out := make(map[care.AppointmentID]scheduling.Progress, len(acts))
	for id, e := range acts {
		p := scheduling.Progress{EncounterID: e.ID, Troubled: troubled[e.ID]}
		if e.Status == encounters.Arrived {
			p.WaitingSince = e.ArrivedAt
		}
		out[id] = p
	}
	return out, err
}

type identityAppointments struct{ ask }

// Appointment asks scheduling whose an appointment is and when.
func (q identityAppointments) Appointment(ctx context.Context, id care.AppointmentID) (identity.Appointment, error) {
	a, err := q.scheduling.Find(ctx, id)
	if err != nil {
		return identity.Appointment{}, err
	}
	return identity.Appointment{
		PatientID: a.PatientID, PractitionerID: a.PractitionerID, OrganizationID: a.OrganizationID, Start: a.Start, End: a.End,
		Cancelled: a.Status == scheduling.Cancelled,
	}, nil
}

// Current asks scheduling for the appointment a patient means.
func (q identityAppointments) Current(ctx context.Context, patient care.PatientID) (care.AppointmentID, error) {
	return q.scheduling.CurrentOf(ctx, patient)
}

type consentActs struct{ ask }

// Act asks scheduling for the appointment a consent is about.
func (q consentActs) Act(ctx context.Context, id care.AppointmentID) (consent.Act, error) {
	a, err := q.scheduling.Find(ctx, id)
	if err != nil {
		return consent.Act{}, err
	}
	return consent.Act{
		Kind: care.Teleconsultation, PatientID: a.PatientID, PractitionerID: a.PractitionerID, OrganizationID: a.OrganizationID,
		Start: a.Start, Open: a.Status.Open(),
	}, nil
}

type agendaConsents struct{ ask }

// States asks consent where the consents to several acts stand.
func (q agendaConsents) States(ctx context.Context, ids []care.AppointmentID) (map[care.AppointmentID]care.ConsentState, error) {
	return q.consent.States(ctx, ids)
}
