package sfu

import (
	"time"

	"visavis/sfu/session"
)

// The rhythm of a node, and of its peers.
const (
	beat          = 20 * time.Millisecond  // losses asked for again, key frames, silence
	feedbackEvery = 100 * time.Millisecond // transport-wide feedback
	reportEvery   = time.Second            // sender and receiver reports
	rateEvery     = 250 * time.Millisecond // the rates of layers, and who gets which
	speechEvery   = 500 * time.Millisecond // the end of speech
	consentEvery  = 5 * time.Second        // a check of ours (RFC 7675 §5.1)
	flowEvery     = 15 * time.Second       // Flow events
)

// rhythm does, for all rooms, what time asks for rather than a packet.
func (n *Node) rhythm() {
	w := n.crew.hire()
	tick := time.NewTicker(beat)
	defer tick.Stop()
	var rooms []*room
	for {
		select {
		case <-n.stop:
			return
		case <-tick.C:
		}
		n.mu.Lock()
		rooms = rooms[:0]
		for _, r := range n.rooms {
			rooms = append(rooms, r)
		}
		n.mu.Unlock()
		if len(rooms) == 0 {
			continue
		}
		w.begin()
		for _, r := range rooms {
			r.mu.Lock()
			r.beatLocked(w)
			r.mu.Unlock()
		}
		w.end()
		clear(rooms)
	}
}

func (r *room) beatLocked(w *worker) {
	if w.ns >= r.nextRates {
		r.nextRates = w.ns + int64(rateEvery)
		r.rateLocked(w)
	}
	for _, p := range r.peers {
		p.beatLocked(w)
	}
	if w.ns >= r.nextSpeech {
		r.nextSpeech = w.ns + int64(speechEvery)
		if r.speech.Tick(w.now) {
			r.tellSpeaking()
		}
	}
}

func (p *peer) beatLocked(w *worker) {
	cfg := &p.room.node.cfg
	silent := time.Duration(w.ns - p.since)
	switch {
	case p.link == LinkConnecting && w.ns-p.born > int64(cfg.Handshake):
		w.drops = append(w.drops, goner{p, CauseHandshake})
		return
	case p.link == LinkUp && silent > cfg.Lost:
		p.up = false
		p.setLinkLocked(LinkLost, "")
	case p.link == LinkLost && silent > cfg.Lost+cfg.Failed:
		w.drops = append(w.drops, goner{p, CauseFailed})
		return
	}
	if w.ns >= p.next.flows {
		p.next.flows = w.ns + int64(flowEvery)
		p.tellFlowsLocked()
	}
	if !p.up {
		return
	}
	for _, t := range p.tracks {
		for _, l := range t.layers {
			if l.missing.Missing() {
				l.askMissing(w)
			}
			if l.missing.GaveUp() && t.section.Kind == session.Video && l.received() {
				l.keyWanted = true
			}
			l.askKeyFrame(w)
			l.askTail(w)
		}
	}
	for _, s := range p.slots {
		s.spareLocked(w)
	}
	p.probeLocked(w)
	if w.ns >= p.next.feedback {
		p.next.feedback = w.ns + int64(feedbackEvery)
		p.sendFeedback(w)
	}
	if w.ns >= p.next.consent && p.nominated {
		p.next.consent = w.ns + int64(consentEvery)
		p.checkBack(w, &p.at)
	}
	if w.ns >= p.next.reports {
		p.next.reports = w.ns + int64(reportEvery)
		p.sendReports(w)
	}
}
