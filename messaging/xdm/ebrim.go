package xdm

import "encoding/xml"

// UUIDs of the XDS object types, classification and identification schemes
// (IHE ITI TF-3 §4.2.5).
const (
	stableDocument   = "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"
	schemeAuthor     = "urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d"
	schemeClass      = "urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a"
	schemeConfident  = "urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f"
	schemeFormat     = "urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d"
	schemeFacility   = "urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1"
	schemePractice   = "urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead"
	schemeType       = "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983"
	schemeDocPatient = "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427"
	schemeDocUnique  = "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"

	submissionSetNode = "urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"
	schemeSetAuthor   = "urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d"
	schemeSetContent  = "urn:uuid:aa543740-bdda-424e-8c96-df4873be8500"
	schemeSetPatient  = "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446"
	schemeSetUnique   = "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8"
	schemeSetSource   = "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832"

	hasMember = "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
	replaces  = "urn:ihe:iti:2007:AssociationType:RPLC"
	approved  = "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"

	lcmNS = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
	rimNS = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
)

// submitObjects is the root written in METADATA.XML.
type submitObjects struct {
	XMLName xml.Name       `xml:"lcm:SubmitObjectsRequest"`
	LCM     string         `xml:"xmlns:lcm,attr"`
	RIM     string         `xml:"xmlns,attr"`
	Objects registryObject `xml:"RegistryObjectList"`
}

// registryObject is the list of objects; the order of its fields is the order
// written.
type registryObject struct {
	Documents       []extrinsicObject `xml:"ExtrinsicObject"`
	Package         registryPackage   `xml:"RegistryPackage"`
	Classifications []classification  `xml:"Classification"`
	Associations    []association     `xml:"Association"`
}

type extrinsicObject struct {
	ID              string               `xml:"id,attr"`
	LID             string               `xml:"lid,attr,omitempty"`
	MimeType        string               `xml:"mimeType,attr"`
	ObjectType      string               `xml:"objectType,attr"`
	Status          string               `xml:"status,attr"`
	Slots           []slot               `xml:"Slot"`
	Name            *localName           `xml:"Name"`
	Classifications []classification     `xml:"Classification"`
	Identifiers     []externalIdentifier `xml:"ExternalIdentifier"`
}

type registryPackage struct {
	ID              string               `xml:"id,attr"`
	Status          string               `xml:"status,attr"`
	Slots           []slot               `xml:"Slot"`
	Name            *localName           `xml:"Name"`
	Classifications []classification     `xml:"Classification"`
	Identifiers     []externalIdentifier `xml:"ExternalIdentifier"`
}

type slot struct {
	Name   string   `xml:"name,attr"`
	Values []string `xml:"ValueList>Value"`
}

type localName struct {
	Strings []localizedString `xml:"LocalizedString"`
}

type localizedString struct {
	Lang    string `xml:"http://www.w3.org/XML/1998/namespace lang,attr,omitempty"`
	Charset string `xml:"charset,attr,omitempty"`
	Value   string `xml:"value,attr"`
}

type classification struct {
	ID         string     `xml:"id,attr"`
	Scheme     string     `xml:"classificationScheme,attr,omitempty"`
	Node       string     `xml:"classificationNode,attr,omitempty"`
	Classified string     `xml:"classifiedObject,attr"`
	Code       *string    `xml:"nodeRepresentation,attr"`
	Slots      []slot     `xml:"Slot"`
	Name       *localName `xml:"Name"`
}

type externalIdentifier struct {
	ID     string    `xml:"id,attr"`
	Object string    `xml:"registryObject,attr"`
	Scheme string    `xml:"identificationScheme,attr"`
	Value  string    `xml:"value,attr"`
	Name   localName `xml:"Name"`
}

type association struct {
	ID     string `xml:"id,attr"`
	Type   string `xml:"associationType,attr"`
	Source string `xml:"sourceObject,attr"`
	Target string `xml:"targetObject,attr"`
	Slots  []slot `xml:"Slot"`
}

func value(name string, values ...string) slot { return slot{Name: name, Values: values} }

func named(text string) *localName {
	return &localName{Strings: []localizedString{{Lang: "fr-FR", Charset: "UTF-8", Value: text}}}
}

func identifierName(text string) localName {
	return localName{Strings: []localizedString{{Value: text}}}
}

func slotValues(slots []slot, name string) []string {
	for _, s := range slots {
		if s.Name == name {
			return s.Values
		}
	}
	return nil
}
