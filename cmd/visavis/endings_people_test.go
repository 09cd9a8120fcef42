package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"image"
	"image/jpeg"
	"net/http"
	"regexp"
	"strings"
	"time"

	"visavis/internal/care"
	"visavis/internal/testkit"
	"visavis/internal/testkit/rtcclient"
)

// goesSilent stops all packets of a seat. Its sockets stay open and it sends no goodbye.
func (c *call) goesSilent(seat int) {
	c.chaos[seat].Lose(1)
	c.seats[seat].Freeze()
}

// joins brings a third person in, a while after the others.
func (c *call) joins(who *testkit.Client) *rtcclient.Client {
	third := c.enter(who)
	c.sends(0, "admit", map[string]any{"seat": third.Seat})
	if _, err := third.Wait(c.ctx, "admitted", nil); err != nil {
		c.t.Error(err)
	}
	return third
}

func (c *call) nurse() *testkit.Client {
	nurse := c.staff(account("BENALI"))
	var me struct{ Staff struct{ ID string } }
	nurse.Get("/api/me").Want(200).JSON(&me)
	c.do("POST", "/api/encounters/"+c.encounter+"/participants", map[string]string{"staffId": me.Staff.ID}, nil)
	return nurse
}

var linkToken = regexp.MustCompile(`https?://\S+#(\S+)`)

// companion invites a relative and opens the link of their message.
func (c *call) companion(name, phone string) *testkit.Client {
	c.patients[0].Post("/api/appointments/"+c.appointment+"/companions", map[string]string{"displayName": name, "phone": phone}).Want(http.StatusCreated)
	token := ""
	testkit.Eventually(c.t, 30*time.Second, "the companion's message came", func() bool {
		for _, m := range c.smses() {
			if found := linkToken.FindStringSubmatch(m.Text); found != nil && strings.HasSuffix(m.To, phone[len(phone)-8:]) {
				token = found[1]
			}
		}
		return token != ""
	})
	guest := c.client()
	guest.Post("/api/links/open", map[string]string{"token": token}).Want(200)
	return guest
}

// photo sends the one that the patient was asked for.
func (c *call) photo() {
	request := ""
	c.wait(1, "stills", func(m rtcclient.Msg) bool {
		for _, q := range m.List("requests") {
			request = q.Str("id")
		}
		return request != ""
	})
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 30)), nil); err != nil {
		c.t.Error(err)
	}
	sum := sha256.Sum256(b.Bytes())
	c.patients[0].Post("/api/encounters/"+c.encounter+"/stills?request="+request, b.Bytes(), testkit.Header("Content-Type", "image/jpeg"),
		testkit.Header("Content-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":"), testkit.Key(care.NewID(time.Now()))).Want(http.StatusCreated)
}

// peopleEndings are those with a third person, a photo, a withdrawal, or a network that only goes silent.
func peopleEndings() []ending {
	both := [2]string{"both", "both"}
	end := func(c *call) { c.sends(0, "end", nil) }
	const proven = 18 * time.Second // longer than an open socket may be quiet
	silent := func(name, of string, seat int, ends func(c *call)) ending {
		return ending{name, both, func(c *call) { c.goesSilent(seat); c.pause(proven); ends(c) },
			[]string{"de l'appareil " + of + " pendant 1", "connexion perdue, sans retour"}, []string{"pendant 12 s", "pendant 13 s", "pendant 14 s", "pendant 15 s", "pendant 16 s", "Aucun incident", "a fermé la page", "a quitté", "notre côté", "serveur de visavis"}}
	}
	return []ending{
		{"a photo was sent", both, func(c *call) {
			stop := func() {
				c.sends(0, "still", map[string]any{"seat": c.seats[1].Seat})
				c.flows[1].StopPictures(true)
			}
			c.stopsFor(stop, func() { c.photo(); c.flows[1].StopPictures(false) })
			end(c)
		}, []string{"photo prise par", "40 × 30 pixels", noIncident}, noCause()},
		{"the companion leaves before the end", both, func(c *call) {
			third := c.joins(c.companion("Rose MOREAU", "+33639980179"))
			c.pause(2 * time.Second)
			third.Leave()
			c.pause(2 * time.Second)
			end(c)
		}, []string{"Rose MOREAU", noIncident}, noCause()},
		{"the nurse comes late and leaves before the end, the doctor's camera was off for a while", both, func(c *call) {
			third := c.joins(c.nurse())
			c.stopsFor(func() { c.camera(0, false) }, func() { c.camera(0, true) })
			if _, err := third.Send("leave", nil); err != nil {
				c.t.Error(err)
			}
			c.pause(2 * time.Second)
			end(c)
		}, []string{", soins infirmiers", "a quitté la consultation", noIncident}, noCause()},
		{"the patient withdraws the agreement in the call", both, func(c *call) {
			c.patients[0].Post("/api/appointments/"+c.appointment+"/consent/withdraw", nil).Want(200)
			c.pause(2 * time.Second)
			end(c)
		}, []string{"retiré à", "pendant la consultation", noIncident}, noCause()},
		silent("the patient's network goes silent", "du patient", 1, end),
		silent("the doctor's network goes silent", "du médecin", 0, func(c *call) { c.over() }),
	}
}
