package messaging

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/seal"
	"visavis/internal/store"
)

// addressed is the part of a delivery that is sealed and kept: who, with the
// address mostly hidden.
type addressed struct {
	Label string `json:"label"`
	Hint  string `json:"hint,omitempty"`
}

// content is the part that is sealed until the message is sent, then dropped:
// the whole address and the text with its link.
type content struct {
	Address string `json:"address"`
	Notice  notice `json:"notice,omitzero"`
}

func (s *Service) sealTo(ctx context.Context, tx *store.Tx, d *Delivery, a addressed) (err error) {
	d.Label, d.Hint = a.Label, a.Hint
	d.sealedTo, err = s.sealJSON(ctx, tx, d, "sealed_to", a)
	return err
}

func (s *Service) sealContent(ctx context.Context, tx *store.Tx, d *Delivery, c content) (err error) {
	d.sealed, err = s.sealJSON(ctx, tx, d, "sealed_content", c)
	return err
}

func (s *Service) sealJSON(ctx context.Context, tx *store.Tx, d *Delivery, column string, v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("messaging: %s: %w", column, err)
	}
	return s.Keeper.Seal(ctx, tx, d.PatientID, seal.Place{Table: "deliveries", Column: column, Row: string(d.ID)}, raw)
}

func (s *Service) openJSON(ctx context.Context, tx *store.Tx, d *Delivery, column string, sealed []byte, v any) error {
	raw, err := s.Keeper.Open(ctx, tx, d.PatientID, seal.Place{Table: "deliveries", Column: column, Row: string(d.ID)}, sealed)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("messaging: %s: %w", column, err)
	}
	return nil
}

// open fills in what people see of deliveries: who, documents, history.
func (s *Service) open(ctx context.Context, tx *store.Tx, list []*Delivery) error {
	for _, d := range list {
		if len(d.sealedTo) > 0 {
			var a addressed
			if err := s.openJSON(ctx, tx, d, "sealed_to", d.sealedTo, &a); err != nil {
				return err
			}
			d.Label, d.Hint = a.Label, a.Hint
		}
		if err := loadDocuments(tx, d); err != nil {
			return err
		}
		if err := loadHistory(tx, d); err != nil {
			return err
		}
	}
	return nil
}

// save writes a changed delivery, its new steps and, when people would see a
// difference, the fact.
func (s *Service) save(ctx context.Context, tx *store.Tx, d *Delivery) error {
	d.updatedAt = s.Clock.Now()
	if d.settled() {
		d.sealed = nil
	}
	changed := len(d.steps) > 0
	if err := update(tx, d); err != nil {
		return err
	}
	if err := insertSteps(tx, d); err != nil || !changed {
		return err
	}
	return s.publish(ctx, tx, d)
}

// create writes a new delivery with its first step and asks for its sending;
// false when the fact made it already.
func (s *Service) create(ctx context.Context, tx *store.Tx, d *Delivery) (bool, error) {
	now := s.Clock.Now()
	d.ID, d.At, d.updatedAt = care.DeliveryID(care.NewID(now)), now, now
	d.steps = []Step{{At: now, State: d.State, Reason: d.Reason}}
	if fresh, err := insert(tx, d); err != nil || !fresh {
		return false, err
	}
	if err := insertSteps(tx, d); err != nil {
		return false, err
	}
	if err := s.publish(ctx, tx, d); err != nil {
		return false, err
	}
	return true, s.enqueue(ctx, tx, d)
}

func (s *Service) publish(ctx context.Context, tx *store.Tx, d *Delivery) error {
	return s.Bus.Publish(ctx, tx, events.DeliveryChanged, string(d.ID),
		events.Delivery{DeliveryID: d.ID, EncounterID: d.EncounterID, State: string(d.State)})
}

const deliverJob = "messaging.deliver"

type job struct {
	ID care.DeliveryID `json:"id"`
}

func (s *Service) enqueue(ctx context.Context, tx *store.Tx, d *Delivery) error {
	at := d.NextAt
	if !at.After(s.Clock.Now()) {
		at = time.Time{} // at once: the queue looks at scheduled jobs only every few seconds
	}
	return s.Bus.Enqueue(ctx, tx, deliverJob, job{d.ID}, at)
}
