package declared

import (
	"strings"
	"time"
	"unicode"
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

// maxPatientChanges bounds how often a patient changes one subject of one act; what was said before is kept each time.
const maxPatientChanges = 30

// Subject is what was said of allergies, or of treatments.
type Subject struct {
	State State  `json:"state" enum:",none,listed" doc:"empty: not given, which is not none"`
	Text  string `json:"text,omitempty" maxLength:"2000" doc:"of a listed state"`
}

// Said is a subject with who said it, and when. The zero value is not given.
type Said struct {
	Subject
	By      care.Role // patient, or the professional who asked
	Person  string    // their id; empty at a booking
	At      time.Time
	Earlier []Said `json:",omitempty"` // what was said before, newest first; these have no Earlier
}

// Declaration is what is known for one act.
type Declaration struct {
	Allergies  Said
	Treatments Said
	Version    int64  // counts the changes; 0 while nothing was said
	Closed     string `json:"-"` // why the reader cannot change it: declaration-begun or declaration-closed
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
	case s.State == Listed && !strings.ContainsFunc(text, isWord):
		return []fault.Field{{Name: name + ".text", Code: "required"}}
	case s.State != Listed && text != "":
		return []fault.Field{{Name: name + ".state", Code: "text-without-list"}}
	case utf8.RuneCountInString(text) > maxText:
		return []fault.Field{{Name: name + ".text", Code: "too-long"}}
	}
	return nil
}

// isWord reports whether a character can name something: signs and invisible characters alone are an empty list.
func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// tooOften reports whether a patient changed a subject that g changes again more than maxPatientChanges times.
func (d *Declaration) tooOften(g Given) bool {
	full := func(s Said, now Subject) bool {
		now.Text = strings.TrimSpace(now.Text)
		count := 0
		for _, e := range append([]Said{s}, s.Earlier...) {
			if e.By == care.Patient {
				count++
			}
		}
		return s.Subject != now && count > maxPatientChanges
	}
	return full(d.Allergies, g.Allergies) || full(d.Treatments, g.Treatments)
}

// update takes what is given where it differs, and keeps what was said before; who said the rest, and when, stays.
func (d *Declaration) update(g Given, by care.Role, person string, at time.Time) {
	for _, p := range []struct {
		said  *Said
		given Subject
	}{{&d.Allergies, g.Allergies}, {&d.Treatments, g.Treatments}} {
		p.given.Text = strings.TrimSpace(p.given.Text)
		if p.said.Subject != p.given {
			earlier := p.said.Earlier
			if !p.said.At.IsZero() {
				last := *p.said
				last.Earlier = nil
				earlier = append([]Said{last}, earlier...)
			}
			*p.said = Said{p.given, by, person, at, earlier}
		}
	}
	d.Version++
}
