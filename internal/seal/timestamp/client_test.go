package timestamp_test

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"visavis/internal/clock"
	"visavis/internal/seal/timestamp"
	"visavis/simulators/tsa"

	"pgregory.net/rapid"
)

func authority(t *testing.T, o tsa.Options) (*tsa.Server, *timestamp.Client) {
	t.Helper()
	s, err := tsa.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(s.RootPEM()) {
		t.Fatal("no root")
	}
	return s, &timestamp.Client{
		URL: s.URL(), Roots: roots, Clock: clock.System{}, User: o.User, Password: o.Password, HTTP: &http.Client{Timeout: 2 * time.Second},
	}
}

func TestATokenIsGivenAndChecked(t *testing.T) {
	s, c := authority(t, tsa.Options{User: "visavis", Password: "secret"})
	sum := sha256.Sum256([]byte("an agreement"))
	token, info, err := c.Stamp(t.Context(), sum)
	if err != nil {
		t.Fatal(err)
	}
	if d := time.Since(info.At); d < -2*time.Second || d > 10*time.Second || info.Accuracy != time.Second || info.Policy != "2.999.3161" || !strings.Contains(info.Authority, "visavis simulated TSA") || info.Serial != "1" {
		t.Errorf("%+v", info)
	}
	again, err := timestamp.Verify(token, sum, c.Roots)
	if err != nil || !again.At.Equal(info.At) {
		t.Errorf("%+v, %v", again, err)
	}
	c.Policy = "2.999.3161.7" // the simulator grants what is asked for
	if _, info, err := c.Stamp(t.Context(), sum); err != nil || info.Policy != c.Policy {
		t.Errorf("%+v, %v", info, err)
	}
	c.Password = "other"
	if _, _, err := c.Stamp(t.Context(), sum); timestamp.ReasonOf(err) != timestamp.Unreachable {
		t.Errorf("wrong password: %v", err)
	}
	if s.Asked() != 2 {
		t.Errorf("%d requests were served", s.Asked())
	}
}

// TestEveryFaultIsRefused: whatever the authority does wrong, there is no token
// and the reason is told.
func TestEveryFaultIsRefused(t *testing.T) {
	s, c := authority(t, tsa.Options{SlowFor: time.Hour})
	c.Policy = "2.999.3161"
	c.HTTP.Timeout = 300 * time.Millisecond
	want := map[tsa.Fault]timestamp.Reason{
		tsa.Down: timestamp.Unreachable, tsa.Cut: timestamp.Unreachable, tsa.Slow: timestamp.Unreachable, tsa.Garbage: timestamp.Malformed,
		tsa.HTML: timestamp.Malformed, tsa.Huge: timestamp.Malformed, tsa.Rejected: timestamp.Rejected, tsa.Empty: timestamp.Malformed,
		tsa.Imprint: timestamp.Imprint, tsa.Nonce: timestamp.Nonce, tsa.NoNonce: timestamp.Nonce, tsa.Policy: timestamp.Policy,
		tsa.Foreign: timestamp.Certificate, tsa.WebCert: timestamp.Certificate, tsa.Expired: timestamp.Certificate, tsa.NoCert: timestamp.Certificate,
		tsa.Forged: timestamp.Signature, tsa.Early: timestamp.Clock, tsa.Late: timestamp.Clock,
	}
	sum := sha256.Sum256([]byte("x"))
	for _, f := range tsa.Faults() {
		if err := s.SetFault(f); err != nil {
			t.Fatal(err)
		}
		token, _, err := c.Stamp(t.Context(), sum)
		if f == tsa.None {
			if err != nil {
				t.Errorf("without fault: %v", err)
			}
			continue
		}
		reason, told := want[f]
		if !told {
			t.Errorf("no expectation for fault %s", f)
		}
		if err == nil || token != nil || timestamp.ReasonOf(err) != reason {
			t.Errorf("fault %s: %v, want %s", f, err, reason)
		}
	}
	if s.SetFault("unknown") == nil {
		t.Error("an unknown fault was taken")
	}
}

func TestWhatIsNotReachable(t *testing.T) {
	s, c := authority(t, tsa.Options{})
	sum := sha256.Sum256(nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := c.Stamp(ctx, sum); timestamp.ReasonOf(err) != timestamp.Unreachable || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Stamp(t.Context(), sum); timestamp.ReasonOf(err) != timestamp.Unreachable {
		t.Error(err)
	}
	c.URL = "http://[::1"
	if _, _, err := c.Stamp(t.Context(), sum); timestamp.ReasonOf(err) != timestamp.Unreachable {
		t.Error(err)
	}
	c.Policy = "1.not"
	if _, _, err := c.Stamp(t.Context(), sum); err == nil {
		t.Error("a bad policy was asked for")
	}
}

func TestWhoseTokenItIs(t *testing.T) {
	_, c := authority(t, tsa.Options{})
	other, _ := authority(t, tsa.Options{})
	sum := sha256.Sum256([]byte("x"))
	token, _, err := c.Stamp(t.Context(), sum)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(other.RootPEM())
	for what, c := range map[string]struct {
		token []byte
		sum   [32]byte
		roots *x509.CertPool
		want  timestamp.Reason
	}{
		"another root":    {token, sum, roots, timestamp.Certificate},
		"no root":         {token, sum, nil, timestamp.Certificate},
		"another imprint": {token, sha256.Sum256([]byte("y")), c.Roots, timestamp.Imprint},
		"nothing":         {nil, sum, c.Roots, timestamp.Malformed},
		"more":            {append(token[:len(token):len(token)], 0), sum, c.Roots, timestamp.Malformed},
		"less":            {token[:len(token)-1], sum, c.Roots, timestamp.Malformed},
	} {
		if _, err := timestamp.Verify(c.token, c.sum, c.roots); timestamp.ReasonOf(err) != c.want {
			t.Errorf("%s: %v, want %s", what, err, c.want)
		}
	}
}

// TestAMutatedTokenDatesNothingElse: a changed token is refused, or still says
// exactly what the authority signed (CMS leaves a few bytes outside the
// signature: version numbers, the list of digests).
func TestAMutatedTokenDatesNothingElse(t *testing.T) {
	_, c := authority(t, tsa.Options{})
	sum := sha256.Sum256([]byte("x"))
	token, info, err := c.Stamp(t.Context(), sum)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprint(info.At, info.Serial, info.Policy, info.Authority, info.Accuracy)
	tried, refused := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		tried++
		forged := append([]byte{}, token...)
		forged[rapid.IntRange(0, len(token)-1).Draw(r, "at")] ^= byte(rapid.IntRange(1, 255).Draw(r, "by"))
		got, err := timestamp.Verify(forged, sum, c.Roots)
		if err != nil {
			refused++
			return
		}
		if fmt.Sprint(got.At, got.Serial, got.Policy, got.Authority, got.Accuracy) != want {
			r.Fatalf("a forged token says %+v", got)
		}
	})
	if refused*10 < tried*9 {
		t.Errorf("only %d of %d mutations were refused", refused, tried)
	}
}

func TestParseOID(t *testing.T) {
	for in, good := range map[string]bool{"1.2.3": true, "2.999.3161": true, "": false, "1": false, "3.1": false, "1.40": false, "1.-2": false, "a.b": false, "1..2": false} {
		oid, err := timestamp.ParseOID(in)
		if (err == nil) != good || good && oid.String() != in {
			t.Errorf("%q: %v, %v", in, oid, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add([]byte{0x30, 0x80})
	f.Fuzz(func(t *testing.T, token []byte) {
		if _, err := timestamp.Verify(token, [32]byte{}, x509.NewCertPool()); err == nil {
			t.Error("accepted")
		}
	})
}

// openssl runs the command in dir and gives what it said; the test is skipped
// nowhere: make test installs it.
func openssl(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("openssl", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func write(t *testing.T, dir, name string, raw []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestOpenSSLAgrees: a judge we did not write accepts the simulator's tokens.
func TestOpenSSLAgrees(t *testing.T) {
	s, c := authority(t, tsa.Options{Dir: t.TempDir()})
	dir := t.TempDir()
	data := []byte("what is dated")
	token, _, err := c.Stamp(t.Context(), sha256.Sum256(data))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "data", data)
	write(t, dir, "token", token)
	write(t, dir, "ca.pem", s.RootPEM())
	if out := openssl(t, dir, "ts", "-verify", "-data", "data", "-in", "token", "-token_in", "-CAfile", "ca.pem"); !strings.Contains(out, "Verification: OK") {
		t.Error(out)
	}
}

// TestOpenSSLAsAuthority: we accept the tokens of an authority we did not
// write, RSA and elliptic curve, with a chain of three.
func TestOpenSSLAsAuthority(t *testing.T) {
	for name, key := range map[string][]string{"rsa": {"-newkey", "rsa:2048"}, "ec": {"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "ca.ext", []byte("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n"))
			write(t, dir, "tsa.ext", []byte("keyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n"))
			write(t, dir, "tsa.cnf", []byte(strings.ReplaceAll(conf, "DIR", dir)))
			write(t, dir, "serial", []byte("2A\n"))
			openssl(t, dir, append([]string{"req", "-x509", "-nodes", "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=root", "-days", "30"}, key...)...)
			for child, by := range map[string]string{"mid": "root"} {
				openssl(t, dir, append([]string{"req", "-nodes", "-keyout", child + ".key", "-out", child + ".csr", "-subj", "/CN=" + child}, key...)...)
				openssl(t, dir, "x509", "-req", "-in", child+".csr", "-CA", by+".pem", "-CAkey", by+".key", "-out", child+".pem", "-extfile", "ca.ext", "-days", "30")
			}
			openssl(t, dir, append([]string{"req", "-nodes", "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=tsa"}, key...)...)
			openssl(t, dir, "x509", "-req", "-in", "tsa.csr", "-CA", "mid.pem", "-CAkey", "mid.key", "-out", "tsa.pem", "-extfile", "tsa.ext", "-days", "30")
			write(t, dir, "data", []byte("what is dated"))
			openssl(t, dir, "ts", "-query", "-data", "data", "-sha256", "-cert", "-out", "query")
			openssl(t, dir, "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-token_out", "-out", "token")
			token, err := os.ReadFile(filepath.Join(dir, "token"))
			if err != nil {
				t.Fatal(err)
			}
			root, err := os.ReadFile(filepath.Join(dir, "root.pem"))
			if err != nil {
				t.Fatal(err)
			}
			roots := x509.NewCertPool()
			roots.AppendCertsFromPEM(root)
			info, err := timestamp.Verify(token, sha256.Sum256([]byte("what is dated")), roots)
			if err != nil || info.Authority != "CN=tsa" || info.Serial != "43" || time.Since(info.At).Abs() > time.Minute {
				t.Errorf("%+v, %v", info, err)
			}
		})
	}
}

const conf = `[tsa]
default_tsa = one
[one]
serial = DIR/serial
signer_cert = DIR/tsa.pem
signer_key = DIR/tsa.key
certs = DIR/mid.pem
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
accuracy = secs:1, millisecs:500
clock_precision_digits = 3
ess_cert_id_alg = sha256
`
