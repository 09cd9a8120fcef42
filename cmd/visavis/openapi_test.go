package main

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestDocumentApartIsTheServers: what `visavis openapi` prints, and the types
// of the pages are made from, is what the running server publishes.
func TestDocumentApartIsTheServers(t *testing.T) {
	s, err := apart()
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	want, err := wired(t).server.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("differs from the server's: %d bytes, %d bytes", len(got), len(want))
	}
}

// TestOperationsHaveNames: each operation has one operationId, a verb and a
// thing, that no other has.
func TestOperationsHaveNames(t *testing.T) {
	s, err := apart()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := s.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
		}
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`^[a-z]+([A-Z][A-Za-z]*)+$`)
	seen := map[string]string{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			name := method + " " + path
			if !form.MatchString(op.OperationID) {
				t.Errorf("%s: operationId %q is no verb with its thing", name, op.OperationID)
			}
			if other := seen[op.OperationID]; other != "" {
				t.Errorf("%s and %s are both %q", name, other, op.OperationID)
			}
			seen[op.OperationID] = name
		}
	}
	if len(seen) < 50 {
		t.Fatalf("only %d operations", len(seen))
	}
}

// TestTexts_PrintedOrListed (issue 9, B1): each free text of the API is cleaned and checked for printing, or
// is listed with the reason why no document holds it.
func TestTexts_PrintedOrListed(t *testing.T) {
	s, err := apart()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile("testdata/texts.tsv")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for line := range strings.Lines(string(raw)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") {
			continue
		}
		if len(f) != 3 || len(f[2]) < 4 {
			t.Errorf("%q is not a row", line)
			continue
		}
		listed[f[0]+" "+f[1]] = true
	}
	printed := 0
	for _, r := range s.Routes() {
		for _, x := range r.Texts {
			key := r.Method + " " + r.Path + " " + x.Path
			switch known := listed[key]; {
			case x.Printed != "" && known:
				t.Errorf("%s is printed: it is not listed in testdata/texts.tsv", key)
			case x.Printed != "":
				printed++
			case !known:
				t.Errorf("%s: tag it printed:\"line\" or \"text\", or say in testdata/texts.tsv why no document holds it", key)
			}
			delete(listed, key)
		}
	}
	for key := range listed {
		t.Errorf("testdata/texts.tsv lists %s, which is no text of the API", key)
	}
	if printed < 20 {
		t.Errorf("only %d texts are printed", printed)
	}
}
