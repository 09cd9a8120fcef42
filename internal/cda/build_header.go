package cda

import (
	"encoding/base64"
	"strconv"
)

// document starts a ClinicalDocument up to its custodian and participants; templates are root or
// root|extension.
func document(h Header, typeCode string, templates ...[2]string) *node {
	doc := el("ClinicalDocument",
		"xmlns", "urn:hl7-org:v3",
		"xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance",
		"xmlns:pharm", "urn:ihe:pharm:medication")
	doc.add(el("realmCode", "code", "FR"),
		el("typeId", "root", "2.16.840.1.113883.1.3", "extension", "POCD_HD000040"),
		el("templateId", "root", templateFrance),
		el("templateId", "root", templateCISIS))
	for _, t := range templates {
		doc.add(el("templateId", "root", t[0], "extension", t[1]))
	}
	doc.add(el("id", "root", h.ID), coded("code", SetDocument, typeCode), el("title").say(h.Title),
		el("effectiveTime", "value", stamp(h.CreatedAt)),
		coded("confidentialityCode", SetConfidential, h.Confidential),
		el("languageCode", "code", "fr-FR"),
		el("setId", "root", h.SetID),
		el("versionNumber", "value", strconv.Itoa(h.Version)),
		el("recordTarget").add(patientRole(h.Patient)),
		el("author").add(el("time", "value", stamp(h.SignedAt)), assigned("assignedAuthor", h.Author)),
		custodian(h.Custodian))
	for _, r := range h.Recipients {
		doc.add(recipient(r))
	}
	doc.add(el("legalAuthenticator").add(
		el("time", "value", stamp(h.SignedAt)),
		el("signatureCode", "code", "S"),
		assigned("assignedEntity", h.Author)))
	for _, p := range h.Participants {
		doc.add(participant(p))
	}
	for _, id := range h.InFulfillment {
		doc.add(el("inFulfillmentOf").add(el("order").add(ident(id))))
	}
	return doc
}

// serviceEvent documents an act: its code, its time and who performed it.
func serviceEvent(code *node, times *node, performer Professional, ids ...ID) *node {
	event := el("serviceEvent", "classCode", "ACT")
	for _, id := range ids {
		event.add(ident(id))
	}
	return el("documentationOf").add(event.add(code, times,
		el("performer", "typeCode", "PRF").add(assigned("assignedEntity", performer))))
}

// closing adds what follows the acts: the version replaced, the consents, the encounter.
func closing(doc *node, h Header) *node {
	if h.Replaces != "" {
		doc.add(el("relatedDocument", "typeCode", "RPLC").add(
			el("parentDocument").add(el("id", "root", h.Replaces))))
	}
	for _, c := range h.Consents {
		doc.add(el("authorization", "typeCode", "AUTH").add(
			el("consent", "classCode", "CONS", "moodCode", "EVN").add(ident(c.ID),
				el("code", "code", "59284-0", "displayName", c.Text, "codeSystem", OIDLOINC),
				el("statusCode", "code", "completed"))))
	}
	return doc.add(el("componentOf").add(encounter(h)))
}

func encounter(h Header) *node {
	e := h.Encounter
	n := el("encompassingEncounter")
	if e.ID.Root != "" {
		n.add(ident(e.ID))
	}
	times := el("effectiveTime").add(el("low", "value", stamp(e.Start)))
	if !e.End.IsZero() {
		times.add(el("high", "value", stamp(e.End)))
	}
	place := el("location").add(el("name").say(e.Facility.Name), address(e.Facility.Address))
	return n.add(coded("code", SetEncounter, "VR"), times,
		el("responsibleParty").add(assigned("assignedEntity", h.Author)),
		el("location").add(el("healthCareFacility").add(
			ident(structureID(e.Facility)), coded("code", SetSector, e.Facility.Sector), place)))
}

// level1 is a body that holds the PDF.
func level1(pdf []byte) *node {
	return el("component").add(el("nonXMLBody").add(
		el("text", "mediaType", "application/pdf", "representation", "B64").
			say(base64.StdEncoding.EncodeToString(pdf))))
}

// actTime is the interval of the act, for a serviceEvent.
func actTime(h Header) *node {
	n := el("effectiveTime").add(el("low", "value", stamp(h.Encounter.Start)))
	if !h.Encounter.End.IsZero() {
		n.add(el("high", "value", stamp(h.Encounter.End)))
	}
	return n
}
