package contacts

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

// TestContacts_BudgetsOfADay: what an hour lets pass, the day stops, though each
// hour has room; the next day has room again.
func TestContacts_BudgetsOfADay(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		begin := h.Clock.Now().Truncate(24 * time.Hour)
		c := usual()
		c.SMSPerDay, c.HeldPerHour, c.HeldPerDay, c.HeldByContact = 5*c.PricePerSMS, 3, 5, 2
		p, ctx := setUp(t, h, c), context.Background()
		uses := map[string]func(n int) error{
			"bookings of a practitioner": func(n int) error { return p.Hold(ctx, "held", fmt.Append(nil, "h", n)) },
			"bookings of a contact":      func(n int) error { return p.Hold(ctx, fmt.Sprint("of", n), []byte("contact")) },
			"moves of an appointment":    func(int) error { return p.Move(ctx, "moved") },
			"money of requests": func(n int) error {
				return h.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
					return p.SpendRequest(ctx, tx, Message{Kind: DocumentCode, Channel: SMS, To: fmt.Sprint("s", n), Organization: care.OrganizationID(fmt.Sprint("o", n))})
				})
			},
		}
		for name, x := range map[string]struct {
			most int
			code string
		}{
			"bookings of a practitioner": {5, "practitioner-budget"},
			"bookings of a contact":      {2, "contact-held"},
			"moves of an appointment":    {6, "moves-budget"},
			"money of requests":          {5, "request-budget"},
		} {
			h.Clock.Set(begin)
			for n := range x.most {
				if err := uses[name](n); err != nil {
					t.Errorf("%s, number %d of the day: %v", name, n+1, err)
				}
				h.Clock.Advance(time.Hour)
			}
			wantCode(t, uses[name](x.most), fault.Throttled, x.code)
			h.Clock.Set(begin.Add(24 * time.Hour))
			if err := uses[name](x.most); err != nil {
				t.Errorf("%s, the next day: %v", name, err)
			}
		}
	})
}

// TestContacts_CodesOfADay: one contact gets eight codes in a day, and what the
// day refuses takes nothing of the hour.
func TestContacts_CodesOfADay(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		h.Clock.Set(h.Clock.Now().Truncate(24 * time.Hour))
		p, to := setUp(t, h, usual()), address{SMS, "+33639980001"}
		allow := func() (err error) {
			if e := h.DB.Tx(context.Background(), func(_ context.Context, tx *store.Tx) error {
				err = p.allow(tx, to)
				return nil
			}); e != nil {
				t.Fatal(e)
			}
			return err
		}
		for n := range 8 {
			if err := allow(); err != nil {
				t.Errorf("code %d of the day: %v", n+1, err)
			}
			h.Clock.Advance(time.Hour)
		}
		for range 5 {
			if err := allow(); !errors.Is(err, errContactFull) {
				t.Errorf("the ninth code: %v", err)
			}
		}
		lines, err := p.Standing(context.Background())
		for _, l := range lines {
			if l.Name == contactHour.Name && l.Since.Equal(h.Clock.Now().Truncate(time.Hour)) && l.Used != 0 {
				t.Errorf("the hour has %d used by refused codes", l.Used)
			}
		}
		if err != nil {
			t.Error(err)
		}
	})
}
