package psc

import (
	"embed"
	"html/template"
	"net/http"
	"net/url"
)

//go:embed pages/*.html pages/style.css
var pageFiles embed.FS

const (
	loginPath   = "/wallet/connexion"
	controlPath = "/simulateur"
)

// pages serves the sign-in page, and the page that chooses a fault.
func (s *Server) pages(mux *http.ServeMux) error {
	t, err := template.ParseFS(pageFiles, "pages/*.html")
	if err != nil {
		return err
	}
	show := func(w http.ResponseWriter, status int, name string, data any) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; frame-ancestors 'none'")
		w.WriteHeader(status)
		t.ExecuteTemplate(w, name, data)
	}
	mux.HandleFunc("GET "+loginPath, func(w http.ResponseWriter, r *http.Request) {
		show(w, http.StatusOK, "login.html", map[string]any{"Request": r.URL.Query().Get("id"), "Again": s.store.askedAgain(r.URL.Query().Get("id")), "Accounts": s.store.opts.Accounts})
	})
	mux.HandleFunc("POST "+loginPath, func(w http.ResponseWriter, r *http.Request) {
		id := r.PostFormValue("id")
		if err := s.store.signIn(id, r.PostFormValue("account")); err != nil {
			show(w, http.StatusGone, "expired.html", nil)
			return
		}
		http.Redirect(w, r, authorizePath+"/callback?id="+url.QueryEscape(id), http.StatusSeeOther)
	})
	mux.HandleFunc("GET "+controlPath, func(w http.ResponseWriter, _ *http.Request) {
		show(w, http.StatusOK, "control.html", map[string]any{"Faults": append(Faults(), StepUpFaults()...), "Current": s.Fault(), "Accounts": s.store.opts.Accounts})
	})
	mux.HandleFunc("POST "+controlPath, func(w http.ResponseWriter, r *http.Request) {
		if err := s.SetFault(Fault(r.PostFormValue("fault"))); err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		http.Redirect(w, r, controlPath, http.StatusSeeOther)
	})
	mux.HandleFunc("GET "+loginPath+"/style.css", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, pageFiles, "pages/style.css")
	})
	return nil
}
