package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"visavis/identity"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/health"
	"visavis/internal/httpx"
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

// Responsible asks identity which organisation has somebody for data protection.
func (q refusalPeople) Responsible(ctx context.Context, o care.OrganizationID) (care.OrganizationID, error) {
	all, err := q.everybody(ctx)
	first := o
	for _, at := range slices.Backward(all) {
		for _, p := range at {
			if p.Active && p.Capabilities&authz.DataProtection != 0 {
				if first = p.Organization.ID; first == o {
					return o, err
				}
			}
		}
	}
	return first, err
}

// everybody lists the people of each organisation, by FINESS.
func (q refusalPeople) everybody(ctx context.Context) (all [][]identity.Staff, err error) {
	list, err := q.identity.Organizations(ctx)
	for _, o := range list {
		people, err := q.identity.Everybody(ctx, o.ID)
		if err != nil {
			return nil, err
		}
		all = append(all, people)
	}
	return all, err
}

// StaffNames asks identity for the people whom the data protection of an
// organisation answers for.
func (q refusalPeople) StaffNames(ctx context.Context, o care.OrganizationID) (map[care.StaffID]string, error) {
	all, err := q.everybody(ctx)
	names := map[care.StaffID]string{}
	for _, people := range all {
		if len(people) == 0 {
			continue
		}
		at := people[0].Organization.ID
		answers, err := q.Responsible(ctx, at)
		if err != nil {
			return nil, err
		}
		if answers != o {
			continue
		}
		for _, p := range people {
			names[p.ID] = named(p)
		}
	}
	return names, err
}

// CompanionPatient asks identity at whose side a companion comes.
func (q refusalPeople) CompanionPatient(ctx context.Context, id care.CompanionID) (care.PatientID, error) {
	c, err := q.identity.Companion(ctx, id)
	return c.PatientID, err
}
