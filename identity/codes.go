package identity

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"visavis/identity/contacts"
	"visavis/identity/traits"
	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/limit"
	"visavis/internal/seal"
	"visavis/internal/store"
)

const (
	codeLife  = 10 * time.Minute
	codeTries = 5
	// codeAgain is how long a code is not sent again in one session by the same way.
	codeAgain = time.Minute
)

// codeTrying bounds the calls of one session that type codes. What may be guessed is
// bounded by the codes themselves: five tries each, and few codes (contacts.SpendRequest):
// six an hour to a contact are 30 chances in a million. Nothing here is counted for the
// patient: whoever has a forwarded link would use it up for them.
var codeTrying = limit.Rule{Name: "code.try", Burst: 25, Every: 2 * time.Minute}

// Sent tells where a code went, as far as the person may be told, and whether it left
// because of this request.
type Sent struct {
	Channel string // sms or email
	Hint    string
	Expires time.Time
	contacts.Sending
}

// RequestCode makes a one-time code of six digits for the caller's session and
// has it sent to the patient's contact on file; a minor's to the representative
// named by chosen (a Reference), or without one to whom the link went to. An
// earlier code of the session stops working; but within a minute of it none is sent,
// and it is still good. Refusals: Invalid when the patient has no such contact or
// representative, Throttled ("link-spent", "request-budget").
func (s *Service) RequestCode(ctx context.Context, channel, chosen string) (sent Sent, err error) {
	a := authz.From(ctx)
	if err := s.Table.Can(a, "code.request", authz.None); err != nil {
		return Sent{}, err
	}
	p, err := s.Patient(ctx, a.PatientID)
	if err != nil {
		return Sent{}, err
	}
	if err := s.refuseConfidential(ctx, a.AppointmentID, p); err != nil {
		return Sent{}, err
	}
	through, err := s.addressee(ctx, a, p, chosen)
	if err != nil {
		return Sent{}, err
	}
	to := s.through(p, through)
	hint, err := hintOf(to, channel)
	if err != nil {
		return Sent{}, err
	}
	m, err := s.message(ctx, contacts.DocumentCode, a.AppointmentID, channel, to)
	if err != nil {
		return Sent{}, err
	}
	code := codeRow{PatientID: string(a.PatientID), Channel: channel, Representative: s.receiver(p, to, channel)}
	err = s.tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		session, err := lockSession(tx, a.SessionID)
		if fault.KindOf(err) == fault.NotFound { // ended meanwhile: the code will open nothing
			session, err = sessionRow{ID: string(a.SessionID)}, nil
		}
		if err != nil {
			return err
		}
		if sent, err = s.sentLately(tx, session, code); err != nil || !sent.At.IsZero() {
			return err
		}
		if m.Link, m.Fresh, err = s.linkOf(tx, session); err != nil {
			return err
		}
		if err := s.Requests.SpendRequest(ctx, tx, m); err != nil {
			return err
		}
		now := s.Clock.Now()
		after, err := s.Requests.Next(tx, m, now)
		sent = Sent{Expires: now.Add(codeLife), Sending: contacts.Sending{Sent: true, At: now, After: after}}
		if err != nil {
			return err
		}
		return s.sendCode(ctx, tx, session, code, through)
	})
	sent.Channel, sent.Hint = channel, hint
	return sent, err
}

// sentLately tells of a code like wanted that left for a session a moment ago and is
// still good; a zero Sent when there is none.
func (s *Service) sentLately(tx *store.Tx, session sessionRow, wanted codeRow) (Sent, error) {
	last, err := lastCode(tx, care.SessionID(session.ID))
	if fault.KindOf(err) == fault.NotFound {
		return Sent{}, nil
	}
	at := store.Time(last.At)
	age := s.Clock.Now().Sub(at)
	if err != nil || last.UsedAt != 0 || last.Tries >= codeTries || age >= codeAgain || last.Channel != wanted.Channel || last.Representative != wanted.Representative {
		return Sent{}, err
	}
	return Sent{Expires: at.Add(codeLife), Sending: contacts.Sending{At: at, After: codeAgain - age}}, nil
}

// linkOf names what the codes of a session are counted for: the link that opened it,
// and whether that is a new one.
func (s *Service) linkOf(tx *store.Tx, session sessionRow) (link string, fresh bool, err error) {
	if session.LinkID == "" { // opened before links were noted
		return session.ID, false, nil
	}
	row, err := linkByID(tx, session.LinkID)
	return session.LinkID, err == nil && s.Clock.Now().Sub(store.Time(row.At)) < contacts.FreshLink, err
}

// sendCode makes a code for a session and tells messaging.
func (s *Service) sendCode(ctx context.Context, tx *store.Tx, session sessionRow, row codeRow, through string) error {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return fmt.Errorf("identity: code: %w", err)
	}
	code, now, patient := fmt.Sprintf("%06d", n.Int64()), s.Clock.Now(), care.PatientID(row.PatientID)
	row.ID, row.SessionID, row.At = care.NewID(now), session.ID, store.Micros(now)
	row.Hash = s.derive("code", row.ID, code)
	if row.Sealed, err = s.Keeper.Seal(ctx, tx, patient, codePlace(row.ID), []byte(code)); err != nil {
		return err
	}
	if err := insertCode(tx, row); err != nil {
		return err
	}
	if err := s.Audit.Append(ctx, tx, audit.Entry{Action: "code.request", Object: "patient/" + row.PatientID, Patient: patient}); err != nil {
		return err
	}
	return s.Bus.Publish(ctx, tx, events.CodeRequested, row.ID, events.Code{CodeID: row.ID, PatientID: patient, Channel: row.Channel, Representative: through})
}

// message is what is counted of a message to a contact by one channel
// (contacts.SpendRequest).
func (s *Service) message(ctx context.Context, kind contacts.Kind, id care.AppointmentID, channel string, to Contact) (contacts.Message, error) {
	m := contacts.Message{Kind: kind, Channel: channel, To: to.Phone, Appointment: id}
	if channel == contacts.Email {
		m.To = strings.ToLower(to.Email)
	}
	about, err := s.Appointments.Appointment(ctx, id)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return m, err
	}
	m.Organization = about.OrganizationID
	return m, nil
}

// refuseConfidential refuses what would tell the parents of a minor about an
// appointment that the minor keeps from them (CSP L1111-5, L5134-1).
func (s *Service) refuseConfidential(ctx context.Context, id care.AppointmentID, p Patient) error {
	if id == "" || !p.Minor(s.today()) {
		return nil
	}
	secret, err := s.Secrecy.Confidential(ctx, id)
	if err == nil && secret {
		err = fault.New(fault.Conflict, "code-not-here")
	}
	return err
}

// addressee returns the representative who receives a code: the one chosen from
// the file, or else the one to whom the link of the session was sent.
func (s *Service) addressee(ctx context.Context, a authz.Actor, p Patient, chosen string) (string, error) {
	if chosen == "" {
		return s.representativeOf(ctx, a.SessionID)
	}
	for _, r := range s.onFile(p) {
		if r.Reference == chosen {
			return chosen, nil
		}
	}
	return "", fault.Fields(fault.Field{Name: "representative", Code: "not-a-choice"})
}

// receiver names the representative of a minor who reads a code sent to that
// contact; nothing when it is nobody's on file.
func (s *Service) receiver(p Patient, to Contact, channel string) string {
	address := to.Phone
	if channel == "email" {
		address = strings.ToLower(to.Email)
	}
	for _, r := range s.onFile(p) {
		if address != "" && (r.Phone == address || strings.ToLower(r.Email) == address) {
			return r.Reference
		}
	}
	return ""
}

// OnFile is a representative of a minor's file.
type OnFile struct {
	Representative
	Reference string // names them to RequestCode; tells nothing else
}

// RepresentativesOnFile lists those of a minor's representatives whom a code can
// reach; nobody for an adult.
func (s *Service) RepresentativesOnFile(ctx context.Context, id care.PatientID) ([]OnFile, error) {
	p, err := s.Patient(ctx, id)
	return s.onFile(p), err
}

// onFile lists those of a minor's representatives whom a code can reach.
func (s *Service) onFile(p Patient) (list []OnFile) {
	if !p.Minor(s.today()) {
		return nil
	}
	for _, r := range p.Representatives {
		if contacts := nonEmpty(r.Phone, strings.ToLower(r.Email)); len(contacts) > 0 {
			list = append(list, OnFile{r, hex.EncodeToString(s.representative(contacts[0]))})
		}
	}
	return list
}

// ProvenRepresentative tells which representative on the file of a minor proved
// the session of a with a code, and how many are on the file. found is false
// when nobody did.
func (s *Service) ProvenRepresentative(ctx context.Context, a authz.Actor) (who OnFile, found bool, count int, err error) {
	if a.Role != care.Patient {
		return OnFile{}, false, 0, nil
	}
	p, err := s.Patient(ctx, a.PatientID)
	if err != nil {
		return OnFile{}, false, 0, err
	}
	list := s.onFile(p)
	if a.Level < authz.LevelCode {
		return OnFile{}, false, len(list), nil
	}
	reference, err := s.representativeOf(ctx, a.SessionID)
	if err != nil || reference == "" {
		return OnFile{}, false, len(list), err
	}
	for _, r := range list {
		for _, contact := range nonEmpty(r.Phone, strings.ToLower(r.Email)) {
			if hex.EncodeToString(s.representative(contact)) == reference {
				return r, true, len(list), nil
			}
		}
	}
	return OnFile{}, false, len(list), nil // taken off the file since
}

// representativeOf tells which representative the link of a session went to.
func (s *Service) representativeOf(ctx context.Context, id care.SessionID) (who string, err error) {
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		row, err := sessionByID(tx, id)
		who = row.Representative
		return err
	})
	if fault.KindOf(err) == fault.NotFound {
		return "", nil // ended meanwhile: the code will open nothing
	}
	return who, err
}

func hintOf(to Contact, channel string) (string, error) {
	switch {
	case channel == "sms" && to.Mobile:
		return traits.HidePhone(to.Phone), nil
	case channel == "email" && to.Email != "":
		return traits.HideEmail(to.Email), nil
	case channel == "sms" || channel == "email":
		return "", fault.Fields(fault.Field{Name: "channel", Code: "channel-not-on-file"})
	}
	return "", fault.Fields(fault.Field{Name: "channel", Code: "not-a-choice"})
}

// PendingCode gives messaging the code of a CodeRequested fact. It fails as
// Gone when the code expired or was used meanwhile.
func (s *Service) PendingCode(ctx context.Context, id string) (code string, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		row, err := codeByID(tx, id)
		if err != nil {
			return err
		}
		if row.UsedAt != 0 || s.Clock.Now().Sub(store.Time(row.At)) >= codeLife {
			return fault.New(fault.Gone, "code-expired")
		}
		plain, err := s.Keeper.Open(ctx, tx, care.PatientID(row.PatientID), codePlace(id), row.Sealed)
		if err != nil {
			return err
		}
		code = string(plain)
		return nil
	})
	return code, err
}

// VerifyCode checks the code typed, raises the session to the level of a
// second factor and gives its new secret: the old one opens nothing any more.
// Refusals: Invalid code-wrong (with {remaining}), Gone code-expired, Conflict
// code-used, Throttled. A try counts even when the request is cut.
func (s *Service) VerifyCode(ctx context.Context, typed string) (session string, a authz.Actor, err error) {
	a = authz.From(ctx)
	if err := s.Table.Can(a, "code.verify", authz.None); err != nil {
		return "", a, err
	}
	if err := s.Limits.Take(ctx, codeTrying, string(a.SessionID)); err != nil {
		return "", a, err
	}
	var refused error // kept outside: the count of a refused try must commit
	err = s.tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		row, err := s.tryCode(ctx, tx, a, typed)
		var f *fault.Error
		if errors.As(err, &f) {
			refused = err
			return s.Audit.Append(ctx, tx, audit.Entry{Action: "code.verify", Object: "patient/" + string(a.PatientID), Patient: a.PatientID, Outcome: audit.Refused})
		}
		refused = nil
		if err != nil {
			return err
		}
		session, a, err = s.raise(ctx, tx, a, row)
		return err
	})
	if err == nil {
		err = refused
	}
	return session, a, err
}

// tryCode spends one try of the session's newest code. A fault is a refusal.
func (s *Service) tryCode(_ context.Context, tx *store.Tx, a authz.Actor, typed string) (codeRow, error) {
	row, err := lastCode(tx, a.SessionID)
	if fault.KindOf(err) == fault.NotFound {
		return row, fault.New(fault.Gone, "code-expired")
	}
	if err != nil {
		return row, err
	}
	if row.UsedAt != 0 {
		return row, fault.New(fault.Conflict, "code-used")
	}
	if s.Clock.Now().Sub(store.Time(row.At)) >= codeLife {
		return row, fault.New(fault.Gone, "code-expired")
	}
	left, err := tryCode(tx, row.ID, codeTries)
	if err != nil {
		return row, err
	}
	if !left {
		return row, fault.New(fault.Gone, "code-expired")
	}
	if !same(row.Hash, s.derive("code", row.ID, typed)) {
		return row, fault.New(fault.Invalid, "code-wrong").With("remaining", strconv.Itoa(max(0, codeTries-1-row.Tries)))
	}
	return row, nil
}

// raise makes the session one of two factors.
func (s *Service) raise(ctx context.Context, tx *store.Tx, a authz.Actor, code codeRow) (string, authz.Actor, error) {
	now := store.Micros(s.Clock.Now())
	used, err := useCode(tx, code.ID, now)
	if err != nil {
		return "", a, err
	}
	if !used {
		return "", a, fault.New(fault.Conflict, "code-used")
	}
	secret, hash := token()
	a.Level, a.Proof = authz.LevelCode, "link+"+code.Channel
	if err := rotateSession(tx, a.SessionID, hash, a.Level, a.Proof, code.Representative, now); err != nil {
		return "", a, err
	}
	err = s.Audit.Append(authz.With(ctx, a), tx, audit.Entry{Action: "code.verify", Object: "patient/" + string(a.PatientID), Patient: a.PatientID})
	return secret, a, err
}

func codePlace(id string) seal.Place {
	return seal.Place{Table: "codes", Column: "sealed", Row: id}
}
