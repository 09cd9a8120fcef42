package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/httpx"
	"visavis/internal/testkit"
)

// oddNumbers are what a number of JSON may look like; good says whether it is one that a field may hold.
func oddNumbers() []string {
	return []string{"1e400", "-1e400", "-0", "-1", "1e308", "-1e308", "5e-324", "1e-400", "0.30000000000000004", "9223372036854775808", "-9223372036854775809", strings.Repeat("9", 400), "0." + strings.Repeat("0", 400) + "1",
		"NaN", "Infinity", "-Infinity", "0,5", "01", "+1", ".5", "1.", "0x10", "1_000", "٣", "１", `"5"`, `"0,5"`, `"٣"`, `"NaN"`, "true", "null", "[]", "{}", "1e999999999"}
}

// oddNames are what a name may look like.
func oddNames() []string {
	return []string{`\u0000`, `A\u0000B`, `\u0007`, `\u001b[31mX`, `\u007f`, `\u0085`, `A\u202eB`, `\u202aA\u202c`, `\u2066A\u2069`, `\u200b`, `\ufeff`, `\ud800`, `\udc00\ud800`, `\uffff`, `\ufffd`, `A\u0301\u0301\u0301\u0301`,
		`\u0627\u0644`, `\ud83d\ude00`, `\r\nX: y`, `' OR 1=1 --`, `<script>`, `%00`, ` `, `\t\n`, "\xff", strings.Repeat(`\u0301`, 200), strings.Repeat("A", 5000)}
}

// TestOddValues_EveryRoute: whatever stands in the place of a number, or of a text, in any body or query of any route, the
// answer is no 5xx, is bounded, and says nothing of the value (issue 9, B5).
func TestOddValues_EveryRoute(t *testing.T) {
	p := wired(t)
	callers := testkit.Actors{}
	for _, role := range []care.Role{care.Patient, care.Companion, care.Doctor, care.Nurse, care.Pharmacist, care.Secretary, care.Admin} {
		callers[string(role)] = authz.Actor{Role: role, SessionID: care.SessionID(care.NewID(time.Now())), Level: authz.LevelPSC,
			PatientID: care.PatientID(care.NewID(time.Now())), StaffID: care.StaffID(care.NewID(time.Now())), SignsUntil: time.Now().Add(time.Hour)}
	}
	if err := p.serverFor(callers, noLimit{}); err != nil {
		t.Fatal(err)
	}
	raw, err := p.server.OpenAPI()
	var doc oddDocument
	if err == nil {
		err = json.Unmarshal(raw, &doc)
	}
	if err == nil {
		err = json.Unmarshal(raw, &doc.api)
	}
	if err != nil {
		t.Fatal(err)
	}
	o := odd{t: t, client: testkit.HTTP(t, p.server.Handler())}
	for _, route := range p.server.Routes() {
		token := ""
		for name, a := range callers {
			if p.table.May(a, route.Action) == nil {
				token = name
			}
		}
		o.route(&doc, route, token)
	}
	t.Logf("%d requests", o.requests)
	if o.requests < 2000 {
		t.Errorf("only %d requests", o.requests)
	}
}

// oddDocument adds the parameters to what hostile bodies read.
type oddDocument struct {
	api   apiDocument
	Paths map[string]map[string]struct {
		Parameters []struct{ In, Name string }
	}
}

type odd struct {
	t        *testing.T
	client   *testkit.Client
	requests int
}

func (o *odd) route(doc *oddDocument, route httpx.Route, token string) {
	method := strings.ToLower(route.Method)
	for _, parameter := range doc.Paths[route.Path][method].Parameters {
		for _, value := range append(oddNumbers(), oddNames()...) {
			var text string
			if json.Unmarshal([]byte(`"`+value+`"`), &text) != nil {
				text = value
			}
			path := fill(route.Path)
			switch parameter.In {
			case "query":
				path += "?" + url.Values{parameter.Name: {text}}.Encode()
			case "path":
				path = strings.Replace(route.Path, "{"+parameter.Name+"}", url.PathEscape(text), 1)
				if text == "" || strings.Contains(path, "//") || strings.HasSuffix(path, "/") {
					continue
				}
				path = fill(path)
			default:
				continue
			}
			o.say(route, token, path, nil, parameter.Name+"="+value)
		}
	}
	if route.Method == http.MethodGet || route.Method == http.MethodOptions {
		return
	}
	var s schema
	for _, content := range doc.api.Paths[route.Path][method].RequestBody.Content {
		s = content.Schema
	}
	const number, text = "424242", "TEXTHERE"
	body, err := json.Marshal(doc.api.full(s, 1, text, 0))
	if err != nil {
		o.t.Fatal(err)
	}
	plain := strings.ReplaceAll(string(body), ":7", ":"+number)
	if strings.Contains(plain, number) {
		for _, n := range oddNumbers() {
			o.say(route, token, fill(route.Path), strings.ReplaceAll(plain, number, n), "numbers "+n)
		}
	}
	if strings.Contains(plain, text) {
		for _, name := range oddNames() {
			o.say(route, token, fill(route.Path), strings.ReplaceAll(plain, text, name), fmt.Sprintf("texts %q", name))
		}
	}
}

func (o *odd) say(route httpx.Route, token, path string, body any, what string) {
	o.requests++
	a := o.client.With(token).Do(route.Method, path, body, testkit.Match("1"))
	if a.Status >= 500 {
		o.t.Errorf("%s %s, %.60s: %d %.300s", route.Method, route.Path, what, a.Status, a.Body)
	}
	if body != nil && a.Status < 300 && !json.Valid([]byte(body.(string))) {
		o.t.Errorf("%s %s, %.60s: %d for what is no JSON", route.Method, route.Path, what, a.Status)
	}
	if len(a.Body) > 12<<10 && a.Status >= 400 {
		o.t.Errorf("%s %s, %.60s: a refusal of %d bytes", route.Method, route.Path, what, len(a.Body))
	}
}
