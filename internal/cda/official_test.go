package cda

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"visavis/internal/testkit"
)

// validate runs the official rules over files and returns the errors of each.
func validate(t *testing.T, pack, volet string, files map[string][]byte) map[string][]string {
	t.Helper()
	dir := t.TempDir()
	for name, doc := range files {
		if err := os.WriteFile(filepath.Join(dir, name+".xml"), doc, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(pack, "--volet", volet, dir)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code > 1 || (err != nil && code < 0) {
		t.Fatalf("validate: %v\n%s%s", err, stdout.String(), stderr.String())
	}
	errors := map[string][]string{}
	count := 0
	for line := range strings.Lines(stdout.String()) {
		f := strings.SplitN(line, "\t", 2)
		if len(f) == 2 {
			name := strings.TrimSuffix(filepath.Base(f[0]), ".xml")
			errors[name] = append(errors[name], strings.TrimSpace(f[1]))
		} else if m := regexp.MustCompile(`^(\d+) documents?, (\d+) errors?`).FindStringSubmatch(line); m != nil {
			count++
			t.Logf("%s: %s", volet, strings.TrimSpace(line))
		}
	}
	if count != 1 {
		t.Fatalf("validate printed no summary:\n%s%s", stdout.String(), stderr.String())
	}
	return errors
}

func build(t *testing.T, doc []byte, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if p := CheckDocument(doc); len(p) > 0 {
		t.Fatalf("our own check of a built document: %v", p)
	}
	return doc
}

// mutate replaces the first match of a pattern; a mutation that changes nothing is a mistake.
func mutate(t *testing.T, doc []byte, pattern, with string) []byte {
	t.Helper()
	re := regexp.MustCompile(pattern)
	loc := re.FindIndex(doc)
	if loc == nil {
		t.Fatalf("mutation %q changes nothing", pattern)
	}
	return append(append(append([]byte{}, doc[:loc[0]]...), re.ReplaceAll(doc[loc[0]:loc[1]], []byte(with))...), doc[loc[1]:]...)
}

type mutation struct{ name, pattern, with, field string }

func applyMutations(t *testing.T, files map[string][]byte, doc []byte, mutations []mutation) {
	for _, m := range mutations {
		bad := mutate(t, doc, m.pattern, m.with)
		files["bad-"+m.name] = bad
		problems := CheckDocument(bad)
		found := false
		for _, p := range problems {
			found = found || strings.Contains(p.Field, m.field)
		}
		if !found {
			t.Errorf("%s: our check says %v, expected a problem of %s", m.name, problems, m.field)
		}
	}
}

var reportMutations = []mutation{
	{"no-authenticator", `(?s)<legalAuthenticator>.*</legalAuthenticator>`, "", "legalAuthenticator"},
	{"no-birthplace", `(?s)<birthplace>.*?</birthplace>`, "", "birthplace"},
	{"no-first-given", `<given qualifier="BR">[^<]*</given>`, "", "given"},
	{"no-birth-family", `<family qualifier="BR">[^<]*</family>`, "", "family"},
	{"gender", `administrativeGenderCode code="F"`, `administrativeGenderCode code="X"`, "administrativeGenderCode"},
	{"confidentiality-label", ` displayName="Normal"`, "", "confidentialityCode"},
	{"language", `languageCode code="fr-FR"`, `languageCode code="fr"`, "languageCode"},
	{"fourth-template", `<templateId root="1.3.6.1.4.1.19376.1.2.20"></templateId>`,
		`<templateId root="1.3.6.1.4.1.19376.1.2.20"></templateId><templateId root="1.2.3"></templateId>`, "templateId"},
	{"author-code", `code="G15_10/SM26"`, `code="G15_10/ZZ99"`, "code"},
	{"type", `code="85208-7"`, `code="12345-6"`, "code"},
	{"act", `code="TCG"`, `code="ZZZ"`, "serviceEvent.code"},
	{"sector", `code="SA64"`, `code="SA99"`, "healthCareFacility"},
	{"set-id", `<setId[^>]*></setId>`, "", "setId"},
	{"ins-key", `extension="279035121518989"`, `extension="279035121518988"`, "id"},
	{"no-custodian", `(?s)<custodian>.*</custodian>`, "", "custodian"},
	{"no-encounter", `(?s)<componentOf>.*</componentOf>`, "", "componentOf"},
}

var medicineMutations = []mutation{
	{"no-line-id", `<id root="AADC9C14-F1CA-4177-B2C8-A5178D5B3CA0"></id>`, "", "lines[0].id"},
	{"no-substitution", `(?s)<entryRelationship typeCode="COMP"><act.*?</entryRelationship>`, "", "substitution"},
	{"no-ald", `(?s)<entryRelationship typeCode="COMP"><observation classCode="OBS" moodCode="EVN"><templateId root="1.3.6.1.4.1.19376.1.5.3.1.4.13"></templateId><templateId root="1.2.250.1.213.1.1.3.48"></templateId><templateId root="1.2.250.1.213.1.1.3.48.13">.*?</entryRelationship>`, "", "ald"},
	{"no-patient-address", `(?s)<addr>.*?</addr>`, "", "addr"},
	{"no-validity-end", `<high value="20260405"></high>`, "", "high"},
	{"no-product-name", `(?s)<consumable>.*?</consumable>`, "", "consumable"},
	{"no-copy", `<templateId root="1.2.250.1.213.1.1.2.243"></templateId>`, "", "copy"},
	{"no-author-organisation", `(?s)<representedOrganization>.*?</representedOrganization>`, "", "author"},
}

var deviceMutations = []mutation{
	{"device-no-repeat", `<repeatNumber[^>]*></repeatNumber>`, "", "devices[0].repeatNumber"},
	{"device-no-device", `(?s)<participant typeCode="DEV">.*?</participant>`, "", "devices[0].device"},
	{"device-no-prevention", `(?s)<entryRelationship typeCode="COMP"><observation classCode="OBS" moodCode="EVN"><templateId root="1.3.6.1.4.1.19376.1.5.3.1.4.13"></templateId><templateId root="1.2.250.1.213.1.1.3.48"></templateId><templateId root="1.2.250.1.213.1.1.3.48.34">.*?</entryRelationship>`, "", "devices[0].prevention"},
}

// TestOfficialRules builds every kind of document for every patient and runs the rules of the ANS on them:
// none of ours has an error; each mutated one is reported by the official rules and by our own check.
func TestOfficialRules(t *testing.T) {
	pack := testkit.ANSRules(t)
	batches := map[string]map[string][]byte{"TLM-CR_2022.01": {}, "EP-MED-DM_2024.01": {}, "none": {}}
	kinds := []string{"PRESC-BIO", "PRESC-KINE", "PRESC-INF", "55115-0", "57828-6", "PRESC-ORTHOPHO", "57832-8"}
	i := 0
	for name, p := range patients(t) {
		doc, err := BuildTeleconsultationReport(report(t, p))
		batches["TLM-CR_2022.01"][name] = build(t, doc, err)
		doc, err = BuildMedicationPrescription(medicines(t, p))
		batches["EP-MED-DM_2024.01"][name] = build(t, doc, err)
		doc, err = BuildMedicationPrescription(devices(t, p))
		batches["EP-MED-DM_2024.01"][name+"-devices"] = build(t, doc, err)
		doc, err = BuildOtherPrescription(exams(t, p, kinds[i]))
		batches["none"][name+"-"+kinds[i]] = build(t, doc, err)
		i++
	}
	second := report(t, patients(t)["minor"])
	second.Replaces, second.ID, second.Version = second.ID, second.SetID+".2", 2
	second.Confidential, second.InFulfillment = "R", []ID{{ipp + ".5", "req-1"}}
	second.Consents[0].ID, second.Encounter.ID = ID{Root: ipp + ".9"}, ID{Root: ipp + ".8"} // a UUID as OID has no extension
	doc, err := BuildTeleconsultationReport(second)
	batches["TLM-CR_2022.01"]["second-version"] = build(t, doc, err)

	applyMutations(t, batches["TLM-CR_2022.01"], batches["TLM-CR_2022.01"]["two-names"], reportMutations)
	applyMutations(t, batches["EP-MED-DM_2024.01"], batches["EP-MED-DM_2024.01"]["two-names"], medicineMutations)
	bedtime := medicines(t, patients(t)["accents"])
	bedtime.Lines[0].Dosage.Bedtime, bedtime.Devices, bedtime.DevicesID = true, devices(t, patients(t)["accents"]).Devices[1:], "4a402640-1cf6-4153-b5ba-d56b623004ca"
	bedtime.Devices[0].ID = "c93de620-3722-41ec-8d3d-0242ac130009"
	doc, err = BuildMedicationPrescription(bedtime)
	batches["EP-MED-DM_2024.01"]["bedtime-and-device"] = build(t, doc, err)
	applyMutations(t, batches["EP-MED-DM_2024.01"], batches["EP-MED-DM_2024.01"]["two-names-devices"], deviceMutations)
	for volet, files := range batches {
		found := validate(t, pack, volet, files)
		for name := range files {
			bad := strings.HasPrefix(name, "bad-")
			if !bad && len(found[name]) > 0 {
				t.Errorf("%s %s: %d errors\n%s", volet, name, len(found[name]), strings.Join(found[name], "\n"))
			}
			if bad && len(found[name]) == 0 {
				t.Errorf("%s %s: the official rules see nothing", volet, name)
			}
		}
	}
}
