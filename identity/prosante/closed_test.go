package prosante

import (
	"encoding/json"
	"testing"

	"visavis/internal/care"
)

// TestACR_ClosedList: only the levels asked for, as they are written (issue 9, B4).
func TestACR_ClosedList(t *testing.T) {
	p, err := New(Options{Issuer: "https://i", DiscoveryURL: "https://i/d", ClientID: "c", ClientSecret: "s", RedirectURL: "https://v/cb"})
	if err != nil {
		t.Fatal(err)
	}
	for acr, want := range map[string]bool{
		"eidas1": true, "eidas2": true, "eidas3": true,
		"": false, "eidas": false, "eidas0": false, "eidas4": false, "eidas10": false, "EIDAS1": false, "Eidas2": false, " eidas1": false, "eidas1 ": false,
		"eidas1 eidas2": false, "eidas1,eidas2": false, "eidas1\x00": false, "no-eidas1": false, "eidas\u0661": false, "e\u0130das1": false, "1": false, "password": false,
	} {
		if p.accepts(acr) != want {
			t.Errorf("acr %q: accepted %v", acr, !want)
		}
	}
}

// TestUserinfo_ClosedVocabulary: a profession, a category or a structure that is
// not known, or is written otherwise, gives no role; one that is known keeps its
// own beside others that are not.
func TestUserinfo_ClosedVocabulary(t *testing.T) {
	const here = "750000018"
	may := func(exercices string, role care.Role) bool {
		t.Helper()
		var u userinfo
		if err := json.Unmarshal([]byte(`{"SubjectRefPro":{"exercices":[`+exercices+`]}}`), &u); err != nil {
			return false
		}
		for _, e := range (Professional{Exercices: u.RefPro.Exercices}).At(here) {
			if e.MayHold(role) {
				return true
			}
		}
		return false
	}
	one := func(profession, category, finess string) string {
		raw, err := json.Marshal(Exercice{Profession: profession, Category: category, Activities: []Activity{{Sector: "XX99", FINESS: finess}}})
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	for name, c := range map[string]struct {
		exercices string
		doctor    bool
	}{
		"a doctor":                        {one("10", "C", here), true},
		"a military doctor":               {one("10", "M", here), true},
		"a student":                       {one("10", "E", here), false},
		"an unseen category":              {one("10", "Z", here), false},
		"no category":                     {one("10", "", here), false},
		"a category in lower case":        {one("10", "c", here), false},
		"two categories":                  {one("10", "C,M", here), false},
		"a category with a space":         {one("10", "C ", here), false},
		"an unseen profession":            {one("999", "C", here), false},
		"no profession":                   {one("", "C", here), false},
		"a comment of our table":          {one("#", "C", here), false},
		"a profession with a space":       {one(" 10", "C", here), false},
		"a profession with a zero":        {one("010", "C", here), false},
		"two professions in one":          {one("10,60", "C", here), false},
		"a nurse":                         {one("60", "C", here), false},
		"a title instead of a code":       {one("Médecin", "C", here), false},
		"elsewhere":                       {one("10", "C", "750000019"), false},
		"no structure":                    {one("10", "C", ""), false},
		"a structure that begins alike":   {one("10", "C", here+"0"), false},
		"an unseen one beside a doctor's": {one("999", "Z", here) + "," + one("10", "C", here), true},
		"a doctor elsewhere, unseen here": {one("10", "C", "750000019") + "," + one("999", "C", here), false},
		"a number instead of a text":      {`{"codeProfession":10,"codeCategorieProfessionnelle":"C","activities":[{"numeroFinessSite":"750000018"}]}`, false},
		"a list instead of a text":        {`{"codeProfession":["10"],"codeCategorieProfessionnelle":"C","activities":[{"numeroFinessSite":"750000018"}]}`, false},
		"unseen claims beside known ones": {`{"codeProfession":"10","codeCategorieProfessionnelle":"C","nouveau":{"a":1},"activities":[{"numeroFinessSite":"750000018","autre":[]}]}`, true},
	} {
		if got := may(c.exercices, care.Doctor); got != c.doctor {
			t.Errorf("%s: a doctor %v", name, got)
		}
	}
}
