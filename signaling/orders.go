package signaling

import (
	"context"
	"errors"
	"slices"

	"visavis/internal/authz"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/signaling/chat"
)

// obey carries out one message of a session; false ends the connection.
func (c *conn) obey(ctx context.Context, m *inbound) bool {
	ctx = authz.With(ctx, c.sess.actor)
	s, r := c.sess, c.sess.room
	if !r.holds(s) {
		return false // removed, or taken over: the socket is being closed
	}
	switch m.T {
	case "offer":
		r.offer(ctx, s, m)
	case "mute":
		r.mute(s, Sources{Mic: m.Mic, Camera: m.Camera, Screen: m.Screen})
	case "view":
		r.view(s, m)
	case "hold":
		r.hold(ctx, s, m)
	case "still":
		r.askStill(ctx, s, m)
	case "still_answer":
		r.answerStill(ctx, s, m)
	case "chat":
		r.chat(ctx, s, m)
	case "admit", "remove":
		r.host(ctx, s, m)
	case "recall":
		r.wantRecall(ctx, s, m)
	case "quality":
		r.quality(s, m)
	case "turn":
		s.send("ice", r.hub.svc.Relay.Grant(r.act.ID, s.seat))
	case "leave":
		return r.leave(ctx, c, s, m)
	case "end":
		r.end(ctx, s, m)
	}
	return true // candidate: the media does not call addresses that a client names
}

// offer answers a client's offer, or says why not.
func (r *room) offer(ctx context.Context, s *session, m *inbound) {
	no := &errorMsg{Code: "offer_throttled"}
	if s.offers.Allow() {
		no = r.negotiate(ctx, s, m.PC, m.SDP, func(answer string) { s.send("answer", answerMsg{PC: m.PC, Re: m.Seq, SDP: answer}) })
	}
	if no != nil {
		no.Re = m.Seq
		s.say("error", *no)
	}
}

// negotiate asks the gate, then the media (docs/signaling.md §6). done gets the
// answer with the room locked; else the reason is returned.
func (r *room) negotiate(ctx context.Context, s *session, number int, sdp string, done func(answer string)) *errorMsg {
	gate := r.ask(ctx)
	r.setGate(gate)
	r.mu.Lock()
	may := r.mediaOf(r.seats[s.seat])
	if may.Allowed && !gate.Allowed {
		may = gate // not to be asked right now: nothing new begins
	}
	restart := number == s.pc && s.mediaPC != 0
	stale := number < s.pc
	gone := number == s.pc && s.mediaPC == 0
	if may.Allowed && !stale && !gone && !restart {
		s.pc, s.mediaPC, s.link, s.slots, s.note = number, r.hub.newPC(), LinkConnecting, nil, noteOf(s.id, number)
	}
	if may.Allowed && !stale && !gone {
		s.asked = s.mediaPC
	}
	pc, note := s.mediaPC, s.note
	r.mu.Unlock()
	switch {
	case !may.Allowed:
		return &errorMsg{Code: "media_refused", Reason: may.Reason}
	case stale:
		return &errorMsg{Code: "invalid", Field: "pc"}
	case gone:
		return &errorMsg{Code: "pc_unknown"}
	}
	svc := r.hub.svc
	answer, err := svc.Media.Offer(ctx, Offer{Encounter: r.act.ID, Seat: s.seat, PC: pc, Note: note, Restart: restart, SDP: sdp})
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.asked == pc {
		s.asked = 0
	}
	if err != nil {
		if !restart && s.mediaPC == pc {
			s.mediaPC, s.link = 0, LinkNone
		}
		return &errorMsg{Code: mediaCode(err)}
	}
	// The answer may have taken a while: what was true before may not be now.
	if now := r.mediaOf(r.seats[s.seat]); !now.Allowed || r.sessions[s.seat] != s {
		svc.Media.Drop(r.act.ID, s.seat)
		s.mediaPC, s.link = 0, LinkNone
		return &errorMsg{Code: "media_refused", Reason: now.Reason}
	}
	svc.Media.Update(r.act.ID, s.seat, r.meantLocked(s))
	done(answer)
	return nil
}

func mediaCode(err error) string {
	switch {
	case errors.Is(err, ErrOfferRefused):
		return "offer_refused"
	case errors.Is(err, ErrPCUnknown):
		return "pc_unknown"
	case errors.Is(err, ErrRoomFull):
		return "room_full"
	}
	return "internal"
}

func (r *room) mute(s *session, m Sources) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.media == m {
		return
	}
	s.media = m
	r.hub.svc.Media.Update(r.act.ID, s.seat, r.meantLocked(s))
	r.showLocked()
}

// chat keeps a message and gives it to those who may read it.
func (r *room) chat(ctx context.Context, s *session, m *inbound) {
	kept, over, err := r.hub.svc.write(ctx, r.act, s.seat, m)
	switch {
	case errors.Is(err, chat.ErrNotHost):
		err = fault.New(fault.Forbidden, "forbidden")
	case errors.Is(err, chat.ErrAddressee):
		err = fault.Missing()
	}
	switch {
	case err != nil:
		r.fail(s, m, err)
		return
	case kept.Kept:
		r.answerReplay(s, m, kept)
		return
	case over.Code != "":
		s.say("error", errorMsg{Re: m.Seq, Code: over.Code, Seconds: over.Seconds, ID: m.ID})
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	msg := r.chatMsgLocked(kept)
	for id, to := range r.sessions {
		if id == s.seat || slices.Contains(kept.Readers, r.seats[id].PersonID) {
			to.send("chat", msg)
		}
	}
}

// sendHistoryLocked gives whoever sits there what they may read of what was
// written.
func (r *room) sendHistoryLocked(ctx context.Context, s *session) {
	seat := r.seats[s.seat]
	if seat.State == Waiting && !seat.AdmittedAt.IsZero() {
		s.send("history", historyMsg{Messages: []chatMsg{}}) // until a host has seen who it is now
		return
	}
	list, err := r.hub.svc.history(ctx, *seat)
	if err != nil {
		r.hub.svc.Log.Warn("signaling: history not read", "err", err)
		return
	}
	msg := historyMsg{Messages: []chatMsg{}}
	for _, l := range list {
		msg.Messages = append(msg.Messages, r.chatMsgLocked(l))
	}
	s.send("history", msg)
}

// fail answers an error of the server's side without its words.
func (r *room) fail(s *session, m *inbound, err error) {
	code := "internal"
	switch fault.KindOf(err) {
	case fault.NotFound:
		code = "not_found"
	case fault.Forbidden:
		code = "forbidden"
	case fault.Gone:
		code = "ended"
	default:
		r.hub.svc.Log.Warn("signaling: "+m.T+" failed", "err", err)
	}
	no := errorMsg{Re: m.Seq, Code: code}
	if m.T == "chat" {
		no.ID = m.ID
	}
	s.say("error", no)
}

// host carries out admit and remove.
func (r *room) host(ctx context.Context, s *session, m *inbound) {
	r.mu.Lock()
	may, target := r.seats[s.seat].Host, r.seats[m.Seat]
	r.mu.Unlock()
	switch {
	case !may:
		s.say("error", errorMsg{Re: m.Seq, Code: "forbidden"})
		return
	case target == nil, target.Host:
		s.say("error", errorMsg{Re: m.Seq, Code: "not_found"})
		return
	}
	if err := r.decide(ctx, s, m); err != nil {
		r.fail(s, m, err)
		return
	}
	if m.T == "remove" {
		r.dropStill(ctx, m.Seat)
	}
	r.hub.queue(ctx, r.act.PractitionerID)
}

// decide admits or removes a seat.
func (r *room) decide(ctx context.Context, s *session, m *inbound) error {
	r.order.Lock()
	defer r.order.Unlock()
	if m.T == "admit" {
		seat, err := r.hub.svc.admit(ctx, m.Seat)
		if err == nil {
			r.letIn(ctx, seat, s.seat)
		}
		return err
	}
	seat, err := r.hub.svc.remove(ctx, m.Seat, m.Reason)
	if err == nil {
		r.putOut(seat)
	}
	return err
}

func (r *room) letIn(ctx context.Context, seat Seat, by string) {
	r.setGate(r.ask(ctx))
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.seats[seat.ID].State
	r.seats[seat.ID] = &seat
	if r.started.IsZero() {
		r.started = seat.AdmittedAt
	}
	if was == Admitted {
		return
	}
	if s := r.sessions[seat.ID]; s != nil {
		s.send("admitted", admittedMsg{By: by})
		r.tellMediaLocked()
		r.presentLocked(s)
		r.sendHistoryLocked(ctx, s)
	}
	r.showLocked()
}

func (r *room) putOut(seat Seat) {
	r.mu.Lock()
	defer r.mu.Unlock()
	svc := r.hub.svc
	r.seats[seat.ID] = &seat
	svc.Media.Drop(r.act.ID, seat.ID)
	delete(r.orphans, seat.ID)
	svc.Relay.Revoke(r.act.ID, seat.ID)
	r.absentLocked(seat.ID, events.LeftRemoved)
	if s := r.sessions[seat.ID]; s != nil {
		delete(r.sessions, seat.ID)
		r.hub.forget(s)
		s.send("ended", endedMsg{Reason: "removed", At: svc.Clock.Now()})
		s.kill(closeRemoved, "removed")
	}
	for _, s := range r.sessions {
		if s.owner == seat.PersonID {
			r.unseatLocked(s)
		}
	}
	r.showLocked()
}

// end finishes the act for everybody, in the host's name.
func (r *room) end(ctx context.Context, s *session, m *inbound) {
	r.mu.Lock()
	may := r.seats[s.seat].Host
	r.mu.Unlock()
	if !may {
		s.say("error", errorMsg{Re: m.Seq, Code: "forbidden"})
		return
	}
	if err := r.hub.svc.Acts.End(ctx, r.act.ID, r.hub.svc.Clock.Now()); err != nil {
		r.fail(s, m, err)
		return
	}
	r.finish("host")
}

// meantLocked is what a client means to send, unless it is held: a device is when
// its owner is.
func (r *room) meantLocked(s *session) Sources {
	m := s.media
	m.Held = r.seats[s.seat].Held
	if owner := r.seatOfLocked(s.owner); owner != nil {
		m.Held = m.Held || owner.Held
	}
	return m
}

// awayHeldLocked gives the held seats of those who left or lost their socket. The host's page does not
// show them, so that they are not in its list: they stay held until they are back and the host lets them go.
func (r *room) awayHeldLocked() (ids []string) {
	for id, seat := range r.seats {
		to := r.sessions[id]
		if seat.Held && (seat.State != Admitted || to == nil || !to.online()) {
			ids = append(ids, id)
		}
	}
	return ids
}

// hold takes the whole list of who is held: the others speak in private, those
// neither hear nor see nor are heard. It is written, so that no restart lets
// anybody listen in.
func (r *room) hold(ctx context.Context, s *session, m *inbound) {
	r.mu.Lock()
	may := r.seats[s.seat].Host
	known := true
	for _, id := range m.Seats {
		seat := r.seats[id]
		known = known && seat != nil && !seat.Host && seat.State == Admitted
	}
	held := slices.Concat(m.Seats, r.awayHeldLocked())
	r.mu.Unlock()
	switch {
	case !may:
		s.say("error", errorMsg{Re: m.Seq, Code: "forbidden"})
		return
	case !known:
		s.say("error", errorMsg{Re: m.Seq, Code: "not_found"})
		return
	}
	r.order.Lock()
	defer r.order.Unlock()
	list, err := r.hub.svc.hold(ctx, r.act.ID, held)
	if err != nil {
		r.fail(s, m, err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, changed := range list {
		seat := r.seats[changed.ID]
		if seat == nil {
			continue
		}
		seat.Held = changed.Held
		if o := r.orphans[seat.ID]; o != nil {
			o.Sources.Held = seat.Held
			r.hub.svc.Media.Update(r.act.ID, seat.ID, o.Sources)
		}
		if to := r.sessions[seat.ID]; to != nil {
			r.hub.svc.Media.Update(r.act.ID, seat.ID, r.meantLocked(to))
		}
	}
	for id, to := range r.sessions {
		if to.owner != "" {
			r.hub.svc.Media.Update(r.act.ID, id, r.meantLocked(to))
		}
	}
	if len(list) > 0 {
		r.showLocked()
	}
}
