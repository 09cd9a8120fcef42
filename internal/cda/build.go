package cda

import (
	"strconv"
	"strings"
)

// BuildTeleconsultationReport builds the TLM-CR of a report: a level 1 document with the PDF inside.
// It returns *InvalidError when Check finds a problem.
func BuildTeleconsultationReport(r Report) ([]byte, error) {
	if err := refuse(r.Check()); err != nil {
		return nil, err
	}
	doc := document(r.Header, "85208-7", [2]string{templateLevel1})
	doc.add(serviceEvent(r.act(), actTime(r.Header), r.Author))
	for _, p := range r.Participants {
		if p.Act == "" {
			continue
		}
		times := el("effectiveTime").add(el("low", "value", stamp(p.Start)))
		if !p.End.IsZero() {
			times.add(el("high", "value", stamp(p.End)))
		}
		doc.add(serviceEvent(coded("code", SetAct, p.Act), times, p.Professional))
	}
	return render(closing(doc, r.Header).add(level1(r.PDF)))
}

// act is the act of the report. The set has no teleconsultation of a dentist or a midwife, and the
// official rules refuse a report without a code of the set: theirs has the code TC, whose label would
// call them a physician, with the word for the act alone.
func (r Report) act() *node {
	if !strings.HasPrefix(r.Author.Specialty, "G15_10") {
		c, _ := Lookup(SetAct, r.Act)
		return el("code", "code", r.Act, "displayName", "Téléconsultation", "codeSystem", c.System)
	}
	return coded("code", SetAct, r.Act)
}

// BuildOtherPrescription builds the level 1 document of a prescription of exams, care or devices.
// It returns *InvalidError when Check finds a problem.
func BuildOtherPrescription(p OtherPrescription) ([]byte, error) {
	if err := refuse(p.Check()); err != nil {
		return nil, err
	}
	doc := document(p.Header, p.Kind, [2]string{templateLevel1})
	doc.add(serviceEvent(el("code", "nullFlavor", "NA"), actTime(p.Header), p.Author))
	return render(closing(doc, p.Header).add(level1(p.PDF)))
}

// BuildMedicationPrescription builds the eP-MED-DM of a prescription of medicines and devices: one coded
// entry for each line, the weight when it was measured, and the PDF copy. It returns *InvalidError when Check finds a problem.
func BuildMedicationPrescription(p MedicationPrescription) ([]byte, error) {
	if err := refuse(p.Check()); err != nil {
		return nil, err
	}
	doc := document(p.Header, "57833-6",
		[2]string{templatePharm}, [2]string{templatePCC}, [2]string{templateEPMedDM, "2024.01"})
	validity := el("effectiveTime").add(
		el("low", "value", day(p.ValidFrom)), el("high", "value", day(p.ValidUntil)))
	doc.add(serviceEvent(coded("code", SetDocument, "57833-6"), validity, p.Author, p.Number))
	for _, f := range p.Flags {
		doc.add(el("documentationOf").add(el("serviceEvent", "classCode", "INFO").add(
			coded("code", SetFlag, f))))
	}
	body := el("structuredBody")
	if len(p.Lines) > 0 {
		body.add(medicinesSection(p))
	}
	if len(p.Devices) > 0 {
		body.add(devicesSection(p))
	}
	if p.Weight != "" {
		body.add(weightSection(p))
	}
	body.add(copySection(p.CopyID, p.PDF))
	return render(closing(doc, p.Header).add(el("component").add(body)))
}

func medicinesSection(p MedicationPrescription) *node {
	text := el("text")
	section := el("section").add(
		el("templateId", "root", "1.3.6.1.4.1.19376.1.9.1.2.1"),
		el("templateId", "root", "1.2.250.1.213.1.1.2.171"),
		el("id", "root", upperUUID(p.SectionID)),
		el("code", "code", "57828-6", "displayName", "Prescriptions", "codeSystem", OIDLOINC,
			"codeSystemName", "LOINC"),
		el("title").say("Prescription de médicaments"), text)
	for i, l := range p.Lines {
		ref := "med-" + strconv.Itoa(i+1)
		text.add(narrative(ref, l))
		section.add(el("entry").add(administration(ref, l, stamp(p.CreatedAt))))
	}
	return el("component").add(section)
}
