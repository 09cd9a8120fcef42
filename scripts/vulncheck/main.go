// Command vulncheck runs govulncheck against the Go vulnerability database and
// fails on every vulnerability that our code calls and that
// scripts/vulnerabilities.tsv does not accept, with a reason and a date.
//
// The database is the module golang.org/x/vulndb: its newest version, or the one
// named below when the module proxy does not tell which is the newest.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	database   = "golang.org/x/vulndb"
	oldest     = "v0.0.0-20261105234957-e22db6528018" // used when the newest cannot be had
	acceptance = "scripts/vulnerabilities.tsv"
)

func main() {
	if err := run(time.Now()); err != nil {
		fmt.Fprintln(os.Stderr, "vulncheck:", err)
		os.Exit(1)
	}
}

func run(now time.Time) error {
	text, err := os.ReadFile(acceptance)
	if err != nil {
		return err
	}
	accepted, err := parseExceptions(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", acceptance, err)
	}
	dir, version, err := downloadDatabase()
	if err != nil {
		return err
	}
	cmd := exec.Command("go", "tool", "-modfile=scripts/tools/go.mod", "govulncheck", "-format", "json",
		"-db", "file://"+filepath.ToSlash(filepath.Join(dir, "data", "osv")), "-tags", "nomsgpack", "./...")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("govulncheck: %w\n%s", err, stderr.String())
	}
	found, err := readFindings(&stdout)
	if err != nil {
		return err
	}
	complaints := compare(found, accepted, now)
	for _, c := range complaints {
		fmt.Fprintln(os.Stderr, c)
	}
	if len(complaints) > 0 {
		return fmt.Errorf("%d to settle: update the module, or accept the finding in %s until a date, with the reason", len(complaints), acceptance)
	}
	fmt.Printf("vulncheck: %d called, all accepted in %s (database %s)\n", len(found), acceptance, version)
	return nil
}

// downloadDatabase returns the folder and the version of the vulnerability database.
func downloadDatabase() (dir, version string, err error) {
	for _, v := range []string{"latest", oldest} {
		out, runErr := exec.Command("go", "mod", "download", "-json", database+"@"+v).Output()
		var m struct{ Dir, Version, Error string }
		if jsonErr := json.Unmarshal(out, &m); jsonErr == nil && m.Dir != "" {
			return m.Dir, m.Version, nil
		}
		err = errors.Join(err, fmt.Errorf("download %s@%s: %s %w", database, v, m.Error, runErr))
	}
	return "", "", err
}

// finding is one vulnerability whose code ours calls.
type finding struct{ id, module, version, fixed string }

// readFindings reads the JSON stream of govulncheck and keeps what is called:
// a finding whose trace names a function. Each vulnerability is kept once for
// each module that has it.
func readFindings(r io.Reader) ([]finding, error) {
	var found []finding
	for d := json.NewDecoder(r); ; {
		var message struct {
			Finding *struct {
				OSV   string `json:"osv"`
				Fixed string `json:"fixed_version"`
				Trace []struct{ Module, Version, Function string }
			}
		}
		err := d.Decode(&message)
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read govulncheck: %w", err)
		}
		f := message.Finding
		if f == nil || len(f.Trace) == 0 || f.Trace[0].Function == "" {
			continue
		}
		one := finding{f.OSV, f.Trace[0].Module, f.Trace[0].Version, f.Fixed}
		if !slices.Contains(found, one) {
			found = append(found, one)
		}
	}
}

// exception is a line of the acceptance file.
type exception struct {
	id, module, reason string
	until              time.Time // the day on which somebody looks again
}

// parseExceptions reads lines of id, module, accepted on, review on (2006-01-02)
// and reason, parted by tabs. A review is at most 366 days after the acceptance.
func parseExceptions(text string) ([]exception, error) {
	var all []exception
	for i, line := range strings.Split(text, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(line, "\t")
		if len(cells) != 5 || slices.Contains(cells, "") {
			return nil, fmt.Errorf("line %d: five cells are needed: id, module, accepted on, review on, reason", i+1)
		}
		on, err := time.Parse(time.DateOnly, cells[2])
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		until, err := time.Parse(time.DateOnly, cells[3])
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		if !until.After(on) || until.Sub(on) > 366*24*time.Hour {
			return nil, fmt.Errorf("line %d: the review is not within a year of the acceptance", i+1)
		}
		all = append(all, exception{cells[0], cells[1], cells[4], until})
	}
	return all, nil
}

// compare says what keeps the check from passing: a finding that nobody
// accepted, one whose review is due, and an exception that is not needed any more.
func compare(found []finding, accepted []exception, now time.Time) (complaints []string) {
	needed := map[int]bool{}
	for _, f := range found {
		i := slices.IndexFunc(accepted, func(e exception) bool { return e.id == f.id && e.module == f.module })
		switch {
		case i < 0:
			fixed := "no version fixes it"
			if f.fixed != "" {
				fixed = "fixed in " + f.fixed
			}
			complaints = append(complaints, fmt.Sprintf("%s is called in %s %s: %s", f.id, f.module, f.version, fixed))
			continue
		case !now.Before(accepted[i].until):
			complaints = append(complaints, fmt.Sprintf("%s in %s was accepted until %s: look again", f.id, f.module, accepted[i].until.Format(time.DateOnly)))
		}
		needed[i] = true
	}
	for i, e := range accepted {
		if !needed[i] {
			complaints = append(complaints, fmt.Sprintf("%s in %s is accepted, but not called any more: remove its line", e.id, e.module))
		}
	}
	return complaints
}
