package sheet

import (
	"strings"
	"testing"

	"visavis/internal/testkit/signtest"
)

// Issue 9, B1: every sign that is not refused is printed and read back, in each document.
func TestCharacters_WholeRepertoire(t *testing.T) {
	words := signtest.Words()
	p := press(t)
	r := report()
	r.Content = strings.Join(words, "\n")
	pdf, err := p.Report(r)
	if err != nil {
		t.Fatal(err)
	}
	sound(t, "repertoire", pdf)
	if missing := signtest.Missing(signtest.PDF(t, pdf), words...); len(missing) > 0 {
		t.Errorf("report: %d of %d: %+q", len(missing), len(words), missing)
	}
}
