package care

import (
	"slices"
	"testing"
	"time"
)

func TestIDsAreUniqueAndSortByTime(t *testing.T) {
	now := time.Date(2026, 3, 10, 8, 0, 0, 0, time.UTC)
	seen := map[string]bool{}
	var inTime []string
	for range 200 {
		now = now.Add(time.Millisecond)
		inTime = append(inTime, NewID(now))
		for range 20 {
			id := NewID(now)
			if seen[id] {
				t.Fatalf("%s twice", id)
			}
			seen[id] = true
			if !ValidID(id) || id[14] != '7' || (id[19] != '8' && id[19] != '9' && id[19] != 'a' && id[19] != 'b') {
				t.Fatalf("%s is no UUID version 7", id)
			}
		}
	}
	if !slices.IsSorted(inTime) {
		t.Error("ids do not sort by creation time")
	}
}

func TestIDHoldsItsInstant(t *testing.T) {
	// RFC 9562 appendix A.6: 2022-02-22T19:22:22Z is 017F22E279B0.
	id := NewID(time.Date(2022, 2, 22, 19, 22, 22, 0, time.UTC))
	if id[:8]+id[9:13] != "017f22e279b0" {
		t.Error(id)
	}
}

func TestValidID(t *testing.T) {
	good := "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
	for _, bad := range []string{
		"", good[:35], good + "0", "017F22E2-79B0-7CC3-98C4-DC0C0C07398F", "017f22e2079b0-7cc3-98c4-dc0c0c07398f",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398g", "017f22e2-79b0-7cc3-98c4-dc0c0c07398 ", "../../../../../../../../etc/passwd/0",
		"017f22e2-79b0-7cc3-98c4-dc0c0c0739'f", "017f22e279b07cc398c4dc0c0c07398f0000", "017f22e2-79b0-7cc3-98c4-dc0c0c07398\x00",
	} {
		if ValidID(bad) {
			t.Errorf("%q is taken for an id", bad)
		}
	}
	if !ValidID(good) {
		t.Error("an id is refused")
	}
}
