package config

import (
	"errors"
	"fmt"
	"math"
)

// Strangers bounds what people nobody knows may cost or hold. `visavis budgets`
// shows what is used.
type Strangers struct {
	SMSPrice          float64 `env:"VISAVIS_SMS_PRICE" default:"0.07" help:"What one text message costs, in euros."`
	SMSPerHour        float64 `env:"VISAVIS_SMS_HOURLY" default:"10" help:"What codes sent to strangers by text message may cost in an hour, in euros; e-mail is offered beyond."`
	SMSPerDay         float64 `env:"VISAVIS_SMS_DAILY" default:"50" help:"The same for a day."`
	BookingPerHour    int64   `env:"VISAVIS_BOOKINGS_HOURLY" default:"30" help:"Slots of one practitioner that strangers may take in an hour."`
	BookingPerContact int64   `env:"VISAVIS_BOOKINGS_PER_CONTACT" default:"6" help:"Slots that one telephone or e-mail address may take in a day."`
	BookingPerDay     int64   `env:"VISAVIS_BOOKINGS_DAILY" default:"80" help:"The same for a day."`
}

// check names what cannot be a budget.
func (s Strangers) check() error {
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
