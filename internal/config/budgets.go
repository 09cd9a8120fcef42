package config

import (
	"errors"
	"fmt"
	"math"
)

// Budgets bounds what codes, messages on request and bookings on line may cost or
// hold, whoever makes them, signed in as a patient or not; what staff do is not
// counted. `visavis budgets` shows what is used.
type Budgets struct {
	SMSPrice          float64 `env:"VISAVIS_SMS_PRICE" default:"0.07" help:"What one text message costs, in euros."`
	SMSPerHour        float64 `name:"sms-hourly" env:"VISAVIS_SMS_HOURLY" default:"10" help:"What text messages with a code before a booking may cost in an hour, in euros; beyond, the page proposes e-mail and the telephone. As much again, counted apart, for what patients have sent: codes of documents, lost links, invitations."`
	SMSPerDay         float64 `name:"sms-daily" env:"VISAVIS_SMS_DAILY" default:"50" help:"The same for a day."`
	BookingPerHour    int64   `name:"bookings-hourly" env:"VISAVIS_BOOKINGS_HOURLY" default:"30" help:"Slots of one practitioner that bookings on line may take in an hour, by new patients and known ones; those by staff do not count."`
	BookingPerDay     int64   `name:"bookings-daily" env:"VISAVIS_BOOKINGS_DAILY" default:"80" help:"The same for a day."`
	BookingPerContact int64   `name:"bookings-per-contact" env:"VISAVIS_BOOKINGS_PER_CONTACT" default:"6" help:"Slots that one telephone or e-mail address, or one patient signed in, may take on line in a day."`
}

// check names what cannot be a budget.
func (s Budgets) check() error {
	var errs []error
	for name, v := range map[string]float64{
		"VISAVIS_SMS_PRICE": s.SMSPrice, "VISAVIS_SMS_HOURLY": s.SMSPerHour, "VISAVIS_SMS_DAILY": s.SMSPerDay,
		"VISAVIS_BOOKINGS_PER_CONTACT": float64(s.BookingPerContact), "VISAVIS_BOOKINGS_HOURLY": float64(s.BookingPerHour), "VISAVIS_BOOKINGS_DAILY": float64(s.BookingPerDay),
	} {
		if math.IsNaN(v) || v < 0 || v > 1e9 {
			errs = append(errs, fmt.Errorf("%s: %v is not between 0 and 1,000,000,000", name, v))
		}
	}
	return errors.Join(errs...)
}
