package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"visavis/identity"
	"visavis/internal/care"
	"visavis/internal/profession"
)

// sayings are the catalogues of what the program says, by path and language: of
// every module, of the sheets, and of the pages.
func sayings(t *testing.T) map[string]map[string]string {
	t.Helper()
	out := map[string]map[string]string{}
	for _, pattern := range []string{"texts/*.json", "../../*/texts/*.json", "../../*/*/texts/*.json", "../../internal/sheet/words/*.json", "../../internal/sheet/words/*/*.json", "../../web/src/i18n/??/*.json"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatal(pattern, err)
		}
		for _, path := range paths {
			out[path] = catalogue(t, path)
		}
	}
	return out
}

// aPhysician finds a word for a physician, once what is no person, or somebody
// else, is taken out.
func aPhysician(text string) bool {
	for _, other := range []string{"médecin traitant", "Médecin traitant", "Regular doctor", "regular doctor", "éléconsultation de médecine", "Médecine ", "médecine "} {
		text = strings.ReplaceAll(text, other, "")
	}
	return regexp.MustCompile(`(?i)m[ée]decins?\b|\bdoctors?\b|\bphysicians?\b`).MatchString(text)
}

// TestProfession_OnlyAPhysicianIsCalledOne (issue 9, B3): whoever holds the role
// doctor may be a dentist or a midwife, so no sentence says "médecin" or "doctor"
// but the word of the profession itself.
func TestProfession_OnlyAPhysicianIsCalledOne(t *testing.T) {
	word := regexp.MustCompile(`^(role|of|staff-role|demo)\.doctor$`)
	list := "field.plan-doctors-only" // names the three professions
	for path, texts := range sayings(t) {
		for key, text := range texts {
			if strings.HasSuffix(path, "still.json") || !word.MatchString(key) && key != list {
				if aPhysician(text) {
					t.Errorf("%s %s: %q", path, key, text)
				}
			}
		}
	}
	for _, language := range []string{"fr", "en"} {
		paths, err := filepath.Glob("../../consent/texts/*.v*." + language + ".md")
		if err != nil || len(paths) == 0 {
			t.Fatal(err)
		}
		newest := slices.Max(paths) // what somebody agreed to before stays as it was
		text, err := os.ReadFile(newest)
		if err != nil || aPhysician(string(text)) {
			t.Errorf("%s names a physician (%v)", newest, err)
		}
	}
}

// TestProfession_EachHasItsWords: in every catalogue that names people by their
// profession each profession has its words, and a physician's are nobody else's.
func TestProfession_EachHasItsWords(t *testing.T) {
	words := []profession.Word{profession.Professional}
	for _, code := range profession.Codes() {
		role, ok := profession.Role(code)
		if !ok || profession.WordOf(code, role) == profession.Professional || profession.Name(code, care.French) == "" || profession.Name(code, care.English) == "" {
			t.Errorf("%s has no role, no word or no name", code)
		}
		if aPhysician(profession.Name(code, care.French)+" "+profession.Name(code, care.English)) != (code == "10") {
			t.Errorf("%s is called %s", code, profession.Name(code, care.French))
		}
		words = append(words, profession.WordOf(code, role))
	}
	for _, language := range []string{"fr", "en"} {
		for path, prefix := range map[string]string{
			"../../documents/texts/": "role.", "../../encounters/texts/": "of.", "../../identity/texts/": "staff-role.",
			"../../web/src/i18n/?/call": "role.", "../../web/src/i18n/?/encounter": "role.", "../../web/src/i18n/?/quality": "role.", "../../web/src/i18n/?/documents": "role.",
		} {
			if path = strings.Replace(path, "?", language, 1) + ".json"; strings.HasSuffix(path, "/.json") {
				path = strings.TrimSuffix(path, ".json") + language + ".json"
			}
			texts := catalogue(t, path)
			for _, w := range words {
				text := texts[prefix+string(w)]
				if text == "" || aPhysician(text) != (w == "doctor") {
					t.Errorf("%s %s%s: %q", path, prefix, w, text)
				}
			}
		}
	}
	if got := profession.WordOf("", care.Doctor); got != profession.Professional {
		t.Errorf("the role alone makes a physician: %s", got)
	}
}

// TestProfession_TitleAndQuality: "Dr" stands only before the name of whom the law
// lets hold it, and a sheet says the profession and the specialty.
func TestProfession_TitleAndQuality(t *testing.T) {
	for _, x := range []struct{ code, specialty, title, quality string }{
		{"10", "SM54", "Dr", "Médecin, médecine générale"}, {"10", "SM26", "Dr", "Médecin, médecine générale"}, {"10", "SM34", "Pr", "Médecin, ORL"}, {"10", "SM28", "Dr", "Médecin, médecine nucléaire"},
		{"10", "", "Dr", "Médecin"}, {"40", "", "Dr", "Chirurgien-dentiste"}, {"40", "SCD01", "Dr", "Chirurgien-dentiste, orthopédie dento-faciale"}, {"50", "", "", "Sage-femme"},
		{"21", "", "Dr", "Pharmacien"}, {"60", "", "", "Infirmier"},
	} {
		asked := x.title
		if asked == "" {
			asked = "Dr"
		}
		if got := profession.Title(x.code, asked); got != x.title {
			t.Errorf("%s is titled %q, want %q", x.code, got, x.title)
		}
		got, err := quality(identity.Staff{Profession: x.code, Specialty: x.specialty})
		if err != nil || got != x.quality {
			t.Errorf("%s %s: %q, want %q (%v)", x.code, x.specialty, got, x.quality, err)
		}
	}
}
