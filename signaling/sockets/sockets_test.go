package sockets

import (
	"fmt"
	"testing"
)

func TestCounter_EachLimitNamesItself(t *testing.T) {
	c := New(Limits{All: 5, Network: 3, Session: 2})
	var ends []func()
	for _, x := range []struct {
		address, session string
		want             Over
	}{
		{"192.0.2.1", "a", None}, {"192.0.2.1", "a", None}, {"192.0.2.1", "a", Session}, {"192.0.2.9", "a", Session},
		{"192.0.2.1", "b", None}, {"192.0.2.1", "c", Network},
		{"2001:db8::1", "c", None}, {"2001:db8:0:1::1", "d", None}, {"192.0.2.2", "e", All},
	} {
		end, over := c.Open(x.address, x.session)
		if over != x.want || (end == nil) != (over != None) {
			t.Errorf("%s %s: %q, want %q", x.address, x.session, over, x.want)
		}
		if end != nil {
			ends = append(ends, end)
		}
	}
	for _, end := range ends {
		end()
		end() // twice counts once
	}
	if c.all != 0 || len(c.networks) != 0 || len(c.sessions) != 0 {
		t.Errorf("left behind: %d %v %v", c.all, c.networks, c.sessions)
	}
}

func TestCounter_OneIPv6NetworkIsA64(t *testing.T) {
	c := New(Limits{Network: 2, Session: 100})
	for n, want := range []Over{None, None, Network} {
		if _, over := c.Open(fmt.Sprintf("2001:db8::%x", n+1), "s"); over != want {
			t.Errorf("address %d: %q, want %q", n, over, want)
		}
	}
	if _, over := c.Open("2001:db8:0:1::1", "s"); over != None {
		t.Errorf("another /64: %q", over)
	}
}
