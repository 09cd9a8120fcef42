package signaling

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// Every text of every message refuses the signs that nobody types, and names its field. PostgreSQL cannot keep a
// NUL: it must not come as far as the database.
func TestCheck_ControlSigns(t *testing.T) {
	for _, base := range []string{
		`{"t":"hello","ticket":"x","tab":"x","client":"x","kept":{"session":"x","pc":1}}`, `{"t":"resume","session":"x"}`,
		`{"t":"offer","pc":1,"sdp":"x"}`, `{"t":"candidate","candidate":"x","mid":"x"}`, `{"t":"chat","id":"x","text":"x","to":"x"}`,
		`{"t":"admit","seat":"x"}`, `{"t":"remove","seat":"x","reason":"other"}`, `{"t":"hold","seats":["x"]}`, `{"t":"still","seat":"x"}`,
		`{"t":"still_answer","id":"x","state":"refused"}`, `{"t":"view","pc":1,"slots":[{"mid":"x","height":1}]}`,
	} {
		var m inbound
		if err := json.Unmarshal([]byte(base), &m); err != nil || m.check() != "" {
			t.Fatalf("%s: %v %q", base, err, m.check())
		}
		for i := range strings.Count(base, `"x"`) {
			for _, sign := range []string{`\u0000`, `\u0007`, `\u001b`, `\u007f`} {
				bad := replaceNth(base, `"x"`, `"a`+sign+`b"`, i)
				m := inbound{}
				if err := json.Unmarshal([]byte(bad), &m); err != nil {
					t.Fatal(err)
				}
				if m.check() == "" {
					t.Errorf("%s is taken", bad)
				}
			}
		}
	}
	for text, want := range map[string]string{"a\u202eb": "text", "a\u202db": "text", "a\nb\tc": "", "\u202a+33 6\u202c": "", "مرحبا": "", "👩🏽‍⚕️": ""} {
		m := inbound{T: "chat", ID: "1", Text: text}
		if got := m.check(); got != want {
			t.Errorf("%q: refused for %q, want %q", text, got, want)
		}
	}
	// A new text field is walked without being named here.
	if f, ok := reflect.TypeFor[inbound]().FieldByName("Text"); !ok || f.Tag.Get("printed") != "" {
		t.Error("a field with the tag printed is left to typography.Check, which nobody calls here")
	}
}

func replaceNth(s, old, with string, n int) string {
	parts := strings.Split(s, old)
	return strings.Join(parts[:n+1], old) + with + strings.Join(parts[n+1:], old)
}
