package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"
)

// TestPagesComeAsTheBrowserTakesThem: Brotli first, gzip, or as they are; the
// compressed twin of a file is no page of its own.
func TestPagesComeAsTheBrowserTakesThem(t *testing.T) {
	script := "export const bonjour = 'bonjour bonjour bonjour';"
	served, err := loadPages(fstest.MapFS{
		"index.html": {Data: []byte("<!doctype html>")}, "assets/a.js": {Data: []byte(script)}, "assets/a.js.br": {Data: []byte("brotli's")},
	})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(path, accept string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Accept-Encoding", accept)
		w := httptest.NewRecorder()
		served.ServeHTTP(w, r)
		return w
	}
	for accept, want := range map[string]string{
		"gzip, deflate, br, zstd": "br", "gzip": "gzip", "": "", "br;q=0, gzip;q=0.5": "gzip", "BR": "br", "brotli": "", "identity": "",
	} {
		w := ask("/assets/a.js", accept)
		if got := w.Header().Get("Content-Encoding"); w.Code != 200 || got != want || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: %d as %q, want %q", accept, w.Code, got, want)
		}
		if want == "br" && w.Body.String() != "brotli's" || want == "" && w.Body.String() != script {
			t.Errorf("%q: %q", accept, w.Body)
		}
	}
	if w := ask("/assets/a.js.br", "br"); w.Code != http.StatusNotFound {
		t.Errorf("the compressed twin: %d", w.Code)
	}
}
