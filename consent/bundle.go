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

	"visavis/internal/care"
	"visavis/internal/seal"
)

// schema names the shape of a bundle; a new shape gets a new name.
const schema = "visavis.consent/1"

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
}

// BundleActor is whose session clicked, and how it had proven who it was.
type BundleActor struct {
	Role  care.Role `json:"role"`
	ID    string    `json:"id"`
	Level string    `json:"level"`
	Proof string    `json:"proof"`
}

// Screen is what we know of the page that was clicked. It has no IP address.
type Screen struct {
	Language  care.Language `json:"language"`
	UserAgent string        `json:"userAgent"`
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
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

type header struct {
	Algorithm string `json:"alg"`
	Key       string `json:"kid"`
}

var b64 = base64.RawURLEncoding

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
	if err := json.Unmarshal(bundle, &b); err != nil || b.Schema != schema {
		return b, fmt.Errorf("%w: shape", ErrNotGenuine)
	}
	return b, nil
}
