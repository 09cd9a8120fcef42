package psc

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
	"golang.org/x/text/language"
)

const (
	realmPath     = "/auth/realms/esante-wallet"
	authorizePath = "/wallet/auth" // on another host than the issuer in the national service
	tokenPath     = "/protocol/openid-connect/token"
	userinfoPath  = "/protocol/openid-connect/userinfo"
	minNonce      = 32

	introspectPath = "/protocol/openid-connect/token/introspect"
)

// strictServer refuses what the national service's rules forbid and the
// library would let pass.
type strictServer struct{ *op.LegacyServer }

// VerifyAuthRequest asks for state, a long nonce, PKCE S256, scope_all and
// acr_values=eidas1, as interop §2.4.
func (s strictServer) VerifyAuthRequest(ctx context.Context, r *op.Request[oidc.AuthRequest]) (*op.ClientRequest[oidc.AuthRequest], error) {
	refuse := func(what string) (*op.ClientRequest[oidc.AuthRequest], error) {
		return nil, oidc.ErrInvalidRequest().WithDescription("%s", what)
	}
	d := r.Data
	switch {
	case d.State == "":
		return refuse("state is mandatory")
	case len(d.Nonce) < minNonce:
		return refuse("nonce is mandatory, 32 characters or more")
	case d.CodeChallenge == "" || d.CodeChallengeMethod != oidc.CodeChallengeMethodS256:
		return refuse("PKCE with S256 is mandatory")
	case !slices.Contains(d.Scopes, scopeAll):
		return refuse("scope must hold scope_all")
	case !slices.Equal(d.ACRValues, []string{eidas1}):
		return refuse("acr_values must be eidas1")
	}
	return s.LegacyServer.VerifyAuthRequest(ctx, r)
}

// CodeExchange never forgets the code verifier.
func (s strictServer) CodeExchange(ctx context.Context, r *op.ClientRequest[oidc.AccessTokenRequest]) (*op.Response, error) {
	if r.Data.CodeVerifier == "" {
		return nil, oidc.ErrInvalidGrant().WithDescription("code_verifier is mandatory")
	}
	return s.LegacyServer.CodeExchange(ctx, r)
}

// newProvider returns the OpenID Connect part, serving below realmPath and at
// authorizePath, and the address of the callback after sign-in.
func newProvider(base string, store *storage, log *slog.Logger) (http.Handler, error) {
	issuer := base + realmPath
	config := &op.Config{CodeMethodS256: true, AuthMethodPost: true,
		SupportedScopes:    []string{oidc.ScopeOpenID, scopeAll},
		SupportedUILocales: []language.Tag{language.French}}
	rand.Read(config.CryptoKey[:])
	provider, err := op.NewProvider(config, store, op.StaticIssuer(issuer), op.WithAllowInsecure(), op.WithLogger(log))
	if err != nil {
		return nil, err
	}
	server := strictServer{op.NewLegacyServer(provider, op.Endpoints{
		Authorization: op.NewEndpointWithURL(authorizePath, base+authorizePath),
		Token:         op.NewEndpoint(tokenPath),
		Introspection: op.NewEndpoint(introspectPath),
		Userinfo:      op.NewEndpoint(userinfoPath),
		Revocation:    op.NewEndpoint("/protocol/openid-connect/revoke"),
		EndSession:    op.NewEndpoint("/protocol/openid-connect/logout"),
		JwksURI:       op.NewEndpoint("/protocol/openid-connect/certs"),
	})}
	handler := op.RegisterLegacyServer(server, op.AuthorizeCallbackHandler(provider),
		op.WithFallbackLogger(log), op.WithServerCORSOptions(nil))
	realm := http.StripPrefix(realmPath, walletDiscovery(handler))
	mux := http.NewServeMux()
	mux.Handle(realmPath+"/", realm)
	mux.Handle(authorizePath, handler)
	mux.Handle(authorizePath+"/callback", handler)
	return mux, nil
}

// walletDiscovery answers Pro Santé Connect's own discovery path too.
func walletDiscovery(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/.well-known/wallet-openid-configuration") {
			r = r.Clone(r.Context())
			r.URL.Path = oidc.DiscoveryEndpoint
		}
		next.ServeHTTP(w, r)
	})
}
