package control

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Key is the secret that the processes of one visavis share: 32 random bytes.
type Key []byte

// KeySize is the length of a Key in bytes.
const KeySize = 32

// LoadKey reads a key from a file of 64 hexadecimal digits that only its owner
// may read. create makes one where there is none; two that do so at once get
// the same.
func LoadKey(path string, create bool) (Key, error) {
	k, err := readKey(path)
	if !create || !errors.Is(err, os.ErrNotExist) {
		return k, err
	}
	if err := makeKey(path); err != nil {
		return nil, fmt.Errorf("control key: %w", err)
	}
	return readKey(path)
}

func readKey(path string) (Key, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("control key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("control key: others may read %s: make it 0600", path)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("control key: %w", err)
	}
	k, err := hex.DecodeString(strings.TrimSpace(string(raw)))
	if err != nil || len(k) != KeySize {
		return nil, fmt.Errorf("control key: %s must hold %d hexadecimal digits", path, 2*KeySize)
	}
	return k, nil
}

// makeKey writes the whole file before it has its name.
func makeKey(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	k := make([]byte, KeySize)
	rand.Read(k) // never fails since Go 1.24
	f, err := os.CreateTemp(filepath.Dir(path), ".control")
	if err != nil {
		return err
	}
	_, err = f.WriteString(hex.EncodeToString(k) + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		if err = os.Link(f.Name(), path); errors.Is(err, os.ErrExist) {
			err = nil
		}
	}
	return errors.Join(err, os.Remove(f.Name()))
}

// Derive makes 32 bytes for one purpose (RFC 5869).
func (k Key) Derive(purpose string) []byte {
	b, err := hkdf.Key(sha256.New, k, nil, "visavis control "+purpose, KeySize)
	if err != nil {
		return nil // only a length above 8,160 bytes fails
	}
	return b
}
