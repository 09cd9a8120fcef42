// Package xdmtest makes small CDA documents that pass the official rules, for
// the tests of what carries documents. The product's documents are made by
// internal/cda.
package xdmtest

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html"
	"strings"
	"text/template"
)

//go:embed tlm-cr.xml
var report string

// Document says what varies between two test documents. Zero fields take the
// values of the test patient DOMINIQUE PAT-TROIS.
type Document struct {
	ID, SetID, Replaces    string
	Version                int
	Matricule, INSRoot     string
	Family, First, Givens  string
	Birth, Gender, COG     string
	TypeCode, TypeLabel    string
	TypeSystem             string
	Title                  string
	LocalID, LocalRoot     string
	PDF                    []byte
	Low, High              string
	AuthorFamily, AuthorID string
}

// PDF is a one-page PDF that readers open.
func PDF(text string) []byte {
	var b bytes.Buffer
	var at []int
	object := func(s string) {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(at), s)
	}
	b.WriteString("%PDF-1.4\n")
	object("<</Type/Catalog/Pages 2 0 R>>")
	object("<</Type/Pages/Kids[3 0 R]/Count 1>>")
	object("<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 5 0 R>>>>/Contents 4 0 R>>")
	stream := "BT /F 14 Tf 60 780 Td (" + strings.NewReplacer("(", "", ")", "", `\`, "").Replace(text) + ") Tj ET"
	object(fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(stream), stream))
	object("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, o := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, xref)
	return b.Bytes()
}

// CDA writes the document.
func (d Document) CDA() []byte {
	or := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	or(&d.ID, "1.2.250.1.999.1.2026.1.1")
	or(&d.SetID, "1.2.250.1.999.1.2026.1")
	or(&d.Matricule, "279035121518989")
	or(&d.INSRoot, "1.2.250.1.213.1.4.10")
	or(&d.Family, "PAT-TROIS")
	or(&d.First, "DOMINIQUE")
	or(&d.Givens, "DOMINIQUE MARIE-LOUISE")
	or(&d.Birth, "19790328")
	or(&d.Gender, "F")
	or(&d.COG, "51215")
	or(&d.TypeCode, "85208-7")
	or(&d.TypeSystem, "2.16.840.1.113883.6.1")
	or(&d.TypeLabel, "CR de télémédecine")
	or(&d.Title, "Compte-rendu de téléconsultation")
	or(&d.Low, "20260105100000+0100")
	or(&d.High, "20260105101500+0100")
	or(&d.AuthorFamily, "MARTIN")
	or(&d.AuthorID, "810001234567")
	if d.Version == 0 {
		d.Version = 1
	}
	if d.PDF == nil {
		d.PDF = PDF("Compte-rendu")
	}
	t := template.Must(template.New("cda").Funcs(template.FuncMap{
		"x":   html.EscapeString,
		"b64": base64.StdEncoding.EncodeToString,
	}).Parse(report))
	var out bytes.Buffer
	if err := t.Execute(&out, d); err != nil {
		return nil
	}
	return out.Bytes()
}
