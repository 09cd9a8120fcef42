package sms

import (
	"embed"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
)

//go:embed pages/list.html
var pageFiles embed.FS

func (s *Server) pages(mux *http.ServeMux) error {
	page, err := template.ParseFS(pageFiles, "pages/list.html")
	if err != nil {
		return err
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		fault := s.fault
		s.mu.Unlock()
		messages := s.Messages()
		slices.Reverse(messages)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
		if err := page.Execute(w, map[string]any{"Messages": messages, "Fault": fault, "Faults": Faults()}); err != nil {
			s.o.Log.Warn("sms simulator: page", "error", err)
		}
	})
	return nil
}

// list gives the messages as JSON, for tests.
func (s *Server) list(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s.Messages())
}

// control sets the fault named by the form.
func (s *Server) control(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	if err := s.SetFault(Fault(r.FormValue("fault"))); err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
