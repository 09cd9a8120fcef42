package httpx

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/seal"
	"visavis/internal/store"
)

// keep is how long the answer of an idempotency key is kept.
const keep = 24 * time.Hour

// once runs fn at most once per (actor, route, key). The key, the effect and
// the answer share one transaction, so a crash leaves all three or none. A
// second request with the key waits for the first and gets its answer: replayed.
func once[In, Out any](ctx context.Context, s *Server, op Op, in *In, fn func(context.Context, *In) (*Out, error)) (out *Out, replayed bool, err error) {
	key := from(ctx).key
	if !care.ValidID(key) {
		return nil, false, fault.New(fault.Malformed, "idempotency-key-needed")
	}
	raw, err := json.Marshal(in)
	if err != nil {
		return nil, false, fmt.Errorf("httpx: request of %s: %w", op.Path, err)
	}
	sum := sha256.Sum256(raw)
	err = s.o.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		row := onceRow{
			Actor: authz.From(ctx).ID(), Route: op.Method + " " + op.Path, Key: key,
			RequestHash: sum[:], Body: []byte{}, At: store.Micros(s.o.Clock.Now()),
		}
		fresh, err := claim(tx, row)
		if err != nil {
			return err
		}
		if replayed = !fresh; replayed {
			out, err = replay[Out](ctx, s, tx, row)
			return err
		}
		if out, err = fn(ctx, in); err != nil {
			return err
		}
		answer, err := json.Marshal(out)
		if err != nil {
			return fmt.Errorf("httpx: answer of %s: %w", op.Path, err)
		}
		if row.Body, err = s.o.Keeper.Seal(ctx, tx, seal.House, place(row), answer); err != nil {
			return err
		}
		row.Status = http.StatusOK
		return settle(tx, row)
	})
	return out, replayed, err
}

func replay[Out any](ctx context.Context, s *Server, tx *store.Tx, asked onceRow) (*Out, error) {
	row, err := claimed(tx, asked)
	if err != nil {
		return nil, err
	}
	if string(row.RequestHash) != string(asked.RequestHash) {
		return nil, fault.New(fault.Invalid, "idempotency-key-reused")
	}
	answer, err := s.o.Keeper.Open(ctx, tx, seal.House, place(row), row.Body)
	if err != nil {
		return nil, err
	}
	out := new(Out)
	if err := json.Unmarshal(answer, out); err != nil {
		return nil, fmt.Errorf("httpx: stored answer: %w", err)
	}
	return out, nil
}

func place(r onceRow) seal.Place {
	return seal.Place{Table: "idempotency", Column: "body", Row: r.Actor + "|" + r.Route + "|" + r.Key}
}

// Sweep forgets the keys older than 24 hours.
func (s *Server) Sweep(ctx context.Context) error {
	return s.o.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		return forget(tx, store.Micros(s.o.Clock.Now().Add(-keep)))
	})
}
