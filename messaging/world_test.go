package messaging

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/store"
	"visavis/internal/testkit"
	"visavis/messaging/mssante"
	"visavis/messaging/post"
	"visavis/messaging/sms"
	"visavis/messaging/xdm"
	"visavis/messaging/xdm/xdmtest"
	mailsim "visavis/simulators/mail"
	smssim "visavis/simulators/sms"
)

const (
	clinic    = care.OrganizationID("0199aaaa-0000-7000-8000-000000000001")
	elsewhere = care.OrganizationID("0199aaaa-0000-7000-8000-000000000002")
	claire    = care.StaffID("0199aaaa-0000-7000-8000-000000000011")
	hugo      = care.StaffID("0199aaaa-0000-7000-8000-000000000012")
	sophie    = care.StaffID("0199aaaa-0000-7000-8000-000000000015")
	lea       = care.PatientID("0199aaaa-0000-7000-8000-000000000021")
	booking   = care.AppointmentID("0199aaaa-0000-7000-8000-000000000031")
	act       = care.EncounterID("0199aaaa-0000-7000-8000-000000000041")
	report    = care.DocumentID("0199aaaa-0000-7000-8000-000000000051")
	sheet     = care.DocumentID("0199aaaa-0000-7000-8000-000000000052")

	box      = "plateforme@visavis.mssante.test"
	leaBox   = "279035121518989@patient.mssante.test"
	leaMail  = "lea.moreau@example.test"
	leaPhone = "+33612345612"
	drBox    = "paul.durand@medecin.mssante.test"
	secret   = "hook secret of the tests"
)

// town answers the questions of the module from memory.
type town struct {
	mu     sync.Mutex
	lea    Addressee
	links  int
	begun  bool // the patient came
	quiet  bool // the parents are told nothing
	codes  map[string]string
	guests map[care.CompanionID]Guest
	papers map[care.DocumentID]paper
}

func (w *town) Confidential(context.Context, care.AppointmentID, care.PatientID) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.quiet, nil
}

type paper struct {
	about Paperwork
	files Files
}

func newTown() *town {
	return &town{
		lea: Addressee{Name: "Léa Moreau", Language: care.French, Status: care.Qualified, Matricule: "279035121518989",
			Phone: leaPhone, Email: leaMail, Street: "12 rue des Lilas", Postcode: "93260", City: "Les Lilas",
			Doctor: &Colleague{Name: "Paul Durand", Title: "Dr", MSSante: drBox}, Clinic: "Maison médicale des Lilas"},
		codes: map[string]string{},
		papers: map[care.DocumentID]paper{
			report: document("1.2.250.1.999.1.2026.1.1", "Compte-rendu de téléconsultation", "85208-7", "CR de télémédecine", ""),
			sheet:  document("1.2.250.1.999.1.2026.2.1", "Ordonnance", "57833-6", "Prescription de produits de santé", ""),
		},
	}
}

func document(oid, title, code, label, replaces string) paper {
	pdf := xdmtest.PDF(title)
	return paper{Paperwork{Title: title, OrganizationID: clinic, AppointmentID: booking},
		Files{CDA: xdmtest.Document{ID: oid, Title: title, TypeCode: code, TypeLabel: label, PDF: pdf, Replaces: replaces}.CDA(), PDF: pdf}}
}

func (w *town) Patient(_ context.Context, id care.PatientID) (Addressee, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if id != lea {
		return Addressee{}, fault.Missing()
	}
	return w.lea, nil
}

func (w *town) set(change func(*Addressee)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&w.lea)
}

// void makes a document taken back by its author.
func (w *town) void(id care.DocumentID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.papers[id]
	p.about.Void = true
	w.papers[id] = p
}

func (w *town) Staff(_ context.Context, id care.StaffID) (Colleague, error) {
	return Colleague{Name: "Claire Martin", Title: "Dr", MSSante: "claire.martin@medecin.mssante.test", Place: "Maison médicale des Lilas"}, nil
}

func (w *town) Representative(_ context.Context, _ care.PatientID, who string) (email, phone string, err error) {
	if who == "d1ego" {
		return "", "+33611000014", nil
	}
	return "", "", fault.Missing()
}

func (w *town) IssueLink(_ context.Context, _ care.AppointmentID, _ string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.links++
	return fmt.Sprintf("secretsecretsecretsecretsecretsecretsecre%02d", w.links), nil
}

func (w *town) Companion(_ context.Context, id care.CompanionID) (Guest, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if g, ok := w.guests[id]; ok {
		return g, nil
	}
	return Guest{}, fault.New(fault.Gone, "link-revoked")
}

func (w *town) Invited(context.Context, care.AppointmentID) ([]care.CompanionID, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.guests)), nil
}

func (w *town) IssueCompanionLink(ctx context.Context, id care.CompanionID) (string, error) {
	if _, err := w.Companion(ctx, id); err != nil {
		return "", err
	}
	return "companioncompanioncompanioncompanioncompani", nil
}

// Pending gives a code and where it goes, as "code contact" of codes.
func (w *town) Pending(ctx context.Context, id string) (code, to string, err error) {
	both, err := w.PendingCode(ctx, id)
	code, to, _ = strings.Cut(both, " ")
	return code, to, err
}

func (w *town) PendingCode(_ context.Context, id string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c, ok := w.codes[id]; ok {
		return c, nil
	}
	return "", fault.New(fault.Gone, "code-expired")
}

func (w *town) About(_ context.Context, id care.DocumentID) (Paperwork, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, ok := w.paper(id)
	if !ok {
		return Paperwork{}, fault.Missing()
	}
	return p.about, nil
}

func (w *town) Files(_ context.Context, id care.DocumentID) (Files, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, _ := w.paper(id)
	return p.files, nil
}

// massed begins the ids of documents that are all copies of the report.
const massed = "0199aaaa-0000-7000-8000-00000001"

func (w *town) paper(id care.DocumentID) (paper, bool) {
	if strings.HasPrefix(string(id), massed) {
		id = report
	}
	p, ok := w.papers[id]
	return p, ok
}

func (w *town) Act(_ context.Context, a authz.Actor, id care.EncounterID) (Act, error) {
	if id != act {
		return Act{}, fault.Missing()
	}
	rel := authz.Other
	switch {
	case a.StaffID == claire:
		rel = authz.Own
	case a.OrganizationID == clinic:
		rel = authz.Org
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return Act{booking, lea, rel, w.begun}, nil
}

func (w *town) Cover(sender, name, street, postcode, city string, titles []string, _ time.Time) ([]byte, error) {
	return xdmtest.PDF(strings.Join(append([]string{sender, name, street, postcode, city}, titles...), ", ")), nil
}

// world is a house with this module, a mail server and a gateway.
type world struct {
	*testkit.House
	t    *testing.T
	town *town
	svc  *Service
	mail *mailsim.Server
	sms  *smssim.Server
	http *testkit.Client
}

func actors() testkit.Actors {
	staff := func(role care.Role, id care.StaffID, o care.OrganizationID) authz.Actor {
		return authz.Actor{Role: role, StaffID: id, OrganizationID: o, Level: authz.LevelPSC, SessionID: care.SessionID(id)}
	}
	return testkit.Actors{
		"claire": staff(care.Doctor, claire, clinic), "hugo": staff(care.Doctor, hugo, clinic), "sophie": staff(care.Secretary, sophie, clinic),
		"stranger": staff(care.Secretary, "0199aaaa-0000-7000-8000-000000000019", elsewhere),
		"lea":      {Role: care.Patient, PatientID: lea, AppointmentID: booking, Level: authz.LevelCode, SessionID: "s"},
	}
}

// newWorld puts the module in a house with simulators around it.
func newWorld(t *testing.T, h *testkit.House) *world {
	t.Helper()
	w := &world{House: h, t: t, town: newTown()}
	var err error
	if w.mail, err = mailsim.Start(t.Context(), mailsim.Options{DelayFor: time.Hour}); err != nil {
		t.Fatal(err)
	}
	if w.sms, err = smssim.Start(t.Context(), smssim.Options{Secret: secret, ReceiptAfter: time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.sms.Close(); _ = w.mail.Close() })
	conf, err := w.mail.ClientTLS(box)
	if err != nil {
		t.Fatal(err)
	}
	w.make(SecureOutlet{
		SMTP: post.Server{Address: w.mail.SecureAddr(), TLS: conf, Timeout: 5 * time.Second, DataTimeout: time.Second},
		IMAP: mssante.Mailbox{Address: w.mail.IMAPAddr(), TLS: conf, User: box, Timeout: 10 * time.Second}, Box: box,
	}, MailOutlet{SMTP: post.Server{Address: w.mail.PlainAddr(), Timeout: 5 * time.Second, DataTimeout: time.Second}, From: "rendez-vous@example.test"})
	return w
}

// make builds the service over the given outlets and serves its routes.
func (w *world) make(secure SecureOutlet, ordinary MailOutlet) {
	w.t.Helper()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		w.t.Fatal(err)
	}
	secure.PatientDomain, secure.TestDomain, secure.NIL, secure.OID, secure.Version = "patient.mssante.test", "mssante.test", "NIL-TEST", "1.2.250.1.999.1", "1"
	d := Deps{DB: w.DB, Bus: w.Bus, Audit: w.Audit, Keeper: w.Keeper, Table: w.Table, Clock: w.Clock, Log: w.Log,
		People: w.town, Secrets: w.town, Contacts: w.town, Guests: w.town, Papers: w.town, Acts: w.town, Secrecy: w.town, Printer: w.town,
		Mail: ordinary, MSSante: secure, PublicURL: "https://visavis.test", Zone: paris}
	if w.sms != nil {
		d.SMS = sms.Gateway{URL: w.sms.URL(), Sender: "visavis", Secret: secret}
	}
	if w.svc, err = New(d); err != nil {
		w.t.Fatal(err)
	}
	texts, err := Texts()
	if err != nil {
		w.t.Fatal(err)
	}
	server := w.Server(w.t, actors(), texts)
	Routes(server, w.svc)
	w.http = testkit.HTTP(w.t, server.Handler()).Held(server)
	w.svc.SMS.Callback = w.http.URL("/api/hooks/sms")
	w.svc.Subscribe(w.Bus)
}

func (w *world) publish(name, subject string, payload any) {
	w.t.Helper()
	err := w.DB.Tx(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		return w.Bus.Publish(ctx, tx, name, subject, payload)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.Deliver(w.t)
}

// pass lets time pass, then does what is due.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	w.Clock.Advance(d)
	if err := w.svc.Sweep(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	w.Deliver(w.t)
}

func (w *world) collect() {
	w.t.Helper()
	if err := w.svc.Collect(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) appointment(name string, in time.Duration) events.Appointment {
	w.t.Helper()
	start := w.Clock.Now().Add(in)
	p := events.Appointment{AppointmentID: booking, PatientID: lea, PractitionerID: claire, OrganizationID: clinic,
		Start: store.Micros(start), End: store.Micros(start.Add(15 * time.Minute)), Language: care.French, Zone: "Europe/Paris"}
	w.publish(name, string(booking), p)
	return p
}

func (w *world) sign(name string, id, replaces care.DocumentID) {
	w.t.Helper()
	w.publish(name, string(id), events.Document{DocumentID: id, EncounterID: act, PatientID: lea, AuthorID: claire, Version: 1, ReplacesID: replaces})
}

// all gives every delivery of the act, as the doctor sees them.
func (w *world) all() []*Delivery {
	w.t.Helper()
	list, err := w.svc.OfEncounter(testkit.As(actors()["claire"]), act)
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// one gives the only delivery that is about a, by a channel, to someone.
func (w *world) one(a About, c Channel, to Recipient) *Delivery {
	w.t.Helper()
	var found []*Delivery
	for _, d := range w.all() {
		if d.About == a && d.Channel == c && d.Recipient == to {
			found = append(found, d)
		}
	}
	if len(found) != 1 {
		w.t.Fatalf("%d deliveries about %s by %s to %s, one wanted: %s", len(found), a, c, to, show(w.all()))
	}
	return found[0]
}

func show(list []*Delivery) string {
	var b strings.Builder
	for _, d := range list {
		fmt.Fprintf(&b, "\n  %s %s %s: %s (%s), %d attempts, %v", d.About, d.Channel, d.Recipient, d.State, d.Reason, d.Attempts, path(d))
	}
	return b.String()
}

// path is a delivery's history in one line.
func path(d *Delivery) string {
	var steps []string
	for _, s := range d.History {
		step := string(s.State)
		if s.Reason != "" {
			step += "(" + s.Reason + ")"
		}
		steps = append(steps, step)
	}
	return strings.Join(steps, " ")
}

func (w *world) expect(d *Delivery, want string) {
	w.t.Helper()
	if got := path(d); got != want {
		w.t.Errorf("%s by %s to %s went\n  %s\nwant\n  %s", d.About, d.Channel, d.Recipient, got, want)
	}
}

// letters reads what lies in a secure mailbox.
func (w *world) letters(address string) (out [][]xdm.Received) {
	w.t.Helper()
	for _, m := range w.mail.Messages(address) {
		if !m.Secure {
			w.t.Errorf("a letter for %s came outside the secure space", address)
		}
		out = append(out, archive(w.t, m.Raw))
	}
	return out
}

func types(docs []xdm.Received) string {
	var codes []string
	for _, d := range docs {
		codes = append(codes, d.Type.Code)
	}
	slices.Sort(codes)
	return strings.Join(codes, " ")
}
