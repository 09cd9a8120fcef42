package turn

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"
)

// CredentialLife is how long a credential may be used to allocate. An
// allocation made in time lives on: a consultation of three hours survives.
const CredentialLife = 5 * time.Minute

// Credential is what a client shows to allocate.
type Credential struct {
	Username string
	Password string
	Expires  time.Time
}

// Keys are the secrets that credentials are made with: the first makes, all
// check, so that a secret can be changed without cutting anyone. Each is at
// least 32 random bytes.
type Keys [][]byte

// Issue makes a credential for a participant. The participant's name is shown
// to the network in clear: give an opaque id.
func (k Keys) Issue(participant string, now time.Time) Credential {
	exp := now.Add(CredentialLife).Truncate(time.Second)
	name := encodeName(participant, exp, keyID(k[0]))
	return Credential{Username: name, Password: password(k[0], name), Expires: exp}
}

// NewKey makes a secret.
func NewKey() []byte {
	secret := make([]byte, 32)
	rand.Read(secret) // never fails since Go 1.24
	return secret
}

// maxOldKeys is how many keys that count no more are kept for what lives.
const maxOldKeys = 8

// check says what is wrong with keys.
func (k Keys) check() error {
	if len(k) == 0 {
		return errors.New("turn: at least one key is required")
	}
	for _, secret := range k {
		if len(secret) < 32 {
			return errors.New("turn: a key is shorter than 32 bytes")
		}
	}
	return nil
}

// keyID names a secret without telling it.
func keyID(secret []byte) string {
	sum := sha256.Sum256(append([]byte("visavis turn key "), secret...))
	return hex.EncodeToString(sum[:4])
}

// password finds the secret that made a username. False: none of ours.
func (k Keys) password(username string) (string, bool) {
	_, _, id, ok := readName(username)
	if !ok {
		return "", false
	}
	for _, secret := range k {
		if keyID(secret) == id {
			return password(secret, username), true
		}
	}
	return "", false
}

func encodeName(participant string, exp time.Time, key string) string {
	raw := participant + "|" + strconv.FormatInt(exp.Unix(), 10) + "|" + key
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte(raw)))
}

func password(secret []byte, username string) string {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(username))
	return base64.RawStdEncoding.EncodeToString(h.Sum(nil))
}

// readName takes a username apart. False: we did not make it.
func readName(username string) (participant string, exp time.Time, key string, ok bool) {
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ToUpper(username))
	if err != nil {
		return "", time.Time{}, "", false
	}
	parts := strings.Split(string(raw), "|")
	if len(parts) != 3 || parts[0] == "" {
		return "", time.Time{}, "", false
	}
	n, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return "", time.Time{}, "", false
	}
	// One spelling only: the name is the key of quotas and of revocation.
	if exp = time.Unix(n, 0); encodeName(parts[0], exp, parts[2]) != username {
		return "", time.Time{}, "", false
	}
	return parts[0], exp, parts[2], true
}
