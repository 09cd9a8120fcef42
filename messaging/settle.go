package messaging

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/store"
	"visavis/messaging/mssante"
	"visavis/messaging/post"
	"visavis/messaging/sms"
)

// apply turns the answer of an attempt into the next state.
func (s *Service) apply(d *Delivery, r post.Result, now time.Time) error {
	d.claim, d.claimedUntil = "", time.Time{}
	switch r.Outcome {
	case post.Accepted:
		d.phase = phaseNone
		return d.to(Sent, "", now)
	case post.InDoubt:
		// phase stays "data": the next attempt looks for the witness first.
		d.NextAt = now.Add(s.look())
		return d.to(Sending, reasonInDoubt, now)
	case post.Refused:
		reason := refusal(r)
		if r.Status == reasonDocument || r.Status == reasonSignedBefore {
			reason = r.Status
		}
		return s.refuse(d, Refused, reason, now)
	default:
		d.phase = phaseNone
		if d.Attempts >= maxAttempts {
			return s.refuse(d, Refused, reasonUnreachable, now)
		}
		d.NextAt = now.Add(backoff(d.Attempts))
		return d.to(Queued, reasonRetry, now)
	}
}

// look is how long between two looks for the witness.
func (s *Service) look() time.Duration { return min(30*time.Second, s.DoubtFor/4) }

// stop ends or postpones a delivery before anything left.
func (s *Service) stop(d *Delivery, state State, reason string, now time.Time) error {
	d.claim, d.claimedUntil, d.phase = "", time.Time{}, phaseNone
	if state == WaitingIdentity {
		d.NextAt = now.Add(time.Minute)
	}
	return d.to(state, reason, now)
}

// refuse ends a delivery; the patient's documents go on to the paper queue.
func (s *Service) refuse(d *Delivery, state State, reason string, now time.Time) error {
	d.phase, d.claim, d.claimedUntil = phaseNone, "", time.Time{}
	if err := d.to(state, reason, now); err != nil {
		return err
	}
	if d.About == Documents && d.Recipient == ToPatient && reason != reasonNotIntegrated {
		return d.to(ToPost, reason, now)
	}
	return nil
}

// settleDoubt decides about a message that may have left: see the package's
// comment.
func (s *Service) settleDoubt(ctx context.Context, d *Delivery) error {
	if !d.witnessed {
		return s.finish(ctx, d, func(d *Delivery, now time.Time) error {
			d.claim, d.claimedUntil, d.NextAt = "", now, whenAsked
			return d.to(Sending, reasonInDoubt, now)
		})
	}
	has, err := s.MSSante.IMAP.Has(ctx, d.messageID)
	if err != nil {
		s.Log.Warn("the mailbox of the platform cannot be read", "error", err)
	}
	return s.finish(ctx, d, func(d *Delivery, now time.Time) error {
		d.claim, d.claimedUntil = "", now
		switch {
		case has:
			d.phase = phaseNone
			return d.to(Sent, "", now)
		case err != nil || now.Sub(d.dataAt) < s.DoubtFor:
			d.NextAt = now.Add(s.look())
			return d.to(Sending, reasonInDoubt, now)
		default:
			d.phase, d.NextAt = phaseNone, now
			return d.to(Queued, reasonRetry, now)
		}
	})
}

func (s *Service) sweepJob(ctx context.Context, _ json.RawMessage) error {
	return s.Sweep(authz.With(ctx, authz.SystemActor()))
}

// Sweep asks again for every delivery that is due and that nobody works on:
// what a process that died left behind, what waits for an identity.
func (s *Service) Sweep(ctx context.Context) error {
	return s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		ids, err := due(tx, s.Clock.Now())
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := s.Bus.Enqueue(ctx, tx, deliverJob, job{id}, time.Time{}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) collectJob(ctx context.Context, _ json.RawMessage) error {
	err := s.Collect(authz.With(ctx, authz.SystemActor()))
	if err != nil {
		s.Log.Warn("the mailbox of the platform cannot be read", "error", err)
	}
	return nil
}

// Collect reads our mailbox of the secure space: reports and receipts change
// the deliveries they are about, witness copies are noted; both are then
// removed. Letters from people stay.
func (s *Service) Collect(ctx context.Context) error {
	if s.witness() == "" {
		return nil
	}
	return s.MSSante.IMAP.Visit(ctx, func(ctx context.Context, in mssante.Incoming, _ []byte) (bool, error) {
		if in.Kind == mssante.Letters {
			if !strings.EqualFold(in.From, s.MSSante.Box) {
				return false, nil
			}
			return s.about(ctx, in.MessageID, "", func(d *Delivery, now time.Time) error {
				if d.State == Sending && d.phase == phaseData || d.State == Queued && d.Attempts > 0 {
					return d.left(now)
				}
				return nil
			})
		}
		return s.about(ctx, in.About, in.EnvelopeID, func(d *Delivery, now time.Time) error { return s.hear(d, in, now) })
	})
}

// left notes, on evidence from outside, that a message left.
func (d *Delivery) left(now time.Time) error {
	d.phase, d.claim, d.claimedUntil = phaseNone, "", time.Time{}
	return d.to(Sent, "", now)
}

// hear applies a report. One that no longer fits the state is dropped: reports
// may be late, doubled, or about a letter that was posted meanwhile.
func (s *Service) hear(d *Delivery, in mssante.Incoming, now time.Time) error {
	state, reason, ok := verdict(in)
	if !ok {
		if d.State == Sent { // still not known to have arrived; the history tells why
			return d.to(Sent, reasonUnknownReport, now)
		}
		return nil
	}
	if d.State == Sending || d.State == Queued && d.Attempts > 0 && (state == Accepted || state == Sent) {
		// The report overtook our own note of the sending, or the answer to the
		// sending was lost: it has left all the same.
		if err := d.left(now); err != nil {
			return err
		}
	}
	if d.State != Sent && d.State != Accepted || !legal(d.State, state) {
		return nil
	}
	if state == Bounced && d.Channel == SMS {
		reason = reasonPhone
	}
	if d.State == Accepted && state == Accepted && rank(reason) <= rank(d.Reason) {
		return nil
	}
	if state == Bounced || state == Refused {
		return s.refuse(d, state, reason, now)
	}
	return d.to(state, reason, now)
}

// about changes the delivery a message of our mailbox is about; false when it
// is about none, and the message is left for people.
func (s *Service) about(ctx context.Context, messageID, envelopeID string, change func(*Delivery, time.Time) error) (bool, error) {
	err := s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		d, err := lockMessage(tx, messageID, envelopeID)
		if err != nil {
			return err
		}
		before := d.State
		if err := change(d, s.Clock.Now()); err != nil {
			return err
		}
		if len(d.steps) == 0 {
			return nil
		}
		if before != Sent && before != Accepted && d.State != Sending {
			if err := s.disclosed(ctx, tx, d); err != nil {
				return err
			}
		}
		return s.save(ctx, tx, d)
	})
	if fault.KindOf(err) == fault.NotFound {
		return false, nil
	}
	return err == nil, err
}

// SMSReceipt takes a delivery receipt of the gateway. An unknown reference is
// answered like a known one: the gateway need not know what we keep.
func (s *Service) SMSReceipt(ctx context.Context, signature string, body []byte) error {
	// The gateway signs with the real time.
	r, err := sms.ReadReceipt(s.SMS.Secret, signature, time.Now(), body)
	if errors.Is(err, sms.ErrSignature) {
		return fault.New(fault.Unauthenticated, "signature-refused").Because(err)
	}
	if err != nil {
		return fault.New(fault.Malformed, "receipt-unreadable").Because(fmt.Errorf("messaging: %w", err))
	}
	if !care.ValidID(r.Reference) {
		return nil
	}
	_, err = s.about(authz.With(ctx, authz.SystemActor()), "", r.Reference, func(d *Delivery, now time.Time) error {
		if d.Channel != SMS {
			return nil
		}
		switch r.State {
		case sms.StateDelivered:
			return s.hear(d, mssante.Incoming{Event: mssante.Delivered}, now)
		case sms.StateFailed:
			return s.hear(d, mssante.Incoming{Event: mssante.Failed}, now)
		}
		return s.hear(d, mssante.Incoming{Event: mssante.Unknown}, now)
	})
	return err
}

// disclosed writes that documents left the house, and to whom (ECO.4.1).
func (s *Service) disclosed(ctx context.Context, tx *store.Tx, d *Delivery) error {
	if d.About != Documents {
		return nil
	}
	if err := loadDocuments(tx, d); err != nil {
		return err
	}
	for _, id := range d.Documents {
		e := audit.Entry{Action: "delivery.send", Object: "document/" + string(id), Patient: d.PatientID,
			Detail: map[string]string{"delivery": string(d.ID), "to": string(d.Recipient), "message": d.messageID}}
		if err := s.Audit.Append(ctx, tx, e); err != nil {
			return err
		}
	}
	return nil
}
