// Package speech decides who speaks, from audio levels alone (RFC 6464: 0 is
// the loudest, 127 silence), never from the sound.
package speech

import (
	"slices"
	"time"
)

// Louder than −50 dBov for 200 ms is speaking, 600 ms without is not.
const (
	level = 50
	on    = 200 * time.Millisecond
	off   = 600 * time.Millisecond
	pause = 100 * time.Millisecond // inside a word
)

type voice struct {
	loudSince, loudLast time.Time
	speaking            bool
}

// Room follows the people of a room. It is used by one goroutine at a time.
type Room struct{ who map[string]*voice }

// New makes an empty Room.
func New() *Room { return &Room{who: map[string]*voice{}} }

// Heard takes one packet's level and says whether Speaking changed.
func (r *Room) Heard(id string, l uint8, now time.Time) bool {
	v := r.who[id]
	if v == nil {
		v = &voice{}
		r.who[id] = v
	}
	before := v.speaking
	v.step(l < level, now)
	return v.speaking != before
}

func (v *voice) step(loud bool, now time.Time) {
	if loud {
		if now.Sub(v.loudLast) > pause {
			v.loudSince = now
		}
		v.loudLast = now
		if now.Sub(v.loudSince) >= on {
			v.speaking = true
		}
	} else if now.Sub(v.loudLast) >= off {
		v.speaking = false
	}
}

// Tick ends the speech of those whose packets stopped (DTX, mute), and says
// whether Speaking changed.
func (r *Room) Tick(now time.Time) (changed bool) {
	for _, v := range r.who {
		if v.speaking && now.Sub(v.loudLast) >= off {
			v.speaking, changed = false, true
		}
	}
	return changed
}

// Quiet forgets somebody, and says whether Speaking changed.
func (r *Room) Quiet(id string) bool {
	v := r.who[id]
	delete(r.who, id)
	return v != nil && v.speaking
}

// Speaking lists who speaks, sorted; never nil.
func (r *Room) Speaking() []string {
	list := []string{}
	for id, v := range r.who {
		if v.speaking {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	return list
}
