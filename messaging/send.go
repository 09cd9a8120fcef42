package messaging

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/store"
	"visavis/messaging/mssante"
	"visavis/messaging/post"
	"visavis/messaging/xdm"
)

// errTaken stops an attempt that lost its claim to another one.
var errTaken = errors.New("messaging: another attempt has this delivery")

// outOfUse ends a delivery before anything leaves.
type outOfUse struct {
	state  State
	reason string
}

// Error implements error.
func (e *outOfUse) Error() string { return "messaging: " + string(e.state) + " " + e.reason }

func (s *Service) deliverJob(ctx context.Context, payload json.RawMessage) error {
	var j job
	if err := json.Unmarshal(payload, &j); err != nil {
		return fmt.Errorf("messaging: job: %w", err)
	}
	return s.Deliver(authz.With(ctx, authz.SystemActor()), j.ID)
}

// Deliver makes one attempt at a delivery that is due. It may be called twice
// for the same delivery, at the same time too: one of the two does nothing. Its
// error is about our own database; what the outside answers is in the delivery.
func (s *Service) Deliver(ctx context.Context, id care.DeliveryID) error {
	d, doubt, err := s.claim(ctx, id)
	if err != nil || d == nil {
		return err
	}
	if doubt {
		return s.settleDoubt(ctx, d)
	}
	ready, c, err := s.prepare(ctx, d)
	var stop *outOfUse
	switch {
	case errors.As(err, &stop):
		return s.finish(ctx, d, func(d *Delivery, now time.Time) error { return s.stop(d, stop.state, stop.reason, now) })
	case errors.Is(err, errTaken):
		return nil
	case err != nil:
		return err
	}
	s.at("prepared")
	r, err := s.hand(ctx, ready, c)
	if err != nil {
		return err
	}
	s.at("handed")
	if r.Err != nil && errors.Is(r.Err, errTaken) {
		return nil
	}
	if r.Outcome != post.Accepted {
		// The cause itself may quote the address: only codes are logged.
		s.Log.Warn("a message was not taken", "delivery", ready.ID, "channel", ready.Channel, "about", ready.About,
			"outcome", r.Outcome, "code", r.Code, "status", r.Status, "attempt", ready.Attempts)
	}
	return s.finish(ctx, d, func(d *Delivery, now time.Time) error { return s.apply(d, r, now) })
}

// claim takes a due delivery for one attempt; nil when it is not to be
// attempted now. doubt is true when a former attempt may have sent it.
func (s *Service) claim(ctx context.Context, id care.DeliveryID) (d *Delivery, doubt bool, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		doubt = false
		now := s.Clock.Now()
		if d, err = lockDelivery(tx, id); err != nil {
			return err
		}
		open := d.State == Queued || d.State == WaitingIdentity || d.State == Sending
		if !open || now.Before(d.claimedUntil) || now.Add(soon).Before(d.NextAt) {
			d = nil
			return nil
		}
		doubt = d.inDoubt(now) && d.Channel != SMS
		d.claim, d.claimedUntil = care.NewID(now), now.Add(lease)
		return update(tx, d)
	})
	if fault.KindOf(err) == fault.NotFound {
		return nil, false, nil
	}
	return d, doubt, err
}

// begin starts an attempt: from here on people see that the message is being
// sent.
func (s *Service) begin(d *Delivery, now time.Time) error {
	d.Attempts++
	d.phase = phaseWriting
	if d.writtenAt.IsZero() {
		d.writtenAt, d.messageID = now.Truncate(time.Second), s.newMessageID(d)
	}
	if d.State == WaitingIdentity {
		if err := d.to(Queued, "", now); err != nil {
			return err
		}
	}
	return d.to(Sending, "", now)
}

// prepare makes what the message carries, once: the same link and the same
// words serve every attempt. An *outOfUse error says that there is nothing to
// send, or not yet, and leaves no trace.
func (s *Service) prepare(ctx context.Context, d *Delivery) (fresh *Delivery, c content, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if fresh, err = lockDelivery(tx, d.ID); err != nil {
			return err
		}
		if fresh.claim != d.claim {
			return errTaken
		}
		// A later fact may have come while an attempt was under way.
		if late, err := overtaken(tx, fresh); err != nil {
			return err
		} else if late {
			return &outOfUse{Refused, reasonOvertaken}
		}
		if fresh.stale(s.Clock.Now()) {
			return &outOfUse{Refused, reasonExpired}
		}
		if err := s.wanted(ctx, fresh); err != nil {
			return err
		}
		if err := s.drop(ctx, tx, fresh); err != nil {
			return err
		}
		if len(fresh.sealed) > 0 {
			err = s.openJSON(ctx, tx, fresh, "sealed_content", fresh.sealed, &c)
		} else {
			c, err = s.first(ctx, tx, fresh)
		}
		if err != nil {
			return err
		}
		if err := s.begin(fresh, s.Clock.Now()); err != nil {
			return err
		}
		if err := s.save(ctx, tx, fresh); err != nil {
			return err
		}
		return loadDocuments(tx, fresh)
	})
	return fresh, c, err
}

// first makes and seals the content of a first attempt.
func (s *Service) first(ctx context.Context, tx *store.Tx, d *Delivery) (content, error) {
	to, err := s.recipient(ctx, d)
	if err != nil {
		return content{}, err
	}
	c, err := s.fill(ctx, d, to)
	if err != nil {
		return content{}, err
	}
	if d.About == Documents {
		who := addressed{Label: to.Name, Hint: hideAddress(c.Address)}
		if d.Recipient == ToDoctor {
			who.Label = to.Doctor.Full()
		}
		if err := s.sealTo(ctx, tx, d, who); err != nil {
			return content{}, err
		}
	}
	return c, s.sealContent(ctx, tx, d, c)
}

// fill makes the content of a delivery. A link is minted here, in the
// transaction that seals it.
func (s *Service) fill(ctx context.Context, d *Delivery, to Addressee) (content, error) {
	switch d.Channel {
	case MSSante:
		address, err := s.secureAddress(d, to)
		return content{Address: address}, err
	case Email:
		if to.Email == "" {
			return content{}, &outOfUse{Refused, reasonNoAddress}
		}
		if s.Mail.SMTP.Address == "" {
			return content{}, &outOfUse{Refused, reasonNoOutlet}
		}
	case SMS:
		if to.Phone == "" {
			return content{}, &outOfUse{Refused, reasonNoAddress}
		}
		if s.SMS.URL == "" {
			return content{}, &outOfUse{Refused, reasonNoOutlet}
		}
	}
	f, err := s.filling(ctx, d, to)
	if err != nil {
		return content{}, err
	}
	n, err := s.write(d, f)
	if err != nil {
		return content{}, err
	}
	if d.Channel == SMS {
		return content{to.Phone, n}, nil
	}
	return content{to.Email, n}, nil
}

// secureAddress gives the mailbox documents go to, or says why they cannot
// leave: only a qualified identity does.
func (s *Service) secureAddress(d *Delivery, to Addressee) (string, error) {
	if s.MSSante.SMTP.Address == "" {
		return "", s.onPaper(d, reasonNoOutlet)
	}
	address, err := mssante.PatientAddress(string(to.Status), to.Matricule, s.MSSante.PatientDomain)
	switch {
	case errors.Is(err, mssante.ErrNotQualified):
		if s.Clock.Now().Sub(d.At) >= identityFor {
			return "", s.onPaper(d, reasonIdentity)
		}
		return "", &outOfUse{WaitingIdentity, reasonIdentity}
	case err != nil:
		return "", s.onPaper(d, reasonNoAddress)
	}
	if d.Recipient == ToPatient {
		return address, nil
	}
	if to.Doctor == nil || !mssante.ValidAddress(to.Doctor.MSSante, s.MSSante.TestDomain) {
		return "", &outOfUse{Refused, reasonNoAddress}
	}
	return to.Doctor.MSSante, nil
}

// onPaper sends the patient's documents to the paper queue; the doctor's copy
// is refused instead, for the patient has it.
func (s *Service) onPaper(d *Delivery, reason string) error {
	if d.Recipient == ToPatient {
		return &outOfUse{ToPost, reason}
	}
	return &outOfUse{Refused, reason}
}

// hand gives the message to the outside, after writing durably that it may be
// on its way. err is about our own side.
func (s *Service) hand(ctx context.Context, d *Delivery, c content) (post.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	mark := func(ctx context.Context, witnessed bool) error { return s.mark(ctx, d, witnessed) }
	switch d.Channel {
	case SMS:
		if err := mark(ctx, false); err != nil {
			return post.Result{Outcome: post.Retry, Err: err}, nil
		}
		// The gateway judges the signature by the real time.
		return s.SMS.Send(ctx, time.Now(), string(d.ID), c.Address, c.Notice.Text), nil
	case Email:
		raw, err := s.eml(d, c.Address, c.Notice)
		if err != nil {
			return post.Result{Outcome: post.Refused, Status: "number", Err: err}, nil
		}
		return s.Mail.SMTP.Send(ctx, post.Envelope{From: s.Mail.From, To: c.Address, ID: string(d.ID)}, raw, mark), nil
	case MSSante:
		m, err := s.compose(ctx, d, c.Address)
		var field *xdm.FieldError
		switch {
		case errors.As(err, &field):
			s.Log.Error("a signed document cannot be put in a message", "delivery", d.ID, "field", field.Field, "reason", field.Reason)
			reason := reasonDocument
			if field.Field == "patientId" {
				reason = reasonSignedBefore
			}
			return post.Result{Outcome: post.Refused, Status: reason, Err: err}, nil
		case errors.Is(err, mssante.ErrTooLarge):
			return post.Result{Outcome: post.Refused, Status: "5.3.4", Err: err}, nil
		case err != nil:
			return post.Result{}, err
		}
		e := post.Envelope{From: s.MSSante.Box, To: c.Address, Witness: s.witness(), ID: string(d.ID)}
		return s.MSSante.SMTP.Send(ctx, e, m.Raw, mark), nil
	}
	return post.Result{Outcome: post.Refused}, nil
}

// witness is our own mailbox, when it can be read.
func (s *Service) witness() string {
	if s.MSSante.IMAP.Address == "" {
		return ""
	}
	return s.MSSante.Box
}

// errChanged stops an attempt whose documents changed while it was written: the
// next one writes what is left of them.
var errChanged = errors.New("messaging: a document was taken back while the letter was written")

// mark writes that the message may leave now. It fails when another attempt
// took the delivery over, and when a document was taken back meanwhile: from
// here on nothing can be held back.
func (s *Service) mark(ctx context.Context, d *Delivery, witnessed bool) error {
	err := s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		fresh, err := lockDelivery(tx, d.ID)
		if err != nil {
			return err
		}
		if fresh.claim != d.claim || fresh.State != Sending {
			return errTaken
		}
		void, err := s.void(ctx, d)
		if err != nil {
			return err
		}
		if len(void) > 0 {
			return errChanged
		}
		fresh.phase, fresh.dataAt, fresh.witnessed = phaseData, s.Clock.Now(), witnessed
		return update(tx, fresh)
	})
	if err == nil {
		s.at("marked")
	}
	return err
}

// finish changes a delivery after an attempt, unless another attempt has it.
func (s *Service) finish(ctx context.Context, d *Delivery, change func(*Delivery, time.Time) error) error {
	// The outside has answered: that must be written even when the job's time is up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	return s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		fresh, err := lockDelivery(tx, d.ID)
		if err != nil || fresh.claim != d.claim {
			return err
		}
		before := fresh.State
		if err := change(fresh, s.Clock.Now()); err != nil {
			return err
		}
		pending := fresh.State == Queued || fresh.State == Sending || fresh.State == WaitingIdentity
		if pending && !fresh.NextAt.Equal(whenAsked) {
			if err := s.enqueue(ctx, tx, fresh); err != nil {
				return err
			}
		}
		if before != Sent && fresh.State == Sent {
			if err := s.disclosed(ctx, tx, fresh); err != nil {
				return err
			}
		}
		return s.save(ctx, tx, fresh)
	})
}
