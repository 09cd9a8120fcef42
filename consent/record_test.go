package consent

import (
	"strings"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/fault"
)

func TestWhoMayDecide(t *testing.T) {
	agent := func(name string, r Relation) *Agent { return &Agent{name, r} }
	for name, c := range map[string]struct {
		agent   *Agent
		channel Channel
		minor   bool
		want    string // refused fields
	}{
		"an adult":                          {nil, Web, false, ""},
		"an adult, aloud":                   {nil, Oral, false, ""},
		"a minor alone":                     {nil, Web, true, "representative representative-needed"},
		"a minor alone, aloud":              {nil, Oral, true, "representative representative-needed"},
		"nobody represents":                 {nil, Representative, false, "representative representative-needed"},
		"a parent":                          {agent("Rose  Moreau", Mother), Representative, true, ""},
		"a parent, aloud":                   {agent("Rose Moreau", Mother), Oral, true, ""},
		"L1111-5":                           {agent("Rose Moreau", ChosenAdult), Representative, true, ""},
		"a guardian of an adult":            {agent("Rose Moreau", Guardian), Representative, false, ""},
		"a parent of an adult":              {agent("Rose Moreau", Mother), Representative, false, "representative.relation relation-not-entitled"},
		"a relative of a minor":             {agent("Rose Moreau", AuthorisedRelative), Representative, true, "representative.relation relation-not-entitled"},
		"an agent on the patient's channel": {agent("Rose Moreau", Mother), Web, true, "channel channel-representative"},
		"no name":                           {agent("  ", Mother), Representative, true, "representative.name required"},
		"no letter":                         {agent("- '", Mother), Representative, true, "representative.name name-characters"},
		"a tag":                             {agent("<b>Rose</b>", Mother), Representative, true, "representative.name name-characters"},
		"a line separator":                  {agent("Rose\u2028Moreau", Mother), Representative, true, ""}, // becomes a blank
		"accents":                           {agent("Zoé D’Ürsel-N'Guessan", Mother), Representative, true, ""},
		"too long":                          {agent(strings.Repeat("é", 121), Mother), Representative, true, "representative.name too-long"},
		"nothing right":                     {agent("1", "friend"), Representative, true, "representative.name name-characters,representative.relation relation-not-entitled"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range c.agent.check(c.channel, c.minor) {
				got = append(got, f.Name+" "+f.Code)
			}
			if strings.Join(got, ",") != c.want {
				t.Errorf("refused %q, want %q", got, c.want)
			}
		})
	}
}

func TestWhatMayFollowWhat(t *testing.T) {
	for _, current := range []care.ConsentState{care.ConsentNone, care.ConsentGranted, care.ConsentRefused, care.ConsentWithdrawn} {
		if !follows(current, care.ConsentGranted) || !follows(current, care.ConsentRefused) {
			t.Errorf("one cannot decide after %s", current)
		}
		if follows(current, care.ConsentWithdrawn) != (current == care.ConsentGranted) {
			t.Errorf("withdrawing after %s", current)
		}
		if follows(current, care.ConsentNone) {
			t.Error("none is no decision")
		}
	}
}

func TestStateAtAnInstant(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	records := []Record{{State: care.ConsentRefused, At: at(10)}, {State: care.ConsentGranted, At: at(20)}, {State: care.ConsentWithdrawn, At: at(30)}}
	for s, want := range map[int]care.ConsentState{
		9: care.ConsentNone, 10: care.ConsentRefused, 19: care.ConsentRefused, 20: care.ConsentGranted, 29: care.ConsentGranted, 30: care.ConsentWithdrawn, 99: care.ConsentWithdrawn,
	} {
		if got := stateAt(records, at(s)); got != want {
			t.Errorf("at %d: %s, want %s", s, got, want)
		}
	}
}

func TestFaultsHaveWords(t *testing.T) {
	texts, err := Texts()
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"fault.act-closed", "fault.nothing-to-withdraw", "field.representative-needed", "field.text-differs"} {
		if _, ok := texts.Lookup("fr", code); !ok {
			t.Errorf("%s has no words", code)
		}
	}
	if fault.KindOf(fault.New(fault.Conflict, "act-closed")) != fault.Conflict {
		t.Error("kind lost")
	}
}
