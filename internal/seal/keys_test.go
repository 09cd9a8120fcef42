package seal_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"visavis/internal/seal"
	"visavis/internal/testkit"
)

func TestMasterKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "master")
	if _, err := seal.LoadMaster(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing key: %v", err)
	}
	made, err := seal.MakeMaster(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o400 {
		t.Errorf("mode %v", info.Mode())
	}
	again, err := seal.LoadMaster(path)
	if err != nil || again != made {
		t.Errorf("the key changed on the second start: %v", err)
	}
	for _, mode := range []os.FileMode{0o440, 0o404, 0o644, 0o420} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := seal.LoadMaster(path); err == nil || !strings.Contains(err.Error(), "chmod") {
			t.Errorf("mode %v: %v", mode, err)
		}
	}
}

func TestDamagedMasterKeyIsRefusedNotReplaced(t *testing.T) {
	for _, text := range []string{"", "00", strings.Repeat("0", 63), strings.Repeat("0", 66), strings.Repeat("g", 64)} {
		path := filepath.Join(t.TempDir(), "master")
		if err := os.WriteFile(path, []byte(text), 0o400); err != nil {
			t.Fatal(err)
		}
		if _, err := seal.LoadMaster(path); err == nil {
			t.Errorf("%q was accepted", text)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("%q became %q: %v", text, got, err)
		}
	}
}

func TestMasterName_TellsKeysApartAndNothingElse(t *testing.T) {
	m, other := testkit.Master(), testkit.Master()
	other[31] ^= 1
	if len(m.Name()) != 12 || m.Name() != testkit.Master().Name() || m.Name() == other.Name() {
		t.Errorf("names %s and %s", m.Name(), other.Name())
	}
	if strings.HasPrefix(hex.EncodeToString(m[:]), m.Name()) {
		t.Error("the name is a part of the key")
	}
}

func TestKeysOfPurposesDiffer(t *testing.T) {
	m, other := testkit.Master(), testkit.Master()
	other[31] ^= 1
	if bytes.Equal(m.Derive("wrap"), m.Derive("signature")) || bytes.Equal(m.Derive("wrap"), other.Derive("wrap")) {
		t.Error("two keys are one")
	}
	if !bytes.Equal(m.Derive("wrap"), m.Derive("wrap")) || len(m.Derive("wrap")) != 32 {
		t.Error("a key is not stable or not 32 bytes")
	}
}

func TestSignature(t *testing.T) {
	s := seal.NewSigner(testkit.Master())
	sig, id := s.Sign([]byte("Ordonnance"))
	if !s.Verify([]byte("Ordonnance"), sig, id) {
		t.Fatal("own signature refused")
	}
	other := testkit.Master()
	other[0] ^= 1
	bad := bytes.Clone(sig)
	bad[10] ^= 1
	if s.Verify([]byte("ordonnance"), sig, id) || s.Verify([]byte("Ordonnance"), bad, id) || s.Verify([]byte("Ordonnance"), sig, "0") ||
		s.Verify([]byte("Ordonnance"), nil, id) || seal.NewSigner(other).Verify([]byte("Ordonnance"), sig, id) {
		t.Error("a wrong signature was accepted")
	}
}

func TestBlindIndex(t *testing.T) {
	i := seal.NewIndex(testkit.Master())
	a := i.Of("patients.phone", "+33612345678")
	if len(a) != 16 || !bytes.Equal(a, i.Of("patients.phone", "+33612345678")) {
		t.Error("not 16 stable bytes")
	}
	other := testkit.Master()
	other[0] ^= 1
	if bytes.Equal(a, i.Of("patients.email", "+33612345678")) || bytes.Equal(a, i.Of("patients.phone", "+33612345679")) ||
		bytes.Equal(a, seal.NewIndex(other).Of("patients.phone", "+33612345678")) {
		t.Error("two values share an index")
	}
}
