package prescriptions

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"strings"
	"time"

	"visavis/internal/audit"
	"visavis/internal/fault"
	"visavis/internal/limit"
	"visavis/internal/store"

	"golang.org/x/crypto/argon2"
)

const (
	saltSize   = 16
	codeLength = 8 // of 32 letters: 40 bits, behind a slow hash and a limit
	crockford  = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	hashers    = 2 // hashes at once: 19 MiB each, so that guessing cannot exhaust memory (trust B10)
)

// codeTrying bounds the guesses of one code: about 1,500 a day against 10^12 codes.
var codeTrying = limit.Rule{Name: "prescription.code", Burst: 10, Every: time.Minute}

// newPublicID names a verification page: 128 random bits.
func newPublicID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}

// validPublicID tells whether s has the shape of a name made by newPublicID.
func validPublicID(s string) bool {
	return len(s) == 26 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// newCode makes a code to print: XXXX-XXXX, without letters that look alike.
func newCode() string {
	var b [codeLength]byte
	rand.Read(b[:])
	for i := range b {
		b[i] = crockford[b[i]&31]
	}
	return string(b[:4]) + "-" + string(b[4:])
}

// readCode forgives what people type: case, blanks, hyphens, O for 0, I and L for 1.
func readCode(s string) string {
	return strings.NewReplacer(" ", "", "-", "", "\u00a0", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(s))
}

// hashCode is Argon2id (RFC 9106) with OWASP's parameters of 2023: 19 MiB, two passes, one lane.
func (s *Service) hashCode(code string, salt []byte) []byte {
	s.hashing <- struct{}{}
	defer func() { <-s.hashing }()
	return append(append([]byte{}, salt...), argon2.IDKey([]byte(readCode(code)), salt, 2, 19<<10, 1, 32)...)
}

func (s *Service) codeMatches(code string, kept []byte) bool {
	if len(kept) < saltSize || len(readCode(code)) != codeLength {
		return false
	}
	return subtle.ConstantTimeCompare(s.hashCode(code, kept[:saltSize]), kept) == 1
}

func newSalt() []byte {
	b := make([]byte, saltSize)
	rand.Read(b)
	return b
}

// Look tells what anybody who has the sheet may know: that it is genuine, when and by whom it was signed,
// and whether it still holds. It fails as NotFound for a name that no prescription has.
func (s *Service) Look(ctx context.Context, public string) (*Prescription, Standing, error) {
	if !validPublicID(public) {
		return nil, "", fault.Missing()
	}
	var p *Prescription
	err := s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if p, err = s.byPublicID(ctx, tx, public); err != nil {
			return err
		}
		return s.history(ctx, tx, p)
	})
	if err != nil {
		return nil, "", err
	}
	return p, p.standing(s.Clock.Now()), nil
}

// Open gives the content to whoever knows the code of the sheet, and writes it in the audit log, where
// the patient sees it. A wrong code is refused and written too; tries are limited.
func (s *Service) Open(ctx context.Context, public, code string) (*Prescription, Standing, error) {
	if !validPublicID(public) {
		return nil, "", fault.Missing()
	}
	if err := s.Limits.Take(ctx, codeTrying, public); err != nil {
		return nil, "", err
	}
	p, standing, err := s.Look(ctx, public)
	if err != nil {
		return nil, "", err
	}
	outcome := audit.Done
	if !s.codeMatches(code, p.codeHash) {
		outcome = audit.Refused
	}
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "prescription.verify", Object: "document/" + string(p.DocumentID), Patient: p.PatientID, Outcome: outcome})
	})
	if err != nil {
		return nil, "", err
	}
	if outcome == audit.Refused {
		return nil, "", fault.Fields(fault.Field{Name: "code", Code: "code-wrong"})
	}
	return p, standing, nil
}

// URL is the address behind the square of a sheet.
func (s *Service) url(public string) string { return s.PublicURL + "/v/" + public }

// initials is how the page names the patient: « L. M. ».
func initials(given, family string) string {
	out := []string{}
	for _, name := range []string{given, family} {
		if r := []rune(strings.TrimSpace(name)); len(r) > 0 {
			out = append(out, strings.ToUpper(string(r[0]))+".")
		}
	}
	return strings.Join(out, " ")
}
