package psc

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	oidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	redirectURI = "http://localhost:8080/api/auth/psc/callback"
	testNonce   = "0123456789012345678901234567890123456789"
	martin      = "810100000017"
)

func accounts() []Account {
	lilas := Activity{Mode: "L", Sector: "SA07", Kind: "GENR01", FINESS: "930812345", StructureID: "1930812345",
		Name: "Maison de santé des Lilas", PostalCode: "93260", CommuneCode: "93045"}
	hospital := Activity{Mode: "S", Sector: "SA01", Kind: "GENR01", FINESS: "750100000", StructureID: "1750100000",
		Name: "Hôpital d’essai", PostalCode: "75013", CommuneCode: "75113"}
	return []Account{
		{IdNat: martin, Civility: "MME", GivenName: "Claire", FamilyName: "MARTIN", Caption: "Médecin généraliste",
			Exercices: []Exercice{
				{Profession: "10", Category: "C", Civility: "DR", KnowHowType: "S", KnowHow: "SM54", Activities: []Activity{lilas, hospital}},
				{Profession: "60", Category: "C", FamilyName: "DURAND", Activities: []Activity{hospital}},
			}},
		{IdNat: "3930812345/SL01", Civility: "MME", GivenName: "Sophie", FamilyName: "LEROY", Caption: "Secrétaire",
			Exercices: []Exercice{{Category: "C", Activities: []Activity{lilas}}}},
	}
}

func start(t *testing.T, change ...func(*Options)) *Server {
	t.Helper()
	o := Options{ClientID: "visavis", ClientSecret: "un-secret", RedirectURIs: []string{redirectURI}, Accounts: accounts()}
	for _, c := range change {
		c(&o)
	}
	ctx, stop := context.WithCancel(t.Context())
	s, err := Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(); s.Close() })
	return s
}

// rp is a relying party made of real libraries.
type rp struct {
	t        *testing.T
	browser  *http.Client
	provider *oidc.Provider
	config   oauth2.Config
	verifier string
}

func newRP(t *testing.T, s *Server) *rp {
	t.Helper()
	provider, err := oidc.NewProvider(t.Context(), s.Issuer())
	if err != nil {
		t.Fatal(err)
	}
	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Jar: jar, Timeout: 10 * time.Second, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), redirectURI) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	return &rp{t: t, browser: browser, provider: provider, verifier: oauth2.GenerateVerifier(),
		config: oauth2.Config{ClientID: "visavis", ClientSecret: "un-secret", RedirectURL: redirectURI,
			Endpoint: provider.Endpoint(), Scopes: []string{"openid", "scope_all"}}}
}

func (c *rp) authURL(opts ...oauth2.AuthCodeOption) string {
	all := append([]oauth2.AuthCodeOption{oidc.Nonce(testNonce), oauth2.SetAuthURLParam("acr_values", "eidas1"),
		oauth2.S256ChallengeOption(c.verifier)}, opts...)
	return c.config.AuthCodeURL("etat", all...)
}

// signIn walks the pages as a browser does and returns the callback's query.
func (c *rp) signIn(account string) url.Values {
	c.t.Helper()
	page, err := c.browser.Get(c.authURL())
	if err != nil {
		c.t.Fatal(err)
	}
	defer page.Body.Close()
	body, _ := io.ReadAll(page.Body)
	if page.StatusCode != http.StatusOK || !strings.Contains(string(body), "Simulateur") {
		c.t.Fatalf("sign-in page: %d %s", page.StatusCode, body)
	}
	form := url.Values{"id": {page.Request.URL.Query().Get("id")}, "account": {account}}
	back, err := c.browser.PostForm(page.Request.URL.Scheme+"://"+page.Request.URL.Host+loginPath, form)
	if err != nil {
		c.t.Fatal(err)
	}
	defer back.Body.Close()
	to, err := back.Location()
	if err != nil {
		c.t.Fatalf("no way back: %d %v", back.StatusCode, err)
	}
	return to.Query()
}

func (c *rp) exchange(code string) (*oauth2.Token, error) {
	return c.config.Exchange(c.t.Context(), code, oauth2.VerifierOption(c.verifier))
}

// verify does what the library checks, and what a relying party adds.
func (c *rp) verify(tok *oauth2.Token) error {
	raw, ok := tok.Extra("id_token").(string)
	if !ok {
		return errors.New("no id_token")
	}
	id, err := c.provider.Verifier(&oidc.Config{ClientID: "visavis"}).Verify(c.t.Context(), raw)
	if err != nil {
		return err
	}
	var claims struct {
		ACR string `json:"acr"`
		AZP string `json:"azp"`
	}
	if err := id.Claims(&claims); err != nil {
		return err
	}
	switch {
	case id.Nonce != testNonce:
		return errors.New("nonce")
	case claims.ACR != "eidas1":
		return errors.New("acr")
	case claims.AZP != "visavis":
		return errors.New("azp")
	case id.IssuedAt.After(time.Now().Add(time.Minute)):
		return errors.New("iat")
	}
	info, err := c.provider.UserInfo(c.t.Context(), oauth2.StaticTokenSource(tok))
	if err != nil {
		return err
	}
	if info.Subject != id.Subject {
		return errors.New("subject")
	}
	return nil
}

func TestSignInGivesTheNationalClaims(t *testing.T) {
	s := start(t)
	c := newRP(t, s)
	back := c.signIn(martin)
	if back.Get("state") != "etat" {
		t.Fatalf("state %q", back.Get("state"))
	}
	tok, err := c.exchange(back.Get("code"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.verify(tok); err != nil {
		t.Fatal(err)
	}
	if life := time.Until(tok.Expiry); life > time.Minute || life < 30*time.Second {
		t.Errorf("access token lives %v, want about 60 s", life)
	}
	info, err := c.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(tok))
	if err != nil {
		t.Fatal(err)
	}
	var u struct {
		SubjectNameID, Secteur_Activite, SubjectOrganizationID string
		SubjectRole                                            []string
		SubjectRefPro                                          struct {
			Exercices []struct {
				CodeProfession, CodeSavoirFaire, NomDexercice string
				Activities                                    []struct{ NumeroFinessSite, RaisonSocialeSite string }
			}
		}
	}
	if err := info.Claims(&u); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(info.Subject, ":"+martin) || !strings.HasPrefix(info.Subject, "f:") {
		t.Errorf("sub %q", info.Subject)
	}
	if u.SubjectNameID != martin || u.Secteur_Activite != "SA07^1.2.250.1.71.4.2.4" || u.SubjectOrganizationID != "1930812345" {
		t.Errorf("claims %+v", u)
	}
	ex := u.SubjectRefPro.Exercices
	if len(ex) != 2 || len(ex[0].Activities) != 2 || ex[0].CodeSavoirFaire != "SM54" || ex[1].NomDexercice != "DURAND" ||
		ex[0].NomDexercice != "MARTIN" || ex[0].Activities[0].NumeroFinessSite != "930812345" || u.SubjectRole[0] != "10^1.2.250.1.213.1.1.5.5" {
		t.Errorf("exercices %+v roles %v", ex, u.SubjectRole)
	}
}

func TestSecretarySignsInWithAnEmployeeNumber(t *testing.T) {
	c := newRP(t, start(t))
	tok, err := c.exchange(c.signIn("3930812345/SL01").Get("code"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.verify(tok); err != nil {
		t.Fatal(err)
	}
}

func TestDiscoveryAtBothPaths(t *testing.T) {
	s := start(t)
	var docs [2]map[string]any
	for i, address := range []string{s.DiscoveryURL(), s.Issuer() + "/.well-known/openid-configuration"} {
		res, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if err := json.NewDecoder(res.Body).Decode(&docs[i]); err != nil {
			t.Fatal(err)
		}
	}
	for i, d := range docs {
		if d["issuer"] != s.Issuer() || d["authorization_endpoint"] != s.base+"/wallet/auth" ||
			d["token_endpoint"] != s.Issuer()+"/protocol/openid-connect/token" {
			t.Errorf("document %d: %v", i, d)
		}
	}
}

func TestRequestsThatBreakTheRulesAreRefused(t *testing.T) {
	s := start(t)
	c := newRP(t, s)
	for name, opts := range map[string][]oauth2.AuthCodeOption{
		"short nonce":         {oidc.Nonce("court")},
		"no acr":              {oauth2.SetAuthURLParam("acr_values", "")},
		"another acr":         {oauth2.SetAuthURLParam("acr_values", "eidas3")},
		"plain PKCE":          {oauth2.SetAuthURLParam("code_challenge_method", "plain")},
		"no PKCE":             {oauth2.SetAuthURLParam("code_challenge", "")},
		"no state":            {oauth2.SetAuthURLParam("state", "")},
		"no scope_all":        {oauth2.SetAuthURLParam("scope", "openid")},
		"undeclared redirect": {oauth2.SetAuthURLParam("redirect_uri", redirectURI+"/ailleurs")},
		"unknown client":      {oauth2.SetAuthURLParam("client_id", "inconnu")},
		"implicit flow":       {oauth2.SetAuthURLParam("response_type", "id_token")},
	} {
		t.Run(name, func(t *testing.T) {
			res, err := c.browser.Get(c.authURL(opts...))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if res.StatusCode < 400 {
				t.Errorf("accepted with %d at %s", res.StatusCode, res.Request.URL)
			}
		})
	}
}

func TestCodesAreBoundToVerifierSecretAndOneUse(t *testing.T) {
	c := newRP(t, start(t))
	code := c.signIn(martin).Get("code")
	if _, err := c.config.Exchange(t.Context(), code, oauth2.VerifierOption(oauth2.GenerateVerifier())); err == nil {
		t.Error("another verifier was accepted")
	}
	if _, err := c.config.Exchange(t.Context(), code); err == nil {
		t.Error("no verifier was accepted")
	}
	wrong := c.config
	wrong.ClientSecret = "autre"
	if _, err := wrong.Exchange(t.Context(), code, oauth2.VerifierOption(c.verifier)); err == nil {
		t.Error("another secret was accepted")
	}
	if _, err := c.exchange(code); err != nil {
		t.Fatal(err)
	}
	if _, err := c.exchange(code); err == nil {
		t.Error("a used code was accepted")
	}
}

// Every fault must be visible to a relying party that checks everything; a
// fault nobody can see would test nothing.
func TestEveryFaultIsSeenByACarefulRelyingParty(t *testing.T) {
	s := start(t, func(o *Options) { o.SlowFor = time.Minute })
	c := newRP(t, s)
	if tok, err := c.exchange(c.signIn(martin).Get("code")); err != nil || c.verify(tok) != nil {
		t.Fatalf("without a fault: %v", err)
	}
	for _, f := range Faults()[1:] {
		t.Run(string(f), func(t *testing.T) {
			s.SetFault(f)
			defer s.SetFault(NoFault)
			if f == Down || f == Slow {
				hasty := http.Client{Timeout: 300 * time.Millisecond}
				res, err := hasty.Get(s.DiscoveryURL())
				if err == nil {
					defer res.Body.Close()
				}
				if (f == Slow) != (err != nil) || (f == Down && res.StatusCode != http.StatusServiceUnavailable) {
					t.Fatalf("%v %v", res, err)
				}
				return
			}
			back := c.signIn(martin)
			if back.Get("state") != "etat" || back.Get("error") != "" {
				if f != WrongState && f != Denied {
					t.Fatalf("unexpected way back %v", back)
				}
				return
			}
			tok, err := c.exchange(back.Get("code"))
			if err == nil {
				err = c.verify(tok)
			}
			if err == nil {
				t.Fatal("not seen")
			}
			t.Log(err)
		})
	}
	if err := s.SetFault("inconnue"); err == nil {
		t.Error("an unknown fault was accepted")
	}
}

func TestExpiredRequestSaysSo(t *testing.T) {
	s := start(t)
	res, err := http.PostForm(s.base+loginPath, url.Values{"id": {"inconnue"}, "account": {martin}})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusGone || !strings.Contains(string(body), "a expiré") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

func TestStartRefusesIncompleteOptionsAndStopsWithItsContext(t *testing.T) {
	if _, err := Start(t.Context(), Options{ClientID: "visavis"}); err == nil {
		t.Error("started without accounts")
	}
	ctx, stop := context.WithCancel(t.Context())
	s, err := Start(ctx, Options{ClientID: "a", ClientSecret: "b", RedirectURIs: []string{redirectURI}, Accounts: accounts()})
	if err != nil {
		t.Fatal(err)
	}
	stop()
	select {
	case <-s.done:
	case <-time.After(5 * time.Second):
		t.Fatal("still serving")
	}
}

func TestTheControlPageChoosesAFault(t *testing.T) {
	s := start(t)
	for fault, want := range map[string]int{"wrong-nonce": http.StatusOK, "inconnue": http.StatusUnprocessableEntity, "": http.StatusOK} {
		before := s.Fault()
		res, err := http.PostForm(s.URL(), url.Values{"fault": {fault}})
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != want || want == http.StatusOK && (s.Fault() != Fault(fault) || !strings.Contains(string(body), `value="`+fault+`" checked`)) || want != http.StatusOK && s.Fault() != before {
			t.Errorf("%q: %d, fault %q", fault, res.StatusCode, s.Fault())
		}
	}
	style, err := http.Get(s.base + loginPath + "/style.css")
	if err != nil {
		t.Fatal(err)
	}
	style.Body.Close()
	if style.StatusCode != http.StatusOK || !strings.HasPrefix(style.Header.Get("Content-Type"), "text/css") {
		t.Errorf("style: %d %s", style.StatusCode, style.Header.Get("Content-Type"))
	}
}
