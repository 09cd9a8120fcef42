package telemetry

import (
	"fmt"
	"strings"
	"testing"
)

func TestPseudonym(t *testing.T) {
	one, other := Pseudonym([]byte("key")), Pseudonym([]byte("another key"))
	seen := map[string]bool{}
	for n := range 1000 {
		id := fmt.Sprintf("0199-%d", n)
		name := one(id)
		if name != one(id) || name == other(id) || len(name) != 16 || strings.Contains(name, id) || Redact(name) != name {
			t.Fatalf("%s is named %q", id, name)
		}
		seen[name] = true
	}
	if len(seen) != 1000 || one("") != "" {
		t.Errorf("%d names for 1000 people, %q for nobody", len(seen), one(""))
	}
}
