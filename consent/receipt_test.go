package consent

import (
	"bytes"
	"crypto/ed25519"
	"encoding/xml"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/testkit"

	"pgregory.net/rapid"
)

// printed reads a PDF with a tool we did not write.
func printed(t *testing.T, pdf []byte) string {
	t.Helper()
	cmd := exec.Command("pdftotext", "-layout", "-", "-")
	cmd.Stdin = bytes.NewReader(pdf)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(out)), " ")
}

func wantPrinted(t *testing.T, pdf []byte, wants ...string) {
	t.Helper()
	got := printed(t, pdf)
	for _, w := range wants {
		if !strings.Contains(got, w) {
			t.Errorf("%q is not printed in:\n%s", w, got)
		}
	}
}

func TestReceiptSaysEverything(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		me := testkit.As(patient(child, minorAct))
		d := s.decision(care.ConsentGranted, Representative)
		d.AppointmentID = minorAct
		r := s.mustDecide(t, me, d)
		pdf, at, err := s.Receipt(me, r.ID, care.French)
		if err != nil || !at.Equal(r.At) {
			t.Fatal(err)
		}
		wantPrinted(t, pdf, "Reçu de consentement", "Accord donné", "Léa Moreau, mineur", "Rose Moreau, mère", "Un code envoyé au contact inscrit au dossier", "Par son représentant", "10 mars 2026",
			"2026-03-10 08:00:00 UTC", "Dr Claire MARTIN, Maison médicale des Lilas", "teleconsultation.v2.fr, version 2", r.SHA256[:32], r.SHA256[32:],
			r.Hash[:32], s.Signer.KeyID(), "aucune autorité d'horodatage", codeOf(r.Hash), "https://visavis.test/accord#"+codeOf(r.Hash),
			"La consultation n'est pas enregistrée : ni l'image, ni le son.", "Mal dans la poitrine")
		_, _ = withAuthority(t, h, s)
		if pdf, _, err = s.Receipt(me, r.ID, care.English); err != nil {
			t.Fatal(err)
		}
		wantPrinted(t, pdf, "Consent receipt", "Agreement given", "asked for, not received yet", "La consultation n'est pas enregistrée") // the text as it was read
		if err := s.Stamp(me, r.ID); err != nil {
			t.Fatal(err)
		}
		h.Clock.Advance(time.Minute)
		if _, err := s.Withdraw(me, minorAct, Screen{}); err != nil {
			t.Fatal(err)
		}
		if pdf, _, err = s.Receipt(me, r.ID, care.French); err != nil {
			t.Fatal(err)
		}
		wantPrinted(t, pdf, "Accord donné", "accord retiré. Ce reçu ne dit pas la dernière décision.", "visavis simulated TSA")
	})
}

func TestReceiptOfAnOralRecord(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		nurse := testkit.As(staff(care.Nurse, benali))
		r := s.mustDecide(t, nurse, s.decision(care.ConsentRefused, Oral))
		pdf, _, err := s.Receipt(nurse, r.ID, care.French)
		if err != nil {
			t.Fatal(err)
		}
		wantPrinted(t, pdf, "Refus", "De vive voix, attesté par Nadia BENALI", "Zoé Dû-Mazerolles")
	})
}

// TestReceiptOfAnOldRecord: records of the first shape keep their receipt and
// their proof.
func TestReceiptOfAnOldRecord(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		raw := []byte(`{"actor":{"id":"p","level":"link","proof":"link","role":"patient"},"appointmentId":"a","at":"2026-01-05T09:00:00.000000Z","channel":"web","decision":"granted","id":"c","organizationId":"o","patient":{"id":"p","minor":false,"name":"Zoé"},"practitionerId":"s","previous":"","schema":"visavis.consent/1","screen":{"language":"fr","userAgent":""},"sequence":1,"text":{"id":"t","language":"fr","purpose":"teleconsultation","sha256":"00","version":1}}`)
		jws, err := sign(s.Signer, raw)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Verify(raw, jws, s.Signer.Private().Public().(ed25519.PublicKey))
		if err != nil {
			t.Fatal(err)
		}
		if again, err := canonical(b); err != nil || !bytes.Equal(again, raw) {
			t.Errorf("the first shape is not written as it was:\n%s\n%s", raw, again)
		}
		b.Schema = schema2
		second, err := canonical(b)
		if err != nil {
			t.Fatal(err)
		}
		if jws, err = sign(s.Signer, second); err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(second, jws, s.Signer.Private().Public().(ed25519.PublicKey)); !errors.Is(err, ErrNotGenuine) {
			t.Errorf("a second shape without its fields: %v", err)
		}
		me := testkit.As(patient(zoe, anAct))
		r := s.mustDecide(t, me, s.decision(care.ConsentGranted, Web))
		o, err := s.open(me, r.ID, "consent.read")
		if err != nil {
			t.Fatal(err)
		}
		o.bundle.ActStart = ""
		if at, err := s.start(me, o); err != nil || !at.Equal(testkit.Morning().Add(time.Hour)) {
			t.Errorf("%s, %v", at, err)
		}
	})
}

// TestTheSheetHasEveryWord: what is printed of a released text is that text,
// word for word.
func TestTheSheetHasEveryWord(t *testing.T) {
	l, err := LoadLibrary()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range l.texts {
		got, err := blocks(text.HTML)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		kinds := map[string]int{}
		for _, b := range got {
			all = append(all, b.Text)
			kinds[string(b.Kind)]++
		}
		if a, b := strings.Fields(strings.Join(all, " ")), strings.Fields(wordsOf(t, text.HTML)); strings.Join(a, " ") != strings.Join(b, " ") {
			t.Errorf("%s:\n%v\n%v", text.ID, a, b)
		}
		if kinds["title"] != 1 || kinds["heading"] < 4 || kinds["item"] < 8 || kinds["paragraph"] < 2 {
			t.Errorf("%s: %v", text.ID, kinds)
		}
	}
	odd, err := blocks("<ul><li><p>one &amp; <strong>two</strong></p><p>three</p></li></ul>tail<br/>")
	if err != nil || len(odd) != 3 || odd[0].Kind != "item" || odd[0].Text != "one & two" || odd[2].Text != "tail" {
		t.Errorf("%+v, %v", odd, err)
	}
}

func wordsOf(t *testing.T, html string) string {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader("<x>" + strings.ReplaceAll(html, "><", "> <") + "</x>"))
	var out strings.Builder
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return out.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := token.(xml.CharData); ok {
			out.Write(c)
		}
	}
}

func TestCodes(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		h := hash(rapid.SliceOf(rapid.Byte()).Draw(r, "content"))
		code := codeOf(h)
		typed := strings.NewReplacer("-", rapid.SampledFrom([]string{"-", " ", ""}).Draw(r, "sep"), "0", "o", "1", rapid.SampledFrom([]string{"i", "L", "1"}).Draw(r, "one")).Replace(strings.ToLower(code))
		if len(code) != 19 || prefixOf(typed) != h[:20] {
			r.Fatalf("%s %s %s", h, code, typed)
		}
	})
	for _, bad := range []string{"", "AAAA", "AAAA-AAAA-AAAA-AAAU", strings.Repeat("A", 40), "été"} {
		if p := prefixOf(bad); p != "" {
			t.Errorf("%q is read as %s", bad, p)
		}
	}
	if codeOf("zz") != "" || codeOf("00") != "" {
		t.Error("a code of no hash")
	}
}

func TestAReceiptIsCheckedByItsCode(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		me := testkit.As(patient(zoe, anAct))
		r := s.mustDecide(t, me, s.decision(care.ConsentGranted, Web))
		h.Clock.Advance(time.Minute)
		gone, err := s.Withdraw(me, anAct, Screen{})
		if err != nil {
			t.Fatal(err)
		}
		c, err := s.Check(t.Context(), strings.ToLower(codeOf(r.Hash)))
		if err != nil || c.ID != r.ID || c.State != care.ConsentGranted || c.Last != care.ConsentWithdrawn || !c.LastAt.Equal(gone.At) || c.Stamp.State != StampOff {
			t.Errorf("%+v, %v", c, err)
		}
		for _, code := range []string{"", "0000-0000-0000-0000", codeOf(hash([]byte("x")))} {
			if _, err := s.Check(t.Context(), code); fault.KindOf(err) != fault.NotFound {
				t.Errorf("%q: %v", code, err)
			}
		}
	})
}
