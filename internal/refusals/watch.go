package refusals

import (
	"context"
	"hash/maphash"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/clock"
	"visavis/internal/fault"
	"visavis/internal/seal"
	"visavis/internal/store"
)

const (
	writeEvery = time.Second
	maxWaiting = 5000 // entries that the database has not taken yet
	batch      = 200  // entries in one transaction
	maxReplay  = 5000 // entries that are read at the start
)

// alarmAction is the action of the entry that tells of an alarm.
const alarmAction authz.Action = "refusal.alarm"

// People is what identity knows of those who are refused.
type People interface {
	// PatientOrganization gives whose file a patient is in.
	PatientOrganization(ctx context.Context, id care.PatientID) (care.OrganizationID, error)
	// PatientName is how people call a patient.
	PatientName(ctx context.Context, id care.PatientID) (string, error)
	// StaffNames gives the people of an organisation, also those who left.
	StaffNames(ctx context.Context, o care.OrganizationID) (map[care.StaffID]string, error)
	// CompanionPatient gives at whose side a companion comes.
	CompanionPatient(ctx context.Context, id care.CompanionID) (care.PatientID, error)
}

// Deps is what the package is made of.
type Deps struct {
	DB        *store.DB
	Audit     *audit.Log
	Keeper    *seal.Keeper
	Table     *authz.Table
	Clock     clock.Clock
	Log       *slog.Logger
	Pseudonym func(id string) string
	People    People
}

// Service notes refusals, raises alarms and shows both. Its methods may be called
// by several goroutines.
type Service struct {
	Deps
	rules []Rule
	seed  maphash.Seed

	writing sync.Mutex // one Flush at a time
	waiting []entry    // what the database did not take

	mu     sync.Mutex
	people map[string]*person
	room   room // of the targets of all people
	lost   int  // refusals that found no room

	end  chan struct{}
	done chan struct{}
}

// New returns a service that writes nothing by itself until Start.
func New(d Deps) (*Service, error) {
	rules, err := LoadRules()
	seed := maphash.MakeSeed()
	return &Service{Deps: d, rules: rules, seed: seed, room: room{seed: seed}, people: map[string]*person{}}, err
}

// Note takes a refusal. It never blocks for the database and never fails; somebody
// we do not know is not noted.
func (s *Service) Note(r authz.Refusal) {
	if r.Actor.Role == "" || r.Actor.Role == care.Anonymous || r.Actor.Role == care.System {
		return
	}
	now := s.Clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.personLocked(r.Actor, now)
	if p == nil {
		s.lost++
		return
	}
	what := refusal{action: r.Action, object: r.Object, reason: r.Reason}
	p.actor, p.last = r.Actor, now
	lost := p.note(what, now, &s.room)
	newID := func() string { return care.NewID(now) }
	p.watch(s.rules, matching(s.rules, r.Actor, r.Reason, now), what, 1, now, s.seed, newID)
	if lost {
		p.watch(s.rules, matching(s.rules, r.Actor, listIncomplete, now), what, 1, now, s.seed, newID)
	}
}

// personLocked finds what is remembered of an actor. When too many are remembered
// it forgets the one whose last refusal is oldest and written; nil when there is
// none.
func (s *Service) personLocked(a authz.Actor, now time.Time) *person {
	p := s.people[a.ID()]
	if p != nil {
		return p
	}
	if len(s.people) >= maxPeople {
		oldest := ""
		for id, o := range s.people {
			if !o.pending() && (oldest == "" || o.last.Before(s.people[oldest].last)) {
				oldest = id
			}
		}
		if oldest == "" {
			return nil
		}
		s.people[oldest].forget(&s.room)
		delete(s.people, oldest)
	}
	p = newPerson(a, now)
	s.people[a.ID()] = p
	return p
}

// Start reads what was refused in the last day, so that a restart forgets no
// count, and begins to write.
func (s *Service) Start(ctx context.Context) error {
	if err := s.replay(ctx); err != nil {
		return err
	}
	s.end, s.done = make(chan struct{}), make(chan struct{})
	go s.run()
	return nil
}

func (s *Service) run() {
	defer close(s.done)
	tick := time.NewTicker(writeEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = s.Flush(context.Background(), false) // tried again at the next tick; the log has it
		case <-s.end:
			return
		}
	}
}

// Stop writes everything that waits, and ends the writer.
func (s *Service) Stop(ctx context.Context) error {
	if s.end != nil {
		close(s.end)
		<-s.done
		s.end = nil
	}
	return s.Flush(ctx, true)
}

// Flush writes what is due: with everything, sums whose time has not come too.
// What the database does not take is kept for the next time.
func (s *Service) Flush(ctx context.Context, everything bool) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	ctx = authz.With(ctx, authz.SystemActor())
	changes := s.collect(everything)
	for len(s.waiting) > 0 {
		part := s.waiting[:min(batch, len(s.waiting))]
		if err := s.write(ctx, part); err != nil {
			s.Log.Error("refusals: not written, tried again", "count", len(s.waiting), "error", err)
			s.giveBack(changes)
			return err
		}
		s.waiting = s.waiting[len(part):]
	}
	s.waiting = nil
	if err := s.writeAlarms(ctx, changes); err != nil {
		s.Log.Error("refusals: alarm not written, tried again", "count", len(changes), "error", err)
		s.giveBack(changes)
		return err
	}
	return nil
}

// change is an alarm to write: a new one, or more of one.
type change struct {
	person string
	rule   int
	fresh  bool
	alarm  Alarm
	actor  authz.Actor
}

// collect takes what is due from every person.
func (s *Service) collect(everything bool) (changes []change) {
	now := s.Clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, p := range s.people {
		sums := len(p.sums) > 0
		for _, e := range p.due(now, everything, &s.room) {
			if len(s.waiting) >= maxWaiting {
				s.lost += e.count
				continue
			}
			s.waiting = append(s.waiting, e)
		}
		told := !sums || len(p.sums) == 0 // alarms are updated when the sums are written
		for i := range p.counts {
			if c := &p.counts[i]; c.raised || c.grown && told {
				changes = append(changes, change{person: id, rule: i, fresh: c.raised, alarm: s.alarmLocked(p, i), actor: p.actor})
				c.raised, c.grown = false, false
			}
		}
		if now.Sub(p.last) >= remembered && !p.pending() {
			p.forget(&s.room)
			delete(s.people, id)
		}
	}
	if s.lost > 0 {
		s.Log.Error("refusals: too many at once, these have no entry", "count", s.lost)
		s.lost = 0
	}
	return changes
}

func (s *Service) alarmLocked(p *person, rule int) Alarm {
	c := p.counts[rule]
	return Alarm{
		ID: c.alarm, Actor: p.actor.ID(), Role: p.actor.Role, Kind: s.rules[rule].Kind, Began: c.began, Last: c.last,
		Refusals: c.count, Objects: p.distinct(rule, c.began.Add(-time.Nanosecond)), Areas: append([]string(nil), c.areas...),
	}
}

// giveBack marks changes again that were not written.
func (s *Service) giveBack(changes []change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range changes {
		if p := s.people[x.person]; p != nil && p.counts[x.rule].alarm == x.alarm.ID {
			p.counts[x.rule].raised = p.counts[x.rule].raised || x.fresh
			p.counts[x.rule].grown = true
		}
	}
}

// write puts entries into the audit log, each in the name of who was refused.
func (s *Service) write(ctx context.Context, list []entry) error {
	known := map[string]care.OrganizationID{}
	for i := range list {
		id := list[i].actor.ID()
		if _, ok := known[id]; !ok {
			known[id] = s.organization(ctx, list[i].actor)
		}
		list[i].org = known[id]
	}
	return s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		for _, e := range list {
			detail := map[string]string{"reason": e.what.reason, "count": strconv.Itoa(e.count)}
			if e.objects > 0 {
				detail["objects"] = strconv.Itoa(e.objects)
			}
			if len(e.targets) > 0 {
				detail["targets"] = strings.Join(e.targets, " ")
			}
			if e.unlisted > 0 {
				detail["unlisted"] = strconv.Itoa(e.unlisted)
			}
			err := s.Audit.Append(authz.With(ctx, e.actor), tx, audit.Entry{
				Action: e.what.action, Object: e.what.object, Outcome: audit.Refused, Organization: e.org, Detail: detail,
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// organization gives whose data protection answers for an actor: their own
// organisation, or that of the patient's file, and no other, also when nobody there
// has the capability yet. Empty when it is not known.
func (s *Service) organization(ctx context.Context, a authz.Actor) care.OrganizationID {
	o := a.OrganizationID
	var err error
	if o == "" && a.PatientID != "" {
		o, err = s.People.PatientOrganization(ctx, a.PatientID)
	}
	if err != nil && fault.KindOf(err) != fault.NotFound {
		s.Log.Warn("refusals: whose data protection answers is not known", "actor", s.Pseudonym(a.ID()), "error", err)
	}
	return o
}
