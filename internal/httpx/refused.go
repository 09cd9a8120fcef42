package httpx

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"

	"github.com/gin-gonic/gin"
)

// crossSite is the action of a request that another site made in somebody's name.
const crossSite authz.Action = "request.cross-origin"

// closedLinks are the answers 410 that refuse a person. Others tell that an act
// is over or a form too old.
func closedLinks() []string { return []string{"link-revoked", "link-expired"} }

// refused reports to Options.Refused a problem that refuses a known actor. Each
// problem passes here, whichever way it is answered; the answer does not change.
func refused(ctx context.Context, f *fault.Error) {
	r := from(ctx)
	if r.server == nil || r.server.o.Refused == nil {
		return
	}
	reason := reasonOf(f)
	if reason == "" {
		return
	}
	a := r.known(ctx)
	if a.Role == care.Anonymous || a.Role == care.System || a.Role == "" {
		return
	}
	r.server.o.Refused(authz.Refusal{Actor: a, Action: r.action, Object: r.object, Reason: reason})
}

// NoteRefusal reports a refusal that is answered with a redirect, as a problem is
// by itself. Other errors are left alone.
func NoteRefusal(ctx context.Context, err error) {
	var f *fault.Error
	if errors.As(err, &f) {
		refused(ctx, f)
	}
}

// reasonOf gives the code of a problem that refuses a person; empty for one that
// does not, as a field that is wrong.
func reasonOf(f *fault.Error) string {
	switch f.Kind {
	case fault.Unauthenticated, fault.Forbidden, fault.NotFound:
		return f.Code
	case fault.Gone:
		if slices.Contains(closedLinks(), f.Code) {
			return f.Code
		}
	case fault.Invalid: // who decides for a minor without the right to
		for _, field := range f.Fields {
			if field.Code == "representative-not-on-file" || field.Code == "representative-code-needed" {
				return field.Code
			}
		}
	}
	return ""
}

// known gives the actor of a refused request: the one signed in, or the owner of the
// link or of the ended session in the request.
func (r *request) known(ctx context.Context) authz.Actor {
	a := authz.From(ctx)
	if a.Role != care.Anonymous {
		return a
	}
	if r.caller.Role != "" {
		a = r.caller
	} else if r.token != "" && r.server.o.Former != nil {
		former, err := r.server.o.Former(ctx, r.token)
		if err != nil {
			r.server.o.Log.Warn("refusals: whose session it was is not known", "id", r.id, "error", err)
		}
		r.token = "" // one look for one request
		a = former
		r.caller = former
	}
	a.Request = r.id
	return a
}

// NameCaller says whose secret a request came with, though it opens nothing any
// more: a refusal is then theirs in the audit. It signs nobody in.
func NameCaller(ctx context.Context, a authz.Actor) { from(ctx).caller = a }

// behind finds the actor of a request that is refused before sign-in.
func (s *Server) behind(ctx context.Context, r *http.Request) context.Context {
	cookie, err := r.Cookie(CookieName)
	if err != nil || cookie.Value == "" || s.o.Refused == nil {
		return ctx
	}
	a, err := s.o.Sessions.Authenticate(ctx, cookie.Value)
	if err != nil || a.Role == "" {
		from(ctx).token = cookie.Value
		return ctx
	}
	a.Request = from(ctx).id
	return authz.With(ctx, a)
}

// about notes what a request is about, as the audit names it: the first id of
// its path, or one in its query.
func about(c *gin.Context, path string, action authz.Action) {
	r := from(c.Request.Context())
	r.action = action
	parts := strings.Split(strings.TrimPrefix(path, "/api/"), "/")
	for i, p := range parts {
		if i > 0 && strings.HasPrefix(p, "{") {
			r.object = singular(parts[i-1])
			if id := c.Param(strings.Trim(p, "{}")); care.ValidID(id) {
				r.object += "/" + id
			}
			return
		}
	}
	r.object = singular(parts[0])
	query := c.Request.URL.Query()
	for _, kind := range [...]string{"patient", "appointment", "encounter", "practitioner"} {
		if id := query.Get(kind + "Id"); care.ValidID(id) {
			r.object = kind + "/" + id
			return
		}
	}
}

func singular(word string) string {
	if stem, ok := strings.CutSuffix(word, "ies"); ok {
		return stem + "y"
	}
	return strings.TrimSuffix(word, "s")
}

// named adds the first id of a body to a request whose path and query have none.
func named(ctx context.Context, in any) {
	r := from(ctx)
	v := reflect.Indirect(reflect.ValueOf(in))
	if strings.Contains(r.object, "/") || v.Kind() != reflect.Struct {
		return
	}
	body := v.FieldByName("Body")
	if body.Kind() != reflect.Struct {
		return
	}
	for i := range body.NumField() {
		name, ok := strings.CutSuffix(body.Type().Field(i).Name, "ID")
		if f := body.Field(i); ok && f.Kind() == reflect.String && care.ValidID(f.String()) {
			r.object = strings.ToLower(name) + "/" + f.String()
			return
		}
	}
}
