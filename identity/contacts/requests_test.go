package contacts

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

// TestContacts_RequestsAreBounded: each budget of a message on request stops it, takes
// nothing of the others when it does, and comes back with its window.
func TestContacts_RequestsAreBounded(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		h.Clock.Set(h.Clock.Now().Truncate(24 * time.Hour))
		c := usual()
		c.SMSPerHour = 40 * c.PricePerSMS
		p := setUp(t, h, c)
		spend := func(m Message) string {
			var refused error // what was counted before is committed, as for a lost link
			if err := h.DB.Tx(context.Background(), func(ctx context.Context, tx *store.Tx) error {
				refused = p.SpendRequest(ctx, tx, m)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			var f *fault.Error
			if errors.As(refused, &f) {
				return f.Code
			}
			if refused != nil {
				t.Fatal(refused)
			}
			return ""
		}
		count := func(most int, of func(n int) Message) (passed int) {
			for n := range most {
				if spend(of(n)) == "" {
					passed++
				}
			}
			return passed
		}
		for name, x := range map[string]struct {
			of   func(n int) Message
			want int
		}{
			"one contact": {func(int) Message {
				return Message{Kind: LostLink, Channel: Email, To: "zoe@exemple.fr", Organization: "a"}
			}, 6},
			"one act, many": {func(n int) Message {
				return Message{Kind: Invitation, Channel: Email, To: fmt.Sprint("i", n), Organization: "b", Appointment: "1"}
			}, 10},
			"one organisation": {func(n int) Message {
				return Message{Kind: DocumentCode, Channel: Email, To: fmt.Sprint("o", n), Organization: "c"}
			}, 300},
			"the money of an hour": {func(n int) Message {
				return Message{Kind: DocumentCode, Channel: SMS, To: fmt.Sprint("s", n), Organization: care.OrganizationID(fmt.Sprint("d", n))}
			}, 40},
		} {
			if got := count(x.want+10, x.of); got != x.want {
				t.Errorf("%s: %d passed, want %d", name, got, x.want)
			}
		}
		if err := h.DB.Read(context.Background(), func(_ context.Context, tx *store.Tx) error {
			used, err := p.Ledger.Used(tx, requestContactHour, hex.EncodeToString(p.contact(address{Email, "o305"}))+"|code")
			if used != 0 {
				t.Errorf("a contact has %d of its budget used by a message that was refused", used)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
		if _, err := p.start("+33639980001", "192.0.2.1", false); err != nil {
			t.Errorf("a booking, when the money of requests is used: %v", err)
		}
		for _, kind := range []Kind{Invitation, LostLink} { // what others may have sent to a contact takes no code of its owner
			if got := count(10, func(n int) Message {
				return Message{Kind: kind, Channel: Email, To: string(kind), Organization: "e", Appointment: care.AppointmentID(fmt.Sprint("e", n))}
			}); got != 6 {
				t.Errorf("%s to one contact: %d passed, want 6", kind, got)
			}
			if code := spend(Message{Kind: DocumentCode, Channel: Email, To: string(kind), Organization: "e"}); code != "" {
				t.Errorf("a code after a flood of %s: %s", kind, code)
			}
		}
		h.Clock.Advance(time.Hour)
		for _, m := range []Message{{Kind: LostLink, Channel: Email, To: "zoe@exemple.fr", Organization: "a"}, {Kind: DocumentCode, Channel: SMS, To: "s1", Organization: "d"}} {
			if code := spend(m); code != "" {
				t.Errorf("an hour later: %s", code)
			}
		}
		p.SMS = false
		if code := spend(Message{Kind: DocumentCode, Channel: SMS, To: "s2", Organization: "d"}); code != "channel-not-set" {
			t.Errorf("without a gateway: %q", code)
		}
	})
}

// TestContacts_RightCodeAtOnce: the right code sent several times at once passes each
// time, whatever tries are left: a second press or a repeated request is no guess.
func TestContacts_RightCodeAtOnce(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		p := setUp(t, h, usual())
		for round := range 4 {
			phone := fmt.Sprintf("+3363998010%d", round)
			secret, err := p.start(phone, "192.0.2.1", false)
			if err != nil {
				t.Fatal(err)
			}
			code, _ := p.code(phone)
			for range tries - 1 {
				if err := p.Verify(context.Background(), secret, "x", "192.0.2.1"); err == nil {
					t.Fatal("a wrong code passes")
				}
			}
			answers := make(chan error, 8)
			for range cap(answers) {
				go func() { answers <- p.Verify(context.Background(), secret, code, "192.0.2.1") }()
			}
			for range cap(answers) {
				if err := <-answers; err != nil {
					t.Errorf("the right code: %v", err)
				}
			}
		}
	})
}
