// Command visavis is the whole platform in one binary. It is the only package
// that knows every module: what they ask of each other is wired here by hand.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"visavis/internal/config"
	"visavis/internal/store"

	"github.com/alecthomas/kong"
)

// version is the release, as the technical headers tell it.
const version = "0.1.0"

// exitFenced is the exit status of a process that another one followed: it is
// not started again.
const exitFenced = 3

type cli struct {
	config.Config `embed:""`

	Serve   serveCmd     `cmd:"" help:"Serve the platform."`
	Demo    demoCmd      `cmd:"" help:"Serve with a demo clinic and simulators of the national services."`
	Clinic  clinicCmd    `cmd:"" help:"Organisations, staff and weekly plans: apply a file, or print what is."`
	Migrate migrateCmd   `cmd:"" help:"Bring the database schema up to date, then stop."`
	Verify  verifyCmd    `cmd:"" help:"Check the audit log, the stored files and the signatures."`
	Audit   auditCmd     `cmd:"" help:"The audit log: keep its newest signed head outside the database."`
	Meds    medicinesCmd `cmd:"" name:"medicines" help:"The medicines database: fetch its public files."`
	Show    showCmd      `cmd:"" name:"config" help:"Print the settings, secrets hidden."`
	OpenAPI openapiCmd   `cmd:"" name:"openapi" help:"Print the OpenAPI document of the API."`
	Check   checkCmd     `cmd:"" help:"Check that this machine can run the platform: database, folders, ports, services."`
	Budgets budgetsCmd   `cmd:"" help:"What codes, messages on request and bookings on line cost and hold, beside what they may."`
}

func main() {
	syscall.Umask(0o077) // no file of ours is for others
	ctx, stop := obey()
	defer stop()
	var c cli
	k := kong.Parse(&c, kong.Name("visavis"), kong.Description("Self-hosted telehealth for France."),
		kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.BindTo(ctx, (*context.Context)(nil)))
	if err := k.Run(&c.Config); err != nil {
		fmt.Fprintln(os.Stderr, "visavis:", err)
		var role *exec.ExitError // the words were the role's own
		if errors.As(err, &role) && role.ExitCode() > 0 {
			os.Exit(role.ExitCode())
		}
		if errors.Is(err, store.ErrFenced) {
			os.Exit(exitFenced)
		}
		os.Exit(1)
	}
}
