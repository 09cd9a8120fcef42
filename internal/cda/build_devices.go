package cda

import "strconv"

// oidLPP is the list of reimbursed products and services (CSS L165-1), as the eP-MED-DM names it.
const oidLPP = "1.2.250.1.215.200.2.1"

// devicesSection is FR-Prescription-dispositifs-medicaux: a line each.
func devicesSection(p MedicationPrescription) *node {
	text := el("text")
	section := el("section").add(
		el("templateId", "root", templateDevices),
		el("id", "root", upperUUID(p.DevicesID)),
		el("code", "code", "46264-8", "displayName", "Dispositifs médicaux", "codeSystem", OIDLOINC, "codeSystemName", "LOINC"),
		el("title").say("Prescription de dispositifs médicaux"), text)
	for i, l := range p.Devices {
		ref := "dm-" + strconv.Itoa(i+1)
		text.add(deviceNarrative(ref, l))
		section.add(el("entry").add(supply(ref, l, stamp(p.CreatedAt))))
	}
	return el("component").add(section)
}

func deviceNarrative(ref string, l DeviceLine) *node {
	body := el("tbody")
	row := func(head, id, text string) {
		if text == "" {
			text = "-"
		}
		body.add(el("tr").add(el("th").say(head), el("td").add(el("content", "ID", ref+id).say(text))))
	}
	row("Dispositif médical", "", l.Name)
	row("Code LPP", "-lpp", l.LPP)
	row("Utilisation", "-duree", "du "+frenchDay(l.From)+" au "+frenchDay(l.To))
	if l.Days > 0 {
		row("Durée de location", "-location", strconv.Itoa(l.Days)+" jours")
	}
	row("Quantité", "-quantite", strconv.Itoa(l.Quantity))
	row("Renouvellements", "-renouv", strconv.Itoa(l.Repeats))
	row("En rapport avec une ALD", "-ald", yesNo(l.ALD))
	row("En rapport avec un AT ou une MP", "-atmp", yesNo(l.WorkAccident))
	row("En rapport avec la prévention", "-prevention", yesNo(l.Prevention))
	row("Non remboursable", "-nonremb", yesNo(l.NonReimbursable))
	return el("table", "border", "0").add(body)
}

// supply is FR-Dispositif-medical of one line.
func supply(ref string, l DeviceLine, at string) *node {
	n := el("supply", "classCode", "SPLY", "moodCode", "INT").add(
		el("templateId", "root", "2.16.840.1.113883.10.20.1.34"),
		el("templateId", "root", "1.2.250.1.213.1.1.3.20"),
		el("id", "root", upperUUID(l.ID)), reference(ref),
		el("effectiveTime", "xsi:type", "IVL_TS").add(el("low", "value", day(l.From)), el("high", "value", day(l.To))),
		el("repeatNumber", "value", strconv.Itoa(l.Repeats)), el("quantity", "value", strconv.Itoa(l.Quantity)))
	if l.Days > 0 {
		n.add(el("expectedUseTime").add(el("width", "value", strconv.Itoa(l.Days), "unit", "d")))
	}
	code := el("code", "nullFlavor", "UNK").add(el("originalText").add(el("reference", "value", "#"+ref)))
	if l.LPP != "" {
		code.add(el("translation", "code", l.LPP, "displayName", l.Name, "codeSystem", oidLPP, "codeSystemName", "LPP"))
	}
	return n.add(el("participant", "typeCode", "DEV").add(el("participantRole", "classCode", "MANU").add(
		el("playingDevice", "classCode", "DEV", "determinerCode", "INSTANCE").add(code)))).add(
		flag("13", "MED-574", "En rapport avec une ALD", ref+"-ald", l.ID, at, l.ALD),
		flag("14", "GEN-180", "En rapport avec un accident du travail ou une maladie professionnelle", ref+"-atmp", l.ID, at, l.WorkAccident),
		flag("34", "GEN-295", "En rapport avec la prévention", ref+"-prevention", l.ID, at, l.Prevention),
		flag("15", "GEN-181", "Non remboursable", ref+"-nonremb", l.ID, at, l.NonReimbursable))
}

// weightSection is FR-Signes-vitaux with the weight, which the dose of a child depends on (CSP R5132-3, 7°).
func weightSection(p MedicationPrescription) *node {
	loinc := func(name, code, label string) *node {
		return el(name, "code", code, "displayName", label, "codeSystem", OIDLOINC, "codeSystemName", "LOINC")
	}
	templates := func(n *node, roots ...string) *node {
		for _, r := range roots {
			n.add(el("templateId", "root", r))
		}
		return n
	}
	at := el("effectiveTime", "value", stamp(p.CreatedAt))
	weight := templates(el("observation", "classCode", "OBS", "moodCode", "EVN"), "2.16.840.1.113883.10.20.1.31", "1.3.6.1.4.1.19376.1.5.3.1.4.13",
		"1.3.6.1.4.1.19376.1.5.3.1.4.13.2", "1.2.250.1.213.1.1.3.50").add(
		el("id", "root", upperUUID(p.WeightID), "extension", "poids"), loinc("code", "29463-7", "Poids"), reference("poids"),
		el("statusCode", "code", "completed"), at, el("value", "xsi:type", "PQ", "value", p.Weight, "unit", "kg"))
	organizer := templates(el("organizer", "classCode", "CLUSTER", "moodCode", "EVN"), "2.16.840.1.113883.10.20.1.32", "2.16.840.1.113883.10.20.1.35",
		"1.3.6.1.4.1.19376.1.5.3.1.4.13.1", "1.2.250.1.213.1.1.3.49").add(
		el("id", "root", upperUUID(p.WeightID), "extension", "signes"), loinc("code", "85353-1", "Signes vitaux"), el("statusCode", "code", "completed"), at,
		el("component", "typeCode", "COMP").add(weight))
	text := el("text").add(el("table", "border", "0").add(el("tbody").add(el("tr").add(el("th").say("Poids"), el("td").add(el("content", "ID", "poids").say(p.Weight+" kg"))))))
	return el("component").add(templates(el("section"), "2.16.840.1.113883.10.20.1.16", "1.3.6.1.4.1.19376.1.5.3.1.3.25", "1.3.6.1.4.1.19376.1.5.3.1.1.5.3.2",
		"1.2.250.1.213.1.1.2.75").add(el("id", "root", upperUUID(p.WeightID)), loinc("code", "8716-3", "Signes vitaux"), el("title").say("Signes vitaux"), text,
		el("entry").add(organizer)))
}
