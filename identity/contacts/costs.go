package contacts

import (
	"context"
	"encoding/hex"
	"errors"
	"strconv"
	"time"

	"visavis/internal/budget"
	"visavis/internal/fault"
	"visavis/internal/limit"
	"visavis/internal/store"
)

// Costs is what strangers may cost. Money is in ten-thousandths of a euro.
type Costs struct {
	PricePerSMS             int64
	SMSPerHour, SMSPerDay   int64
	HeldPerHour, HeldPerDay int64 // bookings of one practitioner by strangers
	HeldByContact           int64 // bookings of one contact in a day: a parent books for a family
}

// The most e-mails with a code. They cost no money; too many harm the reputation of
// the sending server.
const (
	mailsPerHour = 600
	mailsPerDay  = 3000
)

// What one contact may get.
var (
	contactHour = budget.Budget{Name: "contact-codes-hour", Window: time.Hour, Limit: 3}
	contactDay  = budget.Budget{Name: "contact-codes-day", Window: 24 * time.Hour, Limit: 8}
	// guesses counts the wrong codes typed for one contact; it refuses nothing by
	// itself, and is there to be seen.
	guesses = budget.Budget{Name: "contact-wrong-codes-hour", Window: time.Hour, Limit: 60}
)

// Budgets lists every durable budget, as a page or a command shows them.
func (c Costs) Budgets() []budget.Budget {
	return append([]budget.Budget{c.smsHour(), c.smsDay(), c.mailHour(), c.mailDay(), c.unproven(), c.heldHour(), c.heldDay()},
		contactHour, contactDay, guesses, c.contactHeld(), c.requestSMSHour(), c.requestSMSDay(), requestMailHour, requestContactHour, requestContactDay,
		requestPlaceHour, invitationsDay, movesDay, linkCodesHour, linkCodesDay, linkInvitationsDay, linkAsksHour, linkAsksDay, c.linkSMSHour())
}

func (c Costs) smsHour() budget.Budget {
	return budget.Budget{Name: "sms-money-hour", Window: time.Hour, Limit: c.SMSPerHour, Paced: true, Shared: true}
}
func (c Costs) smsDay() budget.Budget {
	return budget.Budget{Name: "sms-money-day", Window: 24 * time.Hour, Limit: c.SMSPerDay, Paced: true, Shared: true}
}
func (Costs) mailHour() budget.Budget {
	return budget.Budget{Name: "mail-codes-hour", Window: time.Hour, Limit: mailsPerHour, Paced: true, Shared: true}
}
func (Costs) mailDay() budget.Budget {
	return budget.Budget{Name: "mail-codes-day", Window: 24 * time.Hour, Limit: mailsPerDay, Paced: true, Shared: true}
}

// unproven counts attempts of one practitioner that nobody has proved; it refuses
// nothing by itself.
func (c Costs) unproven() budget.Budget {
	return budget.Budget{Name: "practitioner-unproven-hour", Window: time.Hour, Limit: 2 * c.HeldPerHour}
}
func (c Costs) heldHour() budget.Budget {
	return budget.Budget{Name: "practitioner-held-hour", Window: time.Hour, Limit: c.HeldPerHour}
}
func (c Costs) heldDay() budget.Budget {
	return budget.Budget{Name: "practitioner-held-day", Window: 24 * time.Hour, Limit: c.HeldPerDay}
}

func (c Costs) contactHeld() budget.Budget {
	return budget.Budget{Name: "contact-held-day", Window: 24 * time.Hour, Limit: c.HeldByContact}
}

// starting are the tokens that an attempt takes of the networks of an address, from
// the narrowest. A hospital is one address. Who finds none left works instead.
var starting = [...]limit.Rule{
	{Name: "contact.start.host", Burst: 40, Every: 20 * time.Second},
	{Name: "contact.start.site", Burst: 200, Every: 5 * time.Second},
	{Name: "contact.start.net", Burst: 1000, Every: time.Second},
}

// take takes a token of each rule, or none.
func (s *Service) take(ctx context.Context, rules []limit.Rule, nets []string) error {
	for i, n := range nets {
		if err := s.Limits.Take(ctx, rules[i], n); err != nil {
			s.giveBack(ctx, rules[:i], nets[:i])
			return err
		}
	}
	return nil
}

func (s *Service) giveBack(ctx context.Context, rules []limit.Rule, nets []string) {
	for i, n := range nets {
		s.Limits.Refund(ctx, rules[i], n)
	}
}

// general are the budgets of a channel for everybody together.
func (s *Service) general(channel string) []budget.Budget {
	if channel == SMS {
		return []budget.Budget{s.Costs.smsHour(), s.Costs.smsDay()}
	}
	return []budget.Budget{s.Costs.mailHour(), s.Costs.mailDay()}
}

// errContactFull says that a contact got its codes for now.
var errContactFull = errors.New("contacts: no more codes to this contact for now")

// allow counts one message to a contact. It fails as errContactFull, and as
// Throttled "sms-budget" or "mail-budget".
func (s *Service) allow(tx *store.Tx, to address) error {
	key := hex.EncodeToString(s.contact(to))
	now := s.Clock.Now()
	for i, b := range []budget.Budget{contactHour, contactDay} {
		err := s.Ledger.Spend(tx, b, key, 1)
		if fault.KindOf(err) != fault.Throttled {
			if err != nil {
				return err
			}
			continue
		}
		if i == 1 {
			err = s.Ledger.Return(tx, contactHour, key, now, 1)
		} else {
			err = nil
		}
		return errors.Join(err, errContactFull)
	}
	n, code := int64(1), "mail-budget"
	if to.channel == SMS {
		n, code = s.Costs.PricePerSMS, "sms-budget"
	}
	for _, b := range s.general(to.channel) {
		if err := s.Ledger.Spend(tx, b, "", n); err != nil {
			return renamed(err, code)
		}
	}
	return nil
}

// Hold counts a booking that a contact holds with a practitioner, for nobody we
// know. Refusals: Throttled "practitioner-budget" and "contact-held".
func (s *Service) Hold(ctx context.Context, practitioner string, contact []byte) error {
	return s.DB.Tx(ctx, func(_ context.Context, tx *store.Tx) error {
		if err := s.Ledger.Spend(tx, s.Costs.contactHeld(), hex.EncodeToString(contact), 1); err != nil {
			return renamed(err, "contact-held")
		}
		for _, b := range []budget.Budget{s.Costs.heldHour(), s.Costs.heldDay()} {
			if err := s.Ledger.Spend(tx, b, practitioner, 1); err != nil {
				return renamed(err, "practitioner-budget")
			}
		}
		return nil
	})
}

// Standing lists what is used of every budget now and in the last two days.
func (s *Service) Standing(ctx context.Context) (lines []budget.Line, err error) {
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		lines, err = s.Ledger.Standing(tx)
		return err
	})
	return lines, err
}

// renamed says a refusal for want of a budget in words of its own.
func renamed(err error, code string) error {
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Throttled {
		return err
	}
	seconds, _ := strconv.Atoi(f.Args["seconds"])
	return fault.New(fault.Throttled, code).With("seconds", strconv.Itoa(max(1, seconds)))
}
