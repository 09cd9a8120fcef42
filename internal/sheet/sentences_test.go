package sheet

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"visavis/internal/lang"
)

// sentence ties the sentences of a signed sheet to the stored fact they follow
// from: with it they are printed, without it they are not.
type sentence[T any] struct {
	fact    string
	keys    string // of the catalogue, separated by blanks
	with    func(*T)
	without func(*T)
}

// marked is a press whose every sentence is a mark of its key, and the marks.
func marked(t *testing.T, file string) (p *Press, marks map[string]string) {
	t.Helper()
	raw, err := fs.ReadFile(wordFiles, file)
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	if err := json.Unmarshal(raw, &said); err != nil {
		t.Fatal(err)
	}
	marks = map[string]string{}
	for i, key := range slices.Sorted(maps.Keys(said)) {
		mark := fmt.Sprintf("k%03dk", i)
		marks[key] = mark
		text := mark
		for _, rest := range strings.Split(said[key], "{")[1:] { // what is filled in stays
			text += " {" + rest[:strings.Index(rest, "}")+1]
		}
		said[key] = text
	}
	if raw, err = json.Marshal(said); err != nil {
		t.Fatal(err)
	}
	words, err := lang.New(fstest.MapFS{"fr.json": {Data: raw}}, "fr")
	if err != nil {
		t.Fatal(err)
	}
	p = press(t)
	p.words, p.papers = words, words
	return p, marks
}

// follow checks a table: every sentence of the catalogue that this kind of sheet
// prints is in it or among the labels, which state nothing about anybody.
func follow[T any](t *testing.T, p *Press, marks map[string]string, full func() T, print func(*Press, T) ([]byte, error), table []sentence[T]) map[string]bool {
	t.Helper()
	printed := func(x T) map[string]bool {
		pdf, err := print(p, x)
		if err != nil {
			t.Fatal(err)
		}
		text, out := words(t, pdf), map[string]bool{}
		for key, mark := range marks {
			out[key] = strings.Contains(text, mark)
		}
		return out
	}
	known := map[string]bool{}
	for _, s := range table {
		with, without := full(), full()
		if s.with != nil {
			s.with(&with)
			s.with(&without)
		}
		s.without(&without)
		a, b := printed(with), printed(without)
		for _, key := range strings.Fields(s.keys) {
			known[key] = true
			if !a[key] {
				t.Errorf("%s: %q is not printed although the fact is there", s.fact, key)
			}
			if b[key] {
				t.Errorf("%s: %q is printed although nothing says so", s.fact, key)
			}
		}
	}
	return known
}

// listed fails when the catalogue has a sentence that no table knows.
func listed(t *testing.T, marks map[string]string, labels string, tables ...map[string]bool) {
	t.Helper()
	for key := range marks {
		if !slices.Contains(strings.Fields(labels), key) && !slices.ContainsFunc(tables, func(k map[string]bool) bool { return k[key] }) {
			t.Errorf("%q: say in this test which stored fact this sentence follows from", key)
		}
	}
	for _, key := range strings.Fields(labels) {
		if marks[key] == "" {
			t.Errorf("%q is no sentence any more", key)
		}
	}
}

// TestSentences_ReportAndPrescription (issue 9, A3): each sentence that the
// program writes into a report, a prescription or a covering page follows from a
// stored fact and is absent without it.
func TestSentences_ReportAndPrescription(t *testing.T) {
	p, marks := marked(t, "words/fr.json")
	r := follow(t, p, marks, report, func(p *Press, r Report) ([]byte, error) { return p.Report(r) }, reportSentences())
	pr := follow(t, p, marks, prescription, func(p *Press, pr Prescription) ([]byte, error) { return p.Prescription(pr) }, prescriptionSentences())
	// Titles, names of fields, units, the law's own words of a two-zone form, and advice: they say nothing of anybody.
	// after_teleconsultation is always printed: nobody can sign a prescription of an act that has not begun.
	listed(t, marks, `cover_title cover_personal cover_content on_date number patient facts fact_date fact_time participants incidents
		after_teleconsultation signature_prescriber signature_author end_many page emergency long_hours long_minutes long_seconds
		verify_title verify_code verify_code_note verify_not_official zone_ald_note zone_other zone_other_note
		paper_copy`, r, pr)
}

func reportSentences() []sentence[Report] {
	type s = sentence[Report]
	text := func(name string, change func(*Report)) s { return s{"the author wrote it: " + name, name, nil, change} }
	return []s{
		{"the act is a teleconsultation", "report_teleconsultation", nil, func(r *Report) { r.Kind = "other" }},
		{"the act is of another kind", "report_other", func(r *Report) { r.Kind = "other" }, func(r *Report) { r.Kind = "teleconsultation" }},
		{"the act ended", "fact_time_value", nil, func(r *Report) { r.End = time.Time{} }},
		{"the act goes on", "fact_time_open", func(r *Report) { r.End = time.Time{} }, func(r *Report) { r.End = report().End }},
		{"identity has a referring doctor", "fact_requested", nil, func(r *Report) { r.RequestedBy = "" }},
		{"a place of the patient is stored", "fact_place", nil, func(r *Report) { r.PatientPlace = "" }},
		{"the professional confirmed the identity", "fact_identity", nil, func(r *Report) { r.IdentityCheck = "" }},
		{"consent is recorded", "fact_consent", nil, func(r *Report) { r.Consent = "" }},
		{"the server measured the video", "fact_video", nil, func(r *Report) { r.Video = Video{} }},
		{"video went both ways", "video_flowed", nil, func(r *Report) { r.Video.Seconds = 0 }},
		{"no video went both ways", "video_none", func(r *Report) { r.Video.Seconds = 0 }, func(r *Report) { r.Video.Seconds = 1 }},
		{"somebody joined", "participant_present", nil, func(r *Report) { r.Presences = r.Presences[2:] }},
		{"somebody did not join", "participant_absent", nil, func(r *Report) { r.Presences = r.Presences[:2] }},
		{"no incident is stored", "incidents_none", func(r *Report) { r.Incidents = nil }, func(r *Report) { r.Incidents = report().Incidents }},
		text("motive", func(r *Report) { r.Motive = "" }), text("content", func(r *Report) { r.Content = "" }),
		text("conclusion", func(r *Report) { r.Conclusion = "" }), text("follow_up", func(r *Report) { r.FollowUp = "" }),
		{"prescriptions of the act are signed", "prescriptions", nil, func(r *Report) { r.Prescriptions = nil }},
		{"photos of the act are kept", "stills", func(r *Report) { r.Stills = []string{"une photo"} }, func(r *Report) { r.Stills = nil }},
		{"somebody is to receive it", "recipients", nil, func(r *Report) { r.Recipients = nil }},
		{"it is signed", "signed", nil, func(r *Report) { r.Signature = Signature{} }},
		{"it is not signed", "draft", func(r *Report) { r.Signature = Signature{} }, func(r *Report) { r.Signature = report().Signature }},
		{"it replaces a version", "version", nil, func(r *Report) { r.Version = Version{Number: 1} }},
		{"the patient has representatives", "representatives", nil, func(r *Report) { r.Patient.Representatives = nil }},
		{"the patient has one representative", "representative", func(r *Report) { r.Patient.Representatives = []string{"Jeanne"} }, func(r *Report) { r.Patient.Representatives = nil }},
	}
}

func prescriptionSentences() []sentence[Prescription] {
	type s = sentence[Prescription]
	first := func(change func(*Line)) func(*Prescription) {
		return func(pr *Prescription) {
			pr.Lines = slices.Clone(pr.Lines[:1])
			change(&pr.Lines[0])
		}
	}
	mention := func(fact, key string, with func(*Line)) s {
		return s{fact, key, first(with), first(func(l *Line) { *l = Line{Name: l.Name, Directions: l.Directions} })}
	}
	kind := func(k Kind) s {
		return s{"the kind is " + string(k), "prescription_" + string(k), func(pr *Prescription) { pr.Kind, pr.Lines = k, pr.Lines[:1] }, func(pr *Prescription) {
			if pr.Kind = Other; k == Other {
				pr.Kind = Care
			}
		}}
	}
	sex := func(code, born, title string) s {
		return s{"the sex on file is " + code, strings.TrimSpace("sex_" + code + " " + born + " " + title), func(pr *Prescription) { pr.Patient.Sex = code }, func(pr *Prescription) {
			if pr.Patient.Sex = "F"; code == "F" {
				pr.Patient.Sex = "UN"
			}
		}}
	}
	ins := func(k string) s {
		return s{"the identity is qualified with an INS of kind " + k, "ins ins_" + k, func(pr *Prescription) { pr.Patient.INSKind = k }, func(pr *Prescription) { pr.Patient.INS, pr.Patient.INSKind = "", "" }}
	}
	list := []s{
		{"a line is linked to a long-term condition", "prescription_bizone zone_ald", nil, func(pr *Prescription) { pr.Lines = pr.Lines[:1] }},
		{"a zone has no line", "zone_empty", func(pr *Prescription) { pr.Lines = pr.Lines[1:2] }, func(pr *Prescription) { pr.Lines = prescription().Lines }},
		{"the law gives a date", "valid_until", nil, func(pr *Prescription) { pr.ValidUntil = time.Time{} }},
		{"the prescriber has an RPPS number", "rpps", nil, func(pr *Prescription) { pr.Prescriber.RPPS = "" }},
		{"the place has a FINESS number", "finess", nil, func(pr *Prescription) { pr.Prescriber.Place.FINESS = "" }},
		{"the place has a telephone", "phone", nil, func(pr *Prescription) { pr.Prescriber.Place.Phone = "" }},
		{"the patient uses another name", "birth_name", nil, func(pr *Prescription) { pr.Patient.BirthFamily = pr.Patient.Family }},
		{"the birth date is on file", "age_years", nil, func(pr *Prescription) { pr.Patient.BirthDate = "2026-01-01" }},
		{"the patient is a baby", "age_months", func(pr *Prescription) { pr.Patient.BirthDate = "2025-06-01" }, func(pr *Prescription) { pr.Patient.BirthDate = "1985-04-12" }},
		{"the weight was given", "weight", nil, func(pr *Prescription) { pr.Patient.Weight = "" }},
		{"the height was given", "height", func(pr *Prescription) { pr.Patient.Height = "170" }, func(pr *Prescription) { pr.Patient.Height = "" }},
		{"it has one line", "end", func(pr *Prescription) { pr.Lines = pr.Lines[:1] }, func(pr *Prescription) { pr.Lines = prescription().Lines }},
		{"it can be verified", "verify_how", nil, func(pr *Prescription) { pr.Verify = Verification{} }},
		mention("a duration", "duration", func(l *Line) { l.Duration = "6 jours" }),
		mention("a quantity", "quantity", func(l *Line) { l.Quantity = "1 boîte" }),
		mention("a medicine without renewals", "renewals_none", func(l *Line) { l.INN = []string{"x"} }),
		mention("one renewal", "renewals_one", func(l *Line) { l.Renewals = 1 }),
		mention("renewals", "renewals_many", func(l *Line) { l.Renewals = 2 }),
		mention("excluded MTE", "not_substitutable_MTE", func(l *Line) { l.Excluded = "MTE" }),
		mention("excluded EFG", "not_substitutable_EFG", func(l *Line) { l.Excluded = "EFG" }),
		mention("excluded CIF", "not_substitutable_CIF", func(l *Line) { l.Excluded = "CIF" }),
		mention("an accident at work", "work_accident", func(l *Line) { l.WorkAccident = true }),
		mention("not reimbursable", "not_reimbursable", func(l *Line) { l.NonReimbursable = true }),
		mention("off label", "off_label", func(l *Line) { l.OffLabel = true }),
		mention("compounded", "compounded", func(l *Line) { l.Compounded = true }),
		mention("words for the pharmacist", "to_pharmacist", func(l *Line) { l.Pharmacist = "pot" }),
		sex("F", "born_female", "patient_female"), sex("M", "born_male", ""), sex("UN", "born_unknown", ""),
	}
	for _, k := range []string{"NIR", "NIA", "TEST", "DEMO"} {
		list = append(list, ins(k))
	}
	for _, k := range []Kind{Medicines, Biology, Imaging, Nursing, Physiotherapy, Speech, Orthoptics, Podiatry, Care, Device, Exams, Other} {
		list = append(list, kind(k))
	}
	return list
}

// TestSentences_Receipt: the same of the receipt of a consent.
func TestSentences_Receipt(t *testing.T) {
	p, marks := marked(t, "words/receipt/fr.json")
	type s = sentence[Receipt]
	channel := func(name, key, by string) s {
		return s{"the channel is " + name, key, func(r *Receipt) { r.Channel, r.AttestedBy = name, by }, func(r *Receipt) {
			if r.Channel = "web"; name == "web" {
				r.Channel = "representative"
			}
		}}
	}
	table := []s{
		{"the patient is a minor", "minor", nil, func(r *Receipt) { r.Minor = false }},
		{"a minor decides on the page", "channel_link", func(r *Receipt) { r.Channel, r.Minor = "web", true }, func(r *Receipt) { r.Minor = false }},
		{"an adult decides on the page", "channel_web", func(r *Receipt) { r.Channel, r.Minor = "web", false }, func(r *Receipt) { r.Minor = true }},
		{"a code went to who decided", "agent_known agent_on_file", func(r *Receipt) { r.AgentProof = "on-file" }, func(r *Receipt) { r.AgentProof = "" }},
		{"the professional saw who decided", "agent_known agent_attested", func(r *Receipt) { r.AgentProof, r.Document = "attested", "passport" }, func(r *Receipt) { r.AgentProof = "" }},
		{"somebody decided for the patient", "agent agent_of", nil, func(r *Receipt) { r.Agent = "" }},
		channel("emergency", "channel_emergency", "Dr Martin"), channel("oral", "channel_oral", "Dr Martin"), channel("oral", "channel_oral_unnamed", ""), channel("representative", "channel_representative", ""),
		{"the professional is named", "act_with", nil, func(r *Receipt) { r.Practitioner = "" }},
		{"the act is a teleconsultation", "act_teleconsultation", nil, func(r *Receipt) { r.Act = "other" }},
	}
	pick := func(fact string, keys []string, set func(*Receipt, string)) {
		for i, k := range keys {
			other := keys[(i+1)%len(keys)]
			_, value, _ := strings.Cut(k, "_")
			_, instead, _ := strings.Cut(other, "_")
			table = append(table, s{fact + " is " + value, k, func(r *Receipt) { set(r, value) }, func(r *Receipt) { set(r, instead) }})
		}
	}
	pick("the decision", []string{"decision_granted", "decision_refused", "decision_withdrawn", "decision_emergency"}, func(r *Receipt, v string) { r.Decision = v })
	pick("a later decision", []string{"later_granted", "later_refused", "later_withdrawn", "later_emergency"}, func(r *Receipt, v string) { r.Later, r.LaterAt = v, r.At })
	pick("the stamp", []string{"stamp_stamped", "stamp_pending", "stamp_retrying", "stamp_off"}, func(r *Receipt, v string) { r.Stamp = v })
	pick("the relation", []string{"relation_mother", "relation_father", "relation_guardian", "relation_authorised-relative", "relation_chosen-adult"}, func(r *Receipt, v string) { r.Relation = v })
	pick("the document seen", []string{"document_identity-card", "document_passport", "document_residence-permit", "document_digital-identity"}, func(r *Receipt, v string) { r.AgentProof, r.Document = "attested", v })
	for _, k := range []string{"secrecy", "contraception"} {
		table = append(table, s{"the ground is " + k, "ground ground_" + k, func(r *Receipt) { r.Ground = k }, func(r *Receipt) { r.Ground = "" }})
	}
	for _, k := range []string{"unable", "unreachable", "minor-refused"} {
		table = append(table, s{"the situation is " + k, "title_emergency footer_emergency situation reason source source_" + k + " situation_" + k, func(r *Receipt) { r.Situation, r.Reason = k, "Inconscient." }, func(r *Receipt) { r.Situation = "" }})
	}
	pick("the language of the text", []string{"language_fr", "language_en"}, func(r *Receipt, v string) { r.TextLanguage = v })
	known := follow(t, p, marks, func() Receipt { return receipt("fr") }, func(p *Press, r Receipt) ([]byte, error) { return p.Receipt(r) }, table)
	listed(t, marks, `title footer page who patient channel when at act text text_name text_version text_language text_hash text_follows
		proof record_hash signature signature_key stamp verify_title verify_how verify_code verify_note`, known)
}
