package mail

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"

	"github.com/emersion/go-message"
	gomail "github.com/emersion/go-message/mail"
)

//go:embed pages/*.html
var pageFiles embed.FS

// view is a message as the page shows it.
type view struct {
	Number        int
	Subject, Text string
	Message       Message
	Files         []file
}

type file struct {
	Number int
	Name   string
	Type   string
	data   []byte
}

func (s *Server) pages(mux *http.ServeMux) error {
	pages, err := template.ParseFS(pageFiles, "pages/*.html")
	if err != nil {
		return err
	}
	show := func(w http.ResponseWriter, name string, data any) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
		if err := pages.ExecuteTemplate(w, name, data); err != nil {
			s.o.Log.Warn("mail simulator: page", "error", err)
		}
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		boxes := map[string]int{}
		for a, m := range s.boxes {
			boxes[a] = len(m)
		}
		rules := maps.Clone(s.rules)
		s.mu.Unlock()
		show(w, "boxes.html", map[string]any{"Boxes": boxes, "Rules": rules, "Actions": Actions()})
	})
	mux.HandleFunc("GET /box", func(w http.ResponseWriter, r *http.Request) {
		address := r.URL.Query().Get("address")
		var views []view
		for i, m := range s.Messages(address) {
			views = append(views, read(i, m))
		}
		slices.Reverse(views)
		show(w, "box.html", map[string]any{"Address": address, "Messages": views})
	})
	mux.HandleFunc("GET /file", s.file)
	mux.HandleFunc("GET /raw", func(w http.ResponseWriter, r *http.Request) {
		m, ok := s.find(r)
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write(m.Raw)
	})
	mux.HandleFunc("POST /control", func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
		if err := s.SetRule(r.FormValue("address"), Action(r.FormValue("action"))); err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	return nil
}

func (s *Server) find(r *http.Request) (Message, bool) {
	n, err := strconv.Atoi(r.URL.Query().Get("n"))
	all := s.Messages(r.URL.Query().Get("address"))
	if err != nil || n < 0 || n >= len(all) {
		return Message{}, false
	}
	return all[n], true
}

func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	m, ok := s.find(r)
	k, err := strconv.Atoi(r.URL.Query().Get("file"))
	if !ok || err != nil {
		http.NotFound(w, r)
		return
	}
	v := read(0, m)
	if k < 0 || k >= len(v.Files) {
		http.NotFound(w, r)
		return
	}
	f := v.Files[k]
	w.Header().Set("Content-Type", f.Type)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	_, _ = w.Write(f.data)
}

// read takes a message apart as a mail reader does.
func read(n int, m Message) view {
	v := view{Number: n, Message: m}
	r, err := gomail.CreateReader(bytes.NewReader(m.Raw))
	if err != nil && !message.IsUnknownCharset(err) {
		v.Text = string(m.Raw)
		return v
	}
	if v.Subject, err = r.Header.Subject(); err != nil {
		v.Subject = r.Header.Get("Subject")
	}
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) || (err != nil && !message.IsUnknownCharset(err)) {
			return v
		}
		data, err := io.ReadAll(p.Body)
		if err != nil {
			return v
		}
		if h, ok := p.Header.(*gomail.AttachmentHeader); ok {
			name, _ := h.Filename()
			kind, _, _ := h.ContentType()
			if name == "" {
				name = kind
			}
			v.Files = append(v.Files, file{Number: len(v.Files), Name: name, Type: kind, data: data})
			continue
		}
		v.Text += string(data)
	}
}
