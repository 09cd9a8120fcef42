package scheduling

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/store"
)

// home is where people are when nothing says otherwise.
const home = "Europe/Paris"

// Offer is a practitioner with the next slot a patient can take.
type Offer struct {
	Card Card
	Next *Slot
}

// Specialties lists those that somebody practises here, in reading order.
func (s *Service) Specialties(ctx context.Context) ([]Specialty, error) {
	cards, err := s.Practitioners.Search(ctx, nil, "")
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(s.specialties.listed), func(x Specialty) bool {
		return !slices.ContainsFunc(cards, func(c Card) bool { return s.specialties.under[c.Specialty] == x.Code })
	}), nil
}

// Search finds practitioners by specialty and part of a name, those who can be
// seen first coming first. An unknown specialty is Invalid "specialty-unknown".
func (s *Service) Search(ctx context.Context, specialty, name string) ([]Offer, error) {
	var codes []string
	if specialty != "" {
		listed, ok := s.specialties.Listed(specialty)
		if !ok {
			return nil, fault.New(fault.Invalid, "specialty-unknown")
		}
		codes = s.specialties.Codes(listed)
	}
	cards, err := s.Practitioners.Search(ctx, codes, name)
	if err != nil {
		return nil, err
	}
	offers := make([]Offer, len(cards))
	err = s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		for i, c := range cards {
			if offers[i], err = s.offer(tx, c); err != nil {
				return err
			}
		}
		return nil
	})
	slices.SortStableFunc(offers, func(a, b Offer) int {
		if a.Next == nil || b.Next == nil {
			return cmp.Compare(rank(a), rank(b))
		}
		return a.Next.Start.Compare(b.Next.Start)
	})
	return offers, err
}

func rank(o Offer) int {
	if o.Next == nil {
		return 1
	}
	return 0
}

// Practitioner is Search for one; it fails as NotFound.
func (s *Service) Practitioner(ctx context.Context, id care.StaffID) (o Offer, err error) {
	card, err := s.Practitioners.Card(ctx, id)
	if err != nil {
		return o, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		o, err = s.offer(tx, card)
		return err
	})
	return o, err
}

func (s *Service) offer(tx *store.Tx, c Card) (Offer, error) {
	free, zone, err := s.free(tx, c.ID, s.Clock.Now(), 0, 0, true)
	o := Offer{Card: c}
	if err == nil && zone != nil {
		if slot, ok := first(slices.Values(free)); ok {
			o.Next = &slot
		}
	}
	return o, err
}

// Slots gives the slots a patient can take from a day on (zero: today), and the
// zone of the practitioner's clock. It fails as NotFound.
func (s *Service) Slots(ctx context.Context, id care.StaffID, from Day, days int) (free []Slot, zone string, err error) {
	if _, err := s.Practitioners.Card(ctx, id); err != nil {
		return nil, "", err
	}
	zone = home
	err = s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		var here *time.Location
		if free, here, err = s.free(tx, id, s.Clock.Now(), from, days, false); err == nil && here != nil {
			zone = here.String()
		}
		return err
	})
	return free, zone, err
}

// free lists the slots a patient can take, over days from a day (zero: from
// today to the horizon); the next one only when one is true. No zone: no
// schedule.
func (s *Service) free(tx *store.Tx, id care.StaffID, now time.Time, from Day, days int, one bool) ([]Slot, *time.Location, error) {
	schedule, found, err := scheduleOf(tx, id)
	if err != nil || !found {
		return nil, nil, err
	}
	zone, err := loadZone(schedule.Plan.Zone)
	if err != nil {
		return nil, nil, err
	}
	today := DayOf(now, zone)
	from, last := max(from, today), today+Day(schedule.Plan.Horizon)
	if days > 0 {
		last = min(last, from+Day(days)-1)
	}
	busy, err := busy(tx, id, Interval{from.Begins(zone), (last + 1).Begins(zone)})
	if err != nil {
		return nil, nil, err
	}
	var out []Slot
	for slot := range Free(schedule.Slots(s.holidays, from, last), busy, now.Add(schedule.notice())) {
		out = append(out, slot)
		if one {
			break
		}
	}
	return out, zone, nil
}

// View is an appointment with the people around it.
type View struct {
	Appointment
	Card        Card
	PatientName string
	Progress    Progress
	Consent     care.ConsentState
}

// Read gives an appointment to whom may see it. That staff read it is audited.
func (s *Service) Read(ctx context.Context, id care.AppointmentID) (v View, err error) {
	own := authz.From(ctx).Role == care.Patient
	open := s.DB.Tx
	if own {
		open = s.DB.Read
	}
	err = open(ctx, func(ctx context.Context, tx *store.Tx) error {
		a, err := s.reach(ctx, tx, id, "appointment.read")
		if err != nil {
			return err
		}
		if v, err = s.View(ctx, a); err != nil || own {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "appointment.read", Object: "appointment/" + string(id), Patient: a.PatientID})
	})
	return v, err
}

// View puts the people around an appointment the caller may see.
func (s *Service) View(ctx context.Context, a Appointment) (View, error) {
	views, err := s.views(ctx, []Appointment{a})
	if err != nil {
		return View{}, err
	}
	views[0].Card, err = s.Practitioners.Card(ctx, a.PractitionerID)
	return views[0], err
}

func (s *Service) views(ctx context.Context, list []Appointment) ([]View, error) {
	ids, people := make([]care.AppointmentID, len(list)), make([]care.PatientID, len(list))
	for i, a := range list {
		ids[i], people[i] = a.ID, a.PatientID
	}
	names, err := s.Patients.Names(ctx, slices.Compact(slices.Sorted(slices.Values(people))))
	if err != nil {
		return nil, err
	}
	progress, err := s.Encounters.Progress(ctx, ids)
	if err != nil {
		return nil, err
	}
	states, err := s.Consents.States(ctx, ids)
	if err != nil {
		return nil, err
	}
	views := make([]View, len(list))
	for i, a := range list {
		views[i] = View{Appointment: a, PatientName: names[a.PatientID], Progress: progress[a.ID], Consent: states[a.ID]}
	}
	return views, nil
}

// Column is one practitioner's part of an agenda.
type Column struct {
	Card         Card
	Appointments []View // cancelled ones included
	Free         []Slot // to come
}

// Agenda gives the days of every practitioner of the actor's organisation, from
// a day (zero: today), and the zone they are counted in. The reading is audited.
func (s *Service) Agenda(ctx context.Context, from Day, days int) (columns []Column, zone string, err error) {
	actor := authz.From(ctx)
	relation := actor.To(authz.Subject{OrganizationID: actor.OrganizationID}, false)
	if err := s.Table.Can(actor, "agenda.read", relation); err != nil {
		return nil, "", err
	}
	cards, err := s.Practitioners.Colleagues(ctx, actor.OrganizationID)
	if err != nil {
		return nil, "", err
	}
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		columns, zone = make([]Column, 0, len(cards)), home
		schedules, err := schedulesOf(tx, actor.OrganizationID)
		if err != nil {
			return err
		}
		if len(schedules) > 0 {
			zone = schedules[0].Plan.Zone
		}
		here, err := loadZone(zone)
		if err != nil {
			return err
		}
		if from == 0 {
			from = DayOf(s.Clock.Now(), here)
		}
		for _, c := range cards {
			column, err := s.column(ctx, tx, c, schedules, Interval{from.Begins(here), (from + Day(days)).Begins(here)})
			if err != nil {
				return err
			}
			columns = append(columns, column)
		}
		return s.Audit.Append(ctx, tx, audit.Entry{
			Action: "agenda.read", Object: "organization/" + string(actor.OrganizationID), Detail: map[string]string{"from": from.String(), "days": strconv.Itoa(days)},
		})
	})
	return columns, zone, err
}

func (s *Service) column(ctx context.Context, tx *store.Tx, c Card, schedules []Schedule, during Interval) (Column, error) {
	list, err := ofPractitioner(tx, c.ID, during)
	if err != nil {
		return Column{}, err
	}
	column := Column{Card: c}
	if column.Appointments, err = s.views(ctx, list); err != nil {
		return Column{}, err
	}
	i := slices.IndexFunc(schedules, func(x Schedule) bool { return x.PractitionerID == c.ID })
	if i < 0 {
		return column, nil
	}
	zone, err := loadZone(schedules[i].Plan.Zone)
	if err != nil {
		return Column{}, err
	}
	var busy []Interval
	for _, a := range list {
		if a.Status != Cancelled {
			busy = append(busy, a.Interval)
		}
	}
	all := schedules[i].Slots(s.holidays, DayOf(during.Start, zone), DayOf(during.End, zone))
	for slot := range Free(all, busy, s.Clock.Now()) {
		if slot.Overlaps(during) {
			column.Free = append(column.Free, slot)
		}
	}
	return column, nil
}
