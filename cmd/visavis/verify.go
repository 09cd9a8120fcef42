package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"visavis/consent"
	"visavis/documents"
	"visavis/internal/config"
	"visavis/internal/telemetry"
)

type migrateCmd struct{}

// Run opens the database, which brings its schema up to date.
func (migrateCmd) Run(ctx context.Context, cfg *config.Config) error {
	f, err := lay(ctx, cfg, telemetry.NewLog(os.Stderr, cfg.LogJSON), true)
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
	Head string `help:"File of a signed head kept elsewhere: the log must still contain it." type:"existingfile"`
}

// Run recomputes the audit tree and reads every stored file. It fails when one
// bit is not as it was written.
func (v verifyCmd) Run(ctx context.Context, cfg *config.Config) error {
	f, err := lay(ctx, cfg, telemetry.NewLog(os.Stderr, cfg.LogJSON), false)
	if err != nil {
		return err
	}
	return errors.Join(v.verify(ctx, f), f.close())
}

func (v verifyCmd) verify(ctx context.Context, f *foundation) error {
	known := ""
	if v.Head != "" {
		raw, err := os.ReadFile(v.Head)
		if err != nil {
			return err
		}
		known = string(raw)
	}
	if _, err := f.seq.Sequence(ctx); err != nil {
		return err
	}
	n, err := f.seq.Verify(ctx, known)
	if err != nil {
		return err
	}
	fmt.Printf("audit: %d entries, every one as it was written\n", n)
	papers, err := documents.New(documents.Deps{DB: f.db, Audit: f.audit, Keeper: f.keeper, Signer: f.signer, Table: f.table, Clock: f.clock})
	if err != nil {
		return err
	}
	signed, err := papers.Verify(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("documents: %d, each opens and is what was signed\n", signed)
	agreements, err := consent.New(consent.Deps{DB: f.db, Audit: f.audit, Keeper: f.keeper, Signer: f.signer, Table: f.table, Clock: f.clock})
	if err != nil {
		return err
	}
	agreed, err := agreements.VerifyAll(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("consents: %d, each signed and in its chain\n", agreed)
	return nil
}
