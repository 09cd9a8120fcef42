package cda

import (
	"encoding/base64"
	"slices"
	"strings"

	"visavis/internal/care"
)

// CheckDocument applies the rules of the header, of the body and of the medicine lines to the bytes of a
// finished document, ours or received. An unreadable document has the single problem "document".
func CheckDocument(doc []byte) []Problem {
	root, err := parse(doc)
	if err != nil || root.name != "ClinicalDocument" {
		return []Problem{{"document", Format}}
	}
	c := newChecker()
	checkRoot(c, root)
	checkPatientRole(c.at("recordTarget/patientRole"), root.one("recordTarget/patientRole"))
	checkPeople(c, root)
	checkEvents(c, root)
	if root.hasTemplate(templateEPMedDM) {
		checkStructured(c, root)
	} else {
		checkLevel1(c, root)
	}
	return *c.problems
}

// must notes a required element that is absent.
func (c checker) must(n *node, paths ...string) {
	for _, p := range paths {
		if n.one(p) == nil {
			c.fail(p, Required)
		}
	}
}

// carries notes an element without its attribute.
func (c checker) carries(n *node, path, attr string) {
	if n.value(path, attr) == "" {
		c.fail(path+"/@"+attr, Required)
	}
}

func (c checker) belongs(n *node, path string, set Set) {
	if e := n.one(path); e == nil {
		c.fail(path, Required)
	} else {
		c.concept(path, set, e)
	}
}

func (c checker) concept(path string, set Set, e *node) {
	v, ok := Lookup(set, e.attr("code"))
	if !ok || v.System != e.attr("codeSystem") {
		c.fail(path, Unknown)
	}
	if e.attr("displayName") == "" {
		c.fail(path+"/@displayName", Required)
	}
}

func checkRoot(c checker, root *node) {
	if root.value("realmCode", "code") != "FR" {
		c.fail("realmCode", Required)
	}
	if root.value("typeId", "root") != "2.16.840.1.113883.1.3" ||
		root.value("typeId", "extension") != "POCD_HD000040" {
		c.fail("typeId", Required)
	}
	for _, t := range []string{templateFrance, templateCISIS} {
		if !root.hasTemplate(t) {
			c.fail("templateId "+t, Required)
		}
	}
	for _, p := range []string{"id", "setId"} {
		c.match(p, root.value(p, "root"), func(s string) bool {
			return oidPattern.MatchString(s) || uuidPattern.MatchString(s)
		}, Format)
	}
	c.belongs(root, "code", SetDocument)
	if t := root.one("title"); t == nil || t.text == "" {
		c.fail("title", Required)
	}
	c.match("effectiveTime", root.value("effectiveTime", "value"), hasOffset, Format)
	c.belongs(root, "confidentialityCode", SetConfidential)
	if lang := root.value("languageCode", "code"); len(lang) != 5 || lang[2] != '-' {
		c.fail("languageCode", Format)
	}
	if v := root.value("versionNumber", "value"); !digits(v) {
		c.fail("versionNumber", Format)
	}
	if r := root.one("relatedDocument"); r != nil && r.value("parentDocument/id", "root") == "" {
		c.fail("relatedDocument/parentDocument/id", Required)
	}
}

func hasOffset(s string) bool {
	return len(s) == 19 && (s[14] == '+' || s[14] == '-') && digits(s[:14]) && digits(s[15:])
}

func checkPatientRole(c checker, role *node) {
	if role == nil {
		c.fail("patient", Required)
		return
	}
	c.must(role, "id", "addr", "telecom", "patient/name", "patient/birthTime")
	qualified := false
	for _, id := range role.all("id") {
		switch id.attr("root") {
		case OIDINSNIR, OIDINSNIA, OIDINSTest, OIDINSDemo:
			qualified = true
			c.match("id", id.attr("extension"), care.ValidINS, Key)
		}
	}
	names := map[string]bool{}
	for _, n := range slices.Concat(role.all("patient/name/family"), role.all("patient/name/given")) {
		if n.text != "" {
			names[n.name+n.attr("qualifier")] = true
		}
	}
	if !names["familyBR"] {
		c.fail("patient/name/family[BR]", Required)
	}
	if !names["given"] || !names["givenBR"] {
		c.fail("patient/name/given", Required)
	}
	c.belongs(role, "patient/administrativeGenderCode", SetGender)
	place := role.one("patient/birthplace/place/addr/county")
	if qualified && (place == nil || place.text == "") {
		c.fail("patient/birthplace", Required)
	}
	if place != nil && place.text != "" && !ValidCOG(place.text) {
		c.fail("patient/birthplace", Format)
	}
}

func checkPeople(c checker, root *node) {
	authors := root.all("author")
	if len(authors) == 0 {
		c.fail("author", Required)
	}
	for _, a := range authors {
		ca := c.at("author")
		ca.carries(a, "time", "value")
		checkAssigned(ca.at("assignedAuthor"), a.one("assignedAuthor"), true)
	}
	custodian := "custodian/assignedCustodian/representedCustodianOrganization"
	c.carries(root, custodian+"/id", "extension")
	c.must(root, custodian+"/name")
	for _, r := range root.all("informationRecipient/intendedRecipient") {
		if r.value("id", "root") != OIDPerson {
			c.fail("informationRecipient/intendedRecipient/id", Required)
		}
	}
	la := root.one("legalAuthenticator")
	if la == nil {
		c.fail("legalAuthenticator", Required)
		return
	}
	cl := c.at("legalAuthenticator")
	cl.carries(la, "time", "value")
	if la.value("signatureCode", "code") != "S" {
		cl.fail("signatureCode", Required)
	}
	checkAssigned(cl.at("assignedEntity"), la.one("assignedEntity"), false)
}

// checkAssigned checks an author, an authenticator or a performer.
func checkAssigned(c checker, a *node, practice bool) {
	if a == nil {
		c.fail("id", Required)
		return
	}
	c.carries(a, "id", "extension")
	if id := a.value("id", "extension"); strings.HasPrefix(id, "8") && !care.ValidRPPS(id[1:]) {
		c.fail("id", Key)
	}
	c.belongs(a, "code", SetSpecialty)
	if f := a.one("assignedPerson/name/family"); f == nil || f.text == "" {
		c.fail("assignedPerson/name/family", Required)
	}
	if practice {
		c.must(a, "representedOrganization/name")
		c.carries(a, "representedOrganization/id", "extension")
		c.belongs(a, "representedOrganization/standardIndustryClassCode", SetSetting)
	}
}

func checkEvents(c checker, root *node) {
	events := root.all("documentationOf/serviceEvent")
	if len(events) == 0 {
		c.fail("documentationOf/serviceEvent", Required)
	}
	report := root.value("code", "code") == "85208-7"
	for i, e := range events {
		ce := c.at("documentationOf/serviceEvent")
		if report {
			ce.belongs(e, "code", SetAct)
		}
		if i > 0 && e.attr("classCode") == "INFO" {
			ce.belongs(e, "code", SetFlag)
			continue
		}
		ce.carries(e, "effectiveTime/low", "value")
		checkAssigned(ce.at("performer/assignedEntity"), e.one("performer/assignedEntity"), true)
	}
	const encounter = "componentOf/encompassingEncounter"
	c.must(root, encounter+"/effectiveTime")
	c.belongs(root, encounter+"/code", SetEncounter)
	c.belongs(root, encounter+"/location/healthCareFacility/code", SetSector)
}

func checkLevel1(c checker, root *node) {
	if !root.hasTemplate(templateLevel1) || len(root.all("templateId")) != 3 {
		c.fail("templateId", Unknown)
	}
	body := root.one("component/nonXMLBody/text")
	if body == nil {
		c.fail("component/nonXMLBody/text", Required)
		return
	}
	checkPDF(c, "component/nonXMLBody/text", body)
}

func checkPDF(c checker, path string, n *node) {
	raw, err := base64.StdEncoding.DecodeString(n.text)
	switch {
	case n.attr("mediaType") != "application/pdf":
		c.fail(path+"/@mediaType", Format)
	case n.attr("representation") != "B64" || err != nil:
		c.fail(path, Format)
	case !strings.HasPrefix(string(raw), "%PDF-"):
		c.fail(path, Format)
	}
}
