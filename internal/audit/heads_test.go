package audit_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

// write appends and numbers n entries about an object.
func write(t *testing.T, h *testkit.House, object string, n int) {
	t.Helper()
	ctx := testkit.As(authz.Actor{Role: care.Doctor, StaffID: "doctor-2"})
	for range n {
		err := h.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
			return h.Audit.Append(ctx, tx, audit.Entry{Action: "document.read", Object: object})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.Sequencer.Sequence(ctx); err != nil {
		t.Fatal(err)
	}
}

// restarted puts a sequencer of another process in the place of the house's: it
// knows no head.
func restarted(t *testing.T, h *testkit.House) {
	t.Helper()
	s, err := audit.NewSequencer(h.DB, h.Clock, "visavis.test", h.Signer.Private())
	if err != nil {
		t.Fatal(err)
	}
	h.Sequencer = s
}

func export(t *testing.T, h *testkit.House, dir string) string {
	t.Helper()
	name, _, err := h.Sequencer.Export(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// TestExport_Folder: a head is added when entries are, and once on a day
// without any; one file a day; nobody else may read it; what a former version
// kept, one file a head, counts as well.
func TestExport_Folder(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		dir := filepath.Join(t.TempDir(), "heads")
		is := func(want string) {
			t.Helper()
			if name := export(t, h, dir); name != want {
				t.Fatalf("kept %q, want %q", name, want)
			}
		}
		is("") // an empty log has no head
		write(t, h, "document/1", 4)
		note, err := h.Sequencer.Head(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, "2026-03-09-4.head"), []byte(note), 0o400)); err != nil {
			t.Fatal(err)
		}
		write(t, h, "document/1", 5)
		is("2026-03-10.heads:9")
		is("") // nothing happened
		write(t, h, "document/2", 3)
		is("2026-03-10.heads:12")
		h.Clock.Advance(24 * time.Hour)
		is("2026-03-11.heads:12")
		is("")
		kept, err := audit.Heads(dir)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, k := range kept {
			names = append(names, k.Name)
		}
		if want := []string{"2026-03-09-4.head", "2026-03-10.heads:9", "2026-03-10.heads:12", "2026-03-11.heads:12"}; !slices.Equal(names, want) {
			t.Errorf("order: %q", names)
		}
		if info, err := os.Stat(filepath.Join(dir, "2026-03-10.heads")); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", info.Mode(), err)
		}
		if n, err := h.Sequencer.Verify(context.Background(), kept...); err != nil || n != 12 {
			t.Errorf("the honest log: %d %v", n, err)
		}
	})
}

// TestExportedHeadsFindACutAndAFork: somebody with the database and the master
// key cuts the log, then writes it again as long as before. The log is whole in
// itself; the folder tells both times, to verify and to the next export.
func TestExportedHeadsFindACutAndAFork(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		ctx, dir := context.Background(), t.TempDir()
		pool := fill(t, h)
		undo := snapshot(t, pool)
		first := export(t, h, dir)
		found := func(stage, why string) {
			t.Helper()
			kept, err := audit.Heads(dir)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := h.Sequencer.Verify(ctx); err != nil {
				t.Fatalf("%s: without the folder it shows: %v", stage, err)
			}
			_, err = h.Sequencer.Verify(ctx, kept...)
			if !errors.Is(err, audit.ErrTampered) || !strings.Contains(err.Error(), first) || !strings.Contains(err.Error(), why) {
				t.Errorf("NOT DETECTED: %s: %v", stage, err)
			}
			h.Clock.Advance(24 * time.Hour)
			name, _, err := h.Sequencer.Export(ctx, dir)
			if !errors.Is(err, audit.ErrTampered) || !strings.Contains(err.Error(), why) || name != "" {
				t.Errorf("NOT DETECTED by the next export: %s: %q %v", stage, name, err)
			}
			if after, err := audit.Heads(dir); err != nil || len(after) != len(kept) {
				t.Errorf("%s: a head of the false log was kept: %v %v", stage, after, err)
			}
		}
		for _, s := range []string{
			"DELETE FROM audit WHERE seq >= 31", "DELETE FROM audit_heads WHERE size > 31",
			"DELETE FROM audit_hashes WHERE idx >= 57", // 31 leaves make 31 + 15 + 7 + 3 + 1 stored hashes
		} {
			if _, err := pool.Exec(s); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := h.Sequencer.Sequence(ctx); !errors.Is(err, audit.ErrTampered) {
			t.Errorf("the process that signed the longer log goes on with the short one: %v", err)
		}
		restarted(t, h)
		found("the end cut", "31 remain")
		write(t, h, "document/other", 5)
		found("shorter, with a new end", "36 remain")
		write(t, h, "document/other", 4)
		found("as long, with another end", "other entries before 40")
		write(t, h, "document/other", 25)
		found("longer, with another end", "other entries before 40")
		undo()
		restarted(t, h)
		write(t, h, "document/honest", 7)
		if name := export(t, h, dir); !strings.HasSuffix(name, ".heads:47") {
			t.Errorf("the honest log goes on: %q", name)
		}
	})
}

// TestEverythingGone: an emptied log is not a new one.
func TestEverythingGone(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		dir := t.TempDir()
		pool := fill(t, h)
		export(t, h, dir)
		for _, table := range []string{"audit", "audit_heads", "audit_hashes"} {
			if _, err := pool.Exec("DELETE FROM " + table); err != nil {
				t.Fatal(err)
			}
		}
		restarted(t, h)
		if _, _, err := h.Sequencer.Export(context.Background(), dir); !errors.Is(err, audit.ErrTampered) {
			t.Errorf("NOT DETECTED: %v", err)
		}
		kept, err := audit.Heads(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Sequencer.Verify(context.Background(), kept...); !errors.Is(err, audit.ErrTampered) {
			t.Errorf("NOT DETECTED: %v", err)
		}
	})
}

// TestAChangedFileIsNamed: a head somebody touched is a finding, with its name.
func TestAChangedFileIsNamed(t *testing.T) {
	h := testkit.NewHouse(t, testkit.OpenSQLite(t))
	dir := t.TempDir()
	fill(t, h)
	name := export(t, h, dir)
	kept, err := audit.Heads(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, note := range []string{"", "half", strings.Replace(kept[0].Note, fmt.Sprintf("\n%d\n", entries), "\n39\n", 1), kept[0].Note[:len(kept[0].Note)/2]} {
		_, err := h.Sequencer.Verify(context.Background(), audit.Kept{Name: name, Note: note})
		if !errors.Is(err, audit.ErrTampered) || !strings.Contains(err.Error(), name) {
			t.Errorf("%q: %v", note, err)
		}
	}
}
