package download

import (
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"visavis/internal/clock"
	"visavis/internal/medicines"
)

func watch(t *testing.T, o Options) *Watch {
	t.Helper()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	o.Zone = paris
	w := &Watch{Options: o, Log: slog.New(slog.DiscardHandler)}
	if err := w.Open(); err != nil {
		t.Fatal(err)
	}
	return w
}

// TestWatch_Reload: what the command fetched is in service without a restart.
func TestWatch_Reload(t *testing.T) {
	p, o := site(t)
	w := watch(t, o)
	if e := w.Base.Edition(); !e.Sample || !e.On.IsZero() {
		t.Errorf("before: %+v", e)
	}
	if _, _, err := Update(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	w.Look(t.Context())
	if e := w.Base.Edition(); e.Sample || e.Count != 200 || e.On.Format(time.DateOnly) != "2026-11-12" {
		t.Errorf("after: %+v", e)
	}
	if again := watch(t, o).Base.Edition(); again != w.Base.Edition() {
		t.Errorf("after a restart: %+v", again)
	}
	_ = p
}

// TestWatch_Nightly: at night, once the command has fetched the files, or when it is told to; each hour again after a failure.
func TestWatch_Nightly(t *testing.T) {
	p, o := site(t)
	at := func(w *Watch, day int, hour int) int { // requests made when it looks at that hour, Paris
		c := clock.NewFake(time.Date(2026, 11, day, hour-1, 30, 0, 0, time.UTC))
		w.Options.Clock = c
		n := 0
		p.set(func() {
			p.fault = func(http.ResponseWriter, *http.Request, string) bool { n++; return false }
		})
		w.Look(t.Context())
		return n
	}
	w := watch(t, o)
	if n := at(w, 12, 3); n != 0 {
		t.Errorf("%d requests of an installation that never asked", n)
	}
	w.Off, w.Nightly = true, true
	if n := at(w, 12, 3); n != 0 {
		t.Errorf("%d requests of one that is told not to", n)
	}
	w.Off = false
	p.set(func() { p.days = sameDay(time.Date(2026, 11, 11, 20, 0, 0, 0, time.UTC)) })
	if n := at(w, 12, 3); n != 4 || w.Base.Len() != 200 {
		t.Errorf("%d requests, %d specialities: told to", n, w.Base.Len())
	}
	w.Nightly = false
	for _, c := range []struct{ day, hour, want int }{{12, 4, 0}, {12, 15, 0}, {13, 1, 0}, {13, 2, 4}, {13, 3, 0}, {13, 23, 0}, {14, 4, 4}, {17, 15, 4}, {17, 16, 0}} {
		if n := at(w, c.day, c.hour); n != c.want {
			t.Errorf("on the %d at %d h: %d requests, want %d", c.day, c.hour, n, c.want)
		}
	}
	p.set(func() { p.files[medicines.FileSpecialities] = "" })
	for _, c := range []struct{ day, hour, want int }{{19, 2, 1}, {19, 3, 1}, {19, 5, 1}, {19, 7, 0}} {
		if n := at(w, c.day, c.hour); n != c.want || w.Base.Len() != 200 {
			t.Errorf("failing, on the %d at %d h: %d requests, want %d; %d in service", c.day, c.hour, n, c.want, w.Base.Len())
		}
	}
}

// TestWatch_Folder: files that the clinic keeps are loaded again when they have changed and stay as they are; worse ones are
// not taken.
func TestWatch_Folder(t *testing.T) {
	_, o := site(t)
	dir := t.TempDir()
	put := func(n int, word string) {
		t.Helper()
		for name, text := range rows(n, word) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	w := &Watch{Options: o, Folder: dir, Nightly: true, Log: slog.New(slog.DiscardHandler)}
	if err := w.Open(); err == nil {
		t.Error("an empty folder opens")
	}
	put(200, "SÉLATINE")
	if err := w.Open(); err != nil || w.Base.Len() != 200 || !w.Base.Edition().On.IsZero() {
		t.Fatalf("the day of copied files is not known: %v %+v", err, w.Base.Edition())
	}
	day := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, DateFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		w.Look(t.Context())
		w.Look(t.Context())
	}
	day("2026-02-27\n")
	if got := w.Base.Edition().On.Format(time.DateOnly); got != "2026-02-27" {
		t.Errorf("the day that the folder says: %s", got)
	}
	for _, odd := range []string{"27/02/2026", "", "2026-02-30", "2199-01-01", "2026-02-27 2026-02-28"} {
		if day(odd); w.Failing() == nil || w.Base.Edition().On.Format(time.DateOnly) != "2026-02-27" {
			t.Errorf("%q: %v %v", odd, w.Failing(), w.Base.Edition())
		}
	}
	day("2026-02-27")
	put(210, "NOUVELLE")
	w.Look(t.Context())
	if w.Base.Len() != 200 {
		t.Error("loaded while it may still be copied")
	}
	w.Look(t.Context())
	if w.Base.Len() != 210 {
		t.Errorf("%d in service after the change", w.Base.Len())
	}
	put(50, "PERDUE")
	w.Look(t.Context())
	w.Look(t.Context())
	if w.Base.Len() != 210 {
		t.Errorf("%d in service after a loss", w.Base.Len())
	}
}
