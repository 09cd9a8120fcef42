package refusals_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/refusals"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

// told is what the entries of a person say.
type told struct {
	rows, refused, listed, unlisted int
	objects                         map[string]bool // with an entry of their own, or in a list
}

func read(t *testing.T, h *testkit.House, actor string) told {
	t.Helper()
	out := told{objects: map[string]bool{}}
	err := h.DB.Read(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		for before := ""; ; {
			list, err := h.Audit.Refusals(ctx, tx, audit.Search{Organization: clinic, Actor: actor, Before: before, Limit: 1000})
			if err != nil {
				return err
			}
			for _, l := range list {
				before = l.ID
				out.rows++
				n, err := strconv.Atoi(l.Detail["count"])
				if err != nil {
					return err
				}
				out.refused += n
				targets := strings.Fields(l.Detail["targets"])
				out.listed += len(targets)
				for _, target := range targets {
					if l.Object != "several" {
						target = l.Object + "/" + target
					}
					out.objects[target] = true
				}
				if strings.Contains(l.Object, "/") {
					out.objects[l.Object] = true
				}
				if missing, err := strconv.Atoi(l.Detail["unlisted"]); err == nil {
					out.unlisted += missing
				}
			}
			if len(list) < 1000 {
				return nil
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestNote_JunkHidesNothing: whatever somebody is refused before, each record that
// they try afterwards is on the page, in a bounded number of entries, and the flood
// raises an alarm (issue 9, C4).
func TestNote_JunkHidesNothing(t *testing.T) {
	at := func(kind string, n int, reason string) authz.Refusal {
		return authz.Refusal{Actor: eve(), Action: authz.Action(kind + ".read"), Object: kind + "/" + id(n), Reason: reason}
	}
	for name, x := range map[string]struct {
		junk  func(n int) authz.Refusal
		times int
		rows  int // at most
	}{
		"one page again and again": {func(int) authz.Refusal { return at("document", 1, "not-found") }, 10_000, 60},
		"other numbers":            {func(n int) authz.Refusal { return at("document", 100+n, "not-found") }, 10_000, 130},
		"numbers of another kind":  {func(n int) authz.Refusal { return at("encounter", 100+n, "not-found") }, 10_000, 140},
		"of every kind":            {func(n int) authz.Refusal { return at(fmt.Sprint("kind", n%100), 100+n, "not-found") }, 10_000, 1000},
		"without a number": {func(int) authz.Refusal {
			return authz.Refusal{Actor: eve(), Action: "staff.list", Object: "staff", Reason: "forbidden"}
		}, 10_000, 60},
		"of a reason that no other rule counts": {func(n int) authz.Refusal { return at("document", 100+n%900, "code-needed") }, 10_000, 90},
		"more than the lists hold":              {func(n int) authz.Refusal { return at("document", 100+n, "not-found") }, 30_000, 200},
	} {
		t.Run(name, func(t *testing.T) {
			h := testkit.NewHouse(t, testkit.OpenSQLite(t))
			s := open(t, h)
			for n := range x.times {
				s.Note(x.junk(n))
				if n%1000 == 999 {
					flush(t, s, false)
					h.Clock.Advance(time.Second)
				}
			}
			tried := []string{}
			for n := range 5 {
				s.Note(at("document", 900_000+n, "not-found"))
				tried = append(tried, "document/"+id(900_000+n))
			}
			s.Note(at("patient", 900_000, "not-found"))
			tried = append(tried, "patient/"+id(900_000))
			flush(t, s, true)
			got := read(t, h, eve().ID())
			for _, object := range tried {
				if !got.objects[object] {
					t.Errorf("%s is hidden", object)
				}
			}
			if got.refused != x.times+6 {
				t.Errorf("%d refusals are told, want %d", got.refused, x.times+6)
			}
			if got.rows > x.rows {
				t.Errorf("%d entries, at most %d", got.rows, x.rows)
			}
			kinds := ""
			for _, a := range alarms(t, s, refusals.Open) {
				kinds += a.Kind + " "
			}
			if !strings.Contains(kinds, "flood") {
				t.Errorf("no alarm of the flood: %s", kinds)
			}
			over := name == "more than the lists hold"
			if over != strings.Contains(kinds, "incomplete") || over != (got.unlisted > 0) {
				t.Errorf("alarms %s, %d left out", kinds, got.unlisted)
			}
			if over && len(got.objects)+got.unlisted != x.times+6 {
				t.Errorf("%d listed and %d left out of %d", len(got.objects), got.unlisted, x.times+6)
			}
		})
	}
}

// TestNote_ListsAreCountedAgain: after a restart the targets of a list count as
// the different records that they are.
func TestNote_ListsAreCountedAgain(t *testing.T) {
	h := testkit.NewHouse(t, testkit.OpenSQLite(t))
	s := open(t, h)
	for n := range 50 { // entries of their own, of a kind that no rule counts
		s.Note(authz.Refusal{Actor: eve(), Action: "document.read", Object: "document/" + id(n), Reason: "code-needed"})
	}
	for n := range 19 {
		s.Note(refusal(eve(), n, "not-found"))
	}
	flush(t, s, true)
	s = open(t, h)
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Note(refusal(eve(), 19, "not-found"))
	flush(t, s, true)
	if list := alarms(t, s, refusals.Open); len(list) != 1 || list[0].Kind != "records" || list[0].Objects != 20 {
		t.Errorf("20 records, 19 of them in a list before a restart: %+v", list)
	}
}
