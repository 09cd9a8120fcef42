package consent

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/seal/timestamp"
	"visavis/internal/store"
)

// StampState is where the time stamp of a record stands.
type StampState string

// The states. A record is in force whatever the state of its stamp.
const (
	StampOff      StampState = "off"      // no authority is configured
	StampPending  StampState = "pending"  // to be asked for
	StampRetrying StampState = "retrying" // asked for in vain so far, asked again at NextAt
	Stamped       StampState = "stamped"
)

// Stamp is the time stamp of a record, as people see it.
type Stamp struct {
	State     StampState
	Attempts  int       // that failed
	NextAt    time.Time // of the next attempt
	Reason    string    // of the last failure, a timestamp.Reason
	At        time.Time // the authority's time
	Authority string    // its name
}

// Stamper dates an imprint: timestamp.Client does. It is called outside any
// transaction.
type Stamper interface {
	Stamp(ctx context.Context, imprint [sha256.Size]byte) (token []byte, info timestamp.Info, err error)
}

const (
	stampJob   = "consent.stamp"
	stampSweep = "consent.stamps"

	// firstRetry, three times longer each time, up to lastRetry; for ever: the
	// authority may be away for a week, the record needs its stamp all the same.
	firstRetry = 5 * time.Second
	lastRetry  = time.Hour
	// early is how much before its time a job may run.
	early = time.Second
	// forgotten is how late an attempt is when its job must be lost.
	forgotten = time.Minute
	// sweepSize bounds what one sweep asks for.
	sweepSize = 200
)

type stampTask struct {
	ID care.ConsentID `json:"id"`
}

// imprint is what is stamped: the signature, which holds the bundle (as RFC
// 7515 §7.1 writes it, without the payload).
func imprint(jws string) [sha256.Size]byte { return sha256.Sum256([]byte(jws)) }

// stampObject names a token in the audit log, so that the log holds its hash.
func stampObject(token []byte) string {
	sum := sha256.Sum256(token)
	return "stamp/" + hex.EncodeToString(sum[:])
}

// Subscribe registers the jobs of the module.
func (s *Service) Subscribe(bus *events.Bus) {
	bus.Handle(stampJob, func(ctx context.Context, payload json.RawMessage) error {
		var t stampTask
		if err := json.Unmarshal(payload, &t); err != nil {
			return fmt.Errorf("consent: stamp job: %w", err)
		}
		return s.Stamp(authz.With(ctx, authz.SystemActor()), t.ID)
	})
	bus.Every(stampSweep, time.Minute, func(ctx context.Context, _ json.RawMessage) error { return s.Sweep(ctx) })
}

// askStamp notes, in the transaction of a record, that its stamp is wanted.
func (s *Service) askStamp(ctx context.Context, tx *store.Tx, id care.ConsentID, now time.Time) error {
	if err := insertStamp(tx, id, now); err != nil || s.Stamps == nil {
		return err
	}
	return s.Bus.Enqueue(ctx, tx, stampJob, stampTask{id}, time.Time{})
}

// Stamp makes one attempt at the time stamp of a record, when one is due. It
// may be called twice, at the same time too: the first token received stays.
// Its error is about our own database; what the authority answers is in the
// state of the stamp.
func (s *Service) Stamp(ctx context.Context, id care.ConsentID) error {
	if s.Stamps == nil {
		return nil
	}
	var jws string
	err := s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		r, err := stampRowOf(tx, id, false)
		if err != nil || !s.due(r) {
			return err
		}
		c, err := byID(tx, id)
		jws = c.JWS
		return err
	})
	if err != nil || jws == "" {
		return err
	}
	token, info, failure := s.Stamps.Stamp(ctx, imprint(jws))
	if failure != nil && s.Log != nil {
		s.Log.Warn("a consent is not time-stamped yet", "consent", id, "reason", timestamp.ReasonOf(failure), "error", failure)
	}
	return s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		r, err := stampRowOf(tx, id, true)
		if err != nil || r.State == string(Stamped) {
			return err
		}
		if failure != nil {
			return s.postpone(ctx, tx, r, timestamp.ReasonOf(failure))
		}
		r.State, r.Token, r.At, r.Authority, r.Reason = string(Stamped), token, store.Micros(info.At), info.Authority, ""
		if err := updateStamp(tx, r); err != nil {
			return err
		}
		c, err := byID(tx, id)
		if err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: stampJob, Object: stampObject(token), Patient: care.PatientID(c.PatientID)})
	})
}

func (s *Service) due(r stampRow) bool {
	return r.State != string(Stamped) && !store.Time(r.NextAt).After(s.Clock.Now().Add(early))
}

// postpone notes a failed attempt and asks for the next one.
func (s *Service) postpone(ctx context.Context, tx *store.Tx, r stampRow, why timestamp.Reason) error {
	if !s.due(r) {
		return nil // another attempt failed meanwhile, and asked
	}
	wait := firstRetry
	for range r.Attempts {
		wait = min(3*wait, lastRetry)
	}
	next := s.Clock.Now().Add(wait)
	r.State, r.Reason, r.NextAt = string(StampRetrying), string(why), store.Micros(next)
	r.Attempts++
	if err := updateStamp(tx, r); err != nil {
		return err
	}
	return s.Bus.Enqueue(ctx, tx, stampJob, stampTask{care.ConsentID(r.ConsentID)}, next)
}

// Sweep asks again for the stamps whose job was lost, and for those of records
// made before there was an authority.
func (s *Service) Sweep(ctx context.Context) error {
	if s.Stamps == nil {
		return nil
	}
	return s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		now := s.Clock.Now()
		rows, err := overdueStamps(tx, now.Add(-forgotten), sweepSize)
		if err != nil {
			return err
		}
		for _, r := range rows {
			r.NextAt = store.Micros(now)
			if err := updateStamp(tx, r); err != nil {
				return err
			}
			if err := s.Bus.Enqueue(ctx, tx, stampJob, stampTask{care.ConsentID(r.ConsentID)}, time.Time{}); err != nil {
				return err
			}
		}
		return nil
	})
}

// StampOf tells where the stamp of a record stands. It asks no permission: the
// caller was allowed to see the record.
func (s *Service) StampOf(ctx context.Context, id care.ConsentID) (out Stamp, err error) {
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		r, err := stampRowOf(tx, id, false)
		out = s.seen(r)
		return err
	})
	return out, err
}

// seen is the stamp of a row: off rather than waiting for nobody.
func (s *Service) seen(r stampRow) Stamp {
	if out := r.stamp(); out.State == Stamped || s.Stamps != nil {
		return out
	}
	return Stamp{State: StampOff}
}

// StampTally is what VerifyStamps found.
type StampTally struct {
	Checked   int   // verified against the roots
	Unchecked int   // received, and no root to verify them with
	Waiting   int64 // not received
}

// VerifyStamps checks every time stamp against roots; without roots it only
// counts them.
func (s *Service) VerifyStamps(ctx context.Context, roots *x509.CertPool) (n StampTally, err error) {
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		n = StampTally{}
		if gone, err := unasked(tx); err != nil || gone > 0 {
			return errors.Join(err, fmt.Errorf("%w: the stamps of %d consents were removed", ErrNotGenuine, gone))
		}
		n.Waiting, err = eachStamp(tx, func(r stampRow, jws string) error {
			if roots == nil {
				n.Unchecked++
				return nil
			}
			info, err := timestamp.Verify(r.Token, imprint(jws), roots)
			if err == nil && (store.Micros(info.At) != r.At || info.Authority != r.Authority) {
				err = errors.New("the row says something else than the token")
			}
			if err != nil {
				return fmt.Errorf("%w: stamp of consent %s: %w", ErrNotGenuine, r.ConsentID, err)
			}
			n.Checked++
			return nil
		})
		return err
	})
	return n, err
}
