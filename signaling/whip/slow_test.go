package whip

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"testing/iotest"

	"visavis/internal/fault"
)

// TestRead_SlowBody: an offer that stops coming is 408, one that breaks is 400 (issue 9, C7).
func TestRead_SlowBody(t *testing.T) {
	for cause, want := range map[error]*fault.Error{
		os.ErrDeadlineExceeded: fault.New(fault.Slow, "too-slow"),
		io.ErrUnexpectedEOF:    fault.New(fault.Malformed, "offer-refused"),
	} {
		r := httptest.NewRequest(http.MethodPost, "/api/whip/d", iotest.ErrReader(cause))
		r.Header.Set("Content-Type", typeSDP)
		if _, err := read(httptest.NewRecorder(), r, typeSDP); !errors.Is(err, want) {
			t.Errorf("%v: %v", cause, err)
		}
	}
}
