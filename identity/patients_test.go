package identity_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"visavis/identity"
	"visavis/identity/traits"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/testkit"
)

func TestDemoClinicHasTheSixAwkwardPatients(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		again, err := seed(context.Background(), c.svc)
		if err != nil || again != c.everybody {
			t.Fatalf("seeding again made %+v (%v)", again, err)
		}
		if n := c.audited(t, "staff.put", "done") + c.audited(t, "organization.put", "done"); n != 7 {
			t.Errorf("%d changes of the directory are audited, want 7", n)
		}
		get := func(id care.PatientID) identity.Patient {
			p, err := c.svc.Patient(context.Background(), id)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		if p := get(c.Dominique); p.INS.Matricule != "279035121518989" || p.Status != care.Qualified || p.Traits.BirthGivenNames != "Dominique Marie-Louise" {
			t.Errorf("%+v", p)
		}
		if p := get(c.JeanNoel); p.DisplayName() != "Jean-Noël N'GUESSAN-LEFÈVRE" {
			t.Errorf("%q", p.DisplayName())
		}
		if p := get(c.Fatou); p.Traits.BirthPlaceCode != "99341" {
			t.Errorf("%+v", p.Traits)
		}
		if p := get(c.Lea); len(p.Representatives) != 2 || !p.Minor(traits.Date(c.Clock.Now().Format("2006-01-02"))) {
			t.Errorf("%+v", p)
		}
		if p := get(c.Marcel); p.Email != "" || p.Phone != "+33639980005" || p.Referring == nil || p.Referring.DisplayName() != "Dr Anne LAURENT" {
			t.Errorf("%+v", p)
		}
		p := get(c.Zoe)
		if _, leaves := p.QualifiedINS(); leaves || p.Phone != "" || p.Status != care.Retrieved {
			t.Errorf("%+v", p)
		}
		if ins, leaves := get(c.Marcel).QualifiedINS(); !leaves || ins.OID != traits.OIDTest {
			t.Errorf("%v %v", ins, leaves)
		}
	})
}

// Nothing that names a patient is readable in the database.
func TestPatientsAreSealed(t *testing.T) {
	h := testkit.NewHouse(t, testkit.OpenPostgres(t))
	c := newClinic(t, h)
	for _, table := range []string{"patients", "patient_index", "patient_claims", "audit", "events", "links", "sessions", "codes", "river_job"} {
		var rows []string
		c.sql(t, "SELECT t::text || encode(convert_to(t::text,'UTF8'),'escape') FROM "+table+" t", &rows)
		for _, r := range rows {
			for _, word := range []string{"PAT-TROIS", "Dominique", "279035121518989", "39980001", "patients.example", "1979-03-28"} {
				if strings.Contains(r, word) {
					t.Errorf("%s holds %q in clear", table, word)
				}
			}
		}
	}
	if strings.Contains(c.Logged.String(), "PAT-TROIS") {
		t.Error("the log names a patient")
	}
}

func TestBookingFindsOrMakesThePatient(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		b := func(family, given, birth, phone, email string) identity.Booking {
			return identity.Booking{OrganizationID: c.Lilas, FamilyName: family, GivenName: given, BirthDate: birth, Phone: phone, Email: email, Language: care.French}
		}
		for name, booking := range map[string]identity.Booking{
			"exactly":         b("PAT-TROIS", "Dominique", "1979-03-28", "0639980001", ""),
			"by e-mail":       b("pat trois", "dominique", "1979-03-28", "", "Dominique.Pat-Trois@PATIENTS.example"),
			"all given names": b("Pat-Trois", "Dominique Marie Louise", "1979-03-28", "+33 6 39 98 00 01", ""),
		} {
			if id, err := c.svc.FindOrCreatePatient(context.Background(), booking); err != nil || id != c.Dominique {
				t.Errorf("%s: %s %v, want %s", name, id, err, c.Dominique)
			}
		}
		if id, err := c.svc.FindOrCreatePatient(context.Background(), b("N’Guessan Lefevre", "Jean Noel", "1985-07-14", "0639980002", "")); err != nil || id != c.JeanNoel {
			t.Errorf("accents and apostrophe: %s %v", id, err)
		}
		fresh := b("PAT-TROIS", "Dominique", "1979-03-28", "0639980088", "")
		id, err := c.svc.FindOrCreatePatient(context.Background(), fresh)
		if err != nil || slices.Contains(c.Patients(), id) {
			t.Fatalf("another contact gave %s %v", id, err)
		}
		if again, _ := c.svc.FindOrCreatePatient(context.Background(), fresh); again != id {
			t.Errorf("the same booking again made another patient")
		}
		p, err := c.svc.Patient(context.Background(), id)
		if err != nil || p.Status != care.Provisional || p.Phone != "+33639980088" || p.INS.Matricule != "" {
			t.Errorf("%+v %v", p, err)
		}
		found, err := c.svc.Contact(context.Background(), c.Dominique)
		if err != nil || found.Phone != "+33639980001" || !found.Mobile {
			t.Errorf("a booking changed the contacts on file: %+v", found)
		}
		for _, doubtful := range []identity.Booking{
			b("PAT-TROIS", "Dominique", "1979-03-28", "0639980099", "dominique.pat-trois@patients.example"),
			b("DÛ-MAZEROLLES", "Zoé", "2001-12-31", "0639980098", "zoe@patients.example"),
		} {
			other, err := c.svc.FindOrCreatePatient(context.Background(), doubtful)
			if err != nil || slices.Contains(c.Patients(), other) {
				t.Errorf("a contact that is not on file gave %s %v", other, err)
			}
			if again, _ := c.svc.FindOrCreatePatient(context.Background(), doubtful); again != other {
				t.Error("the same doubtful booking made a third patient")
			}
		}
		if still, _ := c.svc.FindOrCreatePatient(context.Background(), b("PAT-TROIS", "Dominique", "1979-03-28", "0639980001", "dominique.pat-trois@patients.example")); still != c.Dominique {
			t.Error("the patient on file is found no more")
		}
		fresh.OrganizationID = c.Pharmacy
		if other, err := c.svc.FindOrCreatePatient(context.Background(), fresh); err != nil || other == id {
			t.Errorf("a patient of another organisation was given: %v", err)
		}
	})
}

func TestBookingNamesEachWrongField(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		_, err := c.svc.FindOrCreatePatient(context.Background(), identity.Booking{OrganizationID: c.Lilas, FamilyName: "R2D2", BirthDate: "2999-01-01"})
		var f *fault.Error
		if !errors.As(err, &f) {
			t.Fatal(err)
		}
		var got []string
		for _, x := range f.Fields {
			got = append(got, x.Name+" "+x.Code)
		}
		slices.Sort(got)
		want := []string{"patient.birthDate in-future", "patient.familyName name-characters", "patient.givenName required", "patient.phone phone-or-email-needed"}
		if !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
		_, err = c.svc.FindOrCreatePatient(context.Background(), identity.Booking{OrganizationID: c.Lilas, FamilyName: "Durand", GivenName: "Paul", BirthDate: "1990-01-01", Phone: "06 39", Email: "paul@"})
		if errors.As(err, &f); len(f.Fields) != 2 || f.Fields[0].Name != "patient.phone" || f.Fields[0].Code != "phone-too-short" || f.Fields[1].Code != "email-domain" {
			t.Errorf("%v", err)
		}
	})
}

// Forty bookings of the same new person at once make one patient, whichever
// contact each of them gave.
func TestConcurrentBookingsMakeOnePatient(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		ids := make([]care.PatientID, 40)
		var wg sync.WaitGroup
		for i := range ids {
			wg.Go(func() {
				b := identity.Booking{OrganizationID: c.Lilas, FamilyName: "Durand", GivenName: "Paul", BirthDate: "1990-01-01", Phone: "0639980055", Email: "paul@patients.example"}
				if err := c.inTx(func(ctx context.Context) (err error) { ids[i], err = c.svc.FindOrCreatePatient(ctx, b); return err }); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		doubtful := make([]care.PatientID, 20)
		for i := range doubtful {
			wg.Go(func() {
				b := identity.Booking{OrganizationID: c.Lilas, FamilyName: "Durand", GivenName: "Paul", BirthDate: "1990-01-01", Phone: "0639980056", Email: "paul@patients.example"}
				if err := c.inTx(func(ctx context.Context) (err error) {
					doubtful[i], err = c.svc.FindOrCreatePatient(ctx, b)
					return err
				}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, id := range doubtful {
			if id != doubtful[0] || id == ids[0] {
				t.Fatalf("with another phone: %v", doubtful)
			}
		}
		for _, id := range ids {
			if id != ids[0] || id == "" {
				t.Fatalf("several patients: %v", ids)
			}
		}
		if _, err := c.svc.Patient(context.Background(), ids[0]); err != nil {
			t.Errorf("the patient does not exist: %v", err)
		}
	})
}

func TestSearchByNameAndBirthDate(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		secretary := c.staff(c.Leroy, care.Secretary)
		for q, want := range map[string][]care.PatientID{
			"pat":                 {c.Dominique},
			"Pat-Trois dominique": {c.Dominique},
			"28/03/1979":          {c.Dominique},
			"1979-03-28 PAT":      {c.Dominique},
			"n’guessan":           {c.JeanNoel},
			"NGUESSANLEFEVRE":     {c.JeanNoel},
			"nguessanlefevrex":    nil,
			"jean-noel":           {c.JeanNoel},
			"du maz":              nil, // words are beginnings of whole names
			"dumaz":               {c.Zoe},
			"o'br":                {c.Marcel},
			"pat 1980-01-01":      nil,
			"diallo' OR '1'='1":   nil,
			"%%":                  nil,
		} {
			found, err := c.svc.SearchPatients(secretary, q)
			var ids []care.PatientID
			for _, p := range found {
				ids = append(ids, p.ID)
			}
			if q == "%%" {
				if fault.KindOf(err) != fault.Invalid {
					t.Errorf("%q: %v", q, err)
				}
				continue
			}
			if err != nil || !slices.Equal(ids, want) {
				t.Errorf("%q found %v (%v), want %v", q, ids, err, want)
			}
		}
		for _, q := range []string{"", "p", "é", "31/02/1990"} {
			if _, err := c.svc.SearchPatients(secretary, q); fault.KindOf(err) != fault.Invalid {
				t.Errorf("%q: %v", q, err)
			}
		}
		if found, err := c.svc.SearchPatients(testkit.As(authz.Actor{Role: care.Secretary, StaffID: "x", OrganizationID: c.Pharmacy, Level: authz.LevelPSC}), "pat"); err != nil || len(found) != 0 {
			t.Errorf("another organisation found %v (%v)", found, err)
		}
		if c.audited(t, "patient.search", "done") < 8 {
			t.Error("searches are not audited")
		}
	})
}

func TestWhoMayReadAPatient(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		c.agent.team[string(c.Martin)+string(c.Fatou)] = true
		c.agent.team[string(c.Benali)+string(c.Fatou)] = true
		patient := func(id care.PatientID, l authz.Level) context.Context {
			return testkit.As(authz.Actor{Role: care.Patient, PatientID: id, SessionID: "s", Level: l})
		}
		foreign := testkit.As(authz.Actor{Role: care.Secretary, StaffID: "f", OrganizationID: c.Pharmacy, Level: authz.LevelPSC})
		for name, x := range map[string]struct {
			ctx  context.Context
			want fault.Kind
		}{
			"her doctor":           {c.staff(c.Martin, care.Doctor), 0},
			"her nurse":            {c.staff(c.Benali, care.Nurse), 0},
			"the secretary":        {c.staff(c.Leroy, care.Secretary), 0},
			"herself with a code":  {patient(c.Fatou, authz.LevelCode), 0},
			"herself with a link":  {patient(c.Fatou, authz.LevelLink), fault.Forbidden},
			"another patient":      {patient(c.Zoe, authz.LevelCode), fault.NotFound},
			"another doctor":       {c.staff(c.Dupre, care.Doctor), fault.NotFound},
			"a pharmacist":         {c.staff(c.Nguyen, care.Pharmacist), fault.NotFound},
			"another organisation": {foreign, fault.NotFound},
			"nobody":               {testkit.As(authz.Actor{}), fault.Unauthenticated},
		} {
			p, err := c.svc.ReadPatient(x.ctx, c.Fatou)
			if x.want == 0 && (err != nil || p.Traits.BirthFamilyName != "DIALLO") || x.want != 0 && fault.KindOf(err) != x.want {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n := c.audited(t, "patient.read", "done"); n != 4 {
			t.Errorf("%d reads audited, want 4", n)
		}
		_, absent := c.svc.ReadPatient(c.staff(c.Dupre, care.Doctor), care.PatientID(care.NewID(c.Clock.Now())))
		_, hidden := c.svc.ReadPatient(c.staff(c.Dupre, care.Doctor), c.Fatou)
		_, shapeless := c.svc.ReadPatient(c.staff(c.Dupre, care.Doctor), "../etc")
		if absent.Error() != hidden.Error() || hidden.Error() != shapeless.Error() {
			t.Errorf("%v, %v and %v differ", absent, hidden, shapeless)
		}
	})
}

func TestIdentityDocumentMovesTheStatus(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		secretary := c.staff(c.Leroy, care.Secretary)
		if p, err := c.svc.CheckIdentity(secretary, c.Zoe, care.Qualified, "passport"); err != nil || p.Status != care.Qualified {
			t.Errorf("RECUP and a passport: %v", err)
		}
		if p, _ := c.svc.Patient(context.Background(), c.Zoe); p.Status != care.Qualified {
			t.Errorf("status kept is %s", p.Status)
		}
		id, err := c.svc.AddPatient(context.Background(), identity.Patient{OrganizationID: c.Lilas, Record: identity.Record{Traits: traitsOf("DURAND", "Paul", "1990-01-01"), Phone: "0639980066"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range []struct {
			want     care.IdentityStatus
			document string
			field    string
		}{{care.Qualified, "passport", "status"}, {care.Provisional, "passport", "status"}, {care.Validated, "library-card", "document"}, {care.Validated, "family-book", "document"}} {
			_, err := c.svc.CheckIdentity(secretary, id, x.want, x.document)
			var f *fault.Error
			if !errors.As(err, &f) || len(f.Fields) != 1 || f.Fields[0].Name != x.field {
				t.Errorf("%v: %v", x, err)
			}
		}
		if p, err := c.svc.CheckIdentity(secretary, id, care.Validated, "id-card"); err != nil || p.Status != care.Validated {
			t.Errorf("PROV and a card: %v", err)
		}
		if _, err := c.svc.CheckIdentity(c.staff(c.Benali, care.Nurse), id, care.Validated, "id-card"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("a nurse checked an identity: %v", err)
		}
		if c.audited(t, "patient.qualify", "done") != 2 {
			t.Error("checks are not audited")
		}
	})
}

func TestPatientsThatCannotBe(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		for field, p := range map[string]identity.Patient{
			"ins":    {Status: care.Qualified, Record: identity.Record{Traits: traitsOf("A", "B", "1990-01-01")}},
			"sex":    {Record: identity.Record{Traits: traitsOf("A", "B", "1990-01-01"), INS: traits.INS{Matricule: "279035121518989", OID: traits.OIDTest}}},
			"status": {Status: "SURE", Record: identity.Record{Traits: traitsOf("A", "B", "1990-01-01")}},
			"phone":  {Record: identity.Record{Traits: traitsOf("A", "B", "1990-01-01"), Phone: "1"}},
		} {
			p.OrganizationID = c.Lilas
			_, err := c.svc.AddPatient(context.Background(), p)
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != fault.Invalid || !slices.ContainsFunc(f.Fields, func(x fault.Field) bool { return x.Name == field }) {
				t.Errorf("%s: %v", field, err)
			}
		}
	})
}

func TestTheDirectory(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		ctx := context.Background()
		for _, x := range []struct {
			specialties []string
			text        string
			want        []care.StaffID
		}{{nil, "", []care.StaffID{c.Dupre, c.Martin}}, {[]string{"SM53", "SM54"}, "", []care.StaffID{c.Martin}}, {nil, "dupre", []care.StaffID{c.Dupre}},
			{nil, "DUPRÉ-LA", []care.StaffID{c.Dupre}}, {nil, "lacroix", []care.StaffID{c.Dupre}}, {nil, "martin claire", []care.StaffID{c.Martin}},
			{nil, "Claire Dupré", nil}, {[]string{"SM54"}, "dupre", nil}, {nil, "benali", nil}, {nil, "%", []care.StaffID{c.Dupre, c.Martin}}, {[]string{"SM99"}, "", nil}} {
			list, err := c.svc.Doctors(ctx, x.specialties, x.text)
			var ids []care.StaffID
			for _, p := range list {
				ids = append(ids, p.ID)
			}
			if err != nil || !slices.Equal(ids, x.want) {
				t.Errorf("%+v: %v %v", x, ids, err)
			}
		}
		names, err := c.svc.PatientNames(ctx, []care.PatientID{c.Zoe, c.Lea, "nobody"})
		if err != nil || len(names) != 2 || names[c.Zoe] != "Zoé DÛ-MAZEROLLES" {
			t.Errorf("%v %v", names, err)
		}
		if codes, err := c.svc.Specialties(ctx); err != nil || !slices.Equal(codes, []string{"SM15", "SM54"}) {
			t.Errorf("%v %v", codes, err)
		}
		martin, err := c.svc.Staff(ctx, c.Martin)
		if err != nil || martin.RPPS() != "10100000016" || martin.AuthorCode() != "G15_10/SM54" || martin.Organization.Name != "Maison de santé des Lilas" || martin.Title != "Dr" {
			t.Errorf("%+v %v", martin, err)
		}
		if list, err := c.svc.StaffOf(ctx, c.Lilas, care.Nurse); err != nil || len(list) != 1 || list[0].AuthorCode() != "G15_60" {
			t.Errorf("%v %v", list, err)
		}
		if ok, err := c.svc.WorksAt(ctx, c.Nguyen, c.Lilas); ok || err != nil {
			t.Errorf("the pharmacist works at the Lilas: %v", err)
		}
		if ok, err := c.svc.WorksAt(ctx, "nobody", c.Lilas); ok || err != nil {
			t.Errorf("nobody works at the Lilas: %v", err)
		}
		if ok, err := c.svc.IsPatientOf(ctx, c.Lea, c.Lilas); !ok || err != nil {
			t.Errorf("Léa: %v", err)
		}
		if minor, err := c.svc.Minor(ctx, c.Lea); !minor || err != nil {
			t.Errorf("Léa is no minor: %v", err)
		}
		martin.Bio = "Reçoit le soir."
		if id, err := c.svc.PutStaff(ctx, martin); err != nil || id != c.Martin {
			t.Errorf("changed: %s %v", id, err)
		}
		house := lilas()
		house.Phone = "0199005678"
		if id, err := c.svc.PutOrganization(ctx, house); err != nil || id != c.Lilas {
			t.Errorf("changed: %s %v", id, err)
		}
		if p, err := c.svc.Staff(ctx, c.Martin); err != nil || p.Bio != martin.Bio || p.Organization.Phone != "+33199005678" {
			t.Errorf("%+v %v", p, err)
		}
		for _, p := range []identity.Staff{
			{Role: care.Doctor, IdNat: "810100000032", GivenName: "A", FamilyName: "B", Profession: "60"},
			{Role: care.Doctor, IdNat: "810100000098", GivenName: "A", FamilyName: "B", Profession: "10"},
			{Role: care.Doctor, IdNat: "810100000016", GivenName: "", FamilyName: "B", Profession: "10"},
		} {
			p.Organization.ID = c.Lilas
			if _, err := c.svc.PutStaff(ctx, p); fault.KindOf(err) != fault.Invalid {
				t.Errorf("%+v: %v", p, err)
			}
		}
		if _, err := c.svc.PutOrganization(ctx, identity.Organization{FINESS: "930812345", Name: "x"}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a FINESS with a wrong key: %v", err)
		}
	})
}
