package identity_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"visavis/identity"
	"visavis/identity/contacts"
	"visavis/identity/prosante"
	"visavis/identity/traits"
	"visavis/internal/authz"
	"visavis/internal/budget"
	"visavis/internal/care"
	"visavis/internal/clock"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/store"
	"visavis/internal/testkit"
	"visavis/simulators/psc"
)

const (
	redirect = "http://localhost:8080/api/auth/psc/callback"
	logout   = "http://localhost:8080/pro"
)

// clinic is identity at work in a house, with the demo's people, and what the
// other modules would answer.
type clinic struct {
	*testkit.House
	everybody
	svc   *identity.Service
	agent *agenda
	psc   *psc.Server
}

// agenda answers for scheduling and encounters.
type agenda struct {
	mu    sync.Mutex
	known map[care.AppointmentID]identity.Appointment
	last  map[care.PatientID]care.AppointmentID
	team  map[string]bool
	live  bool
	act   identity.Act
	quiet bool // every appointment is confidential
}

func (g *agenda) Confidential(context.Context, care.AppointmentID) (bool, error) { return g.quiet, nil }

func (g *agenda) Appointment(_ context.Context, id care.AppointmentID) (identity.Appointment, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	a, ok := g.known[id]
	if !ok {
		return a, fault.Missing()
	}
	return a, nil
}

func (g *agenda) Current(_ context.Context, p care.PatientID) (care.AppointmentID, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.last[p], nil
}

func (g *agenda) InTeam(_ context.Context, s care.StaffID, p care.PatientID) (bool, error) {
	return g.team[string(s)+string(p)], nil
}

func (g *agenda) Live(context.Context, authz.Actor) (bool, error) { return g.live, nil }

func (g *agenda) Act(context.Context, care.AppointmentID) (identity.Act, error) { return g.act, nil }

// book makes an appointment of a patient with Dr Martin in two days.
func (c *clinic) book(p care.PatientID) care.AppointmentID {
	c.agent.mu.Lock()
	defer c.agent.mu.Unlock()
	start := c.Clock.Now().Add(48 * time.Hour)
	id := care.AppointmentID(care.NewID(c.Clock.Now()))
	c.agent.known[id] = identity.Appointment{PatientID: p, PractitionerID: c.Martin, OrganizationID: c.Lilas, Start: start, End: start.Add(20 * time.Minute)}
	c.agent.last[p] = id
	return id
}

func newClinic(t *testing.T, h *testkit.House, more ...psc.Account) *clinic {
	t.Helper()
	if more == nil { // somebody we do not know
		more = []psc.Account{{IdNat: "810100000057", GivenName: "Anne", FamilyName: "LAURENT"}}
	}
	// Pro Santé Connect signs with the real time, so the house lives today.
	h.Clock.Set(time.Now())
	ctx, stop := context.WithCancel(context.Background())
	sim, err := psc.Start(ctx, psc.Options{ClientID: "visavis", ClientSecret: "un secret d’essai", RedirectURIs: []string{redirect}, LogoutURIs: []string{logout},
		Accounts: append(accounts(), more...)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(); sim.Close() })
	party, err := prosante.New(prosante.Options{Issuer: sim.Issuer(), DiscoveryURL: sim.DiscoveryURL(), ClientID: "visavis",
		ClientSecret: "un secret d’essai", RedirectURL: redirect, LogoutURL: logout, Clock: clock.System{}})
	if err != nil {
		t.Fatal(err)
	}
	g := &agenda{known: map[care.AppointmentID]identity.Appointment{}, last: map[care.PatientID]care.AppointmentID{}, team: map[string]bool{}}
	svc, err := identity.New(identity.Deps{DB: h.DB, Bus: h.Bus, Audit: h.Audit, Keeper: h.Keeper, Table: h.Table, Clock: h.Clock,
		Limits: h.Limits, Master: h.Master, Appointments: g, Encounters: g, Secrecy: g, Requests: requests(h), ProSante: party, SignFor: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	svc.Subscribe(h.Bus)
	c := &clinic{House: h, svc: svc, agent: g, psc: sim}
	if c.everybody, err = seed(context.Background(), svc); err != nil {
		t.Fatal(err)
	}
	return c
}

// requests counts messages on request, with the settings by default.
func requests(h *testkit.House) *contacts.Service {
	return contacts.New(contacts.Deps{DB: h.DB, Bus: h.Bus, Keeper: h.Keeper, Clock: h.Clock, Limits: h.Limits, Master: h.Master, Ledger: budget.New(h.Clock, h.Log),
		Costs: contacts.Costs{PricePerSMS: 700, SMSPerHour: 100_000, SMSPerDay: 500_000, HeldPerHour: 30, HeldPerDay: 80, HeldByContact: 6}, SMS: true, Mail: true})
}

// clinics runs a test in a clinic on each database.
func clinics(t *testing.T, test func(t *testing.T, c *clinic)) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) { test(t, newClinic(t, h)) })
}

func (c *clinic) staff(id care.StaffID, role care.Role) context.Context {
	o := c.Lilas
	if role == care.Pharmacist {
		o = c.Pharmacy
	}
	return testkit.As(authz.Actor{Role: role, StaffID: id, OrganizationID: o, Level: authz.LevelPSC, Proof: "test"})
}

// facts lists the facts of a name that were published, oldest first.
func (c *clinic) facts(t *testing.T, name string) (payloads []string) {
	t.Helper()
	c.sql(t, "SELECT payload FROM events WHERE name = '"+name+"' ORDER BY id", &payloads)
	return payloads
}

// sql reads one text column.
func (c *clinic) sql(t *testing.T, query string, out *[]string) {
	t.Helper()
	pool, err := c.DB.SQL()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := pool.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		*out = append(*out, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// audited counts the audit rows of an action and outcome.
func (c *clinic) audited(t *testing.T, action, outcome string) int {
	t.Helper()
	var n []string
	c.sql(t, fmt.Sprintf("SELECT id FROM audit WHERE action = '%s' AND outcome = '%s'", action, outcome), &n)
	return len(n)
}

// is checks the kind and code of a refusal.
func is(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	f, ok := err.(*fault.Error)
	if !ok || f.Kind != kind || f.Code != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

// open opens a session with a fresh link and gives the actor and the secret.
func (c *clinic) open(t *testing.T, id care.AppointmentID) (string, authz.Actor) {
	t.Helper()
	link, err := c.svc.IssueLink(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	secret, a, err := c.svc.OpenLink(testkit.As(authz.Actor{}), link)
	if err != nil {
		t.Fatal(err)
	}
	return secret, a
}

// lastCode gives the code of the newest CodeRequested fact, as messaging gets it.
func (c *clinic) lastCode(t *testing.T) string {
	t.Helper()
	var ids []string
	c.sql(t, "SELECT subject FROM events WHERE name = '"+events.CodeRequested+"' ORDER BY id DESC", &ids)
	if len(ids) == 0 {
		t.Fatal("no code was asked for")
	}
	code, err := c.svc.PendingCode(context.Background(), ids[0])
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func traitsOf(family, given, birth string) traits.Traits {
	return traits.Traits{BirthFamilyName: family, FirstGivenName: given, BirthDate: traits.Date(birth)}
}

// inTx runs fn in a transaction, as another module's use case would.
func (c *clinic) inTx(fn func(ctx context.Context) error) error {
	return c.DB.Tx(context.Background(), func(ctx context.Context, _ *store.Tx) error { return fn(ctx) })
}
