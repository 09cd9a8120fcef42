package signaling

import (
	"context"

	"visavis/internal/care"
)

// SignsOfLife does at once what the hub does every minute.
func (s *Service) SignsOfLife(ctx context.Context) { s.hub.touch(ctx, s.hub.all()) }

// Waiting does at once what the hub does every half minute for one queue.
func (s *Service) Waiting(ctx context.Context, id care.StaffID) { s.hub.queue(ctx, id) }
