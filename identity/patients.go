package identity

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"visavis/identity/traits"
	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/store"
)

const (
	minPrefix = 2  // letters of a name a search needs
	maxPrefix = 12 // letters of a name that are indexed
	maxFound  = 20
)

// Booking is what a booking says of the patient.
type Booking struct {
	OrganizationID care.OrganizationID
	FamilyName     string
	GivenName      string
	BirthDate      string // YYYY-MM-DD
	Phone          string
	Email          string
	Language       care.Language
	// Proven is the channel of the contact that whoever books has proved to read,
	// "sms" or "email". The other contact is kept and not written to. Empty: both
	// stand, as staff typed them or both are on file.
	Proven string
}

// FindOrCreatePatient gives the patient of the organisation with that family
// name (birth or used), given name and birth date, and with each contact given,
// phone, e-mail or both, or makes a new one at status PROV. Somebody who gives a
// contact that is not on file is not taken for the patient of that name: a
// doubtful match is for a person to decide (RNIV), and codes must keep going
// where they went. Nothing in the answer or its errors tells which happened,
// and no file is changed. Bookings of the same new person at once make one
// patient. It joins the caller's transaction. Refusals name the fields as
// patient.familyName….
func (s *Service) FindOrCreatePatient(ctx context.Context, b Booking) (id care.PatientID, err error) {
	p, err := s.booked(b)
	if err != nil {
		return "", err
	}
	return s.findOrCreate(ctx, p)
}

// CheckBooking tells what FindOrCreatePatient would refuse, and looks at no patient.
func (s *Service) CheckBooking(b Booking) error {
	_, err := s.booked(b)
	return err
}

// booked checks a booking's words and makes a patient of them.
func (s *Service) booked(b Booking) (Patient, error) {
	p := Patient{OrganizationID: b.OrganizationID, Language: b.Language, Record: Record{Phone: b.Phone, Email: b.Email,
		Traits: traits.Traits{BirthFamilyName: b.FamilyName, FirstGivenName: b.GivenName, BirthDate: traits.Date(b.BirthDate)}}}
	p, err := p.clean(s.today())
	problems := renamed(err, map[string]string{"birthFamilyName": "patient.familyName", "firstGivenName": "patient.givenName",
		"birthGivenNames": "patient.givenName", "birthDate": "patient.birthDate", "phone": "patient.phone", "email": "patient.email"})
	if strings.TrimSpace(b.Phone) == "" && strings.TrimSpace(b.Email) == "" {
		problems = append(problems, fault.Field{Name: "patient.phone", Code: "phone-or-email-needed"})
	}
	switch {
	case b.Proven == "sms" && p.Email != "":
		p.Unproven = "email"
	case b.Proven == "email" && p.Phone != "":
		p.Unproven = "phone"
	}
	return p, fault.Fields(problems...)
}

// AddPatient makes a patient with a whole file, or gives the one who has the
// same matricule or the same name, birth date and contacts in the organisation.
func (s *Service) AddPatient(ctx context.Context, p Patient) (id care.PatientID, err error) {
	if p, err = p.clean(s.today()); err != nil {
		return "", err
	}
	return s.findOrCreate(ctx, p)
}

func (s *Service) findOrCreate(ctx context.Context, p Patient) (id care.PatientID, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		claims := s.claims(p)
		ids, err := claimants(tx, p.OrganizationID, claims)
		if err != nil {
			return err
		}
		var found bool
		if id, found, err = s.same(ctx, tx, p, ids); err != nil || found {
			return err
		}
		id, err = s.create(ctx, tx, p, claims)
		return err
	})
	return id, err
}

// same finds, among patients who share a claim with p, the first who is p:
// same matricule, or every contact of p on file.
func (s *Service) same(ctx context.Context, tx *store.Tx, p Patient, ids []care.PatientID) (care.PatientID, bool, error) {
	if len(ids) == 0 {
		return "", false, nil
	}
	list, err := patientsByID(ctx, tx, s.Keeper, ids)
	if err != nil {
		return "", false, err
	}
	for _, q := range list {
		contacts := (p.Phone == "" || p.Phone == q.Phone) && (p.Email == "" || strings.EqualFold(p.Email, q.Email))
		if p.INS.Matricule != "" && p.INS == q.INS || p.Phone+p.Email != "" && contacts {
			return q.ID, true, nil
		}
	}
	return "", false, nil
}

// create takes the claims nobody holds, then writes the patient. A claim lost
// to a transaction that just committed gives the patient of that one, when it
// is the same person.
func (s *Service) create(ctx context.Context, tx *store.Tx, p Patient, claims [][]byte) (care.PatientID, error) {
	p.Since = s.Clock.Now()
	p.ID = care.PatientID(care.NewID(p.Since))
	for _, c := range claims { // sorted: two creations cannot wait for each other
		holder, err := claim(tx, p.OrganizationID, c, p.ID)
		if err != nil {
			return "", err
		}
		if holder == p.ID {
			continue
		}
		winner, found, err := s.same(ctx, tx, p, []care.PatientID{holder})
		if err != nil {
			return "", err
		}
		if found {
			return winner, reclaim(tx, p.ID, winner)
		}
	}
	if err := insertPatient(ctx, tx, s.Keeper, p, s.hashes(p)); err != nil {
		return "", err
	}
	return p.ID, s.Audit.Append(ctx, tx, audit.Entry{Action: "appointment.book", Object: "patient/" + string(p.ID), Patient: p.ID,
		Detail: map[string]string{"status": string(p.Status)}})
}

// claims are the hashes only one patient of an organisation may hold: name,
// birth date and a contact, or both contacts, together; the matricule INS.
func (s *Service) claims(p Patient) [][]byte {
	var out [][]byte
	for _, family := range nonEmpty(p.Traits.BirthFamilyName, p.Traits.UsedFamilyName) {
		for _, given := range nonEmpty(p.Traits.FirstGivenName, p.Traits.UsedGivenName, p.Traits.BirthGivenNames) {
			for _, contact := range nonEmpty(p.provenPhone(), strings.ToLower(p.provenEmail()), both(p)) {
				out = append(out, s.index.Of("patients.claim", strings.Join([]string{
					traits.SearchKey(family), traits.SearchKey(given), string(p.Traits.BirthDate), contact}, "|")))
			}
		}
	}
	if p.INS.Matricule != "" {
		out = append(out, s.index.Of("patients.claim", "ins|"+p.INS.OID+"|"+p.INS.Matricule))
	}
	slices.SortFunc(out, slices.Compare)
	return slices.CompactFunc(out, slices.Equal)
}

// both is a claim on two contacts together, when both are proven.
func both(p Patient) string {
	if p.provenPhone() == "" || p.provenEmail() == "" {
		return ""
	}
	return p.Phone + " " + strings.ToLower(p.Email)
}

// hashes are what a patient is found by: beginnings of names, birth date,
// contacts.
func (s *Service) hashes(p Patient) [][]byte {
	out := [][]byte{s.index.Of("patients.birth", string(p.Traits.BirthDate))}
	t := p.Traits
	for _, name := range nonEmpty(t.BirthFamilyName, t.UsedFamilyName, t.FirstGivenName, t.UsedGivenName) {
		key := traits.SearchKey(name)
		for n := minPrefix; n <= min(maxPrefix, utf8.RuneCountInString(key)); n++ {
			out = append(out, s.index.Of("patients.name", string([]rune(key)[:n])))
		}
	}
	if phone := p.provenPhone(); phone != "" {
		out = append(out, s.index.Of("patients.phone", phone))
	}
	if email := p.provenEmail(); email != "" {
		out = append(out, s.index.Of("patients.email", strings.ToLower(email)))
	}
	for _, r := range p.Representatives {
		for _, contact := range nonEmpty(r.Phone, strings.ToLower(r.Email)) {
			out = append(out, s.representative(contact))
		}
	}
	slices.SortFunc(out, slices.Compare)
	return slices.CompactFunc(out, slices.Equal)
}

// Reindex finds anew what the patients of an earlier version are found by, at
// most 200 in a transaction. It runs hourly and has nothing to do but once.
func (s *Service) Reindex(ctx context.Context) error {
	for more := true; more; {
		err := s.tx(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
			more, err = reindex(ctx, tx, s.Keeper, 200, s.hashes)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

var (
	dayFirst  = regexp.MustCompile(`^(\d{2})[/. -](\d{2})[/. -](\d{4})$`)
	yearFirst = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)
)

// SearchPatients finds patients of the caller's organisation by the beginning
// of each name word, by birth date (31/12/1990 or 1990-12-31), or both. It
// needs two letters or a date. At most 20 come back, all audited.
func (s *Service) SearchPatients(ctx context.Context, text string) (list []Patient, err error) {
	a := authz.From(ctx)
	if err := s.Table.Can(a, "patient.search", authz.Org); err != nil {
		return nil, err
	}
	hashes, names, err := s.query(text)
	if err != nil {
		return nil, err
	}
	err = s.tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		found, err := patientsWith(ctx, tx, s.Keeper, a.OrganizationID, hashes, 5*maxFound)
		if err != nil {
			return err
		}
		list = slices.DeleteFunc(found, func(p Patient) bool { return !matches(p, names) })
		list = list[:min(len(list), maxFound)]
		for _, p := range list {
			if err := s.Audit.Append(ctx, tx, audit.Entry{Action: "patient.search", Object: "patient/" + string(p.ID), Patient: p.ID}); err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

// query reads what was typed: dates become the birth date, other words names.
func (s *Service) query(text string) (hashes [][]byte, names []string, err error) {
	for _, word := range strings.Fields(text) {
		if m := dayFirst.FindStringSubmatch(word); m != nil {
			word = m[3] + "-" + m[2] + "-" + m[1]
		}
		if yearFirst.MatchString(word) {
			d, err := traits.ParseDate(word)
			if r, ok := err.(traits.Refusal); ok {
				return nil, nil, fault.Fields(r.Field("q"))
			}
			hashes = append(hashes, s.index.Of("patients.birth", string(d)))
			continue
		}
		key := []rune(traits.SearchKey(word))
		if len(key) < minPrefix {
			continue
		}
		names = append(names, string(key))
		hashes = append(hashes, s.index.Of("patients.name", string(key[:min(len(key), maxPrefix)])))
	}
	if len(hashes) == 0 {
		return nil, nil, fault.Fields(fault.Field{Name: "q", Code: "too-short"})
	}
	return hashes, names, nil
}

// matches checks what the index cannot: letters after the indexed ones.
func matches(p Patient, names []string) bool {
	for _, n := range names {
		t := p.Traits
		if !slices.ContainsFunc(nonEmpty(t.BirthFamilyName, t.UsedFamilyName, t.FirstGivenName, t.UsedGivenName),
			func(name string) bool { return strings.HasPrefix(traits.SearchKey(name), n) }) {
			return false
		}
	}
	return true
}

// ReadPatient gives a patient's file to who may read it, and audits it.
func (s *Service) ReadPatient(ctx context.Context, id care.PatientID) (p Patient, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if p, err = s.reach(ctx, tx, "patient.read", id); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "patient.read", Object: "patient/" + string(id), Patient: id})
	})
	return p, err
}

// CheckIdentity records that someone saw an identity document of high
// confidence (A9): PROV becomes VALI, RECUP becomes QUAL. want is the status
// the caller expects; asking for QUAL without an answer of INSi is refused.
func (s *Service) CheckIdentity(ctx context.Context, id care.PatientID, want care.IdentityStatus, document string) (p Patient, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if p, err = s.reach(ctx, tx, "patient.qualify", id); err != nil {
			return err
		}
		if r, ok := traits.CheckDocument(document, p.Minor(s.today())).(traits.Refusal); ok {
			return fault.Fields(r.Field("document"))
		}
		to := traits.NextStatus(p.Status, traits.DocumentChecked)
		switch {
		case want != care.Validated && want != care.Qualified:
			return fault.Fields(fault.Field{Name: "status", Code: "not-a-choice"})
		case want == care.Qualified && to != care.Qualified:
			return fault.Fields(fault.Field{Name: "status", Code: "insi-needed"})
		}
		if moved, err := updateStatus(tx, id, p.Status, to, store.Micros(s.Clock.Now())); err != nil || !moved {
			return orConflict(err)
		}
		from := p.Status
		p.Status = to
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "patient.qualify", Object: "patient/" + string(id), Patient: id,
			Detail: map[string]string{"document": document, "from": string(from), "to": string(to)}})
	})
	return p, err
}

// reach loads a patient the caller may do act to, or answers as if there was
// none.
func (s *Service) reach(ctx context.Context, tx *store.Tx, act authz.Action, id care.PatientID) (Patient, error) {
	if !care.ValidID(string(id)) {
		return Patient{}, fault.Missing()
	}
	p, err := loadPatient(ctx, tx, s.Keeper, id)
	if err != nil {
		return Patient{}, err
	}
	rel, err := s.relation(ctx, p)
	if err != nil {
		return Patient{}, err
	}
	return p, s.Table.Can(authz.From(ctx), act, rel)
}

// relation is what ties the caller to a patient.
func (s *Service) relation(ctx context.Context, p Patient) (authz.Relation, error) {
	a, team := authz.From(ctx), false
	if a.StaffID != "" && a.OrganizationID == p.OrganizationID {
		var err error
		if team, err = s.Encounters.InTeam(ctx, a.StaffID, p.ID); err != nil {
			return authz.Other, fmt.Errorf("identity: care team: %w", err)
		}
	}
	return a.To(authz.Subject{PatientID: p.ID, OrganizationID: p.OrganizationID}, team), nil
}

func orConflict(err error) error {
	if err != nil {
		return err
	}
	return fault.New(fault.Conflict, "changed-meanwhile")
}

func nonEmpty(values ...string) []string {
	return slices.DeleteFunc(values, func(v string) bool { return v == "" })
}

// renamed gives the fields of a refusal the names the caller used.
func renamed(err error, names map[string]string) []fault.Field {
	var f *fault.Error
	if !errors.As(err, &f) {
		return nil
	}
	out := make([]fault.Field, 0, len(f.Fields))
	for _, x := range f.Fields {
		x.Name = names[x.Name]
		if !slices.ContainsFunc(out, func(y fault.Field) bool { return y.Name == x.Name }) {
			out = append(out, x)
		}
	}
	return out
}
