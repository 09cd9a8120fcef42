package consent

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"visavis/internal/care"
	"visavis/internal/lang"

	"github.com/yuin/goldmark"
)

//go:embed texts
var released embed.FS

// Texts is the catalogue of what this module says to people.
func Texts() (*lang.Catalogue, error) {
	sub, err := fs.Sub(released, "texts")
	if err != nil {
		return nil, err
	}
	return lang.New(sub, string(care.French), string(care.English))
}

// Text is a released consent text, as shown.
type Text struct {
	ID       string // as teleconsultation.v1.fr
	Purpose  care.ActKind
	Version  int
	Language care.Language
	HTML     string
	SHA256   string // of HTML, hexadecimal: what the person agrees to
}

// Library holds the released texts. It is immutable.
type Library struct{ texts []Text }

var fileName = regexp.MustCompile(`^([a-z]+)\.v([1-9][0-9]*)\.([a-z]{2})\.md$`)

// LoadLibrary reads the released texts. It refuses to start when a text, or the
// HTML it renders to, is not the one of texts/released.lock: what people agreed
// to must stay reproducible, through upgrades of the renderer too.
func LoadLibrary() (*Library, error) {
	sub, err := fs.Sub(released, "texts")
	if err != nil {
		return nil, err
	}
	return load(sub)
}

func load(files fs.FS) (*Library, error) {
	lock, err := readLock(files)
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "*.md")
	if err != nil {
		return nil, err
	}
	l := &Library{}
	for _, name := range names {
		t, source, err := render(files, name)
		if err != nil {
			return nil, err
		}
		if lock[name] != source+" "+t.SHA256 {
			return nil, fmt.Errorf("consent: %s is not the released text (source %s, html %s): release a new version instead", name, source, t.SHA256)
		}
		delete(lock, name)
		l.texts = append(l.texts, t)
	}
	for name := range lock {
		return nil, fmt.Errorf("consent: released text %s is missing", name)
	}
	return l, nil
}

// readLock gives "source-hash html-hash" by file name.
func readLock(files fs.FS) (map[string]string, error) {
	raw, err := fs.ReadFile(files, "released.lock")
	if err != nil {
		return nil, fmt.Errorf("consent: %w", err)
	}
	lock := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		cols := strings.Fields(line)
		if len(cols) != 3 {
			return nil, fmt.Errorf("consent: released.lock: bad line %q", line)
		}
		lock[cols[0]] = cols[1] + " " + cols[2]
	}
	return lock, nil
}

func render(files fs.FS, name string) (t Text, sourceHash string, err error) {
	parts := fileName.FindStringSubmatch(name)
	if parts == nil {
		return Text{}, "", fmt.Errorf("consent: %s: want <purpose>.v<N>.<lang>.md", name)
	}
	source, err := fs.ReadFile(files, name)
	if err != nil {
		return Text{}, "", fmt.Errorf("consent: %w", err)
	}
	var html bytes.Buffer
	if err := goldmark.Convert(source, &html); err != nil {
		return Text{}, "", fmt.Errorf("consent: %s: %w", name, err)
	}
	version, err := strconv.Atoi(parts[2])
	if err != nil {
		return Text{}, "", fmt.Errorf("consent: %s: %w", name, err)
	}
	return Text{
		ID: strings.TrimSuffix(name, ".md"), Purpose: care.ActKind(parts[1]), Version: version,
		Language: care.Language(parts[3]), HTML: html.String(), SHA256: hash(html.Bytes()),
	}, hash(source), nil
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// ByID finds a released text, old versions included.
func (l *Library) ByID(id string) (Text, bool) {
	i := slices.IndexFunc(l.texts, func(t Text) bool { return t.ID == id })
	if i < 0 {
		return Text{}, false
	}
	return l.texts[i], true
}

// Current gives the newest text of a purpose in a language, in French when that
// language has none.
func (l *Library) Current(purpose care.ActKind, language care.Language) (Text, bool) {
	var best Text
	for _, t := range l.texts {
		if t.Purpose == purpose && t.Language == language && t.Version > best.Version {
			best = t
		}
	}
	if best.Version == 0 && language != care.French {
		return l.Current(purpose, care.French)
	}
	return best, best.Version > 0
}
