package refusals

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/store"
)

// replay counts again what was refused since the longest window began: the
// newest maxReplay entries, and the alarms they raised.
func (s *Service) replay(ctx context.Context) error {
	now := s.Clock.Now()
	var lines []audit.Line
	var raised []Alarm
	ctx = authz.With(ctx, authz.SystemActor())
	err := s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if lines, err = s.Audit.RecentRefusals(ctx, tx, now.Add(-remembered), maxReplay); err != nil {
			return err
		}
		raised, err = alarmsSince(ctx, tx, s.Keeper, now.Add(-remembered))
		return err
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range slices.Backward(lines) { // the oldest first
		s.againLocked(l)
	}
	for _, p := range s.people {
		for i := range p.counts { // nothing is raised by what was before
			p.counts[i].raised, p.counts[i].grown, p.counts[i].alarm = false, false, ""
		}
	}
	for _, a := range raised {
		s.standingLocked(a)
	}
	return nil
}

// againLocked counts one entry for the alarms.
func (s *Service) againLocked(l audit.Line) {
	a := authz.Actor{Role: l.Role}
	switch l.Role {
	case care.Patient:
		a.PatientID = care.PatientID(l.Actor)
	case care.Companion:
		a.CompanionID = care.CompanionID(l.Actor)
	case care.System, care.Anonymous:
		return
	default:
		a.StaffID = care.StaffID(l.Actor)
	}
	count, err := strconv.Atoi(l.Detail["count"])
	if err != nil { // written by another package
		return
	}
	p := s.personLocked(a, l.At)
	if p == nil {
		return
	}
	p.last = l.At
	noID := func() string { return "" }
	what := refusal{action: l.Action, object: l.Object, reason: l.Detail["reason"]}
	set := matching(s.rules, a, what.reason, l.At)
	targets := strings.Fields(l.Detail["targets"])
	for _, target := range targets {
		one := what
		if one.object = l.Object + "/" + target; l.Object == several {
			one.object = target
		}
		p.watch(s.rules, set, one, 1, l.At, s.seed, noID)
	}
	if what.sum = len(targets) > 0; count > len(targets) {
		p.watch(s.rules, set, what, count-len(targets), l.At, s.seed, noID)
	}
	if n, err := strconv.Atoi(l.Detail["unlisted"]); err == nil && n > 0 {
		p.watch(s.rules, matching(s.rules, a, listIncomplete, l.At), what, n, l.At, s.seed, noID)
	}
}

// standingLocked lets an alarm whose window goes on take what comes.
func (s *Service) standingLocked(a Alarm) {
	p := s.people[a.Actor]
	if p == nil {
		return
	}
	for i, r := range s.rules {
		guest := a.Role == care.Patient || a.Role == care.Companion
		if r.Kind != a.Kind || r.Who != "any" && guest != (r.Who == "guest") || !a.Raised.Add(r.Window).After(s.Clock.Now()) {
			continue
		}
		c := &p.counts[i]
		if !a.SettledAt.IsZero() { // closeAlarm: what came later counts anew
			c.times = slices.DeleteFunc(c.times, func(at time.Time) bool { return !at.After(a.SettledAt) })
			c.count, c.areas = len(c.times), nil
			continue
		}
		c.alarm, c.until, c.began = a.ID, a.Raised.Add(r.Window), a.Began
		c.count, c.areas, c.last = max(c.count, a.Refusals), a.Areas, a.Last
	}
}
