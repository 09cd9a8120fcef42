package main

import (
	"context"

	"visavis/encounters/declared"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/prescriptions"
	"visavis/scheduling"
)

type agendaDeclarations struct{ ask }

// Declare gives encounters/declared what a patient says at a booking.
func (q agendaDeclarations) Declare(ctx context.Context, id care.AppointmentID, patient care.PatientID, d scheduling.Declared) error {
	subject := func(s scheduling.Subject) declared.Subject {
		return declared.Subject{State: declared.State(s.State), Text: s.Text}
	}
	return q.declared.Declare(ctx, id, patient, declared.Given{Allergies: subject(d.Allergies), Treatments: subject(d.Treatments)})
}

type declaredActs struct{ ask }

// Act asks encounters for the act of an appointment, and how the actor is related to it.
func (q declaredActs) Act(ctx context.Context, id care.AppointmentID) (declared.Act, error) {
	e, err := q.encounters.OfAppointment(ctx, id)
	if err != nil {
		return declared.Act{}, err
	}
	relation, err := q.encounters.Relation(ctx, authz.From(ctx), e.ID)
	if err != nil {
		return declared.Act{}, err
	}
	secret, err := messageSecrecy(q).Confidential(ctx, id, e.PatientID)
	return declared.Act{PatientID: e.PatientID, Relation: relation, Begun: !e.StartedAt.IsZero(), Over: e.Over(), Secret: secret}, err
}

type paperDeclarations struct{ ask }

// Declared asks encounters/declared what the patient of an act said.
func (q paperDeclarations) Declared(ctx context.Context, id care.EncounterID) (prescriptions.Declared, error) {
	e, err := q.encounters.Facts(ctx, id)
	if err != nil {
		return prescriptions.Declared{}, err
	}
	d, err := q.declared.Of(ctx, e.AppointmentID)
	return prescriptions.Declared{Allergies: d.Allergies.Text, Treatments: d.Treatments.Text}, err
}
