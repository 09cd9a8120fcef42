package seal_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/clock"
	"visavis/internal/fault"
	"visavis/internal/seal"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

const (
	alice care.PatientID = "0190aaaa-0000-7000-8000-000000000001"
	bruno care.PatientID = "0190bbbb-0000-7000-8000-000000000002"
)

var at = seal.Place{Table: "reports", Column: "text", Row: "r1"}

// vault is a keeper on one database.
type vault struct {
	t     *testing.T
	db    *store.DB
	k     *seal.Keeper
	clock *clock.Fake
	dir   string
}

func vaults(t *testing.T, test func(v *vault)) {
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		v := &vault{t: t, db: db, clock: clock.NewFake(testkit.Morning()), dir: t.TempDir()}
		v.k = v.keeper(testkit.Master())
		test(v)
	})
}

func (v *vault) keeper(m seal.Master) *seal.Keeper {
	v.t.Helper()
	k, err := seal.NewKeeper(m, v.clock, v.dir)
	if err != nil {
		v.t.Fatal(err)
	}
	return k
}

func (v *vault) tx(fn func(ctx context.Context, tx *store.Tx) error) error {
	return v.db.Tx(context.Background(), fn)
}

func (v *vault) seal(p care.PatientID, at seal.Place, plain string) []byte {
	v.t.Helper()
	var out []byte
	err := v.tx(func(ctx context.Context, tx *store.Tx) (err error) {
		out, err = v.k.Seal(ctx, tx, p, at, []byte(plain))
		return err
	})
	if err != nil {
		v.t.Fatal(err)
	}
	return out
}

func (v *vault) open(k *seal.Keeper, p care.PatientID, at seal.Place, sealed []byte) (string, error) {
	v.t.Helper()
	var out []byte
	err := v.tx(func(ctx context.Context, tx *store.Tx) (err error) {
		out, err = k.Open(ctx, tx, p, at, sealed)
		return err
	})
	return string(out), err
}

func TestSealedOpensInItsPlaceOnly(t *testing.T) {
	vaults(t, func(v *vault) {
		sealed := v.seal(alice, at, "Angine à streptocoque")
		v.seal(bruno, at, "other") // bruno has a key too
		if bytes.Contains(sealed, []byte("Angine")) {
			v.t.Fatal("sealed bytes hold the words")
		}
		if got, err := v.open(v.k, alice, at, sealed); err != nil || got != "Angine à streptocoque" {
			v.t.Fatalf("%q %v", got, err)
		}
		if bytes.Equal(sealed, v.seal(alice, at, "Angine à streptocoque")) {
			v.t.Error("sealing twice gives the same bytes: equal texts can be seen")
		}
		for what, move := range map[string]struct {
			p  care.PatientID
			at seal.Place
		}{
			"another row":     {alice, seal.Place{Table: "reports", Column: "text", Row: "r2"}},
			"another column":  {alice, seal.Place{Table: "reports", Column: "motive", Row: "r1"}},
			"another table":   {alice, seal.Place{Table: "prescriptions", Column: "text", Row: "r1"}},
			"another patient": {bruno, at},
		} {
			if got, err := v.open(v.k, move.p, move.at, sealed); err == nil || fault.KindOf(err) != fault.Internal {
				v.t.Errorf("moved to %s it opens: %q %v", what, got, err)
			}
		}
		for i := range sealed {
			altered := bytes.Clone(sealed)
			altered[i] ^= 1
			if got, err := v.open(v.k, alice, at, altered); err == nil {
				v.t.Errorf("altered at byte %d it opens: %q", i, got)
			}
		}
		for _, short := range [][]byte{nil, {}, sealed[:5], sealed[:len(sealed)-1]} {
			if _, err := v.open(v.k, alice, at, short); err == nil {
				v.t.Errorf("%d bytes open", len(short))
			}
		}
	})
}

func TestWrongMasterOpensNothing(t *testing.T) {
	vaults(t, func(v *vault) {
		sealed := v.seal(alice, at, "x")
		other := testkit.Master()
		other[0] ^= 1
		if got, err := v.open(v.keeper(other), alice, at, sealed); err == nil {
			v.t.Errorf("opened %q", got)
		}
	})
}

// TestWrappedKeySwapFails: the keys themselves are bound to their patient.
func TestWrappedKeySwapFails(t *testing.T) {
	vaults(t, func(v *vault) {
		sealed := v.seal(alice, at, "x")
		v.seal(bruno, at, "y")
		pool, err := v.db.SQL()
		if err != nil {
			v.t.Fatal(err)
		}
		if _, err := pool.Exec("UPDATE seal_keys SET wrapped = (SELECT wrapped FROM seal_keys WHERE patient = '" + string(alice) + "') WHERE patient = '" + string(bruno) + "'"); err != nil {
			v.t.Fatal(err)
		}
		fresh := v.keeper(testkit.Master())
		if got, err := v.open(fresh, bruno, at, sealed); err == nil {
			v.t.Errorf("bruno opens what is alice's: %q", got)
		}
	})
}

func TestShredMakesUnreadableForEver(t *testing.T) {
	vaults(t, func(v *vault) {
		sealed, other := v.seal(alice, at, "x"), v.seal(bruno, at, "y")
		blob := care.NewID(v.clock.Now())
		if err := v.tx(func(ctx context.Context, tx *store.Tx) error {
			return v.k.PutBlob(ctx, tx, alice, blob, []byte("%PDF"))
		}); err != nil {
			v.t.Fatal(err)
		}
		refusal := errors.New("rolled back")
		if err := v.tx(func(ctx context.Context, tx *store.Tx) error { return errors.Join(v.k.Shred(ctx, tx, alice), refusal) }); !errors.Is(err, refusal) {
			v.t.Fatal(err)
		}
		if _, err := v.open(v.k, alice, at, sealed); err != nil {
			v.t.Errorf("a shredding that was rolled back destroyed: %v", err)
		}
		if err := v.tx(func(ctx context.Context, tx *store.Tx) error { return v.k.Shred(ctx, tx, alice) }); err != nil {
			v.t.Fatal(err)
		}
		for name, k := range map[string]*seal.Keeper{"this keeper": v.k, "a restarted one": v.keeper(testkit.Master())} {
			if got, err := v.open(k, alice, at, sealed); fault.KindOf(err) != fault.Gone {
				v.t.Errorf("%s after shredding: %q %v", name, got, err)
			}
			err := v.tx(func(ctx context.Context, tx *store.Tx) error { _, err := k.GetBlob(ctx, tx, alice, blob); return err })
			if fault.KindOf(err) != fault.Gone {
				v.t.Errorf("%s: the file after shredding: %v", name, err)
			}
			if got, err := v.open(k, bruno, at, other); err != nil || got != "y" {
				v.t.Errorf("another patient: %q %v", got, err)
			}
		}
		// A patient who comes back gets a new key: the old words stay lost.
		v.seal(alice, at, "new")
		if got, err := v.open(v.k, alice, at, sealed); err == nil {
			v.t.Errorf("old words open with the new key: %q", got)
		}
	})
}

// TestKeyOfARolledBackTransactionIsNotUsed: a key that was never committed
// must not seal anything later.
func TestKeyOfARolledBackTransactionIsNotUsed(t *testing.T) {
	vaults(t, func(v *vault) {
		refusal := errors.New("rolled back")
		err := v.tx(func(ctx context.Context, tx *store.Tx) error {
			_, err := v.k.Seal(ctx, tx, alice, at, []byte("x"))
			_, again := v.k.Seal(ctx, tx, alice, at, []byte("x")) // finds the key in tx
			return errors.Join(err, again, refusal)
		})
		if !errors.Is(err, refusal) {
			v.t.Fatal(err)
		}
		sealed := v.seal(alice, at, "y")
		if got, err := v.open(v.keeper(testkit.Master()), alice, at, sealed); err != nil || got != "y" {
			v.t.Errorf("after a restart: %q %v", got, err)
		}
	})
}

func TestFirstSealsAtOnceShareOneKey(t *testing.T) {
	vaults(t, func(v *vault) {
		var g sync.WaitGroup
		sealed := make([][]byte, 10)
		for i := range sealed {
			k := v.keeper(testkit.Master()) // as many nodes
			g.Go(func() {
				err := v.tx(func(ctx context.Context, tx *store.Tx) (err error) {
					sealed[i], err = k.Seal(ctx, tx, alice, at, []byte("x"))
					return err
				})
				if err != nil {
					v.t.Error(err)
				}
			})
		}
		g.Wait()
		for i, s := range sealed {
			if _, err := v.open(v.k, alice, at, s); err != nil {
				v.t.Errorf("sealed by node %d: %v", i, err)
			}
		}
	})
}

// TestCachedKeyIsForgotten: a key destroyed by another node is unknown here at
// the latest five minutes later.
func TestCachedKeyIsForgotten(t *testing.T) {
	vaults(t, func(v *vault) {
		sealed := v.seal(alice, at, "x")
		if _, err := v.open(v.k, alice, at, sealed); err != nil {
			v.t.Fatal(err)
		}
		node2 := v.keeper(testkit.Master())
		if err := v.tx(func(ctx context.Context, tx *store.Tx) error { return node2.Shred(ctx, tx, alice) }); err != nil {
			v.t.Fatal(err)
		}
		v.clock.Advance(5*time.Minute + time.Second)
		if _, err := v.open(v.k, alice, at, sealed); fault.KindOf(err) != fault.Gone {
			v.t.Errorf("five minutes later: %v", err)
		}
	})
}

func TestBlobs(t *testing.T) {
	vaults(t, func(v *vault) {
		id, other := care.NewID(v.clock.Now()), care.NewID(v.clock.Now())
		data := bytes.Repeat([]byte("Ordonnance "), 100_000)
		put := func(id string) error {
			return v.tx(func(ctx context.Context, tx *store.Tx) error { return v.k.PutBlob(ctx, tx, alice, id, data) })
		}
		get := func(p care.PatientID, id string) (out []byte, err error) {
			err = v.tx(func(ctx context.Context, tx *store.Tx) error { out, err = v.k.GetBlob(ctx, tx, p, id); return err })
			return out, err
		}
		if err := errors.Join(put(id), put(other)); err != nil {
			v.t.Fatal(err)
		}
		if got, err := get(alice, id); err != nil || !bytes.Equal(got, data) {
			v.t.Errorf("%d bytes, %v", len(got), err)
		}
		if _, err := get(bruno, id); err == nil {
			v.t.Error("another patient opens the file")
		}
		var told []seal.Broken
		v.k.OnBroken(func(b seal.Broken) { told = append(told, b) })
		none := care.NewID(v.clock.Now())
		for range 2 {
			if _, err := get(alice, none); !errors.Is(err, seal.FileMissing()) {
				v.t.Errorf("no file: %v", err)
			}
		}
		if there, err := v.k.CheckBlob(alice, none); there || err != nil {
			v.t.Errorf("no file: %v %v", there, err)
		}
		if want := (seal.Broken{File: none, Patient: alice, Code: "file-missing"}); len(told) != 1 || told[0] != want || len(v.k.Broken()) != 1 {
			v.t.Errorf("told %v, kept %v", told, v.k.Broken())
		}
		for _, bad := range []string{"", "../../etc/passwd", "0190aaaa", "0190aaaa-0000-7000-8000-0000000000/1"} {
			if err := put(bad); err == nil {
				v.t.Errorf("id %q was taken as a file name", bad)
			}
		}
		if err := os.Rename(filepath.Join(v.dir, other[34:], other), filepath.Join(v.dir, id[34:], id)); err != nil {
			v.t.Fatal(err)
		}
		if _, err := get(alice, id); err == nil {
			v.t.Error("a file that took the name of another opens")
		}
		v.private(len(data))
	})
}

// private checks modes, and that no file holds its words in clear.
func (v *vault) private(size int) {
	files := 0
	err := filepath.WalkDir(v.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == v.dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			v.t.Errorf("%s has mode %v", d.Name(), info.Mode())
		}
		if d.IsDir() {
			return nil
		}
		files++
		raw, err := os.ReadFile(path)
		if err == nil && (bytes.Contains(raw, []byte("Ordonnance")) || len(raw) < size) {
			v.t.Errorf("%s is not sealed", d.Name())
		}
		return err
	})
	if err != nil || files != 1 {
		v.t.Errorf("%d files, want 1 and no temporary one: %v", files, err)
	}
}
