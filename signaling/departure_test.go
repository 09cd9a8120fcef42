package signaling

import (
	"log/slog"
	"testing"
	"time"

	"visavis/internal/clock"
	"visavis/internal/events"
)

// Issue 9, A2: the end of a sign-in is the cause of a departure only of who was there when it ended.
func TestDeparture_OfASignInThatEnds(t *testing.T) {
	now := time.Date(2026, 3, 10, 9, 10, 0, 0, time.UTC)
	gone := now.Add(-20 * time.Second)
	for name, c := range map[string]struct {
		session *session
		at      time.Time
		how     string
	}{
		"in the call":                       {&session{conn: &conn{}}, now, events.LeftSignedOut},
		"media flows, the page loads again": {&session{lost: gone, link: LinkUp}, now, events.LeftSignedOut},
		"a device":                          {&session{owner: "p"}, now, events.LeftSignedOut},
		"closed the page before":            {&session{lost: gone, bye: true, link: LinkNone}, gone, events.LeftPageClosed},
		"silent before":                     {&session{lost: gone, link: LinkNone}, gone, ""},
	} {
		if at, how := c.session.departure(now); !at.Equal(c.at) || how != c.how {
			t.Errorf("%s: %v %q, want %v %q", name, at, how, c.at, c.how)
		}
	}
}

// Issue 9, A2: media is cut since it was last heard, not since that was noticed, and never before it came up.
func TestLink_CutSinceTheLastSignOfLife(t *testing.T) {
	t0 := time.Date(2026, 3, 10, 9, 10, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		up, silent, then time.Duration // until it is noticed; as measured; until it is looked at again
		since            time.Duration // from t0
		told             bool
	}{
		"noticed after four seconds":  {time.Minute, 4 * time.Second, 0, 56 * time.Second, false},
		"and five more":               {time.Minute, 4 * time.Second, provenAfter, 56 * time.Second, true},
		"proof counts from detection": {time.Minute, 20 * time.Second, provenAfter - time.Second, 40 * time.Second, false},
		"hung up":                     {time.Minute, 0, 0, time.Minute, false},
		"longer than it was up":       {time.Second, 4 * time.Second, 0, 0, false},
		"a measure that cannot be":    {time.Minute, -time.Hour, 0, time.Minute, false},
	} {
		clk := clock.NewFake(t0)
		svc := &Service{Clock: clk, Log: slog.New(slog.DiscardHandler)}
		svc.scribe = newScribe(svc)
		r := newRoom(&hub{svc: svc}, Act{})
		s := &session{seat: "p", room: r, lost: t0, link: LinkConnecting}
		r.seats["p"] = &Seat{ID: "p", State: Admitted}
		r.sessions["p"] = s
		r.linkLocked(s, MediaEvent{Link: LinkUp})
		clk.Advance(c.up)
		r.linkLocked(s, MediaEvent{Link: LinkLost, Silent: c.silent})
		clk.Advance(c.then)
		r.away["p"] = true // the socket is not what this is about
		r.proveLocked(s, clk.Now())
		if got := s.cutAt.Sub(t0); got != c.since || s.cut != c.told {
			t.Errorf("%s: cut since %v, told %v; want %v, %v", name, got, s.cut, c.since, c.told)
		}
	}
}

// Issue 9, A1: at the end of an act a client is gone whose media and whose open socket are silent, and no other.
func TestParted_SilentByMediaAndSocket(t *testing.T) {
	end := time.Date(2026, 3, 10, 9, 10, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return end.Add(-d) }
	for name, c := range map[string]struct {
		heard, cut time.Duration // ago; cut 0: media flows
		noticed    time.Duration // how long media was silent then
		gone       bool
		at         time.Duration // ago
	}{
		"both silent":                             {20 * time.Second, 20 * time.Second, 4 * time.Second, true, 20 * time.Second},
		"the socket was heard last":               {18 * time.Second, 30 * time.Second, 4 * time.Second, true, 18 * time.Second},
		"media was heard last":                    {40 * time.Second, 18 * time.Second, 4 * time.Second, true, 18 * time.Second},
		"the socket lives":                        {2 * time.Second, 60 * time.Second, 4 * time.Second, false, 0},
		"no ping was due yet":                     {pingEvery, 20 * time.Second, 4 * time.Second, false, 0},
		"media flows":                             {40 * time.Second, 0, 0, false, 0},
		"media is silent, but that is not proven": {40 * time.Second, 8 * time.Second, 4 * time.Second, false, 0},
	} {
		s := &session{conn: &conn{}, cutFor: c.noticed}
		s.conn.heard.Store(ago(c.heard).UnixMicro())
		if c.cut > 0 {
			s.cutAt = ago(c.cut)
		}
		if at, gone := s.silentSince(end); gone != c.gone || gone && !at.Equal(ago(c.at)) {
			t.Errorf("%s: gone %v since %v", name, gone, end.Sub(at))
		}
	}
}
