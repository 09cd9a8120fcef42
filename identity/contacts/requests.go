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
	requestPlaceHour   = budget.Budget{Name: "request-organization-hour", Window: time.Hour, Limit: 300, Shared: true}
	requestMailHour    = budget.Budget{Name: "request-mail-hour", Window: time.Hour, Limit: mailsPerHour, Shared: true}
	invitationsDay     = budget.Budget{Name: "act-invitations-day", Window: 24 * time.Hour, Limit: 10}
	movesDay           = budget.Budget{Name: "appointment-moves-day", Window: 24 * time.Hour, Limit: 6}
)

// What all the sessions of one link may have sent together: less than a contact or an
// act has, so that somebody with a forwarded link leaves the patient a share.
var (
	linkCodesHour      = budget.Budget{Name: "link-codes-hour", Window: time.Hour, Limit: 3}
	linkCodesDay       = budget.Budget{Name: "link-codes-day", Window: 24 * time.Hour, Limit: 8}
	linkInvitationsDay = budget.Budget{Name: "link-invitations-day", Window: 24 * time.Hour, Limit: 6}
)

// FreshLink is how long after a link was issued the codes of its sessions are counted
// apart: whoever has it has just read the contact, so that old links that went astray
// keep nobody from their documents.
const FreshLink = time.Hour

func (c Costs) requestSMSHour() budget.Budget {
	return budget.Budget{Name: "request-sms-hour", Window: time.Hour, Limit: c.SMSPerHour, Shared: true}
}

func (c Costs) requestSMSDay() budget.Budget {
	return budget.Budget{Name: "request-sms-day", Window: 24 * time.Hour, Limit: c.SMSPerDay, Shared: true}
}

// linkSMSHour is the part of requestSMSHour that lost links may use: anybody can ask
// for them, and the codes of documents keep the rest.
func (c Costs) linkSMSHour() budget.Budget {
	return budget.Budget{Name: "link-sms-hour", Window: time.Hour, Limit: c.SMSPerHour / 2, Shared: true}
}

// Message is one message somebody who is not signed in asks for.
type Message struct {
	Kind         Kind
	Channel      string // SMS or Email
	To           string // the contact in its one spelling; it is not stored
	Organization care.OrganizationID
	Appointment  care.AppointmentID
	// Link is what the session of who asks was opened with, or that session; empty for
	// a professional and for a lost link.
	Link string
	// Fresh says that Link was issued less than FreshLink ago.
	Fresh bool
}

// cost is what a message takes of one budget.
type cost struct {
	budget.Budget
	key string
	n   int64
}

// own gives the budgets of the contact, the link and the act of a message. Kinds are
// counted apart: whoever may have one sent takes none of the others.
func (s *Service) own(m Message) []cost {
	contact := hex.EncodeToString(s.contact(address{m.Channel, m.To}))
	switch m.Kind {
	case DocumentCode:
		contact += "|code"
		if m.Fresh {
			contact += "|new"
		}
	case Invitation:
		contact += "|invitation"
	}
	list := []cost{{requestContactHour, contact, 1}, {requestContactDay, contact, 1}}
	switch {
	case m.Kind == DocumentCode && m.Link != "":
		list = append(list, cost{linkCodesHour, m.Link, 1}, cost{linkCodesDay, m.Link, 1})
	case m.Kind == Invitation && m.Link != "":
		list = append(list, cost{linkInvitationsDay, m.Link, 1}, cost{invitationsDay, string(m.Appointment), 1})
	case m.Kind == Invitation:
		list = append(list, cost{invitationsDay, string(m.Appointment) + "|staff", 1})
	}
	return list
}

// shared gives the budgets of the organisation and of the platform.
func (s *Service) shared(m Message) []cost {
	list := []cost{{requestPlaceHour, string(m.Organization), 1}}
	if m.Channel != SMS {
		return append(list, cost{requestMailHour, "", 1})
	}
	if m.Kind == LostLink {
		list = append(list, cost{s.Costs.linkSMSHour(), "", s.Costs.PricePerSMS})
	}
	return append(list, cost{s.Costs.requestSMSHour(), "", s.Costs.PricePerSMS}, cost{s.Costs.requestSMSDay(), "", s.Costs.PricePerSMS})
}

// SpendRequest counts messages that leave together, in the caller's transaction, or
// none of them. It fails as Throttled "link-spent" when the link of who asks has had
// its share, and "request-budget" when the contact, the act, the organisation or the
// money of the platform has had its own; then the caller's transaction must end without
// them. Without an outlet for a channel it fails as Unavailable "channel-not-set".
func (s *Service) SpendRequest(_ context.Context, tx *store.Tx, messages ...Message) error {
	var list []cost
	for _, m := range messages {
		if m.Channel == SMS && !s.SMS || m.Channel == Email && !s.Mail {
			return fault.New(fault.Unavailable, "channel-not-set").With("seconds", "3600")
		}
		list = append(append(list, s.own(m)...), s.shared(m)...)
	}
	for i, c := range list {
		err := s.Ledger.Spend(tx, c.Budget, c.key, c.n)
		if fault.KindOf(err) == fault.Throttled {
			for _, back := range list[:i] {
				if err := s.Ledger.Return(tx, back.Budget, back.key, s.Clock.Now(), back.n); err != nil {
					return err
				}
			}
			switch c.Name {
			case linkCodesHour.Name, linkCodesDay.Name, linkInvitationsDay.Name:
				return renamed(err, "link-spent")
			}
			return renamed(err, "request-budget")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Next is how long until a message like m can be asked for again, when the last one
// left at an instant.
func (s *Service) Next(tx *store.Tx, m Message, last time.Time) (after time.Duration, err error) {
	after = max(0, again-s.Clock.Now().Sub(last))
	for _, c := range s.own(m) {
		more, err := s.Ledger.Wait(tx, c.Budget, c.key, c.n)
		if err != nil {
			return 0, err
		}
		after = max(after, more)
	}
	return after, nil
}

// Lately tells whether a message like m left to its contact a moment ago.
func (s *Service) Lately(tx *store.Tx, m Message) (Sending, bool, error) {
	contact := s.own(m)[0]
	if _, err := s.Ledger.Count(tx, contact.Budget, contact.key, 0); err != nil { // of two at once the second waits
		return Sending{}, false, err
	}
	at, err := s.Ledger.Last(tx, contact.Budget, contact.key)
	age := s.Clock.Now().Sub(at)
	if err != nil || age >= again {
		return Sending{}, false, err
	}
	return Sending{At: at, After: again - age}, true, nil
}

// Move counts a change of an appointment by its patient, which is told to them and to
// those they invited. It fails as Throttled "moves-budget".
func (s *Service) Move(ctx context.Context, id care.AppointmentID) error {
	return s.DB.Tx(ctx, func(_ context.Context, tx *store.Tx) error {
		return renamed(s.Ledger.Spend(tx, movesDay, string(id), 1), "moves-budget")
	})
}

// Reached gives the shared budgets that have nothing left now, each once: what an
// operator must know. Budgets of one contact, act or practitioner are not among them:
// a stranger who uses one up stops nobody else.
func (s *Service) Reached(ctx context.Context) (list []budget.Line, err error) {
	var shared []budget.Budget
	for _, b := range s.Costs.Budgets() {
		if b.Shared {
			shared = append(shared, b)
		}
	}
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		list, err = s.Ledger.Reached(tx, shared, s.Costs.unit)
		return err
	})
	return list, err
}

// unit is what the next use of a budget takes.
func (c Costs) unit(b budget.Budget) int64 {
	switch b.Name {
	case "sms-money-hour", "sms-money-day", "request-sms-hour", "request-sms-day", "link-sms-hour":
		return c.PricePerSMS
	}
	return 1
}
