package main

import (
	"context"
	"fmt"
	"time"

	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/scheduling"
)

// seedAgenda gives each demo patient a consultation to come, with a fresh link
// to it.
func seedAgenda(ctx context.Context, p *platform, ids clinicIDs) ([]demoLink, error) {
	doctors := []care.StaffID{ids.staff["MARTIN"], ids.staff["DUPRÉ-LACROIX"]}
	var links []demoLink
	for i, patient := range ids.patients {
		link, err := demoVisit(ctx, p, patient, doctors[i%2])
		if err != nil {
			return nil, fmt.Errorf("visit of patient %d: %w", i+1, err)
		}
		links = append(links, link)
	}
	return links, nil
}

// demoVisit finds the patient's consultation to come, or books the first slot
// that is free.
func demoVisit(ctx context.Context, p *platform, patient care.PatientID, doctor care.StaffID) (demoLink, error) {
	var link demoLink
	id, err := p.scheduling.CurrentOf(ctx, patient)
	if err != nil {
		return link, err
	}
	a, err := p.scheduling.Find(ctx, id)
	if fault.KindOf(err) == fault.NotFound && err != nil || err == nil && (!a.Status.Open() || a.End.Before(p.clock.Now())) {
		a, err = firstFree(ctx, p, patient, doctor)
	}
	if err != nil {
		return link, err
	}
	card, err := agendaPractitioners{ask{p}}.Card(ctx, a.PractitionerID)
	if err != nil {
		return link, err
	}
	if link.Patient, err = p.identity.PatientName(ctx, patient); err != nil {
		return link, err
	}
	secret, err := p.identity.IssueLink(ctx, a.ID)
	if err != nil {
		return link, err
	}
	link.Doctor, link.Start, link.URL = card.DisplayName, a.Start, p.cfg.PublicURL+"/rdv#"+secret
	return link, nil
}

func firstFree(ctx context.Context, p *platform, patient care.PatientID, doctor care.StaffID) (scheduling.Appointment, error) {
	card, err := agendaPractitioners{ask{p}}.Card(ctx, doctor)
	if err != nil {
		return scheduling.Appointment{}, err
	}
	today := scheduling.DayOf(p.clock.Now(), time.UTC)
	free, zone, err := p.scheduling.Slots(ctx, doctor, today, 3)
	if err != nil {
		return scheduling.Appointment{}, err
	}
	if len(free) == 0 {
		return scheduling.Appointment{}, fault.New(fault.Conflict, "slot-taken")
	}
	file, err := p.identity.Patient(ctx, patient)
	if err != nil {
		return scheduling.Appointment{}, err
	}
	shown := scheduling.Shown{}
	if price, ok := p.scheduling.Price(card, free[0].Start, string(file.Traits.BirthDate)); ok {
		shown = scheduling.Shown{Known: true, Amount: price.Amount, Reimbursed: price.Reimbursed}
	}
	r, err := p.scheduling.BookFor(ctx, scheduling.Booking{
		PractitionerID: doctor, Start: free[0].Start, Zone: zone, Shown: shown, Person: scheduling.Person{ID: patient, Language: care.French},
	})
	return r.Appointment, err
}
