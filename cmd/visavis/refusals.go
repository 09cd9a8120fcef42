package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"visavis/cmd/visavis/clinic"
	"visavis/identity"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/config"
	"visavis/internal/health"
	"visavis/internal/httpx"
	"visavis/internal/installation"
	"visavis/internal/lang"
	"visavis/internal/limit"
	"visavis/internal/refusals"
	"visavis/internal/telemetry"
)

// makeRefusals makes what notes the refusals of the API and of calls. It writes
// from start on.
func (p *platform) makeRefusals(context.Context) (err error) {
	p.refusals, err = refusals.New(refusals.Deps{
		DB: p.db, Audit: p.audit, Keeper: p.keeper, Table: p.table, Clock: p.clock, Log: p.log,
		Pseudonym: telemetry.Pseudonym(p.master.Derive("log/actor")), People: refusalPeople{ask{p}},
	})
	return err
}

// serverOptions is what the web server is made of.
func (p *platform) serverOptions(sessions httpx.Authenticator, limits limit.Limiter, texts []*lang.Catalogue) httpx.Options {
	return httpx.Options{
		DB: p.db, Keeper: p.keeper, Clock: p.clock, Log: p.log, Table: p.table, Sessions: sessions, Limits: limits,
		Languages: texts, PublicURL: p.cfg.PublicURL, Hosts: p.cfg.Hosts, Proxies: httpx.Proxies(p.cfg.Proxies), Pseudonym: telemetry.Pseudonym(p.master.Derive("log/actor")),
		Refused: p.refusals.Note, Former: p.identity.Former,
	}
}

// refusalRoutes registers the page of data protection.
func (p *platform) refusalRoutes() error {
	zone, err := time.LoadLocation(p.cfg.Zone)
	if err == nil {
		refusals.Routes(p.server, p.refusals, zone)
	}
	return err
}

// probeAlarms tells of alarms that nobody has looked at.
func (p *platform) probeAlarms(ctx context.Context) error {
	n, err := p.refusals.OpenAlarms(authz.With(ctx, authz.SystemActor()))
	if err != nil || n == 0 {
		return nil // a database that is away has its own probe
	}
	return &health.Error{Code: "refusal-alarms", Degraded: true, Detail: fmt.Sprintf("%d alarms about refused accesses wait for data protection: /pro/acces-refuses", n)}
}

type refusalPeople struct{ ask }

// PatientOrganization asks identity whose file a patient is in.
func (q refusalPeople) PatientOrganization(ctx context.Context, id care.PatientID) (care.OrganizationID, error) {
	p, err := q.identity.Patient(ctx, id)
	return p.OrganizationID, err
}

// PatientName asks identity for a patient's name.
func (q refusalPeople) PatientName(ctx context.Context, id care.PatientID) (string, error) {
	return q.identity.PatientName(ctx, id)
}

// StaffNames asks identity for the people of an organisation.
func (q refusalPeople) StaffNames(ctx context.Context, o care.OrganizationID) (map[care.StaffID]string, error) {
	people, err := q.identity.Everybody(ctx, o)
	names := map[care.StaffID]string{}
	for _, p := range people {
		names[p.ID] = named(p)
	}
	return names, err
}

// withoutOfficer names the organisations that have people at work and nobody
// among them for data protection: nobody reads what is refused there, and nobody
// of another organisation may.
func withoutOfficer(ctx context.Context, directory *identity.Service) (list []string, err error) {
	organizations, err := directory.Organizations(ctx)
	for _, o := range organizations {
		people, err := directory.Everybody(ctx, o.ID)
		if err != nil {
			return nil, err
		}
		people = slices.DeleteFunc(people, func(p identity.Staff) bool { return !p.Active })
		officer := func(p identity.Staff) bool { return p.Capabilities&authz.DataProtection != 0 }
		if len(people) > 0 && !slices.ContainsFunc(people, officer) {
			list = append(list, fmt.Sprintf("%s (FINESS %s)", o.Name, o.FINESS))
		}
	}
	return list, err
}

func noOfficer(list []string) string {
	return "nobody may read what is refused in " + strings.Join(list, ", ") + ": give somebody there the capability data-protection in the staff file, then visavis clinic apply (runbook, Refused accesses)"
}

// probeOfficers tells of organisations whose refusals nobody may read.
func (p *platform) probeOfficers(ctx context.Context) error {
	list, err := withoutOfficer(authz.With(ctx, authz.SystemActor()), p.identity)
	if err != nil || len(list) == 0 {
		return nil // a database that is away has its own probe
	}
	return &health.Error{Code: "no-data-protection", Degraded: true, Detail: noOfficer(list)}
}

// tryOfficers is what check says of the same. It is no failure of the machine.
func tryOfficers(ctx context.Context, cfg *config.Config) error {
	var list []string
	err := atDesk(ctx, cfg, toRead, func(ctx context.Context, d clinic.Desk) (err error) {
		list, err = withoutOfficer(ctx, d.People)
		return err
	})
	switch {
	case errors.Is(err, installation.ErrNotBegun):
		return fmt.Errorf("%w: there is no organisation yet", errUnset)
	case err == nil && len(list) > 0:
		return fmt.Errorf("%w: %s", errUnset, noOfficer(list))
	}
	return err
}

// CompanionPatient asks identity at whose side a companion comes.
func (q refusalPeople) CompanionPatient(ctx context.Context, id care.CompanionID) (care.PatientID, error) {
	c, err := q.identity.Companion(ctx, id)
	return c.PatientID, err
}
