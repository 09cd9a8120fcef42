package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"visavis/internal/httpx"
	"visavis/web"
)

// TestPagesNeedNoDatabase: the web app shows with the database away, to who has
// a session too; what needs to know who asks says that it cannot.
func TestPagesNeedNoDatabase(t *testing.T) {
	p := wired(t)
	files, err := web.Files()
	if err != nil {
		t.Fatal(err)
	}
	app, err := loadPages(files)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.db.Close(); err != nil {
		t.Fatal(err)
	}
	get := func(path, cookie string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		if cookie != "" {
			r.AddCookie(&http.Cookie{Name: httpx.CookieName, Value: cookie})
		}
		w := httptest.NewRecorder()
		p.server.Handler().ServeHTTP(w, r)
		return w
	}
	paths := []string{"/", "/rdv", "/pro", "/no-such-file.js", "/api/no-such-route"}
	for name := range app {
		paths = append(paths, name)
	}
	for _, path := range paths {
		mine, anybodys := get(path, strings.Repeat("s", 43)), get(path, "")
		if mine.Code != anybodys.Code || mine.Code >= 500 && app["/index.html"].plain != nil {
			t.Errorf("%s: %d with a session, %d without", path, mine.Code, anybodys.Code)
		}
	}
	if w := get("/api/me", strings.Repeat("s", 43)); w.Code < 500 {
		t.Errorf("/api/me without database: %d", w.Code)
	}
	if len(app) < 3 {
		t.Skip("the web app is not built: only its absence was served")
	}
}
