package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"visavis/internal/testkit/rtcclient"
)

// room is one act with its doctor and its patient.
type room struct{ doctor, patient seat }

var (
	link = regexp.MustCompile(`#([A-Za-z0-9_-]{43})`)
	code = regexp.MustCompile(`^(\d{8}) `)
)

// open books for the n-th person, notes their consent, and lets them in.
func (p *program) open(ctx context.Context, doctor *person, n int) (*room, error) {
	patient := p.person(n + 2)
	appointment, err := p.book(ctx, patient, n)
	if err != nil {
		return nil, err
	}
	var text struct{ ID, SHA256 string }
	if err := doctor.do(ctx, http.MethodGet, "/api/consent-texts?purpose=teleconsultation&lang=fr", nil, &text); err != nil {
		return nil, err
	}
	if err := doctor.do(ctx, http.MethodPost, "/api/appointments/"+appointment+"/consent/oral", map[string]any{"textId": text.ID, "sha256": text.SHA256, "decision": "granted"}, nil); err != nil {
		return nil, err
	}
	act, err := p.act(ctx, doctor, appointment)
	if err != nil {
		return nil, err
	}
	r := &room{doctor: seat{who: doctor, act: act}, patient: seat{who: patient, act: act}}
	for _, s := range []*seat{&r.doctor, &r.patient} {
		ticket, err := s.ticket(ctx)
		if err != nil {
			return nil, err
		}
		if err := s.hello(ctx, ticket); err != nil {
			return nil, err
		}
	}
	if err := r.doctor.talk(ctx); err != nil {
		return nil, err
	}
	if _, err := r.doctor.wire.Send("admit", map[string]any{"seat": r.patient.wire.Seat}); err != nil {
		return nil, err
	}
	if _, err := r.patient.wire.Wait(ctx, "media", func(m rtcclient.Msg) bool { return m["allowed"] == true }); err != nil {
		return nil, err
	}
	return r, r.patient.talk(ctx)
}

// again lets the patient come once more, from nothing, and times it.
func (r *room) again(ctx context.Context) (time.Duration, error) {
	r.patient.leave()
	ticket, err := r.patient.ticket(ctx)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	if err := r.patient.hello(ctx, ticket); err != nil {
		return 0, err
	}
	if err := r.patient.talk(ctx); err != nil {
		return 0, err
	}
	if err := r.patient.media.Until(ctx, func(m *rtcclient.Media) bool { return !m.First().IsZero() }); err != nil {
		return 0, err
	}
	return r.patient.media.First().Sub(start), nil
}

func (r *room) received() (n int) {
	for _, s := range []*seat{&r.doctor, &r.patient} {
		for _, v := range s.media.Summary() {
			n += v
		}
	}
	return n
}

func (r *room) leave() { r.patient.leave(); r.doctor.leave() }

// book takes the next free slot of the doctor and opens the link that came by
// SMS; it gives the appointment.
func (p *program) book(ctx context.Context, who *person, n int) (string, error) {
	var found struct {
		Items []struct {
			ID    string
			Price struct{ AmountCents, ReimbursedCents int64 }
		}
	}
	if err := who.do(ctx, http.MethodGet, "/api/practitioners?q=MARTIN", nil, &found); err != nil {
		return "", err
	}
	if len(found.Items) != 1 {
		return "", errors.New("no such doctor")
	}
	doctor := found.Items[0]
	var free struct{ Items []struct{ Start time.Time } }
	if err := who.do(ctx, http.MethodGet, "/api/practitioners/"+doctor.ID+"/slots?days=7", nil, &free); err != nil {
		return "", err
	}
	if len(free.Items) == 0 {
		return "", errors.New("no free time in a week")
	}
	phone := fmt.Sprintf("+336%08d", 39980000+n)
	body := map[string]any{
		"practitionerId": doctor.ID, "start": free.Items[0].Start, "locale": "fr", "zone": "Europe/Paris",
		"patient":    map[string]string{"familyName": "DURAND", "givenName": "Camille", "birthDate": "1980-02-29", "phone": phone},
		"priceShown": doctor.Price,
	}
	var proof struct{ Attempt string }
	if err := who.do(ctx, http.MethodPost, "/api/booking-attempts", body, &proof); err != nil {
		return "", err
	}
	digits, err := p.sent(ctx, phone, code)
	if err != nil {
		return "", err
	}
	if err := who.do(ctx, http.MethodPost, "/api/booking-attempts/verify", map[string]string{"attempt": proof.Attempt, "code": digits}, nil); err != nil {
		return "", err
	}
	var booked struct{ ID string }
	body["attempt"] = proof.Attempt
	if err := who.do(ctx, http.MethodPost, "/api/appointments", body, &booked); err != nil {
		return "", err
	}
	token, err := p.sent(ctx, phone, link)
	if err != nil {
		return "", err
	}
	return booked.ID, who.do(ctx, http.MethodPost, "/api/links/open", map[string]string{"token": token}, nil)
}

// sent waits for the link or the code that the gateway sent to a number.
func (p *program) sent(ctx context.Context, phone string, wanted *regexp.Regexp) (string, error) {
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.sms+"/messages", nil)
		if err != nil {
			return "", err
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return "", err
		}
		var list []struct{ To, Text string }
		err = json.NewDecoder(resp.Body).Decode(&list)
		_ = resp.Body.Close()
		if err != nil {
			return "", err
		}
		for _, m := range list {
			if found := wanted.FindStringSubmatch(m.Text); m.To == phone && found != nil {
				return found[1], nil
			}
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// act waits for the encounter that a booking opens, and gives its id.
func (p *program) act(ctx context.Context, doctor *person, appointment string) (string, error) {
	for {
		for days := range 8 {
			day := time.Now().AddDate(0, 0, days).Format(time.DateOnly)
			var list struct {
				Items []struct{ EncounterID, AppointmentID string }
			}
			if err := doctor.do(ctx, http.MethodGet, "/api/day?date="+day, nil, &list); err != nil {
				return "", err
			}
			for _, x := range list.Items {
				if x.AppointmentID == appointment {
					return x.EncounterID, nil
				}
			}
		}
		if err := ctx.Err(); err != nil {
			return "", err
		}
	}
}
