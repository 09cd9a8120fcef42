package whip

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/clock"
	"visavis/internal/fault"
	"visavis/internal/limit"
	"visavis/internal/seal"
	"visavis/internal/store"
	"visavis/signaling"
)

// Direction is the way a device's media goes.
type Direction string

// The directions: a device sends by WHIP or receives by WHEP, never both.
const (
	Send    Direction = "send"
	Receive Direction = "receive"
)

// The limits of devices.
const (
	MaxDevices = 2              // of an act
	Life       = 12 * time.Hour // of a token, in which a connection may begin
	maxLabel   = 60             // characters
)

// Device is a thing with a way into an act.
type Device struct {
	ID        string
	Encounter care.EncounterID
	Patient   care.PatientID
	Label     string
	Direction Direction
	Owner     string // the StaffID of who asked for it
	Session   care.SessionID
	MadeAt    time.Time
	ExpiresAt time.Time
}

// Deps is what the package is made of.
type Deps struct {
	DB     *store.DB
	Audit  *audit.Log
	Keeper *seal.Keeper
	Table  *authz.Table
	Clock  clock.Clock
	Log    *slog.Logger
	Limits limit.Limiter
	Live   *signaling.Service
	// URL is the public address of the server, as https://host.
	URL string
}

// Service holds the use cases, and the connections of this process.
type Service struct {
	Deps

	mu        sync.Mutex
	resources map[string]*resource // by device
}

// New returns the service.
func New(d Deps) *Service { return &Service{Deps: d, resources: map[string]*resource{}} }

// allow checks that the actor of ctx may do that with the devices of an act.
func (s *Service) allow(ctx context.Context, act authz.Action, id care.EncounterID) error {
	rel, err := s.Live.Acts.Relation(ctx, authz.From(ctx), id)
	if err != nil {
		return err
	}
	return s.Table.Can(authz.From(ctx), act, rel)
}

// Make gives a device a way into an act, and its token, once. It fails as
// Invalid field by field, as Forbidden when the asker is not in the act now, as
// Conflict when there are MaxDevices, as Gone when the act is over.
func (s *Service) Make(ctx context.Context, id care.EncounterID, label string, way Direction) (d Device, token string, err error) {
	if err := s.allow(ctx, "device.make", id); err != nil {
		return d, "", err
	}
	label = strings.TrimSpace(label)
	if label == "" || strings.ContainsFunc(label, unicode.IsControl) {
		return d, "", fault.Fields(fault.Field{Name: "label", Code: "label-not-valid"})
	}
	var secret [32]byte
	rand.Read(secret[:]) // never fails since Go 1.24
	token = base64.RawURLEncoding.EncodeToString(secret[:])
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := lock(tx, id); err != nil {
			return err
		}
		list, err := ofAct(tx, id)
		if err != nil {
			return err
		}
		if len(list) >= MaxDevices {
			return fault.New(fault.Conflict, "devices-full")
		}
		seat, err := s.Live.SeatDevice(ctx, tx, id, label)
		if err != nil {
			return err
		}
		a, now := authz.From(ctx), s.Clock.Now()
		d = Device{seat.ID, id, seat.PatientID, label, way, a.ID(), a.SessionID, now, now.Add(Life)}
		return s.keep(ctx, tx, d, token)
	})
	return d, token, err
}

func (s *Service) keep(ctx context.Context, tx *store.Tx, d Device, token string) error {
	sealed, err := s.Keeper.Seal(ctx, tx, d.Patient, labelPlace(d.ID), []byte(d.Label))
	if err != nil {
		return err
	}
	err = insert(tx, deviceRow{
		SeatID: d.ID, EncounterID: string(d.Encounter), Token: hash(token), Direction: string(d.Direction), Label: sealed,
		Owner: d.Owner, SessionID: string(d.Session), MadeAt: store.Micros(d.MadeAt), ExpiresAt: store.Micros(d.ExpiresAt),
	})
	if err != nil {
		return err
	}
	return s.trace(ctx, tx, "device.make", d, map[string]string{"label": d.Label, "direction": string(d.Direction)})
}

func (s *Service) trace(ctx context.Context, tx *store.Tx, act authz.Action, d Device, detail map[string]string) error {
	return s.Audit.Append(ctx, tx, audit.Entry{Action: act, Object: "device/" + d.ID, Patient: d.Patient, Detail: detail})
}

func hash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

func labelPlace(id string) seal.Place {
	return seal.Place{Table: "seat_devices", Column: "label", Row: id}
}

func (s *Service) device(ctx context.Context, tx *store.Tx, r seated) (Device, error) {
	label, err := s.Keeper.Open(ctx, tx, care.PatientID(r.PatientID), labelPlace(r.Row.SeatID), r.Row.Label)
	return Device{
		r.Row.SeatID, care.EncounterID(r.Row.EncounterID), care.PatientID(r.PatientID), string(label), Direction(r.Row.Direction), r.Row.Owner,
		care.SessionID(r.Row.SessionID), store.Time(r.Row.MadeAt), store.Time(r.Row.ExpiresAt),
	}, err
}

// List gives the devices of an act that were not taken out, oldest first.
func (s *Service) List(ctx context.Context, id care.EncounterID) ([]Device, error) {
	if err := s.allow(ctx, "device.list", id); err != nil {
		return nil, err
	}
	out := []Device{}
	err := s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		list, err := ofAct(tx, id)
		if err != nil {
			return err
		}
		for _, r := range list {
			d, err := s.device(ctx, tx, r)
			if err != nil {
				return err
			}
			out = append(out, d)
		}
		return nil
	})
	return out, err
}

// Revoke takes a device out of its act: its media is cut, its token opens
// nothing any more. Doing it twice is not an error.
func (s *Service) Revoke(ctx context.Context, id care.EncounterID, device string) error {
	if err := s.allow(ctx, "device.revoke", id); err != nil {
		return err
	}
	err := s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		r, err := one(tx, "seat_id", device)
		if err != nil {
			return err
		}
		if r.Row.EncounterID != string(id) {
			return fault.Missing()
		}
		if r.gone() {
			return nil
		}
		return s.trace(ctx, tx, "device.revoke", Device{ID: device, Patient: care.PatientID(r.PatientID)}, nil)
	})
	if err != nil {
		return err
	}
	return s.Live.Unseat(ctx, device)
}

// Label is what the others in an act see of a device.
func (s *Service) Label(ctx context.Context, id string) (label string, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		r, err := one(tx, "seat_id", id)
		if err != nil {
			return err
		}
		d, err := s.device(ctx, tx, r)
		label = d.Label
		return err
	})
	return label, err
}

// Device implements signaling.Devices.
func (s *Service) Device(ctx context.Context, id string) (d signaling.Device, err error) {
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		r, err := one(tx, "seat_id", id)
		d = signaling.Device{Seat: id, Encounter: care.EncounterID(r.Row.EncounterID), Owner: r.Row.Owner, Session: care.SessionID(r.Row.SessionID)}
		return err
	})
	return d, err
}

// authenticate finds whose token that is. A token of nothing, of a device that
// was taken out, whose time is over or whose owner signed out is refused as
// Unauthenticated; one of an act that is over as Gone.
func (s *Service) authenticate(ctx context.Context, token string) (d Device, err error) {
	no := fault.New(fault.Unauthenticated, "device-token")
	var r seated
	err = s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		if r, err = one(tx, "token", hash(token)); err != nil {
			return err
		}
		d, err = s.device(ctx, tx, r)
		return err
	})
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return d, no
	case err != nil:
		return d, err
	case r.State == string(signaling.Ended):
		return d, fault.New(fault.Gone, "encounter-over")
	case r.gone(), !s.Clock.Now().Before(d.ExpiresAt):
		return d, no
	}
	ended, err := s.Live.People.Ended(ctx, []care.SessionID{d.Session})
	if err == nil && len(ended) > 0 {
		err = no
	}
	return d, err
}
