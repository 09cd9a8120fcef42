package contacts

import (
	"context"
	"encoding/hex"
	"time"

	"visavis/internal/budget"
	"visavis/internal/store"
)

// What may be asked for one typed contact, known here or not: a lost link goes to each
// contact of a file, so that twice this reaches one of them.
var (
	linkAsksHour = budget.Budget{Name: "link-asks-hour", Window: time.Hour, Limit: 3}
	linkAsksDay  = budget.Budget{Name: "link-asks-day", Window: 24 * time.Hour, Limit: 7}
)

// linksAskedHour counts the requests for lost links, of known and of unknown contacts; it
// refuses nothing. From half of it on everybody is asked for work. A limit on the links
// that were really sent would show who is a patient.
func (c Costs) linksAskedHour() budget.Budget {
	return budget.Budget{Name: "links-asked-hour", Window: time.Hour, Limit: c.linkSMSHour().Limit / max(1, c.PricePerSMS)}
}

func (s *Service) asked(contact string) string {
	return hex.EncodeToString(s.index.Of("contacts.asked", contact))
}

// AdmitLink refuses, before anything is written, to look for the lost link of a
// contact (in its one spelling) without work, where work is needed: for the second link
// of an hour, once half as many were asked for as the money of an hour is enough for, and
// of a network without tokens. It fails as Throttled "work-needed" with {challenge}. Whoever gets no link now
// (AskLink) needs no work. undo gives the tokens back; it is never nil.
func (s *Service) AdmitLink(ctx context.Context, r Request, contact string) (undo func(), err error) {
	need, waits, key := 0, time.Duration(0), s.asked(contact)
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		last, err := s.Ledger.Last(tx, linkAsksHour, key)
		if err != nil {
			return err
		}
		if waits, err = s.wait(tx, []budget.Budget{linkAsksHour, linkAsksDay}, key, last); err != nil || waits > 0 {
			return err
		}
		used, err := s.Ledger.Used(tx, linkAsksHour, key)
		if err != nil {
			return err
		}
		all, err := s.Ledger.Used(tx, s.Costs.linksAskedHour(), "")
		if used > 0 || all > s.Costs.linksAskedHour().Limit/2 {
			need = workAlone
		}
		return err
	})
	if err != nil || waits > 0 {
		return func() {}, err
	}
	return s.admit(ctx, r, need)
}

// AskLink counts that a lost link is looked for, in the caller's transaction, which
// then has it sent. Sent is false when one was asked for that contact a moment ago, or
// as often as may be: the links that were sent are good. The answer is the same whether
// the contact is known or not, and nobody keeps the owner of a contact from a link: what
// others asked for is in the owner's hands.
func (s *Service) AskLink(tx *store.Tx, contact string) (Sending, error) {
	key, now, both := s.asked(contact), s.Clock.Now(), []budget.Budget{linkAsksHour, linkAsksDay}
	if _, err := s.Ledger.Count(tx, linkAsksHour, key, 0); err != nil { // of two at once the second waits
		return Sending{}, err
	}
	last, err := s.Ledger.Last(tx, linkAsksHour, key)
	if err != nil {
		return Sending{}, err
	}
	after, err := s.wait(tx, both, key, last)
	if err != nil || after > 0 {
		return Sending{At: last, After: after}, err
	}
	if _, err := s.Ledger.Count(tx, s.Costs.linksAskedHour(), "", 1); err != nil {
		return Sending{}, err
	}
	for _, b := range both {
		if err := s.Ledger.Spend(tx, b, key, 1); err != nil {
			return Sending{}, err
		}
	}
	after, err = s.wait(tx, both, key, now)
	return Sending{true, now, after}, err
}
