package prosante

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"visavis/internal/clock"
	"visavis/internal/fault"

	oidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	timeout = 10 * time.Second // for each call to the provider
	maxSkew = time.Minute      // between its clock and ours
	maxBody = 1 << 20
	maxAuth = 10 * time.Minute // between sign-in there and arrival here
)

// Options name the provider and this software as it is registered there.
type Options struct {
	Issuer string // exact value of iss
	// DiscoveryURL is the configuration document, at Pro Santé Connect's own
	// path `wallet-openid-configuration`.
	DiscoveryURL string
	ClientID     string
	ClientSecret string
	RedirectURL  string   // declared exactly
	LogoutURL    string   // where the provider leads after signing out, declared exactly
	ACRs         []string // levels accepted; eidas1, eidas2 and eidas3 when empty
	Clock        clock.Clock
	// Transport carries the calls; http.DefaultTransport when nil. Production
	// gives one with the client certificate the token endpoint asks for.
	Transport http.RoundTripper
}

// Party is the relying party. The provider's configuration is read at the
// first sign-in and kept, so that visavis starts while the provider is down.
type Party struct {
	o    Options
	http *http.Client

	mu      sync.Mutex
	found   *provider
	asking  chan struct{} // closed when the call under way is over; nil when there is none
	failed  error         // of the last call; nil after one that went well
	retryAt time.Time     // before it, failed is the answer
	pause   time.Duration // until the next call
}

type provider struct {
	config   oauth2.Config
	verifier *oidc.IDTokenVerifier
	userinfo string
	logout   string // empty when the provider names none
	until    time.Time
}

// New returns a relying party; it talks to nobody yet. It fails when the
// options are not those of a registered client.
func New(o Options) (*Party, error) {
	for name, v := range map[string]string{"issuer": o.Issuer, "discovery URL": o.DiscoveryURL, "client id": o.ClientID,
		"client secret": o.ClientSecret, "redirect URL": o.RedirectURL} {
		if v == "" {
			return nil, fmt.Errorf("prosante: the %s is needed", name)
		}
	}
	if len(o.ACRs) == 0 {
		o.ACRs = []string{"eidas1", "eidas2", "eidas3"}
	}
	return &Party{o: o, http: &http.Client{Timeout: timeout, Transport: o.Transport, CheckRedirect: noRedirect}}, nil
}

// noRedirect: an endpoint that moves is a change someone must look at.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Attempt is one sign-in under way. All three are secrets of this server; only
// a hash of the verifier travels. They are bound to one browser by the caller.
type Attempt struct {
	State    string
	Nonce    string
	Verifier string
	// Again has the provider ask the person, whoever it remembers (prompt=login,
	// max_age=0), and Finish insist that it did, Within the time since AuthURL.
	Again  bool
	Within time.Duration
}

// AuthURL gives the address to send the browser to. It fails as Unavailable
// when the provider cannot be reached.
func (p *Party) AuthURL(ctx context.Context, a Attempt) (string, error) {
	prov, err := p.provider(ctx)
	if err != nil {
		return "", err
	}
	more := []oauth2.AuthCodeOption{oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier), oauth2.SetAuthURLParam("acr_values", "eidas1")}
	if a.Again {
		more = append(more, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	return prov.config.AuthCodeURL(a.State, more...), nil
}

// Finish exchanges the code of a return from the provider, once the caller has
// checked the state, and tells who signed in. It refuses as Unauthenticated
// whatever is not exactly right, and fails as Unavailable when the provider
// does not answer. The cause is for logs and holds no token.
func (p *Party) Finish(ctx context.Context, a Attempt, code string) (Professional, Proof, error) {
	prov, err := p.provider(ctx)
	if err != nil {
		return Professional{}, Proof{}, err
	}
	tok, err := prov.config.Exchange(p.client(ctx), code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return Professional{}, Proof{}, exchangeFault(err)
	}
	if !strings.EqualFold(tok.TokenType, "Bearer") {
		return Professional{}, Proof{}, refuse("an access token of a type that is not known")
	}
	proof, err := p.verify(ctx, prov, tok, a)
	if err != nil {
		return Professional{}, Proof{}, err
	}
	who, err := p.who(ctx, prov, tok.AccessToken, proof.Subject)
	return who, proof, err
}

// SignOutURL gives the address that ends the person's session at the provider
// too (OpenID Connect RP-Initiated Logout 1.0) and leads back to LogoutURL; idToken
// is what Finish gave. It is empty when the provider has no such address.
func (p *Party) SignOutURL(ctx context.Context, idToken string) (string, error) {
	prov, err := p.provider(ctx)
	if err != nil || prov.logout == "" {
		return "", err
	}
	to, err := url.Parse(prov.logout)
	if err != nil {
		return "", fmt.Errorf("prosante: end of session address: %w", err)
	}
	q := to.Query()
	q.Set("id_token_hint", idToken)
	q.Set("client_id", p.o.ClientID)
	if p.o.LogoutURL != "" {
		q.Set("post_logout_redirect_uri", p.o.LogoutURL)
	}
	to.RawQuery = q.Encode()
	return to.String(), nil
}

// verify checks the ID token: the library its signature (RS256 by a published
// key), issuer, audience and expiry; we the rest (OpenID Connect Core 3.1.3.7).
func (p *Party) verify(ctx context.Context, prov *provider, tok *oauth2.Token, a Attempt) (Proof, error) {
	raw, ok := tok.Extra("id_token").(string)
	if !ok || raw == "" {
		return Proof{}, refuse("no id token")
	}
	var keysErr error
	id, err := prov.verifier.Verify(context.WithValue(p.client(ctx), keysErrKey{}, &keysErr), raw)
	if unreachable := new(url.Error); errors.As(keysErr, &unreachable) {
		return Proof{}, unavailable(keysErr)
	}
	if err != nil {
		return Proof{}, refuse("id token: " + err.Error())
	}
	var c struct {
		ACR      string `json:"acr"`
		AZP      string `json:"azp"`
		AtHash   string `json:"at_hash"`
		AuthTime int64  `json:"auth_time"`
	}
	if err := id.Claims(&c); err != nil {
		return Proof{}, refuse("claims of another shape")
	}
	now := p.o.Clock.Now()
	switch {
	case id.Subject == "":
		return Proof{}, refuse("no subject")
	case a.Nonce == "" || subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(a.Nonce)) != 1:
		return Proof{}, refuse("another nonce")
	case len(id.Audience) != 1 || c.AZP != "" && c.AZP != p.o.ClientID:
		return Proof{}, refuse("meant for others too")
	case !p.accepts(c.ACR):
		return Proof{}, refuse("authentication level too low")
	case id.IssuedAt.IsZero() || id.IssuedAt.After(now.Add(maxSkew)) || id.IssuedAt.Before(now.Add(-maxAuth)):
		return Proof{}, refuse("issued at another time")
	case c.AtHash != "" && id.VerifyAccessToken(tok.AccessToken) != nil:
		return Proof{}, refuse("of another access token")
	case a.Again && (c.AuthTime == 0 || time.Unix(c.AuthTime, 0).After(now.Add(maxSkew)) || time.Unix(c.AuthTime, 0).Before(now.Add(-a.Within-maxSkew))):
		return Proof{}, refuse("the person was not asked again")
	}
	at := id.IssuedAt
	if c.AuthTime > 0 {
		at = time.Unix(c.AuthTime, 0)
	}
	return Proof{Issuer: id.Issuer, Subject: id.Subject, ACR: c.ACR, At: at.UTC(), IDToken: raw}, nil
}

// accepts says whether a level of authentication is one that is asked for, as
// it is written: a level that is not known is none.
func (p *Party) accepts(acr string) bool { return slices.Contains(p.o.ACRs, acr) }

// who reads the userinfo endpoint and insists that it speaks of the same person.
func (p *Party) who(ctx context.Context, prov *provider, accessToken, subject string) (Professional, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, prov.userinfo, nil)
	if err != nil {
		return Professional{}, fmt.Errorf("prosante: userinfo address: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+accessToken)
	var u userinfo
	if err := p.fetch(req, &u); err != nil {
		return Professional{}, err
	}
	if u.Subject != subject {
		return Professional{}, refuse("userinfo of somebody else")
	}
	id, err := ParseIdNat(u.SubjectNameID)
	if err != nil {
		return Professional{}, refuse("no national identifier: " + err.Error())
	}
	return Professional{IdNat: id, GivenName: u.GivenName, FamilyName: u.FamilyName, Exercices: u.RefPro.Exercices}, nil
}

func (p *Party) fetch(req *http.Request, out any) error {
	res, err := p.http.Do(req)
	if err != nil {
		return unavailable(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	switch {
	case err != nil:
		return unavailable(err)
	case res.StatusCode >= 500:
		return unavailable(fmt.Errorf("%s answers %d", req.URL.Path, res.StatusCode))
	case res.StatusCode != http.StatusOK:
		return refuse(fmt.Sprintf("%s answers %d", req.URL.Path, res.StatusCode))
	}
	if err := json.Unmarshal(body, out); err != nil {
		return refuse(req.URL.Path + " answers something else than JSON")
	}
	return nil
}

func (p *Party) client(ctx context.Context) context.Context { return oidc.ClientContext(ctx, p.http) }

func exchangeFault(err error) error {
	var answered *oauth2.RetrieveError
	if errors.As(err, &answered) && answered.Response.StatusCode < 500 {
		return refuse("token endpoint refuses: " + answered.ErrorCode)
	}
	if answered != nil {
		return unavailable(fmt.Errorf("token endpoint answers %d", answered.Response.StatusCode))
	}
	var network *url.Error
	if errors.As(err, &network) {
		return unavailable(err)
	}
	return refuse("token endpoint answers something else")
}

// keySet keeps why a signature was not verified, which the library flattens to
// text: keys that cannot be fetched are no proof of a bad token.
type keySet struct{ oidc.KeySet }

type keysErrKey struct{}

// VerifySignature implements oidc.KeySet.
func (k keySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := k.KeySet.VerifySignature(ctx, token)
	if kept, ok := ctx.Value(keysErrKey{}).(*error); ok {
		*kept = err
	}
	return payload, err
}

func unavailable(cause error) error {
	return fault.New(fault.Unavailable, "psc-unavailable").Because(fmt.Errorf("prosante: %w", cause))
}

func refuse(why string) error {
	return fault.New(fault.Unauthenticated, "psc-refused").Because(errors.New("prosante: " + why))
}
