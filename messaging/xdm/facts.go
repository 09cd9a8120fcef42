package xdm

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Facts is what the header of one CDA says, in the shapes of XDS metadata
// (times in UTC as HL7 DTM, people as XCN, organisations as XON, patient
// identifiers as CX).
type Facts struct {
	UniqueID        string // id: root[^extension]
	SetID           string
	Version         string
	Replaces        string // uniqueId of the replaced version, "" when none
	Type            Code
	Class           Code
	Format          Code
	Confidentiality Code
	Facility        Code
	Practice        Code
	Title           string
	Language        string
	Created         string // DTM, UTC
	CreatedAt       time.Time
	ServiceStart    string
	ServiceStop     string // "" when the act has no end
	Patient         Patient
	Authors         []Author
	Authenticator   string // XCN
	// PDF is the readable copy found in a non-structured body, nil for a
	// structured one.
	PDF []byte
}

// Patient is the patient of a document with the INS traits of its header.
type Patient struct {
	Matricule  string // 15 characters
	INSRoot    string // OID of the INS authority
	LocalID    string // CX of the IPP, or of the INS when there is none
	BirthName  string
	FirstGiven string
	GivenNames string
	UsedName   string
	UsedGiven  string
	Birth      string // YYYYMMDD
	Gender     string
	Birthplace string // COG code
}

// CX gives the INS as XDS writes it.
func (p Patient) CX() string { return cx(p.Matricule, p.INSRoot, "NH") }

// HasTraits reports whether matricule, authority and the traits that go with
// it are all present (MSSanté référentiel #2, ECO.2.4.2).
func (p Patient) HasTraits() bool {
	return p.Matricule != "" && p.INSRoot != "" && p.BirthName != "" && p.FirstGiven != "" &&
		p.GivenNames != "" && len(p.Birth) == 8 && p.Gender != "" && p.Birthplace != ""
}

// Author is one author of a document in XDS shapes.
type Author struct {
	Person      string // XCN
	Institution string // XON, "" when the author has none
	Specialty   string // code^label^oid
	Role        string
}

// ReadFacts reads the header of a CDA document. Its errors are *FieldError
// with Document 0 and the element that is missing or wrong.
func ReadFacts(cda []byte) (Facts, error) {
	var d cdaDocument
	if err := xml.NewDecoder(bytes.NewReader(cda)).Decode(&d); err != nil {
		return Facts{}, &FieldError{0, "ClinicalDocument", "not a readable CDA document"}
	}
	tables, err := loadCodes()
	if err != nil {
		return Facts{}, err
	}
	f := Facts{
		UniqueID: d.ID.oid(), SetID: d.SetID.oid(), Version: d.Version.Value,
		Type: coded(d.Code), Confidentiality: coded(d.Confidentiality), Facility: coded(d.FacilityCode),
		Title: strings.Join(strings.Fields(d.Title), " "), Language: d.Language.Code,
	}
	for _, r := range d.Related {
		if r.Type != "RPLC" { // an appendix or a transformation is none of ours, and no first version either
			return Facts{}, &FieldError{0, "relatedDocument", fmt.Sprintf("%q is not RPLC", r.Type)}
		}
		f.Replaces = r.Parent.oid()
	}
	f.Patient = readPatient(d.PatientRole)
	for _, a := range d.Authors {
		f.Authors = append(f.Authors, readAuthor(a))
	}
	if d.Authenticator != nil {
		f.Authenticator = xcn(*d.Authenticator)
	}
	if len(d.Services) > 0 {
		f.Practice = coded(d.Services[0].Performer.Organization.Industry)
	}
	if err := f.readTimes(&d); err != nil {
		return Facts{}, err
	}
	if f.PDF, err = d.pdf(); err != nil {
		return Facts{}, &FieldError{0, "nonXMLBody", "the PDF is not valid base64"}
	}
	if err := f.readCodes(&d, tables); err != nil {
		return Facts{}, err
	}
	return f, f.check()
}

func (f *Facts) readTimes(d *cdaDocument) error {
	var err error
	if f.CreatedAt, f.Created, err = dtm(d.EffectiveTime.Value); err != nil {
		return &FieldError{0, "effectiveTime", err.Error()}
	}
	if len(d.Services) == 0 {
		return &FieldError{0, "documentationOf", "missing"}
	}
	if _, f.ServiceStart, err = dtm(d.Services[0].Low.Value); err != nil {
		return &FieldError{0, "documentationOf/effectiveTime/low", err.Error()}
	}
	if v := d.Services[0].High.Value; v != "" {
		if _, f.ServiceStop, err = dtm(v); err != nil {
			return &FieldError{0, "documentationOf/effectiveTime/high", err.Error()}
		}
	}
	return nil
}

func (f *Facts) readCodes(d *cdaDocument, tables *codeTables) error {
	var ok bool
	if f.Class, ok = tables.class(f.Type.Code); !ok {
		return &FieldError{0, "typeCode", fmt.Sprintf("%q has no document class in ASS_X04", f.Type.Code)}
	}
	media := ""
	if d.NonXMLBody != nil {
		media = d.NonXMLBody.MediaType
	} else if d.StructuredBody == nil {
		return &FieldError{0, "component", "neither a structured nor a non-structured body"}
	}
	var templates []string
	for _, t := range d.Templates {
		templates = append(templates, t.Root)
	}
	if f.Format, ok = tables.format(media, templates); !ok {
		return &FieldError{0, "nonXMLBody", fmt.Sprintf("media type %q has no format code", media)}
	}
	return nil
}

// check refuses a header that lacks a metadata marked "required" for the
// national exchange (TCDA mapping).
func (f *Facts) check() error {
	if !isINSRoot(f.Patient.INSRoot) || len(f.Patient.Matricule) != 15 {
		return &FieldError{0, "patientId", "no 15-character INS under one of its authorities"}
	}
	if len(f.Authors) == 0 {
		return &FieldError{0, "author", "missing"}
	}
	for _, w := range []struct {
		field, value string
		of           []string
	}{
		{"confidentialityCode", f.Confidentiality.Code, []string{"", "N", "R", "V"}}, // HL7 Confidentiality; what is missing is named below
		{"administrativeGenderCode", f.Patient.Gender, []string{"", "M", "F", "U"}},  // HL7 AdministrativeGender; may be missing when the identity is not qualified
	} {
		if !slices.Contains(w.of, w.value) {
			return &FieldError{0, w.field, fmt.Sprintf("%q is not known", w.value)}
		}
	}
	for _, m := range []struct{ field, value string }{
		{"uniqueId", f.UniqueID}, {"title", f.Title}, {"languageCode", f.Language}, {"typeCode", f.Type.Code},
		{"typeCode/@displayName", f.Type.Label}, {"confidentialityCode", f.Confidentiality.Code},
		{"healthcareFacilityTypeCode", f.Facility.Code}, {"practiceSettingCode", f.Practice.Code},
		{"legalAuthenticator", f.Authenticator}, {"authorPerson", f.Authors[0].Person},
	} {
		if m.value == "" {
			return &FieldError{0, m.field, "missing"}
		}
	}
	return nil
}

func readPatient(r cdaPatient) Patient {
	p := Patient{
		BirthName: r.Name.family("BR"), FirstGiven: r.Name.given("BR"), GivenNames: r.Name.given(""),
		UsedName: r.Name.family("CL"), UsedGiven: r.Name.given("CL"),
		Gender: r.Gender.Code, Birthplace: strings.TrimSpace(r.County),
	}
	if len(r.BirthTime.Value) >= 8 {
		p.Birth = r.BirthTime.Value[:8]
	}
	for _, id := range r.IDs {
		switch {
		case isINSRoot(id.Root) && p.Matricule == "":
			p.Matricule, p.INSRoot = id.Extension, id.Root
		case p.LocalID == "" && !isINSRoot(id.Root) && id.Extension != "":
			p.LocalID = cx(id.Extension, id.Root, "PI")
		}
	}
	if p.LocalID == "" {
		p.LocalID = p.CX()
	}
	return p
}

func readAuthor(a cdaAuthor) Author {
	out := Author{Person: xcn(a.Assigned), Role: a.Function.Label}
	if org := a.Assigned.Organization; org.Name != "" || org.ID.Extension != "" {
		out.Institution = xon(org)
	}
	if c := a.Assigned.Code; c.Code != "" {
		out.Specialty = hl7(c.Code) + "^" + hl7(c.Label) + "^" + c.System
	}
	return out
}

func coded(c cdaCode) Code { return Code{Code: c.Code, Scheme: c.System, Label: c.Label} }

// isINSRoot knows the authorities of the INS: NIR, NIA, test, demonstration.
func isINSRoot(root string) bool {
	switch root {
	case "1.2.250.1.213.1.4.8", "1.2.250.1.213.1.4.9", "1.2.250.1.213.1.4.10", "1.2.250.1.213.1.4.11":
		return true
	}
	return false
}
