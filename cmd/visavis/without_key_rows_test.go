package main

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"visavis/internal/store"
	"visavis/internal/testkit"
)

// pdf asks for the victim's report with somebody's session.
func (h *hostile) pdf(c *testkit.Client) func() answered {
	return func() answered { return of(c.Get("/api/documents/" + h.document + "/pdf")) }
}

func get(c *testkit.Client, path string) func() answered {
	return func() answered { return of(c.Get(path)) }
}

func (h *hostile) session(c *testkit.Client) saved {
	return h.save("sessions", "hash = ?", hashed(c.Session()))
}

// sessions forges and puts back what opens the pages of somebody.
func (h *hostile) sessions() {
	if a := h.pdf(h.victim)(); a.status != 200 {
		h.t.Fatalf("the victim does not read their own report: %v", a)
	}
	theirs := h.session(h.victim)
	for what, mac := range map[string]any{"insert a session row, without a MAC": "", "insert a session row, with the MAC of another": theirs.value("mac")} {
		token, hash := secret()
		id := newID()
		h.try(forgery{what: what, object: "sessions/" + id, rows: []saved{h.save("sessions", "id = ?", id)}, ask: h.pdf(h.client().With(token)),
			do: func() { theirs.copyRow(map[string]any{"id": id, "hash": hash, "mac": mac}) }})
	}
	token, hash := secret()
	h.try(forgery{what: "own cookie's hash in another person's session", object: "sessions/" + theirs.value("id").(string), rows: []saved{theirs}, ask: h.pdf(h.client().With(token)),
		do: func() { h.change("UPDATE sessions SET hash = ? WHERE id = ?", hash, theirs.value("id")) }})
	mine := h.session(h.own)
	object := "sessions/" + mine.value("id").(string)
	h.try(forgery{what: "own session made another person's", object: object, rows: []saved{mine}, ask: h.pdf(h.own),
		do: func() {
			h.change("UPDATE sessions SET patient_id = ?, appointment_id = ?, level = 2 WHERE id = ?", theirs.value("patient_id"), theirs.value("appointment_id"), mine.value("id"))
		}})
	low := h.patient(2)
	h.try(forgery{what: "level = 2 in a session that typed no code", object: "sessions/" + h.session(low).value("id").(string), rows: []saved{h.session(low)}, ask: h.pdf(low),
		do: func() { h.change("UPDATE sessions SET level = 2 WHERE hash = ?", hashed(low.Session())) }})

	mineAt := "/api/appointments/" + mine.value("appointment_id").(string) + "/consent"
	late := h.patient(1)
	h.change("UPDATE sessions SET at = ?, seen_at = ? WHERE hash = ?", micros(-13*time.Hour), micros(-13*time.Hour), hashed(late.Session()))
	h.rig.sign(h.db, "sessions") // as if it had been opened then
	h.try(forgery{what: "the times of an expired session", object: "sessions/" + h.session(late).value("id").(string), rows: []saved{h.session(late)}, ask: get(late, mineAt),
		do: func() {
			h.change("UPDATE sessions SET at = ?, seen_at = ? WHERE hash = ?", micros(0), micros(0), hashed(late.Session()))
		}})
	gone := h.patient(1)
	old := h.session(gone)
	token = gone.Session()
	gone.Post("/api/me/sign-out", nil).Want(200)
	ended := h.save("sessions", "id = ?", old.value("id"))
	h.ended, h.endedToken = old, token
	h.try(forgery{what: "an ended session put back", object: "sessions/" + old.value("id").(string), rows: []saved{ended}, ask: get(h.client().With(token), mineAt), do: old.putBack})
}

func micros(d time.Duration) int64 { return store.Micros(time.Now().Add(d)) }

// opens asks to open a link, each time from another network.
func (h *hostile) opens(token string) func() answered {
	return func() answered { return of(h.home().Post("/api/links/open", map[string]string{"token": token})) }
}

func (h *hostile) linkOf(n int) (string, saved) {
	_, token, _ := strings.Cut(h.rig.links.Patients[n].URL, "#")
	return token, h.save("links", "hash = ?", hashed(token))
}

// links forges and puts back what opens a session.
func (h *hostile) linkRows() {
	_, theirs := h.linkOf(2)
	token, hash := secret()
	id := newID()
	h.try(forgery{what: "a patient's link", object: "links/" + id, rows: []saved{h.save("links", "id = ?", id)}, ask: h.opens(token),
		do: func() { theirs.copyRow(map[string]any{"id": id, "hash": hash}) }})
	token, mine := h.linkOf(1)
	h.try(forgery{what: "own link made another patient's", object: "links/" + mine.value("id").(string), rows: []saved{mine}, ask: h.opens(token), before: 200,
		do: func() {
			h.change("UPDATE links SET patient_id = ?, appointment_id = ? WHERE id = ?", theirs.value("patient_id"), theirs.value("appointment_id"), mine.value("id"))
		}})
	token, old := h.linkOf(4)
	h.do("POST", "/api/appointments/"+old.value("appointment_id").(string)+"/link/revoke", nil, nil)
	h.revoked, h.revokedToken = old, token
	revoked := h.save("links", "id = ?", old.value("id"))
	h.try(forgery{what: "a revoked link put back", object: "links/" + old.value("id").(string), rows: []saved{revoked}, ask: h.opens(token), do: old.putBack})

	companion, token, hash := newID(), "", []byte(nil)
	token, hash = secret()
	id = newID()
	listed := func() answered {
		a := h.victim.Get("/api/appointments/" + h.theirs + "/companions")
		if a.Status == 200 && !strings.Contains(string(a.Body), companion) {
			return answered{404, "(200, not listed)"}
		}
		return of(a)
	}
	h.try(forgery{what: "a companion at somebody's side", object: "companions/" + companion, rows: []saved{h.save("companions", "id = ?", companion)}, ask: listed,
		do: func() {
			h.exec("INSERT INTO companions (id, appointment_id, patient_id, contact, sealed, at, revoked_at, rev, mac) VALUES (?, ?, ?, ?, ?, ?, 0, 1, '')",
				companion, h.theirs, theirs.value("patient_id"), hash, []byte{1}, micros(0))
		}})
	h.try(forgery{what: "a companion's link", object: "links/" + id, rows: []saved{h.save("links", "id = ?", id)}, ask: h.opens(token),
		do: func() { theirs.copyRow(map[string]any{"id": id, "hash": hash, "companion_id": companion}) }})
}

// staffRows changes what a professional is and takes part in.
func (h *hostile) staffRows() {
	clerk := h.staff(account("LEROY"))
	who := func(c *testkit.Client) string { return h.session(c).value("staff_id").(string) }
	read := "/api/encounters/" + h.act
	for _, x := range []struct {
		what string
		c    *testkit.Client
		set  string
		to   any
	}{
		{"a secretary's role set to doctor", clerk, "role", "doctor"},
		{"a secretary's profession set to physician", clerk, "profession", "10"},
		{"a doctor moved to another organisation", h.other, "organization_id", h.text("SELECT id FROM organizations WHERE id NOT IN (SELECT organization_id FROM patients) LIMIT 1")},
		{"a doctor's specialty", h.other, "specialty", "SM54"},
	} {
		id := who(x.c)
		h.try(forgery{what: x.what, object: "staff/" + id, rows: []saved{h.save("staff", "id = ?", id)}, ask: get(x.c, read),
			do: func() { h.change("UPDATE staff SET "+x.set+" = ? WHERE id = ?", x.to, id) }})
	}
	id := who(h.other)
	h.try(forgery{what: "a row in the care team of an act", object: "encounter_team/" + h.act + "/" + id, ask: get(h.other, read),
		rows: []saved{h.save("encounter_team", "encounter_id = ? AND staff_id = ?", h.act, id)},
		do: func() {
			h.change("INSERT INTO encounter_team (encounter_id, staff_id, role, invited_by, at, rev, mac) VALUES (?, ?, 'doctor', ?, ?, 1, '')", h.act, id, id, micros(0))
		}})

	tired := h.staff(account("MARTIN"))
	session := h.session(tired).value("id").(string)
	h.change("UPDATE sessions SET at = ? WHERE id = ?", micros(-2*time.Hour), session)
	h.rig.sign(h.db, "sessions") // as if it had been opened then
	var ready struct{ Version int }
	tired.Post("/api/documents/"+h.document+"/replace", map[string]any{}).Want(200).JSON(&ready)
	mac := make([]byte, 32)
	rand.Read(mac)
	h.try(forgery{what: "a step-up that nobody made", object: "step_ups/" + session, rows: []saved{h.save("step_ups", "session_id = ?", session)}, unverified: true, before: 403,
		ask: func() answered {
			return of(tired.Post("/api/encounters/"+h.act+"/report/sign", map[string]int{"version": ready.Version}))
		},
		do: func() {
			h.change("INSERT INTO step_ups (session_id, at, mac) VALUES (?, ?, ?)", session, micros(0), mac)
		}})
}

// acts changes whose an act is and where it stands.
func (h *hostile) acts() {
	theirs := h.save("appointments", "id = ?", h.theirs)
	path := "/api/appointments/" + h.theirs + "/consent"
	object := "appointments/" + h.theirs
	h.try(forgery{what: "an appointment's state", object: object, rows: []saved{theirs}, ask: get(h.victim, path), before: 200,
		do: func() { h.change("UPDATE appointments SET status = 'arrived' WHERE id = ?", h.theirs) }})
	h.try(forgery{what: "an appointment given to another patient", object: object, rows: []saved{theirs}, ask: get(h.own, path),
		do: func() {
			h.change("UPDATE appointments SET patient_id = ? WHERE id = ?", h.session(h.own).value("patient_id"), h.theirs)
		}})

	var made struct{ ID string }
	h.client().Post("/api/appointments", h.booking(h.slots[len(h.slots)-1], 41)).Want(201).JSON(&made)
	old := h.save("appointments", "id = ?", made.ID)
	h.do("POST", "/api/appointments/"+made.ID+"/cancel", map[string]string{"reason": "empêchée"}, nil)
	h.try(forgery{what: "a cancelled appointment put back", object: "appointments/" + made.ID, rows: []saved{h.save("appointments", "id = ?", made.ID)}, do: old.putBack,
		ask: func() answered { return of(h.doctor.Post("/api/appointments/"+made.ID+"/link", nil)) }})

	act := h.save("encounters", "id = ?", h.act)
	h.try(forgery{what: "a finished act opened again", object: "encounters/" + h.act, rows: []saved{act},
		ask: func() answered {
			return of(h.doctor.Post("/api/encounters/"+h.act+"/identity", map[string]string{"how": "document"}))
		},
		do: func() { h.change("UPDATE encounters SET status = 'planned', finished_at = 0 WHERE id = ?", h.act) }})
	h.try(forgery{what: "a document given to another patient", object: "documents/" + h.document, rows: []saved{h.save("documents", "id = ?", h.document)}, ask: h.pdf(h.victim), before: 200,
		do: func() {
			h.change("UPDATE documents SET patient_id = ? WHERE id = ?", h.session(h.own).value("patient_id"), h.document)
		}})
}

// contacts books in the name of a contact that was not proven.
func (h *hostile) contacts() {
	free := h.slots[len(h.slots)-2]
	mine, theirs := free.bookingOf(guest{"familyName": "DURAND", "givenName": "Camille", "birthDate": "1980-02-29", "phone": "+33639980071"}),
		free.bookingOf(guest{"familyName": "PETIT", "givenName": "Alix", "birthDate": "1981-02-28", "phone": "+33639980072"})
	newest := func(table string) saved {
		return h.save(table, "at = (SELECT max(at) FROM "+table+")")
	}
	sent := h.askCode(h.home(), mine)
	code, own := h.codes(map[string]string{"+33639980071": sent})["+33639980071"], newest("contact_codes")
	tried := h.askCode(h.home(), theirs)
	row := newest("contact_attempts")
	theirs["attempt"] = tried
	object := fmt.Sprintf("contact_attempts/%x", row.value("hash"))
	h.try(forgery{what: "an attempt to book marked as proven", object: object, rows: []saved{row}, ask: func() answered { return of(h.home().Post("/api/appointments", theirs)) },
		do: func() {
			h.change("UPDATE contact_attempts SET proven_at = ? WHERE hash = ?", micros(0), row.value("hash"))
		}})
	h.try(forgery{what: "own code made the code of another's telephone", object: "contact_codes/" + own.value("id").(string), rows: []saved{own},
		ask: func() answered {
			return of(h.home().Post("/api/booking-attempts/verify", map[string]string{"attempt": tried, "code": code}))
		},
		do: func() {
			h.change("UPDATE contact_codes SET contact = ? WHERE id = ?", row.value("contact"), own.value("id"))
		}})
}
