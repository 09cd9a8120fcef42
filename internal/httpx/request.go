package httpx

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"unicode/utf8"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"

	"github.com/gin-gonic/gin"
)

// request is what every layer may know of the HTTP request.
type request struct {
	id     string
	lang   care.Language
	remote string // IP of the client, through trusted proxies only
	plain  bool   // a trusted proxy says that the client came without TLS
	key    string // Idempotency-Key
	match  string // If-Match
	agent  string
	say    translator
	who    string // pseudonym of the actor, for the log

	// Of a refusal, for the audit (refused.go).
	action authz.Action
	object string
	caller authz.Actor // whom a handler found behind a secret that opens nothing any more
	token  string      // session cookie that opened nothing
	server *Server
}

type requestKey struct{}

func with(ctx context.Context, r *request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

func from(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return &request{lang: care.French}
}

// Language is the language of the request: the caller's Accept-Language.
func Language(ctx context.Context) care.Language { return from(ctx).lang }

// Remote is the IP address of the caller, for limits only: it is never stored.
func Remote(ctx context.Context) string { return from(ctx).remote }

// IfMatch is the entity tag the caller last saw, without quotes; empty if none.
func IfMatch(ctx context.Context) string {
	return strings.Trim(strings.TrimPrefix(from(ctx).match, "W/"), `"`)
}

// Pseudonym names the caller in the log: the same for one person, and nobody's
// name without the key. Empty for who is not signed in.
func Pseudonym(ctx context.Context) string { return from(ctx).who }

// UserAgent is the browser's name for itself, at most 200 bytes.
func UserAgent(ctx context.Context) string { return from(ctx).agent }

func (s *Server) language(r *http.Request) care.Language {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag := strings.ToLower(strings.TrimSpace(part))
		switch {
		case strings.HasPrefix(tag, "fr"):
			return care.French
		case strings.HasPrefix(tag, "en"):
			return care.English
		}
	}
	return care.French
}

func (s *Server) context(c *gin.Context) {
	remote, plain := s.o.Proxies.client(c.Request)
	agent := c.Request.UserAgent()
	r := &request{
		id: care.NewID(s.o.Clock.Now()), lang: s.language(c.Request), remote: remote, plain: plain,
		key: c.GetHeader("Idempotency-Key"), match: c.GetHeader("If-Match"), agent: agent[:min(len(agent), 200)], say: s.say,
		server: s,
	}
	c.Request = c.Request.WithContext(with(c.Request.Context(), r))
	c.Header("X-Request-Id", r.id)
	start := s.o.Clock.Now()
	c.Next()
	// The route's pattern is logged, never the URL: ids and queries stay out.
	s.o.Log.Info("request", "id", r.id, "method", c.Request.Method, "route", c.FullPath(),
		"status", c.Writer.Status(), "actor", r.who, "ms", s.o.Clock.Now().Sub(start).Milliseconds())
}

func (s *Server) recover(c *gin.Context) {
	defer func() {
		if v := recover(); v != nil {
			if v == http.ErrAbortHandler {
				panic(v) // net/http's own way to drop a connection
			}
			s.o.Log.Error("panic", "id", from(c.Request.Context()).id, "what", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
			if !c.Writer.Written() {
				s.refuse(c, fault.New(fault.Internal, "internal"))
			}
		}
	}()
	c.Next()
}

// session puts the actor of the session cookie in the context. A cookie that
// opens nothing makes an anonymous request, which the table then refuses. What
// is no route, the web app's files, is the same for everybody: nobody is looked
// up, and a database that is away keeps no page from showing.
func (s *Server) session(c *gin.Context) {
	actor := authz.Actor{Role: care.Anonymous}
	if cookie, err := c.Request.Cookie(CookieName); err == nil && cookie.Value != "" && c.FullPath() != "" {
		a, err := s.o.Sessions.Authenticate(c.Request.Context(), cookie.Value)
		if err != nil {
			s.refuse(c, err)
			return
		}
		if a.Role != "" {
			actor = a
		} else {
			from(c.Request.Context()).token = cookie.Value
		}
	}
	actor.Request = from(c.Request.Context()).id
	if s.o.Pseudonym != nil && actor.Role != care.Anonymous {
		from(c.Request.Context()).who = s.o.Pseudonym(actor.ID())
	}
	c.Request = c.Request.WithContext(authz.With(c.Request.Context(), actor))
	c.Next()
}

// CookieName is the session cookie (trust B10).
const CookieName = "__Host-visavis"

// SessionCookie makes the cookie that carries a new session token.
func SessionCookie(token string) http.Cookie {
	return http.Cookie{Name: CookieName, Value: token, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// EndCookie makes the cookie that removes the session from the browser.
func EndCookie() http.Cookie {
	c := SessionCookie("")
	c.MaxAge = -1
	return c
}

func (s *Server) headers(c *gin.Context) {
	s.secure(c.Writer.Header(), from(c.Request.Context()).plain)
	if strings.HasPrefix(c.Request.URL.Path, "/api/") {
		c.Header("Cache-Control", "no-store")
	}
	c.Next()
}

// readable refuses a path that no record can have and no database can hold.
func (s *Server) readable(c *gin.Context) {
	if path := c.Request.URL.Path; !utf8.ValidString(path) || strings.ContainsRune(path, 0) {
		s.refuse(c, missingRoute())
		return
	}
	c.Next()
}

// secure sets the headers that every answer carries (trust S20). HSTS has no
// place in an answer that leaves without TLS (RFC 6797 §7.2).
func (s *Server) secure(h http.Header, plain bool) {
	h.Set("Content-Security-Policy", s.policy())
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=()")
	if strings.HasPrefix(s.o.PublicURL, "https://") && !plain {
		h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
	}
}

func (s *Server) policy() string {
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; " +
		"connect-src 'self'; media-src 'self' blob:; worker-src 'self'; manifest-src 'self'; " +
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
}

// note logs what people are not told: the cause of an internal failure.
func (s *Server) note(ctx context.Context, err error) {
	switch fault.KindOf(err) {
	case fault.Internal:
		s.o.Log.Error("request failed", "id", from(ctx).id, "actor", Pseudonym(ctx), "error", err)
	case fault.Unavailable:
		s.o.Log.Warn("request failed", "id", from(ctx).id, "actor", Pseudonym(ctx), "error", err)
	}
}
