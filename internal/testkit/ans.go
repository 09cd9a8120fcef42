package testkit

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// ANSRules gives the command that validates CDA documents with the official
// rules of the ANS: ANS_RULES, or ../shared/ans/validate beside the checkout.
// When it or a tool it needs is missing, the test fails in CI and is skipped
// elsewhere, saying what to install.
func ANSRules(t testing.TB) string {
	t.Helper()
	pack := os.Getenv("ANS_RULES")
	if pack == "" {
		root, err := checkout()
		if err != nil {
			t.Fatal(err)
		}
		pack = filepath.Join(root, "..", "shared", "ans", "validate")
	}
	missing := ""
	if _, err := os.Stat(pack); err != nil {
		missing = "the validation pack (ANS_RULES)"
	}
	for _, tool := range []string{"java", "xmllint", "python3"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing = tool
		}
	}
	switch {
	case missing == "":
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is missing: the official rules must run in CI", missing)
	default:
		t.Skipf("%s is missing: apt-get install default-jre-headless libsaxonhe-java libxml2-utils python3", missing)
	}
	return pack
}

// checkout is the folder of go.mod, above the package under test.
func checkout() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, gone := os.Stat(filepath.Join(dir, "go.mod")); gone == nil {
			return dir, nil
		}
		if parent := filepath.Dir(dir); parent != dir {
			dir = parent
			continue
		}
		err = os.ErrNotExist
	}
	return "", err
}
