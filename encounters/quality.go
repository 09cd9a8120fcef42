package encounters

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"visavis/encounters/ribbon"
	"visavis/internal/audit"
	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/profession"
	"visavis/internal/store"
)

// Attendance says why an act did not take place, or that it did (product 4.8
// step 5: who had technical trouble is not absent).
type Attendance string

// The attendances; none is known before the end of the planned time.
const (
	NotYet      Attendance = ""
	Held        Attendance = "held"           // the act took place
	Absent      Attendance = "absent"         // the patient was never there
	WentAway    Attendance = "went-away"      // was there, and nobody received them in time
	Technical   Attendance = "technical"      // was there, and neither saw nor was seen
	Blocked     Attendance = "blocked"        // was never there, and their connection test had failed
	notReceived            = 15 * time.Minute // after the planned end nobody is received any more
)

// Quality is what a call was like, for staff: no clinical content.
type Quality struct {
	Act        *Encounter
	Seats      []ribbon.Seat
	Stretches  []ribbon.Stretch
	Attendance Attendance
	Doctor     profession.Word // names whoever holds the role doctor in texts: their one profession, or Professional
}

// measured keeps what a client said of its call. It is told at least once, and
// after the end of the act too.
func (s *Service) measured(_ context.Context, tx *store.Tx, ev events.Event) error {
	var m events.Measured
	if err := ev.Decode(&m); err != nil {
		return err
	}
	if len(m.Samples) == 0 {
		return nil
	}
	b, err := json.Marshal(m.Samples)
	if err != nil {
		return err
	}
	last := m.Samples[len(m.Samples)-1]
	return insertQuality(tx, qualityRow{
		ID: ev.ID, EncounterID: string(m.EncounterID), SeatID: m.SeatID, Role: string(m.Role), FromAt: m.Samples[0].At, ToAt: last.At, Samples: string(b),
	})
}

// Quality gives what the call of an act was like, and why, to the staff who may
// know; it writes that it was read.
func (s *Service) Quality(ctx context.Context, id care.EncounterID) (q Quality, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		e, err := s.load(ctx, tx, id, "encounter.quality")
		if err != nil {
			return err
		}
		if q, err = s.quality(ctx, tx, e); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "encounter.quality", Object: "encounter/" + string(id), Patient: e.PatientID})
	})
	return q, err
}

// Ribbons gives the same to another module, which has checked who asks.
func (s *Service) Ribbons(ctx context.Context, e *Encounter) (q Quality, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		q, err = s.quality(ctx, tx, e)
		return err
	})
	return q, err
}

func (s *Service) quality(ctx context.Context, tx *store.Tx, e *Encounter) (Quality, error) {
	q := Quality{Act: e}
	rows, err := qualityOf(tx, e.ID)
	if err != nil {
		return q, err
	}
	if q.Seats, err = seatsOf(e, rows); err != nil {
		return q, err
	}
	if q.Doctor, err = s.doctor(ctx, e); err != nil {
		return q, err
	}
	incidents := make([]ribbon.Incident, len(e.Incidents))
	for i, x := range e.Incidents {
		incidents[i] = ribbon.Incident{Seat: x.SeatID, Code: x.Code, At: x.At}
	}
	if q.Stretches, err = ribbon.Of(q.Seats, incidents); err != nil {
		return q, err
	}
	if q.Attendance = attendance(e, q.Stretches, s.Clock.Now()); q.Attendance != Absent {
		return q, nil
	}
	failed, err := s.Checks.Failed(ctx, []care.EncounterID{e.ID})
	if failed[e.ID] {
		q.Attendance = Blocked
	}
	return q, err
}

// doctor gives the word for those who held the role doctor in an act: a physician,
// a dentist and a midwife hold it. Of several professions, and of nobody whose
// profession is known, it is Professional.
func (s *Service) doctor(ctx context.Context, e *Encounter) (word profession.Word, err error) {
	asked := map[string]bool{}
	for _, p := range e.Presence {
		if p.Role != care.Doctor || asked[p.PersonID] {
			continue
		}
		asked[p.PersonID] = true
		who, err := s.People.Staff(ctx, care.StaffID(p.PersonID))
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return "", err
		}
		if err != nil || who.Word == "" || word != "" && word != who.Word {
			return profession.Professional, nil
		}
		word = who.Word
	}
	return cmp.Or(word, profession.Professional), nil
}

// seatsOf puts stays and samples of each seat together, in the order in which
// they joined.
func seatsOf(e *Encounter, rows []qualityRow) ([]ribbon.Seat, error) {
	var seats []ribbon.Seat
	seat := func(id string, role care.Role) *ribbon.Seat {
		i := slices.IndexFunc(seats, func(x ribbon.Seat) bool { return x.ID == id })
		if i < 0 {
			i, seats = len(seats), append(seats, ribbon.Seat{ID: id, Role: role})
		}
		return &seats[i]
	}
	for _, p := range e.Presence {
		if p.Role == RoleDevice {
			continue // it says nothing of its call
		}
		x := seat(p.SeatID, p.Role)
		x.Stays = append(x.Stays, ribbon.Span{From: p.JoinedAt, To: p.LeftAt})
	}
	for _, r := range rows {
		var list []events.Sample
		if err := json.Unmarshal([]byte(r.Samples), &list); err != nil {
			return nil, err
		}
		x := seat(r.SeatID, care.Role(r.Role))
		x.Samples = append(x.Samples, list...)
	}
	for i := range seats {
		seats[i].Ended = e.FinishedAt
	}
	slices.SortStableFunc(seats, func(a, b ribbon.Seat) int { return cmp.Compare(rank(a.Role), rank(b.Role)) })
	return seats, nil
}

// rank puts the patient first: it is their call that staff ask about.
func rank(r care.Role) int {
	return slices.Index([]care.Role{care.Companion, care.Patient}, r) * -1
}

// attendance tells whether an act was held, and if not why. Who came and could
// not be seen had technical trouble; who never came is absent.
func attendance(e *Encounter, list []ribbon.Stretch, now time.Time) Attendance {
	came := !e.ArrivedAt.IsZero() || !e.waitingToldAt.IsZero()
	trouble := slices.ContainsFunc(list, func(x ribbon.Stretch) bool { return x.Role == care.Patient && x.Word != ribbon.Good })
	over := !e.open() || now.After(e.PlannedEnd.Add(notReceived))
	switch {
	case e.Status == Cancelled, !over:
		return NotYet
	case !e.StartedAt.IsZero() && e.VideoSeconds == 0 && (trouble || len(e.Incidents) > 0):
		return Technical
	case !e.StartedAt.IsZero():
		return Held
	case came:
		return WentAway
	}
	return Absent
}

// Troubles are the stretches that were not good, in the order of time, each
// trouble once: what one side suffered of the other's link is the other's.
func (q Quality) Troubles() (list []ribbon.Stretch) {
	for _, x := range q.Stretches {
		if x.Cause == nil || x.Cause.Never {
			continue
		}
		same := slices.ContainsFunc(q.Stretches, func(y ribbon.Stretch) bool {
			return y.Cause != nil && !y.Cause.Never && y.Seat != x.Seat && y.From.Before(x.To.Add(atOnce)) && x.From.Before(y.To.Add(atOnce)) &&
				(y.Cause.Role == x.Cause.Role && y.Role == x.Cause.Role || y.Cause.Code == x.Cause.Code && everybodys(x.Cause.Code) && y.Seat < x.Seat)
		})
		if !same {
			list = append(list, x)
		}
	}
	slices.SortStableFunc(list, func(a, b ribbon.Stretch) int { return a.From.Compare(b.From) })
	return list
}

// everybodys tells whether a cause is one for all who are in the call.
func everybodys(code string) bool {
	return code == "node-lost" || code == "app-restarted" || code == "all-cut"
}

// Told is one line of the technical incidents of an act's report.
type Told struct {
	At     time.Time
	Code   string    // of an incident, when no stretch explains it
	Role   care.Role // of the seat of that incident; empty when it is everybody's
	Seat   string
	Why    *ribbon.Stretch
	doctor profession.Word // Quality.Doctor
}

// Incidents gives the technical incidents of an act (CSP R6316-4, 5°) with
// their causes, as far as they are proven: its report is signed. What a stretch
// explains is not told a second time by its bare incidents.
func (q Quality) Incidents() (list []Told) {
	for _, x := range q.Troubles() {
		if x.Cause.Signed {
			list = append(list, Told{At: x.From, Why: &x, Seat: x.Seat, doctor: q.Doctor})
		}
	}
	for _, i := range q.Act.Incidents {
		explained := slices.ContainsFunc(q.Stretches, func(x ribbon.Stretch) bool {
			return x.Cause != nil && x.Cause.Signed && (x.Seat == i.SeatID || i.SeatID == "" && x.Cause.Code == "app-restarted") && !i.At.Before(x.From.Add(-aroundIt)) && !i.At.After(x.To.Add(aroundIt))
		})
		if !explained {
			list = append(list, Told{At: i.At, Code: i.Code, Role: q.roleOf(i.SeatID), Seat: i.SeatID, doctor: q.Doctor})
		}
	}
	slices.SortStableFunc(list, func(a, b Told) int { return a.At.Compare(b.At) })
	return list
}

func (q Quality) roleOf(seat string) care.Role {
	for _, s := range q.Seats {
		if s.ID == seat {
			return s.Role
		}
	}
	return ""
}

const (
	atOnce   = 5 * time.Second  // two seats' troubles so close are one
	aroundIt = 15 * time.Second // an incident so near a stretch is of it
)
