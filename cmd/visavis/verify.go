package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"visavis/consent"
	"visavis/documents"
	"visavis/internal/audit"
	"visavis/internal/config"
	"visavis/internal/store"
	"visavis/internal/telemetry"
)

type migrateCmd struct{}

// Run opens the database, which brings its schema up to date.
func (migrateCmd) Run(ctx context.Context, cfg *config.Config) error {
	f, err := lay(ctx, cfg, telemetry.NewLog(os.Stderr, cfg.LogJSON), toBegin)
	if err != nil {
		return err
	}
	if err := f.bus.Open(ctx); err != nil {
		return errors.Join(err, f.close())
	}
	fmt.Println("schema up to date")
	return f.close()
}

type verifyCmd struct {
	Heads string `help:"Folder of signed heads kept elsewhere: the log must still begin with each of them." type:"existingdir"`
	Head  string `help:"File of a signed head kept elsewhere: the log must still contain it." type:"existingfile"`

	Consent string `help:"Check this proof of a consent instead, as downloaded, with --key and public keys only: no database is opened." type:"existingfile"`
	Key     string `help:"File of the platform's public key, as published at /api/consent-key." type:"existingfile"`
}

// Run recomputes the audit tree and reads every stored file. It fails when one
// bit is not as it was written.
func (v verifyCmd) Run(ctx context.Context, cfg *config.Config) error {
	if v.Consent != "" {
		return v.evidence(os.Stdout, cfg)
	}
	f, err := lay(ctx, cfg, telemetry.NewLog(os.Stderr, cfg.LogJSON), toRead)
	if err != nil {
		return err
	}
	return errors.Join(v.verify(ctx, f, os.Stdout), f.close())
}

// verify checks one kind after the other and goes on after a finding: each
// finding is a sentence of the error.
func (v verifyCmd) verify(ctx context.Context, f *foundation, out io.Writer) error {
	places, err := v.places(f)
	if err != nil {
		return err
	}
	return errors.Join(v.verifyLog(ctx, f, out, places), comparePlaces(f, places), verifyHeads(out, f, places), verifyJournal(ctx, f, out), verifyRows(ctx, f, out), verifyDocuments(ctx, f, out), verifyConsents(ctx, f, out))
}

// verifyLog recomputes the audit tree and compares it with the heads of the
// database and those that were kept elsewhere.
func (v verifyCmd) verifyLog(ctx context.Context, f *foundation, out io.Writer, places []place) error {
	kept, err := v.kept(places)
	if err != nil {
		return err
	}
	if _, err := f.seq.Sequence(ctx); err != nil {
		return err
	}
	n, err := f.seq.Verify(ctx, kept...)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "audit: %d entries, every one as it was written\n", n)
	if len(kept) > 0 {
		fmt.Fprintf(out, "heads: %d kept elsewhere, the log begins with each of them\n", len(kept))
	}
	return nil
}

func verifyJournal(ctx context.Context, f *foundation, out io.Writer) error {
	recent, err := f.seq.VerifyJournal(ctx, f.kept)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "journal: %d entries of the last days, kept outside the database, are all in the log\n", recent)
	return nil
}

func verifyRows(ctx context.Context, f *foundation, out io.Writer) error {
	rows, bad, err := f.db.VerifyRows(ctx)
	if err != nil {
		return err
	}
	for _, x := range bad {
		fmt.Fprintf(out, "row %s: %s\n", x.Object, x.Reason)
	}
	missing, err := f.kept.MissingRows(ctx, f.db)
	if err != nil {
		return err
	}
	for _, object := range missing {
		bad = append(bad, store.Finding{Object: object, Reason: "removed"})
		fmt.Fprintf(out, "row %s: removed\n", object)
	}
	if len(bad) > 0 {
		return fmt.Errorf("%w: %d rows are forged, were put back or removed, or lack their entry in the audit log", audit.ErrTampered, len(bad))
	}
	fmt.Fprintf(out, "rows: %d that decide who may do what, each with its MAC and the last of its versions\n", rows)
	return nil
}

func verifyDocuments(ctx context.Context, f *foundation, out io.Writer) error {
	papers, err := documents.New(documents.Deps{DB: f.db, Audit: f.audit, Keeper: f.keeper, Signer: f.signer, Table: f.table, Clock: f.clock})
	if err != nil {
		return err
	}
	signed, err := papers.Verify(ctx)
	if err == nil {
		fmt.Fprintf(out, "documents: %d, each opens and is what was signed\n", signed)
	}
	photos, photoErr := papers.VerifyStills(ctx)
	if photoErr == nil {
		fmt.Fprintf(out, "photos: %d, each opens and has the hash it came with\n", photos)
	}
	return errors.Join(err, photoErr) // every one that is not, by name
}

func verifyConsents(ctx context.Context, f *foundation, out io.Writer) error {
	agreements, err := consent.New(consent.Deps{DB: f.db, Audit: f.audit, Keeper: f.keeper, Signer: f.signer, Table: f.table, Clock: f.clock})
	if err != nil {
		return err
	}
	agreed, err := agreements.VerifyAll(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "consents: %d, each signed and in its chain\n", agreed)
	return verifyStamps(ctx, out, agreements, f.cfg)
}
