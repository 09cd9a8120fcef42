package encounters

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"visavis/encounters/ribbon"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/httpx"
	"visavis/internal/lang"
	"visavis/internal/profession"
)

type qualityOut struct {
	Body qualityBody
}

type qualityBody struct {
	EncounterID  string       `json:"encounterId"`
	Patient      string       `json:"patient" doc:"the patient's name"`
	Practitioner string       `json:"practitioner"`
	Planned      periodBody   `json:"planned"`
	Period       periodBody   `json:"period"`
	Attendance   Attendance   `json:"attendance,omitempty" enum:"held,absent,went-away,technical,blocked"`
	VideoSeconds int          `json:"videoSeconds" doc:"seconds during which video flowed both ways"`
	Seats        []ribbonBody `json:"seats"`
	Causes       []causeBody  `json:"causes" doc:"what went wrong, one sentence each, in the order of time"`
}

type ribbonBody struct {
	SeatID    string        `json:"seatId"`
	Role      string        `json:"role" enum:"patient,doctor,dentist,midwife,professional,nurse,pharmacist,secretary,admin,companion,system" doc:"the word for who sits there: doctor is a physician only"`
	Stretches []stretchBody `json:"stretches"`
}

type stretchBody struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	Word  string    `json:"word" enum:"good,weak,audio-only,lost,device"`
	Pair  string    `json:"pair,omitempty" enum:"udp,tcp,relay-udp,relay-tcp,relay-tls"`
	Text  string    `json:"text,omitempty"`
}

type causeBody struct {
	At   time.Time `json:"at"`
	Role string    `json:"role" enum:"patient,doctor,dentist,midwife,professional,nurse,pharmacist,secretary,admin,companion,system" doc:"whose trouble it was"`
	Code string    `json:"code" doc:"a line of encounters/ribbon/causes.tsv"`
	Text string    `json:"text"`
}

func (v view) quality(ctx context.Context, in *struct {
	ByID
	Zone string `query:"zone" default:"Europe/Paris"`
}) (*qualityOut, error) {
	zone, err := time.LoadLocation(in.Zone)
	if err != nil {
		return nil, fault.Fields(fault.Field{Name: "zone", Code: "not-a-choice"})
	}
	q, err := v.svc.Quality(ctx, care.EncounterID(in.ID))
	if err != nil {
		return nil, err
	}
	e := q.Act
	b := qualityBody{
		EncounterID: string(e.ID), Planned: period(e.PlannedStart, e.PlannedEnd), Period: period(e.StartedAt, e.FinishedAt),
		Attendance: q.Attendance, VideoSeconds: e.VideoSeconds, Seats: []ribbonBody{}, Causes: []causeBody{},
	}
	patient, err := v.svc.People.Patient(ctx, e.PatientID)
	if err != nil {
		return nil, err
	}
	doctor, err := v.svc.People.Staff(ctx, e.PractitionerID)
	if err != nil {
		return nil, err
	}
	b.Patient, b.Practitioner = patient.DisplayName, doctor.DisplayName
	words, err := lang.NewWords()
	if err != nil {
		return nil, err
	}
	l := string(httpx.Language(ctx))
	for _, s := range q.Seats {
		r := ribbonBody{SeatID: s.ID, Role: wordOf(s.Role, q.Doctor), Stretches: []stretchBody{}}
		for _, x := range q.Stretches {
			if x.Seat != s.ID {
				continue
			}
			t := stretchBody{Start: x.From, End: x.To, Word: x.Word, Pair: x.Pair}
			if x.Cause != nil {
				t.Text = Sentence(v.words, l, x, q.Doctor, words.Clock(l, x.From.In(zone)))
			}
			r.Stretches = append(r.Stretches, t)
		}
		b.Seats = append(b.Seats, r)
	}
	for _, x := range q.Troubles() {
		b.Causes = append(b.Causes, causeBody{x.From, wordOf(x.Cause.Role, q.Doctor), x.Cause.Code, Sentence(v.words, l, x, q.Doctor, words.Clock(l, x.From.In(zone)))})
	}
	return &qualityOut{b}, nil
}

// wordOf is the word for a role, doctor being the one of whoever holds that role.
func wordOf(role care.Role, doctor profession.Word) string {
	if role == care.Doctor {
		return string(cmp.Or(doctor, profession.Professional))
	}
	return string(role)
}

// whose is the text "of.<word>" of the catalogue.
func whose(words *lang.Catalogue, language string, role care.Role, doctor profession.Word) string {
	key := "of." + wordOf(role, doctor)
	if _, known := words.Lookup(language, key); !known {
		key = "of.other"
	}
	return words.T(language, key, nil)
}

// Bare says an incident that no stretch explains; role is that of its seat, and
// doctor names whoever holds the role doctor.
func Bare(words *lang.Catalogue, language, code string, role care.Role, doctor profession.Word) string {
	return words.T(language, "incident."+code, lang.Args{"of": whose(words, language, role, doctor)})
}

// In gives the code of an incident and says it.
func (t Told) In(words *lang.Catalogue, language string) (code, text string) {
	if t.Why != nil {
		return t.Why.Cause.Code, Sentence(words, language, *t.Why, t.doctor, "")
	}
	return t.Code, Bare(words, language, t.Code, t.Role, t.doctor)
}

// Sentence says the cause of a stretch as a secretary reads it; doctor names
// whoever holds the role doctor, at is when, as
// people say it, or "" when the time stands beside.
func Sentence(words *lang.Catalogue, language string, x ribbon.Stretch, doctor profession.Word, at string) string {
	value := x.Cause.Value
	if strings.HasSuffix(x.Cause.Code, "-loss") {
		value = max(1, (value+5)/10) // thousandths, said in per cent
	}
	if at != "" {
		at = words.T(language, "cause.at", lang.Args{"time": at})
	}
	what := words.T(language, "cause."+x.Cause.Code, lang.Args{"of": whose(words, language, x.Cause.Role, doctor), "value": fmt.Sprint(value), "at": at})
	lasted := x.To.Sub(x.From)
	if x.Cause.Timed {
		lasted = time.Duration(x.Cause.Value) * time.Millisecond
	}
	key := "cause.for"
	if lasted <= 0 {
		key = "cause.alone" // the device did not say how long
	}
	text := words.T(language, key, lang.Args{"what": what, "long": long(lasted)})
	return strings.ToUpper(text[:1]) + text[1:]
}

// long says a duration, never a longer one than was measured but for the first second: « 40 s », « 2 min 30 s ».
func long(d time.Duration) string {
	const nbsp = "\u00a0"
	s := max(1, int(d.Seconds()))
	switch {
	case s < 60:
		return fmt.Sprint(s, nbsp, "s")
	case s%60 == 0 || s >= 600:
		return fmt.Sprint(s/60, nbsp, "min")
	}
	return fmt.Sprint(s/60, nbsp, "min", nbsp, s%60, nbsp, "s")
}
