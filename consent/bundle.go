package consent

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"visavis/consent/entitlement"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/seal"
)

// The shapes of a bundle; a new shape gets a new name, and old ones are read
// for ever. The second adds what a judge asks by name: the professional, the
// organisation, the start of the act, who attested, the page. The third adds how it
// is known who decided for the patient, the ground on which parents are not told,
// and emergencies.
const (
	schema1 = "visavis.consent/1"
	schema2 = "visavis.consent/2"
	schema3 = "visavis.consent/3"
)

// Bundle is everything a record proves (trust B8). It needs nothing from the
// platform to be checked, except its public key and the text's HTML.
type Bundle struct {
	Schema        string              `json:"schema"`
	ID            care.ConsentID      `json:"id"`
	AppointmentID care.AppointmentID  `json:"appointmentId"`
	Sequence      int                 `json:"sequence"`
	Previous      string              `json:"previous"` // SHA-256 of the act's previous bundle; empty for the first
	Decision      care.ConsentState   `json:"decision"`
	At            string              `json:"at"` // RFC 3339, UTC, the server's clock
	Text          BundleText          `json:"text"`
	Patient       BundlePatient       `json:"patient"`
	Channel       Channel             `json:"channel"`
	Agent         *BundleAgent        `json:"representative,omitempty"`
	Actor         BundleActor         `json:"actor"`
	Practitioner  care.StaffID        `json:"practitionerId"`
	Organization  care.OrganizationID `json:"organizationId"`
	Screen        Screen              `json:"screen"`

	// Since the second shape.
	ActStart         string `json:"actStart,omitempty"` // as At
	PractitionerName string `json:"practitionerName,omitempty"`
	PractitionerRPPS string `json:"practitionerRpps,omitempty"`
	OrganizationName string `json:"organizationName,omitempty"`

	// Since the third shape.
	Ground    entitlement.Ground `json:"ground,omitempty"`
	Emergency *BundleEmergency   `json:"emergency,omitempty"`
}

// BundleEmergency is why care began without an agreement, as the doctor wrote it.
type BundleEmergency struct {
	Situation string `json:"situation"` // a code of entitlement/emergency.tsv
	Reason    string `json:"reason"`
	Source    string `json:"source"` // the article that allows it
}

// BundleText is the text that was shown.
type BundleText struct {
	ID       string        `json:"id"`
	Purpose  care.ActKind  `json:"purpose"`
	Version  int           `json:"version"`
	Language care.Language `json:"language"`
	SHA256   string        `json:"sha256"`
}

// BundlePatient is the patient as named on the screen.
type BundlePatient struct {
	ID    care.PatientID `json:"id"`
	Name  string         `json:"name"`
	Minor bool           `json:"minor"`
}

// BundleAgent is the one who decided for the patient.
type BundleAgent struct {
	Name     string   `json:"name"`
	Relation Relation `json:"relation"`
	// Since the third shape.
	Proof    entitlement.Proof    `json:"proof,omitempty"`
	Document entitlement.Document `json:"document,omitempty"` // that the professional saw
}

// BundleActor is whose session clicked, and how it had proven who it was:
// Proof has the provider, its acr and the time of the sign-in, or the link.
type BundleActor struct {
	Role  care.Role `json:"role"`
	ID    string    `json:"id"`
	Level string    `json:"level"`
	Proof string    `json:"proof"`
	// Since the second shape.
	Name    string `json:"name,omitempty"`    // of a professional: who attests
	Session string `json:"session,omitempty"` // SHA-256 of its id, to find it in the log
}

// Screen is what we know of the page that was clicked: Build is ours, the rest
// is what the page says. It has no IP address.
type Screen struct {
	Language  care.Language `json:"language"`
	UserAgent string        `json:"userAgent"`
	// Since the second shape.
	Build   string `json:"build,omitempty"`
	Page    string `json:"page,omitempty"`
	Control string `json:"control,omitempty"` // what was pressed
	Seconds int    `json:"seconds,omitempty"` // the text was in view
}

// missing names the first mandatory field that a bundle of the second shape
// lacks; each way to agree has its own (B8).
func (b Bundle) missing() string {
	oral, agent, urgent := b.Channel == Oral, b.Agent, b.Emergency
	for name, there := range map[string]bool{
		"id": b.ID != "", "appointmentId": b.AppointmentID != "", "sequence": b.Sequence > 0, "previous": (b.Previous == "") == (b.Sequence == 1),
		"decision": b.Decision != "", "at": b.At != "", "text": urgent != nil || b.Text.ID != "" && b.Text.SHA256 != "" && b.Text.Version > 0 && b.Text.Language != "",
		"patient": b.Patient.ID != "" && b.Patient.Name != "", "actor": b.Actor.Role != "" && b.Actor.ID != "" && b.Actor.Proof != "" && b.Actor.Session != "",
		"practitionerId": b.Practitioner != "", "practitionerName": b.PractitionerName != "", "organizationId": b.Organization != "",
		"organizationName": b.OrganizationName != "", "actStart": b.ActStart != "", "screen.build": b.Screen.Build != "",
		"actor.name":           !oral || b.Actor.Name != "",
		"emergency":            (urgent != nil) == (b.Channel == Emergency) && (urgent == nil || urgent.Situation != "" && urgent.Reason != "" && urgent.Source != "" && b.Actor.Name != ""),
		"representative.proof": b.Schema != schema3 || agent == nil || agent.Proof == entitlement.OnFile || agent.Proof == entitlement.Attested && agent.Document != "",
		"representative":       agent == nil && b.Channel != Representative || agent != nil && agent.Name != "" && agent.Relation != "",
	} {
		if !there {
			return name
		}
	}
	return ""
}

// bundle gathers what a record proves.
func (s *Service) bundle(actor authz.Actor, r Record, act Act, p Patient, who Professionals, d Decision, previous string) Bundle {
	session := hash([]byte(actor.SessionID))
	b := Bundle{
		Schema: schema3, ID: r.ID, AppointmentID: r.AppointmentID, Sequence: r.Seq, Previous: previous, Decision: r.State, At: instant(r.At),
		Text:    BundleText{r.TextID, r.Purpose, r.Version, r.Language, r.SHA256},
		Patient: BundlePatient{act.PatientID, p.DisplayName, p.Minor}, Channel: r.Channel,
		Actor:        BundleActor{actor.Role, actor.ID(), actor.Level.String(), actor.Proof, "", session},
		Practitioner: act.PractitionerID, Organization: act.OrganizationID,
		Screen: Screen{
			Language: d.Screen.Language, UserAgent: printable(d.Screen.UserAgent), Build: s.Build,
			Page: printable(d.Screen.Page), Control: printable(d.Screen.Control), Seconds: d.Screen.Seconds,
		},
		ActStart: instant(act.Start), PractitionerName: who.Practitioner, PractitionerRPPS: who.RPPS, OrganizationName: who.Organization,
	}
	if actor.StaffID != "" {
		b.Actor.Name = who.Actor
	}
	if d.Agent != nil {
		b.Agent = &BundleAgent{d.Agent.Name, d.Agent.Relation, d.Agent.Proof, d.Agent.Document}
	}
	b.Ground, b.Emergency = d.Ground, d.emergency
	return b
}

func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

// canonical writes v as RFC 8785 asks: keys in order, no blanks, no needless
// escape. Our keys are ASCII and our numbers small integers, for which Go's
// encoder and the RFC agree.
func canonical(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var sorted map[string]any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&sorted); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(sorted); err != nil {
		return nil, err
	}
	return unescaped(bytes.TrimSuffix(out.Bytes(), []byte("\n"))), nil
}

// unescaped writes as themselves the three characters that Go always escapes
// and RFC 8785 §3.2.2.2 does not.
func unescaped(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' || i+1 == len(raw) {
			out = append(out, raw[i])
			continue
		}
		if i+6 <= len(raw) {
			if c, ok := map[string]string{`\u2028`: "\u2028", `\u2029`: "\u2029", `\ufffd`: "\ufffd"}[string(raw[i:i+6])]; ok {
				out, i = append(out, c...), i+5
				continue
			}
		}
		out, i = append(out, raw[i], raw[i+1]), i+1
	}
	return out
}

type header struct {
	Algorithm string `json:"alg"`
	Key       string `json:"kid"`
}

var b64 = base64.RawURLEncoding.Strict()

// sign gives the detached JWS (EdDSA, RFC 8037) of a bundle.
func sign(s *seal.Signer, bundle []byte) (string, error) {
	head, err := json.Marshal(header{"EdDSA", s.KeyID()})
	if err != nil {
		return "", err
	}
	protected := b64.EncodeToString(head)
	signature, _ := s.Sign([]byte(protected + "." + b64.EncodeToString(bundle)))
	return protected + ".." + b64.EncodeToString(signature), nil
}

// ErrNotGenuine is returned by Verify.
var ErrNotGenuine = errors.New("consent: the bundle is not genuine")

// Verify checks a bundle against its detached JWS with the platform's public
// key only, and reads it. Any JOSE library can do the same.
func Verify(bundle []byte, jws string, key ed25519.PublicKey) (Bundle, error) {
	var b Bundle
	parts := strings.Split(jws, ".")
	if len(parts) != 3 || parts[1] != "" {
		return b, fmt.Errorf("%w: no detached JWS", ErrNotGenuine)
	}
	var h header
	head, err := b64.DecodeString(parts[0])
	if err != nil || json.Unmarshal(head, &h) != nil || h.Algorithm != "EdDSA" {
		return b, fmt.Errorf("%w: header", ErrNotGenuine)
	}
	signature, err := b64.DecodeString(parts[2])
	if err != nil || !ed25519.Verify(key, []byte(parts[0]+"."+b64.EncodeToString(bundle)), signature) {
		return b, fmt.Errorf("%w: signature", ErrNotGenuine)
	}
	if err := json.Unmarshal(bundle, &b); err != nil || b.Schema != schema1 && b.Schema != schema2 && b.Schema != schema3 {
		return b, fmt.Errorf("%w: shape", ErrNotGenuine)
	}
	if b.Schema != schema1 && b.missing() != "" {
		return b, fmt.Errorf("%w: without %s", ErrNotGenuine, b.missing())
	}
	return b, nil
}
