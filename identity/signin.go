package identity

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"visavis/identity/prosante"
	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/httpx"
	"visavis/internal/limit"
	"visavis/internal/seal"
	"visavis/internal/store"
)

// signinLife is how long a professional may stay on Pro Santé Connect's pages.
const signinLife = 10 * time.Minute

// StartSignin begins a sign-in and gives the address to send the browser to
// and the secret that binds the sign-in to this browser: a return that does
// not bring it back is somebody else's (trust S14). to is where to land
// afterwards; anything but a path of ours becomes /pro.
func (s *Service) StartSignin(ctx context.Context, to string) (address, browser string, err error) {
	return s.startSignin(ctx, to, "")
}

// startSignin is StartSignin, or StartStepUp for a session.
func (s *Service) startSignin(ctx context.Context, to string, again care.SessionID) (address, browser string, err error) {
	if !ourPath(to) {
		to = "/pro"
	}
	state, stateHash := token()
	if address, err = s.ProSante.AuthURL(ctx, s.attempt(state, again != "", 0)); err != nil {
		return "", "", err
	}
	return address, s.sealTicket(signinRow{Hash: stateHash, ReturnTo: to, At: store.Micros(s.Clock.Now()), SessionID: string(again)}), nil
}

// sealTicket writes a sign-in under way as the secret of its browser: the server
// keeps nothing of it, so that beginning ten thousand costs no row and no
// memory, and nobody is kept from signing in for another's attempts. The state
// itself is in the address only.
func (s *Service) sealTicket(r signinRow) string {
	text := strings.Join([]string{hex.EncodeToString(r.Hash), strconv.FormatInt(r.At, 10), r.SessionID, r.ReturnTo}, " ")
	return base64.RawURLEncoding.EncodeToString([]byte(text)) + "." + base64.RawURLEncoding.EncodeToString(s.derive("psc-ticket", text))
}

// openTicket reads what sealTicket wrote; false for anything else.
func (s *Service) openTicket(ticket string) (r signinRow, ok bool) {
	body, mac, _ := strings.Cut(ticket, ".")
	text, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		return r, false
	}
	sum, err := base64.RawURLEncoding.DecodeString(mac)
	if err != nil || !hmac.Equal(sum, s.derive("psc-ticket", string(text))) {
		return r, false
	}
	parts := strings.SplitN(string(text), " ", 4)
	if len(parts) != 4 {
		return r, false
	}
	hash, hashErr := hex.DecodeString(parts[0])
	at, atErr := strconv.ParseInt(parts[1], 10, 64)
	r = signinRow{Hash: hash, BrowserHash: hashOf(ticket), ReturnTo: parts[3], At: at, SessionID: parts[2]}
	return r, hashErr == nil && atErr == nil
}

// attempt derives the secrets of a sign-in from its state, so that the
// database holds none of them.
// again asks for the person to be asked again; within is how long ago that was.
func (s *Service) attempt(state string, again bool, within time.Duration) prosante.Attempt {
	text := func(purpose string) string { return base64.RawURLEncoding.EncodeToString(s.derive(purpose, state)) }
	return prosante.Attempt{State: state, Nonce: text("psc-nonce"), Verifier: text("psc-verifier"), Again: again, Within: within}
}

// Return is what a browser brings back from Pro Santé Connect.
type Return struct {
	State, Code, Error string
	Browser            string // the secret given by StartSignin
}

// choosePath is the page where a professional says where they work today.
const choosePath = "/pro/situation"

// Signin is how a sign-in ended: with a session or, when the professional works
// at several places of ours, with a choice to make there.
type Signin struct {
	Session string // the cookie's secret; empty while there is a choice
	Choice  string // what Situations and ChooseSituation ask for
	To      string // where to land
	StepUp  bool   // the session goes on (StartStepUp)
	Actor   authz.Actor
}

// FinishSignin ends a sign-in. Refusals, all audited: Gone psc-expired (state unknown, late, used, or of
// another browser), Unauthenticated psc-cancelled, psc-refused, Forbidden
// psc-unknown (nobody of our staff), Unavailable psc-unavailable.
func (s *Service) FinishSignin(ctx context.Context, r Return) (done Signin, err error) {
	row, err := s.landing(ctx, r)
	again := Signin{}
	if row.SessionID != "" {
		again = Signin{To: row.ReturnTo, StepUp: true} // and there the refusal is told
	}
	if err != nil {
		return again, s.refusedSignin(ctx, err)
	}
	// The provider is called outside any transaction.
	asked := s.Clock.Now().Sub(store.Time(row.At))
	who, proof, err := s.ProSante.Finish(ctx, s.attempt(r.State, row.SessionID != "", asked), r.Code)
	if err != nil {
		return again, s.refusedSignin(ctx, err)
	}
	s.Limits.Refund(ctx, returnRule(), limit.Network(httpx.Remote(ctx)))
	if row.SessionID != "" {
		if done, err = s.stepUp(ctx, row, who, proof); err != nil {
			err = s.refusedSignin(ctx, err)
		}
		return done, err
	}
	kept := proven{fmt.Sprintf("psc iss=%s acr=%s at=%s", proof.Issuer, proof.ACR, proof.At.Format(time.RFC3339)), proof.IDToken, row.ReturnTo}
	err = s.tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		places, err := staffByIdNat(tx, who.IdNat)
		if err != nil {
			return err
		}
		switch list := situations(who, places); len(list) {
		case 0:
			return fault.New(fault.Forbidden, "psc-unknown")
		case 1:
			done, err = s.enter(ctx, tx, list[0], kept)
		default:
			done, err = s.ask(ctx, tx, list, kept)
		}
		return err
	})
	if err != nil {
		return Signin{}, s.refusedSignin(ctx, err)
	}
	return done, nil
}

// proven is what a sign-in carries over to the session.
type proven struct{ proof, idToken, to string }

// enter opens the session of a professional at one place.
func (s *Service) enter(ctx context.Context, tx *store.Tx, p Staff, k proven) (Signin, error) {
	a := authz.Actor{Role: p.Role, StaffID: p.ID, OrganizationID: p.Organization.ID, Capabilities: p.Capabilities, Level: authz.LevelPSC, Proof: k.proof}
	session, a, err := s.begin(ctx, tx, a, kept{idToken: k.idToken})
	if err != nil {
		return Signin{}, err
	}
	err = s.Audit.Append(authz.With(ctx, a), tx, audit.Entry{Action: "signin.start", Object: "staff/" + string(p.ID)})
	return Signin{Session: session, To: k.to, Actor: a}, err
}

// ask keeps a sign-in until its person has said which situation of exercise it
// is for: it decides whose patients they see and what their signature says
// (interop §2.4).
func (s *Service) ask(ctx context.Context, tx *store.Tx, list []Staff, k proven) (Signin, error) {
	choice, hash := token()
	sealed, err := s.Keeper.Seal(ctx, tx, seal.House, tokenPlace("signin_choices", hex.EncodeToString(hash)), []byte(k.idToken))
	if err != nil {
		return Signin{}, err
	}
	ids := make([]string, len(list))
	for i, p := range list {
		ids[i] = string(p.ID)
	}
	err = insertChoice(tx, choiceRow{Hash: hash, Staff: strings.Join(ids, " "), Proof: k.proof, IDToken: sealed, ReturnTo: k.to, At: store.Micros(s.Clock.Now())})
	return Signin{Choice: choice, To: choosePath}, err
}

// Situations lists where the professional of a sign-in under way may work
// today. It refuses as Gone psc-expired what is unknown, late or used.
func (s *Service) Situations(ctx context.Context, choice string) (list []Staff, err error) {
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		_, list, err = s.choice(tx, choice)
		return err
	})
	return list, err
}

// choice gives a choice that can still be made, with what there is to choose.
func (s *Service) choice(tx *store.Tx, secret string) (choiceRow, []Staff, error) {
	row, err := choiceByHash(tx, hashOf(secret))
	if fault.KindOf(err) == fault.NotFound || err == nil && s.Clock.Now().Sub(store.Time(row.At)) >= signinLife {
		return row, nil, fault.New(fault.Gone, "psc-expired")
	}
	if err != nil {
		return row, nil, err
	}
	var list []Staff
	for _, id := range strings.Fields(row.Staff) {
		p, err := loadStaff(tx, care.StaffID(id))
		if err != nil {
			return row, nil, err
		}
		if p.Active {
			list = append(list, p)
		}
	}
	return row, list, nil
}

// ChooseSituation ends a sign-in at one of the places Situations listed, once.
// Refusals: Gone psc-expired, Invalid when it is none of them.
func (s *Service) ChooseSituation(ctx context.Context, choice string, id care.StaffID) (done Signin, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		row, list, err := s.choice(tx, choice)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(list, func(p Staff) bool { return p.ID == id })
		if i < 0 {
			return fault.Fields(fault.Field{Name: "id", Code: "not-a-choice"})
		}
		idToken, err := s.Keeper.Open(ctx, tx, seal.House, tokenPlace("signin_choices", hex.EncodeToString(row.Hash)), row.IDToken)
		if err != nil {
			return err
		}
		if taken, err := takeChoice(tx, row.Hash); err != nil || !taken {
			return errors.Join(err, fault.New(fault.Gone, "psc-expired"))
		}
		done, err = s.enter(ctx, tx, list[i], proven{row.Proof, string(idToken), row.ReturnTo})
		return err
	})
	return done, err
}

// Limits of returns. What comes without the ticket of its browser costs nothing
// and takes no token; who signs in gets theirs back, so that a hospital behind
// one address may come all at once.
const (
	maxReturns    = 20_000 // returns kept, so that each is good once; the oldest are forgotten first
	returnsBurst  = 300
	refusalsBurst = 60
)

func returnRule() limit.Rule {
	return limit.Rule{Name: "signin.return", Burst: returnsBurst, Every: time.Second}
}

// refusalRule bounds what strangers write into the audit log.
func refusalRule() limit.Rule {
	return limit.Rule{Name: "signin.refusal", Burst: refusalsBurst, Every: time.Minute}
}

// landing checks the state, once, and gives the sign-in that was under way; its
// row is there with the refusal too, when the browser was the right one.
func (s *Service) landing(ctx context.Context, r Return) (row signinRow, err error) {
	row, ok := s.openTicket(r.Browser)
	if !ok || !same(row.Hash, hashOf(r.State)) || s.Clock.Now().Sub(store.Time(row.At)) >= signinLife {
		return signinRow{}, fault.New(fault.Gone, "psc-expired")
	}
	if err := s.Limits.Take(ctx, returnRule(), limit.Network(httpx.Remote(ctx))); err != nil {
		return row, err
	}
	fresh := false
	err = s.tx(ctx, func(_ context.Context, tx *store.Tx) error {
		fresh, err = markSignin(tx, row, store.Micros(s.Clock.Now().Add(-signinLife)), maxReturns)
		return err
	})
	switch {
	case err != nil:
		return signinRow{}, err
	case !fresh:
		return signinRow{}, fault.New(fault.Gone, "psc-expired")
	case r.Error != "":
		return row, fault.New(fault.Unauthenticated, "psc-cancelled")
	case r.Code == "":
		return row, fault.New(fault.Unauthenticated, "psc-refused").Because(errors.New("identity: return without a code"))
	}
	return row, nil
}

// refusedSignin writes the refusal down and gives it back. Of strangers at one
// address it writes so many.
func (s *Service) refusedSignin(ctx context.Context, why error) error {
	var f *fault.Error
	if !errors.As(why, &f) {
		return why
	}
	if authz.From(ctx).SessionID == "" && s.Limits.Take(ctx, refusalRule(), limit.Network(httpx.Remote(ctx))) != nil {
		return why
	}
	err := s.tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "signin.start", Object: "signin/" + f.Code, Outcome: audit.Refused,
			Detail: map[string]string{"why": f.Error()}})
	})
	return errors.Join(why, err)
}

// ourPath tells whether a return address is a path of this site and nothing
// a browser could read as another one.
func ourPath(to string) bool {
	return strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "//") && !strings.HasPrefix(to, "/\\") && !strings.HasPrefix(to, "/api/") &&
		!strings.ContainsFunc(to, func(r rune) bool { return r < 0x21 || r == 0x7f || r == '\\' }) && len(to) <= 200
}

// StartStepUp begins to prove again who the professional of the session is,
// without ending it; Pro Santé Connect must ask them, not remember them. It
// gives what StartSignin gives, and refuses as Unauthenticated without a session
// of a professional. FinishSignin ends it.
func (s *Service) StartStepUp(ctx context.Context, to string) (address, browser string, err error) {
	a := authz.From(ctx)
	if a.StaffID == "" || a.SessionID == "" {
		return "", "", fault.New(fault.Unauthenticated, "sign-in")
	}
	return s.startSignin(ctx, to, a.SessionID)
}

// stepUp ends one: the same person, in the same session, asked after it began.
func (s *Service) stepUp(ctx context.Context, row signinRow, who prosante.Professional, proof prosante.Proof) (Signin, error) {
	a := authz.From(ctx)
	done := Signin{To: row.ReturnTo, StepUp: true}
	if a.StaffID == "" || string(a.SessionID) != row.SessionID {
		return done, fault.New(fault.Gone, "psc-expired")
	}
	err := s.tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		p, err := loadStaff(tx, a.StaffID)
		if err != nil {
			return err
		}
		if p.IdNat != who.IdNat {
			return fault.New(fault.Forbidden, "step-up-other").Because(errors.New("identity: somebody else signed in"))
		}
		at := store.Micros(s.Clock.Now())
		if err := putStepUp(tx, stepUpRow{SessionID: row.SessionID, At: at, Mac: s.stepUpMAC(a.SessionID, at)}); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "signin.start", Object: "session/" + row.SessionID,
			Detail: map[string]string{"step-up": proof.Issuer + " acr=" + proof.ACR}})
	})
	return done, err
}

// proved fills in until when a professional's sign-in suffices to sign, and whether they
// proved again who they are in this session. The row of a step-up counts with its MAC
// only, so that nobody writes one in the database.
func (s *Service) proved(tx *store.Tx, r sessionRow, a authz.Actor) (authz.Actor, error) {
	if a.StaffID == "" {
		return a, nil
	}
	a.SignsUntil = store.Time(r.At).Add(s.SignFor)
	up, err := stepUpOf(tx, care.SessionID(r.ID))
	if fault.KindOf(err) == fault.NotFound {
		return a, nil
	}
	if err != nil {
		return a, err
	}
	if !hmac.Equal(up.Mac, s.stepUpMAC(a.SessionID, up.At)) {
		tx.Report(store.Finding{Object: "step_ups/" + r.ID, Reason: "forged"})
		return a, nil
	}
	a.SteppedUp = true
	return a, nil
}

func (s *Service) stepUpMAC(id care.SessionID, at int64) []byte {
	return s.derive("step-up", string(id)+"|"+strconv.FormatInt(at, 10))
}
