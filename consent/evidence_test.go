package consent

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/seal"
	"visavis/internal/store"
	"visavis/internal/testkit"
	"visavis/simulators/tsa"

	"pgregory.net/rapid"
)

// proven makes two stamped records of one act and gives their evidence.
func proven(t *testing.T, h *testkit.House) (s *Service, documents [][]byte, roots *x509.CertPool) {
	t.Helper()
	s, _ = newService(t, h)
	_, roots = withAuthority(t, h, s)
	me := testkit.As(patient(zoe, anAct))
	granted := s.mustDecide(t, me, s.decision(care.ConsentGranted, Web))
	h.Clock.Advance(time.Minute)
	gone, err := s.Withdraw(me, anAct, Screen{})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []care.ConsentID{granted.ID, gone.ID} {
		if err := s.Stamp(me, id); err != nil {
			t.Fatal(err)
		}
		raw, _, err := s.Prove(me, id)
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, raw)
	}
	return s, documents, roots
}

// TestEvidenceVerifiesOffline is S16: a genuine document is accepted with
// public keys only, and of 500 mutations every one is refused.
func TestEvidenceVerifiesOffline(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, documents, roots := proven(t, h)
		key := s.PublicKey()
		for i, raw := range documents {
			v, err := VerifyEvidence(raw, key, roots)
			if err != nil {
				t.Fatal(err)
			}
			want := []care.ConsentState{care.ConsentGranted, care.ConsentWithdrawn}[i]
			if v.Bundle.Decision != want || v.Bundle.Patient.Name != "Zoé Dû-Mazerolles" || v.Stamp == nil || v.Logged.IsZero() || v.Bundle.PractitionerName != "Dr Claire MARTIN" {
				t.Errorf("%+v", v)
			}
		}
		if hash := hash(canonicalOf(t, documents[0], "bundle")); !strings.Contains(string(documents[1]), `"previous":"`+hash+`"`) {
			t.Error("the second record does not hold the hash of the first")
		}
		refused := 0
		for refused < 500 {
			rapid.Check(t, func(r *rapid.T) {
				forged := mutate(r, documents)
				if slices.ContainsFunc(documents, func(d []byte) bool { return bytes.Equal(d, forged) }) {
					return
				}
				if v, err := VerifyEvidence(forged, key, roots); !errors.Is(err, ErrNotGenuine) {
					r.Fatalf("accepted (%v): %+v\n%s", err, v, forged)
				}
				refused++
			})
		}
		t.Logf("%d mutations, all refused", refused)
	})
}

func canonicalOf(t *testing.T, document []byte, field string) []byte {
	t.Helper()
	var all map[string]json.RawMessage
	if err := json.Unmarshal(document, &all); err != nil {
		t.Fatal(err)
	}
	return all[field]
}

// mutate changes a document: any byte of the file, any value of it written
// again in canonical form, or a part of the other document in its place.
func mutate(r *rapid.T, documents [][]byte) []byte {
	raw := bytes.Clone(documents[rapid.IntRange(0, 1).Draw(r, "document")])
	at := rapid.IntRange(0, len(raw)-1).Draw(r, "at")
	switch rapid.IntRange(0, 5).Draw(r, "how") {
	case 0:
		raw[at] ^= byte(rapid.IntRange(1, 255).Draw(r, "by"))
		return raw
	case 1:
		return slices.Delete(raw, at, min(len(raw), at+rapid.IntRange(1, 40).Draw(r, "cut")))
	case 2:
		return slices.Insert(raw, at, []byte(rapid.SampledFrom([]string{" ", "0", "A", "\"", "\\u0041", "\n", "{}"}).Draw(r, "what"))...)
	case 3: // a part of the other document
		var a, b map[string]any
		decode(r, documents[0], &a)
		decode(r, documents[1], &b)
		part := rapid.SampledFrom([]string{"bundle", "jws", "token", "audit"}).Draw(r, "part")
		a[part] = b[part]
		return encode(r, a)
	}
	var tree any
	decode(r, raw, &tree)
	return encode(r, change(r, tree))
}

func decode(r *rapid.T, raw []byte, out any) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(out); err != nil {
		r.Fatal(err)
	}
}

func encode(r *rapid.T, v any) []byte {
	raw, err := canonical(v)
	if err != nil {
		r.Fatal(err)
	}
	return raw
}

// change alters one value somewhere in a tree of JSON.
func change(r *rapid.T, v any) any {
	switch v := v.(type) {
	case map[string]any:
		k := rapid.SampledFrom(slices.Sorted(maps.Keys(v))).Draw(r, "key")
		if rapid.IntRange(0, 19).Draw(r, "drop") == 0 {
			delete(v, k)
		} else {
			v[k] = change(r, v[k])
		}
		return v
	case []any:
		if len(v) == 0 || rapid.IntRange(0, 9).Draw(r, "end") == 0 {
			return append(v, "more")
		}
		i := rapid.IntRange(0, len(v)-1).Draw(r, "index")
		v[i] = change(r, v[i])
		return v
	case string:
		if v == "" {
			return "x"
		}
		runes := []rune(v)
		i := rapid.IntRange(0, len(runes)-1).Draw(r, "rune")
		runes[i] = rapid.SampledFrom([]rune("0aAzZ9+/=-_ é")).Filter(func(c rune) bool { return c != runes[i] }).Draw(r, "to")
		return string(runes)
	case json.Number:
		return json.Number("1" + v.String())
	case bool:
		return !v
	}
	return "something"
}

// TestAnOperatorCannotChangeYesterday: who holds the signing key and signs
// another bundle has neither the stamp nor the place in the log for it.
func TestAnOperatorCannotChangeYesterday(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, documents, roots := proven(t, h)
		var e Evidence
		if err := json.Unmarshal(documents[0], &e); err != nil {
			t.Fatal(err)
		}
		e.Bundle = bytes.Replace(e.Bundle, []byte(`"granted"`), []byte(`"refused"`), 1)
		var err error
		if e.JWS, err = sign(s.Signer, e.Bundle); err != nil {
			t.Fatal(err)
		}
		raw, err := canonical(e)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := VerifyEvidence(raw, s.PublicKey(), roots); !errors.Is(err, ErrNotGenuine) || !strings.Contains(err.Error(), "imprint") {
			t.Errorf("a bundle signed later: %v", err)
		}
	})
}

func TestWhatEvidenceIsCheckedWith(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, documents, roots := proven(t, h)
		key := s.PublicKey()
		var m seal.Master
		m[0] = 1
		stranger := *s
		stranger.Signer = seal.NewSigner(m)
		for what, c := range map[string]struct {
			key   Key
			roots *x509.CertPool
			raw   []byte
		}{
			"another platform's key": {stranger.PublicKey(), roots, documents[0]},
			"no key":                 {Key{}, roots, documents[0]},
			"another log":            {key, roots, bytes.Replace(documents[0], []byte(`"log":"visavis.test"`), []byte(`"log":"visavis.tesu"`), 1)},
			"no roots":               {key, nil, documents[0]},
			"other roots":            {key, x509.NewCertPool(), documents[0]},
			"nothing":                {key, roots, nil},
			"another file":           {key, roots, []byte(`{"schema":"other"}`)},
			"indented":               {key, roots, indented(t, documents[0])},
		} {
			if _, err := VerifyEvidence(c.raw, c.key, c.roots); !errors.Is(err, ErrNotGenuine) {
				t.Errorf("%s: %v", what, err)
			}
		}
		moved := key
		moved.Log = "new.clinic.test"
		if _, err := VerifyEvidence(documents[0], moved, roots); err != nil {
			t.Errorf("the key as published after the clinic's address changed: %v", err)
		}
	})
}

func indented(t *testing.T, raw []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", " "); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestEvidenceBeforeTheStamp: it is genuine, and says that it has no stamp; a
// stamp that is only tacked on is refused.
func TestEvidenceBeforeTheStamp(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		sim, roots := withAuthority(t, h, s)
		if err := sim.SetFault(tsa.Down); err != nil {
			t.Fatal(err)
		}
		doctor := testkit.As(staff(care.Doctor, martin))
		r := s.mustDecide(t, doctor, s.decision(care.ConsentGranted, Oral))
		raw, at, err := s.Prove(doctor, r.ID)
		if err != nil || !at.Equal(r.At) {
			t.Fatal(err)
		}
		v, err := VerifyEvidence(raw, s.PublicKey(), nil)
		if err != nil || v.Stamp != nil || v.Bundle.Channel != Oral || v.Bundle.Actor.Name != "Dr Claire MARTIN" {
			t.Fatalf("%+v, %v", v, err)
		}
		if err := sim.SetFault(tsa.None); err != nil {
			t.Fatal(err)
		}
		h.Clock.Advance(time.Minute)
		if err := s.Stamp(doctor, r.ID); err != nil {
			t.Fatal(err)
		}
		whole, _, err := s.Prove(doctor, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		var before, after Evidence
		if err := errors.Join(json.Unmarshal(raw, &before), json.Unmarshal(whole, &after)); err != nil {
			t.Fatal(err)
		}
		before.Token = after.Token
		tacked, err := canonical(before)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := VerifyEvidence(tacked, s.PublicKey(), roots); !errors.Is(err, ErrNotGenuine) {
			t.Errorf("%v", err)
		}
	})
}

// TestWhoMayProve walks the callers over the receipt and the evidence (S1).
func TestWhoMayProve(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		me := testkit.As(patient(zoe, anAct))
		r := s.mustDecide(t, me, s.decision(care.ConsentGranted, Web))
		elsewhere := staff(care.Secretary, leroy)
		elsewhere.OrganizationID = "0190dddd-0000-7000-8000-000000000002"
		for name, c := range map[string]struct {
			actor authz.Actor
			want  fault.Kind // Internal means allowed
		}{
			"the patient": {patient(zoe, anAct), 0}, "another patient": {patient(child, minorAct), fault.NotFound},
			"the patient, another link": {patient(zoe, otherAct), fault.NotFound}, "the doctor": {staff(care.Doctor, martin), 0},
			"another doctor": {staff(care.Doctor, dupre), fault.NotFound}, "the invited nurse": {staff(care.Nurse, benali), 0},
			"the secretary": {staff(care.Secretary, leroy), 0}, "a secretary elsewhere": {elsewhere, fault.NotFound},
			"a pharmacist": {staff(care.Pharmacist, dupre), fault.NotFound}, "nobody": {authz.Actor{}, fault.Unauthenticated},
		} {
			ctx := testkit.As(c.actor)
			_, _, proof := s.Prove(ctx, r.ID)
			_, _, receipt := s.Receipt(ctx, r.ID, care.French)
			for what, err := range map[string]error{"proof": proof, "receipt": receipt} {
				if (c.want == 0) != (err == nil) || err != nil && fault.KindOf(err) != c.want {
					t.Errorf("%s, %s: %v", name, what, err)
				}
			}
		}
		if _, _, err := s.Prove(me, "0190ffff-0000-7000-8000-000000000009"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("no record: %v", err)
		}
		err := h.DB.Read(me, func(ctx context.Context, tx *store.Tx) error {
			lines, err := h.Audit.About(ctx, tx, "consent/"+string(r.ID))
			n := map[authz.Action]int{}
			for _, l := range lines {
				n[l.Action]++
			}
			if n["consent.prove"] != 4 || n["consent.receipt"] != 4 || n["consent.grant"] != 1 {
				t.Errorf("audited: %v", n)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		if err := h.DB.Tx(me, func(ctx context.Context, tx *store.Tx) error { return h.Keeper.Shred(ctx, tx, zoe) }); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Prove(me, r.ID); fault.KindOf(err) != fault.Gone {
			t.Errorf("after destruction: %v", err)
		}
	})
}
