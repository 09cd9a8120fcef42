package contacts

import (
	"context"
	"encoding/hex"
	"time"

	"visavis/internal/budget"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/store"
)

// Kind is a kind of message that patients and strangers can cause to be sent to a
// contact, other than the code of a booking.
type Kind string

// The kinds. What each may cost is in SpendRequest.
const (
	DocumentCode Kind = "document-code" // code.request, to a patient or a representative
	LostLink     Kind = "lost-link"     // link.recover
	Invitation   Kind = "invitation"    // companion.invite
)

// The budgets of what is sent on request. They are apart from those of bookings: a
// flood of bookings takes no code from a patient who wants to open a document.
var (
	requestContactHour = budget.Budget{Name: "request-contact-hour", Window: time.Hour, Limit: 6}
	requestContactDay  = budget.Budget{Name: "request-contact-day", Window: 24 * time.Hour, Limit: 15}
	requestPlaceHour   = budget.Budget{Name: "request-organization-hour", Window: time.Hour, Limit: 300}
	requestMailHour    = budget.Budget{Name: "request-mail-hour", Window: time.Hour, Limit: mailsPerHour}
	invitationsDay     = budget.Budget{Name: "act-invitations-day", Window: 24 * time.Hour, Limit: 10}
	movesDay           = budget.Budget{Name: "appointment-moves-day", Window: 24 * time.Hour, Limit: 6}
)

func (c Costs) requestSMSHour() budget.Budget {
	return budget.Budget{Name: "request-sms-hour", Window: time.Hour, Limit: c.SMSPerHour}
}

func (c Costs) requestSMSDay() budget.Budget {
	return budget.Budget{Name: "request-sms-day", Window: 24 * time.Hour, Limit: c.SMSPerDay}
}

// Message is one message somebody who is not signed in asks for.
type Message struct {
	Kind         Kind
	Channel      string // SMS or Email
	To           string // the contact in its one spelling; it is not stored
	Organization care.OrganizationID
	Appointment  care.AppointmentID
}

// SpendRequest counts a message, in the caller's transaction. It fails as Throttled
// "request-budget" when the contact, the act, the organisation or the money of the
// platform has had its share; then the caller's transaction must end without it.
// Without an outlet for the channel it fails as Unavailable "channel-not-set".
func (s *Service) SpendRequest(_ context.Context, tx *store.Tx, m Message) error {
	if m.Channel == SMS && !s.SMS || m.Channel == Email && !s.Mail {
		return fault.New(fault.Unavailable, "channel-not-set").With("seconds", "3600")
	}
	type cost struct {
		budget.Budget
		key string
		n   int64
	}
	contact := hex.EncodeToString(s.contact(address{m.Channel, m.To}))
	if m.Kind == DocumentCode {
		contact += "|code" // whoever knows the contact may have the others sent to it, and takes no code
	}
	list := []cost{{requestContactHour, contact, 1}, {requestContactDay, contact, 1}, {requestPlaceHour, string(m.Organization), 1}}
	if m.Kind == Invitation {
		list = append(list, cost{invitationsDay, string(m.Appointment), 1})
	}
	if m.Channel == SMS {
		list = append(list, cost{s.Costs.requestSMSHour(), "", s.Costs.PricePerSMS}, cost{s.Costs.requestSMSDay(), "", s.Costs.PricePerSMS})
	} else {
		list = append(list, cost{requestMailHour, "", 1})
	}
	for i, c := range list {
		err := s.Ledger.Spend(tx, c.Budget, c.key, c.n)
		if fault.KindOf(err) == fault.Throttled {
			for _, back := range list[:i] {
				if err := s.Ledger.Return(tx, back.Budget, back.key, s.Clock.Now(), back.n); err != nil {
					return err
				}
			}
			return renamed(err, "request-budget")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Move counts a change of an appointment by its patient, which is told to them and to
// those they invited. It fails as Throttled "moves-budget".
func (s *Service) Move(ctx context.Context, id care.AppointmentID) error {
	return s.DB.Tx(ctx, func(_ context.Context, tx *store.Tx) error {
		return renamed(s.Ledger.Spend(tx, movesDay, string(id), 1), "moves-budget")
	})
}

// Reached gives the budgets that have nothing left in this window, each once, with
// when it opens again: what an operator must know.
func (s *Service) Reached(ctx context.Context) (list []budget.Line, err error) {
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		lines, err := s.Ledger.Standing(tx)
		if err != nil {
			return err
		}
		known, seen := map[string]budget.Budget{}, map[string]bool{}
		for _, b := range s.Costs.Budgets() {
			known[b.Name] = b
		}
		for _, l := range lines {
			b, ok := known[l.Name]
			if !ok || seen[l.Name] || !s.Clock.Now().Before(l.Since.Add(b.Window)) || l.Used+s.Costs.unit(b) <= b.Open(s.Clock.Now()) {
				continue
			}
			seen[l.Name] = true
			list = append(list, l)
		}
		return nil
	})
	return list, err
}

// unit is what the next use of a budget takes.
func (c Costs) unit(b budget.Budget) int64 {
	switch b.Name {
	case "sms-money-hour", "sms-money-day", "request-sms-hour", "request-sms-day":
		return c.PricePerSMS
	}
	return 1
}
