package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/httpx"
	"visavis/internal/limit"
	"visavis/internal/testkit"
)

// noLimit lets a test call as often as it likes.
type noLimit struct{}

func (noLimit) Take(context.Context, limit.Rule, string) error { return nil }
func (noLimit) Refund(context.Context, limit.Rule, string)     {}

// schema is what the OpenAPI document says of a body.
type schema struct {
	Ref        string            `json:"$ref"`
	Type       any               `json:"type"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
}

type apiDocument struct {
	Paths map[string]map[string]struct {
		RequestBody struct {
			Content map[string]struct{ Schema schema }
		}
	}
	Components struct{ Schemas map[string]schema }
}

func (d *apiDocument) resolve(s schema) schema {
	for s.Ref != "" {
		s = d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	return s
}

// full writes a value of the shape of s in which every list has n items and
// every text is this one. The items of lists in lists are few.
func (d *apiDocument) full(s schema, n int, text string, deep int) any {
	s = d.resolve(s)
	switch {
	case deep > 6:
		return nil
	case len(s.Properties) > 0:
		out := map[string]any{}
		for name, p := range s.Properties {
			out[name] = d.full(p, n, text, deep+1)
		}
		return out
	case s.Items != nil:
		out := make([]any, n)
		for i := range out {
			out[i] = d.full(*s.Items, 2, text, deep+1)
		}
		return out
	case strings.Contains(fmt.Sprint(s.Type), "string"):
		return text
	case strings.Contains(fmt.Sprint(s.Type), "boolean"):
		return true
	}
	return 7
}

// empty is full whose lists hold n empty objects, which each lack everything.
func (d *apiDocument) empty(s schema, n int, deep int) string {
	s = d.resolve(s)
	switch {
	case deep > 6:
		return "null"
	case len(s.Properties) > 0:
		var parts []string
		for name, p := range s.Properties {
			parts = append(parts, fmt.Sprintf("%q:%s", name, d.empty(p, n, deep+1)))
		}
		return "{" + strings.Join(parts, ",") + "}"
	case s.Items != nil:
		return "[" + strings.Repeat("{},", n) + "{}]"
	}
	return "[]"
}

// hostile are bodies that no page sends, of about size bytes.
func (d *apiDocument) hostile(t *testing.T, s schema, size int) map[string]string {
	t.Helper()
	unknown := func(key string) string {
		var b strings.Builder
		for i := 0; b.Len() < size && i < 3900; i++ {
			fmt.Fprintf(&b, `"%s%d":0,`, key, i)
		}
		return "{" + b.String() + `"z":0}`
	}
	written := func(n int, text string) string {
		raw, err := json.Marshal(d.full(s, n, text, 0))
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	return map[string]string{
		"unknown fields":    unknown(""),
		"long keys":         unknown(strings.Repeat("k", size/3)),
		"control signs":     unknown(`\u0000\u001b\u202e`),
		"invalid UTF-8":     unknown("\xff\xc3"),
		"to be escaped":     unknown("<&>"),
		"deep":              strings.Repeat(`{"a":[`, size/6),
		"empty items":       d.empty(s, 300, 0),
		"too many items":    d.empty(s, size/6, 0),
		"wide lists":        written(size/60, "x"),
		"endless texts":     written(1, strings.Repeat("x", size/8)),
		"unprintable texts": written(3, strings.Repeat("\u0007\ufffd中", size/200)),
		"no JSON":           strings.Repeat("\x00", size),
	}
}

// TestHostileBodies_EveryRoute sends bodies with thousands of faults to every route,
// as a caller with the right to call it. The size of the answer and the memory are
// bounded, and no answer is a 5xx (issue 9, C7).
func TestHostileBodies_EveryRoute(t *testing.T) {
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
	var doc apiDocument
	if err == nil {
		err = json.Unmarshal(raw, &doc)
	}
	if err != nil {
		t.Fatal(err)
	}
	w := walk{t: t, client: testkit.HTTP(t, p.server.Handler())}
	for _, route := range p.server.Routes() {
		if route.Method == http.MethodGet || route.Method == http.MethodOptions {
			continue
		}
		caller := testkit.Actors{"": authz.Actor{Role: care.Anonymous}}
		for name, a := range callers {
			if p.table.May(a, route.Action) == nil {
				caller = testkit.Actors{name: a}
			}
		}
		for token := range caller {
			w.route(&doc, route, token)
		}
	}
	if w.listed < 200 || w.routes < 50 {
		t.Errorf("only %d bodies of %d routes were refused field by field", w.listed, w.routes)
	}
	t.Logf("%d routes, %d bodies refused field by field; the largest answer %d bytes, the most memory %d times the body", w.routes, w.listed, w.largest, w.memory)
}

type walk struct {
	t                       *testing.T
	client                  *testkit.Client
	routes, listed, largest int
	memory                  uint64
}

func (w *walk) route(doc *apiDocument, route httpx.Route, token string) {
	w.routes++
	var s schema
	for _, content := range doc.Paths[route.Path][strings.ToLower(route.Method)].RequestBody.Content {
		s = content.Schema
	}
	for what, body := range doc.hostile(w.t, s, 24_000) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		a := w.client.With(token).Do(route.Method, fill(route.Path), body, testkit.Match("1"))
		runtime.ReadMemStats(&after)
		name := route.Method + " " + route.Path + ", " + what
		if a.Status >= 500 {
			w.t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
		if len(a.Body) > 12<<10 {
			w.t.Errorf("%s: %d bytes are answered with %d", name, len(body), len(a.Body))
		}
		if times := (after.TotalAlloc - before.TotalAlloc) / uint64(len(body)+30_000); times > 120 {
			w.t.Errorf("%s: %d times the body is allocated", name, times)
		} else {
			w.memory = max(w.memory, times)
		}
		w.largest = max(w.largest, len(a.Body))
		var problem httpx.Problem
		if json.Unmarshal(a.Body, &problem) == nil && problem.Code == "fields" {
			w.listed++
		}
	}
}

// TestHosts_EveryRoute: no route is served under another host, and none says the
// name that a proxy or a stranger put into a header.
func TestHosts_EveryRoute(t *testing.T) {
	p := wired(t)
	c := testkit.HTTP(t, p.server.Handler())
	for _, path := range []string{"/", "/pro", "/index.html", "/assets/nothing.js", "/api/openapi.json", "/api/nothing"} {
		misdirected(t, c, httpx.Route{Method: http.MethodGet, Path: path})
	}
	for _, route := range p.server.Routes() {
		misdirected(t, c, route)
	}
}

func misdirected(t *testing.T, c *testkit.Client, route httpx.Route) {
	t.Helper()
	const evil = "evil.example"
	other := func(r *http.Request) { r.Host = evil }
	said := func(r *http.Request) {
		for _, h := range []string{"X-Forwarded-Host", "X-Host", "X-Original-Host", "X-Forwarded-Server", "X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix"} {
			r.Header.Set(h, evil)
		}
		r.Header.Set("Forwarded", "host="+evil)
	}
	name := route.Method + " " + route.Path
	if a := knock(c, route, `{}`, other); a.Status != http.StatusMisdirectedRequest || strings.Contains(string(a.Body), evil) {
		t.Errorf("%s of another host: %d %s", name, a.Status, a.Body)
	}
	if a := knock(c, route, `{}`, said); a.Status == http.StatusMisdirectedRequest || strings.Contains(fmt.Sprint(a.Header)+string(a.Body), evil) {
		t.Errorf("%s with the name in a header: %d %v %s", name, a.Status, a.Header, a.Body)
	}
}
