// Package httpx is the one Gin engine of visavis: sign-in of each request,
// authorisation before anything is read, typed handlers by huma, RFC 9457
// problems in the caller's language, idempotency keys, limits and headers.
package httpx

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"

	"visavis/internal/authz"
	"visavis/internal/clock"
	"visavis/internal/lang"
	"visavis/internal/limit"
	"visavis/internal/seal"
	"visavis/internal/store"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
)

//go:embed texts
var texts embed.FS

// Texts is the catalogue of the errors every module may answer.
func Texts() (*lang.Catalogue, error) {
	sub, err := fs.Sub(texts, "texts")
	if err != nil {
		return nil, err
	}
	return lang.New(sub, "fr", "en")
}

// Authenticator turns a session cookie into the one who asks. It is identity's.
type Authenticator interface {
	// Authenticate gives the actor of a session token, or a zero Actor when
	// the token opens nothing.
	Authenticate(ctx context.Context, token string) (authz.Actor, error)
}

// Options are what a server is made of.
type Options struct {
	DB        *store.DB
	Keeper    *seal.Keeper
	Clock     clock.Clock
	Log       *slog.Logger
	Table     *authz.Table
	Sessions  Authenticator
	Limits    limit.Limiter
	Languages []*lang.Catalogue      // of every module; Texts is added
	PublicURL string                 // as https://host, no slash at the end
	Hosts     []string               // further hosts that are served: name, name:port or name:*
	Pseudonym func(id string) string // of an actor, for the log; nil: none
	Proxies   Proxies                // whom to believe about the client; nobody when empty
	// Refused is told of each refusal of somebody we know, before the answer, and
	// must return at once; nil: nobody is told.
	Refused func(authz.Refusal)
	// Former gives whose session a cookie was that opens nothing any more; a zero
	// Actor when it never did. Nil: nobody's.
	Former func(ctx context.Context, token string) (authz.Actor, error)
}

// Server is the engine with its API.
type Server struct {
	o      Options
	engine *gin.Engine
	api    huma.API
	routes []Route
	module string            // whose routes are being registered
	named  map[string]string // operationId to route
	twice  []error           // operationIds of several routes
	say    translator
	hosts  *hosts
}

// Route is one line of the list of routes, for the tests of the repository.
type Route struct {
	Method string
	Path   string
	Action authz.Action
	Texts  []Typed // free texts of the body
}

// Typed is a free text that a caller types: no enumeration, no pattern, no format.
type Typed struct {
	Path    string // as lines[].name
	Printed string // the tag of internal/typography: line or text, empty when the text reaches no document
}

// New returns a server without routes.
func New(o Options) (*Server, error) {
	own, err := Texts()
	if err != nil {
		return nil, err
	}
	gin.SetMode(gin.ReleaseMode)
	s := &Server{o: o, engine: gin.New(), named: map[string]string{}, say: translator(append(o.Languages, own)), hosts: newHosts(o.PublicURL, o.Hosts)}
	s.engine.HandleMethodNotAllowed = true
	s.engine.UseRawPath = false
	s.engine.RedirectTrailingSlash = false // gin would build the address from X-Forwarded-Prefix
	if err := s.engine.SetTrustedProxies(nil); err != nil {
		return nil, err
	}
	s.engine.Use(s.context, s.recover, s.headers, s.readable, s.session)
	s.engine.NoMethod(func(c *gin.Context) {
		c.Writer.Header().Del("Allow") // answers like a route that does not exist
		s.refuse(c, missingRoute())
	})
	cfg := huma.DefaultConfig("visavis", "1")
	cfg.OpenAPIPath = "/api/openapi"
	cfg.DocsPath = "" // its page would load a script from a third party
	cfg.SchemasPath = ""
	cfg.CreateHooks = nil // no $schema in answers
	cfg.Formats = formats()
	cfg.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", s.schemaName)
	ours()
	s.api = humagin.New(s.engine, cfg)
	return s, nil
}

// Routes lists what was registered.
func (s *Server) Routes() []Route { return s.routes }

// Mount serves a path that is no typed handler (a WebSocket, a redirect, the
// web app) after the same sign-in; action is checked first all the same. What a
// path has in braces is the request's PathValue.
func (s *Server) Mount(method, path string, action authz.Action, h http.HandlerFunc) {
	s.routes = append(s.routes, Route{Method: method, Path: path, Action: action})
	s.engine.Handle(method, strings.NewReplacer("{", ":", "}", "").Replace(path), func(c *gin.Context) {
		about(c, path, action)
		if err := s.o.Table.May(authz.From(c.Request.Context()), action); err != nil {
			s.refuse(c, err)
			return
		}
		for _, p := range c.Params {
			c.Request.SetPathValue(p.Key, p.Value)
		}
		h(c.Writer, c.Request)
	})
}

// Fallback serves everything that is no API route: the web app.
func (s *Server) Fallback(h http.HandlerFunc) {
	s.engine.NoRoute(func(c *gin.Context) {
		if strings.HasPrefix(c.Request.URL.Path, "/api/") {
			s.refuse(c, missingRoute())
			return
		}
		c.Status(http.StatusOK) // gin set 404 beforehand; h may still say so
		h(c.Writer, c.Request)
	})
}

// Handler is the server behind the check of Host and cross-origin protection: a
// request for another host, and an unsafe request of another origin, are refused
// before anything else (trust S11).
func (s *Server) Handler() http.Handler {
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.turnAway(w, r, http.StatusForbidden, crossOrigin())
	}))
	return s.misdirected(guard.Handler(s.engine))
}

// Refuse writes the problem of err, for handlers given to Mount.
func Refuse(w http.ResponseWriter, r *http.Request, err error) { write(w, problem(r.Context(), err)) }

// RefuseAs is Refuse under a status that HTTP has for protocols and no kind of
// fault has, as 415.
func RefuseAs(w http.ResponseWriter, r *http.Request, status int, err error) {
	p := problem(r.Context(), err)
	p.Status = status
	write(w, p)
}

func (s *Server) refuse(c *gin.Context, err error) {
	s.note(c.Request.Context(), err)
	write(c.Writer, problem(c.Request.Context(), err))
	c.Abort()
}
