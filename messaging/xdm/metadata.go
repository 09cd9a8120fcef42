package xdm

import (
	"bytes"
	"crypto/sha1" // the hash metadata of XDS is SHA-1 by definition (ITI TF-3 §4.2.3.2.10)
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"strconv"
	"time"
)

// Visibility flags of a document (TRE_A07), beside its CDA confidentiality.
const visibilityScheme = "1.2.250.1.213.1.1.4.13"

// Document is one document to send.
type Document struct {
	CDA []byte
	// Visibility lists flags of TRE_A07 (MASQUE_PS, INVISIBLE_PATIENT…) with
	// their label; the CDA header cannot carry them.
	Visibility []Code
}

// Submission is one sending of documents of one patient.
type Submission struct {
	// UniqueID is the OID of this submission, unique for ever.
	UniqueID string
	// SourceID is the OID of the platform.
	SourceID string
	// At is when the documents were submitted.
	At time.Time
	// Content is the kind of activity (TRE_R209 or TRE_R02).
	Content Code
	// Emitter, Application and Version are written in README.TXT.
	Emitter, Application, Version string
	Documents                     []Document
}

// EntryUUID is the registry identifier of a document: a UUID version 5 of its
// uniqueId under the OID name space (RFC 9562 §5.5). It never changes, so a
// later version can name the entry it replaces.
func EntryUUID(uniqueID string) string { return "urn:uuid:" + uuid5(uniqueID) }

func uuid5(name string) string {
	space := []byte{0x6b, 0xa7, 0xb8, 0x12, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}
	sum := sha1.Sum(append(space, name...))
	b := sum[:16]
	b[6] = b[6]&0x0f | 0x50
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

type entry struct {
	facts Facts
	name  string // DOC0001.XML
	cda   []byte
	flags []Code
}

// writer numbers the objects of one METADATA.XML.
type writer struct {
	next int
}

func (w *writer) id(prefix string) string {
	w.next++
	return prefix + strconv.Itoa(w.next)
}

func metadata(s Submission, entries []entry) ([]byte, error) {
	w := &writer{}
	set := "urn:uuid:" + uuid5("submission|"+s.UniqueID)
	root := submitObjects{LCM: lcmNS, RIM: rimNS}
	root.Objects.Package = w.submissionSet(s, set, entries[0].facts)
	root.Objects.Classifications = []classification{{ID: w.id("node"), Node: submissionSetNode, Classified: set}}
	for _, e := range entries {
		root.Objects.Documents = append(root.Objects.Documents, w.document(e))
		uuid := EntryUUID(e.facts.UniqueID)
		root.Objects.Associations = append(root.Objects.Associations, association{
			ID: w.id("member"), Type: hasMember, Source: set, Target: uuid,
			Slots: []slot{value("SubmissionSetStatus", "Original")},
		})
		if e.facts.Replaces != "" {
			root.Objects.Associations = append(root.Objects.Associations, association{
				ID: w.id("replace"), Type: replaces, Source: uuid, Target: EntryUUID(e.facts.Replaces),
			})
		}
	}
	var out bytes.Buffer
	out.WriteString(xml.Header)
	enc := xml.NewEncoder(&out)
	enc.Indent("", " ")
	if err := enc.Encode(root); err != nil {
		return nil, fmt.Errorf("xdm: write metadata: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

func (w *writer) document(e entry) extrinsicObject {
	f, id := e.facts, EntryUUID(e.facts.UniqueID)
	sum := sha1.Sum(e.cda)
	x := extrinsicObject{
		ID: id, LID: id, MimeType: "text/xml", ObjectType: stableDocument, Status: approved, Name: named(f.Title),
		Slots: []slot{
			value("creationTime", f.Created),
			value("hash", hex.EncodeToString(sum[:])),
			value("languageCode", f.Language),
			value("legalAuthenticator", f.Authenticator),
			value("serviceStartTime", f.ServiceStart),
		},
	}
	if f.ServiceStop != "" {
		x.Slots = append(x.Slots, value("serviceStopTime", f.ServiceStop))
	}
	p := f.Patient
	x.Slots = append(x.Slots,
		value("size", strconv.Itoa(len(e.cda))),
		value("sourcePatientId", p.LocalID),
		value("sourcePatientInfo",
			"PID-5|"+hl7(p.BirthName)+"^"+hl7(p.FirstGiven)+"^"+hl7(p.GivenNames)+"^^^^L",
			"PID-7|"+p.Birth, "PID-8|"+p.Gender),
		value("URI", e.name),
	)
	for _, a := range f.Authors {
		x.Classifications = append(x.Classifications, w.author(id, schemeAuthor, a))
	}
	x.Classifications = append(x.Classifications, w.coded(id, schemeType, f.Type), w.coded(id, schemeClass, f.Class),
		w.coded(id, schemeConfident, f.Confidentiality))
	for _, flag := range e.flags {
		flag.Scheme = visibilityScheme
		x.Classifications = append(x.Classifications, w.coded(id, schemeConfident, flag))
	}
	x.Classifications = append(x.Classifications, w.coded(id, schemeFormat, f.Format),
		w.coded(id, schemeFacility, f.Facility), w.coded(id, schemePractice, f.Practice))
	x.Identifiers = []externalIdentifier{
		w.identifier(id, schemeDocPatient, "XDSDocumentEntry.patientId", p.CX()),
		w.identifier(id, schemeDocUnique, "XDSDocumentEntry.uniqueId", f.UniqueID),
	}
	return x
}

func (w *writer) submissionSet(s Submission, id string, first Facts) registryPackage {
	return registryPackage{
		ID: id, Status: approved,
		Slots: []slot{value("submissionTime", s.At.UTC().Format("20060102150405"))},
		Classifications: []classification{
			w.author(id, schemeSetAuthor, first.Authors[0]),
			w.coded(id, schemeSetContent, s.Content),
		},
		Identifiers: []externalIdentifier{
			w.identifier(id, schemeSetPatient, "XDSSubmissionSet.patientId", first.Patient.CX()),
			w.identifier(id, schemeSetUnique, "XDSSubmissionSet.uniqueId", s.UniqueID),
			w.identifier(id, schemeSetSource, "XDSSubmissionSet.sourceId", s.SourceID),
		},
	}
}

func (w *writer) author(object, scheme string, a Author) classification {
	empty := ""
	c := classification{ID: w.id("author"), Scheme: scheme, Classified: object, Code: &empty,
		Slots: []slot{value("authorPerson", a.Person)}}
	for _, s := range []struct{ name, value string }{
		{"authorInstitution", a.Institution}, {"authorSpecialty", a.Specialty}, {"authorRole", a.Role},
	} {
		if s.value != "" {
			c.Slots = append(c.Slots, value(s.name, s.value))
		}
	}
	return c
}

func (w *writer) coded(object, scheme string, c Code) classification {
	return classification{ID: w.id("code"), Scheme: scheme, Classified: object, Code: &c.Code,
		Slots: []slot{value("codingScheme", c.Scheme)}, Name: named(c.Label)}
}

func (w *writer) identifier(object, scheme, name, v string) externalIdentifier {
	return externalIdentifier{ID: w.id("id"), Object: object, Scheme: scheme, Value: v, Name: identifierName(name)}
}
