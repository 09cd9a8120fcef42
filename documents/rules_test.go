package documents

import (
	"strings"
	"testing"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/paper"
)

func TestTextBounds(t *testing.T) {
	for _, c := range []struct {
		text Text
		want string
	}{
		{Text{}, ""},
		{Text{Motive: strings.Repeat("é", 500)}, ""},
		{Text{Motive: strings.Repeat("é", 501), FollowUp: strings.Repeat("x", 20_001)}, "motive too-long followUp too-long"},
	} {
		got := []string{}
		if err := c.text.tooLong(); err != nil {
			for _, f := range err.(*fault.Error).Fields {
				got = append(got, f.Name+" "+f.Code)
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("got %q, want %q", s, c.want)
		}
	}
	if got := (Text{Motive: "\n", Text: "x"}).missing(); len(got) != 1 || got[0].Name != "motive" {
		t.Errorf("%v", got)
	}
}

func TestAct(t *testing.T) {
	for specialty, want := range map[string]string{"G15_10/SM26": "TCG", "G15_10/SM54": "TCG", "G15_10": "TCG", "G15_10/SM15": "TC", "G15_50": "TC"} {
		if got := ngap(specialty); got != want {
			t.Errorf("%s: %s", specialty, got)
		}
	}
}

func TestAccessWords(t *testing.T) {
	for action, want := range map[authz.Action]string{"document.read": "download", "report.sign": "sign", "prescription.sign": "sign", "prescription.verify": "read",
		"report.replace": "", "prescription.cancel": "", "document.accesses": "", "delivery.send": "send"} {
		if got := accessWord(action); got != want {
			t.Errorf("%s: %q, want %q", action, got, want)
		}
	}
}

// TestStatementNeverChanges: documents signed years ago must still verify.
func TestStatementNeverChanges(t *testing.T) {
	d := &Document{ID: "d", SetID: "s", Number: 2, AuthorID: "a", PatientID: "p", SignedAt: time.UnixMicro(1772956800000001).UTC(), cdaHash: []byte{1, 2}, pdfHash: []byte{0xff}}
	if got, want := string(d.statement()), "visavis document 1\nd\ns\n2\na\np\n1772956800000001\n0102\nff\n"; got != want {
		t.Errorf("%q", got)
	}
}

// TestRoleOf: the sex of the patient decides the patient's word alone, and the profession, not the role, a professional's
// (issue 9, B3).
func TestRoleOf(t *testing.T) {
	words, err := Texts()
	if err != nil {
		t.Fatal(err)
	}
	s := &Service{words: words}
	for _, x := range []struct {
		sex, profession string
		role            care.Role
		want            string
	}{{"F", "", care.Patient, "patiente"}, {"M", "", care.Patient, "patient"}, {"UN", "", care.Patient, "patient"}, {"F", "10", care.Doctor, "médecin"},
		{"F", "40", care.Doctor, "chirurgien-dentiste"}, {"M", "50", care.Doctor, "sage-femme"}, {"M", "", care.Doctor, "professionnel de santé"},
		{"M", "60", care.Nurse, "soins infirmiers"}, {"M", "21", care.Pharmacist, "pharmacie"}, {"M", "", care.Companion, "accompagnant"}} {
		act := paper.Act{}
		act.Patient.Sex = x.sex
		if got := s.roleOf(act, paper.Person{Role: x.role, Profession: x.profession}); got != x.want {
			t.Errorf("%s, sex %s: %q, want %q", x.role, x.sex, got, x.want)
		}
	}
}
