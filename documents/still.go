package documents

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"visavis/documents/picture"
	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/lang"
	"visavis/internal/paper"
	"visavis/internal/profession"
	"visavis/internal/seal"
	"visavis/internal/store"
)

// The limits of stills.
const (
	maxStill  = 20 << 20 // bytes
	maxStills = 20       // of one act
)

// Still is a photo taken in the call because the professional asked for it, as the camera gave it without
// its metadata (product M5, C8). It never changes.
type Still struct {
	ID          string
	RequestID   string
	EncounterID care.EncounterID
	PatientID   care.PatientID
	TakenBy     string // a PatientID or a StaffID
	TakenRole   care.Role
	AskedBy     string // a StaffID
	At          time.Time
	picture.Picture
	Bytes int
	Hash  []byte // SHA-256 of the file

	blob string
}

// Call is what a photo needs to know of an act.
type Call struct {
	PatientID care.PatientID
	Relation  authz.Relation // of the actor of the context
	Open      bool           // it has begun and is not over
	Agreed    bool           // consent to it is in force
}

// Asked is a photo that a professional asked for in the call.
type Asked struct {
	EncounterID care.EncounterID
	Person      string // who is asked: a PatientID or a StaffID
	By          string // who asks: a StaffID
	Waits       bool   // it was not refused, not answered, and not long ago
}

// Calls tells about the call of an act; encounters, consent and signaling answer. Both fail as NotFound.
type Calls interface {
	Call(ctx context.Context, id care.EncounterID) (Call, error)
	Asked(ctx context.Context, request string) (Asked, error)
}

// Keep takes the photo that answers a request, whose SHA-256 the sender computed. It fails as Invalid by
// field (digest, picture), as Conflict (not awaited, not begun, too many), as Gone when the act is over, as
// Forbidden without consent; then nothing is kept.
func (s *Service) Keep(ctx context.Context, id care.EncounterID, request string, data, digest []byte) (*Still, error) {
	sum := sha256.Sum256(data)
	p, err := picture.Inspect(data)
	var out *Still
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		call, asked, err2 := s.awaited(ctx, id, request)
		switch {
		case err2 != nil:
			return err2
		case !bytes.Equal(sum[:], digest):
			return fault.Fields(fault.Field{Name: "header.Content-Digest", Code: "digest-differs"})
		case err != nil:
			return fault.Fields(fault.Field{Name: "body", Code: pictureCode(err)})
		}
		if err := lockStills(tx, id); err != nil {
			return err
		}
		n, err := countStills(tx, id)
		if err != nil {
			return err
		}
		if n >= maxStills {
			return fault.New(fault.Conflict, "stills-full").With("most", strconv.Itoa(maxStills))
		}
		a, now := authz.From(ctx), s.Clock.Now()
		out = &Still{ID: care.NewID(now), RequestID: request, EncounterID: id, PatientID: call.PatientID, TakenBy: a.ID(), TakenRole: a.Role,
			AskedBy: asked.By, At: now, Picture: p, Bytes: len(data), Hash: sum[:], blob: care.NewID(now)}
		return s.keepStill(ctx, tx, out, data)
	})
	if _, twice := store.Duplicate(err); twice {
		return nil, fault.New(fault.Conflict, "still-not-awaited")
	}
	return out, err
}

func (s *Service) keepStill(ctx context.Context, tx *store.Tx, st *Still, data []byte) error {
	if err := s.Keeper.PutBlob(ctx, tx, st.PatientID, st.blob, data); err != nil {
		return err
	}
	if err := insertStill(tx, st); err != nil {
		return err
	}
	if err := s.Audit.Append(ctx, tx, audit.Entry{Action: "still.keep", Object: "still/" + st.ID, Patient: st.PatientID,
		Detail: map[string]string{"encounter": string(st.EncounterID), "sha256": hex.EncodeToString(st.Hash)}}); err != nil {
		return err
	}
	return s.Bus.Publish(ctx, tx, events.StillKept, st.ID, events.Still{
		StillID: st.ID, RequestID: st.RequestID, EncounterID: st.EncounterID, PatientID: st.PatientID, At: store.Micros(st.At)})
}

// awaited lets who was asked go on, while the act goes on.
func (s *Service) awaited(ctx context.Context, id care.EncounterID, request string) (Call, Asked, error) {
	a := authz.From(ctx)
	call, err := s.Calls.Call(ctx, id)
	if err != nil {
		return call, Asked{}, err
	}
	if err := s.Table.Can(a, "still.keep", call.Relation); err != nil {
		return call, Asked{}, err
	}
	asked, err := s.Calls.Asked(ctx, request)
	switch {
	case fault.KindOf(err) == fault.NotFound && err != nil, err == nil && (asked.EncounterID != id || asked.Person != a.ID()):
		return call, asked, fault.New(fault.Conflict, "still-not-awaited")
	case err != nil:
		return call, asked, err
	case !call.Open:
		return call, asked, fault.New(fault.Gone, "still-act-over")
	case !call.Agreed:
		return call, asked, fault.New(fault.Forbidden, "still-consent")
	case !asked.Waits:
		return call, asked, fault.New(fault.Conflict, "still-not-awaited")
	}
	return call, asked, nil
}

// pictureCode says what is wrong with a picture by a code of the catalogue.
func pictureCode(err error) string {
	switch {
	case errors.Is(err, picture.ErrType):
		return "picture-type"
	case errors.Is(err, picture.ErrSize):
		return "picture-size"
	case errors.Is(err, picture.ErrMetadata):
		return "picture-metadata"
	}
	return "picture-broken"
}

// StillsOf gives the photos of an act, the oldest first.
func (s *Service) StillsOf(ctx context.Context, id care.EncounterID) ([]*Still, error) {
	call, err := s.Calls.Call(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.listStills(ctx, call.PatientID, "encounter/"+string(id), func(tx *store.Tx) ([]*Still, error) { return stillsOfAct(tx, id) })
}

// MyStills gives the photos of the patient who asks, the oldest first.
func (s *Service) MyStills(ctx context.Context) ([]*Still, error) {
	me := authz.From(ctx).PatientID
	if me == "" {
		return nil, fault.Missing()
	}
	return s.listStills(ctx, me, "patient/"+string(me), func(tx *store.Tx) ([]*Still, error) { return stillsOfPatient(tx, me) })
}

func (s *Service) listStills(ctx context.Context, patient care.PatientID, object string, find func(*store.Tx) ([]*Still, error)) (list []*Still, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		rel, err := s.relation(ctx, patient, "")
		if err != nil {
			return err
		}
		if err := s.Table.Can(authz.From(ctx), "still.list", rel); err != nil {
			return err
		}
		if list, err = find(tx); err != nil {
			return err
		}
		if list, err = notSecret(ctx, s, list, actOfStill); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "still.list", Object: object, Patient: patient})
	})
	return list, err
}

func actOfStill(st *Still) (care.EncounterID, care.PatientID) { return st.EncounterID, st.PatientID }

// OpenStill gives a photo, checked against the hash it came with, and writes who opened it.
func (s *Service) OpenStill(ctx context.Context, id string) (st *Still, data []byte, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if st, err = loadStill(tx, id); err != nil {
			return err
		}
		rel, err := s.relation(ctx, st.PatientID, "")
		if err != nil {
			return err
		}
		if err := s.Table.Can(authz.From(ctx), "still.read", rel); err != nil {
			return err
		}
		list, err := notSecret(ctx, s, []*Still{st}, actOfStill)
		if err == nil && len(list) == 0 {
			err = fault.Missing()
		}
		if err != nil {
			return err
		}
		if data, err = s.stillFile(ctx, tx, st); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "still.read", Object: "still/" + st.ID, Patient: st.PatientID})
	})
	return st, data, err
}

func (s *Service) stillFile(ctx context.Context, tx *store.Tx, st *Still) ([]byte, error) {
	data, err := s.Keeper.GetBlob(ctx, tx, st.PatientID, st.blob)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(data); !bytes.Equal(sum[:], st.Hash) {
		s.Keeper.Alarm(seal.Broken{File: st.blob, Patient: st.PatientID, Code: "file-damaged"})
		return nil, seal.FileDamaged().Because(fmt.Errorf("%w: still %s", ErrDamaged, st.ID))
	}
	return data, nil
}

// VerifyStills reads every photo and checks it against its hash, as Verify does documents.
func (s *Service) VerifyStills(ctx context.Context) (n int, err error) {
	var damaged []error
	err = s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		list, err := everyStill(tx)
		if err != nil {
			return err
		}
		for _, st := range list {
			_, err := s.stillFile(ctx, tx, st)
			switch {
			case err == nil:
				n++
			case fault.KindOf(err) == fault.Gone:
			default:
				damaged = append(damaged, fmt.Errorf("%w: still %s: %w", ErrDamaged, st.ID, err))
			}
		}
		return nil
	})
	return n, errors.Join(append(damaged, err)...)
}

// photos says the photos of an act on its report: when, by whom, how large, and the hash that proves that
// the file kept with the act is that photo.
func (s *Service) photos(tx *store.Tx, act paper.Act) ([]string, error) {
	dates, err := lang.NewWords()
	if err != nil {
		return nil, err
	}
	list, err := stillsOfAct(tx, act.EncounterID)
	out := make([]string, 0, len(list))
	for _, st := range list {
		who := s.say("role."+string(profession.WordOf("", st.TakenRole)), nil)
		for _, p := range act.People {
			if p.ID == st.TakenBy && p.Name != "" {
				who = p.Name
			}
		}
		out = append(out, s.say("still.line", lang.Args{"time": dates.Clock(string(care.French), act.Local(st.At)), "name": who, "width": strconv.Itoa(st.Width),
			"height": strconv.Itoa(st.Height), "sha256": hex.EncodeToString(st.Hash)}))
	}
	return out, err
}
