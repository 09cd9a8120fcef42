package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"visavis/internal/audit"
	"visavis/internal/audit/headlog"
	"visavis/internal/authz"
	"visavis/internal/config"
	"visavis/internal/store"
	"visavis/internal/testkit"
	"visavis/simulators/tsa"
)

// heading is a foundation on a house, with two places of heads.
func heading(t *testing.T) (*testkit.House, *platform) {
	h := testkit.NewHouse(t, testkit.OpenSQLite(t))
	cfg := &config.Config{HeadsDir: filepath.Join(t.TempDir(), "heads"), HeadsCopy: t.TempDir(), HeadsStamp: time.Hour}
	if err := os.Mkdir(cfg.HeadsDir, 0o700); err != nil {
		t.Fatal(err)
	}
	return h, &platform{foundation: &foundation{cfg: cfg, log: h.Log, clock: h.Clock, db: h.DB, seq: h.Sequencer, audit: h.Audit, heads: newHeadKeeper()}}
}

// entry writes an entry and numbers it, as happens within a second.
func entry(t *testing.T, h *testkit.House) {
	t.Helper()
	ctx := testkit.As(authz.SystemActor())
	err := h.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		return h.Audit.Append(ctx, tx, audit.Entry{Action: "document.read", Object: "document/1"})
	})
	if err == nil {
		_, err = h.Sequencer.Sequence(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func sizes(t *testing.T, dir string) (list []int64) {
	t.Helper()
	k, err := headlog.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range k.Heads {
		list = append(list, h.Size)
	}
	return list
}

// TestKeepHead_WithinAMinute: with entries at any second of an hour, each is
// covered in both places by a head that was kept at most a minute later; nothing
// is kept while nothing happens, and never more than two heads a minute.
func TestKeepHead_WithinAMinute(t *testing.T) {
	h, p := heading(t)
	tick := func() {
		t.Helper()
		if err := p.keepHead(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	written, awaited := int64(0), map[int64]time.Time{} // by size, when
	for second := range 3600 {
		if second%7 == 3 && second%900 < 300 || second == 1900 {
			entry(t, h)
			written++
			awaited[written] = h.Clock.Now()
		}
		if second%5 == 0 {
			tick()
			for _, dir := range []string{p.cfg.HeadsDir, p.cfg.HeadsCopy} {
				newest, _, err := headlog.Newest(dir)
				if err != nil {
					t.Fatal(err)
				}
				for size, at := range awaited {
					if size > newest.Size && h.Clock.Now().Sub(at) > time.Minute-5*time.Second {
						t.Fatalf("entry %d waits for a head in %s since %s", size, dir, h.Clock.Now().Sub(at))
					}
				}
			}
		}
		h.Clock.Advance(time.Second)
	}
	kept := sizes(t, p.cfg.HeadsDir)
	if len(kept) < 30 || len(kept) > 50 || kept[len(kept)-1] != written { // twenty minutes with entries, at two a minute, and one entry alone
		t.Errorf("%d heads of %d entries: %v", len(kept), written, kept)
	}
	for i := 1; i < len(kept); i++ {
		if kept[i] <= kept[i-1] {
			t.Errorf("a head was kept again: %v", kept)
		}
	}
	list, err := filepath.Glob(filepath.Join(p.cfg.HeadsDir, "*"))
	if err != nil || len(list) != 1 {
		t.Errorf("files: %v %v", list, err)
	}
}

// TestKeepHead_SecondPlaceFails: missing, read-only, hanging or ahead, it is
// told by the log and by health, holds nothing up, and is made good afterwards.
func TestKeepHead_SecondPlaceFails(t *testing.T) {
	h, p := heading(t)
	p.heads.copyFor = 50 * time.Millisecond
	next := func() {
		t.Helper()
		h.Clock.Advance(time.Minute)
		entry(t, h)
		if err := p.keepHead(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	is := func(what, cause string) {
		t.Helper()
		err := p.probeHeads(t.Context())
		if cause == "" && err != nil || cause != "" && (err == nil || !strings.Contains(err.Error(), "heads-not-kept") || !strings.Contains(err.Error(), cause)) {
			t.Errorf("%s: health says %v, want %q", what, err, cause)
		}
		if cause != "" && !strings.Contains(h.Logged.String(), "heads do not reach the second place") {
			t.Errorf("%s: the log does not say so", what)
		}
		if got, want := len(sizes(t, p.cfg.HeadsDir)), int(h.Clock.Now().Sub(testkit.Morning())/time.Minute); got != want {
			t.Errorf("%s: %d heads in the first place, want %d", what, got, want)
		}
	}
	next()
	is("both work", "")
	place := p.cfg.HeadsCopy
	if err := os.Rename(place, place+".away"); err != nil {
		t.Fatal(err)
	}
	next()
	is("missing", "no such file")
	if err := os.Rename(place+".away", place); err != nil {
		t.Fatal(err)
	}
	next()
	is("back", "")
	hold := make(chan struct{})
	_ = p.inTime(func() error { <-hold; return nil })
	next()
	is("hangs", "does not answer")
	close(hold)
	testkit.Eventually(t, 5*time.Second, "it answered", func() bool { return !p.heads.copying.Load() })
	next()
	is("answers again", "")
	if got := len(sizes(t, place)); got != 5 {
		t.Errorf("%d heads in the second place, want 5", got)
	}
	if _, err := headlog.Append(place, h.Clock.Now(), 99, "another"); err != nil {
		t.Fatal(err)
	}
	next()
	is("holds what the first has not", "do not hold the same")
	if n := strings.Count(h.Logged.String(), "heads do not reach the second place"); n != 3 {
		t.Errorf("the log says it %d times, want once for each failure", n)
	}
}

// TestKeepLast: what was written until a process ends leaves the database with
// it, numbered or not yet.
func TestKeepLast(t *testing.T) {
	h, p := heading(t)
	entry(t, h)
	if err := p.keepHead(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	err := h.DB.Tx(testkit.As(authz.SystemActor()), func(ctx context.Context, tx *store.Tx) error {
		return h.Audit.Append(ctx, tx, audit.Entry{Action: "document.read", Object: "document/2"})
	})
	if err != nil {
		t.Fatal(err)
	}
	p.keepLast(t.Context())
	for _, dir := range []string{p.cfg.HeadsDir, p.cfg.HeadsCopy} {
		if got := sizes(t, dir); !slices.Equal(got, []int64{1, 2}) {
			t.Errorf("%s: %v", dir, got)
		}
	}
}

// TestKeepHead_FirstPlaceGone: when the heads of a folder are gone, as when a network
// share is unmounted, health reports it and no new file is begun there.
func TestKeepHead_FirstPlaceGone(t *testing.T) {
	h, p := heading(t)
	entry(t, h)
	for range 2 {
		if err := p.keepHead(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		h.Clock.Advance(time.Minute)
		if err := os.RemoveAll(p.cfg.HeadsDir); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(p.cfg.HeadsDir); err == nil {
		t.Error("it was made again")
	}
	if err := p.probeHeads(t.Context()); err == nil || !strings.Contains(h.Logged.String(), "heads are not kept") {
		t.Errorf("%v\n%s", err, h.Logged)
	}
}

// TestStampHead: the newest head is dated once an hour at most and after each
// midnight, a failure is tried again five minutes later, and verify checks each
// token: a changed one, one of a head that was taken out, one of another
// authority.
func TestStampHead(t *testing.T) {
	h, p := heading(t)
	sim, err := tsa.Start(t.Context(), tsa.Options{Clock: h.Clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	p.cfg.TSA = config.TSA{URL: sim.URL(), CA: filepath.Join(t.TempDir(), "ca.pem")}
	if err := os.WriteFile(p.cfg.TSA.CA, sim.RootPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(during time.Duration, busy bool) {
		t.Helper()
		for range during / (5 * time.Minute) {
			if busy {
				entry(t, h)
			}
			h.Clock.Advance(5 * time.Minute)
			if err := p.keepHead(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if err := p.stampHead(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	stamps := func(want int, what string) []headlog.Stamp {
		t.Helper()
		k, err := headlog.Read(p.cfg.HeadsDir)
		if err != nil || len(k.Stamps) != want || sim.Asked() < want {
			t.Fatalf("%s: %d time stamps, want %d (asked %d times): %v", what, len(k.Stamps), want, sim.Asked(), err)
		}
		return k.Stamps
	}
	run(10*time.Minute, false)
	stamps(0, "no head")
	run(3*time.Hour+30*time.Minute, true)
	stamps(4, "one at once, three hours")
	run(8*time.Hour, false)
	stamps(5, "the last entries of the day, then nothing")
	p.heads = newHeadKeeper() // a restart
	run(30*time.Minute, true)
	stamps(6, "an hour went by since the last")
	p.heads = newHeadKeeper()
	run(20*time.Minute, true)
	stamps(6, "after a restart the hour goes on")
	run(4*time.Hour, true) // over midnight
	list := stamps(11, "four hours and a midnight")
	if err := sim.SetFault(tsa.Down); err != nil {
		t.Fatal(err)
	}
	asked := sim.Asked()
	for range 120 { // every minute, as the job does
		h.Clock.Advance(time.Minute)
		if err := p.stampHead(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	stamps(11, "the authority is away")
	if n := sim.Asked() - asked; n > 24 {
		t.Errorf("asked %d times in two hours", n)
	}
	p.cfg.HeadsStamp = 0
	if err := sim.SetFault(tsa.None); err != nil {
		t.Fatal(err)
	}
	run(2*time.Hour, true)
	stamps(11, "off")
	p.cfg.HeadsStamp = time.Hour
	run(10*time.Minute, true)
	stamps(12, "on again")

	verify := func(words ...string) {
		t.Helper()
		places, err := verifyCmd{}.places(p.foundation)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		err = verifyHeads(&out, p.foundation, places)
		for _, w := range words {
			if all := out.String() + "\n" + errText(err); !strings.Contains(all, w) {
				t.Errorf("no %q in %s", w, all)
			}
		}
		if strings.Contains(strings.Join(words, " "), "12 checked") == (err != nil) {
			t.Errorf("verify: %v", err)
		}
	}
	verify("heads in "+p.cfg.HeadsDir, "heads in "+p.cfg.HeadsCopy, "12 checked, the newest at 2026-03-1")
	file := filepath.Join(p.cfg.HeadsDir, "2026-03-10.heads")
	// The lines of docs/crypto.md.
	openssl := exec.Command("sh", "-ec", `head=$(grep '"size":'"$2"',"note"' "$1" | head -n 1)
printf '%b' "$(printf '%s' "$head" | sed 's/.*"note":"\(.*\)"}$/\1/')" > note
grep '"size":'"$2"',"sha256"' "$1" | sed 's/.*"token":"\([^"]*\)".*/\1/' | openssl base64 -d -A > token
openssl ts -verify -data note -in token -token_in -CAfile "$3"`, "sh", file, itoa(list[0].Size), p.cfg.TSA.CA)
	openssl.Dir = t.TempDir()
	if out, err := openssl.CombinedOutput(); err != nil || !strings.Contains(string(out), "Verification: OK") {
		t.Errorf("openssl: %v %s", err, out)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write := func(raw []byte) {
		if err := os.WriteFile(file, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var without []byte
	for text := range bytes.Lines(raw) {
		if h := []byte(`"size":` + itoa(list[0].Size) + `,"note"`); !bytes.Contains(text, h) {
			without = append(without, text...)
		}
	}
	write(without)
	verify("was time-stamped at 2026-03-10", "is not in "+p.cfg.HeadsDir+" any more")
	write(bytes.Replace(raw, []byte(hexOf(list[1].Sum)), []byte(hexOf(list[0].Sum)), 1))
	verify("the time stamp of the head " + p.cfg.HeadsDir)
	write(raw)
	other, err := tsa.Start(t.Context(), tsa.Options{Clock: h.Clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	if err := os.WriteFile(p.cfg.TSA.CA, other.RootPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	verify("does not hold")
	p.cfg.TSA.CA = ""
	if err := verifyHeads(io.Discard, p.foundation, nil); err != nil {
		t.Error(err)
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func hexOf(sum [32]byte) string { return hex.EncodeToString(sum[:]) }
