package httpx

import (
	"context"
	"net/http"
	"reflect"
	"strings"
	"time"

	"visavis/internal/authz"
	"visavis/internal/fault"
	"visavis/internal/limit"
	"visavis/internal/typography"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
)

// Op describes a route.
type Op struct {
	Method string
	Path   string // as /api/appointments/{id}
	Action authz.Action
	// ID is the operationId of the OpenAPI document. When empty it is made of
	// the action: "appointment.book" is bookAppointment. Name it where several
	// routes share an action.
	ID      string
	Summary string
	Tag     string // the module
	// Status of the answer; 200 when zero.
	Status int
	// Once makes the route need an Idempotency-Key: the same key and body
	// give the same answer and one effect, for 24 hours (trust B11, D10).
	Once bool
	// Match says that the route needs If-Match: the version its caller saw.
	// Without it, IfMatch gives nothing to the handler.
	Match bool
	// Limit is what a call costs whoever makes it; the zero Rule is free.
	Limit limit.Rule
	// Admit, when there is one, may refuse what was read (a *In) before anything
	// is locked: it runs outside the transaction of an idempotency key, and a
	// repeated request passes it again. What it took of a budget is given back by undo,
	// which it returns without an error too, when the call then fails or is answered
	// from its key.
	Admit func(ctx context.Context, in any) (undo func(), err error)
	// MaxBody bounds the body, in bytes; 64 KiB when zero.
	MaxBody int64
	// ReadFor is how long the body may take to come; 5 s when zero. The answer
	// has a minute more.
	ReadFor time.Duration
	// Ready, when there is one, is asked with {id} before the body is read and
	// outside any transaction: it may wait a few seconds for what the call needs,
	// and refuse it.
	Ready func(ctx context.Context, id string) error

	mediaTypes []string // of a file
}

const maxBody = 64 << 10

// Handle registers a typed handler. Authorisation by role comes first, before
// the body is read; authorisation for the record is the service's.
func Handle[In, Out any](s *Server, op Op, fn func(ctx context.Context, in *In) (*Out, error)) {
	s.routes, s.module = append(s.routes, Route{op.Method, op.Path, op.Action, typedTexts(reflect.TypeFor[In]())}), op.Tag
	if op.MaxBody == 0 {
		op.MaxBody = maxBody
	}
	o := huma.Operation{
		OperationID: s.name(op), Method: op.Method, Path: op.Path, Summary: op.Summary,
		Tags: []string{op.Tag}, DefaultStatus: op.Status, MaxBodyBytes: op.MaxBody, BodyReadTimeout: op.ReadFor,
		Middlewares: huma.Middlewares{s.gate(op)}, Parameters: op.headers(), Responses: op.answers(),
	}
	huma.Register(s.api, o, func(ctx context.Context, in *In) (*Out, error) {
		var out *Out
		var err error
		named(ctx, in)
		undo := func() {}
		if err = typed(in); err == nil && op.Admit != nil {
			undo, err = op.Admit(ctx, in)
		}
		if err != nil {
			s.note(ctx, err)
			return nil, problem(ctx, err)
		}
		replayed := false
		if op.Once {
			out, replayed, err = once(ctx, s, op, in, fn)
		} else {
			out, err = fn(ctx, in)
		}
		if err != nil || replayed {
			undo()
		}
		if err != nil {
			s.note(ctx, err)
			return nil, problem(ctx, err)
		}
		return out, nil
	})
}

// typed cleans the texts that reach a document, and refuses what cannot be printed there and every control
// sign, before a handler sees it (internal/typography).
func typed(in any) error {
	refused := append(typography.Check(in), typography.Controls(in)...)
	for i := range refused {
		refused[i].Name = strings.TrimPrefix(refused[i].Name, "body.")
	}
	return fault.Fields(refused...)
}

// gate refuses before anything is read.
func (s *Server) gate(op Op) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		ctx := c.Context()
		about(humagin.Unwrap(c), op.Path, op.Action)
		if err := s.o.Table.May(authz.From(ctx), op.Action); err != nil {
			s.refuse(humagin.Unwrap(c), err)
			return
		}
		if !op.Match {
			from(ctx).match = "" // what the document does not say, no handler reads
		}
		if op.Limit.Name != "" {
			if err := s.o.Limits.Take(ctx, op.Limit, limitKey(ctx)); err != nil {
				s.refuse(humagin.Unwrap(c), err)
				return
			}
		}
		if op.Ready != nil {
			if err := op.Ready(ctx, c.Param("id")); err != nil {
				s.refuse(humagin.Unwrap(c), err)
				return
			}
		}
		if len(op.mediaTypes) > 0 { // a file is never a page of ours (trust 3.2.1); <img> shows it all the same
			humagin.Unwrap(c).Header("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
		}
		if op.ReadFor > 0 { // the server's own limit on the whole is shorter than such a body
			w := http.NewResponseController(humagin.Unwrap(c).Writer)
			if err := w.SetWriteDeadline(time.Now().Add(op.ReadFor + time.Minute)); err != nil {
				s.o.Log.Warn("no time for a long body", "route", op.Path, "error", err)
			}
		}
		next(c)
	}
}

// limitKey is whom a call is counted against: the session, else the address.
func limitKey(ctx context.Context) string {
	if a := authz.From(ctx); a.SessionID != "" {
		return "session:" + string(a.SessionID)
	}
	return "ip:" + limit.Network(Remote(ctx))
}

// Cookie is an output header that sets or ends the session.
type Cookie struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}
