package consent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"visavis/consent/entitlement"
	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/store"
)

// Agreement is one decision about an act, with who took it and who attests it.
type Agreement struct {
	Record
	Agent      *Agent // who decided for the patient; nil when they did themselves
	AttestedBy string // channel oral: the professional who heard it; empty in records of the first shape
}

// During gives what was agreed to during an act that lasted from start to end:
// the decision in force at its start, when there is one, then those taken until
// its end, oldest first. That staff read it is audited. Records that are not what
// was signed are refused as Conflict consent-damaged.
func (s *Service) During(ctx context.Context, id care.AppointmentID, start, end time.Time) (list []Agreement, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		act, err := s.act(ctx, id, "consent.read")
		if err != nil {
			return err
		}
		if _, err := s.last(ctx, tx, id); err != nil {
			return err
		}
		all, err := ofAct(tx, id)
		if err != nil {
			return err
		}
		list = nil
		for _, r := range during(all, start, end) {
			a, err := s.agreement(ctx, tx, r)
			if err != nil {
				return err
			}
			list = append(list, a)
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "consent.read", Object: "appointment/" + string(id), Patient: act.PatientID})
	})
	return list, err
}

// agreement opens a record for its people.
func (s *Service) agreement(ctx context.Context, tx *store.Tx, r Record) (a Agreement, err error) {
	row, err := byID(tx, r.ID)
	if err != nil {
		return a, err
	}
	b, err := s.openBundle(ctx, tx, r.PatientID, row)
	if err != nil {
		return a, err
	}
	if ok, err := s.proven(ctx, tx, row); err != nil || !ok {
		return a, errors.Join(err, errDamaged())
	}
	a = Agreement{Record: r}
	if b.Agent != nil {
		a.Agent = &Agent{b.Agent.Name, b.Agent.Relation, b.Agent.Proof, b.Agent.Document}
	}
	if r.Channel == Oral || r.Channel == Emergency {
		a.AttestedBy = b.Actor.Name
	}
	return a, nil
}

// StateAt is State as it was at an instant.
func (s *Service) StateAt(ctx context.Context, id care.AppointmentID, at time.Time) (state care.ConsentState, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		records, err := ofAct(tx, id)
		state = stateAt(records, at)
		return err
	})
	return state, err
}

// States is State for many acts: the agenda asks it. An act without record is
// absent from the answer.
func (s *Service) States(ctx context.Context, ids []care.AppointmentID) (states map[care.AppointmentID]care.ConsentState, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		states, err = statesOf(tx, ids)
		return err
	})
	return states, err
}

// during cuts the records of an act, oldest first.
func during(all []Record, start, end time.Time) []Record {
	from := 0
	for i, r := range all {
		if r.At.After(end) {
			return all[from:i]
		}
		if !r.At.After(start) {
			from = i
		}
	}
	return all[from:]
}

// Confidential tells whether a professional attested, for an act, a ground on
// which the parents of a minor are told nothing (CSP L1111-5, L5134-1). A record
// that is not what was signed makes the act confidential: nothing is sent.
func (s *Service) Confidential(ctx context.Context, id care.AppointmentID) (yes bool, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		yes = false
		rows, err := sealedOfAct(tx, id)
		if err != nil {
			return err
		}
		for _, r := range rows {
			ok, err := s.proven(ctx, tx, r)
			if err != nil {
				return err
			}
			yes = yes || !ok || r.record().Ground != entitlement.Ordinary
		}
		return nil
	})
	return yes, err
}

// providesCare tells whether a role treats patients. Every other role that sees an act which
// a minor keeps secret sees neither its ground nor the adult who came along.
func providesCare(r care.Role) bool { return r == care.Doctor || r == care.Nurse }

// seenBy leaves out of a record the ground of a minor, which their parents, who hold their
// links, and the office do not learn (CSP L1111-5, L5134-1).
func (r Record) seenBy(role care.Role) Record {
	if !providesCare(role) {
		r.Ground = entitlement.Ordinary
	}
	return r
}

// mayProve refuses, as what does not exist, the papers of an act that a minor keeps secret to
// whoever does not take care of them. From the eighteenth birthday on the links are theirs.
func (s *Service) mayProve(ctx context.Context, id care.AppointmentID, act Act) error {
	role := authz.From(ctx).Role
	if providesCare(role) {
		return nil
	}
	secret, err := s.Confidential(ctx, id)
	if err != nil || !secret {
		return err
	}
	p, err := s.People.Patient(ctx, act.PatientID, s.Clock.Now())
	if err != nil {
		return err
	}
	if p.Minor || role != care.Patient {
		return fault.Missing()
	}
	return nil
}

// repeats tells whether a decision is the last one again: the same answer to the same text, in
// the same way, by the same person, on the same ground.
func (s *Service) repeats(ctx context.Context, tx *store.Tx, last Record, d Decision) (bool, error) {
	if last.State != d.State || last.TextID != d.TextID || last.Channel != d.Channel || last.Ground != d.Ground {
		return false, nil
	}
	b, ok, err := s.lastBundle(ctx, tx, last)
	if err != nil || !ok {
		return false, err
	}
	if b.Agent == nil || d.Agent == nil {
		return b.Agent == nil && d.Agent == nil, nil
	}
	return b.Agent.Name == d.Agent.Name && b.Agent.Relation == d.Agent.Relation && b.Agent.Document == d.Agent.Document, nil
}

// openBundle opens the bundle of a record of a patient. It does not ask whether the record
// is what was signed: proven does.
func (s *Service) openBundle(ctx context.Context, tx *store.Tx, patient care.PatientID, r row) (b Bundle, err error) {
	raw, err := s.Keeper.Open(ctx, tx, patient, place(care.ConsentID(r.ID)), r.Bundle)
	if err != nil {
		return b, err
	}
	if err := json.Unmarshal(raw, &b); err != nil {
		return b, fmt.Errorf("consent: %w", err)
	}
	return b, nil
}

// lastBundle opens the bundle of the newest record of an act; ok is false when the act has none.
func (s *Service) lastBundle(ctx context.Context, tx *store.Tx, last Record) (b Bundle, ok bool, err error) {
	r, ok, err := lastSealed(tx, last.AppointmentID)
	if err != nil || !ok {
		return b, false, err
	}
	b, err = s.openBundle(ctx, tx, last.PatientID, r)
	return b, err == nil, err
}
