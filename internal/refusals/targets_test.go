package refusals

import (
	"fmt"
	"hash/maphash"
	"testing"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
)

// TestTargets_Room: what is remembered of targets is counted while it is there,
// and given back when a sum is written, a span begins or a person is dropped.
func TestTargets_Room(t *testing.T) {
	room := &room{seed: maphash.MakeSeed()}
	now := time.Date(2026, 3, 10, 8, 0, 0, 0, time.UTC)
	p := newPerson(authz.Actor{Role: care.Doctor, StaffID: "s"}, now)
	try := func(n int) {
		for i := range n {
			p.note(refusal{action: "document.read", object: fmt.Sprint("document/", i), reason: "not-found"}, now, room)
		}
	}
	want := func(what string, used int) {
		t.Helper()
		if room.used != used {
			t.Errorf("%s: %d remembered, want %d", what, room.used, used)
		}
	}
	try(1000)
	want("a thousand, 950 of them in a sum", 1000+950)
	p.due(now, true, room)
	want("the sum is written", 1000)
	try(1000)
	want("the same again", 1000+1000)
	p.due(now, true, room)
	now = now.Add(span)
	try(60)
	want("the next span", 60+10)
	p.forget(room)
	want("the person is dropped", 0)

	p = newPerson(p.actor, now)
	try(firsts)
	p.due(now, true, room)
	room.used = maxRoom
	try(firsts + 100)
	if got := p.due(now, true, room); len(got) != 1 || len(got[0].targets) != 100 {
		t.Errorf("without room the latest are not listed: %d entries", len(got))
	}
}
