package xdm

import (
	"encoding/base64"
	"encoding/xml"
	"strings"
)

// The part of a CDA R2 header that metadata is made of. Element names are
// those of the standard (namespace urn:hl7-org:v3).
type cdaDocument struct {
	XMLName         xml.Name     `xml:"urn:hl7-org:v3 ClinicalDocument"`
	Templates       []cdaID      `xml:"templateId"`
	ID              cdaID        `xml:"id"`
	Code            cdaCode      `xml:"code"`
	Title           string       `xml:"title"`
	EffectiveTime   cdaValue     `xml:"effectiveTime"`
	Confidentiality cdaCode      `xml:"confidentialityCode"`
	Language        cdaCode      `xml:"languageCode"`
	SetID           cdaID        `xml:"setId"`
	Version         cdaValue     `xml:"versionNumber"`
	PatientRole     cdaPatient   `xml:"recordTarget>patientRole"`
	Authors         []cdaAuthor  `xml:"author"`
	Authenticator   *cdaAssigned `xml:"legalAuthenticator>assignedEntity"`
	Services        []cdaService `xml:"documentationOf>serviceEvent"`
	Related         []cdaRelated `xml:"relatedDocument"`
	FacilityCode    cdaCode      `xml:"componentOf>encompassingEncounter>location>healthCareFacility>code"`
	NonXMLBody      *cdaText     `xml:"component>nonXMLBody>text"`
	StructuredBody  *struct{}    `xml:"component>structuredBody"`
}

type cdaID struct {
	Root      string `xml:"root,attr"`
	Extension string `xml:"extension,attr"`
}

type cdaValue struct {
	Value string `xml:"value,attr"`
}

type cdaCode struct {
	Code   string `xml:"code,attr"`
	System string `xml:"codeSystem,attr"`
	Label  string `xml:"displayName,attr"`
}

type cdaText struct {
	MediaType      string `xml:"mediaType,attr"`
	Representation string `xml:"representation,attr"`
	Content        string `xml:",chardata"`
}

type cdaNamePart struct {
	Qualifier string `xml:"qualifier,attr"`
	Text      string `xml:",chardata"`
}

type cdaName struct {
	Family []cdaNamePart `xml:"family"`
	Given  []cdaNamePart `xml:"given"`
}

type cdaPatient struct {
	IDs       []cdaID  `xml:"id"`
	Name      cdaName  `xml:"patient>name"`
	Gender    cdaCode  `xml:"patient>administrativeGenderCode"`
	BirthTime cdaValue `xml:"patient>birthTime"`
	County    string   `xml:"patient>birthplace>place>addr>county"`
}

type cdaOrganization struct {
	ID       cdaID   `xml:"id"`
	Name     string  `xml:"name"`
	Industry cdaCode `xml:"standardIndustryClassCode"`
}

type cdaAssigned struct {
	ID           cdaID           `xml:"id"`
	Code         cdaCode         `xml:"code"`
	Name         cdaName         `xml:"assignedPerson>name"`
	Device       *cdaDevice      `xml:"assignedAuthoringDevice"`
	Organization cdaOrganization `xml:"representedOrganization"`
}

type cdaDevice struct {
	Model    string `xml:"manufacturerModelName"`
	Software string `xml:"softwareName"`
}

type cdaAuthor struct {
	Function cdaCode     `xml:"functionCode"`
	Assigned cdaAssigned `xml:"assignedAuthor"`
}

type cdaService struct {
	Low       cdaValue    `xml:"effectiveTime>low"`
	High      cdaValue    `xml:"effectiveTime>high"`
	Performer cdaAssigned `xml:"performer>assignedEntity"`
}

type cdaRelated struct {
	Type   string `xml:"typeCode,attr"`
	Parent cdaID  `xml:"parentDocument>id"`
}

// oid writes an identifier as XDS does: root, or root^extension.
func (id cdaID) oid() string {
	if id.Extension == "" {
		return id.Root
	}
	return id.Root + "^" + id.Extension
}

func (n cdaName) family(qualifier string) string { return part(n.Family, qualifier) }
func (n cdaName) given(qualifier string) string  { return part(n.Given, qualifier) }

func part(parts []cdaNamePart, qualifier string) string {
	for _, p := range parts {
		if p.Qualifier == qualifier {
			return strings.Join(strings.Fields(p.Text), " ")
		}
	}
	return ""
}

func firstPart(parts []cdaNamePart) string {
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(strings.Fields(parts[0].Text), " ")
}

// pdf gives the PDF of a non-structured body, or nil when the body is another
// thing.
func (d *cdaDocument) pdf() ([]byte, error) {
	if d.NonXMLBody == nil || d.NonXMLBody.MediaType != "application/pdf" {
		return nil, nil
	}
	return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(d.NonXMLBody.Content), ""))
}
