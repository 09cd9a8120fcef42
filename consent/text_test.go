package consent

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"visavis/internal/care"
)

func TestReleasedTextsAreTheReleasedOnes(t *testing.T) {
	l, err := LoadLibrary()
	if err != nil {
		t.Fatal(err)
	}
	for _, language := range []care.Language{care.French, care.English} {
		text, ok := l.Current(care.Teleconsultation, language)
		if !ok || text.Language != language {
			t.Fatalf("no text in %s", language)
		}
		if n := len(strings.Fields(text.HTML)); n > 350 {
			t.Errorf("%s has %d words: nobody will read it", text.ID, n)
		}
		if text.SHA256 != hash([]byte(text.HTML)) {
			t.Errorf("%s: the hash is not that of the HTML", text.ID)
		}
		if strings.Contains(text.HTML, "<script") || strings.Contains(text.HTML, "style=") || strings.Contains(text.HTML, "http") {
			t.Errorf("%s: the HTML is more than words", text.ID)
		}
	}
	if fallback, ok := l.Current(care.Teleconsultation, "de"); !ok || fallback.Language != care.French {
		t.Error("a language without text does not fall back to French")
	}
	if _, ok := l.Current("unknown", care.French); ok {
		t.Error("a text was found for an unknown purpose")
	}
}

// copied gives the released files, to spoil.
func copied(t *testing.T) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	names, err := fs.Glob(released, "texts/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		raw, err := fs.ReadFile(released, name)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimPrefix(name, "texts/")] = &fstest.MapFile{Data: raw}
	}
	return files
}

func TestAnAlteredTextIsRefused(t *testing.T) {
	const name = "teleconsultation.v1.fr.md"
	for what, spoil := range map[string]func(fstest.MapFS){
		"one letter":     func(f fstest.MapFS) { f[name].Data = append(f[name].Data, '.') },
		"a blank":        func(f fstest.MapFS) { f[name].Data = append(f[name].Data, '\n') }, // same HTML, other source
		"removed":        func(f fstest.MapFS) { delete(f, name) },
		"not released":   func(f fstest.MapFS) { f["teleconsultation.v9.fr.md"] = f[name] },
		"no version":     func(f fstest.MapFS) { f["teleconsultation.fr.md"] = f[name] },
		"broken lock":    func(f fstest.MapFS) { f["released.lock"].Data = []byte("x y\n") },
		"no lock":        func(f fstest.MapFS) { delete(f, "released.lock") },
		"other renderer": func(f fstest.MapFS) { f["released.lock"].Data = []byte(name + " " + hash(f[name].Data) + " 00\n") },
	} {
		t.Run(what, func(t *testing.T) {
			files := copied(t)
			if _, err := load(files); err != nil {
				t.Fatal("before:", err)
			}
			spoil(files)
			if _, err := load(files); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestTheNewestVersionIsCurrent(t *testing.T) {
	l := &Library{texts: []Text{
		{ID: "a.v10.fr", Purpose: "a", Version: 10, Language: "fr"}, {ID: "a.v9.fr", Purpose: "a", Version: 9, Language: "fr"}, {ID: "a.v11.en", Purpose: "a", Version: 11, Language: "en"},
	}}
	if got, _ := l.Current("a", "fr"); got.ID != "a.v10.fr" {
		t.Errorf("current is %s", got.ID)
	}
	if old, ok := l.ByID("a.v9.fr"); !ok || old.Version != 9 {
		t.Error("an old version is lost")
	}
}

func TestEveryTextIsInBothLanguages(t *testing.T) {
	if _, err := Texts(); err != nil {
		t.Fatal(err)
	}
}
