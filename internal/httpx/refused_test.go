package httpx

import (
	"testing"
	"time"

	"visavis/internal/fault"
)

// TestReasonOf: which problems refuse a person, and are told to the log of refusals.
func TestReasonOf(t *testing.T) {
	for _, x := range []struct {
		problem *fault.Error
		want    string
	}{
		{fault.New(fault.Unauthenticated, "sign-in"), "sign-in"},
		{fault.New(fault.Forbidden, "capability-needed"), "capability-needed"},
		{fault.New(fault.NotFound, "not-found"), "not-found"},
		{fault.New(fault.Gone, "link-revoked"), "link-revoked"},
		{fault.New(fault.Gone, "link-expired"), "link-expired"},
		{fault.New(fault.Gone, "act-over"), ""},
		{fault.New(fault.Conflict, "act-closed"), ""},
		{fault.New(fault.Throttled, "throttled"), ""},
		{invalid("name", "required"), ""},
		{invalid("representative", "representative-not-on-file"), "representative-not-on-file"},
		{invalid("representative", "representative-code-needed"), "representative-code-needed"},
	} {
		if got := reasonOf(x.problem); got != x.want {
			t.Errorf("%s %v: reason %q, want %q", x.problem.Code, x.problem.Fields, got, x.want)
		}
	}
}

func invalid(name, code string) *fault.Error {
	return &fault.Error{Kind: fault.Invalid, Code: "invalid", Fields: []fault.Field{{Name: "other", Code: "too-long"}, {Name: name, Code: code}}}
}

// TestHosts_LogOncePerMinute: a flood of requests for another host is one line a minute.
func TestHosts_LogOncePerMinute(t *testing.T) {
	h, at := newHosts("https://rdv.clinique.example", nil), time.Date(2026, 3, 10, 9, 0, 0, 0, time.UTC)
	for _, x := range []struct {
		after time.Duration
		want  bool
	}{{0, true}, {0, false}, {59 * time.Second, false}, {60 * time.Second, true}, {61 * time.Second, false}, {120 * time.Second, true}} {
		if got := h.tell(at.Add(x.after)); got != x.want {
			t.Errorf("after %v: %v", x.after, got)
		}
	}
}
