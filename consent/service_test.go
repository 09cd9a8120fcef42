package consent

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/sheet"
	"visavis/internal/store"
	"visavis/internal/testkit"

	"github.com/go-jose/go-jose/v4"
	"pgregory.net/rapid"
)

const (
	anAct    = care.AppointmentID("0190aaaa-0000-7000-8000-000000000001")
	otherAct = care.AppointmentID("0190aaaa-0000-7000-8000-000000000002")
	minorAct = care.AppointmentID("0190aaaa-0000-7000-8000-000000000003")
	zoe      = care.PatientID("0190bbbb-0000-7000-8000-000000000001")
	child    = care.PatientID("0190bbbb-0000-7000-8000-000000000002")
	martin   = care.StaffID("0190cccc-0000-7000-8000-000000000001")
	dupre    = care.StaffID("0190cccc-0000-7000-8000-000000000002")
	benali   = care.StaffID("0190cccc-0000-7000-8000-000000000003")
	leroy    = care.StaffID("0190cccc-0000-7000-8000-000000000004")
	lilas    = care.OrganizationID("0190dddd-0000-7000-8000-000000000001")
)

// world answers the module's questions.
type world struct {
	mu   sync.Mutex
	acts map[care.AppointmentID]Act
	on   OnFile // who received the code of a session
}

func (w *world) Representative(context.Context, authz.Actor) (OnFile, error) { return w.on, nil }

func (w *world) Act(_ context.Context, id care.AppointmentID) (Act, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a, ok := w.acts[id]
	if !ok {
		return Act{}, fault.Missing()
	}
	return a, nil
}

func (w *world) Patient(_ context.Context, id care.PatientID, _ time.Time) (Patient, error) {
	if id == child {
		return Patient{"Léa Moreau", true}, nil
	}
	return Patient{"Zoé Dû-Mazerolles", false}, nil
}

func (w *world) Professionals(_ context.Context, practitioner, actor care.StaffID) (Professionals, error) {
	names := map[care.StaffID]string{martin: "Dr Claire MARTIN", benali: "Nadia BENALI", dupre: "Dr Paul DUPRÉ", "": ""}
	return Professionals{names[practitioner], "10001234561", "Maison médicale des Lilas", names[actor]}, nil
}

func (w *world) InCareTeam(_ context.Context, id care.AppointmentID, staff care.StaffID) (bool, error) {
	return id == anAct && staff == benali, nil
}

func patient(id care.PatientID, act care.AppointmentID) authz.Actor {
	return authz.Actor{Role: care.Patient, PatientID: id, AppointmentID: act, SessionID: "s", Level: authz.LevelLink, Proof: "link"}
}

func staff(role care.Role, id care.StaffID) authz.Actor {
	return authz.Actor{Role: role, StaffID: id, OrganizationID: lilas, SessionID: "s", Level: authz.LevelPSC, Proof: "psc acr=eidas1"}
}

func newService(t testing.TB, h *testkit.House) (*Service, *world) {
	t.Helper()
	act := Act{Kind: care.Teleconsultation, PatientID: zoe, PractitionerID: martin, OrganizationID: lilas, Start: testkit.Morning().Add(time.Hour), Open: true}
	closed, young := act, act
	closed.Open, young.PatientID = false, child
	w := &world{acts: map[care.AppointmentID]Act{anAct: act, otherAct: closed, minorAct: young}, on: OnFile{"Rose Moreau", Mother, 2}}
	press, err := sheet.NewPress()
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Deps{
		DB: h.DB, Bus: h.Bus, Audit: h.Audit, Keeper: h.Keeper, Signer: h.Signer, Table: h.Table, Clock: h.Clock, Acts: w, People: w, Team: w, Agents: w,
		Log: h.Log, Ledger: h.Sequencer, Press: press, Zone: time.FixedZone("Paris", 3600), Address: "https://visavis.test", Build: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, w
}

func (s *Service) decision(state care.ConsentState, channel Channel) Decision {
	text, _ := s.Text(care.Teleconsultation, care.French)
	return Decision{AppointmentID: anAct, State: state, TextID: text.ID, SHA256: text.SHA256, Channel: channel, Screen: Screen{Language: care.French, UserAgent: "Mozilla/5.0 \u2028é", Page: "consent", Control: "agree", Seconds: 42}}
}

func wantKind(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != kind || f.Code != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

func TestAgreeThenWithdraw(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		var told []care.ConsentState
		h.Bus.On(events.ConsentRecorded, "test.consent", func(_ context.Context, _ *store.Tx, e events.Event) error {
			var c events.Consent
			told = append(told, c.State)
			return e.Decode(&c)
		})
		me := testkit.As(patient(zoe, anAct))
		if ok, err := s.MediaAllowed(me, anAct); err != nil || ok {
			t.Fatalf("media before consent: %v %v", ok, err)
		}
		first, err := s.Decide(me, s.decision(care.ConsentGranted, Web))
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := s.MediaAllowed(me, anAct); err != nil || !ok {
			t.Fatalf("no media after consent: %v %v", ok, err)
		}
		again, err := s.Decide(me, s.decision(care.ConsentGranted, Web))
		if err != nil || again != first {
			t.Errorf("the same decision made another record: %v %v", again, err)
		}
		granted := h.Clock.Now()
		h.Clock.Advance(time.Minute)
		last, err := s.Withdraw(me, anAct, Screen{})
		if err != nil || last.Seq != 2 || last.State != care.ConsentWithdrawn || last.TextID != first.TextID {
			t.Fatalf("withdrawn: %+v %v", last, err)
		}
		if ok, _ := s.MediaAllowed(me, anAct); ok {
			t.Error("media after withdrawal")
		}
		if was, err := s.StateAt(me, anAct, granted); err != nil || was != care.ConsentGranted {
			t.Errorf("a minute ago it was %s, %v", was, err)
		}
		if states, err := s.States(me, []care.AppointmentID{anAct, otherAct}); err != nil || len(states) != 1 || states[anAct] != care.ConsentWithdrawn {
			t.Errorf("states %v, %v", states, err)
		}
		if n, err := s.VerifyAll(me); n != 2 || err != nil {
			t.Errorf("%d verified, %v", n, err)
		}
		h.Deliver(t)
		if len(told) != 2 {
			t.Errorf("%d facts, want 2", len(told))
		}
	})
}

func TestProofsVerifyOffline(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		d := s.decision(care.ConsentGranted, Representative)
		d.AppointmentID = minorAct
		me := testkit.As(patient(child, minorAct))
		if _, err := s.Decide(me, d); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Withdraw(me, minorAct, Screen{}); err != nil {
			t.Fatal(err)
		}
		proofs, err := s.Proofs(me, minorAct)
		if err != nil || len(proofs) != 2 {
			t.Fatal(len(proofs), err)
		}
		// From here on, only the public key and a JOSE library we did not write.
		key := h.Signer.Private().Public().(ed25519.PublicKey)
		previous := ""
		for i, p := range proofs {
			parsed, err := jose.ParseDetached(p.JWS, p.Bundle, []jose.SignatureAlgorithm{jose.EdDSA})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := parsed.Verify(key); err != nil {
				t.Fatal(err)
			}
			b, err := Verify(p.Bundle, p.JWS, key)
			if err != nil || b.Sequence != i+1 || b.Previous != previous {
				t.Fatalf("%+v %v", b, err)
			}
			previous = hash(p.Bundle)
		}
		b, _ := Verify(proofs[0].Bundle, proofs[0].JWS, key)
		if b.Agent == nil || *b.Agent != (BundleAgent{"Rose Moreau", Mother, "on-file", ""}) || !b.Patient.Minor || b.Patient.Name != "Léa Moreau" || b.Actor.Proof != "link" || b.Text.SHA256 != d.SHA256 {
			t.Errorf("the bundle lacks something: %s", proofs[0].Bundle)
		}
		if b.Screen.UserAgent != "Mozilla/5.0 " {
			t.Errorf("user agent %q", b.Screen.UserAgent)
		}
		for i := range proofs[0].Bundle {
			forged := bytes.Clone(proofs[0].Bundle)
			forged[i] ^= 1
			if _, err := Verify(forged, proofs[0].JWS, key); !errors.Is(err, ErrNotGenuine) {
				t.Fatalf("byte %d changed and nobody saw", i)
			}
		}
		for _, jws := range []string{"", "a.b.c", "..", strings.Replace(proofs[0].JWS, "..", ".x.", 1), proofs[1].JWS} {
			if _, err := Verify(proofs[0].Bundle, jws, key); !errors.Is(err, ErrNotGenuine) {
				t.Errorf("JWS %q accepted", jws)
			}
		}
	})
}

func TestRefusals(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		me := testkit.As(patient(zoe, anAct))
		_, err := s.Withdraw(me, anAct, Screen{})
		wantKind(t, err, fault.Conflict, "nothing-to-withdraw")

		outdated := s.library
		s.library = &Library{append(outdated.texts, Text{ID: "teleconsultation.v3.fr", Purpose: care.Teleconsultation, Version: 3, Language: care.French, SHA256: "ff"})}
		old := Decision{AppointmentID: anAct, State: "maybe", TextID: "teleconsultation.v2.fr", Channel: Representative}
		_, err = s.Decide(me, old)
		if got := fmt.Sprint(err); got != "fields representative.relation:relation-not-entitled decision:not-a-choice textId:text-outdated" {
			t.Error(got)
		}
		s.library = outdated
		d := s.decision(care.ConsentGranted, Web)
		d.SHA256 = "00"
		_, err = s.Decide(me, d)
		if got := fmt.Sprint(err); got != "fields sha256:text-differs" {
			t.Error(got)
		}
		d.TextID = "teleconsultation.v9.fr"
		_, err = s.Decide(me, d)
		if got := fmt.Sprint(err); got != "fields textId:not-a-choice" {
			t.Error(got)
		}
		d = s.decision(care.ConsentGranted, Web)
		d.AppointmentID = otherAct
		_, err = s.Decide(testkit.As(patient(zoe, otherAct)), d)
		wantKind(t, err, fault.Conflict, "act-closed")
		if n, err := s.VerifyAll(me); n != 0 || err != nil {
			t.Errorf("%d records, %v", n, err)
		}
	})
}

func TestWhoMaySeeAndDecide(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		elsewhere := staff(care.Secretary, leroy)
		elsewhere.OrganizationID = "0190dddd-0000-7000-8000-000000000002"
		for name, c := range map[string]struct {
			actor               authz.Actor
			read, grant, attest fault.Kind // Internal means allowed
		}{
			"the patient":               {patient(zoe, anAct), 0, 0, fault.NotFound},
			"another patient":           {patient(child, minorAct), fault.NotFound, fault.NotFound, fault.NotFound},
			"the patient, another link": {patient(zoe, otherAct), fault.NotFound, fault.NotFound, fault.NotFound},
			"the doctor":                {staff(care.Doctor, martin), 0, fault.NotFound, 0},
			"another doctor":            {staff(care.Doctor, dupre), fault.NotFound, fault.NotFound, fault.NotFound},
			"the invited nurse":         {staff(care.Nurse, benali), 0, fault.NotFound, 0},
			"a nurse not invited":       {staff(care.Nurse, dupre), fault.NotFound, fault.NotFound, fault.NotFound},
			"the secretary":             {staff(care.Secretary, leroy), 0, fault.NotFound, fault.NotFound},
			"a secretary elsewhere":     {elsewhere, fault.NotFound, fault.NotFound, fault.NotFound},
			"nobody":                    {authz.Actor{}, fault.Unauthenticated, fault.Unauthenticated, fault.Unauthenticated},
		} {
			ctx := testkit.As(c.actor)
			_, read := s.Current(ctx, anAct)
			_, grant := s.Decide(ctx, s.decision(care.ConsentGranted, Web))
			_, attest := s.Decide(ctx, s.decision(care.ConsentGranted, Oral))
			for what, got := range map[string]struct {
				err  error
				want fault.Kind
			}{"read": {read, c.read}, "grant": {grant, c.grant}, "attest": {attest, c.attest}} {
				if (got.err == nil) != (got.want == 0) || got.err != nil && fault.KindOf(got.err) != got.want {
					t.Errorf("%s, %s: %v", name, what, got.err)
				}
			}
		}
	})
}

func TestTwoDecisionsAtOnce(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		var wg sync.WaitGroup
		errs := make([]error, 24)
		for i := range errs {
			wg.Go(func() {
				d := s.decision([]care.ConsentState{care.ConsentGranted, care.ConsentRefused}[i%2], Web)
				_, errs[i] = s.Decide(testkit.As(patient(zoe, anAct)), d)
			})
		}
		wg.Wait()
		for _, err := range errs {
			if err != nil {
				wantKind(t, err, fault.Conflict, "changed-meanwhile")
			}
		}
		if n, err := s.VerifyAll(context.Background()); n == 0 || err != nil {
			t.Errorf("%d records, %v", n, err)
		}
	})
}

func TestTamperingIsSeen(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		me := testkit.As(patient(zoe, anAct))
		for _, state := range []care.ConsentState{care.ConsentGranted, care.ConsentRefused, care.ConsentGranted} {
			if _, err := s.Decide(me, s.decision(state, Web)); err != nil {
				t.Fatal(err)
			}
		}
		pool, err := h.DB.SQL()
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range []string{"UPDATE consents SET state = 'granted'", "DELETE FROM consents"} {
			if _, err := pool.Exec(q); err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: %v", q, err)
			}
		}
		drop := "DROP TRIGGER consents_frozen ON consents; DROP TRIGGER consent_stamps_frozen ON consent_stamps"
		if h.DB.Dialect() == store.SQLite {
			drop = "DROP TRIGGER consents_no_update; DROP TRIGGER consents_no_delete; DROP TRIGGER consent_stamps_no_delete"
		}
		undo := "UPDATE consents SET state = 'refused' WHERE seq = 2"
		for _, q := range []string{drop, "UPDATE consents SET state = 'granted' WHERE seq = 2"} {
			if _, err := pool.Exec(q); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.VerifyAll(me); !errors.Is(err, ErrNotGenuine) {
			t.Errorf("a changed row: %v", err)
		}
		for _, q := range []string{undo, "DELETE FROM consent_stamps WHERE consent_id IN (SELECT id FROM consents WHERE seq = 2)", "DELETE FROM consents WHERE seq = 2"} {
			if _, err := pool.Exec(q); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.VerifyAll(me); !errors.Is(err, ErrNotGenuine) {
			t.Errorf("a removed row: %v", err)
		}
	})
}

func TestADestroyedFileKeepsItsChain(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		me := testkit.As(patient(zoe, anAct))
		if _, err := s.Decide(me, s.decision(care.ConsentGranted, Web)); err != nil {
			t.Fatal(err)
		}
		if err := h.DB.Tx(me, func(ctx context.Context, tx *store.Tx) error { return h.Keeper.Shred(ctx, tx, zoe) }); err != nil {
			t.Fatal(err)
		}
		if n, err := s.VerifyAll(me); n != 1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		_, err := s.Proofs(me, anAct)
		wantKind(t, err, fault.Gone, "record-destroyed")
	})
}

// TestAnyHistory: whatever people do, the state is that of a simple model and
// the chain verifies.
func TestAnyHistory(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, w := newService(t, h)
		run := 0
		rapid.Check(t, func(r *rapid.T) {
			run++
			id := care.AppointmentID(fmt.Sprintf("0190eeee-0000-7000-8000-%012d", run))
			w.mu.Lock()
			w.acts[id] = w.acts[anAct]
			w.mu.Unlock()
			me, doctor := testkit.As(patient(zoe, id)), testkit.As(staff(care.Doctor, martin))
			state := care.ConsentNone
			for _, op := range rapid.SliceOfN(rapid.SampledFrom([]string{"grant", "refuse", "withdraw", "attest", "doctor-withdraw"}), 1, 8).Draw(r, "ops") {
				d := s.decision(care.ConsentGranted, Web)
				d.AppointmentID = id
				var err error
				switch op {
				case "grant":
					_, err = s.Decide(me, d)
					state = care.ConsentGranted
				case "attest":
					d.Channel = Oral
					_, err = s.Decide(doctor, d)
					state = care.ConsentGranted
				case "refuse":
					d.State = care.ConsentRefused
					_, err = s.Decide(me, d)
					state = care.ConsentRefused
				default:
					by := me
					if op == "doctor-withdraw" {
						by = doctor
					}
					_, err = s.Withdraw(by, id, Screen{})
					if state == care.ConsentNone || state == care.ConsentRefused {
						if fault.KindOf(err) != fault.Conflict {
							r.Fatalf("withdrawing %s: %v", state, err)
						}
						continue
					}
					state = care.ConsentWithdrawn
				}
				if err != nil {
					r.Fatal(op, err)
				}
				if got, err := s.State(me, id); err != nil || got != state {
					r.Fatalf("after %s: %s, want %s (%v)", op, got, state, err)
				}
			}
		})
		if _, err := s.VerifyAll(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func TestCanonicalJSON(t *testing.T) {
	raw, err := canonical(struct {
		Z string         `json:"z"`
		A map[string]int `json:"a"`
	}{"<é&\"\n>", map[string]int{"y": 2, "x": 10}})
	if want := `{"a":{"x":10,"y":2},"z":"<é&\"\n>"}`; err != nil || string(raw) != want {
		t.Errorf("%s, want %s (%v)", raw, want, err)
	}
	if !json.Valid(raw) {
		t.Error("not JSON")
	}
	// RFC 8785 §3.2.2.2: no escape but the needed ones, whatever Go does.
	for in, want := range map[string]string{"\u2028\u2029": "\"\u2028\u2029\"", "a\xff": "\"a\ufffd\"", `\u2028`: `"\\u2028"`, "\x01\b\f\"\\": `"\u0001\b\f\"\\"`, "\x7f€😀": "\"\x7f€😀\""} {
		raw, err := canonical(map[string]string{"k": in})
		if err != nil || string(raw) != `{"k":`+want+`}` {
			t.Errorf("%q: %s, want %s (%v)", in, raw, want, err)
		}
	}
}

// TestEveryWayToAgreeHasItsFields: a record that lacks what its kind must prove
// is never written (B8).
func TestEveryWayToAgreeHasItsFields(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, w := newService(t, h)
		me, doctor := testkit.As(patient(zoe, anAct)), testkit.As(staff(care.Doctor, martin))
		s.Build = ""
		if _, err := s.Decide(me, s.decision(care.ConsentGranted, Web)); err == nil || !strings.Contains(err.Error(), "screen.build") {
			t.Errorf("without build: %v", err)
		}
		s.Build = "test"
		unnamed := staff(care.Nurse, leroy)
		w.mu.Lock()
		act := w.acts[anAct]
		act.PractitionerID = leroy
		w.acts[otherAct] = act
		w.mu.Unlock()
		d := s.decision(care.ConsentGranted, Oral)
		d.AppointmentID = otherAct
		unnamed.Role = care.Doctor
		if _, err := s.Decide(testkit.As(unnamed), d); err == nil || !strings.Contains(err.Error(), "proves too little") {
			t.Errorf("without a name: %v", err)
		}
		noProof := patient(zoe, anAct)
		noProof.Proof = ""
		if _, err := s.Decide(testkit.As(noProof), s.decision(care.ConsentGranted, Web)); err == nil || !strings.Contains(err.Error(), "actor") {
			t.Errorf("without proof of identity: %v", err)
		}
		if n, err := s.VerifyAll(me); n != 0 || err != nil {
			t.Errorf("%d records, %v", n, err)
		}
		r := s.mustDecide(t, doctor, s.decision(care.ConsentGranted, Oral))
		o, err := s.open(doctor, r.ID, "consent.read")
		if err != nil {
			t.Fatal(err)
		}
		b := o.bundle
		if b.Schema != schema3 || b.Actor.Name != "Dr Claire MARTIN" || b.Actor.Session != hash([]byte("s")) || b.PractitionerRPPS != "10001234561" ||
			b.OrganizationName != "Maison médicale des Lilas" || b.ActStart != "2026-03-10T09:00:00.000000Z" || b.Screen.Build != "test" ||
			b.Screen.Page != "consent" || b.Screen.Control != "agree" || b.Screen.Seconds != 42 || b.Agent != nil {
			t.Errorf("%s", o.raw)
		}
	})
}

func TestMissing(t *testing.T) {
	whole := Bundle{
		Schema: schema2, ID: "i", AppointmentID: "a", Sequence: 1, Decision: care.ConsentGranted, At: "t", ActStart: "t", Text: BundleText{"t", "p", 1, "fr", "h"},
		Patient: BundlePatient{"p", "Zoé", false}, Channel: Web, Actor: BundleActor{Role: care.Patient, ID: "p", Proof: "link", Session: "s"},
		Practitioner: "d", PractitionerName: "Dr", Organization: "o", OrganizationName: "O", Screen: Screen{Build: "1"},
	}
	agent := &BundleAgent{"Rose", Mother, "", ""}
	seen := &BundleAgent{"Rose", Mother, "attested", "passport"}
	urgent := &BundleEmergency{"unable", "Il ne répondait pas.", "CSP L1111-4"}
	for name, c := range map[string]struct {
		change func(*Bundle)
		want   string
	}{
		"whole":                       {func(*Bundle) {}, ""},
		"second, chained":             {func(b *Bundle) { b.Sequence, b.Previous = 2, "h" }, ""},
		"second, not chained":         {func(b *Bundle) { b.Sequence = 2 }, "previous"},
		"first, chained":              {func(b *Bundle) { b.Previous = "h" }, "previous"},
		"oral, nobody attests":        {func(b *Bundle) { b.Channel = Oral }, "actor.name"},
		"oral":                        {func(b *Bundle) { b.Channel, b.Actor.Name = Oral, "Dr" }, ""},
		"oral of a minor":             {func(b *Bundle) { b.Channel, b.Actor.Name, b.Agent = Oral, "Dr", agent }, ""},
		"representative":              {func(b *Bundle) { b.Channel, b.Agent = Representative, agent }, ""},
		"nobody represents":           {func(b *Bundle) { b.Channel = Representative }, "representative"},
		"a representative, no name":   {func(b *Bundle) { b.Channel, b.Agent = Representative, &BundleAgent{"", Mother, "", ""} }, "representative"},
		"a representative, no title":  {func(b *Bundle) { b.Channel, b.Agent = Representative, &BundleAgent{"Rose", "", "", ""} }, "representative"},
		"a third shape, who was seen": {func(b *Bundle) { b.Schema, b.Channel, b.Agent = schema3, Representative, seen }, ""},
		"a third shape, nobody knows": {func(b *Bundle) { b.Schema, b.Channel, b.Agent = schema3, Representative, agent }, "representative.proof"},
		"a third shape, no document": {func(b *Bundle) {
			b.Schema, b.Channel, b.Agent = schema3, Representative, &BundleAgent{"Rose", Mother, "attested", ""}
		}, "representative.proof"},
		"an emergency": {func(b *Bundle) {
			b.Schema, b.Channel, b.Emergency, b.Actor.Name, b.Text = schema3, Emergency, urgent, "Dr", BundleText{}
		}, ""},
		"an emergency, no reason": {func(b *Bundle) {
			b.Schema, b.Channel, b.Emergency, b.Actor.Name = schema3, Emergency, &BundleEmergency{"unable", "", "CSP"}, "Dr"
		}, "emergency"},
		"an emergency, nobody decided": {func(b *Bundle) { b.Schema, b.Channel, b.Emergency = schema3, Emergency, urgent }, "emergency"},
		"no emergency on that channel": {func(b *Bundle) { b.Schema, b.Channel = schema3, Emergency }, "emergency"},
		"no text":                      {func(b *Bundle) { b.Text.SHA256 = "" }, "text"},
		"no name":                      {func(b *Bundle) { b.Patient.Name = "" }, "patient"},
		"no identity proof":            {func(b *Bundle) { b.Actor.Proof = "" }, "actor"},
		"no session":                   {func(b *Bundle) { b.Actor.Session = "" }, "actor"},
		"no practitioner":              {func(b *Bundle) { b.PractitionerName = "" }, "practitionerName"},
		"no organisation":              {func(b *Bundle) { b.OrganizationName = "" }, "organizationName"},
		"no act":                       {func(b *Bundle) { b.ActStart = "" }, "actStart"},
		"no build":                     {func(b *Bundle) { b.Screen.Build = "" }, "screen.build"},
	} {
		b := whole
		c.change(&b)
		if got := b.missing(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
