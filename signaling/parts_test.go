package signaling

import (
	"strings"
	"testing"
	"time"

	"visavis/internal/care"

	"pgregory.net/rapid"
)

func TestSeatMoves(t *testing.T) {
	now := time.Date(2026, 3, 10, 9, 0, 0, 0, time.UTC)
	states := []State{Waiting, Admitted, Left, Lapsed, Removed, Ended}
	legal := map[[2]State]bool{}
	for _, from := range states {
		for _, to := range from.next() {
			legal[[2]State{from, to}] = true
		}
	}
	for _, to := range states {
		if legal[[2]State{Removed, to}] || legal[[2]State{Ended, to}] {
			t.Errorf("a final state becomes %s", to)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := Seat{State: Waiting, ArrivedAt: now, SeenAt: now}
		at := now
		for range rapid.IntRange(1, 20).Draw(t, "moves") {
			at = at.Add(time.Minute)
			from, admitted := s.State, s.AdmittedAt
			to := rapid.SampledFrom(states).Draw(t, "to")
			if s.to(to, at) != legal[[2]State{from, to}] {
				t.Fatalf("%s to %s", from, to)
			}
			if !admitted.IsZero() && s.AdmittedAt != admitted {
				t.Fatal("admitted twice")
			}
			if s.over() && s.EndedAt.IsZero() {
				t.Fatal("over without an end")
			}
		}
	})
}

func TestArrival(t *testing.T) {
	now := time.Date(2026, 3, 10, 9, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		seat  Seat
		state State
		place time.Time
	}{
		"29 minutes away keep the place": {Seat{State: Waiting, ArrivedAt: now.Add(-time.Hour), SeenAt: now.Add(-29 * time.Minute)}, Waiting, now.Add(-time.Hour)},
		"31 minutes away lose it":        {Seat{State: Waiting, ArrivedAt: now.Add(-time.Hour), SeenAt: now.Add(-31 * time.Minute)}, Waiting, now},
		"lapsed":                         {Seat{State: Lapsed, ArrivedAt: now.Add(-time.Hour), SeenAt: now.Add(-time.Hour)}, Waiting, now},
		"left and was in the call":       {Seat{State: Left, ArrivedAt: now.Add(-time.Hour), AdmittedAt: now.Add(-time.Minute)}, Admitted, now.Add(-time.Hour)},
		"left the waiting room":          {Seat{State: Left, ArrivedAt: now.Add(-time.Hour)}, Waiting, now},
		"removed":                        {Seat{State: Removed, ArrivedAt: now.Add(-time.Hour)}, Removed, now.Add(-time.Hour)},
	} {
		s := tc.seat
		s.arrive(now)
		if s.State != tc.state || !s.ArrivedAt.Equal(tc.place) {
			t.Errorf("%s: %s since %s", name, s.State, s.ArrivedAt)
		}
	}
}

// A session delivers every message once and in order, whatever sockets do.
func TestSessionResume(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, now := &session{}, time.Now()
		var got []uint64
		last := uint64(0)
		c := &conn{wake: make(chan struct{}, 1), ended: make(chan closing, 1)}
		s.attach(c)
		resumed := false
		pending := func() [][]byte {
			list := s.pending(c)
			if resumed { // a client must know what it resumes before it is told what it missed
				if len(list) == 0 || !strings.Contains(string(list[0]), `"resumed"`) {
					t.Fatalf("first after a resume: %q", list)
				}
				list, resumed = list[1:], false
			}
			return list
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0:
				s.send("x", nil)
			case 1: // all of it arrives
				for range pending() {
					last++
					got = append(got, last)
				}
				s.acked(last)
			case 2: // written, and lost with the socket
				pending()
				s.detach(c, now, now, false)
				c = &conn{wake: make(chan struct{}, 1), ended: make(chan closing, 1)}
				if _, ok := s.resume(c, last, now.Add(time.Second)); !ok {
					t.Fatal("resume refused")
				}
				resumed = true
			case 3:
				s.acked(last)
			}
		}
		for range pending() {
			last++
			got = append(got, last)
		}
		if last != s.seq || uint64(len(got)) != s.seq {
			t.Fatalf("%d messages sent, %d arrived", s.seq, len(got))
		}
	})
}

func TestSessionLimits(t *testing.T) {
	now := time.Now()
	s, c := &session{}, &conn{wake: make(chan struct{}, 1), ended: make(chan closing, 1)}
	s.attach(c)
	s.send("x", nil)
	s.detach(c, now, now, false)
	if _, ok := s.resume(c, 0, now.Add(resumeFor+time.Second)); ok {
		t.Error("resumed after 61 s")
	}
	if _, ok := s.resume(c, 2, now); ok {
		t.Error("resumed from a message that was never sent")
	}
	if _, ok := s.resume(c, 1, now); !ok {
		t.Error("not resumed in time")
	}
	for range keepUnacked + 1 {
		s.send("x", nil)
	}
	if !s.expired(now) {
		t.Error("a client that acks nothing is kept for ever")
	}
}

func TestBothWaysIsTheLesser(t *testing.T) {
	seats := []Seat{{ID: "d", Host: true}, {ID: "p"}, {ID: "n"}}
	for name, tc := range map[string]struct {
		rows []flowRow
		want int
	}{
		"one way is none":              {[]flowRow{{FromSeat: "d", ToSeat: "p", Seconds: 60}}, 0},
		"the lesser":                   {[]flowRow{{FromSeat: "d", ToSeat: "p", Seconds: 60}, {FromSeat: "p", ToSeat: "d", Seconds: 40}}, 40},
		"guests prove nothing":         {[]flowRow{{FromSeat: "n", ToSeat: "p", Seconds: 60}, {FromSeat: "p", ToSeat: "n", Seconds: 60}}, 0},
		"the longest of several pairs": {[]flowRow{{FromSeat: "d", ToSeat: "p", Seconds: 9}, {FromSeat: "p", ToSeat: "d", Seconds: 9}, {FromSeat: "d", ToSeat: "n", Seconds: 30}, {FromSeat: "n", ToSeat: "d", Seconds: 20}}, 20},
	} {
		if got := bothWays(tc.rows, seats); got != tc.want {
			t.Errorf("%s: %d, want %d", name, got, tc.want)
		}
	}
}

// Who is on the way into a room keeps it: else the next to come would make
// another one, and two people of one act would not meet.
func TestARoomWaitsForWhoIsOnTheWay(t *testing.T) {
	h := &hub{rooms: map[care.EncounterID]*room{}}
	r := newRoom(h, Act{ID: "e"})
	h.rooms["e"] = r
	if h.hold("e") != r || h.hold("other") != nil {
		t.Fatal("the room is not found")
	}
	h.sweep(h.all())
	if h.find("e") != r {
		t.Error("a room was dropped while somebody was on the way in")
	}
	h.release(r)
	h.sweep(h.all())
	if h.find("e") != nil {
		t.Error("an empty room was kept")
	}
}
