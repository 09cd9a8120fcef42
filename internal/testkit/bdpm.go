package testkit

import (
	"os"
	"path/filepath"
	"testing"
)

// BDPM gives the folder of the real medicines database: BDPM_FILES, or ../shared/bdpm beside the checkout.
// When it is missing, the test fails in CI and is skipped elsewhere.
func BDPM(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("BDPM_FILES")
	if dir == "" {
		root, err := checkout()
		if err != nil {
			t.Fatal(err)
		}
		dir = filepath.Join(root, "..", "shared", "bdpm")
	}
	if _, err := os.Stat(filepath.Join(dir, "CIS_bdpm.txt")); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("the files of the medicines database (BDPM_FILES) are missing: they must be read in CI")
		}
		t.Skip("the files of the medicines database are missing: set BDPM_FILES to their folder")
	}
	return dir
}
