package identity

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"visavis/identity/contacts"
	"visavis/identity/prosante"
	"visavis/identity/traits"
	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/clock"
	"visavis/internal/events"
	"visavis/internal/lang"
	"visavis/internal/limit"
	"visavis/internal/seal"
	"visavis/internal/store"
)

//go:embed texts
var texts embed.FS

// Texts is the catalogue of what people read from this module.
func Texts() (*lang.Catalogue, error) {
	sub, err := fs.Sub(texts, "texts")
	if err != nil {
		return nil, err
	}
	return lang.New(sub, "fr", "en")
}

// Appointments is what identity asks about appointments.
type Appointments interface {
	// Appointment tells whose an appointment is and when; fault.Missing when
	// there is none.
	Appointment(ctx context.Context, id care.AppointmentID) (Appointment, error)
	// Current is the appointment a patient who lost their link means: the one
	// going on or the next, else the last. Empty when they never had one.
	Current(ctx context.Context, patient care.PatientID) (care.AppointmentID, error)
}

// Appointment is the answer about one appointment.
type Appointment struct {
	PatientID      care.PatientID
	PractitionerID care.StaffID
	OrganizationID care.OrganizationID
	Start, End     time.Time
	Cancelled      bool
}

// Act is the act of an appointment, as far as identity must know.
type Act struct {
	ID   care.EncounterID // empty until it is planned
	Over bool             // finished or cancelled
}

// Encounters is what identity asks about the acts of care.
type Encounters interface {
	// InTeam tells whether staff takes part in an act for the patient, now or
	// before.
	InTeam(ctx context.Context, staff care.StaffID, patient care.PatientID) (bool, error)
	// Live tells whether the person of a session is in a call: a session
	// never ends during a consultation (trust B5 7.3.1).
	Live(ctx context.Context, a authz.Actor) (bool, error)
	// Act is the act of an appointment; a zero one when it is not planned yet.
	Act(ctx context.Context, id care.AppointmentID) (Act, error)
}

// Secrecy tells whether the parents of a minor are told nothing of an appointment;
// consent answers.
type Secrecy interface {
	Confidential(ctx context.Context, id care.AppointmentID) (bool, error)
}

// Deps is what the service is made of.
type Deps struct {
	DB           *store.DB
	Bus          *events.Bus
	Audit        *audit.Log
	Keeper       *seal.Keeper
	Table        *authz.Table
	Clock        clock.Clock
	Limits       limit.Limiter
	Master       seal.Master
	Appointments Appointments
	Encounters   Encounters
	Secrecy      Secrecy
	Requests     *contacts.Service // counts what is sent to who is not signed in
	ProSante     *prosante.Party
	SignFor      time.Duration // after a sign-in, before a step-up is asked to sign; 0 asks in every session
}

// Service holds the use cases. It is safe for concurrent use.
type Service struct {
	Deps
	index seal.Index
	mac   []byte // keys the hashes of codes and what sign-ins derive
	paris *time.Location
}

// New returns the service.
func New(d Deps) (*Service, error) {
	if d.Requests == nil {
		return nil, errors.New("identity: nothing counts the messages on request")
	}
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	return &Service{Deps: d, index: seal.NewIndex(d.Master), mac: d.Master.Derive("identity"), paris: paris}, nil
}

// Subscribe registers the module's jobs.
func (s *Service) Subscribe(bus *events.Bus) {
	bus.Handle(recoverJob, s.recoverLinks)
	bus.Every("identity.index", time.Hour, func(ctx context.Context, _ json.RawMessage) error { return s.Reindex(ctx) })
	bus.Every("identity.sweep", time.Hour, func(ctx context.Context, _ json.RawMessage) error { return s.Sweep(ctx) })
}

// today is the day it is in France.
func (s *Service) today() traits.Date { return traits.DayOf(s.Clock.Now(), s.paris) }

// tx runs a use case in one transaction that writes.
func (s *Service) tx(ctx context.Context, fn func(ctx context.Context, tx *store.Tx) error) error {
	return s.DB.Tx(ctx, fn)
}

// token makes a secret of 256 bits and the hash that is kept of it.
func token() (secret string, hash []byte) {
	var b [32]byte
	rand.Read(b[:])
	secret = base64.RawURLEncoding.EncodeToString(b[:])
	return secret, hashOf(secret)
}

// tokenPlace is where the ID token of a session, or of a choice under way, is
// sealed.
func tokenPlace(table, row string) seal.Place {
	return seal.Place{Table: table, Column: "id_token", Row: row}
}

// hashOf is how a 256-bit secret is kept: SHA-256 is enough for a secret that
// cannot be guessed.
func hashOf(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

// derive gives a value that only this platform can make from the parts.
func (s *Service) derive(parts ...string) []byte {
	h := hmac.New(sha256.New, s.mac)
	h.Write([]byte(strings.Join(parts, "\x00")))
	return h.Sum(nil)
}

// same compares in a time that tells nothing.
func same(a, b []byte) bool { return hmac.Equal(a, b) }
