package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"

	"visavis/internal/fault"
	"visavis/internal/httpx"
)

// page is one file of the web app: compressed by Brotli when it was built, by
// gzip once when the server starts.
type page struct {
	kind   string
	plain  []byte
	gzip   []byte
	brotli []byte
}

// brotliExt is what the build adds to the name of a file's second form.
const brotliExt = ".br"

// pages serves the built web app: hashed files for ever, everything else as
// the app's one document, which routes by itself.
type pages map[string]page

func loadPages(files fs.FS) (pages, error) {
	out := pages{}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path.Base(name), ".") || path.Ext(name) == brotliExt {
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
		if p.brotli, err = fs.ReadFile(files, name+brotliExt); err != nil && !errors.Is(err, fs.ErrNotExist) {
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
	switch {
	case f.brotli != nil && accepts(r, "br"):
		w.Header().Set("Content-Encoding", "br")
		body = f.brotli
	case f.gzip != nil && accepts(r, "gzip"):
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

// accepts reads Accept-Encoding (RFC 9110 §12.5.3): a coding named with weight
// zero is refused.
func accepts(r *http.Request, coding string) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), coding) {
			q, found := strings.CutPrefix(strings.TrimSpace(weight), "q=")
			f, err := strconv.ParseFloat(q, 64)
			return !found || err == nil && f > 0
		}
	}
	return false
}
