package httpx_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"visavis/internal/authz"
	"visavis/internal/fault"
	"visavis/internal/httpx"
)

// TestSlow_BodyThatStalls: a body that stops is the caller's slowness and is answered 408, on the wire and in the log; a
// dependency of ours that is slow stays 503 (issue 9, C7).
func TestSlow_BodyThatStalls(t *testing.T) {
	s, _ := lite(t)
	slow := func(method, path string, action authz.Action, once bool) httpx.Op {
		return httpx.Op{Method: method, Path: path, Action: action, ID: method + path, Summary: "test", Tag: "test", Once: once, ReadFor: 50 * time.Millisecond}
	}
	runs := 0
	handle := func(context.Context, *form) (*echo, error) { runs++; return &echo{}, nil }
	httpx.Handle(s.s, slow("POST", "/api/slow/form", anybody, false), handle)
	httpx.Handle(s.s, slow("PUT", "/api/slow/put", anybody, false), handle)
	httpx.Handle(s.s, slow("POST", "/api/slow/once", ownOnly, true), handle)
	httpx.Handle(s.s, slow("POST", "/api/slow/file", anybody, false), func(context.Context, *struct {
		RawBody []byte `contentType:"application/octet-stream"`
	}) (*echo, error) {
		runs++
		return &echo{}, nil
	})
	httpx.Handle(s.s, slow("POST", "/api/slow/ours", anybody, false), func(context.Context, *struct{}) (*echo, error) {
		return nil, fault.New(fault.Unavailable, "database-busy").Because(context.DeadlineExceeded)
	})
	server := httptest.NewServer(s.s.Handler())
	defer server.Close()
	for _, c := range []struct {
		name, request, body string
		status              int
		code                string
	}{
		{"chunked, one byte", "POST /api/slow/form", "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", 408, "too-slow"},
		{"chunked, nothing", "POST /api/slow/form", "Transfer-Encoding: chunked\r\n\r\n", 408, "too-slow"},
		{"a length that does not come", "POST /api/slow/form", "Content-Length: 40\r\n\r\n{\"name\":", 408, "too-slow"},
		{"within a chunk", "PUT /api/slow/put", "Transfer-Encoding: chunked\r\n\r\nff\r\n{\"name\"", 408, "too-slow"},
		{"with an idempotency key", "POST /api/slow/once", "Cookie: __Host-visavis=doctor\r\nIdempotency-Key: 5f0c2b9e-0000-4000-8000-000000000001\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", 408, "too-slow"},
		{"a file", "POST /api/slow/file", "Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", 408, "too-slow"},
		{"ours is slow", "POST /api/slow/ours", "Content-Length: 0\r\n\r\n", 503, "database-busy"},
	} {
		for language, says := range map[string]string{"fr": "Vérifiez votre connexion", "en": "Check your connection"} {
			before := s.h.Logged.String()
			status, text := stall(t, server.Listener.Addr().String(), c.request, language, c.body)
			if status != c.status || !strings.Contains(text, `"code":"`+c.code+`"`) || strings.Contains(text, says) != (c.status == 408) {
				t.Errorf("%s (%s): %d %s", c.name, language, status, text)
			}
			want := fmt.Sprintf("route=%s status=%d", strings.Fields(c.request)[1], c.status)
			if log := strings.TrimPrefix(s.h.Logged.String(), before); !strings.Contains(log, want) || strings.Contains(log, "status=5") != (c.status == 503) {
				t.Errorf("%s: the log has no %q: %s", c.name, want, log)
			}
		}
	}
	if runs != 0 {
		t.Errorf("%d handlers ran without their body", runs)
	}
}

// stall sends a request, stops, and reads the answer.
func stall(t *testing.T, address, request, language, rest string) (status int, body string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if !strings.Contains(rest, "Content-Type") {
		rest = "Content-Type: application/json\r\n" + rest
	}
	if _, err := fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: %s\r\nAccept-Language: %s\r\n%s", request, address, language, rest); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var b strings.Builder
	if _, err := bufio.NewReader(answer.Body).WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, b.String()
}
