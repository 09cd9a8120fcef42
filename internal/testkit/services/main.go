// Command services runs a command beside a PostgreSQL and a Redis of its own,
// told to it by DATABASE_URL and REDIS_URL, and ends them with it:
//
//	go run ./internal/testkit/services make run
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"visavis/internal/testkit"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: services command [argument…]")
		os.Exit(2)
	}
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "services:", err)
		code = 1
	}
	os.Exit(code)
}

func run(argv []string) (code int, err error) {
	pg, err := testkit.StartPostgres()
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, pg.Close()) }()
	database, err := pg.Create("")
	if err != nil {
		return 1, err
	}
	rd, err := testkit.StartRedis()
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, rd.Close()) }()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "DATABASE_URL="+pg.URL(database), "REDIS_URL="+rd.URL())
	// The command gets the terminal's signals too; wait for it to end.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return 1, err
	}
	go func() {
		for s := range signals {
			_ = cmd.Process.Signal(s) // it may be gone already
		}
	}()
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(1, exit.ExitCode()), nil
	}
	return 0, err
}
