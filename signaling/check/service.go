package check

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/clock"
	"visavis/internal/fault"
	"visavis/internal/store"
)

// ICE is what a client gives to its PeerConnection.
type ICE struct {
	Servers   []Server
	ExpiresAt time.Time
}

// Server is one TURN server with its credential.
type Server struct {
	URLs       []string
	Username   string
	Credential string
}

// ErrOffer is a refusal of the media: the description cannot be used.
var ErrOffer = errors.New("check: offer refused")

// Media answers connections that carry nothing; signaling's media does. A room is
// a name that no act has.
type Media interface {
	Offer(ctx context.Context, room string, sdp string) (answer string, err error)
	Drop(room string)
	Grant(room string) ICE
}

// Acts tells what ties somebody to an act and whose it is; encounters answers.
type Acts interface {
	Relation(ctx context.Context, a authz.Actor, id care.EncounterID) (authz.Relation, error)
	PatientOf(ctx context.Context, id care.EncounterID) (care.PatientID, error)
}

// Deps is what the module is made of.
type Deps struct {
	DB    *store.DB
	Audit *audit.Log
	Table *authz.Table
	Clock clock.Clock
	Acts  Acts
	Media Media
}

// Service holds the use cases.
type Service struct{ Deps }

// New returns the service.
func New(d Deps) *Service { return &Service{d} }

// The bounds of a check.
const (
	lives    = 20 * time.Second // a connection of a check
	keepMost = 5                // results of one person for one act
	// Bytes is how much is sent each way to measure a rate: a second of a good
	// picture.
	Bytes = 256 << 10
)

func (s *Service) may(ctx context.Context, id care.EncounterID, act authz.Action) error {
	a := authz.From(ctx)
	rel, err := s.Acts.Relation(ctx, a, id)
	if err != nil {
		return err
	}
	return s.Table.Can(a, act, rel)
}

// room is the name of the room in which one way of one session is tried. No act
// has it: acts are named by UUIDs.
func room(a authz.Actor, way string) string {
	sum := sha256.Sum256([]byte(a.SessionID))
	return "check-" + hex.EncodeToString(sum[:12]) + "-" + way
}

// Begin gives what the browser needs to try the relay.
func (s *Service) Begin(ctx context.Context, id care.EncounterID) (ICE, error) {
	if err := s.may(ctx, id, "check.run"); err != nil {
		return ICE{}, err
	}
	return s.Media.Grant(room(authz.From(ctx), "relay")), nil
}

// Try answers the connection of one way: udp, tcp or tls. It is dropped after
// 20 s, whatever became of it.
func (s *Service) Try(ctx context.Context, id care.EncounterID, way, sdp string) (answer string, err error) {
	if err := s.may(ctx, id, "check.run"); err != nil {
		return "", err
	}
	name := room(authz.From(ctx), way)
	answer, err = s.Media.Offer(ctx, name, sdp)
	if errors.Is(err, ErrOffer) {
		return "", fault.Fields(fault.Field{Name: "sdp", Code: "not-a-choice"})
	}
	if err != nil {
		return "", fault.New(fault.Unavailable, "check-not-now").Because(err)
	}
	time.AfterFunc(lives, func() { s.Media.Drop(name) })
	return answer, nil
}

// Download gives bytes that no proxy can make smaller.
func (s *Service) Download(ctx context.Context, id care.EncounterID) ([]byte, error) {
	if err := s.may(ctx, id, "check.run"); err != nil {
		return nil, err
	}
	b := make([]byte, Bytes)
	rand.Read(b) // never fails since Go 1.24
	return b, nil
}

// Upload takes bytes and forgets them.
func (s *Service) Upload(ctx context.Context, id care.EncounterID) error {
	return s.may(ctx, id, "check.run")
}

// Keep keeps a result, in the name of who made the check.
func (s *Service) Keep(ctx context.Context, id care.EncounterID, r Result) (k Kept, err error) {
	if err := s.may(ctx, id, "check.run"); err != nil {
		return k, err
	}
	if err := r.check(); err != nil {
		return k, err
	}
	patient, err := s.Acts.PatientOf(ctx, id)
	if err != nil {
		return k, err
	}
	a, now := authz.From(ctx), s.Clock.Now()
	k = Kept{ID: care.NewID(now), PersonID: a.ID(), Role: a.Role, At: now, Result: r}
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := insert(tx, id, k, keepMost); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "check.run", Object: "encounter/" + string(id), Patient: patient})
	})
	return k, err
}

// Failed gives those of some acts of which the patient's last result says that no
// call would work. It is for the other modules, which have checked who asks.
func (s *Service) Failed(ctx context.Context, ids []care.EncounterID) (out map[care.EncounterID]bool, err error) {
	out = map[care.EncounterID]bool{}
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		last, err := lastOfPatients(tx, ids)
		for id, r := range last {
			if word, _ := r.Findings(); word == Bad {
				out[id] = true
			}
		}
		return err
	})
	return out, err
}

// Of gives the last results of everybody of an act, the newest first.
func (s *Service) Of(ctx context.Context, id care.EncounterID) (list []Kept, err error) {
	if err := s.may(ctx, id, "check.read"); err != nil {
		return nil, err
	}
	patient, err := s.Acts.PatientOf(ctx, id)
	if err != nil {
		return nil, err
	}
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if list, err = of(tx, id); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "check.read", Object: "encounter/" + string(id), Patient: patient})
	})
	return list, err
}
