package signaling

import "context"

// SignsOfLife does at once what the hub does every minute.
func (s *Service) SignsOfLife(ctx context.Context) { s.hub.touch(ctx, s.hub.all()) }
