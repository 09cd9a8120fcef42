package lang

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func catalogue(fr, en string) fstest.MapFS {
	return fstest.MapFS{"fr.json": {Data: []byte(fr)}, "en.json": {Data: []byte(en)}}
}

func TestNewRefusesLanguagesThatDisagree(t *testing.T) {
	for name, c := range map[string]struct{ fr, en, says string }{
		"missing in English":    {`{"a":"x","b":"y"}`, `{"a":"x"}`, `"b"`},
		"missing in French":     {`{"a":"x"}`, `{"a":"x","b":"y"}`, `"b"`},
		"other placeholder":     {`{"a":"x {name}"}`, `{"a":"x {first}"}`, `"a"`},
		"empty text":            {`{"a":" "}`, `{"a":"x"}`, "empty"},
		"key written twice":     {`{"a":"x","a":"y"}`, `{"a":"x"}`, "twice"},
		"no language asked for": {},
	} {
		t.Run(name, func(t *testing.T) {
			languages := []string{"fr", "en"}
			if c.fr == "" {
				languages = nil
			}
			_, err := New(catalogue(c.fr, c.en), languages...)
			if !errors.Is(err, ErrIncomplete) || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %v, want ErrIncomplete naming %s", err, c.says)
			}
		})
	}
	if _, err := New(catalogue(`{"a":1}`, `{}`), "fr", "en"); err == nil {
		t.Fatal("a text that is not a string was taken")
	}
	if _, err := New(fstest.MapFS{}, "fr"); err == nil {
		t.Fatal("a missing file was taken")
	}
	if _, err := New(catalogue(`[]`, `[]`), "fr"); err == nil {
		t.Fatal("an array was taken")
	}
}

func TestTextsAreFilledAndMissingOnesAreSeen(t *testing.T) {
	c, err := New(catalogue(
		`{"hi":"Bonjour {name}, {name}","day_one":"{n} jour","day_other":"{n} jours"}`,
		`{"hi":"Hello {name}","day_one":"{n} day","day_other":"{n} days"}`), "fr", "en")
	if err != nil {
		t.Fatal(err)
	}
	for got, want := range map[string]string{
		c.T("fr-FR", "hi", Args{"name": "Ana"}):    "Bonjour Ana, Ana",
		c.T("en_GB", "hi", Args{"name": "{name}"}): "Hello {name}",
		c.T("de", "hi", Args{"name": "Ana"}):       "Bonjour Ana, Ana",
		c.T("fr", "nope", nil):                     "⟦nope⟧",
		c.T("en", "hi", nil):                       "Hello ⟦name⟧",
		c.N("fr", "day", 0, nil):                   "0 jour",
		c.N("en", "day", 0, nil):                   "0 days",
		c.N("en", "day", 1, nil):                   "1 day",
		c.N("fr", "day", 2, nil):                   "2 jours",
		strings.Join(c.Keys(), ","):                "day_one,day_other,hi",
		strings.Join(c.Languages(), ","):           "en,fr",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if Complete(c.T("fr", "nope", nil)) || Complete(c.T("fr", "hi", nil)) || !Complete("Bonjour") {
		t.Error("Complete does not see what is missing")
	}
}

func words(t *testing.T) *Words {
	t.Helper()
	w, err := NewWords()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestDatesAreSaidAsPeopleSayThem(t *testing.T) {
	w, paris, reunion := words(t), zone(t, "Europe/Paris"), zone(t, "Indian/Reunion")
	nov := time.Date(2026, 11, 3, 13, 30, 0, 0, time.UTC)
	july := time.Date(2026, 7, 1, 7, 0, 0, 0, time.UTC)
	for got, want := range map[string]string{
		w.When("fr", nov, paris, paris):                            "mardi 3 novembre à 14\u00a0h\u00a030",
		w.When("fr", july, paris, nil):                             "mercredi 1er juillet à 9\u00a0h",
		w.When("fr", nov, reunion, paris):                          "mardi 3 novembre à 17\u00a0h\u00a030 (heure de La Réunion)",
		w.When("fr", july, paris, reunion):                         "mercredi 1er juillet à 9\u00a0h (heure de Paris)",
		w.When("en", nov, paris, paris):                            "Tuesday 3 November at 2:30 pm",
		w.When("en", july, reunion, paris):                         "Wednesday 1 July at 11 am (Réunion time)",
		w.Short("fr", nov, paris, paris):                           "mardi 3 à 14\u00a0h\u00a030",
		w.Short("en", nov, paris, reunion):                         "Tuesday 3 at 2:30 pm (Paris time)",
		w.Date("fr", july):                                         "1er juillet 2026",
		w.Date("en", nov):                                          "3 November 2026",
		w.Zone("fr", zone(t, "America/Argentina/San_Juan")):        "heure de San Juan",
		w.Zone("en", time.UTC):                                     "universal time",
		w.When("fr", nov, paris, zone(t, "Europe/Berlin")):         "mardi 3 novembre à 14\u00a0h\u00a030",
		w.When("fr", nov, nil, nil):                                "mardi 3 novembre à 13\u00a0h\u00a030",
		w.Clock("fr", time.Date(2026, 1, 1, 0, 5, 0, 0, time.UTC)): "0\u00a0h\u00a005",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestTheHourOfTheClockChangeIsTheOneOnTheWall(t *testing.T) {
	w, paris := words(t), zone(t, "Europe/Paris")
	before := time.Date(2026, 3, 29, 0, 30, 0, 0, time.UTC)
	after := before.Add(time.Hour)
	if a, b := w.Clock("fr", before.In(paris)), w.Clock("fr", after.In(paris)); a != "1\u00a0h\u00a030" || b != "3\u00a0h\u00a030" {
		t.Fatalf("got %q then %q", a, b)
	}
}

func TestDurationsAndMoney(t *testing.T) {
	w := words(t)
	for got, want := range map[string]string{
		w.In("fr", -time.Minute):   "maintenant",
		w.In("fr", time.Minute):    "dans 1 minute",
		w.In("fr", 12*time.Minute): "dans 12 minutes",
		w.In("fr", 90*time.Minute): "dans 2 heures",
		w.In("en", 61*time.Minute): "in 1 hour",
		w.In("fr", 47*time.Hour):   "dans 2 jours",
		w.Money("fr", 2650):        "26,50\u00a0€",
		w.Money("fr", 2500):        "25\u00a0€",
		w.Money("en", 2650):        "€26.50",
		w.Money("en", 2500):        "€25",
		w.Money("fr", -1):          "-0,01\u00a0€",
		w.Money("fr", 123456789):   "1\u202f234\u202f567,89\u00a0€",
		w.Money("en", 100000):      "€1,000",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestEveryFrenchTerritoryHasAZoneName(t *testing.T) {
	w := words(t)
	for _, name := range []string{"Europe/Paris", "America/Guadeloupe", "America/Martinique", "America/Cayenne",
		"America/Miquelon", "America/Marigot", "America/St_Barthelemy", "Indian/Reunion", "Indian/Mayotte",
		"Indian/Kerguelen", "Pacific/Noumea", "Pacific/Wallis", "Pacific/Tahiti", "Pacific/Marquesas", "Pacific/Gambier"} {
		loc := zone(t, name)
		for _, l := range []string{"fr", "en"} {
			if _, ok := w.c.Lookup(l, "zone_"+strings.ToLower(strings.ReplaceAll(name, "/", "_"))); !ok || !Complete(w.Zone(l, loc)) {
				t.Errorf("%s has no name in %s", name, l)
			}
		}
	}
}
