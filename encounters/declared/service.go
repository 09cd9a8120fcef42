package declared

import (
	"context"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/clock"
	"visavis/internal/fault"
	"visavis/internal/seal"
	"visavis/internal/store"
)

// Act is what must be known of the act of an appointment.
type Act struct {
	PatientID care.PatientID
	Relation  authz.Relation // of the actor of the context
	Begun     bool           // the consultation has started: the patient tells the doctor
	Over      bool           // ended or cancelled
	Secret    bool           // a minor keeps it from their parents, who hold their links (CSP L1111-5, L5134-1)
}

// Acts tells about acts; encounters answers. It fails as NotFound.
type Acts interface {
	Act(ctx context.Context, id care.AppointmentID) (Act, error)
}

// Deps are what the service is made of.
type Deps struct {
	DB     *store.DB
	Audit  *audit.Log
	Keeper *seal.Keeper
	Table  *authz.Table
	Clock  clock.Clock
	Acts   Acts
}

// Service holds the use cases.
type Service struct{ Deps }

// New returns the service.
func New(d Deps) *Service { return &Service{d} }

// Declare keeps what was said at a booking; the caller has checked who books. It joins the caller's transaction. It fails as
// Invalid, naming the fields after "declared.", and keeps nothing when nothing is given.
func (s *Service) Declare(ctx context.Context, id care.AppointmentID, patient care.PatientID, g Given) error {
	if wrong := g.Check("declared."); len(wrong) > 0 {
		return fault.Fields(wrong...)
	}
	if g.Empty() {
		return nil
	}
	return s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		var d Declaration
		d.update(g, care.Patient, "", s.Clock.Now())
		if err := s.insert(ctx, tx, id, patient, d); err != nil {
			return err
		}
		return s.record(ctx, tx, "declaration.write", id, patient)
	})
}

// closed says why the actor cannot change a declaration any more; "" while it can be changed. Professionals write until
// the act ends, the patient until it begins: from then on the doctor is there to be told, and has read what stood.
func (a Act) closed(by care.Role) string {
	switch {
	case a.Over:
		return "declaration-closed"
	case a.Begun && by == care.Patient:
		return "declaration-begun"
	}
	return ""
}

// Read gives what is known for an act, and writes that it was read.
func (s *Service) Read(ctx context.Context, id care.AppointmentID) (Declaration, error) {
	var d Declaration
	err := s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		act, err := s.allowed(ctx, id, "declaration.read")
		if err != nil {
			return err
		}
		if d, err = s.load(ctx, tx, id); err != nil {
			return err
		}
		d.Closed = act.closed(authz.From(ctx).Role)
		return s.record(ctx, tx, "declaration.read", id, act.PatientID)
	})
	return d, err
}

// Of gives what is known for an act to another module, which has checked who asks and writes that it was read.
func (s *Service) Of(ctx context.Context, id care.AppointmentID) (Declaration, error) {
	var d Declaration
	err := s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		d, err = s.load(ctx, tx, id)
		return err
	})
	return d, err
}

// Write changes what is known, and keeps what was said before. seen is the version that the writer read; it fails as
// Conflict: "changed-meanwhile" when it is no longer the last, "declaration-begun" for the patient once the act has begun,
// "declaration-closed" after the act, "declaration-changes" after too many changes by the patient; or as Invalid.
func (s *Service) Write(ctx context.Context, id care.AppointmentID, g Given, seen int64) (Declaration, error) {
	var d Declaration
	err := s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		act, err := s.allowed(ctx, id, "declaration.write")
		if err != nil {
			return err
		}
		if wrong := g.Check(""); len(wrong) > 0 {
			return fault.Fields(wrong...)
		}
		a := authz.From(ctx)
		switch act.closed(a.Role) {
		case "declaration-closed":
			return fault.New(fault.Conflict, "declaration-closed")
		case "declaration-begun":
			return fault.New(fault.Conflict, "declaration-begun")
		}
		if d, err = s.load(ctx, tx, id); err != nil {
			return err
		}
		if d.Version != seen {
			return fault.New(fault.Conflict, "changed-meanwhile")
		}
		if a.Role == care.Patient && d.tooOften(g) {
			return fault.New(fault.Conflict, "declaration-changes")
		}
		d.update(g, a.Role, a.ID(), s.Clock.Now())
		if seen == 0 {
			err = s.insert(ctx, tx, id, act.PatientID, d)
		} else {
			err = s.replace(ctx, tx, id, act.PatientID, d)
		}
		if err != nil {
			return err
		}
		return s.record(ctx, tx, "declaration.write", id, act.PatientID)
	})
	return d, err
}

func (s *Service) allowed(ctx context.Context, id care.AppointmentID, action authz.Action) (Act, error) {
	act, err := s.Acts.Act(ctx, id)
	if err != nil {
		return act, err
	}
	if act.Secret && authz.From(ctx).Role == care.Patient {
		return act, fault.Missing()
	}
	return act, s.Table.Can(authz.From(ctx), action, act.Relation)
}

func (s *Service) record(ctx context.Context, tx *store.Tx, action authz.Action, id care.AppointmentID, patient care.PatientID) error {
	return s.Audit.Append(ctx, tx, audit.Entry{Action: action, Object: "appointment/" + string(id), Patient: patient})
}
