package prosante

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"visavis/identity/traits"
	"visavis/internal/care"
	"visavis/internal/clock"
	"visavis/internal/fault"
	"visavis/simulators/mail/pki"
	"visavis/simulators/psc"

	"golang.org/x/oauth2"
)

const redirect = "http://localhost:8080/api/auth/psc/callback"

const logout = "http://localhost:8080/pro"

const martin = "810100000016"

func simulator(t *testing.T, change ...func(*psc.Options)) *psc.Server {
	t.Helper()
	lilas := psc.Activity{Sector: "SA07", FINESS: "930812342", StructureID: "1930812342", Name: "Maison de santé des Lilas"}
	other := psc.Activity{Sector: "SA01", FINESS: "750100042", Name: "Hôpital d’essai"}
	ctx, stop := context.WithCancel(t.Context())
	o := psc.Options{ClientID: "visavis", ClientSecret: "secret d’essai", RedirectURIs: []string{redirect}, LogoutURIs: []string{logout}, SlowFor: time.Minute,
		Accounts: []psc.Account{
			{IdNat: martin, GivenName: "Claire", FamilyName: "MARTIN", Exercices: []psc.Exercice{
				{Profession: "60", Category: "C", Activities: []psc.Activity{other}},
				{Profession: "10", Category: "C", KnowHow: "SM54", Activities: []psc.Activity{other, lilas}}}},
			{IdNat: "810100000017", GivenName: "Faux", FamilyName: "NUMÉRO"},
			{IdNat: "3930812342/SL01", GivenName: "Sophie", FamilyName: "LEROY"},
		}}
	for _, c := range change {
		c(&o)
	}
	s, err := psc.Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(); s.Close() })
	return s
}

func party(t *testing.T, s *psc.Server, change ...func(*Options)) *Party {
	t.Helper()
	o := Options{Issuer: s.Issuer(), DiscoveryURL: s.DiscoveryURL(), ClientID: "visavis", ClientSecret: "secret d’essai",
		RedirectURL: redirect, LogoutURL: logout, Clock: clock.System{}}
	for _, c := range change {
		c(&o)
	}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func attempt() Attempt {
	return Attempt{State: oauth2.GenerateVerifier(), Nonce: oauth2.GenerateVerifier(), Verifier: oauth2.GenerateVerifier()}
}

// browse signs an account in on the provider's pages and returns what the
// browser brings back.
func browse(t *testing.T, address, account string, through ...http.RoundTripper) url.Values {
	t.Helper()
	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Jar: jar, Transport: append(through, http.DefaultTransport)[0], CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), redirect) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	page, err := browser.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer page.Body.Close()
	io.Copy(io.Discard, page.Body)
	if page.StatusCode != http.StatusOK {
		t.Fatalf("sign-in page: %d", page.StatusCode)
	}
	back, err := browser.PostForm(page.Request.URL.Scheme+"://"+page.Request.URL.Host+page.Request.URL.Path,
		url.Values{"id": {page.Request.URL.Query().Get("id")}, "account": {account}})
	if err != nil {
		t.Fatal(err)
	}
	defer back.Body.Close()
	to, err := back.Location()
	if err != nil {
		t.Fatal(err)
	}
	return to.Query()
}

func signIn(t *testing.T, p *Party, account string) (Professional, Proof, error) {
	t.Helper()
	a := attempt()
	address, err := p.AuthURL(t.Context(), a)
	if err != nil {
		return Professional{}, Proof{}, err
	}
	return p.Finish(t.Context(), a, browse(t, address, account).Get("code"))
}

func TestSignInTellsWhoAndWhere(t *testing.T) {
	s := simulator(t)
	who, proof, err := signIn(t, party(t, s), martin)
	if err != nil {
		t.Fatal(err)
	}
	if who.IdNat.RPPS() != "10100000016" || who.FamilyName != "MARTIN" || proof.ACR != "eidas1" || proof.Issuer != s.Issuer() ||
		time.Since(proof.At) > time.Minute || proof.Subject == "" {
		t.Errorf("%+v %+v", who, proof)
	}
	if here := who.At("930812342"); len(here) != 1 || here[0].AuthorCode() != "G15_10/SM54" {
		t.Errorf("at the Lilas: %+v", here)
	}
	if here := who.At("750100042"); len(here) != 2 || here[0].Profession != "60" || here[1].Profession != "10" {
		t.Errorf("at the hospital: %+v", here)
	}
	for _, finess := range []string{"", "000000000"} {
		if len(who.At(finess)) != 0 {
			t.Errorf("practises at %q", finess)
		}
	}
}

// Signing out here ends the session there, and the person comes back (OpenID
// Connect RP-Initiated Logout 1.0); only to the address that was declared.
func TestSigningOutThereToo(t *testing.T) {
	s := simulator(t)
	p := party(t, s)
	_, proof, err := signIn(t, p, martin)
	if err != nil {
		t.Fatal(err)
	}
	leave := func(p *Party) (status int, to string) {
		t.Helper()
		address, err := p.SignOutURL(t.Context(), proof.IDToken)
		if err != nil {
			t.Fatal(err)
		}
		browser := &http.Client{CheckRedirect: noRedirect}
		res, err := browser.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode, res.Header.Get("Location")
	}
	if status, to := leave(party(t, s, func(o *Options) { o.LogoutURL = "https://ailleurs.example/" })); status < 400 || len(s.SignedOut()) != 0 {
		t.Errorf("an address nobody declared: %d to %q", status, to)
	}
	if status, to := leave(p); status != http.StatusFound || to != logout || !slices.Equal(s.SignedOut(), []string{martin}) {
		t.Errorf("%d to %q, signed out %v", status, to, s.SignedOut())
	}
	s.SetFault(psc.Down)
	if _, err := party(t, s).SignOutURL(t.Context(), proof.IDToken); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("while it is down: %v", err)
	}
}

// The token endpoint knows us by our certificate (interop §2.4); browsers have none.
func TestTheProviderAsksForOurCertificate(t *testing.T) {
	authority, err := pki.New("autorité d’essai", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	host, err := authority.Server(time.Now(), "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	ours, err := authority.Client(time.Now(), "visavis")
	if err != nil {
		t.Fatal(err)
	}
	other, err := pki.New("une autre", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := other.Client(time.Now(), "visavis")
	if err != nil {
		t.Fatal(err)
	}
	s := simulator(t, func(o *psc.Options) { o.Certificate, o.Clients = &host, authority.Pool() })
	with := func(certificates ...tls.Certificate) *http.Transport {
		return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority.Pool(), Certificates: certificates, MinVersion: tls.VersionTLS12}}
	}
	try := func(transport http.RoundTripper) error {
		p := party(t, s, func(o *Options) { o.Transport = transport })
		a := attempt()
		address, err := p.AuthURL(t.Context(), a)
		if err != nil {
			return err
		}
		_, _, err = p.Finish(t.Context(), a, browse(t, address, martin, with()).Get("code"))
		return err
	}
	if err := try(with(ours)); err != nil {
		t.Errorf("with our certificate: %v", err)
	}
	for name, transport := range map[string]*http.Transport{"none": with(), "of another authority": with(theirs)} {
		if err := try(transport); err == nil {
			t.Errorf("certificate %s: signed in", name)
		}
	}
}

func TestEmployeeSignsIn(t *testing.T) {
	who, _, err := signIn(t, party(t, simulator(t)), "3930812342/SL01")
	if err != nil || who.IdNat != "3930812342/SL01" || who.IdNat.RPPS() != "" {
		t.Errorf("%+v %v", who, err)
	}
}

// S14: each way a provider can be wrong, and each is refused with its reason.
func TestEveryFaultOfTheProviderIsRefused(t *testing.T) {
	s := simulator(t)
	p := party(t, s)
	if _, _, err := signIn(t, p, martin); err != nil {
		t.Fatal(err)
	}
	for _, f := range psc.Faults()[1:] {
		if f == psc.WrongState || f == psc.Denied || f == psc.Slow || f == psc.Down {
			continue // the caller's to see, or below
		}
		t.Run(string(f), func(t *testing.T) {
			s.SetFault(f)
			defer s.SetFault(psc.NoFault)
			who, proof, err := signIn(t, p, martin)
			if fault.KindOf(err) != fault.Unauthenticated || who.IdNat != "" && f != psc.OtherSubject {
				t.Fatalf("%+v %+v %v", who, proof, err)
			}
			t.Log(err)
		})
	}
}

func TestProviderDownIsUnavailableAndPasses(t *testing.T) {
	s := simulator(t)
	c := clock.NewFake(time.Now())
	p := party(t, s, func(o *Options) { o.Clock = c })
	s.SetFault(psc.Down)
	if _, err := p.AuthURL(t.Context(), attempt()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("discovery: %v", err)
	}
	s.SetFault(psc.NoFault)
	c.Advance(pauseFirst)
	a := attempt()
	address, err := p.AuthURL(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	code := browse(t, address, martin).Get("code")
	s.SetFault(psc.Down)
	if _, _, err := p.Finish(t.Context(), a, code); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("exchange: %v", err)
	}
	s.SetFault(psc.Slow)
	hasty, stop := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer stop()
	if _, _, err := p.Finish(hasty, a, code); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("slow exchange: %v", err)
	}
	s.SetFault(psc.NoFault)
	if who, _, err := p.Finish(t.Context(), a, code); err != nil || who.IdNat != martin {
		t.Errorf("afterwards: %v", err)
	}
}

// TestDiscovery_Pauses: while the provider is down one call is made at a time, the next one after a pause that grows to a
// bound, and everybody else is answered at once; a configuration that was read before goes on being used.
func TestDiscovery_Pauses(t *testing.T) {
	s := simulator(t)
	c := clock.NewFake(time.Now())
	var asked atomic.Int32
	var hold atomic.Pointer[chan struct{}]
	p := party(t, s, func(o *Options) {
		o.Clock = c
		o.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			if strings.Contains(r.URL.Path, "configuration") {
				asked.Add(1)
				if wait := hold.Load(); wait != nil {
					<-*wait
				}
			}
			return http.DefaultTransport.RoundTrip(r)
		})
	})
	start := func(want fault.Kind) {
		t.Helper()
		if _, err := p.AuthURL(t.Context(), attempt()); err == nil && want != 0 || err != nil && fault.KindOf(err) != want {
			t.Errorf("%v, want %v", err, want)
		}
	}
	calls := func(want int32) {
		t.Helper()
		if n := asked.Swap(0); n != want {
			t.Errorf("%d calls, want %d", n, want)
		}
	}
	s.SetFault(psc.Down)
	wait := make(chan struct{})
	hold.Store(&wait)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { start(fault.Unavailable) })
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := p.AuthURL(gone, attempt()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("who leaves is not held: %v", err)
	}
	close(wait)
	hold.Store(nil)
	all.Wait()
	calls(1)
	for _, pause := range []time.Duration{2, 4, 8, 16, 30, 30, 30} {
		c.Advance(pause*time.Second - time.Millisecond)
		for range 20 {
			start(fault.Unavailable)
		}
		calls(0)
		c.Advance(time.Millisecond)
		start(fault.Unavailable)
		calls(1)
	}
	s.SetFault(psc.NoFault)
	start(fault.Unavailable)
	c.Advance(pauseMost)
	start(0)
	start(0)
	calls(1)
	s.SetFault(psc.Down)
	c.Advance(2 * time.Hour) // what is known is too old, and stays while there is nothing newer
	for range 20 {
		start(0)
	}
	calls(1)
	c.Advance(pauseFirst)
	start(0)
	calls(1)
}

// TestToken_ClosedType: an access token of another type than Bearer is not used (RFC 6749 §7.1).
func TestToken_ClosedType(t *testing.T) {
	s := simulator(t)
	for word, ok := range map[string]bool{"Bearer": true, "bearer": true, "": false, "DPoP": false, "mac": false, "Bearer DPoP": false, "bearertoken": false, "N_A": false} {
		p := party(t, s, func(o *Options) {
			o.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
				res, err := http.DefaultTransport.RoundTrip(r)
				if err != nil || r.Method != http.MethodPost {
					return res, err
				}
				defer res.Body.Close()
				var body map[string]any
				if err := json.NewDecoder(res.Body).Decode(&body); err != nil {
					return nil, err
				}
				body["token_type"] = word
				raw, err := json.Marshal(body)
				res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
				res.Header.Del("Content-Length")
				return res, err
			})
		})
		if _, _, err := signIn(t, p, martin); (err == nil) != ok || err != nil && fault.KindOf(err) != fault.Unauthenticated {
			t.Errorf("%q: %v", word, err)
		}
	}
}

func TestKeysThatCannotBeFetchedAreNotABadToken(t *testing.T) {
	s := simulator(t)
	down := false
	p := party(t, s, func(o *Options) {
		o.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			if down && strings.HasSuffix(r.URL.Path, "/certs") {
				return nil, errors.New("no route to host")
			}
			return http.DefaultTransport.RoundTrip(r)
		})
	})
	down = true
	if _, _, err := signIn(t, p, martin); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("%v", err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAnotherVerifierOrNonceIsRefused(t *testing.T) {
	p := party(t, simulator(t))
	for name, spoil := range map[string]func(*Attempt){
		"verifier": func(a *Attempt) { a.Verifier = oauth2.GenerateVerifier() },
		"nonce":    func(a *Attempt) { a.Nonce = oauth2.GenerateVerifier() },
		"no nonce": func(a *Attempt) { a.Nonce = "" },
	} {
		a := attempt()
		address, err := p.AuthURL(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		code := browse(t, address, martin).Get("code")
		spoil(&a)
		if _, _, err := p.Finish(t.Context(), a, code); fault.KindOf(err) != fault.Unauthenticated {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNationalIdentifierWithAWrongKeyIsRefused(t *testing.T) {
	if _, _, err := signIn(t, party(t, simulator(t)), "810100000017"); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("%v", err)
	}
}

func TestConfigurationOfAnotherIssuerOrUnsafeIsRefused(t *testing.T) {
	doc := ""
	fake := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, doc) }))
	defer fake.Close()
	for _, doc = range []string{
		`{"issuer":"https://ailleurs.invalid","authorization_endpoint":"https://a/","token_endpoint":"https://a/","userinfo_endpoint":"https://a/","jwks_uri":"https://a/"}`,
		`{"issuer":"https://psc.invalid","authorization_endpoint":"https://a/","token_endpoint":"http://a/","userinfo_endpoint":"https://a/","jwks_uri":"https://a/"}`,
		`{"issuer":"https://psc.invalid"}`, `<html>`,
	} {
		p, err := New(Options{Issuer: "https://psc.invalid", DiscoveryURL: fake.URL, ClientID: "a", ClientSecret: "b", RedirectURL: redirect, Clock: clock.System{}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.AuthURL(t.Context(), attempt()); fault.KindOf(err) != fault.Unauthenticated {
			t.Errorf("%s: %v", doc, err)
		}
	}
	if _, err := New(Options{Issuer: "https://psc.invalid"}); err == nil {
		t.Error("half a configuration was accepted")
	}
}

func TestNationalIdentifiers(t *testing.T) {
	for text, code := range map[string]string{
		martin: "", "0123456789": "", "3930812342/SL01": "", "5123456789/12": "",
		"810100000017": "rpps-key", "81010000001": "rpps-length", "8101000000a6": "rpps-length",
		"3930812342": "idnat-shape", "3/1": "idnat-shape", "": "idnat-shape", "9123": "idnat-shape", "01": "idnat-shape",
	} {
		_, err := ParseIdNat(text)
		var r traits.Refusal
		if (code == "") != (err == nil) || errors.As(err, &r) && string(r) != code {
			t.Errorf("%q: %v, want %q", text, err, code)
		}
	}
	for finess, code := range map[string]string{"930812342": "", "750100042": "", "930812345": "finess-key", "2A0000016": "", "93081234": "finess-length", "93O812344": "finess-length"} {
		err := CheckFINESS(finess)
		var r traits.Refusal
		if (code == "") != (err == nil) || errors.As(err, &r) && string(r) != code {
			t.Errorf("%q: %v, want %q", finess, err, code)
		}
	}
}

func TestProfessionsAndRoles(t *testing.T) {
	for _, c := range []struct {
		profession, category string
		role                 care.Role
		may                  bool
	}{
		{"10", "C", care.Doctor, true}, {"10", "M", care.Doctor, true}, {"10", "E", care.Doctor, false}, {"50", "C", care.Doctor, true},
		{"60", "C", care.Doctor, false}, {"60", "C", care.Nurse, true}, {"21", "C", care.Pharmacist, true}, {"70", "C", care.Nurse, false},
		{"", "", care.Secretary, true}, {"10", "C", care.Admin, true}, {"#", "C", care.Doctor, false}, {"", "C", care.Doctor, false},
	} {
		if got := (Exercice{Profession: c.profession, Category: c.category}).MayHold(c.role); got != c.may {
			t.Errorf("%s %s as %s: %v", c.profession, c.category, c.role, got)
		}
	}
}
