package download

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"

	"visavis/internal/clock"
	"visavis/internal/medicines"
)

// public is the public site, which can fail on command.
type public struct {
	*httptest.Server
	mu    sync.Mutex
	files map[string]string
	days  map[string]time.Time
	fault func(w http.ResponseWriter, r *http.Request, name string) bool // true when it answered
}

func (p *public) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	name := filepath.Base(r.URL.Path)
	if p.fault != nil && p.fault(w, r, name) {
		return
	}
	text, ok := p.files[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	if day, ok := p.days[name]; ok {
		w.Header().Set("Last-Modified", day.UTC().Format(http.TimeFormat))
	}
	_, _ = w.Write([]byte(text))
}

func (p *public) set(fn func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fn()
}

var noon = time.Date(2026, 11, 12, 12, 0, 0, 0, time.UTC)

// rows makes a small base of n specialities; word is in their names.
func rows(n int, word string) map[string]string {
	var cis, compo, cip, cpd strings.Builder
	for i := range n {
		code := fmt.Sprintf("6%07d", i)
		fmt.Fprintf(&cis, "%s\t%s %d mg, comprimé\tcomprimé\torale\tAutorisation active\tProcédure nationale\tCommercialisée\t01/01/2000\t\t\t X\tNon\r\n", code, word, i)
		fmt.Fprintf(&compo, "%s\tcomprimé\t00001\tPARACÉTAMOL\t5 mg\tun comprimé\tSA\t1\t\r\n", code)
		fmt.Fprintf(&cip, "%s\t1\tplaquette de 30 comprimé(s)\tPrésentation active\tDéclaration de commercialisation\t01/01/2020\t34009%08d\toui\r\n", code, i)
		fmt.Fprintf(&cpd, "%s\tliste I\r\n", code)
	}
	out := map[string]string{}
	for name, b := range map[string]*strings.Builder{medicines.FileSpecialities: &cis, medicines.FileSubstances: &compo, medicines.FilePacks: &cip, medicines.FileConditions: &cpd} {
		text, err := charmap.Windows1252.NewEncoder().String(b.String())
		if err != nil {
			panic(err)
		}
		out[name] = text
	}
	return out
}

func sameDay(t time.Time) map[string]time.Time {
	out := map[string]time.Time{}
	for _, name := range medicines.Names() {
		out[name] = t
	}
	return out
}

func site(t *testing.T) (*public, Options) {
	t.Helper()
	p := &public{files: rows(200, "SÉLATINE"), days: sameDay(noon.Add(-6 * time.Hour))}
	p.Server = httptest.NewTLSServer(p)
	t.Cleanup(p.Close)
	least := map[string]int{}
	for _, name := range medicines.Names() {
		least[name] = 100
	}
	transport := p.Client().Transport.(*http.Transport).Clone()
	return p, Options{Folder: filepath.Join(t.TempDir(), "medicines"), URL: p.URL + "/download/file/", Client: Client(transport), Clock: clock.NewFake(noon), Least: least}
}

// served reads what is in service.
func served(t *testing.T, o Options) string {
	t.Helper()
	x, m, err := Open(o.Folder)
	if err != nil {
		t.Fatalf("nothing is in service: %v", err)
	}
	got, _ := x.Lookup("60000001")
	return fmt.Sprintf("%s of %s, %d", strings.Fields(got.Name)[0], m.On.Format(time.DateOnly), x.Len())
}

func leftovers(t *testing.T, folder string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(folder, hidden+"*"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestUpdate(t *testing.T) {
	p, o := site(t)
	if _, _, err := Open(o.Folder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before: %v", err)
	}
	m, changed, err := Update(t.Context(), o)
	if err != nil || !changed || m.Specialities != 200 {
		t.Fatalf("%+v %v %v", m, changed, err)
	}
	if got := served(t, o); got != "SÉLATINE of 2026-11-12, 200" {
		t.Error(got)
	}
	if _, changed, err = Update(t.Context(), o); err != nil || changed {
		t.Errorf("the same files again: %v %v", changed, err)
	}
	for i, word := range []string{"DEUXIÈME", "TROISIÈME", "QUATRIÈME"} {
		p.set(func() { p.files, p.days = rows(210, word), sameDay(noon.AddDate(0, 0, i+1)) })
		o.Clock = clock.NewFake(noon.AddDate(0, 0, i+1))
		if _, changed, err = Update(t.Context(), o); err != nil || !changed {
			t.Fatalf("%s: %v %v", word, changed, err)
		}
	}
	if got := served(t, o); got != "QUATRIÈME of 2026-11-15, 210" {
		t.Error(got)
	}
	list, err := os.ReadDir(o.Folder)
	if err != nil {
		t.Fatal(err)
	}
	sets := 0
	for _, d := range list {
		if d.IsDir() {
			sets++
		}
	}
	if sets != 2 {
		t.Errorf("%d sets are kept, want the one in service and the one before", sets)
	}
}

// TestUpdate_Faults: whatever the site, the network or the disk does, the update says what, and what was in service stays.
func TestUpdate_Faults(t *testing.T) {
	only := func(file string, answer func(w http.ResponseWriter)) func(http.ResponseWriter, *http.Request, string) bool {
		return func(w http.ResponseWriter, _ *http.Request, name string) bool {
			if name != file {
				return false
			}
			answer(w)
			return true
		}
	}
	tomorrow := noon.AddDate(0, 0, 1)
	for name, c := range map[string]struct {
		spoil func(t *testing.T, p *public, o *Options)
		want  error  // or
		words string // in the error
	}{
		"404": {func(_ *testing.T, p *public, _ *Options) { delete(p.files, medicines.FileConditions) }, ErrAnswer, "CIS_CPD_bdpm.txt"},
		"500": {func(_ *testing.T, p *public, _ *Options) {
			p.fault = only(medicines.FilePacks, func(w http.ResponseWriter) { http.Error(w, "", 500) })
		}, ErrAnswer, "500"},
		"an HTML page with 200": {func(_ *testing.T, p *public, _ *Options) {
			p.fault = only(medicines.FileSpecialities, func(w http.ResponseWriter) {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				fmt.Fprint(w, "<!doctype html><title>Maintenance</title>", strings.Repeat(" ", 500))
			})
		}, ErrAnswer, "text/html"},
		"an HTML page as plain text": {func(_ *testing.T, p *public, _ *Options) {
			p.files[medicines.FileConditions] = "<!doctype html><title>Maintenance</title>" + strings.Repeat("<p>\n", 500)
		}, ErrImplausible, "CIS_CPD_bdpm.txt"},
		"nothing with 200": {func(_ *testing.T, p *public, _ *Options) { p.files[medicines.FileSubstances] = "" }, ErrAnswer, "0 bytes"},
		"cut in the middle": {func(_ *testing.T, p *public, _ *Options) {
			p.fault = only(medicines.FilePacks, func(w http.ResponseWriter) {
				w.Header().Set("Content-Length", "100000")
				_, _ = w.Write([]byte(p.files[medicines.FilePacks][:5000]))
				panic(http.ErrAbortHandler)
			})
		}, nil, "cut after"},
		"cut in the middle, length unsaid": {func(_ *testing.T, p *public, _ *Options) {
			p.fault = only(medicines.FilePacks, func(w http.ResponseWriter) {
				_, _ = w.Write([]byte(p.files[medicines.FilePacks][:5000]))
				w.(http.Flusher).Flush()
				panic(http.ErrAbortHandler)
			})
		}, nil, "cut after"},
		"half of the rows": {func(_ *testing.T, p *public, _ *Options) {
			p.files[medicines.FileConditions] = rows(120, "X")[medicines.FileConditions]
		}, ErrImplausible, "120 rows, 200 before"},
		"too few rows": {func(_ *testing.T, p *public, _ *Options) {
			p.files[medicines.FileConditions] = rows(20, "X")[medicines.FileConditions]
		}, ErrImplausible, "at least 100"},
		"twice the rows": {func(_ *testing.T, p *public, _ *Options) { p.files = rows(400, "X") }, ErrImplausible, "400 rows, 200 before"},
		"UTF-16": {func(_ *testing.T, p *public, _ *Options) {
			p.files[medicines.FileSpecialities] = "\xff\xfe" + strings.Join(strings.Split(p.files[medicines.FileSpecialities], ""), "\x00")
		}, ErrImplausible, "CIS_bdpm.txt"},
		"a column gone": {func(_ *testing.T, p *public, _ *Options) {
			p.files[medicines.FileSpecialities] = strings.ReplaceAll(p.files[medicines.FileSpecialities], "comprimé\torale\t", "orale\t")
			p.files[medicines.FileSpecialities] = strings.ReplaceAll(p.files[medicines.FileSpecialities], "comprim\xe9\torale\t", "orale\t")
		}, ErrImplausible, ""},
		"another word for « commercialisée »": {func(_ *testing.T, p *public, _ *Options) {
			p.files[medicines.FileSpecialities] = strings.ReplaceAll(p.files[medicines.FileSpecialities], "Commercialis\xe9e", "Disponible")
		}, ErrImplausible, ""},
		"another word for a pack": {func(_ *testing.T, p *public, _ *Options) {
			p.files[medicines.FilePacks] = strings.ReplaceAll(p.files[medicines.FilePacks], "tion active", "tion valide")
		}, ErrImplausible, "unknown word"},
		"files of two bases": {func(_ *testing.T, p *public, _ *Options) {
			p.files[medicines.FilePacks] = strings.ReplaceAll(p.files[medicines.FilePacks], "\n60000", "\n69999")
		}, ErrImplausible, "speciality not listed"},
		"files of two days":      {func(_ *testing.T, p *public, _ *Options) { p.days[medicines.FileConditions] = noon.AddDate(0, 0, -1) }, ErrMixedDays, ""},
		"older files":            {func(_ *testing.T, p *public, _ *Options) { p.days = sameDay(noon.AddDate(0, 0, -2)) }, ErrOlder, ""},
		"files of the year 2040": {func(_ *testing.T, p *public, _ *Options) { p.days = sameDay(noon.AddDate(14, 0, 0)) }, ErrImplausible, "after today"},
		"plain HTTP":             {func(_ *testing.T, _ *public, o *Options) { o.URL = "http://medicaments.example/" }, nil, "want https"},
		"a redirection to plain HTTP": {func(_ *testing.T, p *public, _ *Options) {
			p.fault = func(w http.ResponseWriter, r *http.Request, name string) bool {
				http.Redirect(w, r, "http://127.0.0.1:1/"+name, http.StatusFound)
				return true
			}
		}, ErrAnswer, "redirected"},
		"a certificate of nobody": {func(_ *testing.T, _ *public, o *Options) { o.Client = Client(nil) }, nil, "certificate"},
		"a site that is silent": {func(_ *testing.T, p *public, o *Options) {
			transport := o.Client.Transport.(*http.Transport).Clone()
			o.Client = Client(transport)
			transport.ResponseHeaderTimeout = 50 * time.Millisecond
			p.fault = func(_ http.ResponseWriter, r *http.Request, _ string) bool { <-r.Context().Done(); return true }
		}, nil, "timeout"},
		"a file that never ends": {func(_ *testing.T, p *public, o *Options) {
			o.Client = Client(o.Client.Transport.(*http.Transport).Clone())
			o.Client.Timeout = 200 * time.Millisecond
			p.fault = func(w http.ResponseWriter, r *http.Request, _ string) bool {
				_, _ = w.Write([]byte("6"))
				w.(http.Flusher).Flush()
				<-r.Context().Done()
				panic(http.ErrAbortHandler) // returning would end the file properly
			}
		}, nil, "cut after"},
		"a folder that is a file": {func(t *testing.T, _ *public, o *Options) {
			kept := o.Folder
			o.Folder = filepath.Join(kept, "lock")
			t.Cleanup(func() {})
		}, nil, "not a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			p, o := site(t)
			if _, _, err := Update(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			good := o
			p.set(func() {
				p.files, p.days = rows(205, "NOUVELLE"), sameDay(tomorrow)
				o.Clock = clock.NewFake(tomorrow)
				c.spoil(t, p, &o)
			})
			_, changed, err := Update(t.Context(), o)
			if err == nil || changed || (c.want != nil && !errors.Is(err, c.want)) || !strings.Contains(strings.ToLower(fmt.Sprint(err)), strings.ToLower(c.words)) {
				t.Errorf("%v %v, want %v %q", changed, err, c.want, c.words)
			}
			if got := served(t, good); got != "SÉLATINE of 2026-11-12, 200" {
				t.Errorf("in service: %s", got)
			}
			if left := leftovers(t, good.Folder); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			p.set(func() { p.files, p.days, p.fault = rows(205, "NOUVELLE"), sameDay(tomorrow), nil })
			good.Clock = clock.NewFake(tomorrow)
			if _, changed, err := Update(t.Context(), good); err != nil || !changed || served(t, good) != "NOUVELLE of 2026-11-13, 205" {
				t.Errorf("after the fault: %v %v %s", changed, err, served(t, good))
			}
		})
	}
}

// TestUpdate_FullDisk: files may not grow beyond a limit, as on a full disk.
func TestUpdate_FullDisk(t *testing.T) {
	if os.Getenv("DOWNLOAD_CHILD") == "full" {
		var limit syscall.Rlimit
		limit.Cur, limit.Max = 4096, 4096
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
	}
	child(t, "full", func(err error, out string) {
		if err == nil || !strings.Contains(out, "file too large") && !strings.Contains(out, "SIGXFSZ") {
			t.Errorf("%v: %s", err, out)
		}
	})
}

// TestUpdate_Killed: an update killed in the middle leaves what is in service, and the next one cleans up.
func TestUpdate_Killed(t *testing.T) {
	child(t, "killed", func(err error, out string) {
		if err == nil || !strings.Contains(err.Error(), "killed") {
			t.Errorf("%v: %s", err, out)
		}
	})
}

// child runs Update in a process of its own, against a site of this one.
func child(t *testing.T, how string, after func(err error, out string)) {
	t.Helper()
	if os.Getenv("DOWNLOAD_CHILD") == how {
		least := map[string]int{}
		for _, name := range medicines.Names() {
			least[name] = 100
		}
		_, _, err := Update(t.Context(), Options{Folder: os.Getenv("DOWNLOAD_FOLDER"), URL: os.Getenv("DOWNLOAD_URL"), Clock: clock.NewFake(noon.AddDate(0, 0, 1)), Least: least})
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	p, o := site(t)
	plain := httptest.NewServer(p)
	defer plain.Close()
	if _, _, err := Update(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	p.set(func() { p.files, p.days = rows(205, "NOUVELLE"), sameDay(noon.AddDate(0, 0, 1)) })
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), "DOWNLOAD_CHILD="+how, "DOWNLOAD_FOLDER="+o.Folder, "DOWNLOAD_URL="+plain.URL+"/file/")
	if how == "killed" {
		var asked atomic.Int32
		p.set(func() {
			p.fault = func(w http.ResponseWriter, r *http.Request, _ string) bool {
				if asked.Add(1) < 3 {
					return false
				}
				_ = cmd.Process.Kill()
				<-r.Context().Done()
				return true
			}
		})
	}
	out, err := cmd.CombinedOutput()
	after(err, string(out))
	if got := served(t, o); got != "SÉLATINE of 2026-11-12, 200" {
		t.Errorf("in service: %s", got)
	}
	if how == "killed" && len(leftovers(t, o.Folder)) == 0 {
		t.Error("it was not killed in the middle")
	}
	p.set(func() { p.fault = nil })
	o.Clock = clock.NewFake(noon.AddDate(0, 0, 1))
	if _, changed, err := Update(t.Context(), o); err != nil || !changed {
		t.Errorf("the next update: %v %v", changed, err)
	}
	if left := leftovers(t, o.Folder); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestUpdate_Concurrent: of updates at the same time one works, the others say that it does; readers always find a whole set.
func TestUpdate_Concurrent(t *testing.T) {
	p, o := site(t)
	if _, _, err := Update(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	p.set(func() { p.files, p.days = rows(205, "NOUVELLE"), sameDay(noon.AddDate(0, 0, 1)) })
	o.Clock = clock.NewFake(noon.AddDate(0, 0, 1))
	ctx, stop := context.WithCancel(t.Context())
	var readers, writers sync.WaitGroup
	readers.Go(func() {
		for ctx.Err() == nil {
			if _, m, err := Open(o.Folder); err != nil {
				t.Errorf("a reader finds %+v: %v", m, err)
			}
		}
	})
	var good, busy atomic.Int32
	for range 8 {
		writers.Go(func() {
			switch _, changed, err := Update(t.Context(), o); {
			case errors.Is(err, ErrBusy):
				busy.Add(1)
			case err != nil:
				t.Error(err)
			case changed:
				good.Add(1)
			}
		})
	}
	writers.Wait()
	stop()
	readers.Wait()
	if good.Load() != 1 {
		t.Errorf("%d updates changed the set, %d were busy", good.Load(), busy.Load())
	}
	if got := served(t, o); got != "NOUVELLE of 2026-11-13, 205" {
		t.Error(got)
	}
}

// TestOpen_Damaged: a set that is no more what was checked is not used; the one before it is.
func TestOpen_Damaged(t *testing.T) {
	p, o := site(t)
	if _, _, err := Update(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	p.set(func() { p.files, p.days = rows(205, "NOUVELLE"), sameDay(noon.AddDate(0, 0, 1)) })
	o.Clock = clock.NewFake(noon.AddDate(0, 0, 1))
	m, _, err := Update(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	set := filepath.Join(o.Folder, m.Name)
	for _, c := range []struct {
		what   string
		damage func() error
	}{
		{"a file changed", func() error {
			return os.WriteFile(filepath.Join(set, medicines.FileConditions), []byte("60000001\tX\n"), 0o600)
		}},
		{"a manifest gone", func() error { return os.Remove(filepath.Join(set, manifest)) }},
		{"a folder gone", func() error { return os.RemoveAll(set) }},
		{"a pointer abroad", func() error { return os.WriteFile(filepath.Join(o.Folder, pointer), []byte("../../etc"), 0o600) }},
	} {
		if err := c.damage(); err != nil {
			t.Fatal(err)
		}
		x, old, err := Open(o.Folder)
		if err == nil || x == nil || x.Len() != 200 || old.On.Format(time.DateOnly) != "2026-11-12" {
			t.Errorf("%s: %v %+v %v", c.what, x, old, err)
		}
	}
}
