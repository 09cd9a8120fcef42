// Package config is the one struct that says how visavis runs. It is parsed
// once, from flags and the environment; a secret comes from the environment or
// from a file named by the same variable with _FILE, never from a flag.
package config

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Config holds every setting. The zero values plus Kong's defaults run the
// whole platform on one machine.
type Config struct {
	DataDir   string   `name:"data" env:"VISAVIS_DATA" default:"data" type:"path" help:"Folder of the database, the files and the keys."`
	Role      string   `env:"VISAVIS_ROLE" enum:"auto,app,media,all" default:"auto" help:"What this process does: app (pages, API, signalling), media (the calls), all, or auto: look after an app and a media of its own."`
	Listen    string   `env:"VISAVIS_LISTEN" default:"localhost:8080" help:"Address of the web server."`
	PublicURL string   `env:"VISAVIS_PUBLIC_URL" default:"http://localhost:8080" help:"Address people type, without a slash at the end."`
	Proxies   Networks `name:"trusted-proxies" env:"VISAVIS_TRUSTED_PROXIES" placeholder:"CIDR,…" help:"Networks of the proxies whose X-Forwarded-For and X-Forwarded-Proto are believed; nobody's when empty."`
	Hosts     Hosts    `env:"VISAVIS_HOSTS" placeholder:"HOST,…" help:"Further hosts the server answers to, beside that of the public address: host, host:port or host:* for any port. Others get 421."`
	Zone      string   `env:"VISAVIS_ZONE" default:"Europe/Paris" help:"Time zone of the organisation."`
	LogJSON   bool     `env:"VISAVIS_LOG_JSON" help:"Write the log as JSON lines."`
	KeyFile   string   `env:"VISAVIS_MASTER_KEY_FILE" help:"File of the master key; keys/master in the data folder when empty."`

	NewDatabase bool `env:"VISAVIS_NEW_DATABASE" help:"Begin an empty database with a master key that is there already. Without it a key whose database is missing is refused."`

	HeadsDir  string `name:"audit-heads" env:"VISAVIS_AUDIT_HEADS" type:"path" help:"Folder outside the database where signed heads of the audit log are kept within a minute; heads in the data folder when empty."`
	HeadsCopy string `name:"audit-heads-copy" env:"VISAVIS_AUDIT_HEADS_COPY" type:"path" help:"Second folder for the same heads, as a share of another machine or a folder that only appends; none when empty."`

	HeadsStamp time.Duration `name:"audit-heads-stamp" env:"VISAVIS_AUDIT_HEADS_STAMP" default:"1h" help:"How often at most the newest head is time-stamped, when there is a time-stamping authority; 0 for never."`

	DatabaseURL Secret `kong:"-"` // DATABASE_URL
	OwnerURL    Secret `kong:"-"` // DATABASE_OWNER_URL, of the role that owns the tables: migrations only
	RedisURL    Secret `kong:"-"` // REDIS_URL

	TLS       TLS           `embed:"" prefix:"tls-"`
	Media     Media         `embed:"" prefix:"media-"`
	Control   Control       `embed:"" prefix:"control-"`
	PSC       PSC           `embed:"" prefix:"psc-"`
	Mail      Mail          `embed:"" prefix:"mail-"`
	MSSante   MSSante       `embed:"" prefix:"mssante-"`
	SMS       SMS           `embed:"" prefix:"sms-"`
	Budgets   Budgets       `embed:"" prefix:"budget-"`
	TSA       TSA           `embed:"" prefix:"tsa-"`
	Medicines string        `env:"VISAVIS_MEDICINES" type:"path" help:"Folder of BDPM files that you keep yourself; when empty, what medicines update fetched, or a small sample."`
	BDPM      BDPM          `embed:"" prefix:"medicines-"`
	SignFor   time.Duration `env:"VISAVIS_SIGN_FOR" default:"1h" help:"How long after a sign-in its professional may sign without confirming who they are; at most 1h, 0 to ask before the first signature of every session."`
	OID       string        `env:"VISAVIS_OID" default:"1.2.250.1.999.1" help:"OID root of this platform, for document ids."`
	Sockets   Sockets       `embed:"" prefix:"sockets-"`
	Drain     time.Duration `env:"VISAVIS_DRAIN" default:"10s" help:"How long running work may take when stopping."`
}

// Sockets bounds the WebSockets of calls and waiting rooms that are open at once.
type Sockets struct {
	All     int `name:"max" env:"VISAVIS_SOCKETS_MAX" default:"10000" help:"WebSockets of calls and waiting rooms that may be open at once, in all."`
	Network int `name:"per-network" env:"VISAVIS_SOCKETS_PER_NETWORK" default:"1000" help:"The same from one address (IPv4) or /64 (IPv6): a hospital may have one for everybody."`
	Session int `name:"per-session" env:"VISAVIS_SOCKETS_PER_SESSION" default:"10" help:"The same of one sign-in."`
}

// TLS is our own HTTPS, with TURN over TLS on the same address. Without a
// certificate the program speaks HTTP and a proxy brings TLS.
type TLS struct {
	Cert     string `env:"VISAVIS_TLS_CERT" type:"path" help:"Certificate of the public address with its chain, PEM; read again when it changes. With it the program serves HTTPS, and TURN over TLS on the same port."`
	Key      string `env:"VISAVIS_TLS_KEY" type:"path" help:"Key of the certificate, PEM."`
	Listen   string `env:"VISAVIS_TLS_LISTEN" default:":443" help:"Address of HTTPS and TURN over TLS."`
	Redirect string `env:"VISAVIS_TLS_REDIRECT" help:"Address that sends plain HTTP to the public address (:80); none when empty."`
}

// On says whether the program brings TLS itself.
func (t TLS) On() bool { return t.Cert != "" }

// check wants both files, and an address people reach by them.
func (t TLS) check(public string) error {
	switch {
	case (t.Cert == "") != (t.Key == ""):
		return errors.New("tls-cert, tls-key (VISAVIS_TLS_CERT, VISAVIS_TLS_KEY): one without the other")
	case t.On() && !strings.HasPrefix(public, "https://"):
		return errors.New("public-url (VISAVIS_PUBLIC_URL): must be https:// with a certificate")
	case !t.On() && t.Redirect != "":
		return errors.New("tls-redirect (VISAVIS_TLS_REDIRECT): needs a certificate")
	}
	return nil
}

// Media says where the calls are carried.
type Media struct {
	Host    string `env:"VISAVIS_MEDIA_HOST" default:"127.0.0.1" help:"IP address people's devices reach."`
	UDPPort int    `env:"VISAVIS_MEDIA_UDP" default:"7882" help:"UDP port of the SFU, for all calls."`
	TCPPort int    `env:"VISAVIS_MEDIA_TCP" default:"7882" help:"TCP port of the SFU (ICE-TCP)."`
	TURNUDP int    `env:"VISAVIS_TURN_UDP" default:"3478" help:"UDP port of the TURN server."`
	TURNTCP int    `env:"VISAVIS_TURN_TCP" default:"3478" help:"TCP port of the TURN server."`
	// Rotate is how often the secret of TURN credentials is replaced.
	Rotate time.Duration `env:"VISAVIS_TURN_ROTATE" default:"24h" help:"How often the secret of TURN credentials is replaced. Nobody is cut by it."`
	Relay  bool          `env:"VISAVIS_MEDIA_RELAY" help:"Make every client use the TURN server (to test it)."`
}

// PSC is Pro Santé Connect (interop §2.4).
type PSC struct {
	Discovery string `env:"VISAVIS_PSC_DISCOVERY" help:"Address of its discovery document."`
	ClientID  string `env:"VISAVIS_PSC_CLIENT_ID" default:"visavis" help:"Our client id."`
	Secret    Secret `kong:"-"` // VISAVIS_PSC_SECRET
	Cert      string `env:"VISAVIS_PSC_CERT" type:"path" help:"Client certificate for the calls to it, PEM."`
	Key       string `env:"VISAVIS_PSC_KEY" type:"path" help:"Key of the client certificate, PEM."`
	CA        string `env:"VISAVIS_PSC_CA" type:"path" help:"Authorities that sign its own certificate, PEM; those of the system when empty."`
}

// Mail is the ordinary SMTP server for booking messages and codes.
type Mail struct {
	Addr     string `env:"VISAVIS_MAIL_ADDR" help:"host:port of the SMTP server."`
	From     string `env:"VISAVIS_MAIL_FROM" default:"ne-pas-repondre@visavis.invalid" help:"Sender of booking messages."`
	User     string `env:"VISAVIS_MAIL_USER" help:"Account, when the server asks for one."`
	Password Secret `kong:"-"` // VISAVIS_MAIL_PASSWORD
	StartTLS bool   `env:"VISAVIS_MAIL_STARTTLS" default:"true" negatable:"" help:"Refuse to send without TLS."`
}

// MSSante is the operator of our secure mailbox (interop §4).
type MSSante struct {
	SMTP       string `env:"VISAVIS_MSSANTE_SMTP" help:"host:port of the operator's SMTP server."`
	IMAP       string `env:"VISAVIS_MSSANTE_IMAP" help:"host:port of its IMAP server, for receipts and bounces."`
	Box        string `env:"VISAVIS_MSSANTE_BOX" help:"Address of our applicative mailbox."`
	Domain     string `env:"VISAVIS_MSSANTE_PATIENT_DOMAIN" default:"patient.mssante.fr" help:"Domain of the patients' mailboxes."`
	Cert       string `env:"VISAVIS_MSSANTE_CERT" type:"path" help:"Client certificate, PEM."`
	Key        string `env:"VISAVIS_MSSANTE_KEY" type:"path" help:"Key of the client certificate, PEM."`
	CA         string `env:"VISAVIS_MSSANTE_CA" type:"path" help:"Authorities that sign the operator's certificate, PEM."`
	ServerName string `env:"VISAVIS_MSSANTE_SERVER_NAME" help:"Name in the operator's certificate, when it is not the host."`
	// DoubtFor is how long the copy of a letter may take to reach our own mailbox.
	DoubtFor time.Duration `env:"VISAVIS_MSSANTE_DOUBT" default:"10m" help:"A letter without its copy in our mailbox after that time did not leave."`
	NIL      string        `env:"VISAVIS_MSSANTE_NIL" default:"VISAVIS-0" help:"Reference of the product in Convergence (X-MSS-NIL)."`
}

// SMS is the gateway for text messages.
type SMS struct {
	URL    string `env:"VISAVIS_SMS_URL" help:"Address of the gateway."`
	Sender string `env:"VISAVIS_SMS_SENDER" default:"visavis" help:"Sender name, at most 11 characters."`
	Secret Secret `kong:"-"` // VISAVIS_SMS_SECRET
}

// TSA is the time-stamping authority of consents (RFC 3161, trust B8).
type TSA struct {
	URL      string `env:"VISAVIS_TSA_URL" help:"Address of the authority; without it consents are signed, not time-stamped."`
	CA       string `env:"VISAVIS_TSA_CA" type:"path" help:"Root certificates that answer for the authority, PEM."`
	Policy   string `env:"VISAVIS_TSA_POLICY" help:"Policy to ask for and insist on (OID); the authority's own when empty."`
	User     string `env:"VISAVIS_TSA_USER" help:"Account, when the authority asks for one."`
	Password Secret `kong:"-"` // VISAVIS_TSA_PASSWORD
}

// Secret is a value that never shows when printed.
type Secret string

// String hides the value.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "(set)"
}

// GoString hides the value.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides the value.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Value gives the secret itself.
func (s Secret) Value() string { return string(s) }

// AfterApply reads the secrets and checks everything; each error names the
// setting (trust O1).
func (c *Config) AfterApply() error {
	var errs []error
	for name, dst := range map[string]*Secret{
		"DATABASE_URL": &c.DatabaseURL, "DATABASE_OWNER_URL": &c.OwnerURL, "REDIS_URL": &c.RedisURL, "VISAVIS_PSC_SECRET": &c.PSC.Secret,
		"VISAVIS_MAIL_PASSWORD": &c.Mail.Password, "VISAVIS_SMS_SECRET": &c.SMS.Secret,
		"VISAVIS_TSA_PASSWORD": &c.TSA.Password,
	} {
		v, err := secret(name)
		*dst = Secret(v)
		errs = append(errs, err)
	}
	if c.KeyFile == "" {
		c.KeyFile = filepath.Join(c.DataDir, "keys", "master")
	}
	if c.HeadsDir == "" {
		c.HeadsDir = filepath.Join(c.DataDir, "heads")
	}
	if c.HeadsCopy == c.HeadsDir {
		errs = append(errs, errors.New("audit-heads-copy (VISAVIS_AUDIT_HEADS_COPY): the second place is the first (VISAVIS_AUDIT_HEADS)"))
	}
	if c.HeadsStamp < 0 || c.HeadsStamp > 0 && c.HeadsStamp < time.Minute {
		errs = append(errs, errors.New("audit-heads-stamp (VISAVIS_AUDIT_HEADS_STAMP): at least 1m, or 0 for never"))
	}
	if c.SignFor < 0 || c.SignFor > time.Hour {
		errs = append(errs, errors.New("sign-for (VISAVIS_SIGN_FOR): from 0, to ask in every session, to 1h"))
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || strings.HasSuffix(c.PublicURL, "/") {
		errs = append(errs, errors.New("public-url: must be http://host or https://host, without a slash at the end"))
	} else if u.Scheme == "http" && !loopback(u.Hostname()) {
		errs = append(errs, errors.New("public-url: only https outside this machine: sessions and the camera need it"))
	}
	if _, err := time.LoadLocation(c.Zone); err != nil {
		errs = append(errs, fmt.Errorf("zone: %w", err))
	}
	if (c.PSC.Cert == "") != (c.PSC.Key == "") {
		errs = append(errs, errors.New("psc-cert, psc-key: one without the other"))
	}
	errs = append(errs, c.Control.check(c.DataDir), c.TLS.check(c.PublicURL), c.TSA.check(), c.BDPM.check(), c.Budgets.check(),
		checkDatabase("DATABASE_URL", c.DatabaseURL), checkDatabase("DATABASE_OWNER_URL", c.OwnerURL))
	if c.OwnerURL != "" && c.DatabaseURL == "" {
		errs = append(errs, errors.New("DATABASE_OWNER_URL: needs DATABASE_URL, of the role that serves"))
	}
	return errors.Join(errs...)
}

// check wants a root for the authority, and keeps its password off the open
// network. Without a password plain HTTP will do: tokens are signed, and only a
// hash is asked about.
func (t TSA) check() error {
	if t.URL == "" {
		return nil
	}
	u, err := url.Parse(t.URL)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil:
		return errors.New("tsa-url: must be http://host/path or https://host/path, without an account")
	case t.CA == "":
		return errors.New("tsa-ca: the authority needs the root certificates that answer for it")
	case t.User != "" && u.Scheme == "http" && !loopback(u.Hostname()):
		return errors.New("tsa-url: only https with an account")
	}
	return nil
}

// checkDatabase refuses an unencrypted connection to another machine (ASVS 12.3.1).
func checkDatabase(name string, address Secret) error {
	if address == "" {
		return nil
	}
	u, err := url.Parse(address.Value())
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") {
		return errors.New(name + ": must be a postgres:// address")
	}
	host := u.Hostname()
	if h := u.Query().Get("host"); h != "" {
		host = h
	}
	mode := u.Query().Get("sslmode")
	if !loopback(host) && !strings.HasPrefix(host, "/") && mode != "verify-full" && mode != "verify-ca" {
		return errors.New(name + ": another machine needs sslmode=verify-full")
	}
	return nil
}

func loopback(host string) bool {
	return host == "localhost" || host == "127.0.0.1" || host == "::1" || host == ""
}

func secret(name string) (string, error) {
	if path := os.Getenv(name + "_FILE"); path != "" {
		raw, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("%s_FILE: %w", name, err)
		}
		return strings.TrimSpace(string(raw)), nil
	}
	return os.Getenv(name), nil
}
