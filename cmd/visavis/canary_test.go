package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"visavis/internal/config"
	"visavis/internal/store"
	"visavis/internal/testkit"

	gomail "github.com/emersion/go-message/mail"
	"github.com/redis/go-redis/v9"
)

// canary marks what only the care team and the patient may read.
const canary = "kanarivogel"

// mark makes a different marked text for each field, so that a leak names it.
func mark(field string) string { return canary + " " + field }

// TestNoClinicalWordLeaks is S18 for the program: marked words in every
// clinical field of an act, then a search of the logs, the database read as
// text, the files, Redis, refusals, e-mails, SMS.
func TestNoClinicalWordLeaks(t *testing.T) {
	t.Parallel()
	rigs(t, func(t *testing.T, r *rig) {
		s := &spy{witness: &witness{rig: r, doctor: r.staff(account("MARTIN"))}}
		s.act()
		s.refusals()
		s.mails()
		s.redis()
		r.kill()
		s.files()
		s.tables()
		if s.looked < 40 {
			t.Errorf("only %d places were searched: the test proves nothing", s.looked)
		}
		t.Logf("%d places searched", s.looked)
	})
}

// spy searches for canaries.
type spy struct {
	*witness
	looked int
}

func (s *spy) search(where string, what []byte) {
	s.t.Helper()
	s.looked++
	low := bytes.ToLower(what)
	if i := bytes.Index(low, []byte(canary)); i >= 0 {
		s.t.Errorf("LEAK in %s: …%s…", where, what[max(0, i-60):min(len(what), i+100)])
	}
}

// unnamed searches for who the patient is.
func (s *spy) unnamed(where string, what []byte) {
	s.t.Helper()
	for _, w := range []string{"zibeline", "39980999", "camille@example"} {
		if bytes.Contains(bytes.ToLower(what), []byte(w)) {
			s.t.Errorf("LEAK in %s: %q", where, w)
		}
	}
}

// do calls as the doctor and fails on a refusal.
func (s *spy) do(method, path string, body any, out any, o ...testkit.Option) {
	s.t.Helper()
	a := s.doctor.Do(method, path, body, o...)
	if a.Status >= 300 {
		s.t.Fatalf("%s %s: %d %s", method, path, a.Status, a.Body)
	}
	if out != nil {
		a.JSON(out)
	}
}

// act is a consultation with a mark in each field that people write.
func (s *spy) act() {
	s.slots = s.rig.slots("MARTIN")
	first := s.slots[0]
	body := s.bookingOf(first, guest{"familyName": "Zibeline", "givenName": "Camille", "birthDate": "1980-02-29", "email": "camille@example.org"})
	s.client().Post("/api/appointments", body).Want(201)
	var me struct{ AppointmentID string }
	s.patient(0).Get("/api/me").Want(200).JSON(&me)
	s.booked = map[string]slot{me.AppointmentID: {start: s.links.Patients[0].Start}}
	encounter := s.encounter(make(chan struct{}), me.AppointmentID)
	s.consentOral(me.AppointmentID)
	s.began(encounter)
	path := "/api/encounters/" + encounter
	s.do("POST", path+"/identity", map[string]string{"how": "document"}, nil)
	var draft struct {
		ID   string
		ETag string
	}
	s.do("POST", path+"/prescriptions", map[string]string{"category": "medicines"}, &draft)
	s.prescribe(draft.ID, draft.ETag, map[string]any{
		"name": mark("name"), "inn": mark("inn"), "form": mark("form"), "dose": mark("dose"), "frequency": mark("frequency"),
		"durationDays": 5, "quantity": 1, "pharmacist": mark("pharmacist"), "notRestricted": true,
	})
	s.do("POST", path+"/prescriptions", map[string]string{"category": "biology"}, &draft)
	s.prescribe(draft.ID, draft.ETag, map[string]any{"text": mark("exam")})
	s.do("POST", path+"/finish", nil, nil)
	s.do("PUT", path+"/report", map[string]string{
		"motive": mark("motive"), "text": mark("text"), "conclusion": mark("conclusion"), "followUp": mark("followUp"),
	}, nil, testkit.Match("0"))
	var signed struct{ DocumentID string }
	s.do("POST", path+"/report/sign", map[string]int{"version": 1}, &signed)
	for _, kind := range []string{"pdf", "cda"} {
		s.doctor.Get("/api/documents/" + signed.DocumentID + "/" + kind).Want(200)
	}
	if a := s.doctor.Get(path + "/report").Want(200); !bytes.Contains(a.Body, []byte(canary)) {
		s.t.Error("the report does not hold the marks: the test proves nothing")
	}
	s.do("POST", "/api/prescriptions/"+draft.ID+"/cancel", map[string]string{"reason": mark("cancelled")}, nil)
	var other struct{ ID string }
	s.client().Post("/api/appointments", s.booking(s.slots[2], 998)).Want(201).JSON(&other)
	s.do("POST", "/api/appointments/"+other.ID+"/cancel", map[string]string{"reason": mark("reason")}, nil)
}

func (s *spy) consentOral(appointment string) {
	var text struct{ ID, SHA256 string }
	s.do("GET", "/api/consent-texts?purpose=teleconsultation&lang=fr", nil, &text)
	s.do("POST", "/api/appointments/"+appointment+"/consent/oral", map[string]any{"textId": text.ID, "sha256": text.SHA256, "decision": "granted"}, nil)
}

func (s *spy) prescribe(id, etag string, line map[string]any) {
	var kept struct{ ETag string }
	s.do("PUT", "/api/prescriptions/"+id, map[string]any{"lines": []any{line}}, &kept, testkit.Match(strings.Trim(etag, `"`)))
	s.do("POST", "/api/prescriptions/"+id+"/sign", map[string]string{}, nil, testkit.Match(kept.ETag))
}

// refusals sends marks where they are not taken, and reads what comes back.
func (s *spy) refusals() {
	long := strings.Repeat(canary, 5000)
	for _, a := range []*testkit.Answer{
		s.doctor.Put("/api/encounters/"+canary+"/report", map[string]string{"motive": mark("x")}, testkit.Match("0")),
		s.doctor.Put("/api/encounters/x/report", map[string]string{"motive": long}, testkit.Match("0")),
		s.doctor.Put("/api/encounters/x/report", map[string]string{canary: canary}, testkit.Match(canary)),
		s.doctor.Get("/api/patients?q=" + canary + "&" + canary + "=1"),
		s.doctor.Get("/api/documents?patientId=" + canary),
		s.doctor.Get("/api/documents/" + canary),
		s.doctor.Get("/api/practitioners?specialty=" + canary),
		s.doctor.Post("/api/patients/"+canary+"/identity", map[string]string{"status": canary}),
		s.client().Post("/api/links/open", map[string]string{"token": canary}),
		s.client().Post("/api/links/recover", map[string]string{"email": canary + "@example.org"}),
		s.client().Post("/api/appointments", map[string]any{"patient": map[string]string{"familyName": canary, "phone": canary, "birthDate": canary}}),
		s.client().Post("/api/verifications/"+canary, map[string]string{"code": canary}),
		s.client().Get("/" + canary + "?" + canary),
	} {
		body := a.Body
		if a.Status < 400 {
			body = nil
		}
		if !strings.Contains(string(body), "unknown") { // the name of an unknown field is the caller's own
			s.search(fmt.Sprintf("a refusal (%d)", a.Status), body)
		}
		for k, v := range a.Header {
			s.search("header "+k, []byte(strings.Join(v, " ")))
		}
	}
}

var boxLink = regexp.MustCompile(`/box\?address=([^"]+)`)

func (s *spy) fetch(u string) ([]byte, bool) {
	s.t.Helper()
	resp, err := http.Get(u)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return raw, resp.StatusCode == http.StatusOK
}

// mails reads what a mail server and a telephone see: everything but what is
// inside the attachments.
func (s *spy) mails() {
	var boxes [][]byte
	testkit.Eventually(s.t, 30*time.Second, "an ordinary e-mail and a letter to the patient's MSSanté arrived", func() bool {
		page, _ := s.fetch(s.links.Mail)
		boxes = nil
		for _, m := range boxLink.FindAllSubmatch(page, -1) {
			boxes = append(boxes, m[1])
		}
		return bytes.Contains(page, []byte("@patient.mssante.fr")) && bytes.Contains(page, []byte("camille@example.org"))
	})
	for _, box := range boxes {
		address, err := url.QueryUnescape(strings.ReplaceAll(string(box), "&#43;", "+"))
		if err != nil {
			s.t.Fatal(err)
		}
		for n := 0; ; n++ {
			raw, ok := s.fetch(s.links.Mail + "/raw?" + url.Values{"address": {address}, "n": {fmt.Sprint(n)}}.Encode())
			if !ok {
				break
			}
			s.mail(address, raw)
		}
	}
	raw, _ := s.fetch(s.links.SMS + "/messages")
	var texts []struct{ Text, Body string }
	if err := json.Unmarshal(raw, &texts); err != nil {
		s.t.Fatal(err)
	}
	if len(texts) == 0 {
		s.t.Error("no SMS was sent: the test proves nothing")
	}
	for _, x := range texts {
		s.search("an SMS", []byte(x.Text+x.Body))
	}
}

func (s *spy) mail(to string, raw []byte) {
	m, err := gomail.CreateReader(bytes.NewReader(raw))
	if err != nil {
		s.t.Fatal(err)
	}
	for f := m.Header.Fields(); f.Next(); {
		text, err := f.Text()
		if err != nil {
			text = f.Value()
		}
		s.search("header "+f.Key()+" of a mail to "+to, []byte(text))
	}
	for {
		p, err := m.NextPart()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			s.t.Fatal(err)
		}
		if a, ok := p.Header.(*gomail.AttachmentHeader); ok {
			name, err := a.Filename()
			if err != nil {
				s.t.Error(err)
			}
			s.search("the name of an attachment to "+to, []byte(name))
			continue
		}
		body, err := io.ReadAll(p.Body)
		if err != nil {
			s.t.Fatal(err)
		}
		s.search("the text of a mail to "+to, body)
	}
}

func (s *spy) redis() {
	if s.rig.redis == "" {
		return
	}
	o, err := redis.ParseURL(s.rig.redis)
	if err != nil {
		s.t.Fatal(err)
	}
	c := redis.NewClient(o)
	defer c.Close()
	ctx := context.Background()
	keys, err := c.Keys(ctx, "*").Result()
	if err != nil || len(keys) == 0 {
		s.t.Errorf("Redis was not used: %v", err)
	}
	for _, k := range keys {
		dump, err := c.Dump(ctx, k).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			s.t.Fatal(err)
		}
		s.search("Redis key "+k, []byte(k+" "+dump))
	}
}

// files reads every file of the data folder: the log, the output, the sealed
// files, the SQLite database. What the simulators received is with the people
// it was sent to; mails and SMS are searched as such.
func (s *spy) files() {
	post := simulatorFolder(&config.Config{DataDir: s.dir})
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && path == post {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err == nil {
			s.search("file "+filepath.Base(path), raw)
			s.unnamed("file "+filepath.Base(path), raw)
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// tables reads every column of every table as its administrator can.
func (s *spy) tables() {
	db := s.rig.open()
	pool, err := db.SQL()
	if err != nil {
		s.t.Fatal(err)
	}
	list := "SELECT name FROM sqlite_master WHERE type = 'table'"
	if db.Dialect() == store.Postgres {
		list = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
	}
	names, err := pool.Query(list)
	if err != nil {
		s.t.Fatal(err)
	}
	defer names.Close()
	var tables []string
	for names.Next() {
		var n string
		if err := names.Scan(&n); err != nil {
			s.t.Fatal(err)
		}
		tables = append(tables, n)
	}
	if err := errors.Join(names.Err(), names.Close()); err != nil {
		s.t.Fatal(err)
	}
	for _, table := range tables {
		rows, err := pool.Query(`SELECT * FROM "` + table + `"`)
		if err != nil {
			s.t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			s.t.Fatal(err)
		}
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		for rows.Next() {
			if err := rows.Scan(into...); err != nil {
				s.t.Fatal(err)
			}
			for i, v := range values {
				if raw, ok := v.([]byte); ok {
					v = string(raw)
				}
				text := fmt.Appendf(nil, "%v", v)
				s.search("table "+table+"."+columns[i], text)
				s.unnamed("table "+table+"."+columns[i], text)
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			s.t.Fatal(err)
		}
	}
}
