package httpx

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"visavis/internal/typography"

	"github.com/danielgtaylor/huma/v2"
)

// ours makes huma speak as we do: its refusals are our problems, also in the
// document, and a list is never null. The settings are global to huma; they
// read everything from the request's context, so once is enough.
var ours = sync.OnceFunc(func() {
	huma.ValidateStrictCasing = true // encoding/json takes "NAME" for "name": it must not come past the check
	huma.NewErrorWithContext = func(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
		return fromHuma(ctx.Context(), status, msg, errs)
	}
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		return fromHuma(context.Background(), status, msg, errs)
	}
	huma.DefaultArrayNullable = false
})

// Named is op with an operationId of its own.
func (op Op) Named(id string) Op {
	op.ID = id
	return op
}

// File is op, answering bytes of one of these media types instead of JSON; the
// handler sets the Content-Type.
func (op Op) File(mediaTypes ...string) Op {
	op.mediaTypes = mediaTypes
	return op
}

// Matched is op, needing If-Match.
func (op Op) Matched() Op {
	op.Match = true
	return op
}

// id is the operationId: a verb, then what it is done to.
func (op Op) id() string {
	if op.ID != "" {
		return op.ID
	}
	thing, verb, _ := strings.Cut(string(op.Action), ".")
	verb, rest, _ := strings.Cut(verb, "-")
	return verb + camel(thing) + camel(rest)
}

// answers describes the answer that the types of a handler do not.
func (op Op) answers() map[string]*huma.Response {
	if len(op.mediaTypes) == 0 {
		return nil
	}
	content := map[string]*huma.MediaType{}
	for _, t := range op.mediaTypes {
		content[t] = &huma.MediaType{Schema: &huma.Schema{Type: "string", Format: "binary"}}
	}
	return map[string]*huma.Response{strconv.Itoa(max(op.Status, http.StatusOK)): {
		Description: http.StatusText(http.StatusOK),
		Content:     content,
	}}
}

// name is the operationId of op, and notes one that is taken for OpenAPI to tell.
func (s *Server) name(op Op) string {
	id, route := op.id(), op.Method+" "+op.Path
	if first, taken := s.named[id]; taken {
		s.twice = append(s.twice, fmt.Errorf("httpx: %s and %s are both %q: name one of them (httpx.Op.ID)", first, route, id))
		return route
	}
	s.named[id] = route
	return id
}

// camel joins words-like-these as WordsLikeThese.
func camel(words string) string {
	var out strings.Builder
	for w := range strings.SplitSeq(words, "-") {
		if w != "" {
			out.WriteString(strings.ToUpper(w[:1]) + w[1:])
		}
	}
	return out.String()
}

// headers describes what Handle reads from the request by itself.
func (op Op) headers() []*huma.Param {
	var out []*huma.Param
	if op.Once {
		out = append(out, &huma.Param{Name: "Idempotency-Key", In: "header", Required: true, Schema: &huma.Schema{Type: "string", Format: "uuid"}})
	}
	if op.Match {
		out = append(out, &huma.Param{Name: "If-Match", In: "header", Required: true, Schema: &huma.Schema{Type: "string"},
			Description: "the entity tag of what the caller saw"})
	}
	return out
}

// schemaName names a type of the API by its module, so that two modules may
// each have a Person.
func (s *Server) schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	module := path.Base(t.PkgPath())
	if t.PkgPath() == "" {
		module = s.module // a type without a name belongs to the module that registers it
	}
	if module == "" {
		return huma.DefaultSchemaNamer(t, hint)
	}
	return strings.ToUpper(module[:1]) + module[1:] + huma.DefaultSchemaNamer(t, hint)
}

// OpenAPI gives the OpenAPI 3.1 document as JSON: the same bytes for the same
// routes. It fails when two routes have one operationId.
func (s *Server) OpenAPI() ([]byte, error) {
	if len(s.twice) > 0 {
		return nil, errors.Join(s.twice...)
	}
	raw, err := s.api.OpenAPI().MarshalJSON()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// typedTexts lists the free texts in the body of an input type.
func typedTexts(in reflect.Type) []Typed {
	body, ok := in.FieldByName("Body")
	if !ok {
		return nil
	}
	var out []Typed
	appendTexts(&out, body.Type, "", "", map[reflect.Type]bool{})
	return out
}

func appendTexts(out *[]Typed, t reflect.Type, path, printed string, within map[reflect.Type]bool) {
	switch t.Kind() {
	case reflect.Pointer:
		appendTexts(out, t.Elem(), path, printed, within)
	case reflect.Slice, reflect.Map:
		appendTexts(out, t.Elem(), path+"[]", printed, within)
	case reflect.String:
		*out = append(*out, Typed{path, printed})
	case reflect.Struct:
		if within[t] {
			return
		}
		within[t] = true
		defer delete(within, t)
		for f := range t.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if !f.IsExported() || name == "-" || f.Tag.Get("enum")+f.Tag.Get("pattern")+f.Tag.Get("format") != "" {
				continue
			}
			at := path
			if !f.Anonymous {
				at = strings.TrimPrefix(path+"."+name, ".")
			}
			appendTexts(out, f.Type, at, f.Tag.Get(typography.Tag), within)
		}
	}
}
