package xdm

import (
	"archive/zip"
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"visavis/messaging/xdm/xdmtest"
)

func submission(docs ...Document) Submission {
	return Submission{
		UniqueID: "1.2.250.1.999.1.2026.7", SourceID: "1.2.250.1.999.1",
		At:      time.Date(2026, 1, 5, 9, 16, 0, 0, time.UTC),
		Content: Code{"07", "1.2.250.1.213.2.2", "Consultations soins externes"},
		Emitter: "Cabinet de test", Application: "visavis", Version: "1", Documents: docs,
	}
}

func files(t *testing.T, data []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if out[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestTheTreeIsTheOneOfIHE(t *testing.T) {
	a, err := Build(submission(Document{CDA: xdmtest.Document{}.CDA()},
		Document{CDA: xdmtest.Document{ID: "1.2.250.1.999.1.2026.2.1", SetID: "1.2.250.1.999.1.2026.2"}.CDA()}))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	short := regexp.MustCompile(`^([A-Z0-9_]{1,8}/)*[A-Z0-9_]{1,8}\.[A-Z0-9_]{1,3}$`)
	for name := range files(t, a.Zip) {
		names = append(names, name)
		if !short.MatchString(name) {
			t.Errorf("%s is not an ISO 9660 level 1 name", name)
		}
	}
	slices.Sort(names)
	want := []string{"IHE_XDM/SUBSET01/DOC0001.XML", "IHE_XDM/SUBSET01/DOC0002.XML", "IHE_XDM/SUBSET01/METADATA.XML", "INDEX.HTM", "README.TXT"}
	if !slices.Equal(names, want) {
		t.Fatalf("tree %v", names)
	}
	readme := string(files(t, a.Zip)["README.TXT"])
	for _, s := range []string{"Emetteur : Cabinet de test", "Application : visavis 1", "Arborescence", "DOC0002.XML"} {
		if !strings.Contains(readme, s) {
			t.Errorf("README.TXT lacks %q", s)
		}
	}
	if err := xml.Unmarshal(files(t, a.Zip)["INDEX.HTM"], &struct{}{}); err != nil {
		t.Errorf("INDEX.HTM is not XHTML: %v", err)
	}
}

func TestTheSameSubmissionGivesTheSameBytes(t *testing.T) {
	s := submission(Document{CDA: xdmtest.Document{}.CDA()})
	a, err := Build(s)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Build(s)
	if err != nil || !bytes.Equal(a.Zip, b.Zip) {
		t.Fatal("two builds differ")
	}
}

// TestEveryMetadataHasItsShape reads METADATA.XML as another program would,
// with nothing of the writer's types.
func TestEveryMetadataHasItsShape(t *testing.T) {
	d := xdmtest.Document{Family: "O'BRIEN-ÉLOÏSE & CIE", Givens: "ANNE MARIE", First: "ANNE", LocalID: "42", LocalRoot: "1.2.250.1.999.3", Replaces: "1.2.250.1.999.1.2026.1.0"}
	cda := d.CDA()
	s := submission(Document{CDA: cda, Visibility: []Code{{Code: "MASQUE_PS", Label: "Masqué aux professionnels de santé"}}})
	a, err := Build(s)
	if err != nil {
		t.Fatal(err)
	}
	type slotX struct {
		Name   string   `xml:"name,attr"`
		Values []string `xml:"ValueList>Value"`
	}
	type class struct {
		Scheme string  `xml:"classificationScheme,attr"`
		Object string  `xml:"classifiedObject,attr"`
		Code   string  `xml:"nodeRepresentation,attr"`
		Node   string  `xml:"classificationNode,attr"`
		Slots  []slotX `xml:"Slot"`
		Name   struct {
			V struct {
				Value string `xml:"value,attr"`
			} `xml:"LocalizedString"`
		} `xml:"Name"`
	}
	type ext struct {
		Scheme string `xml:"identificationScheme,attr"`
		Value  string `xml:"value,attr"`
		Object string `xml:"registryObject,attr"`
	}
	var m struct {
		XMLName xml.Name `xml:"urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0 SubmitObjectsRequest"`
		List    struct {
			Doc struct {
				ID    string  `xml:"id,attr"`
				Type  string  `xml:"objectType,attr"`
				Mime  string  `xml:"mimeType,attr"`
				Slots []slotX `xml:"Slot"`
				Class []class `xml:"Classification"`
				Ext   []ext   `xml:"ExternalIdentifier"`
			} `xml:"ExtrinsicObject"`
			Set struct {
				ID    string  `xml:"id,attr"`
				Slots []slotX `xml:"Slot"`
				Class []class `xml:"Classification"`
				Ext   []ext   `xml:"ExternalIdentifier"`
			} `xml:"RegistryPackage"`
			Class []class `xml:"Classification"`
			Assoc []struct {
				Type   string  `xml:"associationType,attr"`
				Source string  `xml:"sourceObject,attr"`
				Target string  `xml:"targetObject,attr"`
				Slots  []slotX `xml:"Slot"`
			} `xml:"Association"`
		} `xml:"urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0 RegistryObjectList"`
	}
	if err := xml.Unmarshal(files(t, a.Zip)[subset+"METADATA.XML"], &m); err != nil {
		t.Fatal(err)
	}
	doc := m.List.Doc
	slots := map[string]string{}
	for _, s := range append(doc.Slots, m.List.Set.Slots...) {
		slots[s.Name] = strings.Join(s.Values, " ; ")
	}
	sum := sha1.Sum(cda)
	const author = "810001234567^MARTIN^CLAIRE^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"
	for name, want := range map[string]string{
		"creationTime": "20260105091500", "hash": hex.EncodeToString(sum[:]), "size": strconv.Itoa(len(cda)),
		"languageCode": "fr-FR", "legalAuthenticator": author, "serviceStartTime": "20260105090000",
		"serviceStopTime": "20260105091500", "URI": "DOC0001.XML", "submissionTime": "20260105091600",
		"sourcePatientId":   "42^^^&1.2.250.1.999.3&ISO^PI",
		"sourcePatientInfo": `PID-5|O'BRIEN-ÉLOÏSE \T\ CIE^ANNE^ANNE MARIE^^^^L ; PID-7|19790328 ; PID-8|F`,
	} {
		if slots[name] != want {
			t.Errorf("slot %s = %q, want %q", name, slots[name], want)
		}
	}
	codes := map[string][]string{}
	for _, c := range append(append(doc.Class, m.List.Set.Class...), m.List.Class...) {
		v := c.Code + c.Node
		for _, s := range c.Slots {
			v += " " + s.Name + "=" + strings.Join(s.Values, ",")
		}
		codes[c.Scheme] = append(codes[c.Scheme], strings.TrimSpace(v+" "+c.Name.V.Value))
		if c.Object != doc.ID && c.Object != m.List.Set.ID {
			t.Errorf("a classification names object %q", c.Object)
		}
	}
	people := "authorPerson=" + author + " authorInstitution=Cabinet de test^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^1750803447" +
		" authorSpecialty=G15_10/SM26^Médecin - Qualifié en Médecine Générale (SM)^1.2.250.1.213.1.1.4.5"
	for scheme, want := range map[string][]string{
		"urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d": {people},
		"urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d": {people},
		"urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a": {"10 codingScheme=1.2.250.1.213.1.1.4.1 Compte rendu"},
		"urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f": {"N codingScheme=2.16.840.1.113883.5.25 Normal", "MASQUE_PS codingScheme=1.2.250.1.213.1.1.4.13 Masqué aux professionnels de santé"},
		"urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d": {"urn:ihe:iti:xds-sd:pdf:2008 codingScheme=1.3.6.1.4.1.19376.1.2.3 Document à corps non structuré en Pdf/A-1"},
		"urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1": {"SA64 codingScheme=1.2.250.1.71.4.2.4 Société de téléconsultation"},
		"urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead": {"AMBULATOIRE codingScheme=1.2.250.1.213.1.1.4.9 Ambulatoire"},
		"urn:uuid:f0306f51-975f-434e-a61c-c59651d33983": {"85208-7 codingScheme=2.16.840.1.113883.6.1 CR de télémédecine"},
		"urn:uuid:aa543740-bdda-424e-8c96-df4873be8500": {"07 codingScheme=1.2.250.1.213.2.2 Consultations soins externes"},
		"": {"urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"},
	} {
		if !slices.Equal(codes[scheme], want) {
			t.Errorf("%s: %q, want %q", scheme, codes[scheme], want)
		}
	}
	ids := map[string]string{}
	for _, e := range append(doc.Ext, m.List.Set.Ext...) {
		ids[e.Scheme] = e.Value
	}
	for scheme, want := range map[string]string{
		"urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427": "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH",
		"urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446": "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH",
		"urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab": "1.2.250.1.999.1.2026.1.1",
		"urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8": "1.2.250.1.999.1.2026.7",
		"urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832": "1.2.250.1.999.1",
	} {
		if ids[scheme] != want {
			t.Errorf("identifier %s = %q, want %q", scheme, ids[scheme], want)
		}
	}
	if doc.Type != "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1" || doc.Mime != "text/xml" || doc.ID != EntryUUID("1.2.250.1.999.1.2026.1.1") {
		t.Errorf("document entry %+v", doc)
	}
	if len(m.List.Assoc) != 2 || m.List.Assoc[0].Type != hasMember || m.List.Assoc[0].Source != m.List.Set.ID || m.List.Assoc[0].Target != doc.ID ||
		m.List.Assoc[1].Type != "urn:ihe:iti:2007:AssociationType:RPLC" || m.List.Assoc[1].Source != doc.ID || m.List.Assoc[1].Target != EntryUUID("1.2.250.1.999.1.2026.1.0") {
		t.Errorf("associations %+v", m.List.Assoc)
	}
}

func TestWhatIsBuiltIsReadBack(t *testing.T) {
	first := xdmtest.Document{ID: "1.2.250.1.999.1.2026.1.1"}.CDA()
	second := xdmtest.Document{ID: "1.2.250.1.999.1.2026.1.2", Version: 2, Replaces: "1.2.250.1.999.1.2026.1.1"}.CDA()
	a, err := Build(submission(Document{CDA: second}))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Read(a.Zip)
	if err != nil {
		t.Fatal(err)
	}
	facts, err := ReadFacts(first)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || !bytes.Equal(got[0].CDA, second) || got[0].UniqueID != "1.2.250.1.999.1.2026.1.2" ||
		got[0].PatientID != facts.Patient.CX() || got[0].Type.Code != "85208-7" || got[0].Replaces != EntryUUID(facts.UniqueID) ||
		got[0].Title != "Compte-rendu de téléconsultation" || got[0].EntryUUID != EntryUUID("1.2.250.1.999.1.2026.1.2") {
		t.Fatalf("read back %+v", got)
	}
	if !bytes.HasPrefix(a.Documents[0].PDF, []byte("%PDF-")) {
		t.Error("the readable copy of the body was not found")
	}
}

func TestAnArchiveThatDoesNotAgreeWithItselfIsRefused(t *testing.T) {
	a, err := Build(submission(Document{CDA: xdmtest.Document{}.CDA()}))
	if err != nil {
		t.Fatal(err)
	}
	rebuild := func(change func(map[string][]byte)) []byte {
		content := files(t, a.Zip)
		change(content)
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for name, data := range content {
			w, err := z.Create(name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(data); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	meta, doc := subset+"METADATA.XML", subset+"DOC0001.XML"
	for name, c := range map[string]struct {
		data []byte
		says string
	}{
		"not a zip":        {[]byte("hello"), "zip"},
		"one byte changed": {rebuild(func(m map[string][]byte) { m[doc] = bytes.Replace(m[doc], []byte("CLAIRE"), []byte("CLAIRF"), 1) }), "hash"},
		"size lies": {rebuild(func(m map[string][]byte) {
			m[meta] = regexp.MustCompile(`(?s)(name="size">.*?<Value>)\d+`).ReplaceAll(m[meta], []byte("${1}1"))
		}), "size"},
		"document missing": {rebuild(func(m map[string][]byte) { delete(m, doc) }), "missing"},
		"metadata missing": {rebuild(func(m map[string][]byte) { delete(m, meta) }), "missing"},
		"path that climbs": {rebuild(func(m map[string][]byte) {
			m[meta] = bytes.Replace(m[meta], []byte("DOC0001.XML"), []byte("../X.XML"), 1)
		}), "URI"},
		"metadata not XML":  {rebuild(func(m map[string][]byte) { m[meta] = []byte("<a>") }), "METADATA"},
		"another root":      {rebuild(func(m map[string][]byte) { m[meta] = []byte(`<SubmitObjectsRequest xmlns="urn:x"/>`) }), "name space"},
		"no document named": {rebuild(func(m map[string][]byte) { m[meta] = []byte(`<SubmitObjectsRequest xmlns="` + lcmNS + `"/>`) }), "no document"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Read(c.data); !errors.Is(err, ErrArchive) || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %v, want a refusal about %q", err, c.says)
			}
		})
	}
}

func TestAMissingFactIsNamed(t *testing.T) {
	good := string(xdmtest.Document{}.CDA())
	cut := func(re string) []byte { return []byte(regexp.MustCompile(re).ReplaceAllString(good, "")) }
	swap := func(old, new string) []byte { return []byte(strings.ReplaceAll(good, old, new)) }
	for field, cda := range map[string][]byte{
		"ClinicalDocument":                  []byte("<html/>"),
		"patientId":                         swap(`root="1.2.250.1.213.1.4.10"`, `root="1.2.3"`),
		"uniqueId":                          cut(`<id root="1.2.250.1.999.1.2026.1.1"/>`),
		"title":                             cut(`<title>.*</title>`),
		"legalAuthenticator":                cut(`<legalAuthenticator>.*</legalAuthenticator>`),
		"author":                            cut(`<author>.*</author>`),
		"healthcareFacilityTypeCode":        cut(`<code code="SA64"[^>]*/>`),
		"practiceSettingCode":               cut(`<standardIndustryClassCode[^>]*/>`),
		"confidentialityCode":               cut(`<confidentialityCode[^>]*/>`),
		"typeCode":                          swap(`85208-7`, `12345-6`),
		"typeCode/@displayName":             swap(` displayName="CR de télémédecine"`, ``),
		"languageCode":                      cut(`<languageCode[^>]*/>`),
		"effectiveTime":                     swap(`<effectiveTime value="20260105101500+0100"/>`, `<effectiveTime value="20260105101500"/>`),
		"nonXMLBody":                        swap(`application/pdf`, `video/mp4`),
		"component":                         cut(`<component>.*</component>`),
		"documentationOf":                   cut(`(?s)<documentationOf>.*</documentationOf>`),
		"documentationOf/effectiveTime/low": cut(`<low [^>]*/>`),
	} {
		t.Run(field, func(t *testing.T) {
			_, err := Build(submission(Document{CDA: xdmtest.Document{ID: "1.2.3.4.9"}.CDA()}, Document{CDA: cda}))
			var fe *FieldError
			if !errors.As(err, &fe) || fe.Field != field || fe.Document != 1 {
				t.Fatalf("got %v, want document 2, %s", err, field)
			}
		})
	}
}

// TestReadFacts_ClosedWords: a code that is not known, or is written otherwise, is refused by its element; none counts as one
// that is known (issue 9, B4).
func TestReadFacts_ClosedWords(t *testing.T) {
	good := string(xdmtest.Document{Replaces: "1.2.3.4.8"}.CDA())
	if _, err := ReadFacts([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for field, c := range map[string]struct {
		element string
		words   []string
	}{
		"confidentialityCode":      {`<confidentialityCode code="N"`, []string{"X", "n", "NR", "N ", "L", "U", "Normal"}},
		"administrativeGenderCode": {`<administrativeGenderCode code="F"`, []string{"X", "f", "UN", "O", "1", "Féminin"}},
		"relatedDocument":          {`<relatedDocument typeCode="RPLC"`, []string{"APND", "XFRM", "rplc", "", "REPL"}},
		"typeCode":                 {`<code code="85208-7"`, []string{"85208-8", "85208-7 ", "CR"}},
		"nonXMLBody":               {`mediaType="application/pdf"`, []string{"application/PDF", "text/html", "application/pdf; x=y", "application/octet-stream"}},
	} {
		if !strings.Contains(good, c.element) {
			t.Fatalf("%s: no %s", field, c.element)
		}
		for _, word := range c.words {
			i := strings.LastIndexByte(strings.TrimSuffix(c.element, `"`), '"')
			_, err := ReadFacts([]byte(strings.Replace(good, c.element, c.element[:i+1]+word+`"`, 1)))
			var fe *FieldError
			if !errors.As(err, &fe) || fe.Field != field {
				t.Errorf("%s %q: %v", field, word, err)
			}
		}
	}
}

func TestASubmissionIsCheckedFirst(t *testing.T) {
	one := Document{CDA: xdmtest.Document{}.CDA()}
	other := Document{CDA: xdmtest.Document{ID: "1.2.3.4", Matricule: "297022A02077878"}.CDA()}
	for field, change := range map[string]func(*Submission){
		"documents":       func(s *Submission) { s.Documents = nil },
		"uniqueId":        func(s *Submission) { s.UniqueID = "1.02.3" },
		"sourceId":        func(s *Submission) { s.SourceID = "" },
		"submissionTime":  func(s *Submission) { s.At = time.Time{} },
		"contentTypeCode": func(s *Submission) { s.Content = Code{} },
		"patientId":       func(s *Submission) { s.Documents = []Document{one, other} },
	} {
		s := submission(one)
		change(&s)
		var fe *FieldError
		if _, err := Build(s); !errors.As(err, &fe) || fe.Field != field {
			t.Errorf("got %v, want %s", err, field)
		}
	}
	s := submission(one, one)
	var fe *FieldError
	if _, err := Build(s); !errors.As(err, &fe) || fe.Field != "uniqueId" {
		t.Errorf("the same document twice: %v", err)
	}
}

func TestTimesAndPeople(t *testing.T) {
	for in, want := range map[string]string{
		"20260105101500+0100": "20260105091500", "202601051015+0100": "202601050915", "20260105": "20260105",
		"20260105101500.123+0100": "20260105091500", "20260105101500-0400": "20260105141500",
		"2026": "!", "20260105101500": "!", "20261305": "!", "": "!", "20260105101500+01": "!",
	} {
		_, got, err := dtm(in)
		if (want == "!") != (err != nil) || (err == nil && got != want) {
			t.Errorf("dtm(%q) = %q, %v", in, got, err)
		}
	}
	employee := cdaAssigned{ID: cdaID{"1.2.250.1.71.4.2.1", "3750803447/12"}, Name: cdaName{Family: []cdaNamePart{{Text: "D'ARC"}}, Given: []cdaNamePart{{Text: "Jeanne"}}}}
	if got := xcn(employee); got != "3750803447/12^D'ARC^Jeanne^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^EI" {
		t.Error(got)
	}
	device := cdaAssigned{ID: cdaID{"1.2.3", "7"}, Device: &cdaDevice{Model: "Cabine", Software: "1.0"}}
	if got := xcn(device); got != "7^Cabine^1.0^^^^^^&1.2.3&ISO^U^^^RI" {
		t.Error(got)
	}
	if again := EntryUUID("1.2.3"); again != EntryUUID("1.2.3") || EntryUUID("1.2.3") == EntryUUID("1.2.4") ||
		!regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(EntryUUID("1.2.3")) {
		t.Errorf("entry UUID %s", EntryUUID("1.2.3"))
	}
}

func TestStructuredDocumentsTakeTheirModelsFormat(t *testing.T) {
	cda := regexp.MustCompile(`(?s)<component>.*</component>`).ReplaceAllString(string(xdmtest.Document{TypeCode: "57833-6"}.CDA()), `<component><structuredBody/></component>`)
	for template, want := range map[string]string{
		"1.2.250.1.213.1.1.1.39": "urn:ihe:pharm:pre:2010", "1.2.3": "urn:asipSante:modelesHorsProfils:2011",
	} {
		f, err := ReadFacts([]byte(strings.Replace(cda, "1.3.6.1.4.1.19376.1.2.20", template, 1)))
		if err != nil || f.Format.Code != want || f.Class.Code != "42" || f.PDF != nil {
			t.Errorf("%s: %+v, %v", template, f.Format, err)
		}
	}
}

// TestTheTestDocumentsAreValid runs the official rules when the validation pack
// is beside the repository.
func TestTheTestDocumentsAreValid(t *testing.T) {
	validate, err := filepath.Abs("../../../shared/ans/validate")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(validate); err != nil || testing.Short() {
		t.Skip("the official rules (../shared/ans) are not beside the repository, or -short")
	}
	dir := t.TempDir()
	for name, d := range map[string]xdmtest.Document{"a.xml": {}, "b.xml": {Version: 2, ID: "1.2.3.4", Replaces: "1.2.3.3", LocalID: "7", LocalRoot: "1.2.9"}} {
		if err := os.WriteFile(filepath.Join(dir, name), d.CDA(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command(validate, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func FuzzRead(f *testing.F) {
	a, err := Build(submission(Document{CDA: xdmtest.Document{}.CDA()}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(a.Zip)
	f.Fuzz(func(t *testing.T, data []byte) {
		if docs, err := Read(data); err == nil && len(docs) == 0 {
			t.Fatal("an archive without document was read")
		}
	})
}
