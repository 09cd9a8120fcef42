package refusals_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/refusals"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

const clinic = care.OrganizationID("018f0000-0000-7000-8000-00000000000c")

// people is identity, for tests.
type people struct{}

func (people) PatientOrganization(context.Context, care.PatientID) (care.OrganizationID, error) {
	return clinic, nil
}
func (people) PatientName(context.Context, care.PatientID) (string, error) {
	return "Jeanne PATIENTE", nil
}
func (people) StaffNames(context.Context, care.OrganizationID) (map[care.StaffID]string, error) {
	return map[care.StaffID]string{care.StaffID(eve().ID()): "Dr Ève MALICE", care.StaffID(officer().ID()): "Nadia ROCHER"}, nil
}
func (people) CompanionPatient(context.Context, care.CompanionID) (care.PatientID, error) {
	return care.PatientID(guest().ID()), nil
}

func id(n int) string { return fmt.Sprintf("018f0000-0000-7000-8000-%012d", n) }

func eve() authz.Actor {
	return authz.Actor{Role: care.Doctor, StaffID: care.StaffID(id(1)), OrganizationID: clinic, SessionID: "s", Level: authz.LevelPSC}
}

func guest() authz.Actor {
	return authz.Actor{Role: care.Patient, PatientID: care.PatientID(id(2)), SessionID: "p", Level: authz.LevelLink}
}

func officer() authz.Actor {
	return authz.Actor{Role: care.Admin, StaffID: care.StaffID(id(3)), OrganizationID: clinic, SessionID: "o", Level: authz.LevelPSC, Capabilities: authz.DataProtection}
}

func open(t *testing.T, h *testkit.House) *refusals.Service {
	t.Helper()
	s, err := refusals.New(refusals.Deps{
		DB: h.DB, Audit: h.Audit, Keeper: h.Keeper, Table: h.Table, Clock: h.Clock, Log: h.Log, People: people{},
		Pseudonym: func(id string) string { return "pseudonym-" + id[len(id)-1:] },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func refusal(a authz.Actor, object int, reason string) authz.Refusal {
	return authz.Refusal{Actor: a, Action: "document.read", Object: "document/" + id(1000+object), Reason: reason}
}

// written counts the entries of refusals and what they sum to.
func written(t *testing.T, h *testkit.House, actor string) (rows, refused int) {
	t.Helper()
	err := h.DB.Read(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		list, err := h.Audit.Refusals(ctx, tx, audit.Search{Organization: clinic, Actor: actor, Limit: 1000})
		for _, l := range list {
			n, err := strconv.Atoi(l.Detail["count"])
			if err != nil {
				return err
			}
			rows, refused = rows+1, refused+n
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows, refused
}

func flush(t *testing.T, s *refusals.Service, everything bool) {
	t.Helper()
	if err := s.Flush(t.Context(), everything); err != nil {
		t.Fatal(err)
	}
}

func alarms(t *testing.T, s *refusals.Service, state refusals.State) []refusals.Alarm {
	t.Helper()
	list, _, err := s.Alarms(testkit.As(officer()), refusals.AlarmQuery{State: state, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestNote_EveryRefusalIsCounted: what is refused is in the audit, in bounded
// number, one by one or in sums, and its sum is exact (issue 9, C4).
func TestNote_EveryRefusalIsCounted(t *testing.T) {
	for name, x := range map[string]struct{ times, objects, first, all int }{
		"one":                        {1, 1, 1, 1},
		"one record again and again": {120, 1, 2, 2},
		"50 records":                 {50, 50, 50, 50},
		"120 records":                {120, 120, 51, 51},
		"a flood":                    {10_000, 1000, 55, 55}, // lists of 200 targets
	} {
		t.Run(name, func(t *testing.T) {
			testkit.Houses(t, func(t *testing.T, h *testkit.House) {
				s := open(t, h)
				for n := range x.times {
					s.Note(refusal(eve(), n%x.objects, "not-found"))
				}
				s.Note(refusal(authz.Actor{Role: care.Anonymous}, 1, "sign-in"))
				flush(t, s, false)
				if rows, refused := written(t, h, ""); rows != x.first || refused != x.times {
					t.Errorf("%d entries of %d refusals, want %d of %d", rows, refused, x.first, x.times)
				}
				flush(t, s, true)
				if rows, _ := written(t, h, ""); rows != x.all {
					t.Errorf("%d entries at the end, want %d", rows, x.all)
				}
				if strings.Contains(h.Logged.String(), eve().ID()) {
					t.Error("the log names the person")
				}
			})
		})
	}
}

// TestNote_AFloodOverTime is bounded by the time it takes, not by its size, and
// hides nobody else.
func TestNote_AFloodOverTime(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s := open(t, h)
		for second := range 60 {
			for n := range 200 {
				s.Note(refusal(eve(), second*200+n, "not-found"))
			}
			s.Note(refusal(guest(), second, "not-found"))
			flush(t, s, false)
			h.Clock.Advance(time.Second)
		}
		flush(t, s, true)
		rows, refused := written(t, h, eve().ID())
		if rows > 50+12+12_000/200 || refused != 12_000 { // each of the 12,000 targets is in a list of 200
			t.Errorf("%d entries of %d refusals in a minute", rows, refused)
		}
		if _, refused := written(t, h, guest().ID()); refused != 60 {
			t.Errorf("%d refusals of the other person, want 60", refused)
		}
	})
}

// TestFlush_DatabaseAway loses nothing: what was not taken is written later.
func TestFlush_DatabaseAway(t *testing.T) {
	h := testkit.NewHouse(t, testkit.OpenSQLite(t))
	s := open(t, h)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for n := range 120 {
		s.Note(refusal(eve(), n, "not-found"))
		if n == 60 && s.Flush(ended, false) == nil {
			t.Fatal("a context that has ended writes")
		}
	}
	if s.Flush(ended, true) == nil {
		t.Fatal("a context that has ended writes")
	}
	flush(t, s, true)
	if _, refused := written(t, h, ""); refused != 120 {
		t.Errorf("%d refusals are written, want 120", refused)
	}
	if list := alarms(t, s, refusals.Open); len(list) == 0 {
		t.Error("the alarms were lost with the database")
	}
}

// TestKill says what a process that ends without a word loses: what came in the
// last second, and in the last ten seconds what was only to be summed.
func TestKill(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s := open(t, h)
		sent := 0
		for range 60 { // seconds; the writer follows each
			for n := range 100 {
				s.Note(refusal(eve(), n, "not-found"))
				sent++
			}
			flush(t, s, false)
			h.Clock.Advance(time.Second)
		}
		_, refused := written(t, h, "")
		if lost := sent - refused; lost > 11*100 {
			t.Errorf("%d of %d refusals are lost, more than eleven seconds of them", lost, sent)
		} else {
			t.Logf("killed: %d of %d refusals lost, %d a second", lost, sent, 100)
		}
	})
}

// TestAlarms_Rules tries each kind of alarm just under its line and on it; a restart
// raises none of them again.
func TestAlarms_Rules(t *testing.T) {
	for name, x := range map[string]struct {
		who     authz.Actor
		reason  string
		times   int
		objects int
		every   time.Duration
		want    string // kinds
	}{
		"19 records":                   {eve(), "not-found", 19, 19, 0, ""},
		"20 records":                   {eve(), "forbidden", 20, 20, 0, "records"},
		"20 records, slowly":           {eve(), "not-found", 20, 20, time.Minute, ""},
		"20 records over two windows":  {eve(), "not-found", 20, 20, 29 * time.Second, "records"},
		"100 records in a day":         {eve(), "not-found", 100, 100, 10 * time.Minute, "records-slow"},
		"99 records in a day":          {eve(), "not-found", 99, 99, 10 * time.Minute, ""},
		"a record 59 times":            {eve(), "not-found", 59, 1, 0, ""},
		"a record 60 times":            {eve(), "not-found", 60, 1, 0, "repeats"},
		"a record 120 times":           {eve(), "not-found", 120, 1, 0, "repeats"},
		"a code is needed, many times": {guest(), "code-needed", 500, 50, 0, ""},
		"a patient, 4 records":         {guest(), "not-found", 4, 4, 0, ""},
		"a patient, 5 records":         {guest(), "not-found", 5, 5, 0, "records"},
		"the reserved page":            {eve(), "capability-needed", 5, 1, time.Minute, "reserved"},
		"orders of a call":             {guest(), "live-forbidden", 20, 1, 0, "live"},
		"a session that ended":         {eve(), "sign-in", 10, 10, 0, "closed"},
		"a page left open":             {eve(), "sign-in", 300, 3, 0, ""},
		"a minor's representative":     {guest(), "representative-not-on-file", 5, 1, 0, "minor"},
		"another site":                 {eve(), "cross-origin", 3, 1, 0, "identity"},
		"another identity, twice":      {eve(), "step-up-other", 2, 1, 0, ""},
		"another identity":             {eve(), "step-up-other", 3, 1, 0, "identity"},
		"a closed link":                {guest(), "link-revoked", 10, 10, 0, "closed"},
		"599 of anything":              {guest(), "code-needed", 599, 50, 0, ""},
		"600 of anything":              {guest(), "code-needed", 600, 50, 0, "flood"},
		"a patient, a record 29 times": {guest(), "not-found", 29, 1, 0, ""},
		"a patient, a record 30 times": {guest(), "not-found", 30, 1, 0, "repeats"},
		"the reserved page, once less": {eve(), "capability-needed", 4, 1, time.Minute, ""},
		"orders of a call, once less":  {guest(), "live-forbidden", 19, 1, 0, ""},
		"a session, once less":         {eve(), "sign-in", 9, 9, 0, ""},
		"a minor, once less":           {guest(), "representative-not-on-file", 4, 1, 0, ""},
		"another site, once less":      {eve(), "cross-origin", 2, 1, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := testkit.NewHouse(t, testkit.OpenSQLite(t))
			s := open(t, h)
			for n := range x.times {
				s.Note(refusal(x.who, n%x.objects, x.reason))
				if x.every > 0 {
					flush(t, s, true)
				}
				h.Clock.Advance(x.every)
			}
			flush(t, s, true)
			var kinds []string
			for _, a := range alarms(t, s, "") {
				kinds = append(kinds, a.Kind)
				if a.Actor != x.who.ID() || a.Refusals < x.objects-1 || a.Organization != clinic || a.Areas[0] != "document" {
					t.Errorf("the alarm is %+v", a)
				}
			}
			if got := strings.Join(kinds, " "); got != x.want {
				t.Errorf("alarms %q, want %q", got, x.want)
			}
			if log := h.Logged.String(); x.want != "" && !strings.Contains(log, "pseudonym-") || strings.Contains(log, x.who.ID()) {
				t.Errorf("the log: %s", log)
			}
			if x.want == "" {
				return
			}
			s = open(t, h) // a restart, then one more: the alarm that stands grows, no other is raised
			if err := errors.Join(s.Start(t.Context()), s.Stop(t.Context())); err != nil {
				t.Fatal(err)
			}
			s.Note(refusal(x.who, 0, x.reason))
			flush(t, s, true)
			if list := alarms(t, s, ""); len(list) != len(kinds) {
				t.Errorf("after a restart: %+v", list)
			}
		})
	}
}

// TestAlarms_OncePerWindow: more of the same makes an alarm grow; another comes
// with the next window. A restart raises nothing again and forgets no count.
func TestAlarms_OncePerWindow(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s := open(t, h)
		step := func(from, to int) {
			for n := from; n < to; n++ {
				s.Note(refusal(guest(), n, "not-found"))
			}
			flush(t, s, true)
		}
		again := func() {
			s = open(t, h)
			if err := s.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := s.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		step(0, 4)
		again()
		step(4, 5)
		if list := alarms(t, s, ""); len(list) != 1 || list[0].Refusals != 5 || list[0].Objects != 5 {
			t.Fatalf("after a restart in the middle: %+v", list)
		}
		step(5, 12)
		again()
		step(12, 15)
		if list := alarms(t, s, ""); len(list) != 1 || list[0].Refusals != 15 {
			t.Fatalf("the alarm has not grown: %+v", list)
		}
		h.Clock.Advance(11 * time.Minute)
		step(20, 25)
		if list := alarms(t, s, ""); len(list) != 2 {
			t.Fatalf("%d alarms after the next window, want 2", len(list))
		}
	})
}

// TestSettle_WhatComesLater: who goes on after their alarm was settled raises another,
// in the same window too, before and after a restart.
func TestSettle_WhatComesLater(t *testing.T) {
	for name, restart := range map[string]bool{"running": false, "restarted": true} {
		t.Run(name, func(t *testing.T) {
			testkit.Houses(t, func(t *testing.T, h *testkit.House) {
				s := open(t, h)
				step := func(from, to int) []refusals.Alarm {
					for n := from; n < to; n++ {
						s.Note(refusal(guest(), n, "not-found"))
					}
					flush(t, s, true)
					return alarms(t, s, refusals.Open)
				}
				first := step(0, 6)
				if len(first) != 1 {
					t.Fatalf("%d alarms, want 1", len(first))
				}
				h.Clock.Advance(time.Second)
				if _, err := s.Settle(testkit.As(officer()), first[0].ID, "Vu avec la personne."); err != nil {
					t.Fatal(err)
				}
				h.Clock.Advance(time.Second)
				if restart {
					s = open(t, h)
					if err := s.Start(t.Context()); err != nil {
						t.Fatal(err)
					}
					if err := s.Stop(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				if list := step(6, 10); len(list) != 0 {
					t.Errorf("after four more: %+v", list)
				}
				if list := step(10, 11); len(list) != 1 || list[0].ID == first[0].ID || list[0].Refusals != 5 {
					t.Errorf("after five more: %+v", list)
				}
				if list := alarms(t, s, refusals.Settled); len(list) != 1 || list[0].Refusals != 6 {
					t.Errorf("the settled one: %+v", list)
				}
			})
		})
	}
}

// TestSettle: with a reason, once, by somebody else than the person it is about,
// of the same organisation, and in the audit.
func TestSettle(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s := open(t, h)
		raise := func(a authz.Actor, reason string) string {
			t.Helper()
			for n := range 20 {
				s.Note(refusal(a, n, reason))
			}
			flush(t, s, true)
			return alarms(t, s, refusals.Open)[0].ID
		}
		alarm := raise(eve(), "not-found")
		settle := func(a authz.Actor, id, reason string) string {
			_, err := s.Settle(testkit.As(a), id, reason)
			var f *fault.Error
			if err != nil && !errors.As(err, &f) {
				t.Fatal(err)
			}
			if err == nil {
				return ""
			}
			return f.Code
		}
		other, colleague, plain := officer(), officer(), officer()
		other.OrganizationID, colleague.StaffID, plain.Capabilities = care.OrganizationID(id(9)), care.StaffID(id(4)), 0
		for _, x := range []struct {
			who          authz.Actor
			reason, want string
		}{
			{officer(), " \n", "fields"}, {plain, "vu", "capability-needed"}, {eve(), "vu", "capability-needed"}, {other, "vu", "not-found"}, {guest(), "vu", "capability-needed"},
			{authz.Actor{Role: care.Anonymous}, "vu", "sign-in"},
		} {
			if got := settle(x.who, alarm, x.reason); got != x.want {
				t.Errorf("%s of %s: %q, want %q", x.who.Role, x.who.OrganizationID, got, x.want)
			}
		}
		answers := make(chan string, 8)
		for n := range 8 {
			a := officer()
			if n%2 == 1 {
				a = colleague
			}
			go func() { answers <- settle(a, alarm, fmt.Sprintf("Erreur de dossier, vu avec le docteur %d.", n)) }()
		}
		count := map[string]int{}
		for range 8 {
			count[<-answers]++
		}
		if count[""] != 1 || count["alarm-settled"] != 7 {
			t.Errorf("eight at once: %v", count)
		}
		if list := alarms(t, s, refusals.Settled); len(list) != 1 || !strings.HasPrefix(list[0].Reason, "Erreur de dossier") {
			t.Errorf("settled: %+v", list)
		}
		err := h.DB.Read(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			lines, err := h.Audit.About(ctx, tx, "refusal-alarm/"+alarm)
			reasons := ""
			for _, l := range lines { // of one millisecond: in any order
				reasons += string(l.Action) + l.Detail["reason"] + " "
			}
			if len(lines) != 2 || !strings.Contains(reasons, "refusal.settleErreur de dossier") {
				t.Errorf("the audit of the alarm: %+v", lines)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := settle(officer(), raise(officer(), "forbidden"), "rien"); got != "alarm-own" {
			t.Errorf("an alarm about oneself: %q", got)
		}
	})
}
