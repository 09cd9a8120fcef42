package prescriptions_test

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/cda"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/medicines"
	"visavis/internal/paper"
	"visavis/internal/sheet"
	"visavis/internal/store"
	"visavis/internal/testkit"
	"visavis/prescriptions"
)

const (
	clinic    = care.OrganizationID("0199aaaa-0000-7000-8000-000000000001")
	claire    = care.StaffID("0199aaaa-0000-7000-8000-000000000011")
	hugo      = care.StaffID("0199aaaa-0000-7000-8000-000000000012")
	lea       = care.PatientID("0199aaaa-0000-7000-8000-000000000021")
	encounter = care.EncounterID("0199aaaa-0000-7000-8000-000000000041")
	paul      = care.StaffID("0199aaaa-0000-7000-8000-000000000051")
	nina      = care.StaffID("0199aaaa-0000-7000-8000-000000000052")
	market    = care.OrganizationID("0199aaaa-0000-7000-8000-000000000061")
	station   = care.OrganizationID("0199aaaa-0000-7000-8000-000000000062")
	canary    = "CANARI-DOSE-4410"
)

// town answers for encounters and documents.
type town struct {
	mu        sync.Mutex
	act       paper.Act
	filed     []paper.Filing
	cancelled []care.DocumentID
	broken    bool
}

func (w *town) Act(_ context.Context, id care.EncounterID) (paper.Act, error) {
	if id != w.act.EncounterID {
		return paper.Act{}, fault.Missing()
	}
	return w.act, nil
}

func (w *town) File(_ context.Context, f paper.Filing) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken {
		return errors.New("no room left")
	}
	w.filed = append(w.filed, f)
	return nil
}

func (w *town) Cancel(_ context.Context, id care.DocumentID) error {
	w.cancelled = append(w.cancelled, id)
	return nil
}

// Pharmacist answers for identity.
func (w *town) Pharmacist(_ context.Context, id care.StaffID) (prescriptions.Pharmacist, error) {
	name, ok := map[care.StaffID]string{paul: "Pharmacie du Marché", nina: "Pharmacie de la Gare"}[id]
	if !ok {
		return prescriptions.Pharmacist{}, fault.Missing()
	}
	return prescriptions.Pharmacist{Name: "Paul NGUYEN", Pharmacy: name, FINESS: "930019872"}, nil
}

func open(t *testing.T, h *testkit.House) (*prescriptions.Service, *town) {
	t.Helper()
	return openWith(t, h, medicines.Sample())
}

func openWith(t *testing.T, h *testkit.House, index *medicines.Index) (*prescriptions.Service, *town) {
	t.Helper()
	start := testkit.Morning()
	w := &town{act: paper.Act{
		EncounterID: encounter, AppointmentID: "0199aaaa-0000-7000-8000-000000000031", PatientID: lea, AuthorID: claire, OrganizationID: clinic,
		Started: true, Start: start, Zone: time.FixedZone("CET", 3600),
		Patient: cda.Patient{INS: &cda.INS{OID: cda.OIDINSTest, Value: "279035121518989"}, BirthFamily: "MOREAU--GARCIA", BirthGiven: []string{"LÉA", "ROSE"}, Sex: "F", BirthDate: "1979-03-28", BirthPlace: "51215"},
		Author: cda.Professional{Specialty: "G15_10/SM26", Family: "MARTIN", Given: "Claire", Civility: "MME", Title: "DR",
			Organization: cda.Organization{FINESS: "750803447", Name: "Cabinet des Lilas", Sector: "SA08", Setting: "AMBULATOIRE", Contact: cda.Contact{Phone: "+33143000000"}}},
		AuthorQuality: "Médecin généraliste",
	}}
	for d := range 10 {
		if rpps := "1000123456" + string(rune('0'+d)); care.ValidRPPS(rpps) {
			w.act.Author.RPPS = rpps
		}
	}
	press, err := sheet.NewPress()
	if err != nil {
		t.Fatal(err)
	}
	svc, err := prescriptions.New(prescriptions.Deps{DB: h.DB, Bus: h.Bus, Audit: h.Audit, Keeper: h.Keeper, Table: h.Table, Clock: h.Clock, Limits: h.Limits,
		Press: press, Medicines: medicines.NewBase(index, time.Time{}), Acts: w, Filer: w, Pharmacies: w, Zone: w.act.Zone, PublicURL: "https://visavis.test"})
	if err != nil {
		t.Fatal(err)
	}
	return svc, w
}

func doctor() context.Context {
	return testkit.As(authz.Actor{Role: care.Doctor, StaffID: claire, OrganizationID: clinic, Level: authz.LevelPSC})
}

func anybody() context.Context { return testkit.As(authz.Actor{}) }

var thyroid = []prescriptions.Line{
	{CIS: "62080626", Name: "autre chose", Dose: "1 comprimé " + canary, Frequency: "le matin à jeun", DurationDays: 90, Renewals: 1, NonSubstitutable: "MTE", ALD: true},
	{CIS: "63107752", Dose: "1 comprimé", Frequency: "3 fois par jour si douleur", DurationDays: 5, Quantity: 1},
	{Name: "Cérat frais de Galien 70 g", INN: "cire d'abeille et huile d'amande", NotRestricted: true, Dose: "une noisette", Frequency: "le soir", DurationDays: 10, NotReimbursable: true, OffLabel: true, Pharmacist: "pot de 100 g"},
}

func draft(t *testing.T, svc *prescriptions.Service, c prescriptions.Category, lines []prescriptions.Line) *prescriptions.Prescription {
	t.Helper()
	p, err := svc.Add(doctor(), encounter, c)
	if err != nil {
		t.Fatal(err)
	}
	if p, err = svc.Write(doctor(), p.ID, lines, prescriptions.Measures{}, p.Edit); err != nil {
		t.Fatal(err)
	}
	return p
}

func signed(t *testing.T, svc *prescriptions.Service, c prescriptions.Category, lines []prescriptions.Line) *prescriptions.Prescription {
	t.Helper()
	d := draft(t, svc, c, lines)
	p, err := svc.Sign(doctor(), d.ID, d.Edit)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func refused(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != kind || f.Code != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

func fields(err error) string {
	var f *fault.Error
	out := []string{}
	if errors.As(err, &f) {
		for _, x := range f.Fields {
			out = append(out, x.Name+" "+x.Code)
		}
	}
	return strings.Join(out, ", ")
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

var printedCode = regexp.MustCompile(`Code d'accès : ([0-9A-Z]{4}-[0-9A-Z]{4})`)

// code reads the access code where people do: on the sheet.
func code(t *testing.T, pdf []byte) string {
	t.Helper()
	m := printedCode.FindStringSubmatch(pdfText(t, pdf))
	if m == nil {
		t.Fatal("no access code on the sheet")
	}
	return m[1]
}

func TestSignMedicines(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(t, h)
		var mu sync.Mutex
		var facts []events.Document
		h.Bus.On(events.PrescriptionIssued, "test.issued", func(_ context.Context, _ *store.Tx, e events.Event) error {
			var d events.Document
			err := e.Decode(&d)
			mu.Lock()
			defer mu.Unlock()
			facts = append(facts, d)
			return err
		})
		p := signed(t, svc, prescriptions.Medicines, thyroid)
		if len(w.filed) != 1 || w.filed[0].TypeCode != "57833-6" || string(p.DocumentID) != w.filed[0].Version.ID {
			t.Fatalf("%+v", w.filed)
		}
		f := w.filed[0]
		if wrong := cda.CheckDocument(f.CDA); len(wrong) > 0 {
			t.Errorf("the filed document breaks rules: %v", wrong)
		}
		for _, want := range []string{`code="62080626"`, "LEVOTHYROX 75 microgrammes", "lévothyroxine sodique", `code="MED-1096"`, `repeatNumber value="1"`, `code="20053000"`, "3400933516390"} {
			if !bytes.Contains(f.CDA, []byte(want)) {
				t.Errorf("%s is not in the document", want)
			}
		}
		if bytes.Contains(f.CDA, []byte("autre chose")) {
			t.Error("the name of a code is the index's, never what was typed")
		}
		text := pdfText(t, f.PDF)
		for _, want := range []string{"Ordonnance bizone", "LEVOTHYROX 75 microgrammes, comprimé sécable", "1 comprimé " + canary + ", le matin à jeun", "Pendant 90 jours · À renouveler 1 fois",
			"Non substituable (MTE", "Quantité : 1 boîte", "Au pharmacien : pot de 100 g", "NR, non remboursable", "avant le 10 juin 2026", "https://visavis.test/v/" + p.PublicID} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not on the sheet: %s", want, text)
			}
		}
		_, err := svc.Sign(doctor(), p.ID, p.Edit)
		refused(t, err, fault.Conflict, "prescription-signed")
		_, err = svc.Write(doctor(), p.ID, nil, prescriptions.Measures{}, p.Edit)
		refused(t, err, fault.Conflict, "prescription-signed")
		refused(t, svc.Drop(doctor(), p.ID), fault.Conflict, "prescription-signed")
		h.Deliver(t)
		mu.Lock()
		defer mu.Unlock()
		if len(facts) != 1 || facts[0].DocumentID != p.DocumentID || facts[0].PatientID != lea {
			t.Errorf("facts: %+v", facts)
		}
	})
}

func TestOtherCategories(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(t, h)
		for c, typeCode := range map[prescriptions.Category]string{prescriptions.Biology: "PRESC-BIO", prescriptions.Imaging: "55115-0", prescriptions.Nursing: "PRESC-INF",
			prescriptions.Physiotherapy: "PRESC-KINE", prescriptions.Other: "57828-6"} {
			signed(t, svc, c, []prescriptions.Line{{Text: "NFS, CRP " + canary}})
			f := w.filed[len(w.filed)-1]
			if f.TypeCode != typeCode || len(cda.CheckDocument(f.CDA)) > 0 || !strings.Contains(pdfText(t, f.PDF), canary) {
				t.Errorf("%s: %s %v", c, f.TypeCode, cda.CheckDocument(f.CDA))
			}
		}
	})
}

func TestRefusalsNameTheLine(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(t, h)
		good := w.act
		for _, c := range []struct {
			want     string
			category prescriptions.Category
			lines    []prescriptions.Line
			spoil    func(*paper.Act)
		}{
			{"lines required", prescriptions.Medicines, nil, nil},
			{"lines[0].text required", prescriptions.Biology, []prescriptions.Line{{}}, nil},
			{"lines[0].name required, lines[0].dose required, lines[0].frequency required, lines[0].durationDays required", prescriptions.Medicines, []prescriptions.Line{{}}, nil},
			{"lines[0].cis medicine-unknown, lines[0].inn required", prescriptions.Medicines, []prescriptions.Line{{CIS: "11111111", Name: "X", Dose: "1", Frequency: "2", DurationDays: 3}}, nil},
			{"lines[1].renewals treatment-too-long", prescriptions.Medicines, []prescriptions.Line{thyroid[1], {CIS: "63107752", Dose: "1", Frequency: "2", DurationDays: 90, Renewals: 4}}, nil},
			{"author.rpps key-wrong", prescriptions.Medicines, thyroid, func(a *paper.Act) { a.Author.RPPS = "10001234" }},
			{"patient.birthPlace required", prescriptions.Biology, []prescriptions.Line{{Text: "NFS"}}, func(a *paper.Act) { a.Patient.BirthPlace = "" }},
		} {
			w.act = good
			if c.spoil != nil {
				c.spoil(&w.act)
			}
			p := draft(t, svc, c.category, c.lines)
			_, err := svc.Sign(doctor(), p.ID, p.Edit)
			if got := fields(err); got != c.want {
				t.Errorf("got %q (%v), want %q", got, err, c.want)
			}
		}
		w.act = good
		w.act.Started = false
		p := draft(t, svc, prescriptions.Medicines, thyroid)
		_, err := svc.Sign(doctor(), p.ID, p.Edit)
		refused(t, err, fault.Conflict, "act-not-started")
		if len(w.filed) != 0 {
			t.Error("a refused prescription was filed")
		}
		w.act.Started, w.broken = true, true
		p = draft(t, svc, prescriptions.Medicines, thyroid)
		if _, err := svc.Sign(doctor(), p.ID, p.Edit); err == nil {
			t.Error("signed without being filed")
		}
		list, err := svc.OfEncounter(doctor(), encounter)
		if err != nil || list[len(list)-1].Status != prescriptions.Draft || list[len(list)-1].PublicID != "" {
			t.Errorf("a failed signature left something: %v", err)
		}
	})
}

func TestVerification(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(t, h)
		p := signed(t, svc, prescriptions.Medicines, thyroid)
		printed := code(t, w.filed[0].PDF)
		q, standing, err := svc.Look(anybody(), p.PublicID)
		if err != nil || standing != prescriptions.StandsValid || q.Frozen.Prescriber != "Dr Claire MARTIN" || len(p.PublicID) != 26 {
			t.Fatalf("%+v %s %v", q, standing, err)
		}
		for _, typed := range []string{printed, strings.ToLower(printed), strings.ReplaceAll(printed, "-", " "), strings.ReplaceAll(strings.ReplaceAll(printed, "0", "o"), "1", "l")} {
			if _, _, err := svc.Open(anybody(), p.PublicID, typed); err != nil {
				t.Errorf("%q is refused: %v", typed, err)
			}
		}
		for _, typed := range []string{"", "AAAA-AAAA", printed[:8], printed + "0"} {
			_, _, err := svc.Open(anybody(), p.PublicID, typed)
			if fields(err) != "code code-wrong" {
				t.Errorf("%q: %v", typed, err)
			}
		}
		throttled := false
		for range 10 {
			_, _, err := svc.Open(anybody(), p.PublicID, "AAAA-AAAA")
			throttled = throttled || fault.KindOf(err) == fault.Throttled
		}
		if !throttled {
			t.Error("a code can be guessed without limit")
		}
		for _, unknown := range []string{"", "x", strings.Repeat("a", 26), string(p.ID), strings.ToUpper(p.PublicID)} {
			if _, _, err := svc.Look(anybody(), unknown); fault.KindOf(err) != fault.NotFound {
				t.Errorf("%q: %v", unknown, err)
			}
		}
		if err := h.DB.Read(context.Background(), func(ctx context.Context, tx *store.Tx) error {
			lines, err := h.Audit.About(ctx, tx, "document/"+string(p.DocumentID))
			opened, refusals := 0, 0
			for _, l := range lines {
				if l.Action == "prescription.verify" {
					opened++
					if l.Outcome == "refused" {
						refusals++
					}
				}
			}
			if opened < 8 || refusals < 4 {
				t.Errorf("the audit log has %d openings, %d refused", opened, refusals)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestStandings(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(t, h)
		stands := func(p *prescriptions.Prescription, want prescriptions.Standing) {
			t.Helper()
			if _, got, err := svc.Look(anybody(), p.PublicID); err != nil || got != want {
				t.Errorf("stands %s (%v), want %s", got, err, want)
			}
		}
		one := signed(t, svc, prescriptions.Medicines, thyroid)
		next, err := svc.Replace(doctor(), one.ID)
		if err != nil || next.Number != 2 || len(next.Lines) != 3 {
			t.Fatalf("%+v %v", next, err)
		}
		again, err := svc.Replace(doctor(), one.ID)
		if err != nil || again.ID != next.ID {
			t.Errorf("asked twice, two drafts: %v", err)
		}
		stands(one, prescriptions.StandsValid) // until the new one is signed
		h.Clock.Advance(24 * time.Hour)
		two, err := svc.Sign(doctor(), next.ID, next.Edit)
		if err != nil {
			t.Fatal(err)
		}
		stands(one, prescriptions.StandsReplaced)
		stands(two, prescriptions.StandsValid)
		f := w.filed[1]
		if f.Version.Replaces != string(one.DocumentID) || !bytes.Contains(f.CDA, []byte(`typeCode="RPLC"`)) || !strings.Contains(pdfText(t, f.PDF), "Version 2, remplace la version 1 du 10 mars 2026") {
			t.Error("the second version does not say what it replaces")
		}
		_, err = svc.Replace(doctor(), one.ID)
		refused(t, err, fault.Conflict, "prescription-not-current")
		_, err = svc.Cancel(doctor(), two.ID, "")
		if fields(err) != "reason required" {
			t.Errorf("%v", err)
		}
		orphan, err := svc.Replace(doctor(), two.ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = svc.Cancel(doctor(), two.ID, "erreur de patient"); err != nil {
			t.Fatal(err)
		}
		stands(two, prescriptions.StandsCancelled)
		if len(w.cancelled) != 1 || w.cancelled[0] != two.DocumentID {
			t.Errorf("%v", w.cancelled)
		}
		_, err = svc.Sign(doctor(), orphan.ID, orphan.Edit)
		refused(t, err, fault.Conflict, "prescription-not-current")
		three := signed(t, svc, prescriptions.Medicines, thyroid[1:2])
		h.Clock.Advance(93 * 24 * time.Hour)
		stands(three, prescriptions.StandsExpired)
		four := signed(t, svc, prescriptions.Biology, []prescriptions.Line{{Text: "NFS"}})
		h.Clock.Advance(400 * 24 * time.Hour)
		stands(four, prescriptions.StandsValid) // the law gives no end
	})
}

func TestOnlyTheAuthor(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, _ := open(t, h)
		p := draft(t, svc, prescriptions.Medicines, thyroid)
		for name, a := range map[string]authz.Actor{
			"colleague": {Role: care.Doctor, StaffID: hugo, OrganizationID: clinic, Level: authz.LevelPSC},
			"secretary": {Role: care.Secretary, StaffID: hugo, OrganizationID: clinic, Level: authz.LevelPSC},
			"patient":   {Role: care.Patient, PatientID: lea, Level: authz.LevelCode},
			"nobody":    {},
		} {
			ctx := testkit.As(a)
			_, errs := svc.OfEncounter(ctx, encounter)
			all := []error{errs, svc.Drop(ctx, p.ID)}
			for _, f := range []func() error{
				func() error { _, err := svc.Add(ctx, encounter, prescriptions.Other); return err },
				func() error { _, err := svc.Write(ctx, p.ID, nil, prescriptions.Measures{}, p.Edit); return err },
				func() error { _, err := svc.Sign(ctx, p.ID, p.Edit); return err },
				func() error { _, err := svc.Cancel(ctx, p.ID, "x"); return err },
				func() error { _, err := svc.Replace(ctx, p.ID); return err },
			} {
				all = append(all, f())
			}
			for i, err := range all {
				if k := fault.KindOf(err); err == nil || (k != fault.NotFound && k != fault.Unauthenticated) {
					t.Errorf("%s, %d: %v", name, i, err)
				}
			}
		}
		if err := svc.Drop(doctor(), p.ID); err != nil {
			t.Error(err)
		}
		if list, err := svc.OfEncounter(doctor(), encounter); err != nil || len(list) != 0 {
			t.Errorf("%v %v", list, err)
		}
	})
}

func TestOneSignatureWhenManyTry(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(t, h)
		p := draft(t, svc, prescriptions.Medicines, thyroid)
		var wg sync.WaitGroup
		var mu sync.Mutex
		wins := 0
		for range 8 {
			wg.Go(func() {
				_, err := svc.Sign(doctor(), p.ID, p.Edit)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					wins++
				} else if fault.KindOf(err) != fault.Conflict {
					t.Errorf("%v", err)
				}
			})
		}
		wg.Wait()
		if wins != 1 || len(w.filed) != 1 {
			t.Errorf("%d signatures, %d documents", wins, len(w.filed))
		}
	})
}

func TestNothingClinicalInTheOpen(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(t, h)
		p := signed(t, svc, prescriptions.Medicines, thyroid)
		printed := code(t, w.filed[0].PDF)
		if _, err := svc.Cancel(doctor(), p.ID, "motif "+canary); err != nil {
			t.Fatal(err)
		}
		pool, err := h.DB.SQL()
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range []string{"SELECT content FROM prescriptions", "SELECT code_hash FROM prescriptions", "SELECT detail FROM audit", "SELECT payload FROM events"} {
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
				for _, s := range []string{canary, "LEVOTHYROX", "MOREAU", printed, strings.ReplaceAll(printed, "-", "")} {
					if bytes.Contains(b, []byte(s)) {
						t.Errorf("%s holds %q in the open", q, s)
					}
				}
			}
			rows.Close()
			if n == 0 {
				t.Errorf("%s: nothing to look at", q)
			}
		}
		if s := h.Logged.String(); strings.Contains(s, canary) || strings.Contains(s, printed) {
			t.Error("the log holds what was prescribed")
		}
	})
}

func TestHTTP(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(t, h)
		texts, err := prescriptions.Texts()
		if err != nil {
			t.Fatal(err)
		}
		s := h.Server(t, testkit.Actors{"claire": {Role: care.Doctor, StaffID: claire, OrganizationID: clinic, SessionID: "s1", Level: authz.LevelPSC, SignsUntil: testkit.Morning().Add(time.Hour)},
			"hugo": {Role: care.Doctor, StaffID: hugo, OrganizationID: clinic, SessionID: "s2", Level: authz.LevelPSC}}, texts)
		prescriptions.Routes(s, svc)
		c := testkit.HTTP(t, s.Handler()).Held(s)
		me := c.With("claire")
		var found struct {
			Items []struct{ CIS, Name, INN string }
		}
		me.Get("/api/medicines?q=l%C3%A9vothyroxine").Want(200).JSON(&found)
		if len(found.Items) != 4 || found.Items[0].INN != "lévothyroxine sodique" {
			t.Errorf("%+v", found)
		}
		path := "/api/encounters/" + string(encounter) + "/prescriptions"
		var p struct {
			ID, Status, ETag, DocumentID, VerificationID string
			Lines                                        []map[string]any
		}
		me.Post(path, map[string]any{"category": "poison"}).Fields("category not-a-choice")
		me.Post(path, map[string]any{"category": "medicines"}).Want(201).JSON(&p)
		one := "/api/prescriptions/" + p.ID
		lines := map[string]any{"lines": []map[string]any{{"cis": "63107752", "name": "x", "inn": "", "form": "", "dose": "1 comprimé", "frequency": "", "renewals": 0, "ald": false, "notReimbursable": false, "offLabel": false}}}
		me.Put(one, lines).Problem(400, "match-needed")
		me.Put(one, lines, testkit.Match(p.ETag)).Want(200).JSON(&p)
		me.Put(one, lines, testkit.Match("1")).Problem(409, "changed-meanwhile")
		me.Post(one+"/sign", map[string]any{}).Problem(400, "match-needed")
		me.Post(one+"/sign", map[string]any{}, testkit.Match(p.ETag)).Fields("lines[0].frequency required", "lines[0].durationDays required")
		lines["lines"].([]map[string]any)[0]["frequency"] = "3 fois par jour"
		lines["lines"].([]map[string]any)[0]["durationDays"] = 5
		stale := p.ETag
		me.Put(one, lines, testkit.Match(p.ETag)).Want(200).JSON(&p)
		me.Post(one+"/sign", map[string]any{}, testkit.Match(stale)).Problem(409, "changed-before-signing")
		if len(w.filed) != 0 {
			t.Error("a text that nobody read was signed")
		}
		key := care.NewID(time.Now())
		me.Post(one+"/sign", map[string]any{}, testkit.Key(key), testkit.Match(p.ETag)).Want(201).JSON(&p)
		first := p.VerificationID
		me.Post(one+"/sign", map[string]any{}, testkit.Key(key), testkit.Match(p.ETag)).Want(201).JSON(&p)
		if p.VerificationID != first || len(w.filed) != 1 {
			t.Error("the same key signs twice")
		}
		public := "/api/verifications/" + first
		looked := c.Get(public).Want(200)
		for _, secret := range []string{"comprim", "PARACETAMOL", "MOREAU", "medicines", "L. M"} {
			if bytes.Contains(looked.Body, []byte(secret)) {
				t.Errorf("without the code the page says %q: %s", secret, looked.Body)
			}
		}
		c.Post(public, map[string]any{"code": "AAAA-AAAA"}).Fields("code code-wrong")
		var v struct {
			Genuine                          bool
			State, PatientInitials, Category string
			Prescriber                       struct{ DisplayName, RPPS, OrganizationName string }
			Lines                            []struct{ Name, INN, Dose string }
		}
		c.Post(public, map[string]any{"code": code(t, w.filed[0].PDF)}, testkit.Header("Idempotency-Key", "")).Want(200).JSON(&v)
		if !v.Genuine || v.State != "valid" || v.PatientInitials != "L. M." || len(v.Lines) != 1 || v.Lines[0].Name != "PARACETAMOL MYLAN 500 mg, comprimé" || v.Prescriber.DisplayName != "Dr Claire MARTIN" {
			t.Errorf("%+v", v)
		}
		c.Get("/api/verifications/"+strings.Repeat("a", 26)).Problem(404, "not-found")
		c.With("hugo").Get(path).Problem(404, "not-found")
		me.Post(one+"/cancel", map[string]any{"reason": " "}).Fields("reason required")
		me.Post(one+"/cancel", map[string]any{"reason": "erreur"}).Want(200).JSON(&p)
		me.Post(path, map[string]any{"category": "biology"}).Want(201).JSON(&p)
		me.Do("DELETE", "/api/prescriptions/"+p.ID, nil).Want(204)
		var list struct{ Items []struct{ Status string } }
		me.Get(path).Want(200).JSON(&list)
		if len(list.Items) != 1 || list.Items[0].Status != "cancelled" {
			t.Errorf("%+v", list)
		}
	})
}
