package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"visavis/internal/store"
	"visavis/internal/testkit"
	"visavis/internal/testkit/rtcclient"
)

// TestTheExactAnswers is acceptance 7: what the program says, word for word,
// to what it must not do. Only what names one request or record is left out.
func TestTheExactAnswers(t *testing.T) {
	t.Parallel()
	rigs(t, func(t *testing.T, r *rig) {
		c := &call{spy: &spy{witness: &witness{rig: r, doctor: r.staff(account("MARTIN"))}}}
		c.prepare()
		a := &answers{call: c, wanted: exactAnswers()}
		a.media()
		a.tickets()
		a.documents()
		a.bookings()
		a.links()
		a.tampered()
		for what := range a.wanted {
			t.Errorf("nobody asked: %s", what)
		}
	})
}

// answers compares what came with what is wanted, and prints it.
type answers struct {
	*call
	wanted map[string]string
}

var variable = regexp.MustCompile(`,?"(request|instance|ref)":"[^"]*"|[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f-]{17}`)

func (a *answers) is(what, got string) {
	a.t.Helper()
	got = strings.TrimSpace(variable.ReplaceAllString(got, ""))
	a.t.Logf("%s\n        %s", what, got)
	if want, asked := a.wanted[what]; !asked || got != want {
		a.t.Errorf("want\n        %s", want)
	}
	delete(a.wanted, what)
}

func (a *answers) http(what string, answer *testkit.Answer) {
	a.t.Helper()
	a.is(what, fmt.Sprintf("%d %s", answer.Status, answer.Body))
}

// media offers what would flow, had the patient agreed.
func (a *answers) media() {
	a.meet()
	for i, who := range []string{"doctor", "patient"} {
		m, err := rtcclient.NewMedia(rtcclient.Options{Voice: true, Camera: true, Slots: 1, Loopback: true})
		a.ok(err)
		sdp, err := m.Offer(a.ctx, false)
		a.ok(err)
		_, err = a.seats[i].Send("offer", map[string]any{"pc": 1, "sdp": sdp})
		a.ok(err)
		a.refused("media before consent: the "+who, a.seats[i])
		a.ok(m.Close())
	}
}

func (a *answers) ok(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

func (a *answers) refused(what string, cl *rtcclient.Client) {
	a.t.Helper()
	e, err := cl.Wait(a.ctx, "error", nil)
	a.ok(err)
	for _, own := range []string{"seq", "ack", "re", "t"} {
		delete(e, own)
	}
	raw, err := json.Marshal(e)
	a.ok(err)
	a.is(what, "error "+string(raw))
}

func (a *answers) tickets() {
	used, first := a.ticket(a.patients[0])
	a.ok(first.Hello(used, "tab"))
	_, err := first.Wait(a.ctx, "welcome", nil)
	a.ok(err)
	_, second := a.ticket(a.patients[0])
	a.ok(second.Hello(used, "tab"))
	a.refused("a ticket used again", second)
	expired, third := a.ticket(a.patients[0])
	a.change("UPDATE seat_tickets SET expires_at = ? WHERE used_at = 0", store.Micros(time.Now().Add(-time.Second)))
	a.ok(third.Hello(expired, "tab"))
	a.refused("an expired ticket", third)
}

func (a *answers) change(statement string, with ...any) {
	a.t.Helper()
	a.ok(a.db.Tx(a.ctx, func(_ context.Context, tx *store.Tx) error {
		done := tx.G().Exec(statement, with...)
		if done.Error == nil && done.RowsAffected == 0 {
			return fmt.Errorf("nothing to change: %s", statement)
		}
		return done.Error
	}))
	a.rig.sign(a.db, "seat_tickets", "links", "appointments")
}

// documents: another patient's is as absent as one that never was.
func (a *answers) documents() {
	a.papers(0)
	var id string
	a.ok(a.db.Read(a.ctx, func(_ context.Context, tx *store.Tx) error {
		return tx.G().Raw("SELECT id FROM documents LIMIT 1").Row().Scan(&id)
	}))
	a.doctor.Get("/api/documents/" + id + "/pdf").Want(200)
	other := a.patient(1)
	a.http("documents, with a link and no code", other.Get("/api/documents"))
	a.code(other)
	theirs := other.Get("/api/documents/" + id + "/pdf")
	a.http("another patient's document", theirs)
	none := other.Get("/api/documents/01a20212-cede-76d0-bdbf-7ea76a30e549/pdf")
	a.http("a document that never was", none)
	if !bytes.Equal(variable.ReplaceAll(theirs.Body, nil), variable.ReplaceAll(none.Body, nil)) || theirs.Status != none.Status {
		a.t.Error("the two answers differ")
	}
}

var digits6 = regexp.MustCompile(`\b\d{6}\b`)

// code proves the patient by the code sent to their phone.
func (a *answers) code(who *testkit.Client) {
	who.Post("/api/me/code", map[string]string{"channel": "sms"}).Want(202)
	var sent string
	testkit.Eventually(a.t, 20*time.Second, "the code came by SMS", func() bool {
		page, _ := a.fetch(a.rig.links.SMS + "/messages")
		var messages []struct{ Text string }
		a.ok(json.Unmarshal(page, &messages))
		for _, m := range messages {
			if found := digits6.FindString(m.Text); found != "" && !strings.Contains(m.Text, "http") {
				sent = found
			}
		}
		return sent != ""
	})
	who.Post("/api/me/code/verify", map[string]string{"code": sent}).Want(200)
}

func (a *answers) bookings() {
	c := a.client().From(82_000)
	a.http("a JSON body of 5 MB", c.Post("/api/appointments", `{"practitionerId":"`+strings.Repeat("x", 5<<20)+`"}`))
	past := a.booking(a.slots[0], 1)
	past["start"] = a.slots[0].start.AddDate(-1, 0, 0)
	a.http("a booking in the past", c.Post("/api/appointments", past))
	a.http("a booking by nobody who proved a telephone", c.Post("/api/appointments", a.slots[0].booking(1)))
	a.http("a specialty nobody has heard of", c.Get("/api/practitioners?specialty=SM99"))
	a.http("slots of a doctor that never was", c.Get("/api/practitioners/01a20212-cede-76d0-bdbf-7ea76a30e549/slots?days=14"))
	born := a.booking(a.slots[0], 2)
	born["patient"].(guest)["birthDate"] = "2999-01-01"
	a.http("a patient born tomorrow", c.Post("/api/appointments", born))
}

// links: a link opens as often as its holder needs (a mail robot, a phone that
// slept), for its one appointment; revoked, it opens nothing, also for who is
// in already.
func (a *answers) links() {
	open := func(token string) *testkit.Answer {
		a.opened++
		return a.client().From(83_000+a.opened).Post("/api/links/open", map[string]string{"token": token})
	}
	var once, twice struct{ AppointmentID string }
	token := a.token(2)
	open(token).Want(200).JSON(&once)
	open(token).Want(200).JSON(&twice)
	a.is("a link used again", fmt.Sprintf("200, the same appointment: %v", once == twice && once.AppointmentID != ""))
	inside := a.patient(2)
	a.do("POST", "/api/appointments/"+once.AppointmentID+"/link/revoke", nil, nil)
	a.http("a revoked link", open(token))
	a.http("who was in by a link that was revoked", inside.Get("/api/me"))
	a.http("a link that never was", open(strings.Repeat("A", 43)))
	token = a.token(4)
	open(token).Want(200).JSON(&once)
	const month = int64(30 * 24 * time.Hour / time.Microsecond)
	a.change("UPDATE links SET at = at - ?", month)
	a.change("UPDATE appointments SET start_at = start_at - ?, end_at = end_at - ? WHERE id = ?", month, month, once.AppointmentID)
	a.http("a link after its time", open(token))
}

func (a *answers) token(patient int) string {
	_, token, _ := strings.Cut(a.rig.links.Patients[patient].URL, "#")
	return token
}

// tampered changes one word of yesterday's log.
func (a *answers) tampered() {
	testkit.Eventually(a.t, 20*time.Second, "the entry has its number", func() bool {
		return a.count(a.db, "SELECT count(*) FROM audit WHERE seq = 7") == 1
	})
	testkit.AllowAuditChanges(a.t, a.db)
	a.change("UPDATE audit SET outcome = 'refused' WHERE seq = 7")
	a.kill()
	out, err := a.command("verify").CombinedOutput()
	var found []string
	for text := range strings.Lines(string(out)) { // beside it verify says what is as it was
		if strings.Contains(text, "tampered") {
			found = append(found, text)
		}
	}
	a.is("visavis verify after a changed audit row", fmt.Sprintf("%v: %s", err, strings.Join(found, "")))
}

// exactAnswers is what each case is answered.
func exactAnswers() map[string]string {
	const absent = `404 {"type":"https://visavis.invalid/problems/not-found","title":"Cette page n'existe pas","status":404,"detail":"Elle n'existe pas, ou elle n'est pas à vous. Vérifiez l'adresse ou revenez à l'accueil.","code":"not-found"}`
	return map[string]string{
		"media before consent: the doctor":           `error {"code":"media_refused","reason":"consent_missing"}`,
		"media before consent: the patient":          `error {"code":"media_refused","reason":"consent_missing"}`,
		"a ticket used again":                        `error {"code":"ticket_invalid"}`,
		"an expired ticket":                          `error {"code":"ticket_invalid"}`,
		"documents, with a link and no code":         `403 {"type":"https://visavis.invalid/problems/code-needed","title":"Un code est nécessaire","status":403,"detail":"Pour protéger vos documents, demandez un code par SMS ou par e-mail.","code":"code-needed"}`,
		"another patient's document":                 absent,
		"a document that never was":                  absent,
		"a JSON body of 5 MB":                        `413 {"type":"https://visavis.invalid/problems/too-large","title":"Envoi trop lourd","status":413,"detail":"L'envoi dépasse la taille permise. Rien n'a été enregistré.","code":"too-large"}`,
		"a booking by nobody who proved a telephone": `403 {"type":"https://visavis.invalid/problems/contact-not-proven","title":"Confirmez d'abord votre téléphone ou votre e-mail","status":403,"detail":"Rien n'a été réservé. Demandez un code et saisissez-le, puis confirmez le rendez-vous.","code":"contact-not-proven"}`,
		"a booking in the past":                      `422 {"type":"https://visavis.invalid/problems/fields","title":"Quelque chose est à corriger","status":422,"detail":"Rien n'a été enregistré. Corrigez les champs signalés, puis renvoyez.","code":"fields","fields":[{"name":"start","code":"in-past","detail":"Ce moment est passé. Choisissez un autre créneau."}]}`,
		"a specialty nobody has heard of":            `422 {"type":"https://visavis.invalid/problems/specialty-unknown","title":"Cette spécialité n'est pas connue","status":422,"detail":"Choisissez une spécialité de la liste.","code":"specialty-unknown"}`,
		"slots of a doctor that never was":           absent,
		"a patient born tomorrow":                    `422 {"type":"https://visavis.invalid/problems/fields","title":"Quelque chose est à corriger","status":422,"detail":"Rien n'a été enregistré. Corrigez les champs signalés, puis renvoyez.","code":"fields","fields":[{"name":"patient.birthDate","code":"in-future","detail":"Cette date est dans le futur."}]}`,
		"a link used again":                          `200, the same appointment: true`,
		"a revoked link":                             `410 {"type":"https://visavis.invalid/problems/link-revoked","title":"Ce lien a été annulé","status":410,"detail":"Un lien plus récent vous a peut-être été envoyé. Sinon, demandez-en un nouveau ou appelez le secrétariat.","code":"link-revoked"}`,
		"who was in by a link that was revoked":      `200 {"kind":"anonymous","level":"none","locale":"fr"}`,
		"a link that never was":                      `404 {"type":"https://visavis.invalid/problems/link-unknown","title":"Ce lien n'est pas reconnu","status":404,"detail":"Vérifiez qu'il est entier, ou demandez-en un nouveau sur la page « Retrouver mon lien ».","code":"link-unknown"}`,
		"a link after its time":                      `410 {"type":"https://visavis.invalid/problems/link-expired","title":"Ce lien n'est plus valable","status":410,"detail":"Le rendez-vous est passé. Demandez un nouveau lien pour retrouver vos documents.","code":"link-expired"}`,
		"visavis verify after a changed audit row":   "exit status 1: visavis: audit log was tampered with: entry 7 was changed",
	}
}
