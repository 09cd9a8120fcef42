package tsa

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func start(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// What the page commands happens; the client's side is tested in
// internal/seal/timestamp, fault by fault.
func TestThePageCommands(t *testing.T) {
	s := start(t, Options{})
	for form, want := range map[string]int{"down": http.StatusServiceUnavailable, "none": http.StatusOK} {
		res, err := http.PostForm(s.Page()+"control", url.Values{"fault": {form}})
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(string(page), "<option selected>"+form) {
			t.Errorf("%d, %v\n%s", res.StatusCode, err, page)
		}
		res, err = http.Post(s.URL(), "application/timestamp-query", strings.NewReader("not a query"))
		if err != nil || res.StatusCode != want {
			t.Errorf("%s: %v, %v", form, res, err)
		}
		if answer, _ := io.ReadAll(res.Body); want == http.StatusOK && string(answer) != "\x30\x09\x30\x07\x02\x01\x02\x03\x02\x05\x20" {
			t.Errorf("a bad request is answered %x, want rejection, badRequest", answer)
		}
	}
	for what, want := range map[string]int{"unknown": http.StatusUnprocessableEntity} {
		if res, err := http.PostForm(s.Page()+"control", url.Values{"fault": {what}}); err != nil || res.StatusCode != want {
			t.Errorf("%v, %v", res, err)
		}
	}
	if res, err := http.Post(s.URL(), "text/plain", nil); err != nil || res.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("%v, %v", res, err)
	}
}

func TestTheRootOutlivesARestart(t *testing.T) {
	dir := t.TempDir()
	first := string(start(t, Options{Dir: dir}).RootPEM())
	if second := string(start(t, Options{Dir: dir}).RootPEM()); second != first {
		t.Error("another root")
	}
	if string(start(t, Options{}).RootPEM()) == first {
		t.Error("the root of another folder")
	}
}
