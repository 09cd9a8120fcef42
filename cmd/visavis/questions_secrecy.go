package main

import (
	"context"

	"visavis/internal/care"
)

type identitySecrecy struct{ ask }

// Confidential asks consent.
func (q identitySecrecy) Confidential(ctx context.Context, id care.AppointmentID) (bool, error) {
	return q.consent.Confidential(ctx, id)
}

type messageSecrecy struct{ ask }

// Confidential asks consent, and identity whether the patient is a minor: from the
// eighteenth birthday on, what is sent reaches the patient alone.
func (q messageSecrecy) Confidential(ctx context.Context, id care.AppointmentID, patient care.PatientID) (bool, error) {
	secret, err := q.consent.Confidential(ctx, id)
	if err != nil || !secret {
		return false, err
	}
	p, err := q.identity.Patient(ctx, patient)
	return err == nil && p.Minor(q.day(q.clock.Now())), err
}

type paperSecrecy struct{ ask }

// Confidential asks the same about the appointment of an act.
func (q paperSecrecy) Confidential(ctx context.Context, id care.EncounterID, patient care.PatientID) (bool, error) {
	e, err := q.encounters.Facts(ctx, id)
	if err != nil || e.AppointmentID == "" {
		return false, err
	}
	return messageSecrecy(q).Confidential(ctx, e.AppointmentID, patient)
}
