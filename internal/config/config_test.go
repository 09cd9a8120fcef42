package config

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

// parse reads the settings as the program does.
func parse(t *testing.T, args ...string) (*Config, error) {
	t.Helper()
	var c Config
	k, err := kong.New(&c, kong.Exit(func(int) { t.Fatal("it ended") }))
	if err != nil {
		t.Fatal(err)
	}
	_, err = k.Parse(args)
	return &c, err
}

func TestTrustedProxies(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "",
		"10.0.0.0/8":                         "10.0.0.0/8",
		"127.0.0.1, ::1,2001:db8::/32":       "127.0.0.1/32 ::1/128 2001:db8::/32",
		"::ffff:10.0.0.0/104,::ffff:9.9.9.9": "10.0.0.0/8 9.9.9.9/32",
		" 172.16.0.0/12 ,":                   "172.16.0.0/12",
	} {
		t.Setenv("VISAVIS_TRUSTED_PROXIES", text)
		c, err := parse(t)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		var got []string
		for _, p := range c.Proxies {
			got = append(got, p.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestABadProxyStopsTheProgram(t *testing.T) {
	for text, why := range map[string]string{
		"nginx":             "is no network",
		"10.0.0.0/33":       "is no network",
		"10.0.0.1/8":        "did you mean 10.0.0.0/8",
		"0.0.0.0/0":         "is everybody",
		"::/0":              "is everybody",
		"::ffff:0.0.0.0/96": "is everybody",
		"fe80::1%eth0":      "is no network",
		"10.0.0.0/8;::1":    "is no network",
		"10.0.0.0/8,bogus":  `"bogus"`,
	} {
		t.Setenv("VISAVIS_TRUSTED_PROXIES", text)
		_, err := parse(t)
		if err == nil || !strings.Contains(err.Error(), why) || !strings.Contains(err.Error(), "VISAVIS_TRUSTED_PROXIES") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestEverySettingIsPrinted: what `visavis config` prints has each setting, and
// no secret in it.
func TestEverySettingIsPrinted(t *testing.T) {
	secrets := map[string]string{
		"DATABASE_URL": "postgres://u:hush1@localhost/v", "REDIS_URL": "redis://:hush2@localhost", "VISAVIS_PSC_SECRET": "hush3",
		"VISAVIS_MAIL_PASSWORD": "hush4", "VISAVIS_SMS_SECRET": "hush5",
	}
	for name, value := range secrets {
		t.Setenv(name, value)
	}
	c, err := parse(t, "--trusted-proxies=10.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw), "hush") || strings.Count(string(raw), `"(set)"`) != len(secrets) {
		t.Errorf("secrets: %s", raw)
	}
	var printed map[string]any
	if err := json.Unmarshal(raw, &printed); err != nil {
		t.Fatal(err)
	}
	if got := printed["Proxies"]; !reflect.DeepEqual(got, []any{"10.0.0.0/8"}) {
		t.Errorf("proxies print as %v", got)
	}
	wanted(t, reflect.TypeFor[Config](), printed, "")
}

func wanted(t *testing.T, typ reflect.Type, printed map[string]any, path string) {
	t.Helper()
	for i := range typ.NumField() {
		f := typ.Field(i)
		got, ok := printed[f.Name]
		if !ok {
			t.Errorf("%s%s is not printed", path, f.Name)
		}
		if inner, ok := got.(map[string]any); ok {
			wanted(t, f.Type, inner, path+f.Name+".")
		}
	}
}

func TestTheTimeStampingAuthority(t *testing.T) {
	for _, c := range []struct{ url, ca, user, why string }{
		{"", "", "", ""},
		{"http://tsa.example/tsr", "ca.pem", "", ""},
		{"https://tsa.example/tsr", "ca.pem", "clinic", ""},
		{"http://localhost:8097/tsa", "ca.pem", "clinic", ""},
		{"http://tsa.example/tsr", "ca.pem", "clinic", "tsa-url: only https"},
		{"https://tsa.example/tsr", "", "", "tsa-ca"},
		{"tsa.example", "ca.pem", "", "tsa-url: must be"},
		{"ftp://tsa.example", "ca.pem", "", "tsa-url: must be"},
		{"https://me:secret@tsa.example", "ca.pem", "", "tsa-url: must be"},
	} {
		t.Setenv("VISAVIS_TSA_PASSWORD", "s3cret")
		args := []string{"--tsa-url=" + c.url, "--tsa-user=" + c.user}
		if c.ca != "" {
			args = append(args, "--tsa-ca="+c.ca)
		}
		got, err := parse(t, args...)
		if c.why == "" {
			if err != nil || got.TSA.Password.Value() != "s3cret" {
				t.Errorf("%+v: %v", c, err)
			}
			raw, err := json.Marshal(got)
			if err != nil || strings.Contains(string(raw), "s3cret") {
				t.Errorf("the password shows: %s, %v", raw, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// TestSignFor: an hour is the most that a sign-in may sign for.
func TestSignFor(t *testing.T) {
	for text, want := range map[string]time.Duration{"": time.Hour, "0s": 0, "20m": 20 * time.Minute, "1h": time.Hour, "1h0m1s": -1, "-1s": -1} {
		var args []string
		if text != "" {
			args = []string{"--sign-for=" + text}
		}
		c, err := parse(t, args...)
		if refused := err != nil && strings.Contains(err.Error(), "VISAVIS_SIGN_FOR"); refused != (want < 0) || want >= 0 && c.SignFor != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestACertificateNeedsItsKey(t *testing.T) {
	t.Setenv("VISAVIS_PSC_CERT", "cert.pem")
	if _, err := parse(t); err == nil || !strings.Contains(err.Error(), "psc-cert, psc-key") {
		t.Errorf("a certificate without key: %v", err)
	}
	t.Setenv("VISAVIS_PSC_KEY", "key.pem")
	if c, err := parse(t); err != nil || filepath.Base(c.PSC.Cert) != "cert.pem" {
		t.Errorf("%v", err)
	}
}

func TestOurOwnTLS(t *testing.T) {
	for name, tc := range map[string]struct {
		env  map[string]string
		want string
	}{
		"a certificate alone":          {map[string]string{"VISAVIS_TLS_CERT": "c.pem"}, "VISAVIS_TLS_KEY"},
		"a key alone":                  {map[string]string{"VISAVIS_TLS_KEY": "k.pem"}, "VISAVIS_TLS_CERT"},
		"a public address without it":  {map[string]string{"VISAVIS_TLS_CERT": "c.pem", "VISAVIS_TLS_KEY": "k.pem"}, "VISAVIS_PUBLIC_URL"},
		"a redirection without it":     {map[string]string{"VISAVIS_TLS_REDIRECT": ":80"}, "VISAVIS_TLS_REDIRECT"},
		"both files and their address": {map[string]string{"VISAVIS_TLS_CERT": "c.pem", "VISAVIS_TLS_KEY": "k.pem", "VISAVIS_PUBLIC_URL": "https://v.example"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for k, v := range tc.env {
				t.Setenv(k, v)
			}
			c, err := parse(t)
			switch {
			case tc.want == "" && (err != nil || !c.TLS.On() || c.TLS.Listen != ":443"):
				t.Errorf("%+v %v", c, err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("%v does not name %s", err, tc.want)
			}
		})
	}
}
