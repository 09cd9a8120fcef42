package messaging

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/store"
	"visavis/internal/testkit"
	"visavis/messaging/xdm"
)

// Many workers on the same delivery, on one node or several: one letter.
func TestManyWorkersOneLetter(t *testing.T) {
	t.Parallel()
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		w := newWorld(t, h)
		w.town.set(func(a *Addressee) { a.Doctor = nil })
		w.sign(events.ReportSigned, report, "")
		id := w.one(Documents, MSSante, ToPatient).ID
		w.Clock.Advance(time.Minute)
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				if err := w.svc.Deliver(context.Background(), id); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if n := len(w.letters(leaBox)); n != 1 {
			t.Fatalf("%d letters%s", n, show(w.all()))
		}
		w.expect(w.one(Documents, MSSante, ToPatient), "queued sending sent")
	})
}

// Two documents signed in the same instant join one letter.
func TestDocumentsSignedAtOnceShareALetter(t *testing.T) {
	t.Parallel()
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		w := newWorld(t, h)
		h.Start(t)
		err := h.DB.Tx(context.Background(), func(ctx context.Context, tx *store.Tx) error {
			for name, id := range map[string]care.DocumentID{events.ReportSigned: report, events.PrescriptionIssued: sheet} {
				if err := h.Bus.Publish(ctx, tx, name, string(id), events.Document{DocumentID: id, EncounterID: act, PatientID: lea, AuthorID: claire, Version: 1}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		w.Deliver(t)
		w.pass(time.Minute)
		for _, address := range []string{leaBox, drBox} {
			if l := w.letters(address); len(l) != 1 || types(l[0]) != "57833-6 85208-7" {
				t.Errorf("%s: %v%s", address, l, show(w.all()))
			}
		}
	})
}

// A house without a secure mailbox, a mail server or a gateway still works:
// documents are posted, and people see what could not be told.
func TestWithoutOutletsPeopleSeeIt(t *testing.T) {
	t.Parallel()
	w := &world{House: testkit.NewHouse(t, testkit.OpenSQLite(t)), t: t, town: newTown()}
	w.make(SecureOutlet{}, MailOutlet{})
	w.sign(events.ReportSigned, report, "")
	w.appointment(events.AppointmentBooked, 3*time.Hour)
	w.pass(time.Minute)
	w.expect(w.one(Documents, MSSante, ToPatient), "queued to-post(no-outlet)")
	w.expect(w.one(Documents, MSSante, ToDoctor), "queued refused(no-outlet)")
	w.expect(w.one(Booked, Email, ToPatient), "queued refused(no-outlet)")
	w.expect(w.one(Booked, SMS, ToPatient), "queued refused(no-outlet)")
	if w.town.links != 0 {
		t.Errorf("%d links were made for nobody", w.town.links)
	}
	w.collect()
}

// A document that cannot be put in a message is not lost: it is posted, and
// the log says which field.
func TestADocumentThatCannotLeaveIsPosted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	p := w.town.papers[report]
	p.files.CDA = bytes.ReplaceAll(p.files.CDA, []byte(`code="SA64"`), []byte(`code=""`))
	w.town.papers[report] = p
	w.sign(events.ReportSigned, report, "")
	w.pass(time.Minute)
	w.expect(w.one(Documents, MSSante, ToPatient), "queued sending refused(document) to-post(document)")
	if !strings.Contains(w.Logged.String(), "healthcareFacilityTypeCode") {
		t.Error("the log does not name the field")
	}
}

func TestVisibilityDecidesWhoIsWrittenTo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		flags           []string
		patient, doctor int
	}{
		"none":                     {nil, 1, 1},
		"to be announced":          {[]string{flagHiddenPatient}, 0, 1},
		"to be announced, newer":   {[]string{flagHiddenPatientV3}, 0, 1},
		"masked":                   {[]string{flagMaskedFromStaff}, 1, 0},
		"hidden from guardians":    {[]string{flagHiddenGuardians}, 1, 0},
		"a pair that is forbidden": {[]string{flagMaskedFromStaff, flagHiddenPatient}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
			p := w.town.papers[report]
			for _, f := range c.flags {
				p.about.Visibility = append(p.about.Visibility, xdm.Code{Code: f, Label: f})
			}
			w.town.papers[report] = p
			w.sign(events.ReportSigned, report, "")
			w.pass(time.Minute)
			if a, b := len(w.letters(leaBox)), len(w.letters(drBox)); a != c.patient || b != c.doctor {
				t.Errorf("%d to the patient, %d to the doctor", a, b)
			}
		})
	}
}

// Nothing secret or personal is legible in the tables, and what was needed to
// send is dropped once sent.
func TestTablesHoldNothingLegible(t *testing.T) {
	t.Parallel()
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		w := newWorld(t, h)
		w.appointment(events.AppointmentBooked, time.Hour)
		w.sign(events.ReportSigned, report, "")
		w.pass(time.Minute)
		var dump strings.Builder
		err := h.DB.Read(context.Background(), func(_ context.Context, tx *store.Tx) error {
			list, err := find(tx.G())
			for _, d := range list {
				r := toRow(d)
				dump.WriteString(strings.Join([]string{r.Once, r.Reason, r.MessageID, r.Zone, string(r.SealedTo), string(r.SealedContent)}, "|"))
				if d.State == Sent && len(d.sealed) > 0 {
					t.Errorf("%s by %s keeps its content after it was sent", d.About, d.Channel)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, canary := range []string{"secretsecret", "Moreau", leaPhone, "279035121518989", "lea.moreau"} {
			if strings.Contains(dump.String(), canary) || strings.Contains(h.Logged.String(), canary) {
				t.Errorf("%q is legible in a table or in the log", canary)
			}
		}
	})
}
