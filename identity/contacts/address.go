package contacts

import (
	"strings"

	"visavis/identity/traits"
	"visavis/internal/fault"
)

// address is a contact in its one spelling.
type address struct{ channel, value string }

func (a address) hint() string {
	if a.channel == SMS {
		return traits.HidePhone(a.value)
	}
	return traits.HideEmail(a.value)
}

// choose reads what was typed and picks where the code goes. Refusals name
// patient.phone and patient.email.
func choose(phone, email, channel string) (address, error) {
	var problems []fault.Field
	parse := func(field, text string, read func(string) (string, error)) string {
		if strings.TrimSpace(text) == "" {
			return ""
		}
		value, err := read(text)
		if r, ok := err.(traits.Refusal); ok {
			problems = append(problems, r.Field(field))
		}
		return value
	}
	p, e := parse("patient.phone", phone, traits.ParsePhone), strings.ToLower(parse("patient.email", email, traits.ParseEmail))
	if err := fault.Fields(problems...); err != nil {
		return address{}, err
	}
	mobile := p != "" && traits.Mobile(p)
	switch {
	case p == "" && e == "":
		return address{}, fault.Fields(fault.Field{Name: "patient.phone", Code: "phone-or-email-needed"})
	case channel == SMS && !mobile, p != "" && !mobile && e == "":
		return address{}, fault.Fields(fault.Field{Name: "patient.phone", Code: "mobile-or-email-needed"})
	case channel == Email && e == "":
		return address{}, fault.Fields(fault.Field{Name: "patient.email", Code: "required"})
	case channel == Email, !mobile:
		return address{Email, e}, nil
	}
	return address{SMS, p}, nil
}

// choose is the function choose, for the ways out that this platform has: a code
// by the other channel when there is no outlet for the first. Unavailable
// "codes-not-sent" when there is none at all.
func (s *Service) choose(r Request) (address, error) {
	to, err := choose(r.Phone, r.Email, r.Channel)
	switch {
	case r.Proven:
		return to, err
	case !s.SMS && !s.Mail:
		return address{}, fault.New(fault.Unavailable, "codes-not-sent").With("seconds", "3600")
	case err != nil:
		return to, err
	case to.channel == SMS && !s.SMS:
		if strings.TrimSpace(r.Email) == "" {
			return address{}, fault.Fields(fault.Field{Name: "patient.email", Code: "email-needed-here"})
		}
		return choose(r.Phone, r.Email, Email)
	case to.channel == Email && !s.Mail:
		if p, err := traits.ParsePhone(r.Phone); err != nil || !traits.Mobile(p) {
			return address{}, fault.Fields(fault.Field{Name: "patient.phone", Code: "mobile-needed-here"})
		}
		return choose(r.Phone, r.Email, SMS)
	}
	return to, nil
}
