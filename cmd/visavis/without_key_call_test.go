package main

import (
	"context"
	"net/http"
	"slices"
	"time"

	"visavis/internal/testkit"
	"visavis/internal/testkit/rtcclient"
)

// offer asks the gate of the media as a browser does, with an offer that the
// media would not take either: what comes back says which of both refused it.
func (h *hostile) offer() answered {
	h.t.Helper()
	if h.offers%7 == 0 { // of one socket, few are taken at once
		if h.socket != nil {
			h.socket.Cut()
		}
		h.socket = h.enter(h.patients[0])
	}
	h.offers++
	cl := h.socket
	n, err := cl.Send("offer", map[string]any{"pc": 1, "sdp": "v=0\r\n"})
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(h.ctx, 20*time.Second)
	defer cancel()
	m, err := cl.Wait(ctx, "error", func(m rtcclient.Msg) bool { return uint64(m.Num("re")) == n })
	if err != nil {
		h.t.Fatal(err)
	}
	if m.Str("code") != "media_refused" {
		return answered{200, m.Str("code")} // the gate is open
	}
	return answered{403, "media: " + m.Str("reason")}
}

// consents changes what a patient agreed to, in the act of a patient who withdrew:
// no sound and no picture may flow, whatever the tables say.
func (h *hostile) consents() {
	patient := h.patients[0]
	h.consentOral(h.appointment)
	h.meet()
	for _, cl := range h.seats {
		cl.Cut()
	}
	if a := h.offer(); a.status != 200 {
		h.t.Fatalf("who agreed is refused the media: %v", a)
	}
	head := h.save("consent_heads", "appointment_id = ?", h.appointment)
	patient.Post("/api/appointments/"+h.appointment+"/consent/withdraw", nil).Want(200)
	now := h.save("consent_heads", "appointment_id = ?", h.appointment)
	last := h.save("consents", "appointment_id = ? AND seq = 2", h.appointment)
	both := h.save("consents", "appointment_id = ?", h.appointment)
	id := last.value("id").(string)
	fact := h.save("events", "subject = ?", id)
	testkit.Eventually(h.t, 20*time.Second, "the withdrawal's entry has its number", func() bool {
		return h.text("SELECT CAST(count(*) AS TEXT) FROM audit WHERE object = ? AND version > 0 AND seq IS NOT NULL", "consent_heads/"+h.appointment) == "1"
	})
	entry := h.save("audit", "object = ? AND version > 0", "consent_heads/"+h.appointment)
	h.withdrawn = head
	stamp := h.save("consent_stamps", "consent_id = ?", id)
	forget := func() {
		h.change("DELETE FROM consent_stamps WHERE consent_id = ?", id)
		h.change("DELETE FROM consents WHERE id = ?", id)
	}
	headObject, object := "consent_heads/"+h.appointment, "consents/"+id
	all := []saved{both, stamp, now, fact}
	theirs := h.save("consents", "appointment_id = ?", h.theirs)
	for _, f := range []forgery{
		{what: "the record of a withdrawal deleted", object: "consents of appointment/" + h.appointment, do: forget},
		{what: "a withdrawal flipped to granted", object: object, do: func() { h.change("UPDATE consents SET state = 'granted' WHERE id = ?", id) }},
		{what: "flipped, and the head with it", object: headObject, do: func() {
			h.change("UPDATE consents SET state = 'granted' WHERE id = ?", id)
			h.change("UPDATE consent_heads SET state = 'granted' WHERE appointment_id = ?", h.appointment)
		}},
		{what: "the head before the withdrawal put back", object: headObject, do: head.putBack},
		{what: "put back, the record deleted", object: headObject, do: func() { forget(); head.putBack() }},
		{what: "put back, the record and its fact deleted", object: headObject, do: func() {
			forget()
			h.change("DELETE FROM events WHERE subject = ?", id)
			head.putBack()
		}},
		{what: "put back, record, fact and entry of the log deleted", object: headObject, do: func() {
			forget()
			h.change("DELETE FROM events WHERE subject = ?", id)
			h.change("DELETE FROM audit WHERE object = ? AND version > 0", headObject)
			head.putBack()
		}},
		{what: "the bundle of another act, which was agreed to", object: "consents of appointment/" + h.appointment, do: func() {
			h.change("UPDATE consents SET state = 'granted', bundle = ?, jws = ?, hash = ? WHERE id = ?", theirs.value("bundle"), theirs.value("jws"), theirs.value("hash"), id)
		}},
		{what: "the bundle of another act, and its hash in the head", object: headObject, do: func() {
			h.change("UPDATE consents SET state = 'granted', bundle = ?, jws = ?, hash = ? WHERE id = ?", theirs.value("bundle"), theirs.value("jws"), theirs.value("hash"), id)
			h.change("UPDATE consent_heads SET state = 'granted', hash = ? WHERE appointment_id = ?", theirs.value("hash"), h.appointment)
		}},
		{what: "the bundle under which it was granted", object: object, do: func() {
			first := h.save("consents", "appointment_id = ? AND seq = 1", h.appointment)
			h.change("UPDATE consents SET state = 'granted', bundle = ?, jws = ? WHERE id = ?", first.value("bundle"), first.value("jws"), id)
		}},
	} {
		f.ask = h.offer
		f.rows = append(slices.Clone(all), entry)
		h.try(f)
		if a := of(patient.Get("/api/appointments/" + h.appointment + "/consent")); a.status != 200 {
			h.t.Errorf("%s: afterwards the page answers %v", f.what, a)
		}
	}
}

// seatRows enters a room without having been let in.
func (h *hostile) seatRows() {
	patient := h.patients[0]
	h.socket.Cut()
	enters := func(ticket string, cl *rtcclient.Client) answered {
		defer cl.Cut()
		if err := cl.Hello(ticket, "tab"); err != nil {
			h.t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(h.ctx, 20*time.Second)
		defer cancel()
		code, err := cl.CloseCode(ctx)
		if err != nil {
			return answered{200, "entered"}
		}
		if code == 1011 {
			return answered{500, "1011"}
		}
		return answered{403, "socket closed"}
	}
	used, cl := h.ticket(patient)
	old := h.save("seat_tickets", "hash = ?", hashed(used))
	if err := cl.Hello(used, "tab"); err != nil {
		h.t.Fatal(err)
	}
	if _, err := cl.Wait(h.ctx, "welcome", nil); err != nil {
		h.t.Fatal(err)
	}
	cl.Cut()
	socket := func() *rtcclient.Client { _, cl := h.ticket(patient); return cl }
	h.try(forgery{what: "a used ticket put back", object: "", rows: []saved{h.save("seat_tickets", "hash = ?", hashed(used))}, do: old.putBack,
		ask: func() answered { return enters(used, socket()) }})
	token, hash := secret()
	h.try(forgery{what: "a ticket", rows: []saved{h.save("seat_tickets", "hash = ?", hash)}, do: func() {
		old.copyRow(map[string]any{"hash": hash, "expires_at": micros(time.Minute)})
	}, ask: func() answered { return enters(token, socket()) }})

	seat := h.save("seats", "person_id = ? AND encounter_id = ?", h.session(patient).value("patient_id"), h.encounter)
	doctor := h.enter(h.doctor)
	if _, err := doctor.Send("remove", map[string]any{"seat": seat.value("id"), "reason": "other"}); err != nil {
		h.t.Fatal(err)
	}
	testkit.Eventually(h.t, 10*time.Second, "the patient was put out", func() bool {
		return h.text("SELECT state FROM seats WHERE id = ?", seat.value("id")) == "removed"
	})
	doctor.Leave()
	h.try(forgery{what: "a seat put back from which somebody was removed", object: "seats/" + seat.value("id").(string), rows: []saved{h.save("seats", "id = ?", seat.value("id"))},
		do: seat.putBack, ask: func() answered {
			a := patient.Post("/api/encounters/"+h.encounter+"/admission", nil, testkit.Header("Origin", h.url))
			if a.Status != http.StatusCreated {
				return of(a)
			}
			ticket, cl := h.ticket(patient)
			return enters(ticket, cl)
		}})
}
