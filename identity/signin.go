package identity

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"visavis/identity/prosante"
	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/fault"
	"visavis/internal/store"
)

// signinLife is how long a professional may stay on Pro Santé Connect's pages.
const signinLife = 10 * time.Minute

// StartSignin begins a sign-in and gives the address to send the browser to
// and the secret that binds the sign-in to this browser: a return that does
// not bring it back is somebody else's (trust S14). to is where to land
// afterwards; anything but a path of ours becomes /pro.
func (s *Service) StartSignin(ctx context.Context, to string) (address, browser string, err error) {
	if !ourPath(to) {
		to = "/pro"
	}
	state, stateHash := token()
	browser, browserHash := token()
	if address, err = s.ProSante.AuthURL(ctx, s.attempt(state)); err != nil {
		return "", "", err
	}
	err = s.tx(ctx, func(_ context.Context, tx *store.Tx) error {
		return insertSignin(tx, signinRow{stateHash, browserHash, to, store.Micros(s.Clock.Now())})
	})
	return address, browser, err
}

// attempt derives the secrets of a sign-in from its state, so that the
// database holds none of them.
func (s *Service) attempt(state string) prosante.Attempt {
	text := func(purpose string) string { return base64.RawURLEncoding.EncodeToString(s.derive(purpose, state)) }
	return prosante.Attempt{State: state, Nonce: text("psc-nonce"), Verifier: text("psc-verifier")}
}

// Return is what a browser brings back from Pro Santé Connect.
type Return struct {
	State, Code, Error string
	Browser            string // the secret given by StartSignin
}

// FinishSignin ends a sign-in: it gives the session's secret and where to land.
// Refusals, all audited: Gone psc-expired (state unknown, late, used, or of
// another browser), Unauthenticated psc-cancelled, psc-refused, Forbidden
// psc-unknown (nobody of our staff), Unavailable psc-unavailable.
func (s *Service) FinishSignin(ctx context.Context, r Return) (session, to string, a authz.Actor, err error) {
	to, err = s.landing(ctx, r)
	if err != nil {
		return "", "", a, s.refusedSignin(ctx, err)
	}
	// The provider is called outside any transaction.
	who, proof, err := s.ProSante.Finish(ctx, s.attempt(r.State), r.Code)
	if err != nil {
		return "", "", a, s.refusedSignin(ctx, err)
	}
	err = s.tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		places, err := staffByIdNat(tx, who.IdNat)
		if err != nil {
			return err
		}
		p, ok := at(who, places)
		if !ok {
			return fault.New(fault.Forbidden, "psc-unknown")
		}
		a = authz.Actor{Role: p.Role, StaffID: p.ID, OrganizationID: p.Organization.ID, Level: authz.LevelPSC,
			Proof: fmt.Sprintf("psc iss=%s acr=%s at=%s", proof.Issuer, proof.ACR, proof.At.Format(time.RFC3339))}
		if session, a, err = s.begin(ctx, tx, a, sessionRow{}); err != nil {
			return err
		}
		return s.Audit.Append(authz.With(ctx, a), tx, audit.Entry{Action: "signin.start", Object: "staff/" + string(p.ID)})
	})
	if err != nil {
		return "", "", authz.Actor{}, s.refusedSignin(ctx, err)
	}
	return session, to, a, nil
}

// landing checks the state, once, and gives where the sign-in was going.
func (s *Service) landing(ctx context.Context, r Return) (to string, err error) {
	var row signinRow
	err = s.tx(ctx, func(_ context.Context, tx *store.Tx) error {
		row, err = takeSignin(tx, hashOf(r.State))
		return err
	})
	switch {
	case fault.KindOf(err) == fault.NotFound,
		err == nil && (!same(row.BrowserHash, hashOf(r.Browser)) || s.Clock.Now().Sub(store.Time(row.At)) >= signinLife):
		return "", fault.New(fault.Gone, "psc-expired")
	case err != nil:
		return "", err
	case r.Error != "":
		return "", fault.New(fault.Unauthenticated, "psc-cancelled")
	case r.Code == "":
		return "", fault.New(fault.Unauthenticated, "psc-refused").Because(errors.New("identity: return without a code"))
	}
	return row.ReturnTo, nil
}

// refusedSignin writes the refusal down and gives it back.
func (s *Service) refusedSignin(ctx context.Context, why error) error {
	var f *fault.Error
	if !errors.As(why, &f) {
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
