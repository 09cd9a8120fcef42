package scheduling

import (
	"context"
	"strings"
	"testing"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/store"
	"visavis/internal/testkit"

	"visavis/scheduling/tariff"
)

// untariffed are practitioners who receive and for whom no tariff is known.
var untariffed = []Card{
	{ID: "0190cccc-0000-7000-8000-000000000011", DisplayName: "Léa Sagefemme", Profession: "50", OrganizationID: lilas},
	{ID: "0190cccc-0000-7000-8000-000000000012", DisplayName: "Luc Dentiste", Profession: "40", OrganizationID: lilas},
	{ID: "0190cccc-0000-7000-8000-000000000013", DisplayName: "Ida Orale", Profession: "40", Specialty: "SM56", OrganizationID: lilas},
	{ID: "0190cccc-0000-7000-8000-000000000014", DisplayName: "Max Inconnu", Profession: "10", Specialty: "SM99", OrganizationID: lilas},
}

// priced is a request with what a page sends of a price; a nil price sends nothing.
func priced(body map[string]any, p *priceBody, young bool) map[string]any {
	delete(body, "priceShown")
	switch {
	case p != nil && young:
		body["priceShown"] = map[string]int64{"amountCents": p.AmountCents, "reimbursedCents": p.Young.ReimbursedCents}
	case p != nil:
		body["priceShown"] = map[string]int64{"amountCents": p.AmountCents, "reimbursedCents": p.ReimbursedCents}
	}
	return body
}

// TestPrice_Unknown: a practitioner without a tariff is listed and booked, on line and
// at the desk. Every answer and the audit entry say that the price is not known.
func TestPrice_Unknown(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		anyone, s, actors, w := siteOf(t, h)
		w.cards = append(w.cards[:len(w.cards):len(w.cards)], untariffed...)
		for i, c := range untariffed {
			if _, err := s.SetPlan(system(), c.ID, weekdays()); err != nil {
				t.Fatal(err)
			}
			var list practitionersOut
			anyone.Get("/api/practitioners?q=" + strings.Fields(c.DisplayName)[1]).Want(200).JSON(&list.Body)
			if len(list.Body.Items) != 1 || list.Body.Items[0].NextSlot == nil || list.Body.Items[0].Price != nil {
				t.Fatalf("%+v", list.Body)
			}
			body := provenRequest(paris(11, 9, 0))
			body["practitionerId"] = c.ID
			for _, zero := range []int{0, 2500} { // a sum was shown: that is not the state of now
				body["priceShown"] = map[string]int{"amountCents": zero, "reimbursedCents": 0}
				anyone.Post("/api/appointments", body).Problem(409, "price-changed")
			}
			attempt := priced(request(paris(11, 9, 0)), nil, false)
			attempt["practitionerId"] = c.ID
			anyone.Post("/api/booking-attempts", attempt).Want(201)
			var booked bookedOut
			anyone.Post("/api/appointments", priced(body, nil, false)).Want(201).JSON(&booked.Body)
			desk := priced(request(paris(12, 9, 20)), nil, false)
			desk["practitionerId"] = c.ID
			anyone.With("secretary").Post("/api/staff/appointments", desk).Want(201)

			name := "patient" + string(c.ID)
			actors[name] = authz.Actor{Role: care.Patient, PatientID: "0190bbbb-0000-7000-8000-000000000001", AppointmentID: care.AppointmentID(booked.Body.ID), SessionID: care.SessionID(name), Level: authz.LevelLink}
			var a appointmentBody
			me, path := anyone.With(name), "/api/appointments/"+booked.Body.ID
			me.Get(path).Want(200).JSON(&a)
			if a.Price != nil || a.PriceText != "Tarif communiqué par le cabinet" {
				t.Errorf("%s: %+v %q", c.DisplayName, a.Price, a.PriceText)
			}
			if a = (appointmentBody{}); i == 0 {
				me.Get(path, testkit.English()).Want(200).JSON(&a)
				if a.PriceText != "The clinic will tell you the price" {
					t.Error(a.PriceText)
				}
			}
			me.Post(path+"/move", map[string]any{"start": paris(13, 9, 0)}, testkit.Match("1")).Want(200).JSON(&a)
			if a.Price != nil || a.PriceText == "" {
				t.Errorf("after a move: %+v %q", a.Price, a.PriceText)
			}
			detail := detailOf(t, h, booked.Body.ID)
			if _, sum := detail["priceCents"]; sum || detail["price"] != "unknown" {
				t.Errorf("recorded %v", detail)
			}
		}
	})
}

func detailOf(t *testing.T, h *testkit.House, id string) map[string]string {
	t.Helper()
	var lines []audit.Line
	err := h.DB.Read(context.Background(), func(ctx context.Context, tx *store.Tx) (err error) {
		lines, err = h.Audit.About(ctx, tx, "appointment/"+id)
		return err
	})
	if err != nil || len(lines) == 0 {
		t.Fatal(lines, err)
	}
	for _, l := range lines {
		if strings.HasPrefix(string(l.Action), "appointment.book") {
			return l.Detail
		}
	}
	return nil
}

// TestPrice_Changes: a price that appears or disappears between showing and
// confirming is answered like any other that changed, on line and at the desk.
func TestPrice_Changes(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		anyone, s, _ := site(t, h)
		show := func() *priceBody {
			var one practitionerBody
			anyone.Get("/api/practitioners/" + string(martin) + "?at=" + paris(11, 9, 0).Format(time.RFC3339)).Want(200).JSON(&one)
			return one.Price
		}
		known, full := show(), s.tariffs
		refused := func(p *priceBody) {
			t.Helper()
			anyone.Post("/api/booking-attempts", priced(request(paris(11, 9, 0)), p, false)).Problem(409, "price-changed")
			anyone.Post("/api/appointments", priced(provenRequest(paris(11, 9, 0)), p, false)).Problem(409, "price-changed")
			anyone.With("secretary").Post("/api/staff/appointments", priced(request(paris(11, 9, 0)), p, false)).Problem(409, "price-changed")
		}
		s.tariffs = &tariff.Table{}
		refused(known)
		unknown := show()
		if known == nil || unknown != nil {
			t.Fatalf("%+v %+v", known, unknown)
		}
		s.tariffs = full
		refused(unknown)
		anyone.Post("/api/appointments", priced(provenRequest(paris(11, 9, 0)), show(), false)).Want(201)
	})
}

// TestPrice_Age: the participation is owed from the eighteenth birthday on; the sum
// that is shown, compared, stored, recorded and read again is that of the patient.
func TestPrice_Age(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		anyone, _, actors, w := siteOf(t, h)
		for i, c := range []struct {
			born  string
			young bool
		}{{"2012-01-02", true}, {"2008-03-12", true}, {"2008-03-11", false}, {"1990-01-02", false}} {
			start := paris(11, 9, 0).Add(time.Duration(i) * 20 * time.Minute)
			var one practitionerBody
			anyone.Get("/api/practitioners/" + string(martin) + "?at=" + start.Format(time.RFC3339)).Want(200).JSON(&one)
			body := provenRequest(start)
			body["patient"].(map[string]string)["birthDate"] = c.born
			anyone.Post("/api/booking-attempts", func() map[string]any {
				asked := request(start)
				asked["patient"] = body["patient"]
				return priced(asked, one.Price, !c.young)
			}()).Problem(409, "price-changed")
			anyone.Post("/api/appointments", priced(body, one.Price, !c.young)).Problem(409, "price-changed")
			var booked bookedOut
			anyone.Post("/api/appointments", priced(body, one.Price, c.young)).Want(201).JSON(&booked.Body)
			var id care.PatientID
			for patient, born := range w.born {
				if born == c.born {
					id = patient
				}
			}
			name := "patient" + c.born
			actors[name] = authz.Actor{Role: care.Patient, PatientID: id, AppointmentID: care.AppointmentID(booked.Body.ID), SessionID: care.SessionID(name), Level: authz.LevelLink}
			var a appointmentBody
			anyone.With(name).Get("/api/appointments/" + booked.Body.ID).Want(200).JSON(&a)
			left, back, text := int64(950), "1550", "9,50\u00a0€ après l’Assurance maladie, dont 7,50\u00a0€ que votre mutuelle peut payer"
			if c.young {
				left, back, text = 750, "1750", "7,50\u00a0€ après l’Assurance maladie, que votre mutuelle peut payer"
			}
			if a.Price == nil || a.Price.RemainingCents != left || a.PriceText != text || a.Price.Headline != text || a.Price.Young != nil ||
				strings.Contains(a.Price.Explanation, "2\u00a0€ restent") == c.young {
				t.Errorf("born %s: %+v %q", c.born, a.Price, a.PriceText)
			}
			if d := detailOf(t, h, booked.Body.ID); d["reimbursedCents"] != back {
				t.Errorf("born %s: recorded %v", c.born, d)
			}
			// At the desk the file says the age, on the next day: one of them comes of age.
			desk := priced(request(start.Add(24*time.Hour)), one.Price, c.born == "2012-01-02")
			delete(desk, "patient")
			desk["patientId"] = id
			anyone.With("secretary").Post("/api/staff/appointments", desk).Want(201)
		}
	})
}
