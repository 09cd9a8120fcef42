package fault

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestWithAndBecauseLeaveTheOriginal(t *testing.T) {
	base := New(Throttled, "throttled")
	a := base.With("seconds", "3")
	b := a.With("place", "ici").Because(io.ErrUnexpectedEOF)
	if len(base.Args) != 0 || len(a.Args) != 1 || a.Cause != nil {
		t.Errorf("a shared fault was changed: %+v %+v", base, a)
	}
	if b.Args["seconds"] != "3" || b.Args["place"] != "ici" || !errors.Is(b, io.ErrUnexpectedEOF) {
		t.Errorf("%+v", b)
	}
}

func TestIsComparesKindAndCode(t *testing.T) {
	err := fmt.Errorf("booking: %w", New(Conflict, "slot-taken").With("a", "b"))
	if !errors.Is(err, New(Conflict, "slot-taken")) {
		t.Error("the same fault is not recognised")
	}
	if errors.Is(err, New(Gone, "slot-taken")) || errors.Is(err, New(Conflict, "other")) || errors.Is(err, io.EOF) {
		t.Error("another fault is recognised")
	}
	if KindOf(err) != Conflict || KindOf(io.EOF) != Internal || KindOf(fmt.Errorf("x: %w", Missing())) != NotFound {
		t.Error("KindOf")
	}
}

func TestFieldsOfNothingIsNoError(t *testing.T) {
	if err := Fields(); err != nil {
		t.Errorf("%v is not nil", err)
	}
	err := Fields(Field{Name: "patient.phone", Code: "phone-not-valid", Args: map[string]string{"value": "06 12 34"}})
	if KindOf(err) != Invalid {
		t.Error(err)
	}
	if got, want := err.Error(), "fields patient.phone:phone-not-valid"; got != want {
		t.Errorf("log face %q, want %q: names and codes, never values", got, want)
	}
}
