// Package testkit gives tests the real things: a PostgreSQL server with fsync
// on, an encrypted SQLite file, a Redis server, an HTTP client that behaves
// like a browser, and House, the foundation of visavis put together.
//
// Nothing is downloaded. Servers come from the machine; when one is missing
// the test fails on a machine that could install it (root, or CI=true) and is
// skipped, saying which package is missing, on one that could not.
package testkit

import (
	"fmt"
	"os"
	"testing"
)

// missing fails or skips a test for want of a program.
func missing(t testing.TB, program, apt string) {
	t.Helper()
	text := fmt.Sprintf("%s is not installed: apt-get install %s", program, apt)
	if os.Getenv("CI") == "true" || os.Geteuid() == 0 {
		t.Fatal(text)
	}
	t.Skip("SKIPPED, NOT TESTED: " + text)
}
