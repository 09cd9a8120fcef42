package chat

import "testing"

// TestMessage_ReadableBy: only those of the audience read a message, host or not. A
// message without an audience is read by its author's seat and the hosts alone.
func TestMessage_ReadableBy(t *testing.T) {
	with := Message{Seat: "seat-1", Audience: []string{"lea", "claire"}}
	without := Message{Seat: "seat-1"}
	for _, x := range []struct {
		name         string
		m            Message
		person, seat string
		host, want   bool
	}{
		{"of the audience", with, "lea", "seat-1", false, true},
		{"of the audience, on another seat", with, "claire", "seat-9", true, true},
		{"a companion who came later", with, "julie", "seat-2", false, false},
		{"a host who came later", with, "hugo", "seat-3", true, false},
		{"no audience, the author's seat", without, "lea", "seat-1", false, true},
		{"no audience, a host", without, "claire", "seat-9", true, true},
		{"no audience, a companion", without, "julie", "seat-2", false, false},
	} {
		if got := x.m.ReadableBy(x.person, x.seat, x.host); got != x.want {
			t.Errorf("%s: %v, want %v", x.name, got, x.want)
		}
	}
}
