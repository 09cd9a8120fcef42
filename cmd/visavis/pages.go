package main

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"

	"visavis/internal/fault"
	"visavis/internal/httpx"
)

// page is one file of the web app, compressed once when the server starts.
type page struct {
	kind  string
	plain []byte
	gzip  []byte
}

// pages serves the built web app: hashed files for ever, everything else as
// the app's one document, which routes by itself.
type pages map[string]page

func loadPages(files fs.FS) (pages, error) {
	out := pages{}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path.Base(name), ".") {
			return err
		}
		raw, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		p := page{kind: mime.TypeByExtension(path.Ext(name)), plain: raw}
		if p.gzip, err = compress(name, raw); err != nil {
			return err
		}
		out["/"+name] = p
		return nil
	})
	return out, err
}

// compress returns nil for what is compressed already.
func compress(name string, raw []byte) ([]byte, error) {
	switch path.Ext(name) {
	case ".html", ".js", ".css", ".svg", ".json", ".webmanifest":
	default:
		return nil, nil
	}
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(raw); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (p pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		httpx.Refuse(w, r, fault.Missing())
		return
	}
	f, ok := p[r.URL.Path]
	switch {
	case ok && strings.HasPrefix(r.URL.Path, "/assets/"):
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	case ok:
		w.Header().Set("Cache-Control", "public, max-age=3600")
	case path.Ext(r.URL.Path) != "":
		httpx.Refuse(w, r, fault.Missing())
		return
	default:
		f, ok = p["/index.html"]
		w.Header().Set("Cache-Control", "no-cache")
	}
	if !ok {
		httpx.Refuse(w, r, fault.New(fault.Unavailable, "pages-not-built"))
		return
	}
	send(w, r, f)
}

func send(w http.ResponseWriter, r *http.Request, f page) {
	body := f.plain
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Vary", "Accept-Encoding")
	if f.gzip != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		body = f.gzip
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	// The client is gone when this fails.
	_, _ = w.Write(body)
}
