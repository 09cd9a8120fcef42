// Package chat decides who may read a written message of an act, and keeps it.
//
// The decision is made once, when the message is written, and is stored with it:
// a list of persons. Delivery, resume and history all use that list, so that
// nobody reads later what they could not read when it was written (issue 9, C3;
// CSP L1110-4: only those who take part may know).
package chat

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// The refusals of Audience.
var (
	ErrNotHost   = errors.New("chat: only a host writes to one seat alone")
	ErrAddressee = errors.New("chat: no such seat to write to")
)

// The limits of one seat. A message over a limit is refused, never cut.
const (
	// PerMinute is how many messages a seat may write within Window.
	PerMinute = 20
	// Window is the time over which PerMinute counts.
	Window = time.Minute
	// PerAct is how many bytes a seat may write in an act, as stored (sealed).
	PerAct = 256 << 10
	// History is how many messages a person is given back, the last ones.
	History = 200
)

// Member is a seat of the act, as it stands when a message is written.
type Member struct {
	Seat     string
	Person   string // a PatientID, a StaffID or a CompanionID
	Host     bool
	Device   bool // a thing: it has media only and reads nothing
	Waiting  bool
	Admitted bool
	Held     bool
}

// inCall says whether a member is in the conversation: admitted and not held.
func (m Member) inCall() bool { return m.Admitted && !m.Held && !m.Device }

// reachable says whether a host can write to a member at all.
func (m Member) reachable() bool { return (m.Waiting || m.Admitted) && !m.Device }

// Audience lists the persons who may read a message of the seat author, written
// now. practitioner is the person who hosts the act, on a seat or not yet. to is
// the seat that a host writes to alone; empty: no one in particular.
//
//   - The author and the hosts always read.
//   - A guest who waits or is held writes to the hosts only.
//   - A guest in the call writes to everybody in the call.
//   - A host writes to everybody in the call, and not to who waits or is held;
//     when no guest is in the call, to everybody who waits or is held.
//
// It fails with ErrAddressee when author or to has no seat that can be written to,
// and with ErrNotHost when a guest names a seat.
func Audience(members []Member, author, practitioner, to string) ([]string, error) {
	by, ok := find(members, author)
	if !ok {
		return nil, ErrAddressee
	}
	list := []string{by.Person, practitioner}
	add := func(may func(Member) bool) {
		for _, m := range members {
			if may(m) {
				list = append(list, m.Person)
			}
		}
	}
	add(func(m Member) bool { return m.Host })
	guest := func(m Member) bool { return m.inCall() && !m.Host }
	switch {
	case to != "" && !by.Host:
		return nil, ErrNotHost
	case to != "":
		target, ok := find(members, to)
		if !ok || !target.reachable() {
			return nil, ErrAddressee
		}
		list = append(list, target.Person)
	case by.inCall() && !by.Host, by.Host && slices.ContainsFunc(members, guest):
		add(Member.inCall)
	case by.Host:
		add(Member.reachable)
	}
	return tidy(list), nil
}

func find(members []Member, seat string) (Member, bool) {
	i := slices.IndexFunc(members, func(m Member) bool { return m.Seat == seat })
	if i < 0 {
		return Member{}, false
	}
	return members[i], true
}

// tidy gives each person once, in order: the stored form is one and the same for
// one audience.
func tidy(list []string) []string {
	slices.Sort(list)
	list = slices.Compact(list)
	return slices.DeleteFunc(list, func(p string) bool { return p == "" })
}

// Message is a message as it is kept. Body is sealed.
type Message struct {
	ID       string // of the row
	Act      string
	Seat     string // of the author
	ClientID string // chosen by the author's client
	To       string // a seat; empty: no one in particular
	At       time.Time
	Audience []string // persons; empty: written before the audience was stored
	Body     []byte
}

// Place names what the seal of Body is bound to. The audience is part of it:
// whoever changes it in the database makes the message unreadable.
func (m Message) Place() string {
	if len(m.Audience) == 0 {
		return m.ID
	}
	return m.ID + "|" + m.To + "|" + strings.Join(m.Audience, " ")
}

// ReadableBy says whether a person may read the message. Of messages without an
// audience only the author and the hosts are sure.
func (m Message) ReadableBy(person, seat string, host bool) bool {
	if len(m.Audience) == 0 {
		return host || m.Seat == seat
	}
	return slices.Contains(m.Audience, person)
}

// Usage is what a seat has written.
type Usage struct {
	Recent int       // messages within Window
	Oldest time.Time // of those, the first; zero: none
	Bytes  int64     // in the act, as stored
}

// Refusal says why a seat may not write size more bytes now. Code is empty when
// it may; Seconds is how long to wait, 0 when waiting does not help.
func (u Usage) Refusal(now time.Time, size int) (code string, seconds int) {
	switch {
	case u.Bytes+int64(size) > PerAct:
		return "chat_full", 0
	case u.Recent >= PerMinute:
		return "chat_too_fast", max(1, int(u.Oldest.Add(Window).Sub(now).Seconds()+0.999))
	}
	return "", 0
}
