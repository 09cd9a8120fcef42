package authz

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"visavis/internal/care"
	"visavis/internal/fault"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata/decisions.golden anew; then read its difference")

func load(t *testing.T) *Table {
	t.Helper()
	table, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// answer is what a decision shows: allowed, or the code of the refusal.
func answer(err error) string {
	var f *fault.Error
	switch {
	case err == nil:
		return "yes"
	case errors.As(err, &f):
		return f.Code
	default:
		return "ERROR " + err.Error()
	}
}

// usual is the level of an ordinary session of a role.
func usual(r care.Role) Level {
	switch r {
	case care.Anonymous:
		return LevelNone
	case care.Patient, care.Companion:
		return LevelLink
	default:
		return LevelPSC
	}
}

// TestDecisions is S1's golden file: every action, role and relation, for the
// role's usual session, and with a second factor and every capability where that
// changes anything.
// A change of the table is a change of this file, to be read in review.
func TestDecisions(t *testing.T) {
	table := load(t)
	actions := table.Actions()
	slices.Sort(actions)
	var b strings.Builder
	for _, act := range actions {
		for _, role := range Roles {
			a := Actor{Role: role, Level: usual(role)}
			code := a
			code.Level, code.Capabilities = max(code.Level, LevelCode), DataProtection
			line := []string{}
			for _, rel := range []Relation{Own, Team, Org, Other, None} {
				got, more := answer(table.Can(a, act, rel)), answer(table.Can(code, act, rel))
				if more != got {
					got += "→" + more
				}
				line = append(line, fmt.Sprintf("%c:%s", rel, got))
			}
			fmt.Fprintf(&b, "%-22s %-10s may:%-9s %s\n", act, role, answer(table.May(a, act)), strings.Join(line, " "))
		}
	}
	const file = "testdata/decisions.golden"
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("who may do what has changed. If that is meant: go test ./internal/authz -run Decisions -update\n%s", diff)
	}
}

// TestLaws are the sentences the table must keep, whatever is added to it.
func TestLaws(t *testing.T) {
	table := load(t)
	clinical := []string{"document.", "report.", "prescription.", "encounter.", "patient.read", "consent.read", "consent.grant"}
	public := map[Action]bool{"prescription.verify": true}
	for _, act := range table.Actions() {
		is := slices.ContainsFunc(clinical, func(p string) bool { return strings.HasPrefix(string(act), p) }) && !public[act]
		for _, role := range Roles {
			for _, rel := range []Relation{Own, Team, Org, Other} {
				a := Actor{Role: role, Level: LevelPSC}
				yes := table.Can(a, act, rel) == nil
				if yes && rel == Other {
					t.Errorf("%s: %s may act on somebody else's record", act, role)
				}
				if yes && role == care.Anonymous {
					t.Errorf("%s: an anonymous caller has no record, yet may act on one", act)
				}
				if yes && is && (role == care.Admin || role == care.Anonymous) {
					t.Errorf("%s: %s reaches clinical content", act, role)
				}
				if yes && (strings.HasPrefix(string(act), "report.") || strings.HasPrefix(string(act), "document.")) && rel == Org {
					t.Errorf("%s: %s reads clinical content of the organisation without taking part in the act", act, role)
				}
			}
		}
	}
	for _, act := range []Action{"document.list", "document.read", "document.accesses", "patient.read"} {
		link := Actor{Role: care.Patient, Level: LevelLink}
		if got := answer(table.Can(link, act, Own)); got != "code-needed" {
			t.Errorf("%s with the link alone: %s", act, got)
		}
		// What one may not see stays unseen before the code is asked for.
		if got := answer(table.Can(link, act, Other)); got != "not-found" {
			t.Errorf("%s of somebody else with the link alone: %s", act, got)
		}
	}
}

// TestLaws_DataProtection: the capability adds the page of refusals of the own
// organisation to what an administrator may do, and nothing else to anybody.
func TestLaws_DataProtection(t *testing.T) {
	table := load(t)
	for _, act := range table.Actions() {
		own := strings.HasPrefix(string(act), "refusal.")
		for _, role := range Roles {
			plain := Actor{Role: role, Level: LevelPSC}
			officer := plain
			officer.Capabilities = DataProtection
			for _, rel := range []Relation{Own, Team, Org, Other, None} {
				before, with := table.Can(plain, act, rel) == nil, table.Can(officer, act, rel) == nil
				switch {
				case own && with != (role == care.Admin && rel == Org):
					t.Errorf("%s: %s with data-protection, relation %c: %v", act, role, rel, with)
				case own && before:
					t.Errorf("%s: %s without data-protection, relation %c", act, role, rel)
				case !own && before != with:
					t.Errorf("%s: data-protection changes what %s may do, relation %c", act, role, rel)
				}
			}
		}
	}
}

func TestUnknownActionIsRefused(t *testing.T) {
	table := load(t)
	for _, role := range Roles {
		a := Actor{Role: role, Level: LevelPSC}
		if table.May(a, "document.burn") == nil || table.Can(a, "document.burn", Own) == nil {
			t.Errorf("%s may do what is not in the table", role)
		}
	}
	if table.Known("document.burn") || !table.Known("document.read") {
		t.Error("Known is wrong")
	}
}

func TestUnknownRoleMayNothing(t *testing.T) {
	table := load(t)
	for _, act := range table.Actions() {
		for _, role := range []care.Role{"", "root", "Doctor"} {
			if table.May(Actor{Role: role, Level: LevelPSC}, act) == nil {
				t.Errorf("role %q may %s", role, act)
			}
		}
	}
}

func TestSystemMay(t *testing.T) {
	if err := load(t).Can(SystemActor(), "document.read", Other); err != nil {
		t.Error(err)
	}
}

func TestMistakesInTheTableAreFound(t *testing.T) {
	good := "a.read - - - - - - - -"
	for what, text := range map[string]string{
		"a missing column": "a.read - - - - - - -", "a column too many": good + " -", "an unknown relation": "a.read - - - z - - - -",
		"an unknown factor": "a.read - o+psc - - - - - -", "an action twice": good + "\n" + good,
	} {
		if _, err := parse(text); err == nil || !strings.Contains(err.Error(), "table.tsv:") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := parse("# comment\n\n" + good); err != nil {
		t.Error(err)
	}
}

func TestActor(t *testing.T) {
	for want, a := range map[string]Actor{
		"s1": {Role: care.Doctor, StaffID: "s1"}, "p1": {Role: care.Patient, PatientID: "p1"}, "anonymous": {Role: care.Anonymous},
	} {
		if got := a.ID(); got != want {
			t.Errorf("ID() = %q, want %q", got, want)
		}
	}
	if a := From(t.Context()); a.Role != care.Anonymous || a.Level != LevelNone {
		t.Errorf("nobody is %+v", a)
	}
	if a := From(With(t.Context(), Actor{StaffID: "s1", Level: LevelPSC})); a.Role != care.Anonymous {
		t.Errorf("an actor without a role is %+v", a)
	}
	for l, want := range map[Level]string{LevelNone: "none", LevelLink: "link", LevelCode: "code", LevelPSC: "psc"} {
		if l.String() != want {
			t.Errorf("%d is %q", l, l)
		}
	}
}
