package main

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"visavis/internal/clock"
	"visavis/internal/config"
	"visavis/internal/telemetry"
	"visavis/internal/testkit"
)

// TestMedicines_UpdateCommand: the command fetches the real files over HTTPS with the authority of a setting, what serves
// has them, and check says so; a certificate of nobody is refused.
func TestMedicines_UpdateCommand(t *testing.T) {
	dir := testkit.BDPM(t)
	site := httptest.NewTLSServer(http.StripPrefix("/download/file/", http.FileServer(http.Dir(dir))))
	defer site.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: site.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := &config.Config{DataDir: t.TempDir(), Zone: "Europe/Paris", BDPM: config.BDPM{URL: site.URL + "/download/file/", OldAfter: 30, DaysApart: 10000}}
	log := telemetry.NewLog(t.Output(), false)
	if err := tryMedicines(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "only the sample") {
		t.Errorf("check before: %v", err)
	}
	if err := (medicinesUpdateCmd{}).Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate of nobody: %v", err)
	}
	cfg.BDPM.CA = ca
	before, err := openMedicines(cfg, clock.System{}, log)
	if err != nil || !before.Base.Edition().Sample {
		t.Fatalf("%v", err)
	}
	if err := (medicinesUpdateCmd{}).Run(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	before.Look(t.Context())
	after, err := openMedicines(cfg, clock.System{}, log)
	if err != nil {
		t.Fatal(err)
	}
	e := after.Base.Edition()
	if e.Sample || e.Count != 13613 || e != before.Base.Edition() {
		t.Errorf("after a restart %+v, without %+v", e, before.Base.Edition())
	}
	switch err := tryMedicines(t.Context(), cfg); {
	case time.Since(e.On) > 31*24*time.Hour && (err == nil || !strings.Contains(err.Error(), "days old")):
		t.Errorf("check of an old base: %v", err)
	case time.Since(e.On) < 29*24*time.Hour && err != nil:
		t.Errorf("check: %v", err)
	}
}
