package main

import (
	"bytes"
	"encoding/json"
	"regexp"
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
