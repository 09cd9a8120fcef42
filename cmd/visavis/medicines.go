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
	e := w.Base.Edition()
	days := int(time.Since(e.On).Hours() / 24)
	fmt.Printf("   %d specialities of %s (%d days old)\n", e.Count, e.On.Format(time.DateOnly), days)
	for _, line := range w.Base.Current().Report().Lines() {
		fmt.Printf("   odd: %s\n", line)
	}
	if days > cfg.BDPM.OldAfter {
		return fmt.Errorf("the base is %d days old, more than %d: run visavis medicines update", days, cfg.BDPM.OldAfter)
	}
	return nil
}
