package sfu

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"sync"
	"time"

	"visavis/sfu/handshake"
	"visavis/sfu/session"
	"visavis/sfu/srtp"
	"visavis/sfu/stun"
)

// maxPaths is how many addresses of one peer are known at once; each was proved
// by a check of its own.
const maxPaths = 8

// transport is how a peer is reached: ICE, then DTLS, then SRTP. It is under the
// room's lock.
//
// Of ICE (RFC 8445) we are the controlled side that knows no candidate of the
// client: it answers checks, checks back at once where an authentic one came
// from (§7.3.1.4) so that the client can nominate without waiting, and again
// every consentEvery (RFC 7675). Where packets go is the client's choice alone (way).
type transport struct {
	ufrag, pwd       string // ours
	oldUfrag, oldPwd string // those before an ICE restart, until the new ones were used
	theirs, theirPwd string // the client's
	nominated        bool   // the client has chosen, since the last restart
	print            session.Fingerprint

	way
	paths []path // proved by a check
	dtls  *handshake.Conn
	crypt *srtp.Session
	since int64 // when the last authentic datagram came, ns
}

// credentials are random: 48 bits of name, 144 of password (RFC 8445 §5.3 asks
// for 24 and 128).
func credentials() (ufrag, pwd string, err error) {
	var b [24]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", "", err
	}
	text := base64.RawStdEncoding.EncodeToString(b[:])
	return text[:8], text[8:], nil
}

// name makes a peer findable by a user fragment.
func (n *Node) name(ufrag string, p *peer) {
	n.names.Lock()
	defer n.names.Unlock()
	n.names.peers[ufrag] = p
}

func (n *Node) unname(ufrags ...string) {
	n.names.Lock()
	defer n.names.Unlock()
	for _, u := range ufrags {
		delete(n.names.peers, u)
	}
}

func (n *Node) named(ufrag string) *peer {
	n.names.RLock()
	defer n.names.RUnlock()
	return n.names.peers[ufrag]
}

// check answers a connectivity check, if it is one of a peer of ours. Nothing
// else is answered.
func (n *Node) check(w *worker, b []byte, from path) {
	c, err := stun.Parse(b)
	if err != nil {
		return
	}
	ours, theirs := c.Names()
	p := n.named(ours)
	if p == nil {
		return
	}
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	pwd, current := p.pwd, ours == p.ufrag
	if !current {
		pwd = p.oldPwd
	}
	if p.gone || pwd == "" || current && theirs != p.theirs || c.Verify(pwd) != nil {
		return
	}
	w.commit(&from, c.Answer(w.buffer(&from), pwd, from.remote()))
	if current && !p.nominated {
		p.nominated = c.Nominated
		p.checkBack(w, &from)
	}
	p.heardLocked(w)
	fresh := p.learnLocked(from)
	p.checked(from, c.Nominated || current && p.oldPwd != "" || fresh && !p.up && p.crypt != nil, w.ns)
	if current && p.oldPwd != "" {
		n.unname(p.oldUfrag)
		p.oldUfrag, p.oldPwd = "", ""
	}
}

// Which of a client's ways we send on. The client chooses (RFC 8445 §8.1.1), and
// shows it by what it sends on: libwebrtc nominates every pair that it checks, so
// a nomination moves us only when nothing comes on the way that is in use. Else a
// weak link, on which a client checks all its pairs, would have us send now here,
// now there.
const (
	moveAfter = 5                      // packets in a row on another way
	silentWay = 200 * time.Millisecond // of the way in use
)

// way is where packets go, and what speaks against it.
type way struct {
	at     path
	known  bool  // at is set
	heard  int64 // when media last came on it, ns
	astray int   // packets of media in a row that came on another
}

// checked takes an authentic check at now (ns). chosen: it nominates its pair, is
// the first after an ICE restart, or comes from a new address while the link is lost.
func (x *way) checked(from path, chosen bool, now int64) {
	if !x.known || chosen && from != x.at && now-x.heard > int64(silentWay) {
		x.at, x.known = from, true
	}
}

// carried takes authentic media that came from a proved address.
func (x *way) carried(from *path, now int64) {
	if *from != x.at {
		if x.astray++; x.astray < moveAfter && now-x.heard <= int64(silentWay) {
			return
		}
		x.at = *from
	}
	x.heard, x.astray = now, 0
}

// checkBack sends a check of ours.
func (p *peer) checkBack(w *worker, to *path) {
	var id [12]byte
	if _, err := rand.Read(id[:]); err != nil {
		return
	}
	w.commit(to, stun.Request(w.buffer(to), p.theirs+":"+p.ufrag, p.theirPwd, id, p.answer.ID))
}

// learnLocked notes a proved address, and forgets the oldest but the one in use
// when there are too many.
func (p *peer) learnLocked(from path) (fresh bool) {
	for _, x := range p.paths {
		if x == from {
			return false
		}
	}
	if len(p.paths) == maxPaths {
		i := 0
		if p.paths[0] == p.at {
			i = 1
		}
		p.unlearn(p.paths[i])
		p.paths = append(p.paths[:i], p.paths[i+1:]...)
	}
	p.paths = append(p.paths, from)
	if from.stream != nil {
		from.stream.owner.Store(p)
	} else {
		from.port.claim(from.addr, p)
	}
	return true
}

func (p *peer) unlearn(x path) {
	if x.stream != nil {
		_ = x.stream.conn.Close()
	} else {
		x.port.release(x.addr, p)
	}
}

// hole is a silence of somebody who gives feedback ten times a second: what was
// sent meanwhile, either way, is lost for good.
const hole = time.Second

// heardLocked: something authentic came, so the peer is there.
func (p *peer) heardLocked(w *worker) {
	silent := time.Duration(w.ns - p.since)
	p.since = w.ns
	switch {
	case p.link == LinkLost:
		p.upLocked()
	case p.up && silent > hole && p.carries.Rate() > 0:
		p.freshLocked()
	}
}

// freshLocked has the pictures to the peer and from it begin anew, without waiting
// until a receiver notices: browsers take three seconds.
func (p *peer) freshLocked() {
	for _, s := range p.slots {
		s.wantKeyFrame()
	}
	for _, t := range p.tracks {
		for _, l := range t.layers {
			l.keyAsked = 0 // what was asked for meanwhile was not heard
		}
		t.keyAsked = 0
		t.wantKeyFrame()
	}
}

// feedLocked gives a datagram to DTLS; the first one starts it.
func (p *peer) feedLocked(w *worker, b []byte, from path) {
	if p.gone {
		return
	}
	if p.dtls == nil {
		if !p.room.node.shakes.begin(from.remote().Addr(), w.ns) {
			return
		}
		p.dtls = p.room.node.dtls.Conn(p.print, p.sendDTLS)
		p.room.node.work.Add(1) // the peer is in the room, so Close is still waiting for it
		go p.shake(p.dtls)
	}
	p.dtls.Feed(b)
}

func (p *peer) sendDTLS(b []byte) {
	p.room.node.crew.lend(func(w *worker) {
		p.room.mu.Lock()
		defer p.room.mu.Unlock()
		if p.known {
			w.commit(&p.at, copy(w.buffer(&p.at), b))
		}
	})
}

// shake is the goroutine of a peer's DTLS.
func (p *peer) shake(c *handshake.Conn) {
	defer p.room.node.work.Done()
	settled := sync.OnceFunc(p.room.node.shakes.done)
	defer settled()
	err := c.Run(min(p.room.node.cfg.Handshake, handshakeTime), func(keys *srtp.Session) {
		settled()
		p.room.mu.Lock()
		defer p.room.mu.Unlock()
		p.crypt = keys
		if !p.gone {
			p.upLocked()
		}
	})
	if err != nil && !errors.Is(err, handshake.ErrFingerprint) {
		p.room.node.cfg.Log.Debug("sfu: dtls", "error", err)
	}
	p.drop(CauseFailed) // the client has ended it; nothing when we have
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	p.forgetLocked()
}

// upLocked: media may flow, for the first time or again.
func (p *peer) upLocked() {
	p.up = true
	p.since = p.room.node.ns()
	p.setLinkLocked(LinkUp, "")
	p.freshLocked()
}

func (p *peer) setLinkLocked(l Link, c Cause) {
	if p.link == l || p.link == LinkClosed {
		return
	}
	e := Event{Room: p.room.id, Peer: p.id, PC: p.pc, Link: l, Cause: c}
	if p.link != LinkConnecting && l != LinkUp {
		e.Silent = max(0, time.Duration(p.room.node.ns()-p.since))
	}
	p.link = l
	p.room.node.emit(e)
}
