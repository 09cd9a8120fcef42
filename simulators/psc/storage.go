package psc

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

const requestLife = 5 * time.Minute

var errUnknown = errors.New("unknown or expired")

// keyPair holds the published signing key and one that never is.
type keyPair struct {
	kid                  string
	current, unpublished *rsa.PrivateKey
}

func newKeyPair() (keyPair, error) {
	current, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return keyPair{}, err
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	return keyPair{kid: rand.Text(), current: current, unpublished: other}, err
}

// storage is what the provider remembers: requests under way, codes, tokens.
type storage struct {
	opts Options
	keys keyPair

	mu       sync.Mutex
	requests map[string]*request
	codes    map[string]string // code → request id
	usedCode string            // the last one exchanged
	tokens   map[string]token
	over     []string // national identifiers, signed out
}

type token struct {
	account Account
	client  string
	scopes  []string
	expires time.Time
}

func newStorage(o Options, keys keyPair) *storage {
	return &storage{opts: o, keys: keys, requests: map[string]*request{}, codes: map[string]string{}, tokens: map[string]token{}}
}

// sub is « f:<uuid>:<IdNat> », stable for one account.
func sub(idNat string) string {
	h := sha256.Sum256([]byte("psc-simulator " + idNat))
	return fmt.Sprintf("f:%x-%x-%x-%x-%x:%s", h[:4], h[4:6], h[6:8], h[8:10], h[10:16], idNat)
}

func (s *storage) accountBySubject(subject string) (Account, bool) {
	for _, a := range s.opts.Accounts {
		if sub(a.IdNat) == subject {
			return a, true
		}
	}
	return Account{}, false
}

// signIn marks the request as authenticated by the account.
func (s *storage) signIn(requestID, idNat string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.requests[requestID]
	if !ok || time.Since(r.created) > requestLife {
		return errUnknown
	}
	for _, a := range s.opts.Accounts {
		if a.IdNat == idNat {
			r.subject, r.authTime = sub(idNat), time.Now()
			return nil
		}
	}
	return errUnknown
}

func (s *storage) CreateAuthRequest(_ context.Context, r *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, old := range s.requests {
		if time.Since(old.created) > requestLife {
			delete(s.requests, id)
		}
	}
	req := &request{AuthRequest: r, id: rand.Text(), created: time.Now()}
	s.requests[req.id] = req
	return req, nil
}

// askedAgain tells whether a request wants the person to be asked, whoever the
// provider remembers (OpenID Connect Core 3.1.2.1).
func (s *storage) askedAgain(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.requests[id]
	return ok && slices.Contains(r.Prompt, oidc.PromptLogin)
}

func (s *storage) AuthRequestByID(_ context.Context, id string) (op.AuthRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.requests[id]
	if !ok {
		return nil, errUnknown
	}
	copied := *r
	return &copied, nil
}

func (s *storage) AuthRequestByCode(ctx context.Context, code string) (op.AuthRequest, error) {
	s.mu.Lock()
	id, ok := s.codes[code]
	s.mu.Unlock()
	if !ok {
		return nil, errUnknown
	}
	return s.AuthRequestByID(ctx, id)
}

func (s *storage) SaveAuthCode(_ context.Context, id, code string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes[code] = id
	return nil
}

// DeleteAuthRequest makes the request's code good for nothing any more.
func (s *storage) DeleteAuthRequest(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.requests, id)
	for code, of := range s.codes {
		if of == id {
			s.usedCode = code
			delete(s.codes, code)
		}
	}
	return nil
}

func (s *storage) lastUsedCode() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.usedCode == "" {
		return "jamais-emis"
	}
	return s.usedCode
}

func (s *storage) CreateAccessToken(_ context.Context, r op.TokenRequest) (string, time.Time, error) {
	account, ok := s.accountBySubject(r.GetSubject())
	if !ok {
		return "", time.Time{}, errUnknown
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, t := range s.tokens {
		if time.Now().After(t.expires) {
			delete(s.tokens, id)
		}
	}
	id, expires := rand.Text(), time.Now().Add(s.opts.AccessTokenLife)
	s.tokens[id] = token{account: account, client: s.opts.ClientID, scopes: r.GetScopes(), expires: expires}
	return id, expires, nil
}

func (s *storage) token(id string) (token, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tokens[id]
	return t, ok && time.Now().Before(t.expires)
}

func (s *storage) SetUserinfoFromToken(_ context.Context, info *oidc.UserInfo, tokenID, subject, _ string) error {
	t, ok := s.token(tokenID)
	if !ok || sub(t.account.IdNat) != subject {
		return errUnknown
	}
	info.Subject = subject
	info.Claims = t.account.claims()
	return nil
}

// SetUserinfoFromScopes puts the subject in the ID token, and nothing else: the
// national service keeps the claims for userinfo.
func (s *storage) SetUserinfoFromScopes(_ context.Context, info *oidc.UserInfo, subject, _ string, _ []string) error {
	info.Subject = subject
	return nil
}

func (s *storage) SetIntrospectionFromToken(_ context.Context, out *oidc.IntrospectionResponse, tokenID, subject, client string) error {
	t, ok := s.token(tokenID)
	if !ok || client != t.client || sub(t.account.IdNat) != subject {
		return errUnknown
	}
	out.Active, out.Subject, out.ClientID, out.Scope = true, subject, t.client, t.scopes
	out.Expiration = oidc.FromTime(t.expires)
	out.Claims = map[string]any{"acr": eidas1, "preferred_username": t.account.IdNat}
	return nil
}

func (s *storage) RevokeToken(_ context.Context, id, _, _ string) *oidc.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, id)
	return nil
}

func (s *storage) signedOut() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.over)
}

func (s *storage) TerminateSession(_ context.Context, subject, _ string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.opts.Accounts {
		if sub(a.IdNat) == subject {
			s.over = append(s.over, a.IdNat)
		}
	}
	for id, t := range s.tokens {
		if sub(t.account.IdNat) == subject {
			delete(s.tokens, id)
		}
	}
	return nil
}

func (s *storage) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	if id != s.opts.ClientID {
		return nil, oidc.ErrInvalidClient().WithDescription("unknown client")
	}
	return client{s.opts}, nil
}

func (s *storage) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	given, want := sha256.Sum256([]byte(id+"\x00"+secret)), sha256.Sum256([]byte(s.opts.ClientID+"\x00"+s.opts.ClientSecret))
	if subtle.ConstantTimeCompare(given[:], want[:]) != 1 {
		return errUnknown
	}
	return nil
}

func (s *storage) SigningKey(context.Context) (op.SigningKey, error) { return signingKey{s.keys}, nil }
func (s *storage) KeySet(context.Context) ([]op.Key, error)          { return []op.Key{publicKey{s.keys}}, nil }
func (s *storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256}, nil
}
func (s *storage) Health(context.Context) error { return nil }

// What follows belongs to grants and claims Pro Santé Connect does not offer.

func (s *storage) CreateAccessAndRefreshTokens(context.Context, op.TokenRequest, string) (string, string, time.Time, error) {
	return "", "", time.Time{}, errUnknown
}
func (s *storage) TokenRequestByRefreshToken(context.Context, string) (op.RefreshTokenRequest, error) {
	return nil, errUnknown
}
func (s *storage) GetRefreshTokenInfo(context.Context, string, string) (string, string, error) {
	return "", "", op.ErrInvalidRefreshToken
}
func (s *storage) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return nil, nil
}
func (s *storage) GetKeyByIDAndClientID(context.Context, string, string) (*jose.JSONWebKey, error) {
	return nil, errUnknown
}
func (s *storage) ValidateJWTProfileScopes(context.Context, string, []string) ([]string, error) {
	return nil, errUnknown
}
