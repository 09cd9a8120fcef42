package httpx_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"visavis/internal/authz"
	"visavis/internal/httpx"
	"visavis/internal/testkit"

	"github.com/google/go-cmp/cmp"
)

func TestEveryKindHasItsAnswer(t *testing.T) {
	s, c := lite(t)
	for kind, want := range map[string]struct {
		status int
		code   string
		retry  string
	}{
		"plain": {500, "internal", ""}, "internal": {500, "internal", ""}, "missing": {404, "not-found", ""}, "denied": {403, "forbidden", ""},
		"conflict": {409, "changed-meanwhile", ""}, "gone": {410, "record-destroyed", ""}, "throttled": {429, "throttled", "42"},
		"unavailable": {503, "database-unavailable", "5"}, "fields": {422, "fields", ""}, "wrapped": {401, "sign-in", ""},
	} {
		for _, language := range []string{"fr", "en"} {
			a := c.Get("/api/faults/"+kind, testkit.Header("Accept-Language", language))
			p := a.Problem(want.status, want.code)
			if p.Type != "https://visavis.invalid/problems/"+want.code || a.Header.Get("Retry-After") != want.retry {
				t.Errorf("%s: type %q, Retry-After %q", kind, p.Type, a.Header.Get("Retry-After"))
			}
			if strings.Contains(string(a.Body), "secret cause") {
				t.Errorf("%s: the cause is told to the caller: %s", kind, a.Body)
			}
			if (want.status == 404) != (p.Ref == "") || p.Ref != "" && p.Ref != a.Header.Get("X-Request-Id") {
				t.Errorf("%s: ref %q, X-Request-Id %q", kind, p.Ref, a.Header.Get("X-Request-Id"))
			}
		}
	}
	if log := s.h.Logged.String(); strings.Count(log, "secret cause") != 2*3 {
		t.Errorf("the log does not tell the cause of each internal and unavailable answer, or of more:\n%s", log)
	}
}

// TestExactBodies are the answers of issue 2's acceptance 7, byte for byte
// but for the reference.
func TestExactBodies(t *testing.T) {
	_, c := lite(t)
	huge := `{"name":"` + strings.Repeat("x", 5<<20) + `"}`
	for name, want := range map[string]struct {
		a    *testkit.Answer
		body string
	}{
		"missing, French": {c.Get("/api/faults/missing"),
			`{"type":"https://visavis.invalid/problems/not-found","title":"Cette page n'existe pas","status":404,"detail":"Elle n'existe pas, ou elle n'est pas à vous. Vérifiez l'adresse ou revenez à l'accueil.","code":"not-found"}`},
		"fields, English": {c.Get("/api/faults/fields", testkit.English()),
			`{"type":"https://visavis.invalid/problems/fields","title":"Something needs correcting","status":422,"detail":"Nothing was saved. Correct the marked fields, then send again.","code":"fields","fields":[{"name":"lines[0].dose","code":"required","detail":"This is needed."},{"name":"day","code":"not-a-date","detail":"Write a valid date."}],"ref":"…"}`},
		"5 MB of JSON": {c.Post("/api/form", huge, testkit.English()),
			`{"type":"https://visavis.invalid/problems/too-large","title":"Too large","status":413,"detail":"What you sent is larger than allowed. Nothing was saved.","code":"too-large","ref":"…"}`},
		"no JSON": {c.Post("/api/form", `{"name":`, testkit.English()),
			`{"type":"https://visavis.invalid/problems/not-json","title":"Unreadable request","status":400,"detail":"The request could not be read. Nothing was changed. Reload the page and try again.","code":"not-json","ref":"…"}`},
		"unknown field": {c.Post("/api/form", `{"name":"Jo","nom":"Durand"}`, testkit.English()),
			`{"type":"https://visavis.invalid/problems/fields","title":"Something needs correcting","status":400,"detail":"Nothing was saved. Correct the marked fields, then send again.","code":"fields","fields":[{"name":"nom","code":"unknown","detail":"This field is not known."}],"ref":"…"}`},
		"another origin": {c.Post("/api/form", `{"name":"Jo"}`, testkit.English(), testkit.Header("Sec-Fetch-Site", "cross-site")),
			`{"type":"https://visavis.invalid/problems/cross-origin","title":"Request refused","status":403,"detail":"The request comes from another site. Nothing was changed.","code":"cross-origin","ref":"…"}`},
	} {
		var p httpx.Problem
		want.a.JSON(&p)
		got := strings.TrimSpace(string(want.a.Body))
		if p.Ref != "" {
			got = strings.Replace(got, p.Ref, "…", 1)
		}
		if got != want.body {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want.body)
		}
		if p.Status != want.a.Status || want.a.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: status %d of %d, %s", name, want.a.Status, p.Status, want.a.Header.Get("Content-Type"))
		}
	}
}

func TestFieldsAreNamedAndValuesAreNot(t *testing.T) {
	s, c := lite(t)
	for body, want := range map[string][]string{
		`{}`:                                               {"name required"},
		`{"name":"x"}`:                                     {"name too-short"},
		`{"name":"xxxxxxxxxxx"}`:                           {"name too-long"},
		`{"name":7}`:                                       {"name wrong-type"},
		`{"name":"Jo","day":"32/13/1980"}`:                 {"day not-a-date"},
		`{"name":"Jo","at":"angine"}`:                      {"at not-a-date"},
		`{"name":"Jo","email":"angine"}`:                   {"email not-an-email"},
		`{"name":"Jo","kind":"angine"}`:                    {"kind not-a-choice"},
		`{"name":"Jo","count":10}`:                         {"count out-of-range"},
		`{"name":"Jo","count":"angine"}`:                   {"count wrong-type"},
		`{"name":"Jo","phone":"angine"}`:                   {"phone wrong-type"},
		`{"name":"Jo","lines":[{"dose":"1"},{"dose":""}]}`: {"lines[1].dose too-short"},
		`{"name":"Jo","lines":[{},{}]}`:                    {"lines[0].dose required", "lines[1].dose required"},
		`{"name":"Jo","lines":[{"dose":"1"},{"dose":"1"},{"dose":"1"}]}`: {"lines too-long"},
		`[]`:       {" wrong-type"},
		`"angine"`: {" wrong-type"},
	} {
		a := c.Post("/api/form", body)
		a.Fields(want...)
		if strings.Contains(string(a.Body), "angine") {
			t.Errorf("%s: the value is told back: %s", body, a.Body)
		}
	}
	c.Get("/api/query").Fields("query.day required")
	c.Get("/api/query?day=hier").Fields("query.day not-a-date")
	c.Get("/api/query?day=2026-03-10&days=99").Fields("query.days out-of-range")
	c.Get("/api/query?day=2026-03-10&days=beaucoup").Fields("query.days wrong-type")
	c.Get("/api/query?day=2026-03-10").Want(200)
	if strings.Contains(s.h.Logged.String(), "angine") {
		t.Error("the log holds a refused value")
	}
}

func TestUnreadableBodies(t *testing.T) {
	_, c := lite(t)
	for name, a := range map[string]*testkit.Answer{
		"nothing":         c.Post("/api/form", ""),
		"not UTF-8":       c.Post("/api/form", "{\"name\":\"\xff\xfe"),
		"two documents":   c.Post("/api/form", `{"name":"Jo"}{"name":"Jo"}`),
		"text":            c.Post("/api/form", `name=Jo`),
		"another format":  c.Post("/api/form", `<form/>`, testkit.Header("Content-Type", "application/xml")),
		"deep nesting":    c.Post("/api/form", strings.Repeat("[", 20_000)+strings.Repeat("]", 20_000)),
		"a form":          c.Post("/api/form", `name=Jo`, testkit.Header("Content-Type", "application/x-www-form-urlencoded")),
		"text/plain JSON": c.Post("/api/form", `{"name":"Jo"}`, testkit.Header("Content-Type", "text/plain")),
	} {
		if a.Status != 400 {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
			continue
		}
		a.Problem(400, "not-json")
	}
}

// A body cut on its way is no fault of ours.
func TestCutBody(t *testing.T) {
	_, c := lite(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.URL(""), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "POST /api/form HTTP/1.1\r\nHost: visavis.test\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{\"name\":\"Jo\"}"); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") || !strings.Contains(string(answer), `"code":"not-json"`) {
		t.Errorf("%v: %s", err, answer)
	}
}

func TestPanicIsAProblemWithoutItsWords(t *testing.T) {
	s, c := lite(t)
	for range 2 {
		a := c.Get("/api/panic")
		a.Problem(500, "internal")
		for _, word := range []string{"Durand", "goroutine", ".go:"} {
			if strings.Contains(string(a.Body), word) {
				t.Errorf("the answer holds %q: %s", word, a.Body)
			}
		}
	}
	if log := s.h.Logged.String(); strings.Contains(log, "Durand") || !strings.Contains(log, "fixture_test.go") {
		t.Errorf("the log must tell where, not what:\n%s", log)
	}
}

// TestUnseenIsAbsent: what one may not see answers byte for byte like what
// does not exist (S1).
func TestUnseenIsAbsent(t *testing.T) {
	_, c := lite(t)
	doctor, patient := c.With("doctor"), c.With("patient")
	doctor.Get("/api/own/mine").Want(200)
	want := doctor.Get("/api/own/no-such")
	want.Problem(404, "not-found")
	for name, a := range map[string]*testkit.Answer{
		"somebody else's":           doctor.Get("/api/own/somebody-elses"),
		"a role that never does it": patient.Get("/api/own/mine"),
		"the same, no such thing":   patient.Get("/api/own/no-such"),
		"no such route":             doctor.Get("/api/no/such/route"),
		"another method":            doctor.Do("DELETE", "/api/own/mine", nil),
		"mounted, another role":     patient.Get("/raw"),
		"a zero byte":               doctor.Get("/api/own/%00"),
		"no UTF-8":                  doctor.Get("/api/own/%ff"),
	} {
		if a.Status != want.Status || string(a.Body) != string(want.Body) {
			t.Errorf("%s: %d %s\nwant %s", name, a.Status, a.Body, want.Body)
		}
		if diff := cmp.Diff(stable(want.Header), stable(a.Header)); diff != "" {
			t.Errorf("%s: headers differ:\n%s", name, diff)
		}
	}
	c.Get("/api/own/mine").Problem(401, "sign-in")
	c.With("expired or forged").Get("/api/own/mine").Problem(401, "sign-in")
	c.Get("/raw").Problem(401, "sign-in")
	if got := doctor.Get("/raw").Want(200); string(got.Body) != "raw" {
		t.Errorf("%s", got.Body)
	}
}

// stable drops what differs between any two answers.
func stable(h http.Header) http.Header {
	h = h.Clone()
	h.Del("X-Request-Id")
	h.Del("Date")
	return h
}

func TestRoleIsRefusedBeforeTheBodyIsRead(t *testing.T) {
	_, c := lite(t)
	for _, body := range []string{`{"name":`, `{"nom":1}`, strings.Repeat("x", 1<<20)} {
		c.Post("/api/once", body).Problem(401, "sign-in")
		c.With("patient").Post("/api/once", body).Problem(404, "not-found")
	}
}

func TestOpenAPIAndRoutesAgree(t *testing.T) {
	s, c := lite(t)
	raw, err := s.s.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		OpenAPI string                                `json:"openapi"`
		Paths   map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("OpenAPI %s", doc.OpenAPI)
	}
	listed := 0
	for _, r := range s.s.Routes() {
		if !s.h.Table.Known(r.Action) {
			t.Errorf("%s %s: action %s is not in the table", r.Method, r.Path, r.Action)
		}
		if _, ok := doc.Paths[r.Path][strings.ToLower(r.Method)]; ok {
			listed++
		} else if r.Path != "/raw" {
			t.Errorf("%s %s is not in the OpenAPI document", r.Method, r.Path)
		}
	}
	if listed != 8 || len(s.s.Routes()) != 9 {
		t.Errorf("%d routes listed of %d", listed, len(s.s.Routes()))
	}
	if got := c.Get("/api/openapi.json").Want(200); !strings.Contains(string(got.Body), "Idempotency-Key") {
		t.Error("the published document does not say that a key is needed")
	}
}

func TestThrottledSaysHowLong(t *testing.T) {
	s, c := lite(t)
	for range 2 {
		c.Post("/api/limited", nil).Want(204)
	}
	a := c.Post("/api/limited", nil)
	p := a.Problem(429, "throttled")
	if a.Header.Get("Retry-After") != "60" || !strings.Contains(p.Detail, "60") {
		t.Errorf("Retry-After %q, %s", a.Header.Get("Retry-After"), p.Detail)
	}
	c.With("doctor").Post("/api/limited", nil).Want(204) // a session is counted by itself
	s.h.Clock.Advance(60e9)
	c.Post("/api/limited", nil).Want(204)
}

func TestLanguage(t *testing.T) {
	_, c := lite(t)
	for accept, want := range map[string]string{
		"fr": "fr", "en": "en", "": "fr", "de": "fr", "en-GB,fr;q=0.5": "en", "fr-CA, en": "fr", "de, en;q=0.8": "en", "*": "fr", "français": "fr",
	} {
		var out struct{ Lang string }
		c.Post("/api/form", `{"name":"Jo"}`, testkit.Header("Accept-Language", accept)).Want(200).JSON(&out)
		if out.Lang != want {
			t.Errorf("Accept-Language %q: %s, want %s", accept, out.Lang, want)
		}
	}
}

var _ httpx.Authenticator = testkit.Actors{"x": authz.Actor{}}
