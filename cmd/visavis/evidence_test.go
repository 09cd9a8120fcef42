package main

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"visavis/consent"
	"visavis/consent/entitlement"
	"visavis/internal/care"
	"visavis/internal/testkit"
)

// TestAConsentIsProvenWithoutThePlatform is B8 through the program: a patient
// agrees while the authority is down and goes on; the stamp comes by itself
// when it is back; the proof, downloaded, is checked by a program that has
// public keys only, and refused when one byte is changed (S16).
func TestAConsentIsProvenWithoutThePlatform(t *testing.T) {
	t.Parallel()
	r := newRig(t, "", "")
	fault := func(name string) {
		resp, err := http.PostForm(r.sim("tsa")+"/control", url.Values{"fault": {name}})
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatal(resp, err)
		}
	}
	fault("down")
	patient := r.patient(0)
	var me struct{ AppointmentID string }
	patient.Get("/api/me").Want(200).JSON(&me)
	var text struct{ ID, SHA256 string }
	patient.Get("/api/consent-texts?purpose=teleconsultation").Want(200).JSON(&text)
	path := "/api/appointments/" + me.AppointmentID + "/consent"
	patient.Post(path, map[string]any{"textId": text.ID, "sha256": text.SHA256, "decision": "granted", "channel": "web"}).Want(201)
	var state struct {
		Status string
		Record struct {
			ID    string
			Stamp struct{ State, Reason string }
		}
	}
	read := func(want string) bool {
		patient.Get(path).Want(200).JSON(&state)
		return state.Status == "granted" && state.Record.Stamp.State == want
	}
	testkit.Eventually(t, 20*time.Second, "the failure is seen", func() bool { return read("retrying") })
	if state.Record.Stamp.Reason != "unreachable" {
		t.Errorf("%+v", state)
	}
	fault("none")
	testkit.Eventually(t, 60*time.Second, "the stamp came", func() bool { return read("stamped") })
	mine := "/api/consents/" + state.Record.ID
	if pdf := patient.Get(mine + "/receipt").Want(200).Body; !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		t.Error("the receipt is no PDF")
	}
	dir := t.TempDir()
	file := func(name string, raw []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	raw := patient.Get(mine + "/proof").Want(200).Body
	proof, key := file("proof.json", raw), file("key.json", r.client().Get("/api/consent-key").Want(200).Body)
	ca, err := os.ReadFile(filepath.Join(r.dir, "simulators", "tsa", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := file("ca.pem", ca)
	r.kill()
	// From here on, nothing of the platform: another folder, no database.
	r.env = []string{asMain + "=1", "VISAVIS_DATA=" + filepath.Join(dir, "nowhere")}
	out, err := r.command("verify", "--consent", proof, "--key", key, "--tsa-ca", roots).CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "genuine: granted, on ") || !strings.Contains(string(out), "\ndecided by: the patient\nchannel: web, pressed on the page in the session below\n") || !strings.Contains(string(out), "time-stamped ") {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("visavis verify --consent:\n%s", out)
	opensslAlone(t, raw, proof, key, roots)
	if _, err := os.Stat(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("checking a proof made a data folder")
	}
	for what, args := range map[string][]string{
		"no key":     {"--consent", proof, "--tsa-ca", roots},
		"no roots":   {"--consent", proof, "--key", key},
		"not a key":  {"--consent", proof, "--key", roots, "--tsa-ca", roots},
		"another CA": {"--consent", proof, "--key", key, "--tsa-ca", key},
		"one byte":   {"--consent", file("forged.json", bytes.Replace(raw, []byte(`"granted"`), []byte(`"refused"`), 1)), "--key", key, "--tsa-ca", roots},
	} {
		out, err := r.command(append([]string{"verify"}, args...)...).CombinedOutput()
		if err == nil || strings.HasPrefix(string(out), "genuine") {
			t.Errorf("%s: accepted\n%s", what, out)
		}
	}
}

// opensslAlone runs the commands of docs/crypto.md as they stand there, on a proof
// and on one whose decision was changed.
func opensslAlone(t *testing.T, raw []byte, files ...string) {
	t.Helper()
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "crypto.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(doc), "## Proof of a consent\n")
	_, rest, found := strings.Cut(section, "```sh\n")
	commands, _, ended := strings.Cut(rest, "```")
	if !found || !ended {
		t.Fatal("docs/crypto.md has no commands")
	}
	check := func(proof []byte) (string, error) {
		dir := t.TempDir()
		for i, name := range []string{"proof.json", "key.json", "roots.pem"} {
			b, err := os.ReadFile(files[i])
			if err != nil {
				t.Fatal(err)
			}
			if name == "proof.json" {
				b = proof
			}
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		c := exec.Command("sh", "-e", "-c", commands)
		c.Dir = dir
		out, err := c.CombinedOutput()
		return string(out), err
	}
	out, err := check(raw)
	if err != nil || !strings.Contains(out, "Signature Verified Successfully") || !strings.Contains(out, "Verification: OK") || !strings.Contains(out, "Time stamp: ") {
		t.Errorf("openssl alone: %v\n%s", err, out)
	}
	t.Logf("openssl alone:\n%s", out)
	for what, forged := range map[string][]byte{
		"another decision": bytes.Replace(raw, []byte(`"decision":"granted"`), []byte(`"decision":"refused"`), 1),
		"another stamp":    bytes.Replace(raw, []byte(`"token":"MII`), []byte(`"token":"MIJ`), 1),
	} {
		if out, err := check(forged); err == nil || bytes.Equal(forged, raw) {
			t.Errorf("openssl takes %s:\n%s", what, out)
		}
	}
}

// TestVerifyConsent_WhoDecided: a third party reads who decided, by which way and
// who attests it; an agreement that a professional attested is never said to have
// been given by the patient's own hand.
func TestVerifyConsent_WhoDecided(t *testing.T) {
	patient := consent.BundlePatient{ID: "p", Name: "Léa MOREAU"}
	minor := consent.BundlePatient{ID: "p", Name: "Léa MOREAU", Minor: true}
	doctor := consent.BundleActor{Role: care.Doctor, ID: "s", Name: "Dr Claire MARTIN", Level: "psc", Proof: "psc eidas1"}
	link := consent.BundleActor{Role: care.Patient, ID: "p", Level: "link", Proof: "link"}
	mother := &consent.BundleAgent{Name: "Julie MOREAU", Relation: consent.Mother}
	onFile := &consent.BundleAgent{Name: "Julie MOREAU", Relation: consent.Mother, Proof: entitlement.OnFile}
	seen := &consent.BundleAgent{Name: "Ana RUIZ", Relation: consent.ChosenAdult, Proof: entitlement.Attested, Document: entitlement.Passport}
	urgent := &consent.BundleEmergency{Situation: "unable", Source: "CSP L1111-4", Reason: "Inconscient,\nsigned by key 0."}
	for name, c := range map[string]struct {
		b    consent.Bundle
		want string
	}{
		"the patient's own click": {consent.Bundle{Patient: patient, Channel: consent.Web, Actor: link},
			"patient: Léa MOREAU|decided by: the patient|channel: web, pressed on the page in the session below|session of: patient p|sign-in: link, link"},
		"aloud": {consent.Bundle{Patient: patient, Channel: consent.Oral, Actor: doctor},
			"patient: Léa MOREAU|decided by: the patient|channel: oral, said aloud; nothing was pressed by the patient|attested by: Dr Claire MARTIN, doctor s|sign-in: psc, psc eidas1"},
		"aloud, by a mother": {consent.Bundle{Patient: minor, Channel: consent.Oral, Actor: doctor, Agent: mother},
			"patient: Léa MOREAU, a minor|decided by: Julie MOREAU (mother), for the patient|representative known by: not told by a record of this shape|channel: oral, said aloud; nothing was pressed by the patient|attested by: Dr Claire MARTIN, doctor s|sign-in: psc, psc eidas1"},
		"a representative": {consent.Bundle{Patient: minor, Channel: consent.Representative, Actor: link, Agent: onFile},
			"patient: Léa MOREAU, a minor|decided by: Julie MOREAU (mother), for the patient|representative known by: a code sent to their contact on the patient's file|channel: representative, pressed on the page in the session below|session of: patient p|sign-in: link, link"},
		"secrecy, with an adult of their choice": {consent.Bundle{Patient: minor, Channel: consent.Oral, Actor: doctor, Agent: seen, Ground: entitlement.Secrecy},
			"patient: Léa MOREAU, a minor|decided by: Ana RUIZ (chosen-adult), for the patient|representative known by: an identity document that the professional attests to have seen: passport|channel: oral, said aloud; nothing was pressed by the patient|attested by: Dr Claire MARTIN, doctor s|ground: secrecy asked for by the minor, the holders of parental authority are not told (CSP L1111-5)|sign-in: psc, psc eidas1"},
		"contraception": {consent.Bundle{Patient: minor, Channel: consent.Oral, Actor: doctor, Ground: entitlement.Contraception},
			"patient: Léa MOREAU, a minor|decided by: the patient|channel: oral, said aloud; nothing was pressed by the patient|attested by: Dr Claire MARTIN, doctor s|ground: contraception of a minor, the holders of parental authority are not told (CSP L5134-1)|sign-in: psc, psc eidas1"},
		"an emergency": {consent.Bundle{Patient: patient, Channel: consent.Emergency, Actor: doctor, Emergency: urgent},
			"patient: Léa MOREAU|decided by: nobody agreed; care began in an emergency|channel: emergency, no agreement was asked for or it could not be|attested by: Dr Claire MARTIN, doctor s|situation: unable (CSP L1111-4)|reason given by the doctor: Inconscient, signed by key 0.|sign-in: psc, psc eidas1"},
		"a way not known yet": {consent.Bundle{Patient: patient, Channel: "paper", Actor: doctor},
			"patient: Léa MOREAU|decided by: the patient|channel: paper|session of: Dr Claire MARTIN, doctor s|sign-in: psc, psc eidas1"},
	} {
		if got := strings.Join(decidedBy(c.b), "|"); got != c.want {
			t.Errorf("%s:\n%s, want\n%s", name, got, c.want)
		}
	}
}
