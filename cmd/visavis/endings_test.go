package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"visavis/internal/testkit"
	"visavis/internal/testkit/rtcclient"
)

// ending is one way in which a consultation ends, and what its signed report must
// say and must not say.
type ending struct {
	name  string
	media [2]string // what the doctor and the patient send: both, voice or none
	ends  func(c *call)
	says  []string
	never []string
}

// noCause are the words of causes and incidents: none of them may stand in the
// report of an act that ended without trouble.
func noCause() []string {
	return []string{"connexion", "Connexion", "serveur", "coupé", "côté", "appareil du", "départ non constaté"}
}

const noIncident = "Incidents techniques Aucun incident technique n'a été enregistré."

// hangUp closes the doctor's or the patient's connections as a crash does: nothing
// is said any more.
func (c *call) hangUp(seat int) {
	_ = c.flows[seat].PC.Close()
	c.seats[seat].Cut()
}

// closeTab closes them as a browser does whose page closes.
func (c *call) closeTab(seat int) {
	c.seats[seat].Leave()
	_ = c.flows[seat].PC.Close()
}

func (c *call) sends(seat int, t string, fields map[string]any) {
	if _, err := c.seats[seat].Send(t, fields); err != nil {
		c.t.Error(err)
	}
}

func (c *call) pause(d time.Duration) {
	select {
	case <-time.After(d): // a stretch of the consultation
	case <-c.ctx.Done():
	}
}

// comesBack enters again after a crash, with a new connection.
func (c *call) comesBack(seat int) {
	who := []*testkit.Client{c.doctor, c.patients[0]}[seat]
	c.seats[seat] = c.enter(who)
	c.flows[seat] = c.joinAs(seat, "again", 1)
	if err := c.flows[seat].Until(c.ctx, func(m *rtcclient.Media) bool { return len(m.Summary()) >= 1 }); err != nil {
		c.t.Error(err)
	}
	c.measures(seat)
}

func (c *call) over() { c.do("POST", "/api/encounters/"+c.encounter+"/finish", nil, nil) }

// endings are those in which the server itself lives.
func endings() []ending {
	const proven = 16 * time.Second // after which a lost connection is certain
	quiet := func(name string, ends func(c *call), says ...string) ending {
		return ending{name, [2]string{"both", "both"}, ends, append(says, noIncident), noCause()}
	}
	lost := func(name string, ends func(c *call), says ...string) ending {
		return ending{name, [2]string{"both", "both"}, ends, says, []string{"Aucun incident", "notre côté", "serveur de visavis", "a fermé la page"}}
	}
	end := func(c *call) { c.sends(0, "end", nil) }
	return []ending{
		quiet("the doctor ends by « Terminer »", end),
		quiet("the doctor ends by HTTP and hangs up first", func(c *call) { c.over(); c.hangUp(0) }),
		quiet("the patient leaves by the button", func(c *call) { c.sends(1, "leave", nil); c.pause(2 * time.Second); end(c) }, "a quitté la consultation"),
		quiet("the patient's tab is closed", func(c *call) { c.closeTab(1); c.pause(proven); end(c) }, "a fermé la page"),
		quiet("the doctor's tab is closed", func(c *call) { c.closeTab(0); c.pause(proven); c.over() }, "a fermé la page"),
		quiet("both tabs are closed", func(c *call) { c.closeTab(0); c.closeTab(1); c.pause(proven); c.over() }, "a fermé la page"),
		lost("the patient's device crashes", func(c *call) { c.hangUp(1); c.pause(proven); end(c) },
			"connexion perdue, sans retour", "Le serveur n'a plus rien reçu de l'appareil du patient"),
		lost("the doctor's device crashes", func(c *call) { c.hangUp(0); c.pause(proven); c.over() },
			"connexion perdue, sans retour", "Le serveur n'a plus rien reçu de l'appareil du médecin"),
		lost("the patient's network is cut, and comes back", func(c *call) { c.hangUp(1); c.pause(proven); c.comesBack(1); end(c) },
			"Le serveur n'a plus rien reçu de l'appareil du patient"),
		lost("the doctor's network is cut, and comes back", func(c *call) { c.hangUp(0); c.pause(proven); c.comesBack(0); c.over() },
			"Le serveur n'a plus rien reçu de l'appareil du médecin"),
		lost("both networks are cut", func(c *call) { c.hangUp(0); c.hangUp(1); c.pause(proven); c.over() },
			"Sans cause connue, la connexion de tous les participants a été coupée en même temps"),
		quiet("the patient's device crashes two seconds before the end", func(c *call) { c.hangUp(1); c.pause(2 * time.Second); end(c) }),
		{"no video at all", [2]string{"none", "none"}, end, []string{"jamais transmise dans les deux sens à la fois", noIncident}, noCause()},
		{"sound only", [2]string{"voice", "voice"}, end, []string{"jamais transmise dans les deux sens à la fois", noIncident}, append(noCause(), "son seul")},
		quiet("the patient is on hold for a while, and at the end", func(c *call) {
			c.stopsFor(func() { c.hold(c.seats[1].Seat) }, func() { c.hold() })
			c.hold(c.seats[1].Seat)
			c.pause(2 * time.Second)
			end(c)
		}),
		quiet("the patient reloads the page", func(c *call) { c.closeTab(1); c.comesBack(1); end(c) }),
		quiet("the patient is removed", func(c *call) {
			c.sends(0, "remove", map[string]any{"seat": c.seats[1].Seat, "reason": "other"})
			c.pause(2 * time.Second)
			end(c)
		}, "accès fermé par le professionnel"),
		quiet("the patient's page was hidden for a while, and the act ends twice", func(c *call) {
			c.stopsFor(func() { c.looks(1, 0) }, func() { c.looks(1, 720) })
			end(c)
			c.pause(time.Second)
			c.over()
		}),
		{"the doctor's picture stands still", [2]string{"both", "both"}, func(c *call) {
			c.stopsFor(func() { c.flows[0].StopPictures(true) }, func() { c.flows[0].StopPictures(false) })
			end(c)
		}, []string{"Le débit descendant du patient est tombé à"}, []string{"Aucun incident", "appareil du médecin", "notre côté", "serveur de visavis"}},
	}
}

// seated prepares the act of a demo patient; both meet when it begins.
func seated(t *testing.T, r *rig, who int) *call {
	t.Helper()
	c := &call{spy: &spy{witness: &witness{rig: r, doctor: r.staff(account([]string{"MARTIN", "DUPRÉ-LACROIX"}[who%2]))}}, who: who}
	var cancel context.CancelFunc
	c.ctx, cancel = context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	patient := c.patient(who)
	c.patients = []*testkit.Client{patient}
	var me struct{ AppointmentID string }
	patient.Get("/api/me").Want(200).JSON(&me)
	c.appointment = me.AppointmentID
	c.booked = map[string]slot{me.AppointmentID: {start: c.links.Patients[who].Start}}
	c.encounter = c.spy.encounter(make(chan struct{}), me.AppointmentID)
	var text struct{ ID, SHA256 string }
	c.do("GET", "/api/consent-texts?purpose=teleconsultation&lang=fr", nil, &text)
	body := map[string]any{"textId": text.ID, "sha256": text.SHA256, "decision": "granted"}
	if a := c.doctor.Do("POST", "/api/appointments/"+c.appointment+"/consent/oral", body); a.Status == 422 { // a minor
		body["representative"] = map[string]string{"name": "Julie MOREAU", "relation": "mother", "document": "identity-card"}
		c.do("POST", "/api/appointments/"+c.appointment+"/consent/oral", body, nil)
	}
	return c
}

// begins has both meet, sends what is wanted, and lets it flow for three seconds.
func (c *call) begins(media [2]string) {
	c.chaos = [2]*rtcclient.Chaos{{}, {}}
	c.meet()
	c.wait(1, "media", func(m rtcclient.Msg) bool { return m["allowed"] == true })
	c.do("POST", "/api/encounters/"+c.encounter+"/identity", map[string]string{"how": "face-and-name"}, nil)
	for i, what := range media {
		if what == "none" {
			continue
		}
		c.flows[i] = c.joinAs(i, "other", 1)
		if what == "voice" {
			c.sends(i, "mute", map[string]any{"mic": true, "camera": false})
		}
	}
	for i, what := range media {
		if what == "both" {
			c.measures(i)
		}
	}
	c.pause(3 * time.Second)
}

// page signs the report and gives its words, and checks that the record, read again,
// has the same seconds of video and of everybody's presence as the page.
func (c *call) page() string {
	c.t.Helper()
	path := "/api/encounters/" + c.encounter
	var e struct {
		Status     string
		VideoProof struct{ BothWaysSeconds int }

		Participants []struct {
			Role    string
			Periods []struct{ Start, End time.Time }
		}
	}
	testkit.Eventually(c.t, 20*time.Second, "the act is finished", func() bool {
		c.doctor.Get(path).Want(200).JSON(&e)
		return e.Status == "finished"
	})
	c.do("PUT", path+"/report", map[string]string{"motive": "Toux", "text": "Examen normal.", "conclusion": "", "followUp": ""}, nil, testkit.Match("0"))
	var signed struct{ DocumentID string }
	testkit.Eventually(c.t, 60*time.Second, "the act is settled and its report signed", func() bool {
		a := c.doctor.Do("POST", path+"/report/sign", map[string]int{"version": 1})
		if a.Status == 409 && bytes.Contains(a.Body, []byte(`"act-not-settled"`)) {
			return false // a fact of the killed process is delivered again after a while
		}
		a.Want(201).JSON(&signed)
		return true
	})
	cmd := exec.Command("pdftotext", "-layout", "-", "-")
	cmd.Stdin = bytes.NewReader(c.doctor.Get("/api/documents/" + signed.DocumentID + "/pdf").Want(200).Body)
	out, err := cmd.Output()
	if err != nil {
		c.t.Fatal(err)
	}
	c.doctor.Get(path).Want(200).JSON(&e)
	page := strings.Join(strings.Fields(string(out)), " ")
	if n := e.VideoProof.BothWaysSeconds; n > 0 && n < 60 && !strings.Contains(page, fmt.Sprintf("transmise dans les deux sens pendant %d s", n)) {
		c.t.Errorf("the record has %d s of video, the report says otherwise", n)
	}
	for _, p := range e.Participants {
		for _, stay := range p.Periods {
			if long := stay.End.Unix() - stay.Start.Unix(); long < 60 && !strings.Contains(page, fmt.Sprintf("(%d s)", long)) {
				c.t.Errorf("the record has the %s for %d s, the report says otherwise: %s", p.Role, long, page)
			}
		}
	}
	return page
}

// judge compares a page with what it must say, and gives the part to read aloud.
func (e ending) judge(t *testing.T, page string) string {
	t.Helper()
	facts, _, _ := strings.Cut(page[strings.Index(page, "Horaires"):], " Motif ")
	_, after, _ := strings.Cut(page, "Incidents techniques")
	incidents, _, _ := strings.Cut(after, " Signature de l'auteur")
	if _, photos, ok := strings.Cut(page, "Photos de la consultation"); ok {
		photos, _, _ = strings.Cut(photos, "Incidents techniques")
		facts += " / Photos de la consultation" + photos
	}
	facts += " / Incidents techniques" + incidents
	for _, s := range append(slices.Clone(e.says), "visage et nom confirmés par Dr", "donné de vive voix") {
		if !strings.Contains(facts, s) {
			t.Errorf("%s: the report does not say %q:\n%s", e.name, s, facts)
		}
	}
	for _, s := range append(slices.Clone(e.never), "date de naissance", "son seul", "recueilli") {
		if strings.Contains(facts, s) {
			t.Errorf("%s: the report says %q:\n%s", e.name, s, facts)
		}
	}
	return facts
}

// TestEndings is acceptance 4 of issue 9: what the signed report says for each way
// in which a consultation ends, driven through the real program.
func TestEndings(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: not in -short")
	}
	t.Parallel()
	list := append(endings(), peopleEndings()...)
	var mu sync.Mutex
	said := map[string]string{}
	note := func(name, page string) {
		mu.Lock()
		defer mu.Unlock()
		said[name] = page
	}
	t.Run("ways", func(t *testing.T) {
		for group := range slices.Chunk(list, 5) {
			t.Run(group[0].name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, "", "")
				var calls []*call
				for i := range group {
					calls = append(calls, seated(t, r, i))
				}
				var all sync.WaitGroup
				for i, e := range group {
					all.Go(func() {
						calls[i].begins(e.media)
						e.ends(calls[i])
						note(e.name, e.judge(t, calls[i].page()))
					})
				}
				all.Wait()
			})
		}
		t.Run("our own faults", func(t *testing.T) {
			t.Parallel()
			ourFaults(t, note)
		})
	})
	var table strings.Builder
	for _, name := range append(func() (names []string) {
		for _, e := range list {
			names = append(names, e.name)
		}
		return names
	}(), "app is killed", "media is killed", "the whole server is killed") {
		fmt.Fprintf(&table, "\n%s\n    %s\n", name, said[name])
	}
	t.Log(table.String())
}

// ourFaults strikes the program itself, one call after the other.
func ourFaults(t *testing.T, note func(name, page string)) {
	r := newRig(t, "", "", "VISAVIS_ROLE=auto")
	both := [2]string{"both", "both"}
	app := seated(t, r, 0)
	app.begins(both)
	sessions := [2]string{app.seats[0].Session, app.seats[1].Session}
	app.strike("app", 0, syscall.SIGKILL)
	app.gone()
	app.back(sessions, 1)
	app.pause(2 * time.Second)
	app.sends(0, "end", nil)
	e := ending{"app is killed", both, nil, []string{"Le serveur de visavis a redémarré"}, []string{"Aucun incident", "appareil du", "sans retour"}}
	note(e.name, e.judge(t, app.page()))

	media := seated(t, r, 2)
	media.begins(both)
	at := media.strike("media", 0, syscall.SIGKILL)
	media.rejoined(at, 1)
	media.pause(2 * time.Second)
	media.over()
	e = ending{"media is killed", both, nil, []string{"coupés par l'arrêt d'un serveur vidéo de visavis"}, []string{"Aucun incident", "appareil du", "sans retour"}}
	note(e.name, e.judge(t, media.page()))

	whole := seated(t, r, 4)
	whole.begins(both)
	r.kill()
	testkit.Eventually(t, 20*time.Second, "its ports are free", func() bool {
		l, err := net.Listen("tcp", strings.TrimPrefix(r.url, "http://"))
		return err == nil && l.Close() == nil
	})
	r.start()
	whole.doctor = r.staff(account("MARTIN"))
	whole.over()
	e = ending{"the whole server is killed", both, nil, []string{"Le serveur de visavis a redémarré"}, []string{"Aucun incident", "appareil du", "sans retour", "jamais transmise"}}
	note(e.name, e.judge(t, whole.page()))
}
