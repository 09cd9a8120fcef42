package main

import (
	"context"

	"visavis/identity/contacts"
	"visavis/internal/budget"
	"visavis/internal/care"
	"visavis/scheduling"
)

// newContacts makes the proof of contacts and the budgets of strangers.
func (p *platform) newContacts() *contacts.Service {
	return contacts.New(contacts.Deps{
		DB: p.db, Bus: p.bus, Keeper: p.keeper, Clock: p.clock, Limits: p.limits, Master: p.master,
		Ledger: budget.New(p.clock, p.log), Costs: costs(p.cfg.Strangers),
	})
}

type agendaContacts struct{ ask }

// Admit asks identity whether a network may start a booking.
func (q agendaContacts) Admit(ctx context.Context, network string) error {
	return q.contacts.Admit(ctx, network)
}

// Start asks identity to have a code sent to a contact.
func (q agendaContacts) Start(ctx context.Context, r scheduling.ContactRequest) (scheduling.ContactAttempt, error) {
	a, err := q.contacts.Start(ctx, contacts.Request{
		Phone: r.Phone, Email: r.Email, Channel: r.Channel, Language: r.Language, Practitioner: r.PractitionerID,
		Again: r.Again, Network: r.Network, Proven: r.Proven,
	})
	return scheduling.ContactAttempt{Secret: a.Secret, Channel: a.Channel, Hint: a.Hint, Expires: a.Expires}, err
}

// Verify asks identity whether a code is the right one.
func (q agendaContacts) Verify(ctx context.Context, secret, code, network string) error {
	return q.contacts.Verify(ctx, secret, code, network)
}

// Proven asks identity which contact an attempt has proved.
func (q agendaContacts) Proven(ctx context.Context, secret, phone, email string) (string, []byte, error) {
	return q.contacts.Proven(ctx, secret, phone, email)
}

// Hold asks identity to count a slot that a contact holds.
func (q agendaContacts) Hold(ctx context.Context, practitioner care.StaffID, contact []byte) error {
	return q.contacts.Hold(ctx, string(practitioner), contact)
}
