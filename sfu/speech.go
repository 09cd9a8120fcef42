package sfu

import (
	"slices"
	"sync"
	"time"
)

// speech decides who speaks from audio levels: louder than −50 dBov for 200 ms
// is speaking, 600 ms without is not. Levels are those of RFC 6464: 0 is the
// loudest, 127 silence.
type speech struct {
	room *room
	mu   sync.Mutex
	who  map[string]*voiceState
}

type voiceState struct {
	loudSince, loudLast time.Time
	speaking            bool
}

const (
	speechLevel = 50
	speechOn    = 200 * time.Millisecond
	speechOff   = 600 * time.Millisecond
	speechGap   = 100 * time.Millisecond // a pause inside a word
)

func newSpeech(r *room) *speech { return &speech{room: r, who: map[string]*voiceState{}} }

// heard takes one packet's level; called once per audio packet of a peer.
func (s *speech) heard(peerID string, level uint8, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.who[peerID]
	if v == nil {
		v = &voiceState{}
		s.who[peerID] = v
	}
	before := v.speaking
	v.step(level < speechLevel, now)
	if v.speaking != before {
		s.tellLocked()
	}
}

func (v *voiceState) step(loud bool, now time.Time) {
	if loud {
		if now.Sub(v.loudLast) > speechGap {
			v.loudSince = now
		}
		v.loudLast = now
		if now.Sub(v.loudSince) >= speechOn {
			v.speaking = true
		}
	} else if now.Sub(v.loudLast) >= speechOff {
		v.speaking = false
	}
}

// tick ends the speech of those whose packets stopped (DTX, mute).
func (s *speech) tick(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := false
	for _, v := range s.who {
		if v.speaking && now.Sub(v.loudLast) >= speechOff {
			v.speaking, changed = false, true
		}
	}
	if changed {
		s.tellLocked()
	}
}

// quiet forgets a peer.
func (s *speech) quiet(peerID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.who[peerID]
	delete(s.who, peerID)
	if v != nil && v.speaking {
		s.tellLocked()
	}
}

func (s *speech) tellLocked() {
	list := []string{}
	for id, v := range s.who {
		if v.speaking {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	s.room.node.emit(Event{Room: s.room.id, Speaking: list})
}
