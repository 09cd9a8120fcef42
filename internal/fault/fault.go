// Package fault gives every error one kind and two faces: a code that people
// read in their language through the catalogues, and a cause that only logs
// see. It imports the standard library only.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Kind decides how the caller is answered. There are few on purpose.
type Kind uint8

// The kinds, in the order of their HTTP status (see internal/httpx).
const (
	Internal        Kind = iota // a defect or a broken dependency: 500
	Malformed                   // cannot be read at all: 400
	Unauthenticated             // who are you: 401
	Forbidden                   // known, visible, not allowed: 403
	NotFound                    // absent, or not yours to know of: 404
	Slow                        // the body did not come in time: 408
	Conflict                    // true a moment ago, not now: 409
	Gone                        // was valid once: 410
	TooLarge                    // 413
	Invalid                     // understood and refused, field by field: 422
	Throttled                   // too often: 429
	Unavailable                 // try again soon: 503
)

// Field names one rejected input by its JSON path and says why by a code of
// the catalogue ("field.<code>").
type Field struct {
	Name string
	Code string
	Args map[string]string
}

// Error is what services return. Code is a catalogue key ("fault.<code>").
type Error struct {
	Kind   Kind
	Code   string
	Args   map[string]string
	Fields []Field
	Cause  error
}

// Error is the face for logs. It holds codes and field names, never values.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Code)
	for _, f := range e.Fields {
		fmt.Fprintf(&b, " %s:%s", f.Name, f.Code)
	}
	if e.Cause != nil {
		fmt.Fprintf(&b, ": %v", e.Cause)
	}
	return b.String()
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Cause }

// Is makes two faults with the same kind and code equal for errors.Is.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Kind == e.Kind && t.Code == e.Code
}

// New returns a fault of the given kind and catalogue code.
func New(kind Kind, code string) *Error { return &Error{Kind: kind, Code: code} }

// With returns a copy that carries a value for the {name} of its text. Values
// are shown to people: never put a secret or a clinical word in one.
func (e *Error) With(name, value string) *Error {
	c := *e
	c.Args = map[string]string{name: value}
	for k, v := range e.Args {
		c.Args[k] = v
	}
	return &c
}

// Because returns a copy whose cause is err, for logs only.
func (e *Error) Because(err error) *Error {
	c := *e
	c.Cause = err
	return &c
}

// Fields returns an Invalid fault for the given fields, or nil when there are
// none, so that a check can end with `return fault.Fields(problems...)`.
func Fields(fields ...Field) error {
	if len(fields) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, Code: "fields", Fields: fields}
}

// Missing is the answer for a record that does not exist and for one the
// caller may not see: byte for byte the same (trust S1).
func Missing() *Error { return New(NotFound, "not-found") }

// Denied is the answer to a caller who may see the thing but not do that.
func Denied() *Error { return New(Forbidden, "forbidden") }

// KindOf returns the kind of err; an error that is no fault is Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}
