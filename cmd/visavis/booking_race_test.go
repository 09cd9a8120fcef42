package main

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	"visavis/internal/httpx"
)

// TestThousandPeopleOneSlot is acceptance 5 of issue 2: 1,000 people book one
// slot at once through the HTTP API of the real program.
func TestThousandPeopleOneSlot(t *testing.T) {
	people := 1000
	if testing.Short() {
		people = 100
	}
	rigs(t, func(t *testing.T, r *rig) {
		free := r.slots("MARTIN")
		want := free[len(free)/2]
		answers := map[string]int{}
		r.prove(want, want.booking(0)["patient"].(guest)) // one telephone for all: its proof is not what is tried here
		bodies := make([]map[string]any, people)
		for n := range people {
			g := want.booking(0)["patient"].(guest)
			g["givenName"] = "Camille " + string(rune('A'+n%26))
			bodies[n] = r.bookingOf(want, g)
		}
		var mu sync.Mutex
		var ready, all sync.WaitGroup
		begin := make(chan struct{})
		ready.Add(people)
		for n := range people {
			all.Go(func() {
				c := r.client().From(n + 2)
				ready.Done()
				<-begin
				a, err := c.Try("POST", "/api/appointments", bodies[n])
				key := "no answer"
				switch {
				case err != nil:
					t.Error(err)
				case a.Status == 201:
					key = "201"
				default:
					var p httpx.Problem
					if err := json.Unmarshal(a.Body, &p); err != nil {
						t.Errorf("%d %s", a.Status, a.Body)
					}
					key = p.Code
				}
				mu.Lock()
				answers[key]++
				mu.Unlock()
			})
		}
		ready.Wait()
		start := time.Now()
		close(begin)
		all.Wait()
		t.Logf("%d bookings in %v: %v", people, time.Since(start).Round(time.Millisecond), answers)
		if answers["201"] != 1 || answers["slot-taken"] != people-1 {
			t.Errorf("answers %v, want 1 × 201 and %d × slot-taken", answers, people-1)
		}
		for _, s := range r.slots("MARTIN") {
			if s.start.Equal(want.start) {
				t.Error("the slot is still offered")
			}
		}
	})
}
