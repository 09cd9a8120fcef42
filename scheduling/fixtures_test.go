package scheduling

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/testkit"
)

const (
	martin = care.StaffID("0190cccc-0000-7000-8000-000000000001") // general practice
	dupre  = care.StaffID("0190cccc-0000-7000-8000-000000000002") // dermatology, no schedule until a test gives one
	benali = care.StaffID("0190cccc-0000-7000-8000-000000000003")
	leroy  = care.StaffID("0190cccc-0000-7000-8000-000000000004")
	autre  = care.StaffID("0190cccc-0000-7000-8000-000000000005") // psychiatry, elsewhere
	lilas  = care.OrganizationID("0190dddd-0000-7000-8000-000000000001")
	roses  = care.OrganizationID("0190dddd-0000-7000-8000-000000000002")
)

// town answers the module's questions from memory.
type town struct {
	mu       sync.Mutex
	people   map[string]care.PatientID
	names    map[care.PatientID]string
	born     map[care.PatientID]string // YYYY-MM-DD
	team     map[care.AppointmentID]care.StaffID
	progress map[care.AppointmentID]Progress
	states   map[care.AppointmentID]care.ConsentState
	asked    []ContactRequest
	taken    int // attempts that were admitted and not given back
	held     int // calls of Hold
	moved    int // calls of Move
	cards    []Card
	refuse   error // of Admit
	full     error // of Hold
}

func newTown() *town {
	return &town{
		cards: cards, people: map[string]care.PatientID{}, names: map[care.PatientID]string{}, born: map[care.PatientID]string{}, team: map[care.AppointmentID]care.StaffID{},
		progress: map[care.AppointmentID]Progress{}, states: map[care.AppointmentID]care.ConsentState{},
	}
}

var cards = []Card{
	{ID: martin, DisplayName: "Claire Martin", Title: "Dr", Profession: "10", Specialty: "SM26", RPPS: "10101010101", OrganizationID: lilas, OrganizationName: "Maison de santé des Lilas", City: "Les Lilas", Phone: "+33142000000", Bio: "Médecin de famille.", Languages: []string{"fr", "en"}},
	{ID: dupre, DisplayName: "Hugo Dupré-Lacroix", Title: "Dr", Profession: "10", Specialty: "SM15", OrganizationID: lilas, OrganizationName: "Maison de santé des Lilas"},
	{ID: autre, DisplayName: "Anne Autre", Title: "Dr", Profession: "10", Specialty: "SM42", OrganizationID: roses, OrganizationName: "Les Roses"},
}

func (w *town) Resolve(_ context.Context, p Person, _ care.OrganizationID) (Known, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.ID != "" {
		if _, ok := w.names[p.ID]; !ok {
			return Known{}, fault.Fields(fault.Field{Name: "patientId", Code: "not-a-choice"})
		}
		return Known{ID: p.ID, BirthDate: w.born[p.ID]}, nil
	}
	var problems []fault.Field
	if p.FamilyName == "" {
		problems = append(problems, fault.Field{Name: "patient.familyName", Code: "required"})
	}
	if p.Phone == "" && p.Email == "" {
		problems = append(problems, fault.Field{Name: "patient.phone", Code: "required"})
	}
	if err := fault.Fields(problems...); err != nil {
		return Known{}, err
	}
	key := p.FamilyName + "|" + p.GivenName + "|" + p.BirthDate + "|" + p.Phone + p.Email
	id, ok := w.people[key]
	if !ok {
		id = care.PatientID(fmt.Sprintf("0190bbbb-0000-7000-8000-%012d", len(w.people)+1))
		w.people[key], w.names[id], w.born[id] = id, p.GivenName+" "+p.FamilyName, p.BirthDate
	}
	return Known{ID: id, BirthDate: p.BirthDate, EmailHint: "z•••@exemple.fr"}, nil
}

// Check finds what Resolve would, and looks at nobody.
func (w *town) Check(p Person, o care.OrganizationID) error {
	_, err := newTown().Resolve(context.Background(), p, o)
	return err
}

// Reached tells that a patient's file has the e-mail address everybody has here.
func (w *town) Reached(_ context.Context, _ care.PatientID, _, email string) (string, error) {
	if email == "zoe@exemple.fr" {
		return "both", nil
	}
	return "", nil
}

// proven is the secret of an attempt whose code was typed.
const proven = "proven"

func (w *town) Admit(context.Context, ContactRequest) (func(), error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuse == nil {
		w.taken++
	}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.taken--
	}, w.refuse
}

func (w *town) Move(context.Context, care.AppointmentID) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.moved++
	return w.full
}

func (w *town) Start(_ context.Context, r ContactRequest) (ContactAttempt, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, r)
	return ContactAttempt{Secret: "asked", Channel: "email", Hint: "z•••@exemple.fr", Expires: paris(10, 9, 20)}, nil
}

func (w *town) Verify(_ context.Context, secret, code, _ string) error {
	switch {
	case secret != "asked":
		return fault.New(fault.Gone, "attempt-over")
	case code != "12345678":
		return fault.New(fault.Invalid, "code-wrong").With("remaining", "4")
	}
	return nil
}

func (w *town) Proven(_ context.Context, secret, _, email string) (string, []byte, error) {
	if secret != proven {
		return "", nil, fault.New(fault.Forbidden, "contact-not-proven")
	}
	return "email", []byte(email), nil
}

func (w *town) Hold(context.Context, care.StaffID, []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held++
	return w.full
}

func (w *town) Names(_ context.Context, ids []care.PatientID) (map[care.PatientID]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[care.PatientID]string{}
	for _, id := range ids {
		out[id] = w.names[id]
	}
	return out, nil
}

func (w *town) Card(_ context.Context, id care.StaffID) (Card, error) {
	for _, c := range w.cards {
		if c.ID == id {
			return c, nil
		}
	}
	return Card{}, fault.Missing()
}

func (w *town) Search(_ context.Context, specialties []string, name string) ([]Card, error) {
	return slices.DeleteFunc(slices.Clone(w.cards), func(c Card) bool {
		return specialties != nil && !slices.Contains(specialties, c.Specialty) || !strings.Contains(strings.ToLower(c.DisplayName), strings.ToLower(name))
	}), nil
}

func (w *town) Colleagues(_ context.Context, o care.OrganizationID) ([]Card, error) {
	return slices.DeleteFunc(slices.Clone(w.cards), func(c Card) bool { return c.OrganizationID != o }), nil
}

func (w *town) InCareTeam(_ context.Context, id care.AppointmentID, staff care.StaffID) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.team[id] == staff, nil
}

func (w *town) AppointmentOf(_ context.Context, id care.EncounterID) (care.AppointmentID, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for a, p := range w.progress {
		if p.EncounterID == id {
			return a, nil
		}
	}
	return "", fault.Missing()
}

func (w *town) Progress(_ context.Context, ids []care.AppointmentID) (map[care.AppointmentID]Progress, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[care.AppointmentID]Progress{}
	for _, id := range ids {
		out[id] = w.progress[id]
	}
	return out, nil
}

func (w *town) States(context.Context, []care.AppointmentID) (map[care.AppointmentID]care.ConsentState, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[care.AppointmentID]care.ConsentState{}
	for id, s := range w.states {
		out[id] = s
	}
	return out, nil
}

// weekdays is 09:00 to 12:00, Monday to Friday, 20 minutes each, an hour's notice.
func weekdays() Plan {
	p := Plan{Zone: "Europe/Paris", ActMinutes: 20, Notice: 60, Horizon: 60, Territory: "FR"}
	for w := time.Monday; w <= time.Friday; w++ {
		p.Rules = append(p.Rules, Rule{Weekday: w, From: At(9, 0), To: At(12, 0)})
	}
	return p
}

// newService gives a service where Dr Martin receives on weekdays. The clock
// stands on Tuesday 10 March 2026 at 09:00 in Paris.
func newService(t testing.TB, h *testkit.House) (*Service, *town) {
	t.Helper()
	w := newTown()
	s, err := New(Deps{
		DB: h.DB, Bus: h.Bus, Audit: h.Audit, Keeper: h.Keeper, Table: h.Table, Clock: h.Clock,
		Patients: w, Contacts: w, Practitioners: w, Encounters: w, Consents: w,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.SetPlan(system(), martin, weekdays()); err != nil {
		t.Fatal(err)
	}
	return s, w
}

func system() context.Context  { return testkit.As(authz.SystemActor()) }
func anybody() context.Context { return testkit.As(authz.Actor{}) }

func staff(role care.Role, id care.StaffID, o care.OrganizationID) authz.Actor {
	return authz.Actor{Role: role, StaffID: id, OrganizationID: o, SessionID: "s", Level: authz.LevelPSC, Proof: "psc"}
}

func secretary() context.Context { return testkit.As(staff(care.Secretary, leroy, lilas)) }

func patientOf(a Appointment) authz.Actor {
	return authz.Actor{Role: care.Patient, PatientID: a.PatientID, AppointmentID: a.ID, SessionID: "p", Level: authz.LevelLink, Proof: "link"}
}

// paris is an instant of March 2026 on the clock of Paris.
func paris(day, hour, minute int) time.Time {
	zone, _ := time.LoadLocation("Europe/Paris")
	return time.Date(2026, 3, day, hour, minute, 0, 0, zone).UTC()
}

func booking(start time.Time, family string) Booking {
	return Booking{
		PractitionerID: martin, Start: start, Zone: "Indian/Reunion",
		Person: Person{FamilyName: family, GivenName: "Zoé", BirthDate: "1990-01-02", Email: "zoe@exemple.fr", Language: care.French},
		Shown:  Shown{Known: true, Amount: 2500, Reimbursed: 1550}, Attempt: proven,
	}
}

func wantFault(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != kind || f.Code != code {
		t.Errorf("got %v, want %s", err, code)
	}
}
