package consent

import (
	"strings"
	"testing"
	"time"

	"visavis/consent/entitlement"
	"visavis/internal/care"
	"visavis/internal/fault"
)

func TestCheckAgent(t *testing.T) {
	rules, err := entitlement.Load()
	if err != nil {
		t.Fatal(err)
	}
	s := &Service{rules: rules}
	filed := func(name string, r Relation) *Agent { return &Agent{name, r, entitlement.OnFile, ""} }
	seen := func(name string, r Relation) *Agent {
		return &Agent{name, r, entitlement.Attested, entitlement.Passport}
	}
	const secret, pill = entitlement.Secrecy, entitlement.Contraception
	for name, c := range map[string]struct {
		agent   *Agent
		channel Channel
		ground  entitlement.Ground
		minor   bool
		want    string // refused fields
	}{
		"an adult":                          {nil, Web, "", false, ""},
		"an adult, aloud":                   {nil, Oral, "", false, ""},
		"a minor alone":                     {nil, Web, "", true, "representative representative-needed"},
		"a minor alone, aloud":              {nil, Oral, "", true, "representative representative-needed"},
		"nobody represents":                 {nil, Representative, "", false, "representative representative-needed"},
		"a parent on file":                  {filed("Rose  Moreau", Mother), Representative, "", true, ""},
		"a parent, seen":                    {seen("Rose Moreau", Mother), Oral, "", true, ""},
		"a parent, no document":             {&Agent{"Rose Moreau", Mother, entitlement.Attested, ""}, Oral, "", true, "representative.document document-needed"},
		"a parent, another document":        {&Agent{"Rose Moreau", Mother, entitlement.Attested, "library-card"}, Oral, "", true, "representative.document document-needed"},
		"a parent, known by nothing":        {&Agent{"Rose Moreau", Mother, "", ""}, Representative, "", true, "representative.relation relation-not-entitled"},
		"L1111-5, seen":                     {seen("Rose Moreau", ChosenAdult), Oral, secret, true, ""},
		"L1111-5, alone":                    {nil, Oral, secret, true, "representative representative-needed"},
		"L1111-5 of an adult":               {seen("Rose Moreau", ChosenAdult), Oral, secret, false, "representative.relation relation-not-entitled"},
		"L1111-5, on file":                  {filed("Rose Moreau", ChosenAdult), Representative, secret, true, "representative.relation relation-not-entitled"},
		"a chosen adult, no secret":         {seen("Rose Moreau", ChosenAdult), Oral, "", true, "representative.relation relation-not-entitled"},
		"a mother, in secret":               {seen("Rose Moreau", Mother), Oral, secret, true, "representative.relation relation-not-entitled"},
		"L5134-1":                           {nil, Oral, pill, true, ""},
		"L5134-1, on the page":              {nil, Web, pill, true, "representative representative-needed"},
		"L5134-1 of an adult":               {nil, Oral, pill, false, "representative representative-needed"},
		"another ground":                    {nil, Oral, "shame", true, "ground not-a-choice"},
		"a guardian of an adult":            {seen("Rose Moreau", Guardian), Oral, "", false, ""},
		"a parent of an adult":              {seen("Rose Moreau", Mother), Oral, "", false, "representative.relation relation-not-entitled"},
		"a relative of a minor":             {seen("Rose Moreau", AuthorisedRelative), Oral, "", true, "representative.relation relation-not-entitled"},
		"an agent on the patient's channel": {filed("Rose Moreau", Mother), Web, "", true, "channel channel-representative"},
		"no name":                           {seen("  ", Mother), Oral, "", true, "representative.name required"},
		"no letter":                         {seen("- '", Mother), Oral, "", true, "representative.name name-characters"},
		"a tag":                             {seen("<b>Rose</b>", Mother), Oral, "", true, "representative.name name-characters"},
		"a line separator":                  {seen("Rose\u2028Moreau", Mother), Oral, "", true, ""}, // becomes a blank
		"accents":                           {seen("Zoé D’Ürsel-N'Guessan", Mother), Oral, "", true, ""},
		"too long":                          {seen(strings.Repeat("é", 121), Mother), Oral, "", true, "representative.name too-long"},
		"nothing right":                     {seen("1", "friend"), Oral, "", true, "representative.name name-characters,representative.relation relation-not-entitled"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range s.checkAgent(Decision{Agent: c.agent, Channel: c.channel, Ground: c.ground}, c.minor, time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)) {
				got = append(got, f.Name+" "+f.Code)
			}
			if strings.Join(got, ",") != c.want {
				t.Errorf("refused %q, want %q", got, c.want)
			}
		})
	}
}

func TestWhatMayFollowWhat(t *testing.T) {
	for _, current := range []care.ConsentState{care.ConsentNone, care.ConsentGranted, care.ConsentRefused, care.ConsentWithdrawn, care.ConsentEmergency} {
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
