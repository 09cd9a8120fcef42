// Package download keeps the medicines database up to date: it fetches the public files over HTTPS, checks them, and
// puts them in service in one step. Whatever goes wrong, the last good files stay.
//
// The folder holds one sub-folder for each good set of files, with its manifest, and the file "current" that names the one
// in service. A set is written under a hidden name and renamed once it is whole and on disk; "current" is replaced by
// renaming, so that a reader finds the old set or the new one, never half of one. A lock on the file "lock", let go by the
// death of its holder, keeps two updates apart.
package download

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"visavis/internal/clock"
	"visavis/internal/medicines"
)

// The bounds of a download.
const (
	maxFile = 64 << 20         // bytes of one file; the largest has about 7 MB
	minFile = 64               // bytes
	fileFor = 5 * time.Minute  // longest time for one file
	headFor = 30 * time.Second // longest wait for the first byte of an answer
)

// The refusals of an update; each error says more.
var (
	ErrBusy        = errors.New("another update is running")
	ErrAnswer      = errors.New("the server does not give the file")
	ErrMixedDays   = errors.New("the files are of different days")
	ErrOlder       = errors.New("the files are older than those in service")
	ErrImplausible = errors.New("the files are not plausible")
)

// Options say where the files come from and go to.
type Options struct {
	Folder string       // where the sets are kept
	URL    string       // of the folder of the files, https, with a slash at the end; http on this machine only
	Client *http.Client // nil for Client(nil)
	Clock  clock.Clock
	Zone   *time.Location // in which a day is a day
	Least  map[string]int // rows that each file has at least; nil for Least()
	// DaysApart is how many days the dates that the server gives for the files may differ; 0 wants the same day.
	DaysApart int
}

// Least gives the rows that a plausible file has at least, about half of those of June 2022.
func Least() map[string]int {
	return map[string]int{medicines.FileSpecialities: 8_000, medicines.FileSubstances: 16_000, medicines.FilePacks: 10_000, medicines.FileConditions: 12_000}
}

// Client makes an HTTP client that follows at most three redirections, never away from HTTPS.
func Client(transport *http.Transport) *http.Client {
	if transport == nil {
		transport = http.DefaultTransport.(*http.Transport).Clone()
	}
	transport.ResponseHeaderTimeout = headFor
	return &http.Client{Transport: transport, Timeout: fileFor, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if len(via) > 3 || r.URL.Scheme != via[0].URL.Scheme {
			return fmt.Errorf("%w: redirected to %s", ErrAnswer, r.URL)
		}
		return nil
	}}
}

// Update fetches, checks and puts in service a new set of files. changed is false when the files in service are the same
// ones. It fails as ErrBusy, ErrAnswer, ErrMixedDays, ErrOlder, ErrImplausible or with the error of the disk or the
// network; the set in service stays then.
func Update(ctx context.Context, o Options) (m Manifest, changed bool, err error) {
	if err := o.check(); err != nil {
		return m, false, err
	}
	if err := os.MkdirAll(o.Folder, 0o700); err != nil {
		return m, false, err
	}
	unlock, err := lock(filepath.Join(o.Folder, "lock"))
	if err != nil {
		return m, false, err
	}
	defer unlock()
	if err := sweep(o.Folder); err != nil {
		return m, false, err
	}
	last, _ := Current(o.Folder)
	fresh, err := os.MkdirTemp(o.Folder, hidden)
	if err != nil {
		return m, false, err
	}
	defer os.RemoveAll(fresh) // nothing is there once it was renamed
	if m, err = o.fetchAll(ctx, fresh); err != nil {
		return m, false, err
	}
	if last.same(m) {
		now := o.Clock.Now() // when the files were last found to be the newest
		return last, false, os.Chtimes(filepath.Join(o.Folder, "lock"), now, now)
	}
	if err := o.judge(fresh, &m, last); err != nil {
		return m, false, err
	}
	if err := publish(o.Folder, fresh, m); err != nil {
		return m, false, err
	}
	m.Name = m.folder()
	return m, true, prune(o.Folder, m.Name, last.Name)
}

func (o *Options) check() error {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || !strings.HasSuffix(u.Path, "/") || (u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname()))) {
		return fmt.Errorf("medicines: %q: want https://host/folder/", o.URL)
	}
	if o.Client == nil {
		o.Client = Client(nil)
	}
	if o.Least == nil {
		o.Least = Least()
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	return nil
}

func loopback(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

// fetchAll downloads every file into a folder and notes what came.
func (o *Options) fetchAll(ctx context.Context, into string) (Manifest, error) {
	now := o.Clock.Now()
	m := Manifest{FetchedAt: now.UTC().Truncate(time.Second)}
	for _, name := range medicines.Names() {
		f, err := o.fetch(ctx, name, into)
		if err != nil {
			return m, fmt.Errorf("medicines: %s: %w", name, err)
		}
		m.Files = append(m.Files, f)
	}
	m.On = o.day(now)
	var first, last time.Time
	for _, f := range m.Files {
		if f.ModifiedAt.IsZero() {
			continue
		}
		d := o.day(f.ModifiedAt)
		if first.IsZero() || d.Before(first) {
			first = d
		}
		if d.After(last) {
			last = d
		}
	}
	if !first.IsZero() {
		m.On = first // as old as its oldest file
	}
	if m.On.After(o.day(now)) {
		return m, fmt.Errorf("medicines: %w: dated %s, after today", ErrImplausible, m.On.Format(time.DateOnly))
	}
	if last.After(first.AddDate(0, 0, o.DaysApart)) {
		return m, fmt.Errorf("medicines: %w: %s to %s", ErrMixedDays, first.Format(time.DateOnly), last.Format(time.DateOnly))
	}
	return m, nil
}

// day is the calendar day of an instant, as midnight UTC.
func (o *Options) day(t time.Time) time.Time { return dayIn(t, o.Zone) }

func dayIn(t time.Time, zone *time.Location) time.Time {
	y, m, d := t.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// fetch downloads one file, whole and on disk.
func (o *Options) fetch(ctx context.Context, name, into string) (f File, err error) {
	ctx, cancel := context.WithTimeout(ctx, fileFor)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.URL+name, nil)
	if err != nil {
		return f, err
	}
	req.Header.Set("Accept", "text/plain")
	res, err := o.Client.Do(req)
	if err != nil {
		return f, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return f, fmt.Errorf("%w: %s", ErrAnswer, res.Status)
	}
	if kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); kind == "text/html" || kind == "application/json" {
		return f, fmt.Errorf("%w: a page of type %s", ErrAnswer, kind)
	}
	out, err := os.OpenFile(filepath.Join(into, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	sum := sha256.New()
	size, err := io.Copy(io.MultiWriter(out, sum), io.LimitReader(res.Body, maxFile+1))
	switch {
	case err != nil:
		return f, fmt.Errorf("cut after %d bytes: %w", size, err)
	case size > maxFile:
		return f, fmt.Errorf("%w: more than %d bytes", ErrAnswer, maxFile)
	case size < minFile:
		return f, fmt.Errorf("%w: %d bytes", ErrAnswer, size)
	}
	f = File{Name: name, Size: size, SHA256: hex.EncodeToString(sum.Sum(nil))}
	if at, err := http.ParseTime(res.Header.Get("Last-Modified")); err == nil {
		f.ModifiedAt = at.UTC()
	}
	return f, out.Sync()
}
