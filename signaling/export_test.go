package signaling

import (
	"context"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/store"
	"visavis/signaling/queue"
)

// SignsOfLife does at once what the hub does every minute.
func (s *Service) SignsOfLife(ctx context.Context) { s.hub.touch(ctx, s.hub.all()) }

// Delayed notes a delay of who is awaited; false when they were told of as much.
func (s *Service) Delayed(ctx context.Context, d queue.Delay) (fresh bool, err error) {
	err = s.DB.Tx(ctx, func(_ context.Context, tx *store.Tx) (err error) {
		fresh, err = markDelayed(tx, d, 1)
		return err
	})
	return fresh, err
}

// Waiting does at once what the hub does every half minute for one queue.
func (s *Service) Waiting(ctx context.Context, id care.StaffID) { s.hub.queue(ctx, id) }

// Review does at once what the hub does every few seconds for every room.
func (s *Service) Review(ctx context.Context) {
	for _, r := range s.hub.all() {
		r.review(authz.With(ctx, authz.SystemActor()))
	}
}

// RemoveElsewhere removes a seat as another process would: this one's room is not told.
func (s *Service) RemoveElsewhere(ctx context.Context, seat string) error {
	_, err := s.remove(authz.With(ctx, authz.SystemActor()), seat, "other")
	return err
}
