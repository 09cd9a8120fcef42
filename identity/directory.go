package identity

import (
	"context"
	"slices"
	"strings"

	"visavis/identity/prosante"
	"visavis/identity/traits"
	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/store"
)

// The questions other modules ask. They answer code, not people: whoever asks
// has checked that the person in front may know, and writes the audit row.

// Patient gives a patient, or fault.Missing.
func (s *Service) Patient(ctx context.Context, id care.PatientID) (p Patient, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		p, err = loadPatient(ctx, tx, s.Keeper, id)
		return err
	})
	return p, err
}

// PatientName is how people call a patient.
func (s *Service) PatientName(ctx context.Context, id care.PatientID) (string, error) {
	p, err := s.Patient(ctx, id)
	return p.DisplayName(), err
}

// PatientNames is PatientName for many; who does not exist is absent.
func (s *Service) PatientNames(ctx context.Context, ids []care.PatientID) (map[care.PatientID]string, error) {
	names := make(map[care.PatientID]string, len(ids))
	err := s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		list, err := patientsByID(ctx, tx, s.Keeper, ids)
		for _, p := range list {
			names[p.ID] = p.DisplayName()
		}
		return err
	})
	return names, err
}

// Minor tells whether a patient is under 18 at an instant, in France.
func (s *Service) Minor(ctx context.Context, id care.PatientID) (bool, error) {
	p, err := s.Patient(ctx, id)
	return err == nil && p.Minor(s.today()), err
}

// Contact is where a patient can be written to. Either address may be empty.
type Contact struct {
	Phone    string // E.164
	Mobile   bool   // the phone can get an SMS
	Email    string
	Language care.Language
}

// Contact tells where a patient can be written to; for a minor, where a
// representative can.
func (s *Service) Contact(ctx context.Context, id care.PatientID) (Contact, error) {
	p, err := s.Patient(ctx, id)
	if err != nil {
		return Contact{}, err
	}
	return p.reach(s.today()), nil
}

// ContactThrough is Contact for what a representative asked for: representative
// is what LinkRequested or CodeRequested said, or nothing.
func (s *Service) ContactThrough(ctx context.Context, id care.PatientID, representative string) (Contact, error) {
	p, err := s.Patient(ctx, id)
	if err != nil {
		return Contact{}, err
	}
	return s.through(p, representative), nil
}

// Staff gives one person of one organisation, active or not, or fault.Missing.
func (s *Service) Staff(ctx context.Context, id care.StaffID) (p Staff, err error) {
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		p, err = loadStaff(tx, id)
		return err
	})
	return p, err
}

// Organization gives one organisation, or fault.Missing.
func (s *Service) Organization(ctx context.Context, id care.OrganizationID) (o Organization, err error) {
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		o, err = loadOrganization(tx, id)
		return err
	})
	return o, err
}

// Organizations lists every organisation, by FINESS.
func (s *Service) Organizations(ctx context.Context) (list []Organization, err error) {
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		list, err = organizations(tx)
		return err
	})
	return list, err
}

// Everybody lists the people of an organisation, also those who left.
func (s *Service) Everybody(ctx context.Context, o care.OrganizationID) (list []Staff, err error) {
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		list, err = everybody(tx, o)
		return err
	})
	return list, err
}

// StaffOf lists the active people of an organisation in a role; all roles when
// it is empty.
func (s *Service) StaffOf(ctx context.Context, o care.OrganizationID, role care.Role) (list []Staff, err error) {
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		list, err = staffOf(tx, o, role)
		return err
	})
	return list, err
}

// WorksAt tells whether someone is active staff of an organisation.
func (s *Service) WorksAt(ctx context.Context, id care.StaffID, o care.OrganizationID) (bool, error) {
	p, err := s.Staff(ctx, id)
	if fault.KindOf(err) == fault.NotFound {
		return false, nil
	}
	return p.Active && p.Organization.ID == o, err
}

// IsPatientOf tells whether a patient's file belongs to an organisation.
func (s *Service) IsPatientOf(ctx context.Context, id care.PatientID, o care.OrganizationID) (bool, error) {
	p, err := s.Patient(ctx, id)
	if fault.KindOf(err) == fault.NotFound {
		return false, nil
	}
	return err == nil && p.OrganizationID == o, err
}

// Doctors lists at most 50 active doctors, of any of the specialty codes
// (TRE_R38; none is all) and whose name holds each word of text, in any order.
func (s *Service) Doctors(ctx context.Context, specialties []string, text string) (list []Staff, err error) {
	var words []string
	for _, w := range strings.Fields(text) {
		if key := traits.SearchKey(w); key != "" {
			words = append(words, key)
		}
	}
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		list, err = doctors(tx, specialties, words, 50)
		return err
	})
	return list, err
}

// Specialties lists the specialty codes somebody practises here.
func (s *Service) Specialties(ctx context.Context) (codes []string, err error) {
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		codes, err = specialties(tx)
		return err
	})
	return codes, err
}

// PutOrganization creates the organisation of a FINESS, or updates it. The same
// words again change nothing.
func (s *Service) PutOrganization(ctx context.Context, o Organization) (id care.OrganizationID, err error) {
	if o, err = o.Clean(); err != nil {
		return "", err
	}
	now := s.Clock.Now()
	o.ID = care.OrganizationID(care.NewID(now))
	err = s.tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		var changed bool
		if id, changed, err = putOrganization(tx, o, store.Micros(now)); err != nil || !changed {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "organization.put", Object: "organization/" + string(id)})
	})
	return id, err
}

// PutStaff creates a person in an organisation, or updates them, also one who
// had left: they are found by national identifier. The same words again change
// nothing.
func (s *Service) PutStaff(ctx context.Context, p Staff) (id care.StaffID, err error) {
	if p, err = p.Clean(); err != nil {
		return "", err
	}
	now := s.Clock.Now()
	p.ID = care.StaffID(care.NewID(now))
	err = s.tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		var changed bool
		if id, changed, err = putStaff(tx, p, store.Micros(now)); err != nil || !changed {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "staff.put", Object: "staff/" + string(id), Detail: map[string]string{"role": string(p.Role)}})
	})
	return id, err
}

// Dismiss takes someone off the staff and ends their sessions. It takes effect
// at the next request anywhere (trust S12).
func (s *Service) Dismiss(ctx context.Context, id care.StaffID) error {
	return s.tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := setStaffActive(tx, id, 0); err != nil {
			return err
		}
		if err := endSessionsOf(tx, "staff_id", string(id), store.Micros(s.Clock.Now())); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "staff.dismiss", Object: "staff/" + string(id)})
	})
}

// Colleagues lists the people of the caller's organisation, by role.
func (s *Service) Colleagues(ctx context.Context, role care.Role) ([]Staff, error) {
	a := authz.From(ctx)
	if err := s.Table.Can(a, "staff.list", authz.Org); err != nil {
		return nil, err
	}
	if role != "" && !slices.Contains(authz.Roles[:], role) {
		return nil, fault.Fields(fault.Field{Name: "role", Code: "not-a-choice"})
	}
	return s.StaffOf(ctx, a.OrganizationID, role)
}

// situations lists, of the places a professional works, those they may sign in
// at: an exercice must be declared at the organisation and allow the role. An
// employee is known by the FINESS inside their number.
func situations(who prosante.Professional, places []Staff) (list []Staff) {
	for _, p := range places {
		here := who.At(p.Organization.FINESS)
		if strings.HasPrefix(string(who.IdNat), "3"+p.Organization.FINESS+"/") {
			here = append(here, prosante.Exercice{})
		}
		if slices.ContainsFunc(here, func(e prosante.Exercice) bool { return e.MayHold(p.Role) }) {
			list = append(list, p)
		}
	}
	return list
}
