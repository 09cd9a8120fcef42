package cda

import (
	"encoding/base64"
	"strconv"
	"strings"
)

func upperUUID(s string) string { return strings.ToUpper(s) }

func yesNo(b bool) string {
	if b {
		return "Oui"
	}
	return "Non"
}

func frenchDay(iso string) string {
	p := strings.Split(iso, "-")
	return p[2] + "/" + p[1] + "/" + p[0]
}

func substitutionText(s Substitution) string {
	if !s.Excluded {
		return "Oui"
	}
	r, _ := Lookup(SetReason, s.Reason)
	return "Non substituable (" + s.Reason + " : " + r.Display + ")"
}

// narrative is the table a person reads for one line; each cell that an entry refers to has an ID.
func narrative(ref string, l MedicationLine) *node {
	body := el("tbody")
	row := func(head, id, text string) {
		if text == "" {
			text = "-"
		}
		cell := el("td").add(el("content", "ID", ref+id).say(text))
		body.add(el("tr").add(el("th").say(head), cell))
	}
	route, _ := Lookup(SetRoute, l.Route)
	row("Médicament", "", l.Name)
	row("Dénomination commune", "-dci", strings.Join(l.INN, " + "))
	row("Durée du traitement", "-duree", "du "+frenchDay(l.From)+" au "+frenchDay(l.To))
	row("Posologie et mode d'emploi", "-patient", l.Directions)
	if d := l.Dosage; d != nil {
		row("Fréquence", "-frequence", d.Frequency)
		if d.AsNeeded {
			row("Condition", "-precondition", "Si besoin")
		}
	}
	row("Voie d'administration", "-voie", route.Display)
	if l.Quantity != nil {
		pack, _ := Lookup(SetPack, l.Quantity.Pack)
		row("Quantité", "-quantite", strconv.Itoa(l.Quantity.Value)+" "+strings.ToLower(pack.Display))
	}
	row("Renouvellements", "-renouv", strconv.Itoa(l.Repeats))
	row("Substitution", "-substitution", substitutionText(l.Substitution))
	row("Instructions au pharmacien", "-pharmacien", l.Pharmacist)
	row("En rapport avec une ALD", "-ald", yesNo(l.ALD))
	row("En rapport avec un AT ou une MP", "-atmp", yesNo(l.WorkAccident))
	row("En rapport avec la prévention", "-prevention", yesNo(l.Prevention))
	row("Non remboursable", "-nonremb", yesNo(l.NonReimbursable))
	row("Hors AMM", "-horsamm", yesNo(l.OffLabel))
	return el("table", "border", "0").add(body)
}

func reference(ref string) *node {
	return el("text").add(el("reference", "value", "#"+ref))
}

// administration is the coded entry FR-Traitement-prescrit of one line.
func administration(ref string, l MedicationLine, at string) *node {
	n := el("substanceAdministration", "classCode", "SBADM", "moodCode", "INT").add(
		el("templateId", "root", "2.16.840.1.113883.10.20.1.24"),
		el("templateId", "root", "1.3.6.1.4.1.19376.1.5.3.1.4.7"),
		el("templateId", "root", "1.3.6.1.4.1.19376.1.9.1.3.2"),
		el("templateId", "root", "1.2.250.1.213.1.1.3.83"),
		el("templateId", "root", "1.3.6.1.4.1.19376.1.5.3.1.4.7.1"))
	if l.Dosage != nil {
		n.add(el("templateId", "root", "1.3.6.1.4.1.19376.1.9.1.3.6"))
	}
	n.add(el("id", "root", upperUUID(l.ID)),
		el("code", "code", "DRUG", "displayName", "Médicament", "codeSystem", OIDActCode),
		reference(ref), el("statusCode", "code", "completed"),
		el("effectiveTime", "xsi:type", "IVL_TS").add(
			el("low", "value", day(l.From)), el("high", "value", day(l.To))))
	if d := l.Dosage; d != nil {
		n.add(d.times(ref))
	}
	n.add(el("repeatNumber", "value", strconv.Itoa(l.Repeats)))
	if route, ok := Lookup(SetRoute, l.Route); ok {
		n.add(el("routeCode", "code", route.Code, "displayName", route.Display, "codeSystem", route.System,
			"codeSystemName", "EDQM"))
	}
	if d := l.Dosage; d != nil {
		n.add(el("doseQuantity").add(
			el("low", "value", d.Amount, "unit", d.Unit), el("high", "value", d.Amount, "unit", d.Unit)))
		if d.MaxPerDay != "" {
			n.add(el("maxDoseQuantity").add(el("numerator", "value", d.MaxPerDay, "unit", d.Unit), el("denominator", "value", "1", "unit", "d")))
		}
	}
	n.add(consumable(ref, l)).add(related(ref, l, at)...)
	if l.Dosage != nil && l.Dosage.AsNeeded {
		n.add(el("precondition").add(el("criterion").add(reference(ref + "-precondition"))))
	}
	return n
}

// times is when the doses are taken: at bedtime, or one every period.
func (d Dosage) times(ref string) *node {
	if d.Bedtime {
		return el("effectiveTime", "xsi:type", "EIVL_TS", "operator", "A").add(el("event", "code", "HS"))
	}
	n := el("effectiveTime", "xsi:type", "PIVL_TS", "operator", "A")
	if d.Loose {
		n.attrs = append(n.attrs, el("", "institutionSpecified", "true").attrs...)
	}
	return n.add(el("period", "value", d.Period, "unit", d.PeriodUnit).add(el("translation").add(
		el("originalText").add(el("reference", "value", "#"+ref+"-frequence")))))
}

func consumable(ref string, l MedicationLine) *node {
	material := el("manufacturedMaterial", "classCode", "MMAT", "determinerCode", "KIND").add(
		el("templateId", "root", "1.3.6.1.4.1.19376.1.9.1.3.1"))
	original := el("originalText").add(el("reference", "value", "#"+ref))
	switch {
	case l.Compounded:
		material.add(el("code", "nullFlavor", "NA").add(original), el("name", "nullFlavor", "NA"))
	case l.CIS == "": // a medicine that the base does not know: not coded, but named
		material.add(el("code", "nullFlavor", "NA").add(original), el("name").say(l.Name))
	default:
		code := el("code", "code", l.CIS, "displayName", l.Name, "codeSystem", OIDCIS,
			"codeSystemName", "CIS").add(original)
		if l.CIP13 != "" {
			code.add(el("translation", "code", l.CIP13, "displayName", l.Name, "codeSystem", OIDCIP,
				"codeSystemName", "CIP"))
		}
		material.add(code, el("name").say(l.Name))
	}
	for _, inn := range l.INN {
		material.add(el("pharm:ingredient", "classCode", "ACTI").add(
			el("pharm:ingredient", "classCode", "MMAT", "determinerCode", "KIND").add(
				el("pharm:code", "nullFlavor", "UNK"), el("pharm:name").say(inn))))
	}
	return el("consumable").add(el("manufacturedProduct", "classCode", "MANU").add(
		el("templateId", "root", "2.16.840.1.113883.10.20.1.53"),
		el("templateId", "root", "1.3.6.1.4.1.19376.1.5.3.1.4.7.2"),
		el("templateId", "root", "1.2.250.1.213.1.1.3.43"), material))
}

func related(ref string, l MedicationLine, at string) []*node {
	out := []*node{instruction("PINSTRUCT", ref+"-patient", "2.16.840.1.113883.10.20.1.49",
		"1.3.6.1.4.1.19376.1.5.3.1.4.3", "1.2.250.1.213.1.1.3.33")}
	if l.Pharmacist != "" {
		out = append(out, instruction("FINSTRUCT", ref+"-pharmacien", "2.16.840.1.113883.10.20.1.43",
			"1.3.6.1.4.1.19376.1.5.3.1.4.3.1", "1.2.250.1.213.1.1.3.34"))
	}
	if q := l.Quantity; q != nil {
		out = append(out, comp(el("supply", "classCode", "SPLY", "moodCode", "RQO").add(
			el("templateId", "root", "1.3.6.1.4.1.19376.1.9.1.3.8"),
			el("templateId", "root", "1.2.250.1.213.1.1.3.86"),
			el("independentInd", "value", "false"),
			el("quantity", "value", strconv.Itoa(q.Value), "unit", q.Pack))))
	}
	code := coded("code", SetSubstitution, "G")
	if l.Excluded {
		code = coded("code", SetSubstitution, "N").add(
			el("originalText").add(el("reference", "value", "#"+ref+"-substitution")))
	}
	out = append(out, comp(el("act", "classCode", "ACT", "moodCode", "DEF").add(
		el("templateId", "root", "1.3.6.1.4.1.19376.1.9.1.3.9.1"),
		el("templateId", "root", "1.2.250.1.213.1.1.3.87"),
		code, el("statusCode", "code", "completed"))))
	return append(out,
		flag("13", "MED-574", "En rapport avec une ALD", ref+"-ald", l.ID, at, l.ALD),
		flag("14", "GEN-180", "En rapport avec un accident du travail ou une maladie professionnelle",
			ref+"-atmp", l.ID, at, l.WorkAccident),
		flag("34", "GEN-295", "En rapport avec la prévention", ref+"-prevention", l.ID, at, l.Prevention),
		flag("15", "GEN-181", "Non remboursable", ref+"-nonremb", l.ID, at, l.NonReimbursable),
		flag("12", "GEN-179", "Hors Autorisation de Mise sur le Marché (AMM)", ref+"-horsamm", l.ID, at,
			l.OffLabel))
}

func comp(n *node) *node { return el("entryRelationship", "typeCode", "COMP").add(n) }

func instruction(code, ref string, templates ...string) *node {
	act := el("act", "classCode", "ACT", "moodCode", "INT")
	for _, t := range templates {
		act.add(el("templateId", "root", t))
	}
	return el("entryRelationship", "typeCode", "SUBJ", "inversionInd", "true").add(act.add(
		el("code", "code", code, "codeSystem", OIDIHEActCode), reference(ref),
		el("statusCode", "code", "completed")))
}

// flag is a yes-or-no observation about a line; its id is the line's, with the kind as extension.
func flag(kind, code, label, ref, lineID, at string, value bool) *node {
	return comp(el("observation", "classCode", "OBS", "moodCode", "EVN").add(
		el("templateId", "root", "1.3.6.1.4.1.19376.1.5.3.1.4.13"),
		el("templateId", "root", "1.2.250.1.213.1.1.3.48"),
		el("templateId", "root", "1.2.250.1.213.1.1.3.48."+kind),
		el("id", "root", upperUUID(lineID), "extension", kind),
		el("code", "code", code, "displayName", label, "codeSystem", OIDTAASIP, "codeSystemName", "TA_ASIP"),
		reference(ref), el("statusCode", "code", "completed"), el("effectiveTime", "value", at),
		el("value", "xsi:type", "BL", "value", strconv.FormatBool(value))))
}

// copySection is FR-Document-PDF-copie: the printable prescription.
func copySection(id string, pdf []byte) *node {
	loinc := func(name, code, label string) *node {
		return el(name, "code", code, "displayName", label, "codeSystem", OIDLOINC, "codeSystemName", "LOINC")
	}
	kind := loinc("value", "55108-5", "Copie du document")
	kind.attrs = append(el("", "xsi:type", "CD").attrs, kind.attrs...)
	organizer := el("organizer", "classCode", "CLUSTER", "moodCode", "EVN").add(
		el("templateId", "root", "1.2.250.1.213.1.1.3.18"),
		el("id", "root", upperUUID(id), "extension", "organizer"),
		loinc("code", "55107-7", "Document attaché"), el("statusCode", "code", "completed"),
		el("component").add(el("observation", "classCode", "OBS", "moodCode", "EVN").add(
			el("templateId", "root", "1.3.6.1.4.1.19376.1.5.3.1.4.13"),
			el("templateId", "root", "1.2.250.1.213.1.1.3.48"),
			el("templateId", "root", "1.2.250.1.213.1.1.3.48.18"),
			el("id", "root", upperUUID(id), "extension", "type"),
			loinc("code", "69764-9", "Type de document"),
			reference("copie"), el("statusCode", "code", "completed"),
			el("effectiveTime", "nullFlavor", "NA"), kind)),
		el("component").add(el("observationMedia", "classCode", "OBS", "moodCode", "EVN", "ID", "pdf").add(
			el("value", "mediaType", "application/pdf", "representation", "B64").
				say(base64.StdEncoding.EncodeToString(pdf)))))
	text := el("text").add(el("paragraph").add(el("content", "ID", "copie").add(
		el("renderMultiMedia", "referencedObject", "pdf"))))
	return el("component").add(el("section").add(
		el("templateId", "root", "1.2.250.1.213.1.1.2.243"),
		el("id", "root", upperUUID(id)),
		loinc("code", "55108-5", "Copie du document"),
		el("title").say("Copie du document"), text, el("entry").add(organizer)))
}
