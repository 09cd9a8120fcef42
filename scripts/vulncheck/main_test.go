package main

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const stream = `{"config":{"protocol_version":"v1.0.0"}}
{"osv":{"id":"GO-1"}}
{"finding":{"osv":"GO-1","trace":[{"module":"m"}]}}
{"finding":{"osv":"GO-1","fixed_version":"v2","trace":[{"module":"m","version":"v1","function":"F"},{"module":"visavis","function":"main"}]}}
{"finding":{"osv":"GO-1","fixed_version":"v2","trace":[{"module":"m","version":"v1","function":"G"}]}}
{"finding":{"osv":"GO-2","trace":[{"module":"n","package":"n/p"}]}}
`

func TestReadFindings_OnlyCalled(t *testing.T) {
	found, err := readFindings(strings.NewReader(stream))
	if want := []finding{{"GO-1", "m", "v1", "v2"}}; err != nil || !slices.Equal(found, want) {
		t.Fatalf("%v, %v; want %v", found, err, want)
	}
	if _, err := readFindings(strings.NewReader(`{"finding":`)); err == nil {
		t.Error("a stream that was cut is not an empty one")
	}
}

func TestCompare(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	found := []finding{{"GO-1", "m", "v1", "v2"}}
	line := "GO-1\tm\t2026-11-01\t2027-02-01\tnever dialled"
	for name, c := range map[string]struct {
		found      []finding
		exceptions string
		want       string // the start of the complaint; "" when all is well
	}{
		"nothing found":      {nil, "", ""},
		"accepted":           {found, line, ""},
		"nobody accepted it": {found, "", "GO-1 is called in m v1: fixed in v2"},
		"no fix":             {[]finding{{"GO-1", "m", "v1", ""}}, "", "GO-1 is called in m v1: no version fixes it"},
		"another module":     {found, strings.Replace(line, "\tm\t", "\tn\t", 1), "GO-1 is called in m"},
		"review is due":      {found, "GO-1\tm\t2026-02-01\t2026-11-28\tnever dialled", "GO-1 in m was accepted until 2026-11-28"},
		"not needed":         {nil, line, "GO-1 in m is accepted, but not called"},
	} {
		accepted, err := parseExceptions("# comment\n" + c.exceptions + "\n")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := compare(c.found, accepted, now)
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) == 0 || !strings.HasPrefix(got[0], c.want)) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestParseExceptions_Refused(t *testing.T) {
	for _, bad := range []string{
		"GO-1\tm\t2026-11-01\t2027-02-01",            // no reason
		"GO-1\tm\t2026-11-01\t2027-02-01\t",          // an empty one
		"GO-1\tm\t2026-11-01\t2028-02-01\treason",    // for ever, nearly
		"GO-1\tm\t2026-11-01\t2026-11-01\treason",    // no time at all
		"GO-1\tm\tyesterday\t2027-02-01\treason",     // no date
		"GO-1\tm\t2026-11-01\t2027-02-30\treason",    // no such day
		"GO-1\t\t2026-11-01\t2027-02-01\treason",     // no module
		"GO-1\tm\t2026-11-01\t2027-02-01\ta\tsecond", // one cell too many
	} {
		if _, err := parseExceptions(bad); err == nil {
			t.Errorf("%q is read as an exception", bad)
		}
	}
}
