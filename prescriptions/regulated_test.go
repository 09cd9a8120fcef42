package prescriptions_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/cda"
	"visavis/internal/testkit"
	"visavis/prescriptions"
)

// TestRegulated_HTTP: with the sample alone a doctor finds Xanax, is refused it by hand, writes it as a structured line, is
// held to 12 weeks, and signs; the sheet and the document name the same medicine and its common denomination.
func TestRegulated_HTTP(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(t, h)
		texts, err := prescriptions.Texts()
		if err != nil {
			t.Fatal(err)
		}
		s := h.Server(t, testkit.Actors{"claire": {Role: care.Doctor, StaffID: claire, OrganizationID: clinic, SessionID: "s1", Level: authz.LevelPSC, SignsUntil: testkit.Morning().Add(time.Hour)}}, texts)
		prescriptions.Routes(s, svc)
		me := testkit.HTTP(t, s.Handler()).Held(s).With("claire")
		type medicine struct{ CIS, Name, INN, Regulated string }
		var found struct{ Items []medicine }
		for _, q := range []string{"xanax", "alpraz"} {
			me.Get("/api/medicines?q=" + q).Want(200).JSON(&found)
			if i := len(found.Items) - 1; i < 0 || found.Items[i] != (medicine{"", "XANAX", "alprazolam", "XANAX"}) {
				t.Fatalf("%s: %+v", q, found)
			}
		}
		var p struct {
			ID, ETag string
			Lines    []prescriptions.Line
			Warnings []struct {
				Name, Code, Detail string
				Refused            bool
				Options            []medicine
			}
		}
		me.Post("/api/encounters/"+string(encounter)+"/prescriptions", map[string]any{"category": "medicines"}).Want(201).JSON(&p)
		one := "/api/prescriptions/" + p.ID
		write := func(line map[string]any) {
			t.Helper()
			for k, v := range map[string]any{"dose": "1 comprimé", "frequency": "le soir"} {
				line[k] = v
			}
			me.Put(one, map[string]any{"lines": []any{line}}, testkit.Match(p.ETag)).Want(200).JSON(&p)
		}
		sign := func() *testkit.Answer { return me.Post(one+"/sign", map[string]any{}, testkit.Match(p.ETag)) }
		write(map[string]any{"name": "Xanax 0,25 mg", "inn": "alprazolam", "notRestricted": true, "durationDays": 28})
		if len(p.Warnings) != 1 || !p.Warnings[0].Refused || p.Warnings[0].Code != "choose-restricted" || len(p.Warnings[0].Options) != 1 || p.Warnings[0].Options[0].Regulated != "XANAX" {
			t.Fatalf("%+v", p.Warnings)
		}
		sign().Fields("lines[0].name choose-restricted")
		line := func(days, renewals int) map[string]any {
			return map[string]any{"regulated": "XANAX", "name": "Skenan", "inn": "morphine", "strength": "0,25 mg", "form": "comprimé sécable", "durationDays": days, "renewals": renewals, "quantity": 3}
		}
		write(line(85, 0))
		sign().Fields("lines[0].durationDays duration-limited")
		write(line(28, 3))
		sign().Fields("lines[0].durationDays duration-limited")
		write(map[string]any{"regulated": "STILNOX", "name": "x", "strength": "10 mg", "form": "comprimé", "durationDays": 7, "inn": "zolpidem"})
		sign().Fields("lines[0].name regulated-unknown")
		write(line(84, 0))
		sign().Want(201)
		f := w.filed[0]
		const name = "XANAX 0,25 mg, comprimé sécable"
		if text := pdfText(t, f.PDF); !strings.Contains(text, name) || !strings.Contains(text, "alprazolam") || strings.Contains(text, "Skenan") || strings.Contains(text, "morphine") {
			t.Errorf("the sheet: %s", text)
		}
		for _, want := range []string{"<name>" + name + "</name>", "<pharm:name>alprazolam</pharm:name>", `<code nullFlavor="NA">`, `<repeatNumber value="0">`} {
			if !bytes.Contains(f.CDA, []byte(want)) {
				t.Errorf("%s is not in the document", want)
			}
		}
		if wrong := cda.CheckDocument(f.CDA); len(wrong) > 0 {
			t.Errorf("the document: %v", wrong)
		}
		me.Post(one+"/replace", map[string]any{}).Want(201).JSON(&p)
		if len(p.Lines) != 1 || p.Lines[0].Regulated != "XANAX" || p.Lines[0].Name != name || p.Lines[0].Strength != "0,25 mg" {
			t.Errorf("the next version: %+v", p.Lines)
		}
	})
}
