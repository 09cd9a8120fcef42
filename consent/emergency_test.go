package consent

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"visavis/consent/entitlement"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/testkit"
)

const because = "Inconscient à l'arrivée, aucun proche joignable."

// TestDecideEmergency tells when a doctor may begin without an agreement, and
// that the record is never one (CSP L1111-4).
func TestDecideEmergency(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		for name, c := range map[string]struct {
			act       care.AppointmentID
			before    care.ConsentState
			situation string
			reason    string
			want      string // a code; "" when it is recorded
		}{
			"cannot speak":              {anAct, care.ConsentNone, "unable", because, ""},
			"agreed":                    {anAct, care.ConsentGranted, "unable", because, "emergency-agreed"},
			"refused":                   {anAct, care.ConsentRefused, "unable", because, "emergency-refused"},
			"took it back":              {anAct, care.ConsentWithdrawn, "unable", because, "emergency-refused"},
			"parents of an adult":       {anAct, care.ConsentNone, "unreachable", because, "fields situation:not-a-choice"},
			"no reason":                 {anAct, care.ConsentNone, "unable", "  urgent  ", "fields reason:reason-too-short"},
			"too much":                  {anAct, care.ConsentNone, "unable", strings.Repeat("é", 1001), "fields reason:too-long"},
			"no such situation":         {anAct, care.ConsentNone, "hurry", because, "fields situation:not-a-choice"},
			"parents not reached":       {minorAct, care.ConsentNone, "unreachable", because, ""},
			"a parent refused":          {minorAct, care.ConsentRefused, "minor-refused", because, ""},
			"no parent refused":         {minorAct, care.ConsentNone, "minor-refused", because, "emergency-nobody-refused"},
			"a minor who cannot speak":  {minorAct, care.ConsentNone, "unable", because, ""},
			"of a closed appointment":   {otherAct, care.ConsentNone, "unable", because, "act-closed"},
			"a parent refused, unable":  {minorAct, care.ConsentRefused, "unable", because, "emergency-refused"},
			"agreed, no parent reached": {minorAct, care.ConsentGranted, "unreachable", because, "emergency-agreed"},
		} {
			t.Run(name, func(t *testing.T) {
				s, w := newService(t, h)
				id := care.AppointmentID(care.NewID(h.Clock.Now()))
				w.acts[id] = w.acts[c.act]
				channel, who := Web, patient(zoe, id)
				if c.act == minorAct {
					channel, who = Representative, patient(child, id)
				}
				for _, state := range map[care.ConsentState][]care.ConsentState{
					care.ConsentGranted: {care.ConsentGranted}, care.ConsentRefused: {care.ConsentRefused}, care.ConsentWithdrawn: {care.ConsentGranted, care.ConsentWithdrawn},
				}[c.before] {
					d := s.decision(state, channel)
					d.AppointmentID = id
					if state == care.ConsentWithdrawn {
						if _, err := s.Withdraw(testkit.As(who), id, Screen{}); err != nil {
							t.Fatal(err)
						}
						continue
					}
					s.mustDecide(t, testkit.As(who), d)
				}
				doctor := testkit.As(staff(care.Doctor, martin))
				u := Urgent{AppointmentID: id, Situation: c.situation, Reason: c.reason, Screen: Screen{Language: care.French}}
				r, err := s.DecideEmergency(doctor, u)
				allowed, _ := s.MediaAllowed(doctor, id)
				if c.want != "" {
					if got := fmt.Sprint(err); !strings.Contains(got, c.want) || allowed != (c.before == care.ConsentGranted) {
						t.Errorf("%s, media %v; want %s", got, allowed, c.want)
					}
					return
				}
				if err != nil || !allowed || r.State != care.ConsentEmergency {
					t.Fatalf("%+v %v, media %v", r, err, allowed)
				}
				if again, err := s.DecideEmergency(doctor, u); err != nil || again.ID != r.ID {
					t.Errorf("again: %+v %v", again, err)
				}
				// Who can speak again decides.
				d := s.decision(care.ConsentRefused, channel)
				d.AppointmentID = id
				s.mustDecide(t, testkit.As(who), d)
				if allowed, err := s.MediaAllowed(doctor, id); err != nil || allowed {
					t.Errorf("media after a refusal: %v %v", allowed, err)
				}
			})
		}
	})
}

// TestDecideEmergency_WhoMay: a doctor of the act, nobody else.
func TestDecideEmergency_WhoMay(t *testing.T) {
	s, _ := newService(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	u := Urgent{AppointmentID: anAct, Situation: "unable", Reason: because}
	for name, c := range map[string]struct {
		role care.Role
		id   care.StaffID
	}{"another doctor": {care.Doctor, dupre}, "a nurse": {care.Nurse, benali}, "the secretary": {care.Secretary, leroy}} {
		if _, err := s.DecideEmergency(testkit.As(staff(c.role, c.id)), u); fault.KindOf(err) != fault.NotFound && fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.DecideEmergency(testkit.As(patient(zoe, anAct)), u); err == nil {
		t.Error("the patient declares an emergency")
	}
}

// TestEmergency_Papers: the receipt and the evidence say that nobody agreed.
func TestEmergency_Papers(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		doctor := testkit.As(staff(care.Doctor, martin))
		r, err := s.DecideEmergency(doctor, Urgent{AppointmentID: anAct, Situation: "unable", Reason: because, Screen: Screen{Language: care.French}})
		if err != nil {
			t.Fatal(err)
		}
		pdf, _, err := s.Receipt(testkit.As(patient(zoe, anAct)), r.ID, care.French)
		if err != nil {
			t.Fatal(err)
		}
		wantPrinted(t, pdf, "Décision prise en urgence", "Décision de commencer en urgence, sans accord", "Personne n'a donné d'accord. Décidé par Dr Claire MARTIN",
			"Le patient ne pouvait pas exprimer sa volonté", because, "CSP, article L1111-4")
		if text := printed(t, pdf); strings.Contains(text, "Accord donné") || strings.Contains(text, "Texte lu") || strings.Contains(text, "Reçu de consentement") || strings.Contains(text, "the person") {
			t.Errorf("it speaks of an agreement:\n%s", text)
		}
		raw, _, err := s.Prove(doctor, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		v, err := VerifyEvidence(raw, s.PublicKey(), nil)
		if err != nil || v.Bundle.Decision != care.ConsentEmergency || v.Bundle.Emergency.Reason != because {
			t.Fatalf("%+v %v", v.Bundle, err)
		}
		var e Evidence
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Fatal(err)
		}
		e.Text = "<p>J'accepte</p>" // a text that nobody read
		forged, _ := canonical(e)
		if _, err := VerifyEvidence(forged, s.PublicKey(), nil); err == nil {
			t.Error("a text is believed to have been read")
		}
		if n, err := s.VerifyAll(doctor); err != nil || n != 1 {
			t.Error(n, err)
		}
	})
}

// TestConfidential: the grounds make an act confidential, a column alone does
// neither that nor its contrary.
func TestConfidential(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, w := newService(t, h)
		doctor := testkit.As(staff(care.Doctor, martin))
		for name, c := range map[string]struct {
			agent  *Agent
			ground entitlement.Ground
			want   bool
		}{
			"a mother":      {&Agent{Name: "Rose Moreau", Relation: Mother, Document: entitlement.Passport}, "", false},
			"secrecy":       {&Agent{Name: "Rose Moreau", Relation: ChosenAdult, Document: entitlement.Passport}, entitlement.Secrecy, true},
			"contraception": {nil, entitlement.Contraception, true},
		} {
			t.Run(name, func(t *testing.T) {
				id := care.AppointmentID(care.NewID(h.Clock.Now()))
				w.acts[id] = w.acts[minorAct]
				d := s.decision(care.ConsentGranted, Oral)
				d.AppointmentID, d.Agent, d.Ground = id, c.agent, c.ground
				s.mustDecide(t, doctor, d)
				if got, err := s.Confidential(doctor, id); err != nil || got != c.want {
					t.Errorf("%v %v", got, err)
				}
				if _, err := s.Withdraw(doctor, id, Screen{}); err != nil {
					t.Fatal(err)
				}
				if got, err := s.Confidential(doctor, id); err != nil || got != c.want {
					t.Errorf("withdrawn: %v %v", got, err)
				}
			})
		}
	})
}

// TestDecide_EveryPartIsANewDecision (issue 9, C6): an answer that differs in any part from the
// last one is recorded, the same one is not; a ground that is attested after an ordinary
// agreement makes the act confidential.
func TestDecide_EveryPartIsANewDecision(t *testing.T) {
	mother := Agent{Name: "Rose Moreau", Relation: Mother, Document: entitlement.Passport}
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		for name, c := range map[string]struct {
			change func(d *Decision)
			same   bool
		}{
			"nothing":             {func(*Decision) {}, true},
			"another name":        {func(d *Decision) { d.Agent.Name = "Rosa Moreau" }, false},
			"another relation":    {func(d *Decision) { d.Agent.Relation = Guardian }, false},
			"another document":    {func(d *Decision) { d.Agent.Document = entitlement.IdentityCard }, false},
			"a ground":            {func(d *Decision) { d.Agent, d.Ground = nil, entitlement.Contraception }, false},
			"secrecy, chosen one": {func(d *Decision) { d.Agent.Relation, d.Ground = ChosenAdult, entitlement.Secrecy }, false},
			"the other answer":    {func(d *Decision) { d.State = care.ConsentRefused }, false},
		} {
			t.Run(name, func(t *testing.T) {
				s, w := newService(t, h)
				doctor := testkit.As(staff(care.Doctor, martin))
				id := care.AppointmentID(care.NewID(h.Clock.Now()))
				w.acts[id] = w.acts[minorAct]
				d := s.decision(care.ConsentGranted, Oral)
				agent := mother
				d.AppointmentID, d.Agent = id, &agent
				first := s.mustDecide(t, doctor, d)
				again := mother
				d.Agent = &again
				c.change(&d)
				second := s.mustDecide(t, doctor, d)
				if (first.ID == second.ID) != c.same || second.Ground != d.Ground || second.State != d.State {
					t.Errorf("%+v after %+v", second, first)
				}
				if secret, err := s.Confidential(doctor, id); err != nil || secret != (d.Ground != "") {
					t.Errorf("confidential %v %v", secret, err)
				}
			})
		}
	})
}

// TestConfidential_WhoSeesWhy (issue 9, C6): the links of a minor are in their parents' hands. Neither they nor the
// office learn the ground, nor open the papers that print it.
func TestConfidential_WhoSeesWhy(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		doctor, link, office := testkit.As(staff(care.Doctor, martin)), testkit.As(patient(child, minorAct)), testkit.As(staff(care.Secretary, leroy))
		d := s.decision(care.ConsentGranted, Oral)
		d.AppointmentID, d.Ground = minorAct, entitlement.Contraception
		r := s.mustDecide(t, doctor, d)
		for name, c := range map[string]struct {
			ctx  context.Context
			sees bool
		}{"the doctor": {doctor, true}, "the link": {link, false}, "the office": {office, false}} {
			now, err := s.Current(c.ctx, minorAct)
			if err != nil || now.State != care.ConsentGranted || (now.Ground != "") != c.sees {
				t.Errorf("%s: %+v %v", name, now, err)
			}
			_, _, proof := s.Prove(c.ctx, r.ID)
			_, _, receipt := s.Receipt(c.ctx, r.ID, care.French)
			_, proofs := s.Proofs(c.ctx, minorAct)
			for what, err := range map[string]error{"proof": proof, "receipt": receipt, "proofs": proofs} {
				if (err == nil) != c.sees || err != nil && fault.KindOf(err) != fault.NotFound {
					t.Errorf("%s, %s: %v", name, what, err)
				}
			}
		}
		taken, err := s.Withdraw(link, minorAct, Screen{})
		if err != nil || taken.State != care.ConsentWithdrawn || taken.Ground != "" {
			t.Errorf("withdrawn by the link: %+v %v", taken, err)
		}
	})
}

// An emergency that is told again with another reason is not answered as if it were kept.
func TestDecideEmergency_ToldAgain(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		doctor := testkit.As(staff(care.Doctor, martin))
		u := Urgent{AppointmentID: anAct, Situation: "unable", Reason: "Le patient ne répond plus aux questions."}
		first, err := s.DecideEmergency(doctor, u)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := s.DecideEmergency(doctor, u); err != nil || again.ID != first.ID {
			t.Errorf("the same: %+v %v", again, err)
		}
		u.Reason = "Le patient a perdu connaissance devant la caméra."
		if _, err := s.DecideEmergency(doctor, u); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "emergency-recorded") {
			t.Errorf("another reason: %v", err)
		}
	})
}
