package refusals

import (
	"context"
	"strings"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/seal"
	"visavis/internal/store"
)

// State says whether somebody looked at an alarm.
type State string

// The states of an alarm; the empty one is both.
const (
	Open    State = "open"
	Settled State = "settled"
)

// Alarm says that one person was refused so much that somebody must look.
type Alarm struct {
	ID           string
	Organization care.OrganizationID
	Actor        string
	Role         care.Role
	Kind         string // of rules.tsv
	Began, Last  time.Time
	Raised       time.Time
	Refusals     int
	Objects      int      // different ones, at most 500
	Areas        []string // kinds of objects, at most 8
	SettledAt    time.Time
	SettledBy    care.StaffID
	Reason       string // what whoever settled it wrote
}

// AlarmQuery is a page of alarms.
type AlarmQuery struct {
	State  State
	Before string // id; older ones only
	Limit  int
}

// Query is a page of refusals.
type Query struct {
	Person      string // actor; everybody when empty
	From, Until time.Time
	Before      string // id; older ones only
	Limit       int
}

// writeAlarms writes new alarms, with an entry and a line in the log, and what
// came to those that stand.
func (s *Service) writeAlarms(ctx context.Context, changes []change) error {
	if len(changes) == 0 {
		return nil
	}
	now := s.Clock.Now()
	for i := range changes {
		changes[i].alarm.Organization, changes[i].alarm.Raised = s.organization(ctx, changes[i].actor), now
	}
	err := s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		for _, x := range changes {
			if err := s.writeAlarm(ctx, tx, x); err != nil {
				return err
			}
		}
		return nil
	})
	for _, x := range changes {
		if err == nil && x.fresh {
			s.Log.Error("refusals: alarm", "kind", x.alarm.Kind, "actor", s.Pseudonym(x.alarm.Actor), "role", x.alarm.Role,
				"refusals", x.alarm.Refusals, "objects", x.alarm.Objects, "alarm", x.alarm.ID)
		}
	}
	return err
}

func (s *Service) writeAlarm(ctx context.Context, tx *store.Tx, x change) error {
	if !x.fresh {
		return growAlarm(tx, x.alarm)
	}
	if err := insertAlarm(tx, x.alarm); err != nil {
		return err
	}
	return s.Audit.Append(ctx, tx, audit.Entry{Action: alarmAction, Object: object(x.alarm.ID), Detail: map[string]string{
		"kind": x.alarm.Kind, "actor": x.alarm.Actor,
	}})
}

func object(alarm string) string { return "refusal-alarm/" + alarm }

// OpenAlarms counts the alarms that nobody has settled, for health.
func (s *Service) OpenAlarms(ctx context.Context) (n int64, err error) {
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		n, err = countOpen(tx, "")
		return err
	})
	return n, err
}

// Alarms lists the alarms of the caller's organisation, the newest first, with the
// number of open ones. The reading is in the audit.
func (s *Service) Alarms(ctx context.Context, q AlarmQuery) (list []Alarm, open int64, err error) {
	a := authz.From(ctx)
	if err := s.Table.Can(a, "refusal.read", authz.Org); err != nil {
		return nil, 0, err
	}
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if list, err = alarmsOf(ctx, tx, s.Keeper, a.OrganizationID, q); err != nil {
			return err
		}
		if open, err = countOpen(tx, a.OrganizationID); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "refusal.read", Object: "refusal-alarms", Detail: map[string]string{"state": string(q.State)}})
	})
	return list, open, err
}

// Alarm gives one alarm of the caller's organisation. Its reading is in the audit,
// of the patient's file too when it is about one.
func (s *Service) Alarm(ctx context.Context, id string) (alarm Alarm, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if alarm, err = s.reach(ctx, tx, "refusal.read", id, false); err != nil {
			return err
		}
		patient, err := s.patientOf(ctx, alarm)
		if err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "refusal.read", Object: object(id), Patient: patient})
	})
	return alarm, err
}

// patientOf gives the patient whose name an alarm's detail shows; none for staff.
func (s *Service) patientOf(ctx context.Context, a Alarm) (care.PatientID, error) {
	switch a.Role {
	case care.Patient:
		return care.PatientID(a.Actor), nil
	case care.Companion:
		p, err := s.People.CompanionPatient(ctx, care.CompanionID(a.Actor))
		if fault.KindOf(err) == fault.NotFound {
			err = nil
		}
		return p, err
	}
	return "", nil
}

func (s *Service) reach(ctx context.Context, tx *store.Tx, act authz.Action, id string, lock bool) (Alarm, error) {
	a := authz.From(ctx)
	if !care.ValidID(id) {
		return Alarm{}, fault.Missing()
	}
	alarm, err := loadAlarm(ctx, tx, s.Keeper, id, lock)
	if err != nil {
		return alarm, err
	}
	rel := authz.Other
	if a.OrganizationID != "" && alarm.Organization == a.OrganizationID {
		rel = authz.Org
	}
	return alarm, s.Table.Can(a, act, rel)
}

// Settle says that the caller has looked at an alarm, and what came of it. Of two
// at once one wins; the other is refused as Conflict alarm-settled and changes
// nothing. Nobody settles an alarm about themselves (Forbidden alarm-own).
func (s *Service) Settle(ctx context.Context, id, reason string) (alarm Alarm, err error) {
	reason = strings.TrimSpace(reason)
	if reason == "" {
		return alarm, fault.Fields(fault.Field{Name: "reason", Code: "required"})
	}
	a := authz.From(ctx)
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if alarm, err = s.reach(ctx, tx, "refusal.settle", id, true); err != nil {
			return err
		}
		switch {
		case alarm.Actor == a.ID():
			return fault.New(fault.Forbidden, "alarm-own")
		case !alarm.SettledAt.IsZero():
			return fault.New(fault.Conflict, "alarm-settled")
		}
		alarm.SettledAt, alarm.SettledBy, alarm.Reason = s.Clock.Now(), a.StaffID, reason
		sealed, err := s.Keeper.Seal(ctx, tx, seal.House, reasonPlace(id), []byte(reason))
		if err != nil {
			return err
		}
		if err := settleAlarm(tx, alarm, sealed); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "refusal.settle", Object: object(id), Detail: map[string]string{"reason": reason}})
	})
	if err == nil {
		s.closeAlarm(alarm)
	}
	return alarm, err
}

// closeAlarm has what is refused after an alarm was settled counted anew: nobody
// looks at a settled alarm again, so it must not take what its person goes on with
// until its window ends, which is a day for the slow rules.
func (s *Service) closeAlarm(a Alarm) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.people[a.Actor]
	if p == nil {
		return
	}
	for i := range p.counts {
		if p.counts[i].alarm == a.ID {
			p.counts[i] = counter{}
		}
	}
}

// Refusals lists what people of the caller's organisation were refused, the newest
// first. The reading is in the audit, with what was looked for.
func (s *Service) Refusals(ctx context.Context, q Query) (list []audit.Line, err error) {
	a := authz.From(ctx)
	if err := s.Table.Can(a, "refusal.read", authz.Org); err != nil {
		return nil, err
	}
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		list, err = s.Audit.Refusals(ctx, tx, audit.Search{
			Organization: a.OrganizationID, Actor: q.Person, From: q.From, Until: q.Until, Before: q.Before, Limit: q.Limit,
		})
		if err != nil {
			return err
		}
		looked := map[string]string{"person": q.Person}
		for name, at := range map[string]time.Time{"from": q.From, "until": q.Until} {
			if !at.IsZero() {
				looked[name] = at.UTC().Format(time.RFC3339)
			}
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "refusal.read", Object: "refusals", Detail: looked})
	})
	return list, err
}
