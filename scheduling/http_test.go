package scheduling

import (
	"strings"
	"testing"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/lang"
	"visavis/internal/testkit"
)

func site(t *testing.T, h *testkit.House) (*testkit.Client, *Service, testkit.Actors) {
	t.Helper()
	c, s, actors, _ := siteOf(t, h)
	return c, s, actors
}

func siteOf(t *testing.T, h *testkit.House) (*testkit.Client, *Service, testkit.Actors, *town) {
	t.Helper()
	s, w := newService(t, h)
	words, err := Texts()
	if err != nil {
		t.Fatal(err)
	}
	actors := testkit.Actors{
		"secretary": staff(care.Secretary, leroy, lilas), "martin": staff(care.Doctor, martin, lilas), "elsewhere": staff(care.Secretary, leroy, roses),
	}
	server := h.Server(t, actors, words)
	Routes(server, s)
	return testkit.HTTP(t, server.Handler()).Held(server), s, actors, w
}

func request(start time.Time) map[string]any {
	return map[string]any{
		"practitionerId": martin, "start": start, "locale": "fr", "zone": "Europe/Paris",
		"patient":    map[string]string{"familyName": "Dû-Mazerolles", "givenName": "Zoé", "birthDate": "1990-01-02", "email": "zoe@exemple.fr"},
		"priceShown": map[string]int{"amountCents": 2500, "reimbursedCents": 1550},
	}
}

// provenRequest is request by somebody whose contact is proven.
func provenRequest(start time.Time) map[string]any {
	r := request(start)
	r["attempt"] = proven
	return r
}

func TestABookingOverHTTP(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		anyone, _, actors := site(t, h)
		var list practitionersOut
		anyone.Get("/api/practitioners?specialty=SM54").Want(200).JSON(&list.Body)
		doctor := list.Body.Items[0]
		if len(list.Body.Items) != 1 || doctor.SpecialtyLabel != "Médecine générale" || doctor.Bio != "" || doctor.Price == nil {
			t.Fatalf("%+v", list.Body)
		}
		p := doctor.Price
		if p.AmountCents != 2500 || p.ReimbursedCents != 1550 || p.RemainingCents != 950 || !lang.Complete(p.Explanation+p.RateLabel) || !strings.Contains(p.Explanation, "7,50\u00a0€") {
			t.Errorf("%+v", p)
		}
		var slots slotsOut
		anyone.Get("/api/practitioners/" + doctor.ID + "/slots?from=2026-03-11&days=2").Want(200).JSON(&slots.Body)
		if slots.Body.Zone != "Europe/Paris" || len(slots.Body.Items) != 18 {
			t.Fatalf("%+v", slots.Body)
		}
		body := provenRequest(slots.Body.Items[0].Start)
		key := testkit.Key("0190ffff-0000-7000-8000-000000000001")
		var booked bookedOut
		first := anyone.Post("/api/appointments", body, key).Want(201).JSON(&booked.Body)
		if again := anyone.Post("/api/appointments", body, key).Want(201); string(again.Body) != string(first.Body) {
			t.Error("the same key booked twice")
		}
		if booked.Body.SentTo.Email != "z•••@exemple.fr" || strings.Contains(string(first.Body), "Mazerolles") {
			t.Errorf("%s", first.Body)
		}
		anyone.Post("/api/appointments", body).Problem(409, "slot-taken")

		actors["zoe"] = authz.Actor{Role: care.Patient, PatientID: "0190bbbb-0000-7000-8000-000000000001", AppointmentID: care.AppointmentID(booked.Body.ID), SessionID: "z", Level: authz.LevelLink}
		me, path := anyone.With("zoe"), "/api/appointments/"+booked.Body.ID
		var a appointmentBody
		got := me.Get(path).Want(200).JSON(&a)
		if got.Header.Get("ETag") != `"1"` || a.Patient.DisplayName != "Zoé Dû-Mazerolles" || !a.CanMove || a.Price.AmountCents != 2500 || a.Practitioner.DisplayName != "Claire Martin" {
			t.Errorf("%s %s", got.Header.Get("ETag"), got.Body)
		}
		absent := me.Get("/api/appointments/0190ffff-0000-7000-8000-000000000009").Want(404)
		if foreign := anyone.With("elsewhere").Get(path).Want(404); string(foreign.Body) != string(absent.Body) {
			t.Errorf("what one may not see differs from what is absent:\n%s\n%s", foreign.Body, absent.Body)
		}
		to := map[string]any{"start": slots.Body.Items[3].Start}
		me.Post(path+"/move", to).Problem(400, "match-needed")
		me.Post(path+"/move", to, testkit.Match("7")).Problem(409, "changed-meanwhile")
		got = me.Post(path+"/move", to, testkit.Match("1")).Want(200).JSON(&a)
		if got.Header.Get("ETag") != `"2"` || !a.Start.Equal(slots.Body.Items[3].Start) {
			t.Errorf("%s", got.Body)
		}
		me.Post(path+"/cancel", map[string]string{}).Want(200).JSON(&a)
		if a.Status != "cancelled" || a.CanMove || a.CanCancel {
			t.Errorf("%+v", a)
		}
		if strings.Contains(h.Logged.String(), "Mazerolles") || strings.Contains(h.Logged.String(), booked.Body.ID) {
			t.Error("a name or an id is in the log")
		}
	})
}

func TestRefusalsOverHTTP(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		anyone, _, _ := site(t, h)
		anyone.Get("/api/practitioners?specialty=SM00").Problem(422, "specialty-unknown")
		anyone.Get("/api/practitioners/nobody").Problem(404, "not-found")
		anyone.Get("/api/practitioners/" + string(martin) + "/slots?from=2026-02-30").Fields("query.from not-a-date")
		anyone.Get("/api/practitioners/" + string(martin) + "/slots?days=32").Fields("query.days out-of-range")
		past := provenRequest(paris(9, 9, 0))
		anyone.Post("/api/appointments", past).Fields("start in-past")
		anyone.Post("/api/appointments", past, testkit.English()).Fields("start in-past")
		anyone.Post("/api/appointments", provenRequest(paris(11, 9, 1))).Fields("start not-a-slot")
		anyone.Post("/api/appointments", provenRequest(paris(11, 9, 0)), testkit.Key("")).Problem(400, "idempotency-key-needed")
		dear := provenRequest(paris(11, 9, 0))
		dear["priceShown"] = map[string]int{"amountCents": 0, "reimbursedCents": 0}
		anyone.Post("/api/appointments", dear).Problem(409, "price-changed")
		dear["surprise"] = 1
		anyone.Post("/api/appointments", dear).Problem(400, "fields")
		anyone.Post("/api/staff/appointments", request(paris(11, 9, 0))).Problem(401, "sign-in")
		anyone.With("elsewhere").Post("/api/staff/appointments", request(paris(11, 9, 0))).Problem(404, "not-found")
		nobody := request(paris(11, 9, 0))
		delete(nobody, "patient")
		anyone.With("secretary").Post("/api/staff/appointments", nobody).Fields("patient required")
		anyone.Get("/api/agenda").Problem(401, "sign-in")
	})
}

func TestTheSecretaryDay(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		anyone, _, _ := site(t, h)
		desk := anyone.With("secretary")
		var booked bookedOut
		desk.Post("/api/staff/appointments", request(paris(10, 9, 20))).Want(201).JSON(&booked.Body)
		known := request(paris(10, 9, 40))
		delete(known, "patient")
		known["patientId"] = "0190bbbb-0000-7000-8000-000000000001"
		desk.Post("/api/staff/appointments", known).Want(201)
		var agenda agendaOut
		desk.Get("/api/agenda?date=2026-03-10").Want(200).JSON(&agenda.Body)
		mine := agenda.Body.Practitioners[0]
		if agenda.Body.Zone != "Europe/Paris" || len(mine.Appointments) != 2 || mine.Appointments[0].Consent != "none" || mine.Appointments[0].Version != 1 || len(mine.FreeSlots) != 6 {
			t.Errorf("%+v", agenda.Body)
		}
		desk.Post("/api/appointments/"+mine.Appointments[0].ID+"/cancel", map[string]string{"reason": "a rappelé"}).Want(200)
		anyone.With("martin").Get("/api/agenda?days=7").Want(200).JSON(&agenda.Body)
		if got := agenda.Body.Practitioners[0].Appointments[0].Status; got != "cancelled" {
			t.Error(got)
		}
		if list := agenda.Body.Practitioners[1]; list.Appointments == nil || list.FreeSlots == nil {
			t.Error("empty lists are null")
		}
		var specialties specialtiesOut
		anyone.Get("/api/specialties", testkit.English()).Want(200).JSON(&specialties.Body)
		if len(specialties.Body.Items) != 3 || specialties.Body.Items[0].Label != "General practice" {
			t.Errorf("%+v", specialties.Body)
		}
		var one practitionerBody
		anyone.Get("/api/practitioners/" + string(martin) + "?at=2024-05-01T10:00:00Z").Want(200).JSON(&one)
		if one.Price.ReimbursedCents != 1650 || one.Bio == "" {
			t.Errorf("%+v", one.Price)
		}
	})
}

func TestVisitorsCannotBookWithoutEnd(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		anyone, s, _ := site(t, h)
		for range s.BookingLimit.Burst {
			anyone.Post("/api/appointments", provenRequest(paris(9, 9, 0))).Want(422)
		}
		if p := anyone.Post("/api/appointments", provenRequest(paris(11, 9, 0))); p.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		} else {
			p.Problem(429, "throttled")
		}
	})
}

// TestBookingAttempts_RefusedAreNotCounted: whatever the last check refuses takes nothing
// of what the caller's network may ask for; an attempt that starts takes one, also when it
// is asked for again with its key.
func TestBookingAttempts_RefusedAreNotCounted(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		anyone, svc, _ := site(t, h)
		people := svc.Contacts.(*town)
		var slots slotsOut
		anyone.Get("/api/practitioners/" + string(martin) + "/slots").Want(200).JSON(&slots.Body)
		with := func(change func(map[string]any)) map[string]any {
			body := request(slots.Body.Items[0].Start)
			change(body)
			return body
		}
		key := testkit.Key("0190ffff-0000-7000-8000-00000000000a")
		for name, x := range map[string]struct {
			body   map[string]any
			status int
		}{
			"a slot of yesterday":       {with(func(b map[string]any) { b["start"] = paris(9, 9, 0) }), 422},
			"a doctor nobody knows":     {with(func(b map[string]any) { b["practitionerId"] = "nobody" }), 422},
			"a zone that is none":       {with(func(b map[string]any) { b["zone"] = "Mars/Olympus" }), 422},
			"another price":             {with(func(b map[string]any) { b["priceShown"] = map[string]any{"amountCents": 1, "reimbursedCents": 0} }), 409},
			"a person without a name":   {with(func(b map[string]any) { b["patient"].(map[string]string)["familyName"] = "" }), 422},
			"nothing that reaches them": {with(func(b map[string]any) { b["patient"].(map[string]string)["email"] = "" }), 422},
		} {
			if a := anyone.Post("/api/booking-attempts", x.body); a.Status != x.status {
				t.Errorf("%s: %d %s", name, a.Status, a.Body)
			}
			if people.taken != 0 {
				t.Fatalf("%s: %d attempts are counted", name, people.taken)
			}
		}
		for range 2 {
			anyone.Post("/api/booking-attempts", with(func(map[string]any) {}), key).Want(201)
			if people.taken != 1 {
				t.Errorf("%d attempts are counted, want 1", people.taken)
			}
		}
	})
}

// TestBookingAttempts_NoOutlet: where no code can leave, the person is told at once, with
// the telephone of the practice, in their language; nothing is counted or begun.
func TestBookingAttempts_NoOutlet(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		anyone, svc, _ := site(t, h)
		people := svc.Contacts.(*town)
		people.refuse = fault.New(fault.Unavailable, "codes-not-sent").With("seconds", "3600")
		for language, want := range map[string]string{"fr": "appelez le secrétariat au 01 42 00 00 00.", "en": "call the practice on 01 42 00 00 00."} {
			a := anyone.Post("/api/booking-attempts", request(paris(11, 9, 0)), testkit.Header("Accept-Language", language))
			p := a.Problem(503, "codes-not-sent")
			if !strings.HasSuffix(p.Detail, want) || a.Header.Get("Retry-After") != "3600" {
				t.Errorf("%s: %q, Retry-After %q", language, p.Detail, a.Header.Get("Retry-After"))
			}
		}
		if len(people.asked) > 0 || people.taken != 0 {
			t.Errorf("%d codes were asked for, %d attempts are counted", len(people.asked), people.taken)
		}
	})
}
