package prescriptions_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/cda"
	"visavis/internal/fault"
	"visavis/internal/limit"
	"visavis/internal/store"
	"visavis/internal/testkit"
	"visavis/prescriptions"
)

func pharmacist(id care.StaffID, shop care.OrganizationID) context.Context {
	return testkit.As(authz.Actor{Role: care.Pharmacist, StaffID: id, OrganizationID: shop, Level: authz.LevelPSC})
}

func atMarket() context.Context  { return pharmacist(paul, market) }
func atStation() context.Context { return pharmacist(nina, station) }

var twice = []prescriptions.Line{
	{CIS: "63107752", Dose: "1 comprimé", Frequency: "3 fois par jour", DurationDays: 30, Quantity: 2, Renewals: 1},
	{CIS: "67827861", Dose: "1 goutte", Frequency: "matin et soir", DurationDays: 10},
}

func all() []prescriptions.Given {
	return []prescriptions.Given{{Line: 0, Extent: prescriptions.Fully, Quantity: 2}, {Line: 1, Extent: prescriptions.Fully, Quantity: 1}}
}

func TestDispensing(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(t, h)
		p := signed(t, svc, prescriptions.Medicines, twice)
		secret := code(t, w.filed[0].PDF)
		one, err := svc.Dispense(atMarket(), p.PublicID, secret, 0, 0, []prescriptions.Given{{Line: 0, Extent: prescriptions.Partly, Quantity: 1}})
		if err != nil || len(one.Dispensings) != 1 || one.Dispensings[0].By.Pharmacy != "Pharmacie du Marché" {
			t.Fatalf("%+v %v", one, err)
		}
		state, at, pharmacy, ok, err := svc.DispensedState(anybody(), p.DocumentID)
		if err != nil || !ok || state != prescriptions.PartDispensed || pharmacy != "Pharmacie du Marché" || !at.Equal(h.Clock.Now()) {
			t.Errorf("%s %s %v %v", state, pharmacy, at, err)
		}
		_, err = svc.Dispense(atStation(), p.PublicID, secret, 0, 0, all())
		refused(t, err, fault.Conflict, "dispensed-meanwhile")
		var f *fault.Error
		if !errors.As(err, &f) || f.Args["pharmacy"] != "Pharmacie du Marché" || !strings.Contains(f.Args["date"], "10 mars 2026") {
			t.Errorf("the second pharmacist is not told by whom: %+v", f)
		}
		_, err = svc.Dispense(atStation(), p.PublicID, secret, 1, 0, all())
		if fields(err) != "lines[0].quantity quantity-too-many" {
			t.Errorf("%v", err)
		}
		if _, err = svc.Dispense(atStation(), p.PublicID, secret, 1, 0, []prescriptions.Given{{Line: 0, Extent: prescriptions.Partly, Quantity: 1}, {Line: 1, Extent: prescriptions.Fully}}); err != nil {
			t.Fatal(err)
		}
		if state, _, _, _, _ := svc.DispensedState(anybody(), p.DocumentID); state != prescriptions.Dispensed {
			t.Errorf("the first time in full: %s", state)
		}
		_, err = svc.Dispense(atMarket(), p.PublicID, secret, 2, 0, all()[:1])
		refused(t, err, fault.Conflict, "already-dispensed")
		h.Clock.Advance(20 * 24 * time.Hour)
		if _, err = svc.Dispense(atMarket(), p.PublicID, secret, 2, 1, all()[:1]); err != nil {
			t.Fatal(err)
		}
		if state, _, _, _, _ := svc.DispensedState(anybody(), p.DocumentID); state != prescriptions.Exhausted {
			t.Errorf("nothing is left: %s", state)
		}
		_, err = svc.Dispense(atMarket(), p.PublicID, secret, 3, 2, all()[:1])
		if fields(err) != "renewal renewal-too-many" {
			t.Errorf("%v", err)
		}
		if err := h.DB.Read(context.Background(), func(ctx context.Context, tx *store.Tx) error {
			lines, err := h.Audit.About(ctx, tx, "document/"+string(p.DocumentID))
			n := 0
			for _, l := range lines {
				if l.Action == "prescription.dispense" && l.Role == care.Pharmacist {
					n++
				}
			}
			if n != 3 {
				t.Errorf("the audit log has %d dispensings, want 3", n)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestWithdrawADispensing(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(t, h)
		p := signed(t, svc, prescriptions.Medicines, twice)
		secret := code(t, w.filed[0].PDF)
		q, err := svc.Dispense(atMarket(), p.PublicID, secret, 0, 0, all())
		if err != nil {
			t.Fatal(err)
		}
		id := q.Dispensings[0].ID
		_, err = svc.Withdraw(atStation(), p.PublicID, secret, id, "x")
		refused(t, err, fault.NotFound, "not-found")
		_, err = svc.Withdraw(atMarket(), p.PublicID, secret, id, "")
		if fields(err) != "reason required" {
			t.Errorf("%v", err)
		}
		colleague := pharmacist(nina, market)
		if q, err = svc.Withdraw(colleague, p.PublicID, secret, id, "mauvais patient "+canary); err != nil || q.Dispensings[0].Status != prescriptions.Withdrawn {
			t.Fatalf("%+v %v", q, err)
		}
		_, err = svc.Withdraw(atMarket(), p.PublicID, secret, id, "encore")
		refused(t, err, fault.Conflict, "not-the-last-dispensing")
		if state, _, _, _, _ := svc.DispensedState(anybody(), p.DocumentID); state != prescriptions.NotDispensed {
			t.Errorf("a withdrawn entry counts: %s", state)
		}
		if _, err = svc.Dispense(atStation(), p.PublicID, secret, 1, 0, all()); err != nil {
			t.Errorf("after a mistake another pharmacy dispenses: %v", err)
		}
	})
}

// TestWhatNoPharmacyMayDispense: replaced, cancelled, too old, not for a pharmacy, wrong code, wrong person.
func TestWhatNoPharmacyMayDispense(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(t, h)
		try := func(p *prescriptions.Prescription, secret, want string) {
			t.Helper()
			_, err := svc.Dispense(atMarket(), p.PublicID, secret, 0, 0, all()[:1])
			refused(t, err, fault.Conflict, want)
		}
		one := signed(t, svc, prescriptions.Medicines, twice)
		first := code(t, w.filed[0].PDF)
		for name, ctx := range map[string]context.Context{"doctor": doctor(), "nobody": anybody(),
			"patient": testkit.As(authz.Actor{Role: care.Patient, PatientID: lea, Level: authz.LevelCode}),
			"nurse":   testkit.As(authz.Actor{Role: care.Nurse, StaffID: hugo, OrganizationID: clinic, Level: authz.LevelPSC})} {
			if _, err := svc.Dispense(ctx, one.PublicID, first, 0, 0, all()); fault.KindOf(err) != fault.NotFound && fault.KindOf(err) != fault.Unauthenticated {
				t.Errorf("%s dispenses: %v", name, err)
			}
		}
		_, err := svc.Dispense(atMarket(), one.PublicID, "AAAA-AAAA", 0, 0, all())
		if fields(err) != "code code-wrong" {
			t.Errorf("without the sheet: %v", err)
		}
		if _, err := svc.Dispense(atMarket(), one.PublicID, first, 0, 0, all()[:1]); err != nil {
			t.Fatal(err)
		}
		next, err := svc.Replace(doctor(), one.ID)
		if err != nil {
			t.Fatal(err)
		}
		two, err := svc.Sign(doctor(), next.ID, next.Edit)
		if err != nil {
			t.Fatal(err)
		}
		second := code(t, w.filed[1].PDF)
		try(one, first, "dispense-replaced")
		if seen, _, err := svc.Open(atMarket(), two.PublicID, second); err != nil || len(seen.Before) != 1 || len(seen.Dispensings) != 0 {
			t.Errorf("the next version hides what was given before: %+v %v", seen, err)
		}
		if _, err := svc.Cancel(doctor(), two.ID, "erreur"); err != nil {
			t.Fatal(err)
		}
		try(two, second, "dispense-cancelled")
		blood := signed(t, svc, prescriptions.Biology, []prescriptions.Line{{Text: "NFS"}})
		try(blood, code(t, w.filed[2].PDF), "not-for-pharmacy")
		if _, _, _, ok, err := svc.DispensedState(anybody(), blood.DocumentID); ok || err != nil {
			t.Errorf("a blood test has a state at the pharmacy: %v", err)
		}
		long := signed(t, svc, prescriptions.Medicines, []prescriptions.Line{{CIS: "63107752", Dose: "1", Frequency: "2", DurationDays: 30, Renewals: 5}})
		h.Clock.Advance(93 * 24 * time.Hour)
		try(long, code(t, w.filed[3].PDF), "first-dispensing-late")
		h.Clock.Advance(120 * 24 * time.Hour)
		try(long, code(t, w.filed[3].PDF), "dispense-expired")
	})
}

type noLimit struct{}

func (noLimit) Take(context.Context, limit.Rule, string) error { return nil }

func (noLimit) Refund(context.Context, limit.Rule, string) {}

// TestFiftyPharmaciesOneSheet: the same sheet at fifty counters at once is dispensed once.
func TestFiftyPharmaciesOneSheet(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(t, h)
		svc.Limits = noLimit{} // fifty honest openings of one sheet within a second
		p := signed(t, svc, prescriptions.Medicines, twice)
		secret := code(t, w.filed[0].PDF)
		var wg sync.WaitGroup
		var mu sync.Mutex
		wins := 0
		for i := range 50 {
			wg.Go(func() {
				ctx := atMarket()
				if i%2 == 1 {
					ctx = atStation()
				}
				_, err := svc.Dispense(ctx, p.PublicID, secret, 0, 0, all())
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					wins++
					return
				}
				refused(t, err, fault.Conflict, "dispensed-meanwhile")
			})
		}
		wg.Wait()
		q, _, err := svc.Look(anybody(), p.PublicID)
		if err != nil || wins != 1 || len(q.Dispensings) != 1 {
			t.Errorf("%d dispensings won, %d are recorded (%v)", wins, len(q.Dispensings), err)
		}
	})
}

func TestDispensingOverHTTP(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(t, h)
		texts, err := prescriptions.Texts()
		if err != nil {
			t.Fatal(err)
		}
		s := h.Server(t, testkit.Actors{"paul": {Role: care.Pharmacist, StaffID: paul, OrganizationID: market, SessionID: "s1", Level: authz.LevelPSC},
			"nina":   {Role: care.Pharmacist, StaffID: nina, OrganizationID: station, SessionID: "s2", Level: authz.LevelPSC},
			"claire": {Role: care.Doctor, StaffID: claire, OrganizationID: clinic, SessionID: "s3", Level: authz.LevelPSC}}, texts)
		prescriptions.Routes(s, svc)
		c := testkit.HTTP(t, s.Handler()).Held(s)
		p := signed(t, svc, prescriptions.Medicines, twice)
		secret := code(t, w.filed[0].PDF)
		public := "/api/verifications/" + p.PublicID
		type answer struct {
			Dispensing struct {
				State, ETag string
				Renewal     int
				Lines       []struct {
					Line, Renewal, Given int
					Extent               string
					Due                  bool
				}
				Entries []struct {
					ID, Pharmacy, State string
					Mine                bool
				}
			}
		}
		var v answer
		c.With("paul").Post(public, map[string]any{"code": secret}).Want(200).JSON(&v)
		if v.Dispensing.State != "none" || v.Dispensing.ETag != "0" || len(v.Dispensing.Lines) != 3 || !v.Dispensing.Lines[0].Due || v.Dispensing.Lines[2].Due {
			t.Errorf("%+v", v)
		}
		body := map[string]any{"code": secret, "renewal": 0, "lines": all()}
		c.Post(public+"/dispensings", body, testkit.Match("0")).Problem(401, "sign-in")
		c.With("claire").Post(public+"/dispensings", body, testkit.Match("0")).Problem(404, "not-found")
		c.With("paul").Post(public+"/dispensings", body).Problem(400, "match-needed")
		key := care.NewID(time.Now())
		c.With("paul").Post(public+"/dispensings", body, testkit.Match("0"), testkit.Key(key)).Want(201).JSON(&v)
		c.With("paul").Post(public+"/dispensings", body, testkit.Match("0"), testkit.Key(key)).Want(201).JSON(&v)
		if v.Dispensing.State != "dispensed" || len(v.Dispensing.Entries) != 1 || !v.Dispensing.Entries[0].Mine || v.Dispensing.Renewal != 1 {
			t.Errorf("sent twice with one key: %+v", v)
		}
		again := c.With("nina").Post(public+"/dispensings", body, testkit.Match("0")).Want(409)
		if !bytes.Contains(again.Body, []byte("délivrée le")) || !bytes.Contains(again.Body, []byte("Pharmacie du Marché")) {
			t.Errorf("the second pharmacist reads %s", again.Body)
		}
		looked := c.Get(public).Want(200)
		if !bytes.Contains(looked.Body, []byte(`"state":"dispensed"`)) || bytes.Contains(looked.Body, []byte("Marché")) || bytes.Contains(looked.Body, []byte("entries")) {
			t.Errorf("anybody reads %s", looked.Body)
		}
		c.With("nina").Post(public, map[string]any{"code": secret}).Want(200).JSON(&v)
		id := v.Dispensing.Entries[0].ID
		if v.Dispensing.Entries[0].Mine || v.Dispensing.Entries[0].Pharmacy != "Pharmacie du Marché" {
			t.Errorf("%+v", v.Dispensing.Entries)
		}
		c.With("nina").Post(public+"/dispensings/"+id+"/withdraw", map[string]any{"code": secret, "reason": "x"}).Problem(404, "not-found")
		c.With("paul").Post(public+"/dispensings/"+id+"/withdraw", map[string]any{"code": secret, "reason": "erreur de saisie"}).Want(200).JSON(&v)
		if v.Dispensing.State != "none" || v.Dispensing.Entries[0].State != "withdrawn" {
			t.Errorf("%+v", v)
		}
		if s := h.Logged.String(); strings.Contains(s, secret) || strings.Contains(s, "PARACETAMOL") {
			t.Error("the log holds what was dispensed")
		}
	})
}

// TestStructuredSheets: the sentence on the sheet and the structure in the document come from one dosage; a
// device has its own section, the weight of a child is on both.
func TestStructuredSheets(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(t, h)
		w.act.Patient.BirthDate = "2020-03-28"
		lines := []prescriptions.Line{{CIS: "63107752", DurationDays: 5, Quantity: 2, WorkAccident: true, WorkAccidentDate: "2026-03-02", Pharmacist: "forme sécable",
			Dosage: &prescriptions.Dosage{DoseQuantity: prescriptions.Dose{Value: 0.5, Code: "{tablet}"}, Timing: prescriptions.Timing{Frequency: 1, Period: 6, PeriodUnit: "h"}, AsNeededBoolean: true, MaxDosePerDay: 2}}}
		p := draft(t, svc, prescriptions.Medicines, lines)
		_, err := svc.Sign(doctor(), p.ID, p.Edit)
		if fields(err) != "weightKg weight-needed" {
			t.Fatalf("%v", err)
		}
		if p, err = svc.Write(doctor(), p.ID, lines, prescriptions.Measures{WeightKg: 18.5, HeightCm: 110}, p.Edit); err != nil {
			t.Fatal(err)
		}
		if _, err = svc.Sign(doctor(), p.ID, p.Edit); err != nil {
			t.Fatal(err)
		}
		text := pdfText(t, w.filed[0].PDF)
		for _, want := range []string{"½ comprimé toutes les 6 heures si besoin, sans dépasser 2 comprimés par jour, pendant 5 jours", "18,5 kg", "110 cm", "forme sécable. Accident du travail du 02/03/2026"} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not on the sheet: %s", want, text)
			}
		}
		for _, want := range []string{`<period value="6" unit="h">`, `<low value="0.5" unit="{tablet}">`, `<numerator value="2" unit="{tablet}">`, "<precondition>", `value="18.5" unit="kg"`} {
			if !bytes.Contains(w.filed[0].CDA, []byte(want)) {
				t.Errorf("%s is not in the document", want)
			}
		}
		bed := signed(t, svc, prescriptions.Device, []prescriptions.Line{{Text: "Lit médical, location " + canary, LPP: "1215702", Quantity: 1, DurationDays: 60, ALD: true}})
		f := w.filed[1]
		if text := pdfText(t, f.PDF); !strings.Contains(text, "Code LPP 1215702") || !strings.Contains(text, canary) || !strings.Contains(text, "Pendant 60 jours") {
			t.Errorf("the sheet of a device: %s", text)
		}
		if f.TypeCode != "57833-6" || !bytes.Contains(f.CDA, []byte("1.2.250.1.213.1.1.2.222")) || !bytes.Contains(f.CDA, []byte(`code="1215702"`)) || len(cda.CheckDocument(f.CDA)) > 0 {
			t.Errorf("the document of a device: %v", cda.CheckDocument(f.CDA))
		}
		if _, err := svc.Dispense(atMarket(), bed.PublicID, code(t, f.PDF), 0, 0, []prescriptions.Given{{Extent: prescriptions.Fully}}); err != nil {
			t.Errorf("a pharmacy dispenses devices: %v", err)
		}
	})
}
