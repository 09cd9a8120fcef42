// Package seal keeps clinical words unreadable at rest (trust B9). One master
// key, held in a file outside the database, gives by HKDF every other key. Each
// patient has a data key of their own, wrapped by the master; deleting it makes
// everything sealed for that patient unreadable for ever, backups included.
package seal

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const masterSize = 32

// Master is the root secret, 32 bytes.
type Master [masterSize]byte

// LoadMaster reads the master key from path, as 64 hexadecimal digits. A file
// that is not there is os.ErrNotExist; one that others may read is refused.
func LoadMaster(path string) (Master, error) {
	var m Master
	info, err := os.Stat(path)
	if err != nil {
		return m, fmt.Errorf("seal: master key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return m, fmt.Errorf("seal: master key %s can be read by others: chmod 0400 it", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return m, fmt.Errorf("seal: master key: %w", err)
	}
	raw, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(raw) != masterSize {
		return m, fmt.Errorf("seal: master key %s must be %d hexadecimal digits", path, 2*masterSize)
	}
	copy(m[:], raw)
	return m, nil
}

// MakeMaster makes a new master key at path (mode 0400). Only who makes an
// empty database calls it (internal/installation): a key made for a database
// that has another one opens nothing.
func MakeMaster(path string) (Master, error) {
	var m Master
	rand.Read(m[:])
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return m, fmt.Errorf("seal: master key: %w", err)
	}
	if err := writeDurable(path, []byte(hex.EncodeToString(m[:])+"\n"), 0o400); err != nil {
		return m, fmt.Errorf("seal: master key: %w", err)
	}
	return m, nil
}

// Name tells keys apart without telling the key: 12 hexadecimal digits.
func (m Master) Name() string { return hex.EncodeToString(m.Derive("key name")[:6]) }

// Derive gives the 32-byte key of one purpose (HKDF-SHA256, RFC 5869).
func (m Master) Derive(purpose string) []byte {
	k, err := hkdf.Key(sha256.New, m[:], nil, "visavis/"+purpose, 32)
	if err != nil {
		// HKDF fails only beyond 255 blocks of output; 32 bytes is one.
		return nil
	}
	return k
}

// Signer signs with the platform's Ed25519 key.
type Signer struct {
	key ed25519.PrivateKey
	id  string
}

// NewSigner returns the platform's signer, derived from the master key.
func NewSigner(m Master) *Signer {
	key := ed25519.NewKeyFromSeed(m.Derive("signature"))
	sum := sha256.Sum256(key.Public().(ed25519.PublicKey))
	return &Signer{key: key, id: hex.EncodeToString(sum[:8])}
}

// Sign signs data and names the key.
func (s *Signer) Sign(data []byte) (signature []byte, keyID string) {
	return ed25519.Sign(s.key, data), s.id
}

// KeyID names the key, for a signature that must cover the name.
func (s *Signer) KeyID() string { return s.id }

// Verify checks a signature made by Sign.
func (s *Signer) Verify(data, signature []byte, keyID string) bool {
	return keyID == s.id && ed25519.Verify(s.key.Public().(ed25519.PublicKey), data, signature)
}

// Private gives the key to the audit log, which signs its heads as notes.
func (s *Signer) Private() ed25519.PrivateKey { return s.key }

// Index gives equal answers for equal values without telling the value:
// HMAC-SHA256 under a key of the column's own, cut to 16 bytes.
type Index struct{ m Master }

// NewIndex returns the blind index of the platform.
func NewIndex(m Master) Index { return Index{m} }

// Of returns the index of a normalised value in a column.
func (i Index) Of(column, value string) []byte {
	h := hmac.New(sha256.New, i.m.Derive("index/"+column))
	h.Write([]byte(value))
	return h.Sum(nil)[:16]
}
