package declared

import (
	"strings"
	"time"
	"unicode/utf8"

	"visavis/internal/care"
	"visavis/internal/fault"
)

// State is what was said of one subject.
type State string

// The states of a subject.
const (
	NotGiven State = ""       // nobody said anything: it is not none
	None     State = "none"   // the patient knows of none
	Listed   State = "listed" // as the text says
)

// maxText bounds one text, in characters.
const maxText = 2000

// Subject is what was said of allergies, or of treatments.
type Subject struct {
	State State  `json:"state" enum:",none,listed" doc:"empty: not given, which is not none"`
	Text  string `json:"text,omitempty" maxLength:"2000" doc:"of a listed state"`
}

// Said is a subject with who said it, and when. The zero value is not given.
type Said struct {
	Subject
	By     care.Role // patient, or the professional who asked
	Person string    // their id; empty at a booking
	At     time.Time
}

// Declaration is what is known for one act.
type Declaration struct {
	Allergies  Said
	Treatments Said
	Version    int64 // counts the changes; 0 while nothing was said
}

// Given is what somebody says now.
type Given struct {
	Allergies  Subject
	Treatments Subject
}

// Empty says whether nothing is given at all.
func (g Given) Empty() bool { return g.Allergies.State == NotGiven && g.Treatments.State == NotGiven }

// Check names what is wrong; prefix is put before each name.
func (g Given) Check(prefix string) []fault.Field {
	return append(g.Allergies.check(prefix+"allergies"), g.Treatments.check(prefix+"treatments")...)
}

func (s Subject) check(name string) []fault.Field {
	text := strings.TrimSpace(s.Text)
	switch {
	case s.State != NotGiven && s.State != None && s.State != Listed:
		return []fault.Field{{Name: name + ".state", Code: "not-a-choice"}}
	case s.State == Listed && text == "":
		return []fault.Field{{Name: name + ".text", Code: "required"}}
	case s.State != Listed && text != "":
		return []fault.Field{{Name: name + ".state", Code: "text-without-list"}}
	case utf8.RuneCountInString(text) > maxText:
		return []fault.Field{{Name: name + ".text", Code: "too-long"}}
	}
	return nil
}

// update takes what is given where it differs; who said the rest, and when, stays.
func (d *Declaration) update(g Given, by care.Role, person string, at time.Time) {
	for _, p := range []struct {
		said  *Said
		given Subject
	}{{&d.Allergies, g.Allergies}, {&d.Treatments, g.Treatments}} {
		p.given.Text = strings.TrimSpace(p.given.Text)
		if p.said.Subject != p.given {
			*p.said = Said{p.given, by, person, at}
		}
	}
	d.Version++
}
