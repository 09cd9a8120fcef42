package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"visavis/internal/testkit"
	"visavis/internal/testkit/rtcclient"
)

// device is a thing with its way in, as the desk gets it once.
type device struct {
	c                     *call
	ID, Token, URL, Label string
	ExpiresAt             time.Time
	path                  string
	web                   *testkit.Client
}

// plug asks for a way in.
func (c *call) plug(who *testkit.Client, label, direction string) *device {
	c.t.Helper()
	d := &device{c: c, web: c.client()}
	made := struct {
		Device *device
		Token  *string
	}{d, &d.Token}
	who.Post("/api/encounters/"+c.encounter+"/devices", map[string]string{"label": label, "direction": direction}).Want(http.StatusCreated).JSON(&made)
	var ok bool
	if d.path, ok = strings.CutPrefix(d.URL, c.url); !ok || len(d.Token) != 43 || strings.Contains(d.URL, d.Token) {
		c.t.Fatalf("device %+v", d)
	}
	return d
}

func bearer(token string) testkit.Option { return testkit.Header("Authorization", "Bearer "+token) }

// ask calls a path with the device's token; media is the body's type.
func (d *device) ask(method, path, media string, body any, o ...testkit.Option) *testkit.Answer {
	d.c.t.Helper()
	o = append([]testkit.Option{bearer(d.Token), testkit.Header("Content-Type", media), testkit.Header("Accept", ""), testkit.Header("Sec-Fetch-Site", "")}, o...)
	return d.web.Do(method, path, body, o...)
}

func (d *device) offer(sdp string, o ...testkit.Option) *testkit.Answer {
	d.c.t.Helper()
	return d.ask("POST", d.path, "application/sdp", sdp, o...)
}

// connection is a device that is connected.
type connection struct {
	*device
	media          *rtcclient.Media
	at, tag, reply string
}

func (d *device) make(o rtcclient.Options) (*rtcclient.Media, string) {
	d.c.t.Helper()
	o.Loopback = true
	m, err := rtcclient.NewMedia(o)
	if err != nil {
		d.c.t.Fatal(err)
	}
	d.c.t.Cleanup(func() { _ = m.Close() })
	text, err := m.Offer(d.c.ctx, false)
	if err != nil {
		d.c.t.Fatal(err)
	}
	return m, text
}

// connect makes a connection that sends what o says.
func (d *device) connect(o rtcclient.Options) *connection {
	d.c.t.Helper()
	m, text := d.make(o)
	a := d.offer(text).Want(http.StatusCreated)
	at, ok := strings.CutPrefix(a.Header.Get("Location"), d.c.url)
	if !ok || !strings.HasPrefix(at, d.path+"/") || a.Header.Get("Content-Type") != "application/sdp" || a.Header.Get("ETag") == "" {
		d.c.t.Fatalf("answer %v", a.Header)
	}
	if links := a.Header.Values("Link"); len(links) != 2 || !strings.HasPrefix(links[0], "<turn:127.0.0.1:") || !strings.Contains(links[0], `rel="ice-server"; username="`) {
		d.c.t.Errorf("Link %q", links)
	}
	if err := m.Answer(string(a.Body)); err != nil {
		d.c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(d.c.ctx)
	d.c.t.Cleanup(cancel)
	m.Pump(ctx, 30)
	return &connection{device: d, media: m, at: at, tag: a.Header.Get("ETag"), reply: string(a.Body)}
}

// shows waits until somebody gets n sections of the device, and media on them.
func (d *device) shows(seat, n int) {
	d.c.t.Helper()
	var mids []string
	d.c.latest(seat, "slots", func(m rtcclient.Msg) bool {
		mids = nil
		for _, s := range m.List("slots") {
			if s.Str("seat") == d.ID {
				mids = append(mids, s.Str("mid"))
			}
		}
		return len(mids) == n
	})
	before := d.c.flows[seat].Summary()
	d.c.until(d.c.flows[seat].Media, d.Label, func(m *rtcclient.Media) bool {
		for _, mid := range mids {
			if m.Got(mid).Packets < before[mid]+30 {
				return false
			}
		}
		return true
	})
}

func (c *call) until(m *rtcclient.Media, what string, ok func(*rtcclient.Media) bool) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, 15*time.Second)
	defer cancel()
	if err := m.Until(ctx, ok); err != nil {
		c.t.Fatalf("%s: %v", what, err)
	}
}

// latest waits until the last message of a type, which says the whole state, is
// as ok wants it.
func (c *call) latest(seat int, what string, ok func(rtcclient.Msg) bool) {
	c.t.Helper()
	testkit.Eventually(c.t, 15*time.Second, "the right "+what, func() bool {
		all := c.seats[seat].All(what)
		return len(all) > 0 && ok(all[len(all)-1])
	})
}

func cut(m *rtcclient.Media) bool { return !m.Connected() }

// TestADeviceInTheCall is issue 3 §2 for the program: what only sends comes in
// by WHIP and what only receives by WHEP, through the gate of everybody.
func TestADeviceInTheCall(t *testing.T) {
	t.Parallel()
	rigs(t, func(t *testing.T, r *rig) {
		c := &call{spy: &spy{witness: &witness{rig: r, doctor: r.staff(account("MARTIN"))}}}
		c.prepare()
		ask := "/api/encounters/" + c.encounter + "/devices"
		probe := map[string]string{"label": "Échographe", "direction": "send"}
		c.doctor.Post(ask, probe).Problem(403, "device-owner-away")
		c.meet()
		c.whoMayAsk(ask, probe)
		ultrasound := c.plug(c.doctor, "Échographe", "send")
		_, text := ultrasound.make(rtcclient.Options{Camera: true, H264: true})
		ultrasound.offer(text).Problem(403, "media-consent-missing")
		c.consentOral(c.appointment)
		c.wait(1, "media", func(m rtcclient.Msg) bool { return m["allowed"] == true })
		for i, who := range []string{"to the doctor", "to the patient"} {
			c.flows[i] = c.join(i, who)
		}
		ultrasound.refuses(text)
		one := ultrasound.connect(rtcclient.Options{Camera: true, H264: true}) // H.264 alone, without sound
		ultrasound.shows(0, 1)
		ultrasound.shows(1, 1)
		one.restarts()
		one.ends()
		screen := c.plug(c.doctor, "Écran de la salle", "receive")
		c.doctor.Post(ask, probe).Problem(409, "devices-full")
		screen.watches()
		ultrasound.strange()
		two := ultrasound.connect(rtcclient.Options{Voice: true, Camera: true})
		ultrasound.shows(0, 2)
		three := ultrasound.connect(rtcclient.Options{Voice: true, Camera: true}) // an encoder that was started again
		c.until(two.media, "the connection before", cut)
		ultrasound.ask("DELETE", two.at, "", nil).Problem(404, "not-found")
		ultrasound.shows(0, 2)
		c.takenOut(ask, screen)
		c.patients[0].Post("/api/appointments/"+c.appointment+"/consent/withdraw", nil).Want(200)
		c.until(three.media, "consent withdrawn", cut)
		_, text = ultrasound.make(rtcclient.Options{Camera: true})
		ultrasound.offer(text).Problem(403, "media-consent-withdrawn")
		c.consentOral(c.appointment)
		c.wait(1, "media", func(m rtcclient.Msg) bool { return m["allowed"] == true })
		four := ultrasound.connect(rtcclient.Options{Camera: true})
		c.until(four.media, "after consent", (*rtcclient.Media).Connected)
		c.doctor.Post("/api/me/sign-out", nil).Want(200)
		c.until(four.media, "the doctor signed out", cut)
		ultrasound.offer(text).Problem(401, "device-token")
		c.secret(ultrasound.Token, screen.Token)
		c.reported()
	})
}

// reported: the report of the act names each device once, as a thing (A10).
func (c *call) reported() {
	c.t.Helper()
	c.doctor = c.staff(account("MARTIN"))
	path := "/api/encounters/" + c.encounter
	c.do("POST", path+"/finish", nil, nil)
	c.do("PUT", path+"/report", map[string]string{"motive": "Toux", "text": "Examen normal.", "conclusion": "", "followUp": ""}, nil, testkit.Match("0"))
	var signed struct{ DocumentID string }
	c.do("POST", path+"/report/sign", map[string]int{"version": 1}, &signed)
	cmd := exec.Command("pdftotext", "-layout", "-", "-")
	cmd.Stdin = bytes.NewReader(c.doctor.Get("/api/documents/" + signed.DocumentID + "/pdf").Want(200).Body)
	out, err := cmd.Output()
	if err != nil {
		c.t.Fatal(err)
	}
	page := strings.Join(strings.Fields(string(out)), " ")
	for _, name := range []string{"Échographe", "Écran de la salle"} {
		if n := strings.Count(page, name+", appareil apporté par"); n != 1 {
			c.t.Errorf("%s is named %d times:\n%s", name, n, page)
		}
	}
	var e struct{ Participants []struct{ Role string } }
	c.do("GET", path, nil, &e)
	for _, p := range e.Participants {
		if p.Role == "device" {
			c.t.Errorf("a thing among the people: %+v", e)
		}
	}
}

// whoMayAsk: the professionals of the act, and nobody else.
func (c *call) whoMayAsk(ask string, probe map[string]string) {
	c.t.Helper()
	for who, web := range map[string]*testkit.Client{"the patient": c.patients[0], "a secretary": c.staff(account("LEROY")), "another doctor": c.staff(account("DUPRÉ-LACROIX"))} {
		for _, a := range []*testkit.Answer{web.Post(ask, probe), web.Get(ask), web.Do("DELETE", ask+"/x", nil)} {
			if a.Status != 404 {
				c.t.Errorf("%s: %d %s", who, a.Status, a.Body)
			}
		}
	}
	c.client().Post(ask, probe).Problem(401, "sign-in")
	c.doctor.Post(ask, map[string]string{"label": " \t ", "direction": "send"}).Fields("label label-not-valid")
	c.doctor.Post(ask, map[string]string{"label": strings.Repeat("é", 61), "direction": "send"}).Fields("label too-long")
	c.doctor.Post(ask, map[string]string{"label": "x", "direction": "both"}).Fields("direction not-a-choice")
}

// refuses walks what RFC 9725 §4.2 says no to.
func (d *device) refuses(good string) {
	d.c.t.Helper()
	a := d.ask("OPTIONS", d.path, "", nil).Want(200)
	if a.Header.Get("Accept-Post") != "application/sdp" || a.Header.Get("Access-Control-Allow-Origin") != "" {
		d.c.t.Errorf("OPTIONS: %v", a.Header)
	}
	a = d.offer(good, testkit.Header("Authorization", ""))
	a.Problem(401, "device-token")
	if a.Header.Get("WWW-Authenticate") != `Bearer realm="visavis"` {
		d.c.t.Errorf("WWW-Authenticate %q", a.Header.Get("WWW-Authenticate"))
	}
	a = d.offer(good, bearer(strings.Repeat("x", 43)))
	a.Problem(401, "device-token")
	if !strings.Contains(a.Header.Get("WWW-Authenticate"), `error="invalid_token"`) {
		d.c.t.Errorf("WWW-Authenticate %q", a.Header.Get("WWW-Authenticate"))
	}
	d.ask("POST", d.path, "application/json", good).Problem(415, "media-type")
	d.offer(good, testkit.Header("Accept", "text/html, application/sdp;q=0")).Problem(406, "media-type")
	d.offer(strings.Repeat("x", 65<<10)).Problem(413, "too-large")
	d.offer("v=0\r\nm=video 9 x 1\r\na=sendonly\r\n").Problem(422, "offer-refused")
	d.offer(strings.ReplaceAll(good, "a=sendonly", "a=recvonly")).Problem(422, "offer-direction")
	missing := d.web.Get("/api/no-such-route").Want(404).Body
	for _, path := range []string{"/api/whip/" + d.c.encounter, strings.Replace(d.path, "whip", "whep", 1), d.path + "/x"} {
		method := "POST"
		if strings.HasSuffix(path, "/x") {
			method = "DELETE"
		}
		if a := d.ask(method, path, "application/sdp", good).Want(404); !bytes.Equal(a.Body, missing) {
			d.c.t.Errorf("%s: %s", path, a.Body)
		}
	}
	d.ask("GET", d.path, "", nil).Want(404)
}

// restarts is RFC 9725 §4.3: nothing is trickled, ICE is restarted, and media
// goes on under the same SSRC without a jump.
func (x *connection) restarts() {
	c := x.c
	c.t.Helper()
	const frag = "application/trickle-ice-sdpfrag"
	text, err := x.media.Offer(c.ctx, true)
	if err != nil {
		c.t.Fatal(err)
	}
	body := pick(text, "a=ice-ufrag:", "a=ice-pwd:")
	x.ask("PATCH", x.at, frag, body).Problem(428, "if-match-needed")
	x.ask("PATCH", x.at, frag, body, testkit.Match("older")).Problem(412, "if-match-old")
	x.ask("PATCH", x.at, "application/sdp", body, testkit.Header("If-Match", "*")).Problem(415, "media-type")
	x.ask("PATCH", x.at, frag, "a=mid:0\r\n", testkit.Header("If-Match", "*")).Problem(422, "fragment-refused")
	x.ask("PATCH", x.at, frag, "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n", testkit.Header("If-Match", x.tag)).Want(204)
	a := x.ask("PATCH", x.at, frag, body, testkit.Header("If-Match", "*")).Want(200)
	if tag := a.Header.Get("ETag"); tag == x.tag || tag == "" || a.Header.Get("Content-Type") != frag {
		c.t.Errorf("restart: %v", a.Header)
	}
	x.ask("PATCH", x.at, frag, body, testkit.Header("If-Match", "*")).Want(204) // sent again: no second restart
	x.ask("PATCH", x.at, frag, body, testkit.Header("If-Match", x.tag)).Problem(412, "if-match-old")
	old, now := pick(x.reply, "a=ice-ufrag:", "a=ice-pwd:"), pick(string(a.Body), "a=ice-ufrag:", "a=ice-pwd:")
	if now == old || now == "" {
		c.t.Fatalf("restart gave %q", a.Body)
	}
	was, is := strings.Split(old, "\r\n"), strings.Split(now, "\r\n")
	if err := x.media.Answer(strings.NewReplacer(was[0], is[0], was[1], is[1]).Replace(x.reply)); err != nil {
		c.t.Fatal(err)
	}
	x.more(0)
}

// pick takes the first line of each beginning.
func pick(sdp string, beginnings ...string) string {
	var out strings.Builder
	for _, b := range beginnings {
		if i := strings.Index(sdp, b); i >= 0 {
			line, _, _ := strings.Cut(sdp[i:], "\r\n")
			out.WriteString(line + "\r\n")
		}
	}
	return out.String()
}

// more waits for more packets than the two people send.
func (x *connection) more(seat int) {
	x.c.t.Helper()
	f := x.c.flows[seat].Media
	had := len(f.Summary())
	for mid, n := range f.Summary() {
		x.c.until(f, "section "+mid, func(m *rtcclient.Media) bool { return m.Got(mid).Packets > n+30 })
	}
	if had != 3 {
		x.c.t.Errorf("%d sections with media, want 3", had)
	}
}

// ends is DELETE: the picture goes, the seat stays.
func (x *connection) ends() {
	x.c.t.Helper()
	x.ask("DELETE", x.at, "", nil).Want(200)
	x.ask("DELETE", x.at, "", nil).Problem(404, "not-found")
	x.c.until(x.media, "DELETE", cut)
	x.c.latest(0, "slots", func(m rtcclient.Msg) bool { return len(m.List("slots")) == 2 })
	x.c.latest(0, "room", func(m rtcclient.Msg) bool {
		for _, s := range m.List("seats") {
			if s.Str("seat") == x.ID {
				return s.Str("name") == x.Label && s.Str("role") == "device" && s["online"] == false
			}
		}
		return false
	})
}

// watches is WHEP: doctor and patient, sound and picture.
func (d *device) watches() {
	c := d.c
	c.t.Helper()
	_, wrong := d.make(rtcclient.Options{Camera: true})
	d.offer(wrong).Problem(422, "offer-direction")
	x := d.connect(rtcclient.Options{Slots: 2})
	c.until(x.media, d.Label, func(m *rtcclient.Media) bool {
		got := m.Summary()
		for _, n := range got {
			if n < 50 {
				return false
			}
		}
		return len(got) == 4
	})
	if _, err := c.seats[0].Send("hold", map[string]any{"seats": []string{d.ID}}); err != nil { // in private
		c.t.Fatal(err)
	}
	c.latest(0, "room", func(m rtcclient.Msg) bool {
		for _, s := range m.List("seats") {
			if s.Str("seat") == d.ID {
				return s["held"] == true
			}
		}
		return false
	})
	held := x.media.Summary()
	c.toBoth(500 * time.Millisecond)
	for mid, n := range x.media.Summary() {
		if n > held[mid]+10 {
			c.t.Errorf("a held screen got %d packets on %s", n-held[mid], mid)
		}
	}
	if _, err := c.seats[0].Send("hold", map[string]any{"seats": []string{}}); err != nil {
		c.t.Fatal(err)
	}
	c.until(x.media, "let go", func(m *rtcclient.Media) bool { return m.Summary()["0"] > held["0"]+50 })
	x.ask("DELETE", x.at, "", nil).Want(200)
}

// strange: the token of a device of another act opens nothing here, and nothing
// tells that there is something.
func (d *device) strange() {
	c := d.c
	c.t.Helper()
	link := c.links.Patients[1]
	doctor := c.doctor
	if link.Doctor != c.links.Patients[0].Doctor {
		doctor = c.staff(account("DUPRÉ-LACROIX"))
	}
	var me struct{ AppointmentID string }
	c.patient(1).Get("/api/me").Want(200).JSON(&me)
	w := &witness{rig: c.rig, doctor: doctor, booked: map[string]slot{me.AppointmentID: {start: link.Start}}}
	other := &call{spy: &spy{witness: w}, ctx: c.ctx, db: c.db}
	enough := make(chan struct{})
	time.AfterFunc(10*time.Second, func() { close(enough) })
	other.encounter = w.encounter(enough, me.AppointmentID)
	other.enter(doctor)
	theirs := other.plug(doctor, "Otoscope", "send")
	_, text := theirs.make(rtcclient.Options{Camera: true})
	missing := d.web.Get("/api/no-such-route").Want(404).Body
	if a := d.offer(text, bearer(theirs.Token)).Want(404); !bytes.Equal(a.Body, missing) {
		c.t.Errorf("%s, want %s", a.Body, missing)
	}
	c.doctor.Do("DELETE", "/api/encounters/"+c.encounter+"/devices/"+theirs.ID, nil).Problem(404, "not-found")
}

// takenOut is the desk taking a device out: cut, and its token opens nothing.
func (c *call) takenOut(ask string, d *device) {
	c.t.Helper()
	x := d.connect(rtcclient.Options{Slots: 2})
	c.until(x.media, d.Label, (*rtcclient.Media).Connected)
	c.doctor.Do("DELETE", ask+"/"+d.ID, nil).Want(204)
	c.doctor.Do("DELETE", ask+"/"+d.ID, nil).Want(204)
	c.until(x.media, "taken out", cut)
	_, text := d.make(rtcclient.Options{Slots: 1})
	d.offer(text).Problem(401, "device-token")
	var list struct {
		Items []struct {
			ID, Label, Direction, URL string
			Mine                      bool
		}
		Most int
	}
	c.doctor.Get(ask).Want(200).JSON(&list)
	if len(list.Items) != 1 || list.Items[0].Label != "Échographe" || !list.Items[0].Mine || list.Most != 2 || bytes.Contains(c.doctor.Get(ask).Body, []byte("token")) {
		c.t.Errorf("devices %+v", list)
	}
}

// secret: no token is in the log, nor anywhere in the database's files.
func (c *call) secret(tokens ...string) {
	c.t.Helper()
	raw, err := os.ReadFile(filepath.Join(c.dir, "visavis.log"))
	if err != nil || len(raw) == 0 {
		c.t.Fatalf("no log: %v", err)
	}
	for _, token := range tokens {
		if bytes.Contains(raw, []byte(token)) {
			c.t.Error("a token is in the log")
		}
	}
	n := c.count(c.db, "SELECT count(*) FROM audit WHERE object LIKE 'device/%' AND action IN ('device.make', 'device.connect', 'device.revoke')")
	if n < 8 {
		c.t.Errorf("%d audit lines about devices", n)
	}
}

// TestADeviceOutlivesApp: the death of app is not seen in what a device sends,
// and afterwards it is somebody's again: it ends with its owner (M7).
func TestADeviceOutlivesApp(t *testing.T) {
	if testing.Short() {
		t.Skip("kills a role of the program")
	}
	r := newRig(t, "", "", "VISAVIS_ROLE=auto")
	c := &call{spy: &spy{witness: &witness{rig: r, doctor: r.staff(account("MARTIN"))}}}
	c.begin()
	birth := [2]string{c.seats[0].Session, c.seats[1].Session}
	otoscope := c.plug(c.doctor, "Otoscope", "send")
	x := otoscope.connect(rtcclient.Options{Camera: true})
	otoscope.shows(0, 1)
	c.strike("app", 0, syscall.SIGKILL)
	c.gone()
	if !c.back(birth, 1) {
		t.Error("a connection was not kept")
	}
	x.more(0)
	c.latest(0, "room", func(m rtcclient.Msg) bool {
		for _, s := range m.List("seats") {
			if s.Str("seat") == otoscope.ID {
				return s["online"] == true && s.Str("name") == "Otoscope" && s["camera"] == true
			}
		}
		return false
	})
	otoscope.ask("DELETE", x.at, "", nil).Problem(404, "not-found") // the new process does not know that name
	c.doctor.Post("/api/me/sign-out", nil).Want(200)
	c.until(x.media, "the doctor signed out", cut)
}
