package httpx

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/lang"

	"github.com/danielgtaylor/huma/v2"
)

// Problem is the body of every refusal (RFC 9457). Code is for the person on
// the phone with support; Title and Detail are for the one who reads.
type Problem struct {
	Type   string         `json:"type"`
	Title  string         `json:"title"`
	Status int            `json:"status"`
	Detail string         `json:"detail"`
	Code   string         `json:"code"`
	Fields []ProblemField `json:"fields,omitempty"`
	More   int            `json:"more,omitempty" doc:"how many refused inputs are not listed in fields"`
	Ref    string         `json:"ref,omitempty" doc:"id of the request, absent where it could tell two refusals apart"`
	// Challenge is set with the code work-needed (identity/contacts, Work).
	Challenge string `json:"challenge,omitempty" doc:"with work-needed: what the same request must bring the answer to"`

	retryAfter string
}

// ProblemField says why one input was refused.
type ProblemField struct {
	Name   string `json:"name" doc:"JSON path in the body, as patient.phone or lines[0].dose"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// Error makes a Problem an error for huma; it is never shown.
func (p *Problem) Error() string { return p.Code }

// GetStatus gives the HTTP status to huma.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType makes huma answer application/problem+json.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders adds Retry-After to a throttled or unavailable answer.
func (p *Problem) GetHeaders() http.Header {
	if p.retryAfter == "" {
		return nil
	}
	return http.Header{"Retry-After": {p.retryAfter}}
}

type translator []*lang.Catalogue

func (t translator) text(l care.Language, key string, args map[string]string) (string, bool) {
	for _, c := range t {
		if _, ok := c.Lookup(string(l), key); ok {
			return c.T(string(l), key, lang.Args(args)), true
		}
	}
	return "", false
}

// statuses is the one place where a kind becomes a status.
func status(k fault.Kind) int {
	switch k {
	case fault.Malformed:
		return http.StatusBadRequest
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Slow:
		return http.StatusRequestTimeout
	case fault.Conflict:
		return http.StatusConflict
	case fault.Gone:
		return http.StatusGone
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.Invalid:
		return http.StatusUnprocessableEntity
	case fault.Throttled:
		return http.StatusTooManyRequests
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

func problem(ctx context.Context, err error) *Problem {
	var f *fault.Error
	if !errors.As(err, &f) {
		f = fault.New(fault.Internal, "internal")
	}
	r := from(ctx)
	refused(ctx, f)
	p := &Problem{Type: "https://visavis.invalid/problems/" + f.Code, Status: status(f.Kind), Code: f.Code}
	args := shortArgs(f.Args)
	p.Title, _ = r.say.text(r.lang, "fault."+f.Code+".title", args)
	p.Detail, _ = r.say.text(r.lang, "fault."+f.Code, args)
	if f.Kind != fault.NotFound {
		p.Ref = r.id // what one may not see answers byte for byte like what is absent
	}
	p.Challenge = f.Args["challenge"]
	if f.Kind == fault.Throttled || f.Kind == fault.Unavailable {
		p.retryAfter = f.Args["seconds"]
		if p.retryAfter == "" {
			p.retryAfter = "5"
		}
	}
	p.list(r, f.Fields)
	return p
}

func write(w http.ResponseWriter, p *Problem) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	if p.retryAfter != "" {
		w.Header().Set("Retry-After", p.retryAfter)
	}
	w.WriteHeader(p.Status)
	// The client is gone when this fails; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(p)
}

// fromHuma turns a refusal by the schema into ours. Values are dropped: they
// may be clinical.
func fromHuma(ctx context.Context, code int, msg string, errs []error) huma.StatusError {
	switch {
	case code == http.StatusRequestEntityTooLarge || bodyFailed(errs, errTooManyValues):
		return problem(ctx, fault.New(fault.TooLarge, "too-large"))
	case bodyFailed(errs, errNameTwice):
		return problem(ctx, fault.New(fault.Malformed, "name-twice"))
	case code == http.StatusInternalServerError && errors.Is(errors.Join(errs...), io.ErrUnexpectedEOF): // the caller went away
		return problem(ctx, fault.New(fault.Malformed, "not-json"))
	case code == http.StatusInternalServerError:
		return problem(ctx, fault.New(fault.Internal, "internal"))
	case code == http.StatusUnsupportedMediaType || code == http.StatusNotAcceptable || code == http.StatusBadRequest:
		return problem(ctx, fault.New(fault.Malformed, "not-json"))
	case code == http.StatusRequestTimeout: // the body did not come; what is slow here is 503
		return problem(ctx, TooSlow())
	}
	f := &fault.Error{Kind: fault.Invalid, Code: "fields"}
	var unknown []fault.Field
	for _, e := range errs {
		field, ok := schemaField(e)
		switch {
		case !ok:
		case field.Code == "unknown":
			f.Kind = fault.Malformed
			unknown = append(unknown, field)
		default:
			f.Fields = append(f.Fields, field)
		}
	}
	// The validator walks objects in random order. What people typed comes first.
	slices.SortFunc(unknown, func(a, b fault.Field) int { return strings.Compare(a.Name, b.Name) })
	if f.Fields = append(f.Fields, unknown...); len(f.Fields) == 0 {
		f = fault.New(fault.Malformed, "not-json")
	}
	return problem(ctx, f)
}

// bodyFailed says whether readJSON refused the body with an error.
func bodyFailed(errs []error, err error) bool {
	return slices.ContainsFunc(errs, func(e error) bool {
		var d huma.ErrorDetailer
		return errors.As(e, &d) && d.ErrorDetail().Location == "body" && d.ErrorDetail().Message == err.Error()
	})
}

// schemaField reads one refusal of the schema.
func schemaField(e error) (fault.Field, bool) {
	var d huma.ErrorDetailer
	if !errors.As(e, &d) {
		return fault.Field{}, false
	}
	detail := d.ErrorDetail()
	name := strings.TrimPrefix(strings.TrimPrefix(detail.Location, "body"), ".")
	field := fault.Field{Name: name, Code: schemaCode(detail.Message)}
	if missing, ok := strings.CutPrefix(detail.Message, "expected required property "); ok {
		field.Name = strings.TrimPrefix(name+"."+strings.TrimSuffix(missing, " to be present"), ".")
	}
	return field, true
}

// schemaCode names huma's message by a code of the catalogue.
func schemaCode(msg string) string {
	for _, m := range [...]struct{ start, code string }{
		{"unexpected property", "unknown"}, {"expected required", "required"}, {"required ", "required"},
		{"expected length >=", "too-short"}, {"expected length <=", "too-long"}, {"expected array length >=", "too-short"},
		{"expected array length <=", "too-long"}, {"expected value to be one of", "not-a-choice"},
		{"expected string to be RFC 3339", "not-a-date"}, {"expected string to be RFC 5322", "not-an-email"},
		{"expected number ", "out-of-range"},
	} {
		if strings.HasPrefix(msg, m.start) {
			return m.code
		}
	}
	return "wrong-type"
}

// TooSlow refuses a body that did not come in time (408): the slowness is the caller's, and no failure of ours.
func TooSlow() *fault.Error { return fault.New(fault.Slow, "too-slow") }

func missingRoute() error { return fault.Missing() }
func crossOrigin() error  { return fault.New(fault.Forbidden, "cross-origin") }
