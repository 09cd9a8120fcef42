package signaling

import (
	"testing"
	"time"

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
