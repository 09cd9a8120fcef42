// Command tally reads what a test runner reports, prints what failed, and adds
// one line to a file; at the end it prints the table of all of them.
//
//	go test -json ./... | tally -file F -name go go
//	tally -file F -name web vitest < report.json
//	tally -file F -name e2e playwright < report.json
//	tally -file F -name vet -seconds 3 step 0     (the exit status of a step)
//	tally -file F close
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// count is one line of the table.
type count struct {
	Name                    string
	Passed, Failed, Skipped int
	Seconds                 float64
	Failures                []string // their names, told again below the table: a long log is read from its end
}

func main() {
	file := flag.String("file", "", "where lines are kept")
	name := flag.String("name", "", "name of the line")
	seconds := flag.Float64("seconds", 0, "how long it took, when the report does not tell")
	flag.Parse()
	if err := run(*file, *name, *seconds, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "tally:", err)
		os.Exit(1)
	}
}

func run(file, name string, seconds float64, args []string) error {
	if len(args) == 0 {
		return errors.New("what shall be read?")
	}
	start := time.Now()
	c := count{Name: name, Seconds: seconds}
	var err error
	switch args[0] {
	case "go":
		err = c.readGo(os.Stdin)
	case "vitest":
		err = c.readVitest(os.Stdin)
	case "playwright":
		err = c.readPlaywright(os.Stdin)
	case "step":
		if len(args) == 2 && args[1] == "0" {
			c.Passed = 1
		} else {
			c.fail(name)
		}
	case "close":
		return closing(file)
	default:
		return fmt.Errorf("%q is no report", args[0])
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "tally: %s: %v\n", name, err)
		c.fail(err.Error())
	}
	if c.Seconds == 0 {
		c.Seconds = time.Since(start).Seconds()
	}
	return c.keep(file)
}

func (c count) keep(file string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(json.NewEncoder(f).Encode(c), f.Close())
}

// goEvent is a line of go test -json (go doc test2json).
type goEvent struct {
	Action, Package, Test, Output, ImportPath string
	Elapsed                                   float64
}

// readGo counts the tests that have no subtests, and a package that failed
// without a failed test as one.
func (c *count) readGo(r io.Reader) error {
	output := map[string][]string{}
	parents, failed := map[string]bool{}, map[string]bool{}
	results := map[string]string{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e goEvent
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Println(lines.Text())
			continue
		}
		id := e.Package + " " + e.Test
		switch e.Action {
		case "output":
			output[id] = append(output[id], e.Output)
		case "build-output":
			fmt.Print(e.Output)
		case "pass", "skip", "fail":
			if e.Test == "" {
				c.endPackage(e, failed[e.Package], output[id])
				continue
			}
			if i := strings.LastIndexByte(e.Test, '/'); i > 0 {
				parents[e.Package+" "+e.Test[:i]] = true
			}
			results[id] = e.Action
			if e.Action == "fail" {
				failed[e.Package] = true
			}
			if e.Action != "pass" {
				fmt.Printf("%s %s %s\n%s", strings.ToUpper(e.Action), e.Package, e.Test, strings.Join(output[id], ""))
			}
			delete(output, id)
		}
	}
	for id, result := range results {
		if parents[id] {
			continue
		}
		c.add(result, id)
	}
	return lines.Err()
}

func (c *count) endPackage(e goEvent, told bool, output []string) {
	if e.Action == "fail" && !told {
		c.fail(e.Package)
		fmt.Print(strings.Join(output, ""))
	}
	if e.Action == "skip" {
		return // no test files
	}
	fmt.Printf("%-4s %s (%.1f s)\n", e.Action, e.Package, e.Elapsed)
}

func (c *count) fail(name string) {
	c.Failed++
	c.Failures = append(c.Failures, name)
}

func (c *count) add(result, name string) {
	switch result {
	case "pass":
		c.Passed++
	case "fail":
		c.fail(name)
	default:
		c.Skipped++
	}
}

func (c *count) readVitest(r io.Reader) error {
	var report struct {
		NumPassedTests, NumFailedTests, NumPendingTests, NumFailedTestSuites int
		Success                                                              bool
	}
	if err := json.NewDecoder(r).Decode(&report); err != nil {
		return err
	}
	c.Passed, c.Failed, c.Skipped = report.NumPassedTests, report.NumFailedTests, report.NumPendingTests
	if !report.Success && c.Failed == 0 {
		c.Failed = max(1, report.NumFailedTestSuites)
	}
	return nil
}

func (c *count) readPlaywright(r io.Reader) error {
	var report struct {
		Stats  struct{ Expected, Unexpected, Flaky, Skipped int }
		Errors []struct{ Message string }
		Suites []suite
	}
	if err := json.NewDecoder(r).Decode(&report); err != nil {
		return err
	}
	s := report.Stats
	// A test that passes on a second try only is not a test that passes.
	c.Passed, c.Failed, c.Skipped = s.Expected, s.Unexpected+s.Flaky+len(report.Errors), s.Skipped
	for _, e := range report.Errors {
		fmt.Println(e.Message)
		c.Failures = append(c.Failures, e.Message)
	}
	for _, s := range report.Suites {
		c.Failures = append(c.Failures, s.failures()...)
	}
	return nil
}

// suite is a file or a describe block of Playwright's JSON report.
type suite struct {
	File   string
	Suites []suite
	Specs  []struct {
		Title string
		OK    bool
		Tests []struct {
			ProjectName string
			Results     []struct {
				Error struct {
					Message  string
					Location struct{ Line int }
				}
			}
		}
	}
}

// failures tells which journeys of s failed, and the first words of why.
func (s suite) failures() []string {
	var said []string
	for _, spec := range s.Specs {
		if spec.OK {
			continue
		}
		said = append(said, s.File+": "+spec.Title)
		for _, t := range spec.Tests {
			for _, r := range t.Results {
				if r.Error.Message != "" {
					said = append(said, fmt.Sprintf("  %s, line %d: %s", t.ProjectName, r.Error.Location.Line, firstLines(colours.ReplaceAllString(r.Error.Message, ""), 14)))
				}
			}
		}
	}
	for _, inner := range s.Suites {
		said = append(said, inner.failures()...)
	}
	return said
}

// colours are the terminal codes of what Playwright says.
var colours = regexp.MustCompile(`\x1b\[[0-9;]*m`)

func firstLines(s string, n int) string {
	lines := strings.Split(s, "\n")
	return strings.Join(lines[:min(n, len(lines))], "\n    ")
}

func closing(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	var all count
	fmt.Printf("\n%-32s %8s %8s %8s %8s\n", "", "passed", "failed", "skipped", "seconds")
	d := json.NewDecoder(f)
	for {
		var c count
		if err := d.Decode(&c); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		fmt.Printf("%-32s %8d %8d %8d %8s\n", c.Name, c.Passed, c.Failed, c.Skipped, strconv.FormatFloat(c.Seconds, 'f', 0, 64))
		for _, name := range c.Failures {
			all.Failures = append(all.Failures, c.Name+": "+name)
		}
		all.Passed, all.Failed, all.Skipped, all.Seconds = all.Passed+c.Passed, all.Failed+c.Failed, all.Skipped+c.Skipped, all.Seconds+c.Seconds
	}
	fmt.Printf("%-32s %8d %8d %8d %8.0f\n\n", "", all.Passed, all.Failed, all.Skipped, all.Seconds)
	for _, name := range all.Failures {
		fmt.Println("FAILED", name)
	}
	fmt.Printf("%d passed, %d failed\n", all.Passed, all.Failed)
	if all.Failed > 0 || all.Passed == 0 {
		os.Exit(1)
	}
	return nil
}
