package config

import (
	"strings"
	"testing"
)

func TestHosts(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "",
		"rdv.example":                      "rdv.example",
		" RDV.Example:8443 , cabine:* ":    "rdv.example:8443 cabine:*",
		"192.168.1.10,[fd00::1]:443,[::1]": "192.168.1.10 [fd00::1]:443 [::1]",
		"*":                                "refused",
		"*.example":                        "refused",
		"https://rdv.example":              "refused",
		"rdv.example/":                     "refused",
		"rdv.example.":                     "refused",
		".example":                         "refused",
		"rdv.example:0":                    "refused",
		"rdv.example:65536":                "refused",
		"rdv.example:":                     "refused",
		"fd00::1":                          "refused",
		"[fe80::1%eth0]":                   "refused",
		"rdv example":                      "refused",
		"clinique-é.example":               "refused",
		"me@rdv.example":                   "refused",
	} {
		t.Setenv("VISAVIS_HOSTS", text)
		c, err := parse(t)
		switch {
		case want == "refused":
			if err == nil || !strings.Contains(err.Error(), "VISAVIS_HOSTS") || !strings.Contains(err.Error(), "is no host") {
				t.Errorf("%q: %v %v", text, c.Hosts, err)
			}
		case err != nil || strings.Join(c.Hosts, " ") != want:
			t.Errorf("%q: %q %v", text, c.Hosts, err)
		}
	}
}
