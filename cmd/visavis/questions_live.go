package main

import (
	"context"
	"time"

	"visavis/encounters"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/signaling"
)

type encounterLive struct{ ask }

// Online asks signaling whether the patient of an act is on line.
func (q encounterLive) Online(ctx context.Context, id care.EncounterID) (bool, error) {
	return q.signaling.Online(ctx, id)
}

type liveActs struct{ ask }

// Act asks encounters for what the room needs to know of an act.
func (q liveActs) Act(ctx context.Context, id care.EncounterID) (signaling.Act, error) {
	e, err := q.encounters.Facts(ctx, id)
	if err != nil {
		return signaling.Act{}, err
	}
	return signaling.Act{
		ID: e.ID, AppointmentID: e.AppointmentID, PatientID: e.PatientID, PractitionerID: e.PractitionerID, Planned: e.PlannedStart,
		Over: e.Status == encounters.Finished || e.Status == encounters.Cancelled, Cancelled: e.Status == encounters.Cancelled,
	}, nil
}

// Relation asks encounters what ties somebody to an act.
func (q liveActs) Relation(ctx context.Context, a authz.Actor, id care.EncounterID) (authz.Relation, error) {
	return q.encounters.Relation(ctx, a, id)
}

// End tells encounters that the host ended the call.
func (q liveActs) End(ctx context.Context, id care.EncounterID, at time.Time) error {
	return q.encounters.End(ctx, id, at)
}

type livePeople struct{ ask }

// Ended asks identity which sessions were ended.
func (q livePeople) Ended(ctx context.Context, ids []care.SessionID) ([]care.SessionID, error) {
	return q.identity.Ended(ctx, ids)
}

// Touch tells identity whose sockets are open.
func (q livePeople) Touch(ctx context.Context, ids []care.SessionID) error {
	return q.identity.Touch(ctx, ids)
}

// Person asks identity for the name others in the room see.
func (q livePeople) Person(ctx context.Context, role care.Role, id string) (signaling.Person, error) {
	if role == care.Patient {
		p, err := q.identity.Patient(ctx, care.PatientID(id))
		if err != nil {
			return signaling.Person{}, err
		}
		return signaling.Person{Name: p.DisplayName(), Identity: string(p.Status)}, nil
	}
	p, err := q.identity.Staff(ctx, care.StaffID(id))
	if err != nil {
		return signaling.Person{}, err
	}
	return signaling.Person{Name: named(p)}, nil
}
