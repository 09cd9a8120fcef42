package documents_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"image"
	"image/jpeg"
	"net/http"
	"strings"
	"testing"
	"time"

	"visavis/documents"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

// call is what encounters, consent and signaling would answer.
type call struct {
	open, agreed, waits bool
	of                  string // who is asked
}

func (w *town) Call(ctx context.Context, id care.EncounterID) (documents.Call, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if id != encounter {
		return documents.Call{}, fault.Missing()
	}
	a := authz.From(ctx)
	rel := a.To(authz.Subject{PatientID: lea, StaffID: claire}, a.StaffID == ines)
	return documents.Call{PatientID: lea, Relation: rel, Open: w.call.open, Agreed: w.call.agreed}, nil
}

func (w *town) Asked(_ context.Context, request string) (documents.Asked, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !strings.HasPrefix(request, "asked") {
		return documents.Asked{}, fault.Missing()
	}
	return documents.Asked{EncounterID: encounter, Person: w.call.of, By: string(claire), Waits: w.call.waits}, nil
}

func (w *town) calls(c call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.call = c
}

func underWay() call { return call{open: true, agreed: true, waits: true, of: string(lea)} }

func photo(t *testing.T, shade byte) (data, digest []byte) {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 40, 30))
	for i := range m.Pix {
		m.Pix[i] = shade ^ byte(i)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b.Bytes())
	return b.Bytes(), sum[:]
}

func TestAStillIsKeptAndRead(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(t, h)
		w.calls(underWay())
		var told []events.Still
		h.Bus.On(events.StillKept, "test.still", func(_ context.Context, _ *store.Tx, e events.Event) error {
			var s events.Still
			err := e.Decode(&s)
			told = append(told, s)
			return err
		})
		data, digest := photo(t, 1)
		me := patient(lea, authz.LevelLink)
		st, err := svc.Keep(me, encounter, "asked-1", data, digest)
		if err != nil {
			t.Fatal(err)
		}
		if st.Width != 40 || st.Height != 30 || st.Bytes != len(data) || st.TakenBy != string(lea) || st.AskedBy != string(claire) || !bytes.Equal(st.Hash, digest) {
			t.Errorf("%+v", st)
		}
		_, err = svc.Keep(me, encounter, "asked-1", data, digest)
		refused(t, err, fault.Conflict, "still-not-awaited") // one photo for one request
		doctor := staff(care.Doctor, claire)
		list, err := svc.StillsOf(doctor, encounter)
		if err != nil || len(list) != 1 || list[0].ID != st.ID {
			t.Fatalf("%v %v", list, err)
		}
		_, got, err := svc.OpenStill(doctor, st.ID)
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		mine, err := svc.MyStills(patient(lea, authz.LevelCode))
		if err != nil || len(mine) != 1 {
			t.Errorf("%v %v", mine, err)
		}
		if none, err := svc.MyStills(patient(zoe, authz.LevelCode)); err != nil || len(none) != 0 {
			t.Errorf("somebody else's: %v %v", none, err)
		}
		h.Deliver(t)
		if len(told) != 1 || told[0].StillID != st.ID || told[0].RequestID != "asked-1" || told[0].EncounterID != encounter {
			t.Errorf("%+v", told)
		}
		// The report says it.
		d := signed(t, svc, 0)
		f, err := svc.Files(context.Background(), d.ID)
		if err != nil {
			t.Fatal(err)
		}
		text := pdfText(t, f.PDF)
		for _, want := range []string{"Photos de la consultation", "9 h : photo prise par Léa MOREAU, 40 × 30 pixels"} {
			if !strings.Contains(text, want) {
				t.Errorf("the report does not say %q: %s", want, text)
			}
		}
		if !strings.Contains(strings.ReplaceAll(text, " ", ""), hex.EncodeToString(digest)) {
			t.Errorf("the report does not say the hash: %s", text)
		}
		if n, err := svc.VerifyStills(context.Background()); n != 1 || err != nil {
			t.Errorf("%d %v", n, err)
		}
		// Who read it is written, the refusals too wrote nothing that is not so.
		err = h.DB.Read(context.Background(), func(ctx context.Context, tx *store.Tx) error {
			lines, err := h.Audit.About(ctx, tx, "still/"+st.ID)
			acts := ""
			for _, l := range lines {
				acts += string(l.Action) + " "
			}
			if !strings.Contains(acts, "still.keep ") || !strings.Contains(acts, "still.read ") || len(lines) != 2 {
				t.Errorf("audit: %s", acts)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		// Another file in its place: an error, not a picture.
		data, digest = photo(t, 7)
		if _, err := svc.Keep(me, encounter, "asked-2", data, digest); err != nil {
			t.Fatal(err)
		}
		pool, err := h.DB.SQL()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pool.Exec("UPDATE stills SET blob = (SELECT blob FROM stills WHERE request_id = 'asked-2')"); err != nil {
			t.Fatal(err)
		}
		testkit.SignRows(t, h.DB, "stills") // as somebody with that key alone could
		if _, _, err := svc.OpenStill(doctor, st.ID); !errors.Is(err, documents.ErrDamaged) {
			t.Errorf("a changed photo is given: %v", err)
		}
		if n, err := svc.VerifyStills(context.Background()); n != 1 || !errors.Is(err, documents.ErrDamaged) {
			t.Errorf("verify does not see it: %d %v", n, err)
		}
		// The patient's key is destroyed: so are the photos, and verify has nothing to check.
		err = h.DB.Tx(context.Background(), func(ctx context.Context, tx *store.Tx) error { return h.Keeper.Shred(ctx, tx, lea) })
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = svc.OpenStill(doctor, st.ID)
		refused(t, err, fault.Gone, "record-destroyed")
		if n, err := svc.VerifyStills(context.Background()); n != 0 || err != nil {
			t.Errorf("%d %v", n, err)
		}
	})
}

func TestAStillIsRefused(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(t, h)
		data, digest := photo(t, 1)
		other, _ := photo(t, 9)
		me := patient(lea, authz.LevelLink)
		not := func(change func(*call)) call {
			c := underWay()
			change(&c)
			return c
		}
		for name, c := range map[string]struct {
			call    call
			who     context.Context
			request string
			data    []byte
			kind    fault.Kind
			code    string
		}{
			"over":               {not(func(c *call) { c.open = false }), me, "asked", data, fault.Gone, "still-act-over"},
			"no consent":         {not(func(c *call) { c.agreed = false }), me, "asked", data, fault.Forbidden, "still-consent"},
			"refused before":     {not(func(c *call) { c.waits = false }), me, "asked", data, fault.Conflict, "still-not-awaited"},
			"nobody asked":       {underWay(), me, "other", data, fault.Conflict, "still-not-awaited"},
			"asked of another":   {not(func(c *call) { c.of = string(ines) }), me, "asked", data, fault.Conflict, "still-not-awaited"},
			"another patient":    {underWay(), patient(zoe, authz.LevelCode), "asked", data, fault.NotFound, "not-found"},
			"another doctor":     {underWay(), staff(care.Doctor, hugo), "asked", data, fault.NotFound, "not-found"},
			"a secretary":        {underWay(), staff(care.Secretary, hugo), "asked", data, fault.NotFound, "not-found"},
			"another file":       {underWay(), me, "asked", other, fault.Invalid, "fields"},
			"no picture":         {underWay(), me, "asked", []byte("%PDF-1.4"), fault.Invalid, "fields"},
			"a picture and more": {underWay(), me, "asked", append(bytes.Clone(data), "GPS"...), fault.Invalid, "fields"},
		} {
			w.calls(c.call)
			sum := digest
			if name != "another file" {
				s := sha256.Sum256(c.data)
				sum = s[:]
			}
			_, err := svc.Keep(c.who, encounter, c.request, c.data, sum)
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != c.kind || f.Code != c.code {
				t.Errorf("%s: %v, want %s", name, err, c.code)
			}
		}
		w.calls(underWay())
		if list, err := svc.StillsOf(staff(care.Doctor, claire), encounter); err != nil || len(list) != 0 {
			t.Errorf("kept all the same: %v %v", list, err)
		}
		for i := range 20 {
			d, sum := photo(t, byte(i))
			if _, err := svc.Keep(me, encounter, "asked-"+string(rune('a'+i)), d, sum); err != nil {
				t.Fatal(err)
			}
		}
		_, err := svc.Keep(me, encounter, "asked-z", data, digest)
		refused(t, err, fault.Conflict, "stills-full")
	})
}

func TestStillsOverHTTP(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(t, h)
		w.calls(underWay())
		texts, err := documents.Texts()
		if err != nil {
			t.Fatal(err)
		}
		s := h.Server(t, testkit.Actors{
			"claire": {Role: care.Doctor, StaffID: claire, OrganizationID: clinic, SessionID: "s1", Level: authz.LevelPSC},
			"hugo":   {Role: care.Doctor, StaffID: hugo, OrganizationID: clinic, SessionID: "s2", Level: authz.LevelPSC},
			"lea":    {Role: care.Patient, PatientID: lea, SessionID: "s3", Level: authz.LevelCode},
			"link":   {Role: care.Patient, PatientID: lea, SessionID: "s4", Level: authz.LevelLink},
		}, texts)
		documents.Routes(s, svc)
		c := testkit.HTTP(t, s.Handler()).Held(s)
		path := "/api/encounters/" + string(encounter) + "/stills"
		data, digest := photo(t, 3)
		said := "sha-256=:" + base64.StdEncoding.EncodeToString(digest) + ":"
		as := testkit.Header("Content-Type", "image/jpeg")
		link, doctor := c.With("link"), c.With("claire")
		link.Post(path+"?request=asked", data, as).Fields("header.Content-Digest required")
		link.Post(path+"?request=asked", data, as, testkit.Header("Content-Digest", "md5=:AAAA:")).Fields("header.Content-Digest digest-not-valid")
		wrong := "sha-256=:" + base64.StdEncoding.EncodeToString(make([]byte, 32)) + ":"
		link.Post(path+"?request=asked", data, as, testkit.Header("Content-Digest", wrong)).Fields("header.Content-Digest digest-differs")
		link.Post(path, data, as, testkit.Header("Content-Digest", said)).Fields("query.request required")
		link.Post(path+"?request=asked", bytes.Repeat([]byte{1}, 20<<20+1), as, testkit.Header("Content-Digest", said)).Problem(http.StatusRequestEntityTooLarge, "too-large")
		doctor.Post(path+"?request=asked", data, as, testkit.Header("Content-Digest", said)).Problem(409, "still-not-awaited")

		var one, two struct {
			ID, TakenBy, Role, Type, SHA256 string
			Width, Height, Bytes            int
		}
		key := testkit.Key(care.NewID(time.Now()))
		link.Post(path+"?request=asked", data, as, key, testkit.Header("Content-Digest", "sha-512=:AAAA:, "+said)).Want(201).JSON(&one)
		link.Post(path+"?request=asked", data, as, key, testkit.Header("Content-Digest", "sha-512=:AAAA:, "+said)).Want(201).JSON(&two)
		if one != two || one.SHA256 != hex.EncodeToString(digest) || one.Width != 40 || one.Height != 30 || one.Bytes != len(data) || one.TakenBy != "Léa Moreau" || one.Type != "image/jpeg" {
			t.Errorf("%+v %+v", one, two)
		}
		var list struct{ Items []struct{ ID, SHA256 string } }
		if doctor.Get(path).Want(200).JSON(&list); len(list.Items) != 1 || list.Items[0].ID != one.ID {
			t.Errorf("sent twice with one key: %+v", list)
		}
		a := doctor.Get("/api/stills/" + one.ID).Want(200)
		if !bytes.Equal(a.Body, data) || a.Header.Get("Content-Digest") != said || a.Header.Get("Content-Type") != "image/jpeg" {
			t.Errorf("%d bytes, %v", len(a.Body), a.Header)
		}
		if name := a.Header.Get("Content-Disposition"); name != `attachment; filename="photo-2026-03-10.jpg"` {
			t.Errorf("%s", name)
		}
		if h := a.Header; h.Get("Content-Security-Policy") != "default-src 'none'; sandbox; frame-ancestors 'none'" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cross-Origin-Resource-Policy") != "same-origin" {
			t.Errorf("a photo could run in our origin: %v", h)
		}
		c.With("lea").Get("/api/me/stills").Want(200).JSON(&list)
		c.With("lea").Get("/api/stills/" + one.ID).Want(200)
		var hidden struct{ Items []struct{ ID string } }
		w.hide(true) // a minor keeps the act from their parents, who hold the link (issue 9, C6)
		c.With("lea").Get("/api/me/stills").Want(200).JSON(&hidden)
		if len(hidden.Items) != 0 {
			t.Errorf("photos of a confidential act: %v", hidden)
		}
		c.With("lea").Get("/api/stills/"+one.ID).Problem(404, "not-found")
		doctor.Get("/api/stills/" + one.ID).Want(200)
		w.hide(false)
		link.Get("/api/stills/"+one.ID).Problem(403, "code-needed")
		link.Get(path).Problem(403, "code-needed")
		c.With("hugo").Get("/api/stills/"+one.ID).Problem(404, "not-found")
		c.With("hugo").Get(path).Problem(404, "not-found")
		doctor.Get("/api/me/stills").Problem(404, "not-found")

		// A companion who is asked sends one, and reads none.
		const hugue = care.CompanionID("0199aaaa-0000-7000-8000-000000000071")
		guest := testkit.As(authz.Actor{Role: care.Companion, PatientID: lea, CompanionID: hugue, Level: authz.LevelLink})
		ask := underWay()
		ask.of = string(hugue)
		w.calls(ask)
		st, err := svc.Keep(guest, encounter, "asked-guest", data, digest)
		if err != nil || st.TakenRole != care.Companion {
			t.Fatalf("%+v %v", st, err)
		}
		_, err = svc.StillsOf(guest, encounter)
		refused(t, err, fault.NotFound, "not-found")
		_, _, err = svc.OpenStill(guest, st.ID)
		refused(t, err, fault.NotFound, "not-found")
	})
}
