package httpx_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"visavis/internal/fault"
	"visavis/internal/httpx"
	"visavis/internal/testkit"
)

// most is the largest problem, in bytes: 8 KiB of fields, and what is around them.
const most = 16 << 10

// TestProblem_Bounded: whatever was sent, the refusal is small, shows no sign
// that cannot be seen, and counts what it does not list.
func TestProblem_Bounded(t *testing.T) {
	_, c := lite(t)
	keys := func(n int, key string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"%s%d":0`, key, i)
		}
		return `{"name":"x"` + b.String() + `}`
	}
	for name, x := range map[string]struct {
		body string
		code string
		more int // fields that are not listed; -1: some
	}{
		"a few":               {keys(3, "a"), "fields", 0},
		"unknown fields":      {keys(3000, ""), "fields", 3000 + 1 - 50},
		"too many fields":     {keys(5000, ""), "too-large", 0},
		"long keys":           {keys(10, strings.Repeat("k", 6000)), "fields", 0},
		"one endless key":     {keys(1, strings.Repeat("k", 60_000)), "fields", 0},
		"keys of wide signs":  {keys(600, strings.Repeat("é中😀", 8)), "fields", -1},
		"keys to be escaped":  {keys(900, strings.Repeat("<&>", 15)), "fields", -1},
		"control signs":       {keys(900, `\u0000\u0007\u202e\u200b\u2028`), "fields", -1},
		"lone surrogates":     {keys(900, `\ud800`), "fields", -1},
		"invalid UTF-8":       {keys(900, "\xff\xfe\xc3"), "fields", -1},
		"items of a list":     {`{"name":"Jo","lines":[` + strings.Repeat("{},", 1500) + `{}]}`, "fields", 1501 + 1 - 50},
		"too many items":      {`{"name":"Jo","lines":[` + strings.Repeat("{},", 20_000) + `{}]}`, "too-large", 0},
		"commas in a text":    {`{"name":"` + strings.Repeat(`,[{\",`, 6000) + `"}`, "fields", 0},
		"unknown in a list":   {`{"name":"Jo","lines":[` + strings.Repeat(`{"`+strings.Repeat("z", 50)+`":1},`, 1000) + `{}]}`, "fields", -1},
		"deep lists":          {strings.Repeat("[", 60_000), "not-json", 0},
		"deep objects":        {strings.Repeat(`{"lines":`, 3000), "not-json", 0},
		"deep, and closed":    {`{"name":"Jo","lines":` + strings.Repeat("[", 3000) + strings.Repeat("]", 3000) + `}`, "fields", 0},
		"an endless number":   {`{"name":"Jo","count":` + strings.Repeat("9", 60_000) + `}`, "not-json", 0},
		"an endless text":     {`{"name":"` + strings.Repeat("x", 60_000) + `"}`, "fields", 0},
		"the same key always": {`{"name":"x"` + strings.Repeat(`,"z":0`, 3000) + `}`, "name-twice", 0},
	} {
		a := c.Post("/api/form", x.body)
		var p httpx.Problem
		a.JSON(&p)
		if a.Status >= 500 || p.Code != x.code {
			t.Errorf("%s: %d %s", name, a.Status, p.Code)
		}
		if len(a.Body) > most {
			t.Errorf("%s: %d bytes are answered with %d", name, len(x.body), len(a.Body))
		}
		if x.more >= 0 && p.More != x.more || x.more < 0 && p.More == 0 {
			t.Errorf("%s: %d listed, %d more, want %d more", name, len(p.Fields), p.More, x.more)
		}
		for _, f := range p.Fields {
			seen(t, name, f)
		}
	}
}

// TestBody_OneNameOneValue (issue 9, C7): the schema checks what the program reads. A name in another
// case, or twice at any depth, is refused, whichever of the values is good.
func TestBody_OneNameOneValue(t *testing.T) {
	_, c := lite(t)
	for body, want := range map[string]string{
		`{"name":"Jo"}`: "",
		`{"name":"Jo","lines":[{"dose":"1"},{"dose":"1"}]}`: "",
		`{"name":"Jo","NAME":"longer than ten signs"}`:      "fields",
		`{"NAME":"longer than ten signs","name":"Jo"}`:      "fields",
		`{"Name":"Jo"}`:                                               "fields",
		`{"name":"Jo","lineſ":[]}`:                                    "fields",
		`{"name":"Jo","name":"longer than ten signs"}`:                "name-twice",
		`{"name":"longer than ten signs","name":"Jo"}`:                "name-twice",
		`{"name":"Jo","na\u006de":"longer than ten signs"}`:           "name-twice",
		`{"name":"Jo","lines":[{"dose":"1"},{"dose":"1","dose":""}]}`: "name-twice",
		`{"name":"Jo","lines":[{"dose":"1","DOSE":""}]}`:              "fields",
		`{"name":"Jo","day":"2026-03-10","kind":"a","kind":"c"}`:      "name-twice",
	} {
		var p httpx.Problem
		a := c.Post("/api/form", body)
		if a.Status >= 400 {
			a.JSON(&p)
		}
		if a.Status >= 500 || p.Code != want {
			t.Errorf("%s: %d %q, want %q", body, a.Status, p.Code, want)
		}
	}
}

// seen checks that the name of a field is short and can be read.
func seen(t *testing.T, what string, f httpx.ProblemField) {
	t.Helper()
	if len(f.Name) > 130 || !utf8.ValidString(f.Name) || strings.ContainsFunc(f.Name, func(r rune) bool { return r == utf8.RuneError || !unicode.IsGraphic(r) }) {
		t.Errorf("%s: a field is named %q", what, f.Name)
	}
}

// TestProblem_OwnFieldsBounded is the same for what services refuse: names, and
// values inside texts.
func TestProblem_OwnFieldsBounded(t *testing.T) {
	s, c := lite(t)
	s.refuse(&fault.Error{Kind: fault.Invalid, Code: "fields", Fields: []fault.Field{
		{Name: strings.Repeat("é", 300), Code: "sign-not-printable", Args: map[string]string{"signs": "a\x00\u202e" + strings.Repeat("é", 40_000)}},
	}})
	p := c.Get("/api/refused").Problem(422, "fields")
	if d := p.Fields[0].Detail; len(d) > 600 || !strings.Contains(d, " : aéé") || !strings.Contains(d, "é… ") && !strings.Contains(d, "é…. ") {
		t.Errorf("the text of a field: %d bytes, %q", len(d), d)
	}
	seen(t, "a name of our own", p.Fields[0])
	var many []fault.Field
	for i := range 3000 {
		many = append(many, fault.Field{Name: fmt.Sprintf("lines[%d].name", i), Code: "sign-not-printable", Args: map[string]string{"signs": strings.Repeat("x", 300)}})
	}
	s.refuse(&fault.Error{Kind: fault.Invalid, Code: "fields", Fields: many})
	a := c.Get("/api/refused")
	if p := a.Problem(422, "fields"); len(a.Body) > most || len(p.Fields) < 10 || len(p.Fields)+p.More != len(many) {
		t.Errorf("%d bytes, %d fields, %d more", len(a.Body), len(p.Fields), p.More)
	}
	s.refuse(fault.New(fault.Throttled, "throttled").With("seconds", strings.Repeat("9", 40_000)))
	if a := c.Get("/api/refused", testkit.English()); len(a.Body) > most {
		t.Errorf("a value makes %d bytes", len(a.Body))
	}
}
