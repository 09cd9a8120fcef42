package consent

import (
	"strings"
	"time"
	"unicode"

	"visavis/internal/care"
	"visavis/internal/fault"
)

// Channel is how the decision was expressed.
type Channel string

// The channels.
const (
	Web            Channel = "web"            // the patient, on the page
	Oral           Channel = "oral"           // said aloud, attested by the professional
	Representative Channel = "representative" // somebody entitled to decide for the patient, on the page
)

// Relation is what entitles a representative.
type Relation string

// The relations, with their source.
const (
	Mother             Relation = "mother"              // Code civil 371-1, 372-2
	Father             Relation = "father"              // Code civil 371-1, 372-2
	Guardian           Relation = "guardian"            // tutelle: Code civil 390, 459
	AuthorisedRelative Relation = "authorised-relative" // habilitation familiale: Code civil 494-1
	ChosenAdult        Relation = "chosen-adult"        // of a minor who keeps their care secret: CSP L1111-5
)

// mayRepresent lists who decides for a minor and for an adult.
var mayRepresent = map[bool][]Relation{
	true:  {Mother, Father, Guardian, ChosenAdult},
	false: {Guardian, AuthorisedRelative},
}

// Agent is the person who decided for the patient.
type Agent struct {
	Name     string
	Relation Relation
}

// check tells what is wrong with the agent of a patient. A minor needs one
// whatever the channel; only the representative channel has one for an adult.
func (a *Agent) check(channel Channel, minor bool) []fault.Field {
	if a == nil {
		if minor || channel == Representative {
			return []fault.Field{{Name: "representative", Code: "representative-needed"}}
		}
		return nil
	}
	if channel == Web {
		return []fault.Field{{Name: "channel", Code: "channel-representative"}}
	}
	var problems []fault.Field
	a.Name = strings.Join(strings.Fields(a.Name), " ")
	switch {
	case a.Name == "":
		problems = append(problems, fault.Field{Name: "representative.name", Code: "required"})
	case len([]rune(a.Name)) > 120:
		problems = append(problems, fault.Field{Name: "representative.name", Code: "too-long"})
	case strings.ContainsFunc(a.Name, notInName) || !strings.ContainsFunc(a.Name, unicode.IsLetter):
		problems = append(problems, fault.Field{Name: "representative.name", Code: "name-characters"})
	}
	for _, r := range mayRepresent[minor] {
		if r == a.Relation {
			return problems
		}
	}
	return append(problems, fault.Field{Name: "representative.relation", Code: "relation-not-entitled"})
}

func notInName(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.Is(unicode.M, r) && !strings.ContainsRune(" -'’.", r)
}

// Record is one decision about one act.
type Record struct {
	ID            care.ConsentID
	AppointmentID care.AppointmentID
	PatientID     care.PatientID
	Seq           int // 1, 2, 3… within the act
	State         care.ConsentState
	Purpose       care.ActKind
	TextID        string
	Version       int
	Language      care.Language
	SHA256        string
	Channel       Channel
	By            care.Role
	At            time.Time
	Hash          string // SHA-256 of the bundle, hexadecimal
}

// follows tells whether a decision may come after the current state: one may
// agree or refuse at any time, and withdraw only an agreement.
func follows(current, decision care.ConsentState) bool {
	switch decision {
	case care.ConsentGranted, care.ConsentRefused:
		return true
	case care.ConsentWithdrawn:
		return current == care.ConsentGranted
	default:
		return false
	}
}

// stateAt reads the records of one act, oldest first, at an instant.
func stateAt(records []Record, at time.Time) care.ConsentState {
	state := care.ConsentNone
	for _, r := range records {
		if r.At.After(at) {
			break
		}
		state = r.State
	}
	return state
}
