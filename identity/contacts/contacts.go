package contacts

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"sync"
	"time"

	"visavis/internal/budget"
	"visavis/internal/care"
	"visavis/internal/clock"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/limit"
	"visavis/internal/seal"
	"visavis/internal/store"
)

// The channels a code goes by.
const (
	SMS   = "sms"
	Email = "email"
)

const (
	codeDigits  = 8
	codeLife    = 20 * time.Minute // at least, from the newest attempt that joined
	attemptLife = 20 * time.Minute // to type the code
	proofLife   = 30 * time.Minute // to book once it is typed
	tries       = 5
	// freshFor is how long a code sent is not sent again, unless it is asked for;
	// again is how long it is not sent again even then.
	freshFor = 10 * time.Minute
	again    = time.Minute
)

// trying bounds the tries of one network against one contact, after the first
// ownTries of each attempt: the owner of a contact types the code they read, and
// whoever guesses from the same address takes nothing of theirs.
var trying = limit.Rule{Name: "contact.try", Burst: 30, Every: 2 * time.Minute}

// ownTries is how many tries of an attempt the network does not count against.
const ownTries = 2

// Deps is what the service is made of.
type Deps struct {
	DB     *store.DB
	Bus    *events.Bus
	Keeper *seal.Keeper
	Clock  clock.Clock
	Limits limit.Limiter
	Ledger *budget.Ledger
	Master seal.Master
	Costs  Costs
	// SMS and Mail tell whether the platform has a gateway and a mail server.
	SMS, Mail bool
}

// Service proves contacts. It is safe for concurrent use.
type Service struct {
	Deps
	index seal.Index
	mac   []byte

	mu       sync.Mutex
	pressed  map[string]pressed     // by channel and practitioner
	underWay map[string][]time.Time // by channel: when attempts were admitted
}

// New returns the service.
func New(d Deps) *Service {
	return &Service{Deps: d, index: seal.NewIndex(d.Master), mac: d.Master.Derive("contacts"), pressed: map[string]pressed{}, underWay: map[string][]time.Time{}}
}

// Subscribe registers the hourly sweep.
func (s *Service) Subscribe(bus *events.Bus) {
	bus.Every("contacts.sweep", time.Hour, func(ctx context.Context, _ json.RawMessage) error { return s.Sweep(ctx) })
}

// Request asks for a code. Phone and Email are as typed; with both, Channel picks
// one, and the telephone when it is empty.
type Request struct {
	Phone, Email string
	Channel      string
	Language     care.Language
	Practitioner care.StaffID
	// Again asks for another message although one was sent a moment ago.
	Again bool
	// Network is the requester's IP address; it is not stored.
	Network string
	// Work answers the challenge of a "work-needed" refusal.
	Work string
	// Proven starts an attempt that needs no code: the caller has proved the
	// contact otherwise.
	Proven bool
}

// Attempt is what the requester keeps.
type Attempt struct {
	Secret  string
	Channel string
	Hint    string // the contact as it was typed, mostly hidden
	Expires time.Time
	Sending
}

// Sending tells whether a message left because of a request. When none did, the one
// that left at At is still good.
type Sending struct {
	Sent  bool
	At    time.Time     // when the last message left
	After time.Duration // how long until another one can be asked for
}

func (s *Service) contact(a address) []byte { return s.index.Of("contacts."+a.channel, a.value) }

// Start begins an attempt: one code leaves, or the last one is joined. It joins the
// caller's transaction; Admit comes before. Refusals: Invalid by field, Throttled
// "sms-budget" and "mail-budget", Unavailable "codes-not-sent".
func (s *Service) Start(ctx context.Context, r Request) (a Attempt, err error) {
	to, err := s.choose(r)
	if err != nil {
		return Attempt{}, err
	}
	secret := newSecret()
	now := s.Clock.Now()
	var sending Sending
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		row := attemptRow{Hash: s.hash("attempt", secret), Contact: s.contact(to), Channel: to.channel, PractitionerID: string(r.Practitioner), At: store.Micros(now)}
		if r.Proven {
			row.ProvenAt = row.At
			return insertAttempt(tx, row)
		}
		if _, err := s.Ledger.Count(tx, s.Costs.unproven(), row.PractitionerID, 1); err != nil {
			return err
		}
		if err := insertAttempt(tx, row); err != nil {
			return err
		}
		tx.AfterCommit(func() { s.leave(to.channel) })
		sending, err = s.sendOrJoin(ctx, tx, to, r)
		return err
	})
	return Attempt{secret, to.channel, to.hint(), now.Add(attemptLife), sending}, err
}

// sendOrJoin has one message sent to a contact, or makes the last one last, and tells
// which.
func (s *Service) sendOrJoin(ctx context.Context, tx *store.Tx, to address, r Request) (Sending, error) {
	now := s.Clock.Now()
	// Two attempts at once: the second waits here for the first and joins it.
	if _, err := s.Ledger.Count(tx, contactHour, hex.EncodeToString(s.contact(to)), 0); err != nil {
		return Sending{}, err
	}
	last, found, err := lastCode(tx, s.contact(to))
	if err != nil {
		return Sending{}, err
	}
	age := now.Sub(store.Time(last.At))
	fresh := found && last.ExpiresAt > store.Micros(now) && (age < again || age < freshFor && !r.Again)
	if !fresh {
		switch err = s.allow(tx, to); {
		case err == nil:
			if err := s.send(ctx, tx, to, r); err != nil {
				return Sending{}, err
			}
			after, err := s.nextCode(tx, to, now)
			return Sending{true, now, after}, err
		case !errors.Is(err, errContactFull) || !found:
			return Sending{}, err
		}
	}
	if err := prolong(tx, last.ID, store.Micros(now.Add(codeLife))); err != nil {
		return Sending{}, err
	}
	after, err := s.nextCode(tx, to, store.Time(last.At))
	return Sending{false, store.Time(last.At), after}, err
}

// nextCode is how long until another code can be sent to a contact.
func (s *Service) nextCode(tx *store.Tx, to address, last time.Time) (time.Duration, error) {
	return s.wait(tx, []budget.Budget{contactHour, contactDay}, hex.EncodeToString(s.contact(to)), last)
}

// wait is how long until one more message may leave: again after the last one, and
// what the budgets of a key have left.
func (s *Service) wait(tx *store.Tx, budgets []budget.Budget, key string, last time.Time) (time.Duration, error) {
	after := max(0, again-s.Clock.Now().Sub(last))
	for _, b := range budgets {
		more, err := s.Ledger.Wait(tx, b, key, 1)
		if err != nil {
			return 0, err
		}
		after = max(after, more)
	}
	return after, nil
}

// send makes a code and tells messaging.
func (s *Service) send(ctx context.Context, tx *store.Tx, to address, r Request) error {
	n, err := rand.Int(rand.Reader, big.NewInt(100_000_000))
	if err != nil {
		return fmt.Errorf("contacts: code: %w", err)
	}
	code, now := fmt.Sprintf("%0*d", codeDigits, n.Int64()), s.Clock.Now()
	id := care.NewID(now)
	sealed, err := s.Keeper.Seal(ctx, tx, seal.House, place(id), []byte(code+" "+to.value))
	if err != nil {
		return err
	}
	row := codeRow{ID: id, Contact: s.contact(to), Channel: to.channel, Hash: s.hash("code", id, code), Sealed: sealed,
		Language: string(r.Language), At: store.Micros(now), ExpiresAt: store.Micros(now.Add(codeLife))}
	if err := insertCode(tx, row); err != nil {
		return err
	}
	return s.Bus.Publish(ctx, tx, events.ContactCodeRequested, id, events.ContactCode{CodeID: id, Channel: to.channel, Language: r.Language, PractitionerID: r.Practitioner})
}

// Pending gives messaging the code of a ContactCodeRequested fact and where it
// goes. It fails as Gone when the code is of no more use.
func (s *Service) Pending(ctx context.Context, id string) (code, to string, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		row, err := codeByID(tx, id)
		if err != nil {
			return err
		}
		if row.ExpiresAt <= store.Micros(s.Clock.Now()) {
			return fault.New(fault.Gone, "code-expired")
		}
		plain, err := s.Keeper.Open(ctx, tx, seal.House, place(id), row.Sealed)
		code, to, _ = strings.Cut(string(plain), " ")
		return err
	})
	return code, to, err
}

// Verify checks the code typed for an attempt. The right code again changes
// nothing. Refusals: Gone "attempt-over" (unknown, late, or out of tries), Invalid
// "code-wrong" with {remaining}, Throttled. A wrong try counts.
func (s *Service) Verify(ctx context.Context, secret, typed, network string) error {
	hash := s.hash("attempt", secret)
	var refused error
	err := s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		row, err := lockAttempt(tx, hash)
		if err != nil {
			return err
		}
		if refused, err = s.try(ctx, tx, row, typed, network); err != nil || refused != nil {
			return err
		}
		return s.prove(ctx, tx, row, network)
	})
	if fault.KindOf(err) == fault.NotFound {
		return fault.New(fault.Gone, "attempt-over")
	}
	return errors.Join(err, refused)
}

// try spends one try of an attempt. refused must not undo the count.
func (s *Service) try(ctx context.Context, tx *store.Tx, row attemptRow, typed, network string) (refused, err error) {
	now := s.Clock.Now()
	if row.ProvenAt != 0 {
		return nil, nil
	}
	if now.Sub(store.Time(row.At)) >= attemptLife {
		return fault.New(fault.Gone, "attempt-over"), nil
	}
	if row.Tries >= ownTries {
		if err := s.Limits.Take(ctx, trying, hex.EncodeToString(row.Contact)+"|"+limit.Network(network)); err != nil {
			return err, nil
		}
	}
	left, err := countTry(tx, row.Hash, tries)
	if err != nil || !left {
		return fault.New(fault.Gone, "attempt-over"), err
	}
	codes, err := codesOf(tx, row.Contact, store.Micros(now))
	if err != nil {
		return nil, err
	}
	typed = strings.Join(strings.Fields(typed), "")
	for _, c := range codes {
		if hmac.Equal(c.Hash, s.hash("code", c.ID, typed)) {
			return nil, nil
		}
	}
	if _, err := s.Ledger.Count(tx, guesses, hex.EncodeToString(row.Contact), 1); err != nil {
		return nil, err
	}
	if row.Tries+1 >= tries {
		return fault.New(fault.Gone, "attempt-over"), nil
	}
	return fault.New(fault.Invalid, "code-wrong").With("remaining", strconv.Itoa(tries-1-int(row.Tries))), nil
}

// prove notes that an attempt is proven and gives back what it had taken.
func (s *Service) prove(ctx context.Context, tx *store.Tx, row attemptRow, network string) error {
	first, err := proveAttempt(tx, row.Hash, store.Micros(s.Clock.Now()))
	if err != nil || !first {
		return err
	}
	tx.AfterCommit(func() { s.giveBack(ctx, starting[:], limit.Networks(network)) })
	return s.Ledger.Return(tx, s.Costs.unproven(), row.PractitionerID, store.Time(row.At), 1)
}

// Proven tells which of two typed contacts an attempt has proved: "sms", "email",
// or Forbidden "contact-not-proven". It joins the caller's transaction.
func (s *Service) Proven(ctx context.Context, secret, phone, email string) (channel string, contact []byte, err error) {
	refused := fault.New(fault.Forbidden, "contact-not-proven")
	if secret == "" {
		return "", nil, refused
	}
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		row, err := attemptByHash(tx, s.hash("attempt", secret))
		if fault.KindOf(err) == fault.NotFound || err == nil && (row.ProvenAt == 0 || s.Clock.Now().Sub(store.Time(row.ProvenAt)) >= proofLife) {
			return refused
		}
		if err != nil {
			return err
		}
		a, err := choose(phone, email, row.Channel)
		if err != nil {
			return err
		}
		if !hmac.Equal(s.contact(a), row.Contact) {
			return refused
		}
		channel, contact = a.channel, row.Contact
		return nil
	})
	return channel, contact, err
}

// Sweep forgets attempts, codes and counts that are over.
func (s *Service) Sweep(ctx context.Context) error {
	return s.DB.Tx(ctx, func(_ context.Context, tx *store.Tx) error {
		now := s.Clock.Now()
		if err := forget(tx, store.Micros(now.Add(-attemptLife-proofLife)), store.Micros(now.Add(-24*time.Hour))); err != nil {
			return err
		}
		return s.Ledger.Sweep(tx)
	})
}

func (s *Service) hash(parts ...string) []byte {
	h := hmac.New(sha256.New, s.mac)
	h.Write([]byte(strings.Join(parts, "\x00")))
	return h.Sum(nil)
}

func newSecret() string {
	var b [32]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func place(id string) seal.Place {
	return seal.Place{Table: "contact_codes", Column: "sealed", Row: id}
}
