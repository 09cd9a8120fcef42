package documents_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"visavis/documents"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/cda"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/paper"
	"visavis/internal/profession"
	"visavis/internal/sheet"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

const (
	clinic    = care.OrganizationID("0199aaaa-0000-7000-8000-000000000001")
	claire    = care.StaffID("0199aaaa-0000-7000-8000-000000000011")
	hugo      = care.StaffID("0199aaaa-0000-7000-8000-000000000012")
	ines      = care.StaffID("0199aaaa-0000-7000-8000-000000000013")
	lea       = care.PatientID("0199aaaa-0000-7000-8000-000000000021")
	zoe       = care.PatientID("0199aaaa-0000-7000-8000-000000000022")
	encounter = care.EncounterID("0199aaaa-0000-7000-8000-000000000041")
	canary    = "CANARI-TOUX-7781"
)

// town answers for the other modules.
type town struct {
	mu   sync.Mutex
	act  paper.Act
	call call
	// settles is how often Settling answers yes before no; -1: for ever.
	settles, asked int
	quiet          bool // the parents see nothing of the act
}

func (w *town) Confidential(context.Context, care.EncounterID, care.PatientID) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.quiet, nil
}

func (w *town) Act(_ context.Context, id care.EncounterID) (paper.Act, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if id != w.act.EncounterID {
		return paper.Act{}, fault.Missing()
	}
	return w.act, nil
}

// Settling is asked of an act that just ended.
func (w *town) Settling(context.Context, care.EncounterID) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	return w.settles < 0 || w.asked <= w.settles, nil
}

func (w *town) CaresFor(_ context.Context, staff care.StaffID, patient care.PatientID) (bool, error) {
	return patient == lea && (staff == claire || staff == ines), nil
}

func (w *town) Name(_ context.Context, role care.Role, id string) (string, profession.Word, error) {
	switch {
	case id == string(claire):
		return "Dr Claire Martin", "doctor", nil
	case id == string(ines):
		return "Inès Benali", "nurse", nil
	case role == care.Patient:
		return "Léa Moreau", "", nil
	}
	return "", "", fault.Missing()
}

func (w *town) StateOf(context.Context, care.DocumentID) (string, time.Time, bool, error) {
	return "queued", testkit.Morning(), true, nil
}

func (w *town) DispensedState(context.Context, care.DocumentID) (string, time.Time, string, bool, error) {
	return "partial", testkit.Morning(), "Pharmacie du Marché", true, nil
}

func (w *town) change(f func(a *paper.Act)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(&w.act)
}

func anAct() paper.Act {
	start := testkit.Morning()
	practice := cda.Organization{FINESS: "750803447", Name: "Cabinet des Lilas", Sector: "SA08", Setting: "AMBULATOIRE",
		Address: cda.Address{Street: "2 place du Marché", PostalCode: "93260", City: "Les Lilas", Country: "France"}, Contact: cda.Contact{Phone: "+33143000000"}}
	return paper.Act{
		EncounterID: encounter, AppointmentID: "0199aaaa-0000-7000-8000-000000000031", PatientID: lea, AuthorID: claire, OrganizationID: clinic,
		Started: true, Finished: true, Start: start, End: start.Add(20 * time.Minute), Zone: time.FixedZone("CET", 3600), PatientName: "Léa MOREAU",
		Patient: cda.Patient{INS: &cda.INS{OID: cda.OIDINSTest, Value: "279035121518989"}, BirthFamily: "MOREAU", BirthGiven: []string{"LÉA"}, Sex: "F", BirthDate: "1979-03-28", BirthPlace: "51215"},
		Author:  cda.Professional{RPPS: "10001234563", Specialty: "G15_10/SM26", Family: "MARTIN", Given: "Claire", Civility: "MME", Title: "DR", Organization: practice}, AuthorQuality: "Médecin généraliste",
		People: []paper.Person{{ID: string(lea), Name: "Léa MOREAU", Role: care.Patient, From: start, To: start.Add(20 * time.Minute),
			Stays: []paper.Stay{{From: start, To: start.Add(20 * time.Minute)}}},
			{ID: string(claire), Name: "Dr Claire Martin", Role: care.Doctor, Profession: "10", From: start, To: start.Add(20 * time.Minute),
				Stays: []paper.Stay{{From: start, To: start.Add(20 * time.Minute)}}}},
		Incidents: []paper.Incident{{At: start.Add(5 * time.Minute), Text: "Connexion perdue"}}, VideoSeconds: 1100,
		ConsentID: "0199aaaa-0000-7000-8000-000000000051", ConsentText: "donné en ligne le 10 mars 2026, texte version 1", IdentityCheck: "pièce d'identité vue",
	}
}

func open(t *testing.T, h *testkit.House) (*documents.Service, *town) {
	t.Helper()
	w := &town{act: anAct()}
	for d := range 10 { // the Luhn digit
		if rpps := "1000123456" + string(rune('0'+d)); care.ValidRPPS(rpps) {
			w.act.Author.RPPS = rpps
		}
	}
	press, err := sheet.NewPress()
	if err != nil {
		t.Fatal(err)
	}
	svc, err := documents.New(documents.Deps{DB: h.DB, Bus: h.Bus, Audit: h.Audit, Keeper: h.Keeper, Signer: h.Signer, Table: h.Table, Clock: h.Clock,
		Press: press, Acts: w, Names: w, Secrecy: w, Deliveries: w, Dispensings: w, Calls: w})
	if err != nil {
		t.Fatal(err)
	}
	return svc, w
}

func staff(role care.Role, id care.StaffID) context.Context {
	return testkit.As(authz.Actor{Role: role, StaffID: id, OrganizationID: clinic, Level: authz.LevelPSC})
}

func patient(id care.PatientID, level authz.Level) context.Context {
	return testkit.As(authz.Actor{Role: care.Patient, PatientID: id, Level: level})
}

var words = documents.Text{Motive: "Toux " + canary, Text: "Auscultation normale " + canary, Conclusion: "Rhinite", FollowUp: "Revoir si fièvre"}

// signed writes and signs the report.
func signed(t *testing.T, svc *documents.Service, edit int64) *documents.Document {
	t.Helper()
	r, err := svc.Write(staff(care.Doctor, claire), encounter, words, edit)
	if err != nil {
		t.Fatal(err)
	}
	d, err := svc.Sign(staff(care.Doctor, claire), encounter, r.Edit)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func refused(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != kind || f.Code != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

func pdfText(t *testing.T, pdf []byte) string {
	t.Helper()
	cmd := exec.Command("pdftotext", "-layout", "-", "-")
	cmd.Stdin = bytes.NewReader(pdf)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("pdftotext (poppler-utils): %v", err)
	}
	return strings.Join(strings.Fields(string(out)), " ")
}

func (w *town) hide(yes bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.quiet = yes
}

// C6: the links of a minor are in their parents' hands: they see no document of an act that the minor keeps secret.
func TestAConfidentialActIsHiddenFromThePatientsLinks(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(t, h)
		d := signed(t, svc, 0)
		me := patient(lea, authz.LevelCode)
		see := func(ctx context.Context) (listed int, opened error) {
			t.Helper()
			list, err := svc.List(ctx, lea)
			if err != nil {
				t.Fatal(err)
			}
			_, _, opened = svc.Open(ctx, d.ID)
			return len(list), opened
		}
		if n, err := see(me); n != 1 || err != nil {
			t.Fatalf("before: %d documents, %v", n, err)
		}
		w.hide(true)
		if n, err := see(me); n != 0 || fault.KindOf(err) != fault.NotFound {
			t.Errorf("hidden: %d documents, %v", n, err)
		}
		if _, err := svc.Accesses(me, d.ID); fault.KindOf(err) != fault.NotFound {
			t.Errorf("the accesses of a hidden document: %v", err)
		}
		if n, err := see(staff(care.Doctor, claire)); n != 1 || err != nil {
			t.Errorf("its author: %d documents, %v", n, err)
		}
	})
}

func TestSignFreezesAndReplaces(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, _ := open(t, h)
		var facts []events.Document
		var mu sync.Mutex
		h.Bus.On(events.ReportSigned, "test.signed", func(_ context.Context, _ *store.Tx, e events.Event) error {
			var d events.Document
			err := e.Decode(&d)
			mu.Lock()
			defer mu.Unlock()
			facts = append(facts, d)
			return err
		})
		doctor := staff(care.Doctor, claire)
		one := signed(t, svc, 0)
		if _, err := svc.Write(doctor, encounter, words, 2); err == nil {
			t.Error("a signed report can be written")
		} else {
			refused(t, err, fault.Conflict, "report-signed")
		}
		_, err := svc.Sign(doctor, encounter, 2)
		refused(t, err, fault.Conflict, "report-signed")
		_, first, err := svc.Open(doctor, one.ID)
		if err != nil {
			t.Fatal(err)
		}
		if p := cda.CheckDocument(first.CDA); len(p) > 0 {
			t.Errorf("the filed document breaks rules: %v", p)
		}
		text := pdfText(t, first.PDF)
		for _, want := range []string{canary, "de 9 h à 9 h 20 (20 min)", "9 h 05 : Connexion perdue", "donné en ligne", "Dr Claire Martin, médecin", "pendant 18 min 20 s", "Signé électroniquement par Dr Claire MARTIN", "Mon espace santé"} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not on the sheet: %s", want, text)
			}
		}
		h.Clock.Advance(time.Hour)
		r, err := svc.Replace(doctor, one.ID)
		if err != nil || r.Status != documents.Draft || r.Motive != words.Motive {
			t.Fatalf("%+v %v", r, err)
		}
		two := signed(t, svc, r.Edit)
		if two.Number != 2 || two.ReplacesID != one.ID || two.SetID != one.SetID {
			t.Errorf("%+v", two)
		}
		_, again, err := svc.Open(doctor, one.ID)
		if err != nil || !bytes.Equal(again.CDA, first.CDA) || !bytes.Equal(again.PDF, first.PDF) {
			t.Errorf("the first version changed: %v", err)
		}
		_, second, err := svc.Open(doctor, two.ID)
		if err != nil || !bytes.Contains(second.CDA, []byte(`typeCode="RPLC"`)) || !strings.Contains(pdfText(t, second.PDF), "Version 2, remplace la version 1 du 10 mars 2026") {
			t.Errorf("the second version does not say what it replaces: %v", err)
		}
		_, err = svc.Replace(doctor, one.ID)
		refused(t, err, fault.Conflict, "document-not-current")
		list, err := svc.List(patient(lea, authz.LevelCode), "")
		if err != nil || len(list) != 2 || list[0].State != documents.Current || list[1].State != documents.Replaced {
			t.Errorf("%v %v", list, err)
		}
		h.Deliver(t)
		mu.Lock()
		defer mu.Unlock()
		replaces := map[int]care.DocumentID{} // facts come in any order
		for _, f := range facts {
			replaces[f.Version] = f.ReplacesID
		}
		if len(facts) != 2 || replaces[1] != "" || replaces[2] != one.ID {
			t.Errorf("facts: %+v", facts)
		}
		if n, err := svc.Verify(context.Background()); n != 2 || err != nil {
			t.Errorf("%d %v", n, err)
		}
	})
}

func TestRefusalsNameTheFieldAndKeepNothing(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(t, h)
		doctor := staff(care.Doctor, claire)
		_, err := svc.Sign(doctor, encounter, 0)
		refused(t, err, fault.Invalid, "fields")
		r, err := svc.Write(doctor, encounter, documents.Text{Text: "sans motif"}, 0)
		if err != nil {
			t.Fatal(err)
		}
		good := w.act
		for _, c := range []struct {
			want  string
			spoil func(*paper.Act)
		}{
			{"motive required", func(*paper.Act) {}},
			{"author.rpps key-wrong", func(a *paper.Act) { a.Author.RPPS = "10001234567" + "" }},
			{"author.specialty code-unknown", func(a *paper.Act) { a.Author.Specialty = "G15_10/ZZ99" }},
			{"patient.birthPlace required", func(a *paper.Act) { a.Patient.BirthPlace = "" }},
			{"patient.ins.value key-wrong", func(a *paper.Act) { a.Patient.INS = &cda.INS{OID: cda.OIDINSTest, Value: "279035121518988"} }},
		} {
			w.change(func(a *paper.Act) { *a = good; c.spoil(a) })
			_, err := svc.Sign(doctor, encounter, r.Edit)
			var f *fault.Error
			found := false
			if errors.As(err, &f) {
				for _, x := range f.Fields {
					found = found || x.Name+" "+x.Code == c.want
				}
			}
			if !found && !(c.want == "author.rpps key-wrong" && care.ValidRPPS("10001234567")) {
				t.Errorf("want %s, got %v", c.want, err)
			}
		}
		w.change(func(a *paper.Act) { *a = good; a.Finished = false })
		if r, err = svc.Write(doctor, encounter, words, r.Edit); err != nil {
			t.Fatal(err)
		}
		_, err = svc.Sign(doctor, encounter, r.Edit)
		refused(t, err, fault.Conflict, "act-not-finished")
		_, err = svc.Write(doctor, encounter, words, 0)
		refused(t, err, fault.Conflict, "changed-meanwhile")
		_, err = svc.Write(doctor, encounter, documents.Text{Motive: strings.Repeat("é", 501)}, r.Edit)
		refused(t, err, fault.Invalid, "fields")
		if list, err := svc.List(doctor, lea); err != nil || len(list) != 0 {
			t.Errorf("a refused signature left %d documents, %v", len(list), err)
		}
	})
}

func TestWhoSeesWhat(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, _ := open(t, h)
		d := signed(t, svc, 0)
		h.Clock.Advance(time.Minute)
		for name, c := range map[string]struct {
			ctx            context.Context
			report, opens  bool
			lists, watches bool
		}{
			"author":            {staff(care.Doctor, claire), true, true, true, true},
			"colleague":         {staff(care.Doctor, hugo), false, false, false, false},
			"nurse of the team": {staff(care.Nurse, ines), false, false, false, false},
			"patient with code": {patient(lea, authz.LevelCode), false, true, true, true},
			"patient, link":     {patient(lea, authz.LevelLink), false, false, false, false},
			"another patient":   {patient(zoe, authz.LevelCode), false, false, false, false},
			"secretary":         {staff(care.Secretary, hugo), false, false, false, false},
			"nobody":            {testkit.As(authz.Actor{}), false, false, false, false},
		} {
			_, err := svc.Read(c.ctx, encounter)
			if (err == nil) != c.report {
				t.Errorf("%s reads the report: %v", name, err)
			}
			if _, _, err = svc.Open(c.ctx, d.ID); (err == nil) != c.opens {
				t.Errorf("%s opens the document: %v", name, err)
			}
			if _, err = svc.List(c.ctx, lea); (err == nil) != c.lists {
				t.Errorf("%s lists: %v", name, err)
			}
			if _, err = svc.Accesses(c.ctx, d.ID); (err == nil) != c.watches {
				t.Errorf("%s sees accesses: %v", name, err)
			}
		}
		list, err := svc.Accesses(patient(lea, authz.LevelCode), d.ID)
		if err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for _, a := range list {
			got = append(got, a.Who+" "+a.Action)
		}
		all := strings.Join(got, ", ")
		if !strings.Contains(all, "Léa Moreau download") || !strings.Contains(all, "Dr Claire Martin download") || got[len(got)-1] != "Dr Claire Martin sign" {
			t.Errorf("accesses: %s", all)
		}
	})
}

func TestOneSignatureWhenManyTry(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, _ := open(t, h)
		doctor := staff(care.Doctor, claire)
		r, err := svc.Write(doctor, encounter, words, 0)
		if err != nil {
			t.Fatal(err)
		}
		var wins, conflicts int
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				_, err := svc.Sign(doctor, encounter, r.Edit)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					wins++
				} else if fault.KindOf(err) == fault.Conflict {
					conflicts++
				} else {
					t.Errorf("%v", err)
				}
			})
		}
		wg.Wait()
		if wins != 1 || conflicts != 7 {
			t.Errorf("%d signatures, %d conflicts", wins, conflicts)
		}
	})
}

// TestNothingClinicalInTheOpen looks for what was written in every row and every file.
func TestNothingClinicalInTheOpen(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, _ := open(t, h)
		signed(t, svc, 0)
		pool, err := h.DB.SQL()
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range []string{"SELECT content FROM reports", "SELECT meta FROM documents", "SELECT detail FROM audit", "SELECT payload FROM events"} {
			rows, err := pool.Query(q)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for rows.Next() {
				var b []byte
				if err := rows.Scan(&b); err != nil {
					t.Fatal(err)
				}
				n++
				for _, s := range []string{canary, "Rhinite", "MOREAU", "Claire"} {
					if bytes.Contains(b, []byte(s)) {
						t.Errorf("%s holds %s in the open", q, s)
					}
				}
			}
			if n == 0 {
				t.Errorf("%s: nothing to look at", q)
			}
			rows.Close()
		}
		if strings.Contains(h.Logged.String(), canary) {
			t.Error("the log holds what was written")
		}
	})
}

func TestDamageIsSeen(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, _ := open(t, h)
		d := signed(t, svc, 0)
		pool, err := h.DB.SQL()
		if err != nil {
			t.Fatal(err)
		}
		for _, change := range []string{"UPDATE documents SET number = 7", "UPDATE documents SET pdf_blob = cda_blob", "UPDATE documents SET cda_blob = pdf_blob", "UPDATE documents SET author_id = '" + string(hugo) + "'"} {
			var pdf, xml, author string
			if err := pool.QueryRow("SELECT pdf_blob, cda_blob, author_id FROM documents").Scan(&pdf, &xml, &author); err != nil {
				t.Fatal(err)
			}
			if _, err := pool.Exec(change); err != nil {
				t.Fatal(err)
			}
			if _, err := svc.Verify(context.Background()); !errors.Is(err, documents.ErrDamaged) {
				t.Errorf("%s is not seen: %v", change, err)
			}
			if _, err := svc.Files(context.Background(), d.ID); err == nil {
				t.Errorf("%s: the files are given all the same", change)
			}
			// With a right MAC of the row, the signature and the hashes of the files refuse it.
			testkit.SignRows(t, h.DB, "documents")
			if _, err := svc.Verify(context.Background()); !errors.Is(err, documents.ErrDamaged) {
				t.Errorf("%s, the row signed: not seen: %v", change, err)
			}
			_, err := svc.Files(context.Background(), d.ID)
			refused(t, err, fault.Internal, "file-damaged")
			if _, err := pool.Exec("UPDATE documents SET number = 1, pdf_blob = '" + pdf + "', cda_blob = '" + xml + "', author_id = '" + author + "'"); err != nil {
				t.Fatal(err)
			}
			testkit.SignRows(t, h.DB, "documents")
		}
		if n, err := svc.Verify(context.Background()); n != 1 || err != nil {
			t.Errorf("put back as it was: %d %v", n, err)
		}
	})
}

func TestHTTP(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, _ := open(t, h)
		texts, err := documents.Texts()
		if err != nil {
			t.Fatal(err)
		}
		s := h.Server(t, testkit.Actors{
			"claire": {Role: care.Doctor, StaffID: claire, OrganizationID: clinic, SessionID: "s1", Level: authz.LevelPSC, SignsUntil: testkit.Morning().Add(time.Hour)},
			"hugo":   {Role: care.Doctor, StaffID: hugo, OrganizationID: clinic, SessionID: "s2", Level: authz.LevelPSC},
			"lea":    {Role: care.Patient, PatientID: lea, SessionID: "s3", Level: authz.LevelCode},
			"link":   {Role: care.Patient, PatientID: lea, SessionID: "s4", Level: authz.LevelLink},
			"zoe":    {Role: care.Patient, PatientID: zoe, SessionID: "s5", Level: authz.LevelCode},
		}, texts)
		documents.Routes(s, svc)
		c := testkit.HTTP(t, s.Handler()).Held(s)
		path := "/api/encounters/" + string(encounter) + "/report"
		doctor, lea, zoe := c.With("claire"), c.With("lea"), c.With("zoe")
		var r struct {
			Version                                    int64
			Status, Motive, Text, Conclusion, FollowUp string
		}
		if a := doctor.Get(path).Want(200).JSON(&r); a.Header.Get("ETag") != `"0"` || r.Status != "draft" {
			t.Errorf("%s %+v", a.Header.Get("ETag"), r)
		}
		body := map[string]string{"motive": "Toux", "text": "", "conclusion": "", "followUp": ""}
		doctor.Put(path, body).Problem(400, "match-needed")
		doctor.Put(path, body, testkit.Match("0")).Want(200).JSON(&r)
		doctor.Put(path, body, testkit.Match("0")).Problem(409, "changed-meanwhile")
		doctor.Post(path+"/sign", map[string]any{"version": r.Version}).Fields("text required")
		body["text"] = "Auscultation normale"
		doctor.Put(path, body, testkit.Match("1")).Want(200).JSON(&r)
		var d struct {
			DocumentID string
			Version    int
		}
		key := care.NewID(time.Now())
		doctor.Post(path+"/sign", map[string]any{"version": r.Version}, testkit.Key(key)).Want(201).JSON(&d)
		first := d.DocumentID
		doctor.Post(path+"/sign", map[string]any{"version": r.Version}, testkit.Key(key)).Want(201).JSON(&d)
		if d.DocumentID != first || d.Version != 1 {
			t.Errorf("the same key signs twice: %+v", d)
		}
		doctor.Put(path, body, testkit.Match("3")).Problem(409, "report-signed")
		var list struct {
			Items []struct {
				ID, Kind, TypeCode, Title, Act, Status string
				Author                                 struct{ DisplayName string }
				Delivery                               struct{ State string }
			}
		}
		lea.Get("/api/documents").Want(200).JSON(&list)
		if len(list.Items) != 1 || list.Items[0].TypeCode != "85208-7" || list.Items[0].Author.DisplayName != "Dr Claire MARTIN" || list.Items[0].Delivery.State != "queued" {
			t.Errorf("%+v", list)
		}
		pdf := lea.Get("/api/documents/" + first + "/pdf").Want(200)
		if pdf.Header.Get("Content-Type") != "application/pdf" || !bytes.HasPrefix(pdf.Body, []byte("%PDF-")) || strings.Contains(pdf.Header.Get("Content-Disposition"), "MOREAU") {
			t.Errorf("%v", pdf.Header)
		}
		if x := doctor.Get("/api/documents/" + first + "/cda").Want(200); !json.Valid([]byte(`"`+x.Header.Get("Content-Type")+`"`)) || !bytes.Contains(x.Body, []byte("<ClinicalDocument")) {
			t.Errorf("%s", x.Body[:80])
		}
		other := zoe.Get("/api/documents/" + first + "/pdf")
		absent := zoe.Get("/api/documents/0199aaaa-0000-7000-8000-00000000dead/pdf")
		other.Problem(http.StatusNotFound, "not-found")
		if !bytes.Equal(other.Body, absent.Body) {
			t.Errorf("somebody else's document answers differently:\n%s\n%s", other.Body, absent.Body)
		}
		zoe.Get("/api/documents?patientId="+string(anAct().PatientID)).Problem(404, "not-found")
		c.With("link").Get("/api/documents").Problem(403, "code-needed")
		c.With("hugo").Get(path).Problem(404, "not-found")
		c.Get("/api/documents").Problem(401, "sign-in")
		doctor.Get("/api/documents").Fields("patientId required")
		lea.Get("/api/documents/" + first + "/accesses").Want(200)
		doctor.Post("/api/documents/"+first+"/replace", map[string]any{}).Want(200).JSON(&r)
		if r.Status != "draft" {
			t.Errorf("%+v", r)
		}
		if dir := os.Getenv("SHEETS"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, "http-report.pdf"), pdf.Body, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	})
}
