package consent

import (
	"context"
	"strings"
	"time"
	"unicode"

	"visavis/consent/entitlement"
	"visavis/internal/authz"
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
	Emergency      Channel = "emergency"      // nobody was asked: see DecideEmergency
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

// self is the relation of a patient who decides alone, in the rules.
const self = "self"

// Agent is the person who decided for the patient.
type Agent struct {
	Name     string
	Relation Relation
	Proof    entitlement.Proof    // how it is known who they are
	Document entitlement.Document // that the professional saw; empty when Proof is OnFile
}

// OnFile is who on a patient's file received the code that proved a
// session.
type OnFile struct {
	Name     string // empty when the code of the session went to nobody on the file
	Relation Relation
	Count    int // of representatives on the file
}

// Representatives answers about who may decide for a patient: identity does.
type Representatives interface {
	// Representative tells who on the file of its patient proved a session with a code.
	Representative(ctx context.Context, session authz.Actor) (OnFile, error)
}

// nameAgent completes who decided. On the page it is the representative on file
// to whom the code of this session was sent: nothing that is typed there names
// them. What a professional says is attested.
func (s *Service) nameAgent(ctx context.Context, d Decision) (Decision, error) {
	switch {
	case d.Channel == Oral && d.Agent != nil:
		agent := *d.Agent
		agent.Proof = entitlement.Attested
		d.Agent = &agent
		return d, nil
	case d.Channel != Representative:
		return d, nil
	}
	on, err := s.Agents.Representative(ctx, authz.From(ctx))
	if err != nil {
		return d, err
	}
	switch {
	case on.Count == 0:
		return d, fault.Fields(fault.Field{Name: "representative", Code: "representative-not-on-file"})
	case on.Name == "":
		return d, fault.Fields(fault.Field{Name: "representative", Code: "representative-code-needed"})
	}
	d.Agent = &Agent{Name: on.Name, Relation: on.Relation, Proof: entitlement.OnFile}
	return d, nil
}

// checkAgent tells what is wrong with who decided for a patient. A minor needs
// somebody, whatever the channel, but for the grounds on which they decide
// alone. What a professional attests needs the document they saw.
func (s *Service) checkAgent(d Decision, minor bool, day time.Time) []fault.Field {
	a := d.Agent
	switch d.Ground {
	case entitlement.Ordinary, entitlement.Secrecy, entitlement.Contraception:
	default:
		return []fault.Field{{Name: "ground", Code: "not-a-choice"}}
	}
	if a == nil {
		if d.Ground != entitlement.Ordinary && s.rules.Allows(self, minor, d.Ground, entitlement.Self, day) && d.Channel == Oral {
			return nil
		}
		if minor || d.Channel == Representative || d.Ground != entitlement.Ordinary {
			return []fault.Field{{Name: "representative", Code: "representative-needed"}}
		}
		return nil
	}
	if d.Channel == Web {
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
	if !s.rules.Allows(string(a.Relation), minor, d.Ground, a.Proof, day) {
		problems = append(problems, fault.Field{Name: "representative.relation", Code: "relation-not-entitled"})
	}
	if a.Proof == entitlement.Attested && !entitlement.KnownDocument(a.Document) {
		problems = append(problems, fault.Field{Name: "representative.document", Code: "document-needed"})
	}
	return problems
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
	Ground        entitlement.Ground // why parents are not told; empty as a rule
	By            care.Role
	At            time.Time
	Hash          string // SHA-256 of the bundle, hexadecimal
}

// follows tells whether a decision may come after the current state: one may
// agree or refuse at any time, and withdraw only an agreement.
func follows(current, decision care.ConsentState) bool {
	switch decision {
	case care.ConsentGranted, care.ConsentRefused:
		return true // after an emergency too: the patient can speak again
	case care.ConsentWithdrawn:
		return current == care.ConsentGranted
	case care.ConsentEmergency:
		return current != care.ConsentGranted // the situation says what else: DecideEmergency
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
