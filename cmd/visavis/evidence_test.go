package main

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
	if err != nil || !strings.HasPrefix(string(out), "genuine: granted by ") || !strings.Contains(string(out), "time-stamped ") {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("visavis verify --consent:\n%s", out)
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
