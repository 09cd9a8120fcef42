package main

import (
	"context"

	"visavis/identity/contacts"
	"visavis/internal/budget"
	"visavis/internal/care"
	"visavis/scheduling"
)

// newContacts makes the proof of contacts and the budgets. An alarm of theirs is
// written down by watch.
func (p *platform) newContacts() *contacts.Service {
	ledger := budget.New(p.clock, p.log)
	p.vitals.reached = make(chan budget.Alarm, 64)
	ledger.OnReached(func(a budget.Alarm) {
		select {
		case p.vitals.reached <- a:
		default: // so many: the log has them
		}
	})
	return contacts.New(contacts.Deps{
		DB: p.db, Bus: p.bus, Keeper: p.keeper, Clock: p.clock, Limits: p.limits, Master: p.master,
		Ledger: ledger, Costs: costs(p.cfg.Budgets), SMS: p.cfg.SMS.URL != "", Mail: p.cfg.Mail.Addr != "",
	})
}

type agendaContacts struct{ ask }

// request is what identity is asked.
func request(r scheduling.ContactRequest) contacts.Request {
	return contacts.Request{Phone: r.Phone, Email: r.Email, Channel: r.Channel, Language: r.Language, Practitioner: r.PractitionerID,
		Again: r.Again, Network: r.Network, Work: r.Work, Proven: r.Proven}
}

// Admit asks identity whether an attempt may start.
func (q agendaContacts) Admit(ctx context.Context, r scheduling.ContactRequest) (undo func(), err error) {
	return q.contacts.Admit(ctx, request(r))
}

// Start asks identity to have a code sent to a contact.
func (q agendaContacts) Start(ctx context.Context, r scheduling.ContactRequest) (scheduling.ContactAttempt, error) {
	a, err := q.contacts.Start(ctx, request(r))
	return scheduling.ContactAttempt{Secret: a.Secret, Channel: a.Channel, Hint: a.Hint, Expires: a.Expires,
		Sent: a.Sent, SentAt: a.At, After: a.After}, err
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

// Move asks identity to count that a patient moved an appointment.
func (q agendaContacts) Move(ctx context.Context, id care.AppointmentID) error {
	return q.contacts.Move(ctx, id)
}
