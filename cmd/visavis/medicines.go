package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"visavis/internal/clock"
	"visavis/internal/config"
	"visavis/internal/health"
	"visavis/internal/medicines"
	"visavis/internal/medicines/download"
)

type medicinesCmd struct {
	Update medicinesUpdateCmd `cmd:"" help:"Fetch the public files of the medicines database, check them and put them in service. The server need not be restarted."`
}

type medicinesUpdateCmd struct{}

// Run fetches the files now. It may run beside the server, which takes them within a minute.
func (medicinesUpdateCmd) Run(ctx context.Context, cfg *config.Config) error {
	o, err := downloadOptions(cfg, clock.System{})
	if err != nil {
		return err
	}
	m, changed, err := download.Update(ctx, o)
	if err != nil {
		return err
	}
	what := "in service"
	if !changed {
		what = "already in service"
	}
	fmt.Printf("%d specialities of %s, %d odd rows: %s in %s\n", m.Specialities, m.On.Format(time.DateOnly), m.Odd, what, filepath.Join(o.Folder, m.Name))
	if cfg.Medicines != "" {
		fmt.Fprintf(os.Stderr, "VISAVIS_MEDICINES names %s: the server reads that folder, not these files\n", cfg.Medicines)
	}
	return nil
}

// medicinesFolder is where fetched files are kept.
func medicinesFolder(cfg *config.Config) string { return filepath.Join(cfg.DataDir, "medicines") }

func downloadOptions(cfg *config.Config, c clock.Clock) (download.Options, error) {
	zone, err := time.LoadLocation(cfg.Zone)
	if err != nil {
		return download.Options{}, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if cfg.BDPM.CA != "" {
		raw, err := os.ReadFile(cfg.BDPM.CA)
		if err != nil {
			return download.Options{}, fmt.Errorf("medicines-ca: %w", err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(raw) {
			return download.Options{}, fmt.Errorf("medicines-ca: no certificate in %s", cfg.BDPM.CA)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return download.Options{Folder: medicinesFolder(cfg), URL: cfg.BDPM.URL, Client: download.Client(transport), Clock: c, Zone: zone, DaysApart: cfg.BDPM.DaysApart}, nil
}

// openMedicines puts the medicines base in service.
func openMedicines(cfg *config.Config, c clock.Clock, log *slog.Logger) (*download.Watch, error) {
	o, err := downloadOptions(cfg, c)
	if err != nil {
		return nil, err
	}
	w := &download.Watch{Options: o, Folder: cfg.Medicines, Nightly: cfg.BDPM.Nightly == config.NightlyOn, Off: cfg.BDPM.Nightly == config.NightlyOff, Log: log}
	return w, w.Open()
}

// watchMedicines looks at the files until ctx ends.
func (p *platform) watchMedicines(ctx context.Context) {
	go p.medicines.Run(ctx)
}

// tryMedicines says which base is in service and how old it is.
func tryMedicines(_ context.Context, cfg *config.Config) error {
	w, err := openMedicines(cfg, clock.System{}, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	if cfg.Medicines == "" {
		if _, _, err := download.Open(medicinesFolder(cfg)); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: only the sample is there, run visavis medicines update", errUnset)
		} else if err != nil {
			return err
		}
	}
	limit, err := oldAfter(cfg, clock.System{})
	if err != nil {
		return err
	}
	e := w.Base.Edition()
	state, days := e.State(clock.System{}.Now().In(w.Options.Zone), limit)
	age := fmt.Sprintf("of %s (%d days old): %s", e.On.Format(time.DateOnly), days, state)
	if e.On.IsZero() {
		age = "of an unknown day"
	}
	fmt.Printf("   %d specialities %s\n", e.Count, age)
	for _, line := range w.Base.Current().Report().Lines() {
		fmt.Printf("   odd: %s\n", line)
	}
	if state == medicines.Old {
		return errors.New(oldBase(e, days, limit))
	}
	return nil
}

// oldAfter is the setting, or the rule of the program on this day.
func oldAfter(cfg *config.Config, c clock.Clock) (int, error) {
	if cfg.BDPM.OldAfter > 0 {
		return cfg.BDPM.OldAfter, nil
	}
	return medicines.OldAfter(c.Now())
}

// oldBase says how old a base is and what to do.
func oldBase(e medicines.Edition, days, limit int) string {
	if e.On.IsZero() {
		return "nobody knows of which day the base is: run visavis medicines update, or write the day of your files in " + download.DateFile
	}
	return fmt.Sprintf("the base of %s is %d days old, more than %d: run visavis medicines update", e.On.Format(time.DateOnly), days, limit)
}

// baseInService is what health says of the medicines base.
type baseInService struct {
	State medicines.State `json:"state"`
	On    string          `json:"on,omitempty"` // YYYY-MM-DD, of its files
	Days  int             `json:"days"`         // its age
	Count int             `json:"count"`        // specialities
}

func (p *platform) baseInService() (baseInService, int) {
	limit, err := oldAfter(p.cfg, p.clock)
	if err != nil {
		limit = 0 // no rule on this day: every base is old
	}
	e := p.medicines.Base.Edition()
	state, days := e.State(p.clock.Now().In(p.medicines.Options.Zone), limit)
	out := baseInService{State: state, Days: days, Count: e.Count}
	if !e.On.IsZero() {
		out.On = e.On.Format(time.DateOnly)
	}
	return out, limit
}

// probeBase looks how old the medicines base is. The sample is said by ready and is no cause: nothing is late.
func (p *platform) probeBase(context.Context) error {
	if b, limit := p.baseInService(); b.State == medicines.Old {
		return &health.Error{Code: "medicines-old", Degraded: true, Detail: oldBase(p.medicines.Base.Edition(), b.Days, limit)}
	}
	return nil
}

// probeUpdate names the nightly update, or a reading of the files, that failed last.
func (p *platform) probeUpdate(context.Context) error {
	if f := p.medicines.Failing(); f != nil {
		return &health.Error{Code: "medicines-not-updated", Degraded: true,
			Detail: fmt.Sprintf("since %s: %v; the last good files serve", f.Since.UTC().Format(time.RFC3339), f.Err)}
	}
	return nil
}
