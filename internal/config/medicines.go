package config

import (
	"errors"
	"net/url"
	"strings"
)

// When the medicines database is fetched without being asked.
const (
	NightlyAuto = "auto" // once it was fetched by the command
	NightlyOn   = "on"
	NightlyOff  = "off"
)

// BDPM says where the public files of the medicines database come from.
type BDPM struct {
	URL       string `env:"VISAVIS_MEDICINES_URL" default:"https://base-donnees-publique.medicaments.gouv.fr/download/file/" help:"Address of the folder of the public files."`
	CA        string `env:"VISAVIS_MEDICINES_CA" type:"path" help:"Authorities that sign its certificate, PEM; those of the system when empty."`
	Nightly   string `env:"VISAVIS_MEDICINES_NIGHTLY" enum:"auto,on,off" default:"auto" help:"Fetch the files each night: on, off, or auto: once the command medicines update has fetched them a first time."`
	DaysApart int    `env:"VISAVIS_MEDICINES_DAYS_APART" default:"0" help:"By how many days the dates of the files may differ."`
	OldAfter  int    `env:"VISAVIS_MEDICINES_OLD_AFTER" default:"0" help:"After how many days the base counts as old, on the page of prescriptions, in check and in health; 0 for the rule of the program (internal/medicines/age.tsv)."`
}

func (b BDPM) check() error {
	u, err := url.Parse(b.URL)
	switch {
	case err != nil || u.Host == "" || u.User != nil || !strings.HasSuffix(u.Path, "/") || (u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname()))):
		return errors.New("medicines-url: must be https://host/folder/, with a slash at the end")
	case b.DaysApart < 0 || b.OldAfter < 0:
		return errors.New("medicines-days-apart, medicines-old-after: at least 0 days")
	}
	return nil
}
