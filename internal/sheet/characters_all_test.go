package sheet

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"visavis/internal/fault"
	"visavis/internal/testkit/signtest"
)

// Issue 9, B1: every sign that is not refused is printed and read back, in each document.
func TestCharacters_WholeRepertoire(t *testing.T) {
	words, points := signtest.Words(), signtest.Points()
	p := press(t)
	r := report()
	r.Content = strings.Join(append(words, points...), "\n")
	pdf, err := p.Report(r)
	if err != nil {
		t.Fatal(err)
	}
	sound(t, "repertoire", pdf)
	if missing := signtest.Missing(signtest.PDF(t, pdf), words...); len(missing) > 0 {
		t.Errorf("report: %d of %d: %+q", len(missing), len(words), missing)
	}
	if missing := signtest.Undrawn(t, pdf, append(words, points...)...); len(missing) > 0 {
		t.Errorf("report: not in the file: %+q", missing)
	}
}

// typed stands in each field below: signs of each script, and what is easily lost.
const typed = "25 µg SpO₂ → 10⁹ Nguyễn Щука Ελένη الأحمد ליאור x\u0304"

// words stored by a code choose a sentence, or have a form of their own.
var coded = []string{"Kind", "ID", "Language", "Decision", "Later", "Channel", "Relation", "AgentProof", "Document", "Ground", "Situation", "Act", "TextLanguage",
	"TextHash", "RecordHash", "Stamp", "Sex", "INSKind", "Excluded", "BirthDate", "Phone", "INS", "URL", "Town"}

// eachText calls f for every string that v holds, with its name and a way to set it.
func eachText(v reflect.Value, name string, f func(name string, s reflect.Value)) {
	switch v.Kind() {
	case reflect.String:
		f(name, v)
	case reflect.Slice:
		for i := range v.Len() {
			eachText(v.Index(i), name, f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && v.Type() != reflect.TypeFor[time.Time]() {
				eachText(v.Field(i), v.Type().Field(i).Name, f)
			}
		}
	}
}

// printsEach fills every text of a document with typed, and each in turn with a sign that no font draws.
func printsEach[T any](t *testing.T, kind string, full func() T, print func(T) ([]byte, error)) {
	t.Helper()
	v, fields := full(), []string{}
	eachText(reflect.ValueOf(&v).Elem(), "", func(name string, s reflect.Value) {
		if !slices.Contains(coded, name) && s.String() != "" {
			s.SetString(typed + " " + name + strconv.Itoa(len(fields)))
			fields = append(fields, s.String())
		}
	})
	pdf, err := print(v)
	if err != nil || len(fields) < 4 {
		t.Fatalf("%s: %d texts, %v", kind, len(fields), err)
	}
	if lost := signtest.Undrawn(t, pdf, strings.Fields(strings.Join(fields, " "))...); len(lost) > 0 {
		t.Errorf("%s: not drawn: %q", kind, lost)
	}
	read := signtest.Letters(signtest.PDF(t, pdf))
	for _, word := range strings.Fields(typed) {
		if n := strings.Count(read, signtest.Letters(word)); n < len(fields) {
			t.Errorf("%s: %s is read %d times of %d", kind, word, n, len(fields))
		}
	}
	for i := range fields {
		v, n := full(), 0
		at := ""
		eachText(reflect.ValueOf(&v).Elem(), "", func(name string, s reflect.Value) {
			if slices.Contains(coded, name) || s.String() == "" {
				return
			}
			if n == i {
				s.SetString("中")
				at = name
			}
			n++
		})
		if _, err := print(v); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: a sign that cannot be printed in %s: %v", kind, at, err)
		}
	}
}

// Issue 9, B1: whatever text a document is made with is on it, sign for sign, or the document is refused.
func TestCharacters_EachField(t *testing.T) {
	p := press(t)
	printsEach(t, "report", report, p.Report)
	printsEach(t, "prescription", prescription, p.Prescription)
	for _, language := range []string{"fr", "en"} {
		printsEach(t, "receipt "+language, func() Receipt {
			r := receipt(language)
			r.Channel, r.AttestedBy, r.AgentProof, r.Document = "oral", "Dr Claire MARTIN", "attested", "passport"
			return r
		}, p.Receipt)
	}
	printsEach(t, "receipt of an emergency", func() Receipt {
		r := receipt("fr")
		r.Decision, r.Situation, r.Reason, r.Channel, r.AttestedBy = "emergency", "unable", "Inconscient.", "emergency", "Dr Claire MARTIN"
		r.Agent, r.Text, r.TextID, r.TextVersion = "", nil, "", ""
		return r
	}, p.Receipt)
	type cover struct {
		Sender, Name, Street, Postcode, Town string
		Titles                               []string
	}
	printsEach(t, "cover", func() cover {
		return cover{"Maison médicale", "Anne", "12 rue", "93260", "LILAS", []string{"Ordonnance", "Compte rendu"}}
	}, func(c cover) ([]byte, error) {
		return p.Cover(c.Sender, c.Name, c.Street, c.Postcode, c.Town, c.Titles, time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC))
	})
}
