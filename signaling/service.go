package signaling

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"slices"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/clock"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/profession"
	"visavis/internal/seal"
	"visavis/internal/store"
	"visavis/signaling/chat"
	"visavis/signaling/sockets"
)

// Act is what signaling asks to know of an encounter.
type Act struct {
	ID             care.EncounterID
	AppointmentID  care.AppointmentID
	PatientID      care.PatientID
	PractitionerID care.StaffID
	Kind           care.ActKind
	Planned        time.Time
	Over           bool // finished or cancelled
	Cancelled      bool
	// Withdrawn: its appointment is cancelled. An act that had begun goes on all
	// the same.
	Withdrawn bool
}

// Acts answers about encounters: encounters does. Act fails as NotFound when
// there is none. End finishes the act in the name of the actor of ctx.
type Acts interface {
	Act(ctx context.Context, id care.EncounterID) (Act, error)
	Relation(ctx context.Context, a authz.Actor, id care.EncounterID) (authz.Relation, error)
	End(ctx context.Context, id care.EncounterID, at time.Time) error
}

// Person is what others in the room see of somebody.
type Person struct {
	Name     string
	Word     profession.Word // what pages name them by; empty: their role
	Identity string          // of a patient: the RNIV status, for hosts
	PhoneEnd string          // of a patient: the last two digits of where an SMS reaches them; none: ""
}

// People answers about persons: identity does. id is a PatientID, a StaffID or a
// CompanionID.
// Ended gives those of the sessions that may hold no socket any more; Touch says
// that a socket of these is open, which keeps them from idling.
type People interface {
	Person(ctx context.Context, role care.Role, id string) (Person, error)
	Ended(ctx context.Context, ids []care.SessionID) ([]care.SessionID, error)
	Touch(ctx context.Context, ids []care.SessionID) error
}

// Consents tells where the consent to an act stands: consent does.
type Consents interface {
	State(ctx context.Context, id care.AppointmentID) (care.ConsentState, error)
}

// Devices tells who answers for the thing on a seat: signaling/whip does.
type Devices interface {
	Device(ctx context.Context, seat string) (Device, error)
}

// Deps is what the module is made of.
type Deps struct {
	DB       *store.DB
	Bus      *events.Bus
	Audit    *audit.Log
	Keeper   *seal.Keeper
	Table    *authz.Table
	Clock    clock.Clock
	Log      *slog.Logger
	Origins  []string // exact, as https://host
	Acts     Acts
	People   People
	Consents Consents
	Agenda   Agenda
	Devices  Devices
	Media    Media
	Relay    Relay
	// Outlived: media goes on when this process stops, and the next one is told
	// by Reconcile what there is.
	Outlived bool
	Sockets  sockets.Limits
	Refused  func(authz.Refusal) // of what a signed-in person is refused here; nil: nobody
}

// Service holds the use cases and the live hub.
type Service struct {
	Deps
	hub     *hub
	scribe  *scribe
	sockets *sockets.Counter
}

// New returns the service. Start it before the first socket.
func New(d Deps) *Service {
	if d.Log == nil {
		d.Log = slog.Default()
	}
	s := &Service{Deps: d, sockets: sockets.New(d.Sockets)}
	s.scribe = newScribe(s)
	s.hub = newHub(s)
	return s
}

// Start begins to write facts and to look after the rooms.
func (s *Service) Start() {
	s.scribe.restarted()
	s.scribe.start()
	s.hub.start()
}

// Stop closes every socket with 1001, writes what is left to write, and
// returns when done or when ctx is. Seats stay.
func (s *Service) Stop(ctx context.Context) error {
	s.hub.stop(ctx)
	return s.scribe.stop(ctx)
}

// Ticket is what opens a socket, once.
type Ticket struct {
	Secret    string
	ExpiresAt time.Time
}

// Admission checks who asks, makes or finds their seat, and gives a ticket
// bound to session, encounter and origin (trust B10). It fails as NotFound for
// who has no seat there, and as Gone when the act is over.
func (s *Service) Admission(ctx context.Context, id care.EncounterID, origin string) (Ticket, error) {
	a := authz.From(ctx)
	rel, err := s.Acts.Relation(ctx, a, id)
	if err != nil {
		return Ticket{}, err
	}
	if err := s.Table.Can(a, "seat.admission", rel); err != nil {
		return Ticket{}, err
	}
	t := Ticket{Secret: newSecret(), ExpiresAt: s.Clock.Now().Add(ticketLife)}
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		act, err := s.current(ctx, tx, id)
		if err != nil {
			return err
		}
		seat, err := s.seatFor(tx, a, act, rel == authz.Own && a.StaffID != "")
		if err != nil {
			return err
		}
		if seat.over() {
			return errOver
		}
		if err := insertTicket(tx, ticketRow{
			Hash: ticketHash(t.Secret), SessionID: string(a.SessionID), SeatID: seat.ID, Origin: origin,
			ExpiresAt: store.Micros(t.ExpiresAt),
		}); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "seat.admission", Object: "encounter/" + string(id), Patient: act.PatientID})
	})
	return t, err
}

// current gives an act that somebody may come into, as this transaction has it.
// It fails as Gone when the act is over, or was cancelled before it began. It is
// asked when a ticket is given and again when it is used.
func (s *Service) current(ctx context.Context, tx *store.Tx, id care.EncounterID) (Act, error) {
	act, err := s.Acts.Act(authz.With(ctx, authz.SystemActor()), id)
	if err != nil {
		return act, err
	}
	over, err := s.isOver(tx, act)
	if err == nil && over {
		err = errOver
	}
	return act, err
}

// errOver refuses whoever comes into an act that is over.
var errOver = fault.New(fault.Gone, "encounter-over")

// isOver says whether an act is finished or cancelled, or its appointment is and
// no patient was admitted before.
func (s *Service) isOver(tx *store.Tx, act Act) (bool, error) {
	if act.Over || !act.Withdrawn {
		return act.Over, nil
	}
	began, err := patientAdmitted(tx, act.ID)
	return !began, err
}

func ticketHash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// seatFor finds the person's seat or makes it. Two at once make one.
func (s *Service) seatFor(tx *store.Tx, a authz.Actor, act Act, host bool) (Seat, error) {
	now := s.Clock.Now()
	seat := Seat{
		ID: care.NewID(now), EncounterID: act.ID, PatientID: act.PatientID, PersonID: a.ID(), Role: a.Role, Host: host, State: Waiting,
		Queue: act.PractitionerID, Kind: act.Kind, Planned: act.Planned, ArrivedAt: now, SeenAt: now,
	}
	if host {
		seat.to(Admitted, now)
	}
	if err := insertSeat(tx, seat); err != nil {
		return Seat{}, err
	}
	seat, err := lockSeatOf(tx, act.ID, a.ID())
	if err != nil || seat.Planned.Equal(act.Planned) {
		return seat, err
	}
	seat.Planned = act.Planned // the appointment was moved
	return seat, updateSeat(tx, seat)
}

// redeem uses a ticket up and gives its seat, which is not taken yet (takeSeat).
func (s *Service) redeem(ctx context.Context, secret string, a authz.Actor, origin string) (seat Seat, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		id, err := useTicket(tx, ticketHash(secret), string(a.SessionID), origin, store.Micros(s.Clock.Now()))
		if err != nil {
			return err
		}
		if seat, err = loadSeat(tx, id); err != nil {
			return err
		}
		_, err = s.enterable(ctx, tx, seat)
		return err
	})
	return seat, err
}

func presence(s Seat, at time.Time) events.Presence {
	return events.Presence{EncounterID: s.EncounterID, SeatID: s.ID, PersonID: s.PersonID, Role: s.Role, At: store.Micros(at)}
}

// admit lets a waiting seat in, in the host's name. The act starts with the
// patient.
func (s *Service) admit(ctx context.Context, id string) (seat Seat, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if seat, err = lockSeat(tx, id); err != nil || seat.State == Admitted {
			return err
		}
		if _, err := s.current(ctx, tx, seat.EncounterID); err != nil {
			return err
		}
		now, first := s.Clock.Now(), seat.AdmittedAt.IsZero()
		if !seat.to(Admitted, now) {
			return fault.Missing()
		}
		seat.AdmittedSession = seat.SessionID
		if err := updateSeat(tx, seat); err != nil {
			return err
		}
		if seat.Role == care.Patient && first {
			if err := s.Bus.Publish(ctx, tx, events.EncounterStarted, string(seat.EncounterID), presence(seat, now)); err != nil {
				return err
			}
		}
		return s.trace(ctx, tx, seat, "admitted")
	})
	return seat, err
}

// hold writes who is held in an act from now on, and gives the seats for which
// that is a change.
func (s *Service) hold(ctx context.Context, id care.EncounterID, held []string) (changed []Seat, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		changed = nil
		all, err := lockSeatsOf(tx, id)
		if err != nil {
			return err
		}
		for _, h := range held {
			if !slices.ContainsFunc(all, func(seat Seat) bool { return seat.ID == h }) {
				return fault.Missing()
			}
		}
		for _, seat := range all {
			now := slices.Contains(held, seat.ID)
			if now == seat.Held {
				continue
			}
			seat.Held = now
			what := map[bool]string{true: "held", false: "let go"}[now]
			if err := holdSeat(tx, seat.ID, now); err != nil {
				return err
			}
			if err := s.trace(ctx, tx, seat, what); err != nil {
				return err
			}
			changed = append(changed, seat)
		}
		return nil
	})
	return changed, err
}

// remove takes a seat out for good, in the host's name.
func (s *Service) remove(ctx context.Context, id, reason string) (seat Seat, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if seat, err = lockSeat(tx, id); err != nil || seat.over() {
			return err
		}
		seat.to(Removed, s.Clock.Now())
		if err := updateSeat(tx, seat); err != nil {
			return err
		}
		return s.trace(ctx, tx, seat, reason)
	})
	return seat, err
}

func (s *Service) trace(ctx context.Context, tx *store.Tx, seat Seat, what string) error {
	return s.Audit.Append(ctx, tx, audit.Entry{
		Action: "seat.admission", Object: "seat/" + seat.ID, Patient: seat.PatientID, Detail: map[string]string{"what": what},
	})
}

// leave notes that somebody left by their own will.
func (s *Service) leave(ctx context.Context, id string) error {
	return s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		seat, err := lockSeat(tx, id)
		waited := seat.State == Waiting
		if err != nil || !seat.to(Left, s.Clock.Now()) {
			return err
		}
		if err := updateSeat(tx, seat); err != nil || !waited {
			return err
		}
		return s.wentAway(ctx, tx, seat)
	})
}

// wentAway tells that a patient waits no more for the act to begin.
func (s *Service) wentAway(ctx context.Context, tx *store.Tx, seat Seat) error {
	if seat.Role != care.Patient || !seat.AdmittedAt.IsZero() {
		return nil
	}
	return s.Bus.Publish(ctx, tx, events.PatientWentAway, string(seat.EncounterID), presence(seat, s.Clock.Now()))
}

func (s *Service) book() chat.Book { return chat.Book{Keeper: s.Keeper, Log: s.Log} }

// write keeps a message of a seat with those who may read it now.
func (s *Service) write(ctx context.Context, act Act, seat string, m *inbound) (l chat.Line, over chat.Limit, err error) {
	d := chat.Draft{Act: act.ID, Patient: act.PatientID, Practitioner: act.PractitionerID, Seat: seat, ID: m.ID, To: m.To, Text: m.Text}
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, err := lockSeat(tx, seat); err != nil { // its limits are counted, then used up
			return err
		}
		members, err := membersOf(tx, act.ID)
		if err != nil {
			return err
		}
		l, over, err = s.book().Write(ctx, tx, s.Clock.Now(), d, members)
		return err
	})
	return l, over, err
}

// history opens the last messages that whoever sits on a seat may read.
func (s *Service) history(ctx context.Context, seat Seat) (list []chat.Line, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		list, err = s.book().History(ctx, tx, seat.EncounterID, seat.PatientID, seat.PersonID, seat.ID, seat.Host)
		return err
	})
	return list, err
}

// Online tells whether the patient of an act is on line now.
func (s *Service) Online(_ context.Context, id care.EncounterID) (bool, error) {
	r := s.hub.find(id)
	return r != nil && r.patientOnline(), nil
}
