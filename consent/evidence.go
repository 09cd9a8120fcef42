package consent

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/seal/timestamp"
	"visavis/internal/store"
)

const evidenceSchema = "visavis.consent-proof/1"

// Key is the platform's public key as published: a JSON Web Key (RFC 8037)
// with the name under which heads of the audit log are signed.
type Key struct {
	Type  string `json:"kty" enum:"OKP"`
	Curve string `json:"crv" enum:"Ed25519"`
	ID    string `json:"kid"`
	X     string `json:"x" doc:"the public key, base64url"`
	Log   string `json:"log" doc:"name of the audit log"`
}

// Evidence is a record with everything that proves it, as one canonical JSON
// document (RFC 8785): VerifyEvidence checks it away from the platform.
type Evidence struct {
	Schema string          `json:"schema"`
	Bundle json.RawMessage `json:"bundle"`
	JWS    string          `json:"jws"` // detached
	Key    Key             `json:"key"`
	Text   string          `json:"text"` // the HTML that was read
	// Token is the RFC 3161 token over the SHA-256 of JWS, DER in base64;
	// empty until the authority has answered.
	Token string `json:"token"`
	// Audit holds the entry of the decision and, with a token, that of the stamp.
	Audit audit.Evidence `json:"audit"`
}

// PublicKey is what everybody may have, to check what the platform signed.
func (s *Service) PublicKey() Key {
	public := s.Signer.Private().Public().(ed25519.PublicKey)
	return Key{"OKP", "Ed25519", s.Signer.KeyID(), b64.EncodeToString(public), s.Ledger.Name()}
}

// action is the audit action of a record.
func (r Record) action() authz.Action {
	switch {
	case r.State == care.ConsentWithdrawn:
		return "consent.withdraw"
	case r.Channel == Emergency:
		return "consent.emergency"
	case r.Channel == Oral:
		return "consent.attest"
	}
	return "consent.grant"
}

// opened is a record with what its receipt and its evidence need.
type opened struct {
	Record
	raw    []byte
	bundle Bundle
	jws    string
	stamp  stampRow
	text   Text
	last   Record // of the act
}

// open loads a record for who may see it, and notes that they did.
func (s *Service) open(ctx context.Context, id care.ConsentID, action authz.Action) (o opened, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		r, err := byID(tx, id)
		if err != nil {
			return err
		}
		o = opened{Record: r.record(), jws: r.JWS}
		act, err := s.act(ctx, o.AppointmentID, action)
		if err == nil {
			err = s.mayProve(ctx, o.AppointmentID, act)
		}
		if err != nil {
			return err
		}
		if o.raw, err = s.Keeper.Open(ctx, tx, o.PatientID, place(id), r.Bundle); err != nil {
			return err
		}
		if ok, err := s.proven(ctx, tx, r); err != nil || !ok {
			return errors.Join(err, errDamaged())
		}
		if err := json.Unmarshal(o.raw, &o.bundle); err != nil {
			return fmt.Errorf("consent: %w", err)
		}
		if o.stamp, err = stampRowOf(tx, id, false); err != nil {
			return err
		}
		if o.last, err = latest(tx, o.AppointmentID); err != nil {
			return err
		}
		o.text, _ = s.library.ByID(o.TextID)
		return s.Audit.Append(ctx, tx, audit.Entry{Action: action, Object: "consent/" + string(id), Patient: o.PatientID})
	})
	return o, err
}

// Prove gives the evidence of a record to who may see it, as a canonical JSON
// document. It is audited.
func (s *Service) Prove(ctx context.Context, id care.ConsentID) ([]byte, time.Time, error) {
	o, err := s.open(ctx, id, "consent.prove")
	if err != nil {
		return nil, time.Time{}, err
	}
	wanted := []audit.Wanted{{Action: o.action(), Object: "consent/" + string(id)}}
	e := Evidence{Schema: evidenceSchema, Bundle: o.raw, JWS: o.jws, Key: s.PublicKey(), Text: o.text.HTML}
	if o.stamp.State == string(Stamped) {
		e.Token = base64.StdEncoding.EncodeToString(o.stamp.Token)
		wanted = append(wanted, audit.Wanted{Action: stampJob, Object: stampObject(o.stamp.Token)})
	}
	if e.Audit, err = s.Ledger.Prove(ctx, wanted...); err != nil {
		return nil, time.Time{}, err
	}
	raw, err := canonical(e)
	return raw, o.At, err
}

// Verified is what evidence shows.
type Verified struct {
	Bundle Bundle
	Logged time.Time       // when the head that covers the record was signed
	Stamp  *timestamp.Info // nil without a token
}

// VerifyEvidence checks a document of Prove with public keys only: the key of
// the platform as its reader got it (not the one in the document, which must
// be the same), and the roots of the time-stamping authority, needed when there
// is a token. Every byte of the document is covered: another one is refused.
// The name of the log is a label, which must be that of the signed head.
// Its errors wrap ErrNotGenuine.
func VerifyEvidence(document []byte, key Key, roots *x509.CertPool) (Verified, error) {
	var v Verified
	no := func(what string, err error) (Verified, error) {
		if err != nil {
			return v, fmt.Errorf("%w: %s: %w", ErrNotGenuine, what, err)
		}
		return v, fmt.Errorf("%w: %s", ErrNotGenuine, what)
	}
	var e Evidence
	dec := json.NewDecoder(bytes.NewReader(document))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&e); err != nil || e.Schema != evidenceSchema {
		return no("not a proof of consent", err)
	}
	if again, err := canonical(e); err != nil || !bytes.Equal(again, document) {
		return no("the file is not in its one form", err)
	}
	public, err := b64.DecodeString(key.X)
	if err != nil || len(public) != ed25519.PublicKeySize || key.Type != "OKP" || key.Curve != "Ed25519" {
		return no("the key given to check with is no Ed25519 key", err)
	}
	// The log may have had another name, the clinic another address: the key counts.
	if key.Log = e.Key.Log; e.Key != key {
		return no("it names another key than the one given", nil)
	}
	if v.Bundle, err = Verify(e.Bundle, e.JWS, public); err != nil {
		return v, err
	}
	if v.Bundle.Emergency == nil && hash([]byte(e.Text)) != v.Bundle.Text.SHA256 || v.Bundle.Emergency != nil && e.Text != "" {
		return no("the text is not the one that was read", nil)
	}
	lines, logged, err := e.Audit.Check(key.Log, public)
	if err != nil {
		return no("audit", err)
	}
	v.Logged = logged
	return v, v.check(e, lines, roots)
}

// check compares the log and the stamp with what was signed.
func (v *Verified) check(e Evidence, lines []audit.Line, roots *x509.CertPool) error {
	b := v.Bundle
	entries := 1
	if e.Token != "" {
		entries = 2
	}
	if len(lines) != entries {
		return fmt.Errorf("%w: %d entries of the log, want %d", ErrNotGenuine, len(lines), entries)
	}
	r := Record{State: b.Decision, Channel: b.Channel}
	if l := lines[0]; l.Object != "consent/"+string(b.ID) || l.Action != r.action() || l.Patient != b.Patient.ID || l.Outcome != audit.Done || l.Actor != b.Actor.ID {
		return fmt.Errorf("%w: the log tells of something else", ErrNotGenuine)
	}
	if e.Token == "" {
		return nil
	}
	token, err := base64.StdEncoding.Strict().DecodeString(e.Token)
	if err != nil {
		return fmt.Errorf("%w: token: %w", ErrNotGenuine, err)
	}
	if l := lines[1]; l.Object != stampObject(token) || l.Action != stampJob || l.Patient != b.Patient.ID {
		return fmt.Errorf("%w: the log tells of another stamp", ErrNotGenuine)
	}
	info, err := timestamp.Verify(token, imprint(e.JWS), roots)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotGenuine, err)
	}
	decided, err := time.Parse(time.RFC3339, b.At)
	if err != nil || info.At.Before(decided.Add(-clockSkew)) {
		return fmt.Errorf("%w: stamped before it was decided", ErrNotGenuine)
	}
	v.Stamp = &info
	return nil
}

// clockSkew is how far our clock may be from the authority's.
const clockSkew = 5 * time.Minute
