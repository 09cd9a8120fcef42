package refusals_test

import (
	"context"
	"os"
	"testing"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/refusals"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

// TestRefusals_PagesAtSize reads the log page by page: every refusal once, the
// newest first, by person and by period, each page in a bounded time.
// VISAVIS_REFUSALS=1 writes 100,000 of them.
func TestRefusals_PagesAtSize(t *testing.T) {
	total := 1200
	if os.Getenv("VISAVIS_REFUSALS") != "" {
		total = 100_000
	}
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s := open(t, h)
		day := h.Clock.Now()
		write := func(a authz.Actor, n int) {
			for done := 0; done < n; done += 500 {
				err := h.DB.Tx(testkit.As(a), func(ctx context.Context, tx *store.Tx) error {
					for i := range min(500, n-done) {
						e := audit.Entry{Action: "document.read", Object: "document/" + id(done+i), Outcome: audit.Refused, Organization: clinic,
							Detail: map[string]string{"reason": "not-found", "count": "1"}}
						if err := h.Audit.Append(ctx, tx, e); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				h.Clock.Advance(time.Minute)
			}
		}
		write(eve(), total-100)
		second := h.Clock.Now()
		write(guest(), 100)
		elsewhere := eve()
		elsewhere.StaffID, elsewhere.OrganizationID = care.StaffID(id(77)), care.OrganizationID(id(78))
		for range 10 { // of another organisation: never shown
			s.Note(refusal(elsewhere, 1, "forbidden"))
		}
		flush(t, s, true)
		for name, x := range map[string]struct {
			q    refusals.Query
			want int
		}{
			"all":             {refusals.Query{}, total},
			"one person":      {refusals.Query{Person: guest().ID()}, 100},
			"the last period": {refusals.Query{From: second}, 100},
			"until then":      {refusals.Query{From: day, Until: second}, total - 100},
			"nobody":          {refusals.Query{Person: id(99)}, 0},
		} {
			slowest, pages, seen, last := time.Duration(0), 0, map[string]bool{}, ""
			for x.q.Limit = 51; ; pages++ {
				start := time.Now()
				list, err := s.Refusals(testkit.As(officer()), x.q)
				if err != nil {
					t.Fatal(err)
				}
				slowest = max(slowest, time.Since(start))
				more := len(list) == 51
				for _, l := range list[:min(50, len(list))] {
					if seen[l.ID] || last != "" && l.ID >= last {
						t.Fatalf("%s: %s after %s", name, l.ID, last)
					}
					seen[l.ID], last = true, l.ID
				}
				if !more {
					break
				}
				x.q.Before = last
			}
			if len(seen) != x.want {
				t.Errorf("%s: %d refusals, want %d", name, len(seen), x.want)
			}
			if slowest > 2*time.Second {
				t.Errorf("%s: a page took %v", name, slowest)
			}
			if total > 2000 {
				t.Logf("%s: %d refusals in %d pages, the slowest in %v", name, len(seen), pages+1, slowest.Round(time.Millisecond))
			}
		}
	})
}
