package main

import (
	"context"
	"time"

	"visavis/encounters"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/profession"
	"visavis/scheduling"
	"visavis/signaling"
	"visavis/signaling/queue"
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
	// The act follows its appointment a moment later: who asks for a seat is
	// answered by the appointment itself.
	a, err := q.scheduling.Find(ctx, e.AppointmentID)
	if err != nil {
		return signaling.Act{}, err
	}
	planned := e.PlannedStart
	if e.Status == encounters.Planned || e.Status == encounters.Arrived {
		planned = a.Start
	}
	return signaling.Act{
		Withdrawn: a.Status == scheduling.Cancelled,
		ID:        e.ID, AppointmentID: e.AppointmentID, PatientID: e.PatientID, PractitionerID: e.PractitionerID, Kind: e.Kind, Planned: planned,
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

type liveAgenda struct{ ask }

// Awaited asks encounters who has a time with a professional and is not here yet.
func (q liveAgenda) Awaited(ctx context.Context, id care.StaffID, from, to time.Time) ([]queue.Awaited, error) {
	list, err := q.encounters.Awaited(ctx, id, from, to)
	out := make([]queue.Awaited, len(list))
	for i, e := range list {
		out[i] = queue.Awaited{Kind: e.Kind, Planned: e.PlannedStart, Act: e.ID}
	}
	return out, err
}

type liveDevices struct{ ask }

// Device asks whip who answers for a device.
func (q liveDevices) Device(ctx context.Context, seat string) (signaling.Device, error) {
	return q.whip.Device(ctx, seat)
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

// Person asks identity for the name others in the room see; of a device, that is
// its label.
func (q livePeople) Person(ctx context.Context, role care.Role, id string) (signaling.Person, error) {
	if role == signaling.RoleDevice {
		label, err := q.whip.Label(ctx, id)
		return signaling.Person{Name: label}, err
	}
	if role == care.Companion {
		c, err := q.identity.Companion(ctx, care.CompanionID(id))
		return signaling.Person{Name: c.Name}, err
	}
	if role == care.Patient {
		p, err := q.identity.Patient(ctx, care.PatientID(id))
		if err != nil {
			return signaling.Person{}, err
		}
		to, err := q.identity.Contact(ctx, care.PatientID(id))
		if err != nil {
			return signaling.Person{}, err
		}
		who := signaling.Person{Name: p.DisplayName(), Identity: string(p.Status)}
		if to.Mobile && len(to.Phone) > 2 {
			who.PhoneEnd = to.Phone[len(to.Phone)-2:]
		}
		return who, nil
	}
	p, err := q.identity.Staff(ctx, care.StaffID(id))
	if err != nil {
		return signaling.Person{}, err
	}
	return signaling.Person{Name: named(p), Word: profession.WordOf(p.Profession, role)}, nil
}
