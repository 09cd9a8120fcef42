package prosante

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"visavis/internal/fault"

	oidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// After a call for the configuration that failed, the next one is made this much
// later at the earliest, twice as much after each further failure, up to pauseMost.
const (
	pauseFirst = 2 * time.Second
	pauseMost  = 30 * time.Second
)

// provider reads the configuration document, and again after an hour. One call
// is made at a time, for everybody who waits; after a failure the next one is
// made after a pause, and until then the failure is the answer at once. While the
// provider is down the last configuration is kept.
func (p *Party) provider(ctx context.Context) (*provider, error) {
	for {
		p.mu.Lock()
		now := p.o.Clock.Now()
		switch {
		case p.found != nil && now.Before(p.found.until):
			defer p.mu.Unlock()
			return p.found, nil
		case p.failed != nil && now.Before(p.retryAt):
			defer p.mu.Unlock()
			return p.last()
		case p.asking == nil:
			done := make(chan struct{})
			p.asking = done
			go func() { // it belongs to everybody who waits; bounded by timeout
				fresh, err := p.discover(context.WithoutCancel(ctx), now)
				p.discovered(done, fresh, err)
			}()
		case p.found != nil: // somebody asks already
			defer p.mu.Unlock()
			return p.found, nil
		}
		asking := p.asking
		p.mu.Unlock()
		select {
		case <-asking:
		case <-ctx.Done():
			return nil, unavailable(ctx.Err())
		}
	}
}

// discovered keeps what a call gave.
func (p *Party) discovered(done chan struct{}, fresh *provider, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(done)
	p.asking, p.failed = nil, err
	if err == nil {
		p.found, p.pause = fresh, 0
		return
	}
	p.pause = min(max(2*p.pause, pauseFirst), pauseMost)
	p.retryAt = p.o.Clock.Now().Add(p.pause)
}

// last is the configuration of before while the provider is down, or why there
// is none.
func (p *Party) last() (*provider, error) {
	if p.found != nil && fault.KindOf(p.failed) == fault.Unavailable {
		return p.found, nil
	}
	return nil, p.failed
}

func (p *Party) discover(ctx context.Context, now time.Time) (*provider, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.o.DiscoveryURL, nil)
	if err != nil {
		return nil, fmt.Errorf("prosante: discovery address: %w", err)
	}
	var doc struct {
		Issuer   string `json:"issuer"`
		Auth     string `json:"authorization_endpoint"`
		Token    string `json:"token_endpoint"`
		UserInfo string `json:"userinfo_endpoint"`
		JWKS     string `json:"jwks_uri"`
		Logout   string `json:"end_session_endpoint"`
	}
	if err := p.fetch(req, &doc); err != nil {
		return nil, err
	}
	if doc.Issuer != p.o.Issuer {
		return nil, refuse("configuration of another issuer")
	}
	needed := []string{doc.Auth, doc.Token, doc.UserInfo, doc.JWKS}
	if doc.Logout != "" {
		needed = append(needed, doc.Logout)
	}
	for _, endpoint := range needed {
		if !p.acceptable(endpoint) {
			return nil, refuse("configuration with an unsafe address")
		}
	}
	// The key set outlives the request that found it.
	keys := oidc.NewRemoteKeySet(oidc.ClientContext(context.WithoutCancel(ctx), p.http), doc.JWKS)
	return &provider{
		config: oauth2.Config{ClientID: p.o.ClientID, ClientSecret: p.o.ClientSecret, RedirectURL: p.o.RedirectURL,
			Scopes: []string{"openid", "scope_all"}, Endpoint: oauth2.Endpoint{AuthURL: doc.Auth, TokenURL: doc.Token, AuthStyle: oauth2.AuthStyleInHeader}},
		verifier: oidc.NewVerifier(p.o.Issuer, keySet{keys}, &oidc.Config{ClientID: p.o.ClientID,
			SupportedSigningAlgs: []string{oidc.RS256}, Now: p.o.Clock.Now}),
		userinfo: doc.UserInfo, logout: doc.Logout, until: now.Add(time.Hour),
	}, nil
}

// acceptable: an endpoint is https, unless the issuer itself is a simulator's.
func (p *Party) acceptable(endpoint string) bool {
	u, err := url.Parse(endpoint)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http" && strings.HasPrefix(p.o.Issuer, "http://"))
}
