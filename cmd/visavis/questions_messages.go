package main

import (
	"context"
	"time"

	"visavis/documents"
	"visavis/encounters"
	"visavis/identity"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/profession"
	"visavis/messaging"
)

type messagePeople struct{ ask }

// Patient asks identity where a patient, or who represents them, is written to. The matricule is given
// only when it may leave the platform.
func (q messagePeople) Patient(ctx context.Context, id care.PatientID) (messaging.Addressee, error) {
	p, err := q.identity.Patient(ctx, id)
	if err != nil {
		return messaging.Addressee{}, err
	}
	to, err := q.identity.Contact(ctx, id)
	if err != nil {
		return messaging.Addressee{}, err
	}
	a := messaging.Addressee{
		Name: p.DisplayName(), Language: p.Language, Status: p.Status, Email: to.Email,
		Street: p.Address.Street, Postcode: p.Address.PostalCode, City: p.Address.City,
	}
	if to.Mobile {
		a.Phone = to.Phone
	}
	if ins, ok := p.QualifiedINS(); ok {
		a.Matricule = ins.Matricule
	}
	if p.Referring != nil {
		a.Doctor = colleague(*p.Referring)
	}
	clinic, err := q.identity.Organization(ctx, p.OrganizationID)
	a.Clinic = clinic.Name
	return a, err
}

// Representative asks identity where the representative who asked is written to.
func (q messagePeople) Representative(ctx context.Context, id care.PatientID, who string) (email, phone string, err error) {
	to, err := q.identity.ContactThrough(ctx, id, who)
	if !to.Mobile {
		to.Phone = ""
	}
	return to.Email, to.Phone, err
}

func colleague(r identity.Referring) *messaging.Colleague {
	return &messaging.Colleague{Name: r.GivenName + " " + r.FamilyName, Title: r.Title, MSSante: r.MSSante}
}

// Staff asks identity for the professional who signs a message.
func (q messagePeople) Staff(ctx context.Context, id care.StaffID) (messaging.Colleague, error) {
	p, err := q.identity.Staff(ctx, id)
	if err != nil {
		return messaging.Colleague{}, err
	}
	return messaging.Colleague{Name: p.DisplayName(), Title: p.Title, MSSante: p.MSSante, Place: p.Organization.Name}, nil
}

type messageSecrets struct{ ask }

// IssueLink asks identity for a join link to put in a message.
func (q messageSecrets) IssueLink(ctx context.Context, id care.AppointmentID, representative string) (string, error) {
	return q.identity.IssueLinkTo(ctx, id, representative)
}

// PendingCode asks identity for the code to put in a message.
func (q messageSecrets) PendingCode(ctx context.Context, id string) (string, error) {
	return q.identity.PendingCode(ctx, id)
}

type messageGuests struct{ ask }

// Invited asks identity who is invited to an appointment.
func (q messageGuests) Invited(ctx context.Context, id care.AppointmentID) ([]care.CompanionID, error) {
	return q.identity.Invited(ctx, id)
}

// Companion asks identity where a companion is written to.
func (q messageGuests) Companion(ctx context.Context, id care.CompanionID) (messaging.Guest, error) {
	c, err := q.identity.Companion(ctx, id)
	if err != nil {
		return messaging.Guest{}, err
	}
	if !c.RevokedAt.IsZero() {
		return messaging.Guest{}, fault.New(fault.Gone, "link-revoked")
	}
	return messaging.Guest{Name: c.Name, Email: c.Email, Phone: c.Phone}, nil
}

// IssueCompanionLink asks identity for a companion's own link.
func (q messageGuests) IssueCompanionLink(ctx context.Context, id care.CompanionID) (string, error) {
	return q.identity.IssueCompanionLink(ctx, id)
}

type messageActs struct{ ask }

// Act asks encounters whose act it is and what ties the reader to it.
func (q messageActs) Act(ctx context.Context, a authz.Actor, id care.EncounterID) (messaging.Act, error) {
	e, err := q.encounters.Facts(ctx, id)
	if err != nil {
		return messaging.Act{}, err
	}
	relation, err := q.encounters.Relation(ctx, a, id)
	return messaging.Act{AppointmentID: e.AppointmentID, PatientID: e.PatientID, Relation: relation, Begun: e.Status != encounters.Planned}, err
}

type messagePapers struct{ ask }

// About asks documents what a signed document is.
func (q messagePapers) About(ctx context.Context, id care.DocumentID) (messaging.Paperwork, error) {
	d, err := q.documents.Facts(ctx, id)
	if err != nil {
		return messaging.Paperwork{}, err
	}
	return messaging.Paperwork{Title: d.Title, OrganizationID: d.OrganizationID, AppointmentID: d.AppointmentID, Void: d.State == documents.Cancelled}, nil
}

// Files asks documents for a signed document as it was signed.
func (q messagePapers) Files(ctx context.Context, id care.DocumentID) (messaging.Files, error) {
	f, err := q.documents.Files(ctx, id)
	return messaging.Files{CDA: f.CDA, PDF: f.PDF}, err
}

type paperNames struct{ ask }

// Name asks identity how to name who opened a document.
func (q paperNames) Name(ctx context.Context, role care.Role, id string) (string, profession.Word, error) {
	if role == care.Companion {
		c, err := q.identity.Companion(ctx, care.CompanionID(id))
		return c.Name, "", err
	}
	if role == care.Patient {
		name, err := q.identity.PatientName(ctx, care.PatientID(id))
		return name, "", err
	}
	if !care.ValidID(id) {
		return "", "", fault.Missing()
	}
	p, err := q.identity.Staff(ctx, care.StaffID(id))
	if err != nil {
		return "", "", err
	}
	return named(p), profession.WordOf(p.Profession, role), nil
}

type paperDeliveries struct{ ask }

// StateOf asks messaging where the sending of a document stands.
func (q paperDeliveries) StateOf(ctx context.Context, id care.DocumentID) (string, time.Time, bool, error) {
	state, at, ok, err := q.messaging.StateOf(ctx, id)
	return string(state), at, ok, err
}
