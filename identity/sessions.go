package identity

import (
	"context"
	"fmt"
	"slices"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/seal"
	"visavis/internal/store"
)

// How long a session lives unused, and in all (trust B5 7.3.1).
const (
	patientIdle = 15 * time.Minute
	patientMax  = 4 * time.Hour
	staffIdle   = 30 * time.Minute
	staffMax    = 12 * time.Hour

	// noteEvery bounds how often being used is written down; it comes off the
	// idle time, never on top of it.
	noteEvery = time.Minute

	// socketTrust is how long after its last open socket a session may pass for
	// one in a call: longer than the database can be away from a call that goes
	// on, and short enough that a stay which a crash left open keeps nothing.
	socketTrust = time.Hour
)

// kept is what a session keeps beside who it is of.
type kept struct {
	representative string // of a minor, whom codes go to
	link           string // which link opened it
	idToken        string // of a professional, to sign out of Pro Santé Connect
}

// begin opens a session for an actor and gives its secret. The session the
// caller came with, if any, ends: nobody can choose the session of another.
func (s *Service) begin(ctx context.Context, tx *store.Tx, a authz.Actor, more kept) (string, authz.Actor, error) {
	now := s.Clock.Now()
	if former := authz.From(ctx).SessionID; former != "" {
		if err := endSession(tx, former, store.Micros(now)); err != nil {
			return "", a, err
		}
	}
	secret, hash := token()
	a.SessionID = care.SessionID(care.NewID(now))
	a.Request = authz.From(ctx).Request
	sealed := []byte{}
	if more.idToken != "" {
		var err error
		if sealed, err = s.Keeper.Seal(ctx, tx, seal.House, tokenPlace("sessions", string(a.SessionID)), []byte(more.idToken)); err != nil {
			return "", a, err
		}
	}
	err := insertSession(tx, sessionRow{ID: string(a.SessionID), Hash: hash, Level: int(a.Level), PatientID: string(a.PatientID),
		AppointmentID: string(a.AppointmentID), StaffID: string(a.StaffID), Proof: a.Proof, At: store.Micros(now), SeenAt: store.Micros(now),
		Representative: more.representative, IDToken: sealed, CompanionID: string(a.CompanionID), LinkID: more.link})
	return secret, a, err
}

// Authenticate gives the actor of a session's secret, or a zero Actor when it
// opens nothing: unknown, ended, too old, or of someone who left. A
// professional's role and organisation are read anew each time, so that a
// change takes effect at once. It implements httpx.Authenticator.
func (s *Service) Authenticate(ctx context.Context, secret string) (authz.Actor, error) {
	var row sessionRow
	var a authz.Actor
	err := s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) (err error) {
		if row, err = sessionByHash(tx, hashOf(secret)); err != nil {
			return err
		}
		if a, err = actorOf(tx, row); err == nil {
			a, err = s.proved(tx, row, a)
		}
		return err
	})
	if fault.KindOf(err) == fault.NotFound {
		return authz.Actor{}, nil
	}
	if err != nil || a.Role == "" {
		return authz.Actor{}, err
	}
	alive, err := s.alive(ctx, row, a)
	if err != nil || !alive {
		return authz.Actor{}, err
	}
	now := s.Clock.Now()
	if now.Sub(store.Time(row.SeenAt)) >= noteEvery {
		err = s.tx(ctx, func(_ context.Context, tx *store.Tx) error { return touchSession(tx, row.ID, store.Micros(now)) })
	}
	return a, err
}

// Lives tells whether a session still stands, for who holds a connection open
// in its name and must close it within two seconds of its end (trust S12). It
// does not count as using the session.
func (s *Service) Lives(ctx context.Context, id care.SessionID) (lives bool, err error) {
	var row sessionRow
	var a authz.Actor
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		if row, err = sessionByID(tx, id); err != nil {
			return err
		}
		a, err = actorOf(tx, row)
		return err
	})
	if fault.KindOf(err) == fault.NotFound {
		return false, nil
	}
	if err != nil || a.Role == "" {
		return false, err
	}
	return s.alive(ctx, row, a)
}

// Touch counts an open connection as a use of the sessions it stands for: who
// waits in a room, or talks, clicks nothing and is there. It does not move the
// absolute limit, and an ended session stays ended. Who holds connections open
// calls it more often than a session may idle.
func (s *Service) Touch(ctx context.Context, ids []care.SessionID) error {
	if len(ids) == 0 {
		return nil
	}
	return s.tx(ctx, func(_ context.Context, tx *store.Tx) error { return touchSockets(tx, ids, store.Micros(s.Clock.Now())) })
}

// Ended gives those of some sessions that hold a connection open without right:
// signed out, revoked with their link, of staff who left, older than the
// absolute limit and not in a call. One that idles is not among them: its
// connection is its use. It is for who holds the connections (trust S12).
func (s *Service) Ended(ctx context.Context, ids []care.SessionID) (ended []care.SessionID, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		rows, err := standingSessions(tx, ids)
		if err != nil {
			return err
		}
		standing := map[care.SessionID]bool{}
		for _, r := range rows {
			if standing[care.SessionID(r.ID)], err = s.inTime(ctx, tx, r); err != nil {
				return err
			}
		}
		ended = slices.DeleteFunc(slices.Clone(ids), func(id care.SessionID) bool { return standing[id] })
		return nil
	})
	return ended, err
}

// inTime tells whether a session that has a connection open is younger than the
// absolute limit or in a call.
func (s *Service) inTime(ctx context.Context, tx *store.Tx, r sessionRow) (bool, error) {
	if _, longest := limits(r); s.Clock.Now().Sub(store.Time(r.At)) < longest {
		return true, nil
	}
	a, err := actorOf(tx, r)
	if err != nil || a.Role == "" {
		return false, err
	}
	return s.inCall(ctx, a)
}

// actorOf builds the actor of a session; a zero one for staff who left.
func actorOf(tx *store.Tx, r sessionRow) (authz.Actor, error) {
	a := authz.Actor{Role: care.Patient, PatientID: care.PatientID(r.PatientID), AppointmentID: care.AppointmentID(r.AppointmentID),
		SessionID: care.SessionID(r.ID), Level: authz.Level(r.Level), Proof: r.Proof}
	if r.CompanionID != "" {
		a.Role, a.CompanionID = care.Companion, care.CompanionID(r.CompanionID)
	}
	if r.StaffID == "" {
		return a, nil
	}
	p, err := loadStaff(tx, care.StaffID(r.StaffID))
	if err != nil || !p.Active {
		return authz.Actor{}, err
	}
	a.Role, a.StaffID, a.OrganizationID, a.Capabilities = p.Role, p.ID, p.Organization.ID, p.Capabilities
	return a, nil
}

// Former gives whose session a secret was, though it stands no more: ended, too
// old, or of somebody who left. It lets nobody in: what was refused is written in
// their name. A zero Actor when the secret opened nothing in the last two days.
func (s *Service) Former(ctx context.Context, secret string) (a authz.Actor, err error) {
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		row, err := formerSession(tx, hashOf(secret))
		if err != nil {
			return err
		}
		if row.StaffID == "" {
			a, err = actorOf(tx, row)
			return err
		}
		p, err := loadStaff(tx, care.StaffID(row.StaffID))
		a = authz.Actor{Role: p.Role, StaffID: p.ID, OrganizationID: p.Organization.ID, SessionID: care.SessionID(row.ID), Proof: row.Proof}
		return err
	})
	if fault.KindOf(err) == fault.NotFound {
		return authz.Actor{}, nil
	}
	return a, err
}

// limits are how long a session may idle, and live in all.
func limits(r sessionRow) (idle, longest time.Duration) {
	if r.StaffID != "" {
		return staffIdle, staffMax
	}
	return patientIdle, patientMax
}

// alive tells whether a session is neither idle nor too old, or is in a call
// that a socket bears out.
func (s *Service) alive(ctx context.Context, r sessionRow, a authz.Actor) (bool, error) {
	idle, longest := limits(r)
	now := s.Clock.Now()
	switch {
	case now.Sub(store.Time(r.SeenAt)) < idle && now.Sub(store.Time(r.At)) < longest:
		return true, nil
	case now.Sub(store.Time(r.SocketAt)) >= socketTrust:
		return false, nil
	}
	return s.inCall(ctx, a)
}

func (s *Service) inCall(ctx context.Context, a authz.Actor) (bool, error) {
	live, err := s.Encounters.Live(ctx, a)
	if err != nil {
		return false, fmt.Errorf("identity: live call: %w", err)
	}
	return live, nil
}

// signOutWait bounds how long signing out waits for Pro Santé Connect to say
// where: ours is over by then.
const signOutWait = 2 * time.Second

// SignOut ends the caller's session; without one it does nothing. For a
// professional it gives the address where the browser ends their session at
// Pro Santé Connect too: a shared computer must not sign the next one in. It is
// empty when the provider names none or does not answer.
func (s *Service) SignOut(ctx context.Context) (next string, err error) {
	a := authz.From(ctx)
	if a.SessionID == "" {
		return "", nil
	}
	var idToken []byte
	err = s.tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		row, err := sessionByID(tx, a.SessionID)
		if err == nil && len(row.IDToken) > 0 {
			idToken, err = s.Keeper.Open(ctx, tx, seal.House, tokenPlace("sessions", row.ID), row.IDToken)
		}
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return err
		}
		if err := endSession(tx, a.SessionID, store.Micros(s.Clock.Now())); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "session.end", Object: "session/" + string(a.SessionID), Patient: a.PatientID})
	})
	if err != nil || len(idToken) == 0 {
		return "", err
	}
	asking, cancel := context.WithTimeout(ctx, signOutWait)
	defer cancel()
	next, err = s.ProSante.SignOutURL(asking, string(idToken))
	if fault.KindOf(err) == fault.Unavailable || fault.KindOf(err) == fault.Unauthenticated {
		return "", nil
	}
	return next, err
}

// Sweep forgets sign-ins, codes and sessions long past use. It runs hourly.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.Clock.Now()
	return s.tx(ctx, func(_ context.Context, tx *store.Tx) error {
		return sweepAccess(tx, store.Micros(now.Add(-signinLife)), store.Micros(now.Add(-24*time.Hour)), store.Micros(now.Add(-48*time.Hour)))
	})
}
