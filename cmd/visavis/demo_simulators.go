package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"visavis/internal/config"
	"visavis/simulators/mail"
	"visavis/simulators/mail/pki"
	"visavis/simulators/psc"
	"visavis/simulators/sms"
	"visavis/simulators/tsa"
)

// simulators stand for what cannot be had on one machine: Pro Santé Connect,
// the MSSanté operator and an ordinary mail server, an SMS gateway, a
// time-stamping authority.
type simulators struct {
	psc  *psc.Server
	mail *mail.Server
	sms  *sms.Server
	tsa  *tsa.Server
}

// demoSecret authenticates the platform to the simulators of this machine.
const demoSecret = "demo-secret-of-the-simulators"

const demoBox = "plateforme@visavis.mssante.fr"

// startSimulators starts them on fixed loopback ports and offers them to cfg.
func startSimulators(ctx context.Context, cfg *config.Config, ports demoPorts, log *slog.Logger) (*simulators, error) {
	s := &simulators{}
	accounts, err := demoAccounts(cfg.Zone)
	if err != nil {
		return nil, err
	}
	s.psc, err = psc.Start(ctx, psc.Options{
		Addr: ports.psc, ClientID: cfg.PSC.ClientID, ClientSecret: demoSecret,
		RedirectURIs: []string{cfg.PublicURL + "/api/auth/psc/callback"}, LogoutURIs: []string{cfg.PublicURL + "/pro"}, Accounts: accounts, Log: log,
	})
	if err != nil {
		return nil, err
	}
	dir := simulatorFolder(cfg)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, errors.Join(err, s.close())
	}
	authority, err := pki.New("visavis demo authority", time.Now())
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.mail, err = mail.Start(ctx, mail.Options{
		SecureAddr: ports.mssante, PlainAddr: ports.mail, IMAPAddr: ports.imap, WebAddr: ports.mailWeb, Authority: authority, Log: log,
		Dir: filepath.Join(dir, "mail"),
	})
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	if s.sms, err = sms.Start(ctx, sms.Options{Addr: ports.sms, Secret: demoSecret, Log: log, Journal: filepath.Join(dir, "sms.jsonl")}); err != nil {
		return nil, errors.Join(err, s.close())
	}
	stamps := filepath.Join(cfg.DataDir, "simulators", "tsa")
	if s.tsa, err = tsa.Start(ctx, tsa.Options{Addr: ports.tsa, Dir: stamps, Log: log}); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, s.offer(cfg, authority)
}

// offer points cfg at the simulators, but for the outlets it names already.
func (s *simulators) offer(cfg *config.Config, authority *pki.Authority) error {
	if cfg.TSA.URL == "" {
		cfg.TSA.URL, cfg.TSA.CA = s.tsa.URL(), filepath.Join(cfg.DataDir, "simulators", "tsa", "ca.pem")
		if err := os.WriteFile(cfg.TSA.CA, s.tsa.RootPEM(), 0o600); err != nil {
			return errors.Join(err, s.close())
		}
	}
	cfg.PSC.Discovery, cfg.PSC.Secret = s.psc.DiscoveryURL(), demoSecret
	if cfg.Mail.Addr == "" {
		cfg.Mail.Addr, cfg.Mail.StartTLS = s.mail.PlainAddr(), false
	}
	if cfg.SMS.URL == "" {
		cfg.SMS.URL, cfg.SMS.Secret = s.sms.URL(), demoSecret
	}
	if cfg.MSSante.SMTP != "" {
		return nil
	}
	cfg.MSSante.SMTP, cfg.MSSante.IMAP, cfg.MSSante.Box = s.mail.SecureAddr(), s.mail.IMAPAddr(), demoBox
	return s.credentials(cfg, authority)
}

// credentials writes the client certificate of our mailbox, as an operator
// would hand it out.
func (s *simulators) credentials(cfg *config.Config, authority *pki.Authority) error {
	dir := simulatorFolder(cfg)
	pair, err := authority.Client(time.Now(), demoBox)
	if err != nil {
		return errors.Join(err, s.close())
	}
	chain, key, err := pki.Encode(pair)
	if err != nil {
		return errors.Join(err, s.close())
	}
	m := &cfg.MSSante
	m.ServerName = s.mail.Domain()
	m.Cert, m.Key, m.CA = filepath.Join(dir, "client.pem"), filepath.Join(dir, "client.key"), filepath.Join(dir, "ca.pem")
	err = errors.Join(os.WriteFile(m.Cert, chain, 0o600), os.WriteFile(m.Key, key, 0o600), os.WriteFile(m.CA, authority.PEM(), 0o600))
	if err != nil {
		return errors.Join(err, s.close())
	}
	return nil
}

func (s *simulators) close() error {
	var errs []error
	if s.tsa != nil {
		errs = append(errs, s.tsa.Close())
	}
	if s.sms != nil {
		errs = append(errs, s.sms.Close())
	}
	if s.mail != nil {
		errs = append(errs, s.mail.Close())
	}
	if s.psc != nil {
		errs = append(errs, s.psc.Close())
	}
	return errors.Join(errs...)
}

// demoPorts are where the simulators listen.
type demoPorts struct{ psc, mssante, mail, imap, mailWeb, sms, tsa string }

func (d demoCmd) ports() demoPorts {
	return demoPorts{psc: d.PSCAddr, mssante: d.MSSanteAddr, mail: d.MailAddr, imap: d.IMAPAddr, mailWeb: d.MailWeb, sms: d.SMSAddr, tsa: d.TSAAddr}
}

// demoAccounts lets everybody of the clinic file sign in, with every place where
// they work.
func demoAccounts(zone string) ([]psc.Account, error) {
	file, err := demoClinic(zone)
	if err != nil {
		return nil, err
	}
	words, err := ownTexts()
	if err != nil {
		return nil, err
	}
	var out []psc.Account
	for _, o := range file.Organizations {
		at := psc.Activity{Mode: "L", Sector: o.Sector, Kind: "GENR01", FINESS: o.FINESS, StructureID: "1" + o.FINESS, Name: o.Name,
			PostalCode: o.Address.PostalCode, CommuneCode: o.Address.CommuneCode}
		if o.Sector == "SA33" {
			at.PharmacySection = "A"
		}
		for _, p := range o.Staff {
			a := psc.Account{IdNat: p.Key(), GivenName: p.GivenName, FamilyName: p.FamilyName,
				Caption: words.T("fr", "demo."+p.Role, map[string]string{"site": o.Name})}
			if p.Profession != "" {
				e := psc.Exercice{Profession: p.Profession, Category: "C", KnowHow: p.Specialty, Activities: []psc.Activity{at}}
				if p.Specialty != "" {
					e.KnowHowType, e.Civility = "S", "DR"
				}
				a.Exercices = []psc.Exercice{e}
			}
			if i := slices.IndexFunc(out, func(b psc.Account) bool { return b.IdNat == a.IdNat }); i >= 0 {
				out[i].Exercices = append(out[i].Exercices, a.Exercices...)
				out[i].Caption += " · " + a.Caption
				continue
			}
			out = append(out, a)
		}
	}
	return out, nil
}

// simulatorFolder holds what the simulators keep: mailboxes, messages, the
// certificate of our mailbox.
func simulatorFolder(cfg *config.Config) string { return filepath.Join(cfg.DataDir, "simulators") }
