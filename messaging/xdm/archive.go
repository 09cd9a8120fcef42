package xdm

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"html"
	"strings"
	"time"
)

const (
	subset = "IHE_XDM/SUBSET01/"

	// MaxDocuments is how many documents one archive may hold: the names
	// DOC0001.XML to DOC9999.XML have four digits.
	MaxDocuments = 9999
)

// Archive is a finished IHE_XDM.zip and what it says.
type Archive struct {
	Zip []byte
	// Documents holds the facts of each document, in order.
	Documents []Facts
}

// Build makes the archive of a submission. Everything is checked first: the
// error is a *FieldError naming the document and the metadata that is missing
// or wrong, or the two documents that are not of the same patient.
func Build(s Submission) (Archive, error) {
	entries, err := readEntries(s)
	if err != nil {
		return Archive{}, err
	}
	meta, err := metadata(s, entries)
	if err != nil {
		return Archive{}, err
	}
	files := []struct {
		name string
		data []byte
	}{
		{"INDEX.HTM", []byte(indexPage(s, entries))},
		{"README.TXT", []byte(readme(s, entries))},
		{subset + "METADATA.XML", meta},
	}
	out := Archive{}
	for _, e := range entries {
		files = append(files, struct {
			name string
			data []byte
		}{subset + e.name, e.cda})
		out.Documents = append(out.Documents, e.facts)
	}
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, f := range files {
		// The date is the submission's: the same submission gives the same bytes.
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: s.At.UTC().Truncate(2 * time.Second)}
		w, err := z.CreateHeader(h)
		if err != nil {
			return Archive{}, fmt.Errorf("xdm: add %s: %w", f.name, err)
		}
		if _, err := w.Write(f.data); err != nil {
			return Archive{}, fmt.Errorf("xdm: write %s: %w", f.name, err)
		}
	}
	if err := z.Close(); err != nil {
		return Archive{}, fmt.Errorf("xdm: close archive: %w", err)
	}
	out.Zip = buf.Bytes()
	return out, nil
}

func readEntries(s Submission) ([]entry, error) {
	switch {
	case len(s.Documents) == 0 || len(s.Documents) > MaxDocuments:
		return nil, &FieldError{-1, "documents", fmt.Sprintf("%d documents, from 1 to %d wanted", len(s.Documents), MaxDocuments)}
	case !isOID(s.UniqueID):
		return nil, &FieldError{-1, "uniqueId", "not an OID"}
	case !isOID(s.SourceID):
		return nil, &FieldError{-1, "sourceId", "not an OID"}
	case s.At.IsZero():
		return nil, &FieldError{-1, "submissionTime", "missing"}
	case s.Content.Code == "" || s.Content.Scheme == "" || s.Content.Label == "":
		return nil, &FieldError{-1, "contentTypeCode", "missing"}
	}
	seen := map[string]bool{}
	var entries []entry
	for i, d := range s.Documents {
		facts, err := ReadFacts(d.CDA)
		if err != nil {
			var field *FieldError
			if errors.As(err, &field) {
				return nil, &FieldError{i, field.Field, field.Reason}
			}
			return nil, err
		}
		if i > 0 && facts.Patient.CX() != entries[0].facts.Patient.CX() {
			return nil, &FieldError{i, "patientId", "another patient than document 1 (ECO.2.1.1: one e-mail, one patient)"}
		}
		if seen[facts.UniqueID] {
			return nil, &FieldError{i, "uniqueId", "the same document twice"}
		}
		seen[facts.UniqueID] = true
		entries = append(entries, entry{facts: facts, name: fmt.Sprintf("DOC%04d.XML", i+1), cda: d.CDA, flags: d.Visibility})
	}
	return entries, nil
}

func isOID(s string) bool {
	if len(s) > 64 || !strings.Contains(s, ".") {
		return false
	}
	for _, arc := range strings.Split(s, ".") {
		if arc == "" || (len(arc) > 1 && arc[0] == '0') || strings.Trim(arc, "0123456789") != "" {
			return false
		}
	}
	return true
}

// indexPage is XHTML Basic, as ITI-32 asks, readable without the documents'
// software.
func indexPage(s Submission, entries []entry) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML Basic 1.0//EN" "http://www.w3.org/TR/xhtml-basic/xhtml-basic10.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="fr">
<head><title>IHE XDM</title></head>
<body>
`)
	fmt.Fprintf(&b, "<h1>%s</h1>\n<p>%s</p>\n<ul>\n", html.EscapeString(s.Emitter), html.EscapeString(s.At.UTC().Format("2006-01-02 15:04 UTC")))
	for _, e := range entries {
		fmt.Fprintf(&b, "<li><a href=\"%s\">%s</a> (%s)</li>\n", subset+e.name, html.EscapeString(e.facts.Title), html.EscapeString(e.facts.Type.Label))
	}
	b.WriteString("</ul>\n<p><a href=\"README.TXT\">README.TXT</a></p>\n</body>\n</html>\n")
	return b.String()
}

func readme(s Submission, entries []entry) string {
	lines := []string{
		"Emetteur : " + s.Emitter,
		"Application : " + s.Application + " " + s.Version,
		"Date : " + s.At.UTC().Format("2006-01-02 15:04:05 UTC"),
		fmt.Sprintf("Contenu : %d document(s) CDA R2 d'un patient, metadonnees IHE XDS.", len(entries)),
		"",
		"Arborescence :",
		"INDEX.HTM", "README.TXT", "IHE_XDM/", "  SUBSET01/", "    METADATA.XML",
	}
	for _, e := range entries {
		lines = append(lines, "    "+e.name+" : "+e.facts.Title)
	}
	return strings.Join(lines, "\r\n") + "\r\n"
}
