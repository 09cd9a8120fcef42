package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"visavis/encounters/ribbon"
)

// TestSentences_EachHasItsFact (issue 9, A3): every sentence that the program
// writes into a signed document is in testdata/sentences.tsv with the stored fact
// it follows from, and nothing is in there that is said no more.
func TestSentences_EachHasItsFact(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("testdata", "sentences.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	fact := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		if f := strings.Split(strings.TrimSpace(line), "\t"); !strings.HasPrefix(line, "#") {
			if len(f) != 3 || f[2] == "" {
				t.Fatalf("%q", line)
			}
			fact[f[0]+" "+f[1]] = f[2]
		}
	}
	said := map[string]bool{}
	for module, path := range map[string]string{"documents": "../../documents", "encounters": "../../encounters", "prescriptions": "../../prescriptions", "visavis": "."} {
		for key := range catalogue(t, filepath.Join(path, "texts", "fr.json")) {
			other := regexp.MustCompile(`^(fault|field|demo|warn)\.`).MatchString(key) // for pages, never in a document
			if !other {
				said[module+" "+key] = true
			}
		}
	}
	files, err := filepath.Glob("../../internal/cda/build*.go")
	if err != nil || len(files) < 4 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\b(?:say|row)\("([^"]+)"`).FindAllSubmatch(source, -1) {
			said["cda "+string(m[1])] = true
		}
	}
	for key := range said {
		if fact[key] == "" {
			t.Errorf("%s: say in testdata/sentences.tsv which stored fact this follows from", key)
		}
	}
	for key := range fact {
		if !said[key] {
			t.Errorf("%s is said no more", key)
		}
	}
	for _, code := range ribbon.Codes() {
		if unsigned := fact["encounters cause."+code] == "never signed"; unsigned == ribbon.Signed(code) {
			t.Errorf("cause %s: causes.tsv and sentences.tsv differ about what is signed", code)
		}
	}
}

func catalogue(t *testing.T, path string) (texts map[string]string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &texts); err != nil {
		t.Fatal(err)
	}
	return texts
}

// TestSentences_NobodySaidThat: words that a report once said without a fact.
func TestSentences_NobodySaidThat(t *testing.T) {
	for _, path := range []string{"texts/fr.json", "../../documents/texts/fr.json", "../../encounters/texts/fr.json", "../../internal/sheet/words/fr.json", "../../internal/sheet/words/receipt/fr.json"} {
		for key, text := range catalogue(t, path) {
			for _, never := range []string{"date de naissance confirm", "poursuite au son seul", "recueilli", "à l'issue d'une téléconsultation", "Ce carré"} {
				if strings.Contains(text, never) {
					t.Errorf("%s %s: %q", path, key, text)
				}
			}
		}
	}
}
