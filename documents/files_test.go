package documents_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"visavis/documents"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/seal"
	"visavis/internal/testkit"
)

// TestBrokenFiles: each kind of file of a patient, and each thing that can
// happen to it on a disk. The person who asks reads the truth, the alarm is raised once,
// health and verify know of it, and a file put back is whole again.
func TestBrokenFiles(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		dir := t.TempDir()
		var err error
		if h.Keeper, err = seal.NewKeeper(h.Master, h.Clock, dir); err != nil {
			t.Fatal(err)
		}
		var alarms []seal.Broken
		h.Keeper.OnBroken(func(b seal.Broken) { alarms = append(alarms, b) })
		svc, w := open(t, h)
		w.calls(underWay())
		data, digest := photo(t, 5)
		st, err := svc.Keep(patient(lea, 0), encounter, "asked-1", data, digest)
		if err != nil {
			t.Fatal(err)
		}
		d := signed(t, svc, 0)
		pool, err := h.DB.SQL()
		if err != nil {
			t.Fatal(err)
		}
		doctor := staff(care.Doctor, claire)
		document := func() error { _, _, err := svc.Open(doctor, d.ID); return err }
		attached := func() error { _, err := svc.Files(context.Background(), d.ID); return err }
		still := func() error { _, _, err := svc.OpenStill(doctor, st.ID); return err }
		for _, f := range []struct {
			what, query, named string
			read               []func() error
		}{
			{"CDA", "SELECT cda_blob FROM documents", "document " + string(d.ID), []func() error{document, attached}},
			{"PDF", "SELECT pdf_blob FROM documents", "document " + string(d.ID), []func() error{document, attached}},
			{"photo", "SELECT blob FROM stills", "still " + st.ID, []func() error{still}},
		} {
			var id string
			if err := pool.QueryRow(f.query).Scan(&id); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, id[34:], id)
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			flipped := bytes.Clone(whole)
			flipped[len(flipped)/2] ^= 1
			for _, c := range []struct {
				what, code string
				do         func() error
				seen       int // by the look that reads nothing
			}{
				{"missing", "file-missing", func() error { return os.Remove(path) }, 1},
				{"empty", "file-damaged", func() error { return os.WriteFile(path, nil, 0o600) }, 1},
				{"cut", "file-damaged", func() error { return os.WriteFile(path, whole[:len(whole)/2], 0o600) }, 0},
				{"one bit", "file-damaged", func() error { return os.WriteFile(path, flipped, 0o600) }, 0},
				{"folder gone", "file-missing", func() error { return os.RemoveAll(filepath.Dir(path)) }, 1},
			} {
				alarms = nil
				if err := c.do(); err != nil {
					t.Fatal(err)
				}
				for _, read := range f.read {
					err := read()
					refused(t, err, fault.Internal, c.code)
				}
				if len(alarms) != 1 || alarms[0] != (seal.Broken{File: id, Patient: lea, Code: c.code}) {
					t.Errorf("%s %s: alarms %v", f.what, c.what, alarms)
				}
				if b := h.Keeper.Broken(); len(b) != 1 || b[0].File != id {
					t.Errorf("%s %s: health knows %v", f.what, c.what, b)
				}
				_, one := svc.Verify(context.Background())
				_, two := svc.VerifyStills(context.Background())
				if err := errors.Join(one, two); !errors.Is(err, documents.ErrDamaged) || !strings.Contains(err.Error(), f.named) {
					t.Errorf("%s %s: verify says %v", f.what, c.what, err)
				}
				if n, err := svc.CheckFiles(context.Background()); err != nil || n != c.seen {
					t.Errorf("%s %s: the look finds %d, %v", f.what, c.what, n, err)
				}
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, whole, 0o600)); err != nil {
					t.Fatal(err)
				}
				for _, read := range f.read {
					if err := read(); err != nil {
						t.Errorf("%s put back: %v", f.what, err)
					}
				}
				if b := h.Keeper.Broken(); len(b) != 0 {
					t.Errorf("%s put back: health knows %v", f.what, b)
				}
			}
		}
	})
}
