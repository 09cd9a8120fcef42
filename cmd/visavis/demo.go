package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/config"
	"visavis/internal/store"
	"visavis/internal/telemetry"
)

type demoCmd struct {
	PSCAddr     string `name:"sim-psc" default:"localhost:8091" help:"Where the Pro Santé Connect simulator listens."`
	MSSanteAddr string `name:"sim-mssante" default:"localhost:8092" help:"SMTP of the MSSanté simulator."`
	MailAddr    string `name:"sim-mail" default:"localhost:8093" help:"SMTP of the ordinary mail simulator."`
	IMAPAddr    string `name:"sim-imap" default:"localhost:8094" help:"IMAP of the MSSanté simulator."`
	MailWeb     string `name:"sim-mail-web" default:"localhost:8095" help:"Pages to read the simulated mailboxes."`
	SMSAddr     string `name:"sim-sms" default:"localhost:8096" help:"The SMS gateway simulator and its page."`
	TSAAddr     string `name:"sim-tsa" default:"localhost:8097" help:"The time-stamping authority simulator and its page."`
}

// Run starts the simulators, then the platform on them, then fills the demo
// clinic. Started again, it finds everything as it was.
func (d demoCmd) Run(ctx context.Context, cfg *config.Config) error {
	began := time.Now()
	file, err := logFile(cfg)
	if err != nil {
		return err
	}
	log := telemetry.NewLog(file, cfg.LogJSON)
	switch cfg.Role {
	case config.RoleAuto:
		return errors.Join(supervise(ctx, cfg, log), file.Close())
	case config.RoleMedia:
		return errors.Join(serveMedia(ctx, cfg, log), file.Close())
	}
	sims, err := startSimulators(ctx, cfg, d.ports(), log)
	if err != nil {
		return errors.Join(err, file.Close())
	}
	err = serve(ctx, cfg, log, func(ctx context.Context, p *platform) error {
		links, err := seed(authz.With(ctx, authz.SystemActor()), p)
		if err != nil {
			return fmt.Errorf("demo clinic: %w", err)
		}
		links.Mail, links.SMS = sims.mail.URL(), sims.sms.URL()
		if err := links.save(cfg.DataDir); err != nil {
			return err
		}
		links.print(os.Stdout, time.Since(began))
		return nil
	})
	return errors.Join(err, sims.close(), file.Close())
}

// logFile keeps the demo's terminal for the links.
func logFile(cfg *config.Config) (*os.File, error) {
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return nil, err
	}
	return os.OpenFile(filepath.Join(cfg.DataDir, "visavis.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}

// demoLinks is what links.json holds.
type demoLinks struct {
	Home         string     `json:"home"`
	Professional string     `json:"professional"`
	Agenda       string     `json:"agenda"`
	Mail         string     `json:"mail"`
	SMS          string     `json:"sms"`
	Patients     []demoLink `json:"patients"`
}

type demoLink struct {
	Patient string    `json:"patient"`
	Doctor  string    `json:"doctor"`
	Start   time.Time `json:"start"`
	URL     string    `json:"url"`
}

func (l demoLinks) save(dir string) error {
	raw, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "links.json"), append(raw, '\n'), 0o600)
}

func (l demoLinks) print(w io.Writer, took time.Duration) {
	fmt.Fprintf(w, "\nvisavis is ready (%.1f s)\n\n", took.Seconds())
	fmt.Fprintf(w, "  Book a consultation          %s\n", l.Home)
	fmt.Fprintf(w, "  Doctors, nurse, secretary    %s\n", l.Professional)
	fmt.Fprintf(w, "  E-mail and MSSanté arrived   %s\n", l.Mail)
	fmt.Fprintf(w, "  SMS arrived                  %s\n\n", l.SMS)
	for _, p := range l.Patients {
		fmt.Fprintf(w, "  %s with %s, %s\n    %s\n", p.Patient, p.Doctor, p.Start.Local().Format("Mon 2 Jan 15:04"), p.URL)
	}
	fmt.Fprintln(w, "\nCtrl-C stops everything; started again, nothing is lost.")
}

// clinicIDs are the people of the demo, as identity knows them.
type clinicIDs struct {
	staff    map[string]care.StaffID // by family name
	patients []care.PatientID
}

// seed makes what is missing of the demo clinic, in one transaction, and
// issues a fresh link for each demo appointment: older ones are kept as hashes
// and cannot be shown again.
func seed(ctx context.Context, p *platform) (demoLinks, error) {
	links := demoLinks{Home: p.cfg.PublicURL + "/", Professional: p.cfg.PublicURL + "/pro", Agenda: p.cfg.PublicURL + "/pro/agenda"}
	err := p.db.Tx(ctx, func(ctx context.Context, _ *store.Tx) error {
		ids, err := seedPeople(ctx, p)
		if err != nil {
			return err
		}
		links.Patients, err = seedAgenda(ctx, p, ids)
		return err
	})
	return links, err
}

// seedPeople applies the demo's clinic file and adds its patients to the first
// site of it.
func seedPeople(ctx context.Context, p *platform) (clinicIDs, error) {
	ids := clinicIDs{staff: map[string]care.StaffID{}}
	file, err := demoClinic(p.cfg.Zone)
	if err != nil {
		return ids, err
	}
	if _, err := p.desk().Apply(ctx, file, false); err != nil {
		return ids, err
	}
	sites, err := p.identity.Organizations(ctx)
	if err != nil {
		return ids, err
	}
	for _, site := range sites {
		people, err := p.identity.StaffOf(ctx, site.ID, "")
		if err != nil {
			return ids, err
		}
		for _, s := range people {
			ids.staff[s.FamilyName] = s.ID
		}
		if site.FINESS != file.Organizations[0].FINESS {
			continue
		}
		for i, patient := range demoPatients(site.ID) {
			id, err := p.identity.AddPatient(ctx, patient)
			if err != nil {
				return ids, fmt.Errorf("patient %d: %w", i+1, err)
			}
			ids.patients = append(ids.patients, id)
		}
	}
	return ids, nil
}
