package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"visavis/internal/testkit"
)

// TestTheOfficialRulesTakeEveryDemoPatientsPapers is acceptance 3: the report,
// the medicines, a device and the exams of each of the six demo patients, as the program
// signed them, pass the rules of the ANS with no error; one mandatory field
// taken out by hand is reported.
func TestTheOfficialRulesTakeEveryDemoPatientsPapers(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the Java validator")
	}
	t.Parallel()
	pack := testkit.ANSRules(t)
	r := newRig(t, "", "")
	dir, n := t.TempDir(), 0
	for i := range r.links.Patients {
		family := []string{"MARTIN", "DUPRÉ-LACROIX"}[i%2]
		s := &spy{witness: &witness{rig: r, doctor: r.staff(account(family))}}
		for kind, cda := range s.papers(i) {
			n++
			name := filepath.Join(dir, fmt.Sprintf("patient-%d-%s.xml", i+1, kind))
			if err := os.WriteFile(name, cda, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	out, err := exec.Command(pack, dir).CombinedOutput()
	t.Logf("%s", out)
	if n != 24 || err != nil || !strings.Contains(string(out), "24 documents, 0 errors") {
		t.Errorf("%d documents, %v", n, err)
	}
	spoil(t, pack, filepath.Join(dir, "patient-1-report.xml"))
}

func spoil(t *testing.T, pack, file string) {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	cut := regexp.MustCompile(`(?s)<legalAuthenticator.*?</legalAuthenticator>`).ReplaceAll(raw, nil)
	if len(cut) == len(raw) {
		t.Fatal("nothing was taken out")
	}
	if err := os.WriteFile(file, cut, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(pack, file).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "legalAuthenticator") {
		t.Errorf("a report without legalAuthenticator: %v\n%s", err, out)
	}
}

// papers holds one consultation of a demo patient through the API and gives
// the four documents it leaves.
func (s *spy) papers(patient int) map[string][]byte {
	var me struct {
		AppointmentID string
		Patient       struct{ Minor bool }
	}
	s.patient(patient).Get("/api/me").Want(200).JSON(&me)
	var text struct{ ID, SHA256 string }
	s.do("GET", "/api/consent-texts?purpose=teleconsultation&lang=fr", nil, &text)
	oral := map[string]any{"textId": text.ID, "sha256": text.SHA256, "decision": "granted"}
	if me.Patient.Minor {
		oral["representative"] = map[string]string{"name": "Julie MOREAU", "relation": "mother", "document": "identity-card"}
	}
	s.do("POST", "/api/appointments/"+me.AppointmentID+"/consent/oral", oral, nil)
	s.booked = map[string]slot{me.AppointmentID: {start: s.links.Patients[patient].Start}}
	encounter := s.encounter(make(chan struct{}), me.AppointmentID)
	s.began(encounter)
	path := "/api/encounters/" + encounter
	s.do("POST", path+"/identity", map[string]string{"how": "face-and-name"}, nil)
	out := map[string][]byte{}
	for kind, lines := range map[string][]any{
		"medicines": {
			map[string]any{"name": "Amoxicilline", "inn": "amoxicilline", "form": "gélule", "dose": "1 gélule", "frequency": "3 fois par jour",
				"durationDays": 6, "quantity": 2, "nonSubstitutable": "CIF", "ald": true},
			map[string]any{"name": "Paracétamol 500 mg", "inn": "paracétamol", "form": "comprimé", "durationDays": 5, "quantity": 1,
				"dosage": map[string]any{"doseQuantity": map[string]any{"value": 1, "code": "{tablet}"}, "timing": map[string]any{"frequency": 1, "period": 6, "periodUnit": "h"},
					"asNeededBoolean": true, "maxDosePerDay": 4}},
			map[string]any{"regulated": "XANAX", "strength": "0,25 mg", "form": "comprimé sécable", "dose": "1 comprimé", "frequency": "le soir", "durationDays": 7, "quantity": 1},
		},
		"device":  {map[string]any{"text": "Attelle de poignet", "lpp": "2134567", "quantity": 1, "durationDays": 21}},
		"biology": {map[string]any{"text": "NFS, CRP, ionogramme sanguin"}},
	} {
		var draft struct{ ID, ETag string }
		s.do("POST", path+"/prescriptions", map[string]string{"category": kind}, &draft)
		s.do("PUT", "/api/prescriptions/"+draft.ID, map[string]any{"lines": lines, "weightKg": 24.5}, &draft, testkit.Match(strings.Trim(draft.ETag, `"`)))
		var signed struct{ DocumentID string }
		s.do("POST", "/api/prescriptions/"+draft.ID+"/sign", map[string]string{}, &signed, testkit.Match(draft.ETag))
		out[kind] = s.doctor.Get("/api/documents/" + signed.DocumentID + "/cda").Want(200).Body
	}
	s.do("POST", path+"/finish", nil, nil)
	s.do("PUT", path+"/report", map[string]string{"motive": "Toux", "text": "Toux sèche, pas de fièvre.", "conclusion": "Rhinite.", "followUp": "Revoir si besoin."},
		nil, testkit.Match("0"))
	var signed struct{ DocumentID string }
	s.do("POST", path+"/report/sign", map[string]int{"version": 1}, &signed)
	out["report"] = s.doctor.Get("/api/documents/" + signed.DocumentID + "/cda").Want(200).Body
	return out
}
