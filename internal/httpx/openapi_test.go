package httpx_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"visavis/internal/authz"
	"visavis/internal/httpx"
	"visavis/internal/testkit"

	"github.com/google/go-cmp/cmp"
)

type operation struct {
	OperationID string `json:"operationId"`
	Parameters  []struct {
		Name, In string
		Required bool
	}
	Responses map[string]struct {
		Content map[string]struct{ Schema map[string]any }
	}
}

func described(t *testing.T, s *httpx.Server) map[string]map[string]operation {
	t.Helper()
	raw, err := s.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]operation
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Paths
}

// blank is a server whose routes nobody calls.
func blank(t *testing.T, ops ...httpx.Op) *httpx.Server {
	t.Helper()
	s, err := httpx.New(httpx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range ops {
		httpx.Handle(s, op, func(context.Context, *struct{}) (*struct{ Body []string }, error) { return nil, nil })
	}
	return s
}

func TestOperationIDs(t *testing.T) {
	op := func(path string, a authz.Action) httpx.Op {
		return httpx.Op{Method: "GET", Path: path, Action: a, Tag: "test"}
	}
	got := map[string]string{}
	for path, methods := range described(t, blank(t, op("/1", "appointment.book"), op("/2", "appointment.book-for"),
		op("/3", "care-plan.read"), op("/4", "appointment.book").Named("bookAgain"))) {
		got[path] = methods["get"].OperationID
	}
	want := map[string]string{"/1": "bookAppointment", "/2": "bookAppointmentFor", "/3": "readCarePlan", "/4": "bookAgain"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	_, err := blank(t, op("/1", "appointment.book"), op("/2", "appointment.book"), op("/3", "appointment.book")).OpenAPI()
	for _, word := range []string{"GET /1", "GET /2", "GET /3", "bookAppointment", "httpx.Op.ID"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("two routes with one id: %v does not tell %s", err, word)
		}
	}
}

func TestDocumentIsTheSameEachTime(t *testing.T) {
	s, _ := lite(t)
	first, err := s.s.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		other, _ := lite(t)
		if again, err := other.s.OpenAPI(); err != nil || !bytes.Equal(first, again) {
			t.Fatalf("differs: %v", err)
		}
	}
}

func TestDocumentSaysWhatTypesDoNot(t *testing.T) {
	s := blank(t, httpx.Op{Method: "GET", Path: "/file", Action: "a.b", Tag: "test"}.File("application/pdf"),
		httpx.Op{Method: "PUT", Path: "/edit", Action: "a.c", Tag: "test", Once: true}.Matched())
	doc := described(t, s)
	if got := doc["/file"]["get"].Responses["200"].Content; len(got) != 1 || got["application/pdf"].Schema["format"] != "binary" {
		t.Errorf("a file: %v", got)
	}
	headers := map[string]bool{}
	for _, p := range doc["/edit"]["put"].Parameters {
		headers[p.Name] = p.Required && p.In == "header"
	}
	if !headers["If-Match"] || !headers["Idempotency-Key"] {
		t.Errorf("headers %v", headers)
	}
	answers := doc["/edit"]["put"].Responses
	if list := answers["200"].Content["application/json"].Schema; list["type"] != "array" {
		t.Errorf("a list that may be null: %v", list)
	}
	if refusal := answers["default"].Content["application/problem+json"].Schema; refusal["$ref"] != "#/components/schemas/HttpxProblem" {
		t.Errorf("a refusal is %v", refusal)
	}
}

func TestConforms(t *testing.T) {
	s, c := lite(t)
	s.s.Mount("GET", "/api/other", anybody, nil)
	const path, jsonType = "/api/form", "application/json"
	a := c.Post("/api/form", `{"name":"Jo"}`)
	if err := s.s.Conforms("POST", path, a.Status, jsonType, a.Body); err != nil {
		t.Errorf("a true answer: %v", err)
	}
	refusal := c.Post("/api/form", `{}`)
	if err := s.s.Conforms("POST", path, refusal.Status, "application/problem+json", refusal.Body); err != nil {
		t.Errorf("a true refusal: %v", err)
	}
	if err := s.s.Conforms("POST", "/api/limited", 204, "", nil); err != nil {
		t.Errorf("nothing: %v", err)
	}
	mine := c.With("doctor").Get("/api/own/mine")
	if err := s.s.Conforms("GET", "/api/own/mine", mine.Status, jsonType, mine.Body); err != nil {
		t.Errorf("a path with an id: %v", err)
	}
	if !s.s.Describes("GET", "/api/own/mine") || s.s.Describes("GET", "/api/own/mine/x") || s.s.Describes("PUT", "/api/own/mine") {
		t.Error("paths are not found by their patterns")
	}
	for name, err := range map[string]error{
		"a field missing":      s.s.Conforms("POST", path, 200, jsonType, []byte(`{"name":"Jo","n":1}`)),
		"a field more":         s.s.Conforms("POST", path, 200, jsonType, []byte(`{"name":"Jo","n":1,"lang":"fr","x":1}`)),
		"another type":         s.s.Conforms("POST", path, 200, jsonType, []byte(`{"name":null,"n":1,"lang":"fr"}`)),
		"no JSON":              s.s.Conforms("POST", path, 200, jsonType, []byte(`{`)),
		"no body":              s.s.Conforms("POST", path, 200, "", nil),
		"another status":       s.s.Conforms("POST", path, 201, jsonType, a.Body),
		"another media type":   s.s.Conforms("POST", path, 200, "text/html", a.Body),
		"another method":       s.s.Conforms("DELETE", path, 200, jsonType, a.Body),
		"no such path":         s.s.Conforms("GET", "/api/nothing", 200, jsonType, a.Body),
		"not in the document":  s.s.Conforms("GET", "/api/other", 200, jsonType, a.Body),
		"a body where none is": s.s.Conforms("POST", "/api/limited", 204, jsonType, a.Body),
	} {
		if err == nil {
			t.Errorf("%s conforms", name)
		}
	}
}

// A handler reads If-Match only where the document says so.
func TestMatchIsReadWhereItIsDescribed(t *testing.T) {
	s, c := lite(t)
	read := func(ctx context.Context, _ *struct{}) (*echo, error) {
		out := &echo{}
		out.Body.Name = httpx.IfMatch(ctx)
		return out, nil
	}
	op := httpx.Op{Method: "PUT", Path: "/api/described", Action: anybody, ID: "described", Tag: "test"}
	httpx.Handle(s.s, op.Matched(), read)
	op.Path, op.ID = "/api/silent", "silent"
	httpx.Handle(s.s, op, read)
	for path, want := range map[string]string{"/api/described": "7", "/api/silent": ""} {
		var out struct{ Name string }
		if c.Put(path, nil, testkit.Match("7")).Want(200).JSON(&out); out.Name != want {
			t.Errorf("%s reads %q, want %q", path, out.Name, want)
		}
	}
}
