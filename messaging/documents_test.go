package messaging

import (
	"bytes"
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	gomail "github.com/emersion/go-message/mail"
	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"

	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/testkit"
	"visavis/messaging/xdm"
	mailsim "visavis/simulators/mail"
)

// archive unzips the documents of a letter; hash and size are checked by
// xdm.Read.
func archive(t *testing.T, raw []byte) []xdm.Received {
	t.Helper()
	r, err := gomail.CreateReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			t.Fatal("a letter without archive")
		}
		if err != nil {
			t.Fatal(err)
		}
		h, ok := p.Header.(*gomail.AttachmentHeader)
		if !ok {
			continue
		}
		if name, _ := h.Filename(); name != "IHE_XDM.zip" {
			continue
		}
		data, err := io.ReadAll(p.Body)
		if err != nil {
			t.Fatal(err)
		}
		docs, err := xdm.Read(data)
		if err != nil {
			t.Fatal(err)
		}
		return docs
	}
}

// J10, J18, H24: the report and the prescription leave as one letter to the
// patient and one to the referring doctor.
func TestTheDocumentsOfAnActLeaveTogether(t *testing.T) {
	t.Parallel()
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		w := newWorld(t, h)
		w.sign(events.PrescriptionIssued, sheet, "")
		w.pass(time.Minute)
		if n := len(w.letters(leaBox)); n != 0 {
			t.Fatalf("the prescription left before the report: %d letters", n)
		}
		w.sign(events.ReportSigned, report, "")
		w.pass(5 * time.Second)
		if n := len(w.letters(leaBox)); n != 0 {
			t.Fatalf("no time for another document: %d letters", n)
		}
		w.pass(10 * time.Second)
		for _, address := range []string{leaBox, drBox} {
			letters := w.letters(address)
			if len(letters) != 1 || types(letters[0]) != "57833-6 85208-7" {
				t.Fatalf("%s has %d letters: %v\n%s", address, len(letters), letters, show(w.all()))
			}
		}
		patient := w.one(Documents, MSSante, ToPatient)
		w.expect(patient, "queued sending sent")
		if _, err := w.svc.Sheet(testkit.As(actors()["sophie"]), patient.ID); fault.KindOf(err) != fault.Conflict {
			t.Errorf("the desk reads what left by the secure way: %v", err)
		}
		if patient.Label != "Léa Moreau" || patient.Hint != "•••989@patient.mssante.test" || len(patient.Documents) != 2 {
			t.Errorf("what people see: %+v", patient)
		}
		w.collect()
		w.expect(w.one(Documents, MSSante, ToPatient), "queued sending sent accepted(arrived)")
		w.expect(w.one(Documents, MSSante, ToDoctor), "queued sending sent accepted(arrived)")
		if left := w.mail.Messages(box); len(left) != 4 {
			t.Errorf("the platform's box got %d messages, want 2 witnesses and 2 reports", len(left))
		}
		state, at, ok, err := w.svc.StateOf(context.Background(), sheet)
		if err != nil || !ok || state != Accepted || !at.Equal(w.Clock.Now()) {
			t.Errorf("StateOf: %s at %v (now %v) %v %v", state, at, w.Clock.Now(), ok, err)
		}
		if _, _, ok, err := w.svc.StateOf(context.Background(), care.DocumentID(care.NewID(time.Now()))); ok || err != nil {
			t.Errorf("StateOf an unknown document: %v %v", ok, err)
		}
	})
}

// C6: of an act that a minor keeps secret nothing is sent, neither a document nor
// a message about the appointment; what was on its way when they said so is not sent.
func TestNothingOfAConfidentialActIsSent(t *testing.T) {
	t.Parallel()
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		w := newWorld(t, h)
		w.sign(events.ReportSigned, report, "")
		w.sign(events.PrescriptionIssued, sheet, "")
		w.town.mu.Lock()
		w.town.quiet = true
		w.town.mu.Unlock()
		w.pass(10 * time.Minute)
		for _, address := range []string{leaBox, drBox} {
			if n := len(w.letters(address)); n != 0 {
				t.Errorf("%s has %d letters\n%s", address, n, show(w.all()))
			}
		}
		w.expect(w.one(Documents, MSSante, ToPatient), "queued refused(hidden)")
		w.expect(w.one(Documents, MSSante, ToDoctor), "queued refused(hidden)")
	})
}

// What its author took back before the letter left is not in it, nor in print.
func TestWhatWasTakenBackStaysInTheHouse(t *testing.T) {
	t.Parallel()
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		w := newWorld(t, h)
		w.town.set(func(a *Addressee) { a.Doctor = nil })
		w.sign(events.PrescriptionIssued, sheet, "")
		w.town.void(sheet)
		w.sign(events.ReportSigned, report, "")
		w.pass(time.Minute)
		if got := w.letters(leaBox); len(got) != 1 || types(got[0]) != "85208-7" {
			t.Fatalf("letters %v: %s", got, show(w.all()))
		}
	})
}

func TestALetterOfNothingDoesNotLeave(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	w.town.set(func(a *Addressee) { a.Doctor = nil })
	w.sign(events.PrescriptionIssued, sheet, "")
	w.town.void(sheet)
	w.pass(time.Hour)
	d := w.one(Documents, MSSante, ToPatient)
	w.expect(d, "queued refused(withdrawn)")
	if n := len(w.letters(leaBox)); n != 0 {
		t.Errorf("%d letters", n)
	}
	if _, err := w.svc.Sheet(testkit.As(actors()["sophie"]), d.ID); fault.KindOf(err) != fault.Conflict {
		t.Errorf("what was taken back is printed: %v", err)
	}
}

func TestADocumentGoesOnceToEachWhateverIsToldTwice(t *testing.T) {
	t.Parallel()
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		w := newWorld(t, h)
		for range 3 {
			w.sign(events.ReportSigned, report, "")
		}
		w.pass(time.Minute)
		for range 3 {
			w.sign(events.ReportSigned, report, "")
			w.pass(time.Minute)
		}
		for range 5 {
			for _, d := range w.all() {
				if err := w.svc.Deliver(context.Background(), d.ID); err != nil {
					t.Fatal(err)
				}
			}
		}
		if a, b := len(w.letters(leaBox)), len(w.letters(drBox)); a != 1 || b != 1 {
			t.Fatalf("%d letters to the patient, %d to the doctor%s", a, b, show(w.all()))
		}
	})
}

func TestANewVersionTakesThePlaceOfOneNotSent(t *testing.T) {
	t.Parallel()
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		w := newWorld(t, h)
		second := care.DocumentID(care.NewID(time.Now()))
		third := care.DocumentID(care.NewID(time.Now()))
		w.town.papers[second] = document("1.2.250.1.999.1.2026.1.2", "Compte-rendu de téléconsultation", "85208-7", "CR de télémédecine", "1.2.250.1.999.1.2026.1.1")
		w.town.papers[third] = document("1.2.250.1.999.1.2026.1.3", "Compte-rendu de téléconsultation", "85208-7", "CR de télémédecine", "1.2.250.1.999.1.2026.1.2")
		w.sign(events.ReportSigned, report, "")
		w.sign(events.ReportSigned, second, report)
		w.pass(time.Minute)
		letters := w.letters(leaBox)
		if len(letters) != 1 || len(letters[0]) != 1 || letters[0][0].UniqueID != "1.2.250.1.999.1.2026.1.2" {
			t.Fatalf("letters %+v", letters)
		}
		w.sign(events.ReportSigned, third, second)
		w.pass(time.Minute)
		if letters = w.letters(leaBox); len(letters) != 2 || letters[1][0].Replaces != xdm.EntryUUID("1.2.250.1.999.1.2026.1.2") {
			t.Fatalf("letters %+v", letters)
		}
		first, raw := string(w.mail.Messages(leaBox)[0].Raw), string(w.mail.Messages(leaBox)[1].Raw)
		if !strings.Contains(raw, "[Annule_et_remplace]") {
			t.Errorf("the subject does not say that it replaces: %.600s", raw)
		}
		id := regexp.MustCompile(`(?m)^Message-ID: (\S+)`).FindStringSubmatch(first)[1]
		if !strings.Contains(raw, "In-Reply-To: "+id) || strings.Contains(first, "In-Reply-To") {
			t.Errorf("the letters are not one conversation: %.600s", raw)
		}
	})
}

// H24, INS/va1.53: only a qualified identity leaves; another waits, visibly.
func TestAnIdentityThatIsNotQualifiedWaits(t *testing.T) {
	t.Parallel()
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		w := newWorld(t, h)
		w.town.set(func(a *Addressee) { a.Status = care.Validated })
		w.sign(events.ReportSigned, report, "")
		w.pass(time.Minute)
		w.expect(w.one(Documents, MSSante, ToPatient), "queued waiting-identity(identity)")
		for range 3 {
			w.pass(2 * time.Minute)
		}
		w.expect(w.one(Documents, MSSante, ToPatient), "queued waiting-identity(identity)")
		if n := len(w.mail.Messages(leaBox)) + len(w.mail.Messages(drBox)); n != 0 {
			t.Fatalf("%d letters left for an identity that is not qualified", n)
		}
		w.sign(events.PrescriptionIssued, sheet, "") // joins what waits
		w.town.set(func(a *Addressee) { a.Status = care.Qualified })
		w.pass(2 * time.Minute)
		w.expect(w.one(Documents, MSSante, ToPatient), "queued waiting-identity(identity) queued sending sent")
		if l := w.letters(leaBox); len(l) != 1 || types(l[0]) != "57833-6 85208-7" {
			t.Fatalf("letters %+v", l)
		}
	})
}

// A document is frozen when signed: one signed without the INS never gets it.
func TestADocumentSignedBeforeTheIdentityWasQualifiedIsPosted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	p := w.town.papers[report]
	p.files.CDA = bytes.ReplaceAll(p.files.CDA, []byte(`<id root="1.2.250.1.213.1.4.10" extension="279035121518989"/>`), []byte(`<id root="1.2.250.1.999.3" extension="42"/>`))
	w.town.papers[report] = p
	w.sign(events.ReportSigned, report, "")
	w.pass(time.Minute)
	w.expect(w.one(Documents, MSSante, ToPatient), "queued sending refused(signed-before) to-post(signed-before)")
}

// B16: what cannot leave is posted, and the secretary sees it.
func TestWhatWaitsTooLongIsPosted(t *testing.T) {
	t.Parallel()
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		w := newWorld(t, h)
		w.town.set(func(a *Addressee) { a.Status, a.Doctor = care.Provisional, nil })
		w.sign(events.ReportSigned, report, "")
		w.pass(time.Minute)
		w.pass(49 * time.Hour)
		d := w.one(Documents, MSSante, ToPatient)
		w.expect(d, "queued waiting-identity(identity) to-post(identity)")
		as := testkit.As(actors()["sophie"])
		queue, err := w.svc.PaperQueue(as)
		if err != nil || len(queue) != 1 || queue[0].ID != d.ID || queue[0].Label != "Léa Moreau" {
			t.Fatalf("queue %v %v", show(queue), err)
		}
		pdf, err := w.svc.Sheet(as, d.ID)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := api.PageCount(bytes.NewReader(pdf), model.NewDefaultConfiguration()); err != nil || n != 2 {
			t.Fatalf("the letter has %d pages, want the cover and the report: %v", n, err)
		}
		for range 2 {
			if d, err = w.svc.MarkPosted(as, d.ID); err != nil {
				t.Fatal(err)
			}
		}
		w.expect(d, "queued waiting-identity(identity) to-post(identity) posted")
		if queue, err = w.svc.PaperQueue(as); err != nil || len(queue) != 0 {
			t.Errorf("queue after posting: %v %v", show(queue), err)
		}
		if _, err := w.svc.Retry(as, d.ID); err == nil {
			t.Error("what was posted was sent again")
		}
	})
}

func TestEachAnswerOfTheSecureSpaceShows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		patient, doctor     mailsim.Action
		toPatient, toDoctor string
	}{
		"refused at once":   {mailsim.Refuse, mailsim.Refuse, "queued sending refused(mailbox-closed) to-post(mailbox-closed)", "queued sending refused(mailbox-closed)"},
		"bounced":           {mailsim.Bounce, mailsim.Bounce, "queued sending sent bounced(mailbox-closed) to-post(mailbox-closed)", "queued sending sent bounced(mailbox-closed)"},
		"receipts":          {mailsim.Receipt, mailsim.Receipt, "queued sending sent accepted(processed)", "queued sending sent accepted(processed)"},
		"technical refusal": {mailsim.Deliver, mailsim.KO, "queued sending sent accepted(arrived)", "queued sending sent refused(not-integrated)"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
			for address, a := range map[string]mailsim.Action{"@patient.mssante.test": c.patient, drBox: c.doctor} {
				if err := w.mail.SetRule(address, a); err != nil {
					t.Fatal(err)
				}
			}
			w.sign(events.ReportSigned, report, "")
			w.pass(time.Minute)
			w.collect()
			w.collect()
			w.expect(w.one(Documents, MSSante, ToPatient), c.toPatient)
			w.expect(w.one(Documents, MSSante, ToDoctor), c.toDoctor)
		})
	}
}

func TestABusyServerIsTriedAgainThenThePostTakesOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	w.town.set(func(a *Addressee) { a.Doctor = nil })
	if err := w.mail.SetRule("@patient.mssante.test", mailsim.Busy); err != nil {
		t.Fatal(err)
	}
	w.sign(events.ReportSigned, report, "")
	w.pass(time.Minute)
	d := w.one(Documents, MSSante, ToPatient)
	w.expect(d, "queued sending queued(retry)")
	if d.Attempts != 1 || !d.NextAt.Equal(w.Clock.Now().Add(5*time.Second)) {
		t.Fatalf("next attempt at %s, now %s, %d attempts", d.NextAt, w.Clock.Now(), d.Attempts)
	}
	if err := w.svc.Deliver(context.Background(), d.ID); err != nil || w.one(Documents, MSSante, ToPatient).Attempts != 1 {
		t.Fatalf("tried before its time: %v", err)
	}
	w.pass(5 * time.Second)
	if d = w.one(Documents, MSSante, ToPatient); d.Attempts != 2 || d.State != Queued {
		t.Fatalf("%s", show(w.all()))
	}
	for range maxAttempts {
		w.pass(3 * time.Hour)
	}
	if d = w.one(Documents, MSSante, ToPatient); d.State != ToPost || d.Reason != reasonUnreachable || d.Attempts != maxAttempts {
		t.Fatalf("%s", show(w.all()))
	}
	if err := w.mail.SetRule("@patient.mssante.test", mailsim.Deliver); err != nil {
		t.Fatal(err)
	}
	if _, err := w.svc.Retry(testkit.As(actors()["claire"]), d.ID); err != nil {
		t.Fatal(err)
	}
	w.Deliver(t)
	if l := w.letters(leaBox); len(l) != 1 {
		t.Fatalf("%d letters after a person asked: %s", len(l), show(w.all()))
	}
}

// The connection breaks after the message: the witness copy tells that it
// left, and it leaves once.
func TestADoubtIsSettledByTheWitness(t *testing.T) {
	t.Parallel()
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		w := newWorld(t, h)
		w.town.set(func(a *Addressee) { a.Doctor = nil })
		if err := w.mail.SetRule("@patient.mssante.test", mailsim.Cut); err != nil {
			t.Fatal(err)
		}
		w.sign(events.ReportSigned, report, "")
		w.pass(time.Minute)
		d := w.one(Documents, MSSante, ToPatient)
		if d.State != Sending || d.Reason != reasonInDoubt {
			t.Fatalf("%s", show(w.all()))
		}
		if err := w.mail.SetRule("@patient.mssante.test", mailsim.Deliver); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Minute)
		w.pass(time.Hour)
		if l := w.letters(leaBox); len(l) != 1 {
			t.Fatalf("%d letters%s", len(l), show(w.all()))
		}
		w.expect(w.one(Documents, MSSante, ToPatient), "queued sending sending(in-doubt) sent")
	})
}

// The same break with no copy in our box: nothing was accepted, so the same
// letter is sent again, once DoubtFor has passed.
func TestADoubtWithoutWitnessCopyIsSentAgainLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	w.town.set(func(a *Addressee) { a.Doctor = nil })
	// The server takes neither: it waits for an answer that our side does not.
	if err := w.mail.SetRule("@patient.mssante.test", mailsim.Delay); err != nil {
		t.Fatal(err)
	}
	w.sign(events.ReportSigned, report, "")
	w.pass(time.Minute)
	if d := w.one(Documents, MSSante, ToPatient); d.Reason != reasonInDoubt {
		t.Fatalf("%s", show(w.all()))
	}
	if err := w.mail.SetRule("@patient.mssante.test", mailsim.Deliver); err != nil {
		t.Fatal(err)
	}
	for range 8 {
		w.pass(time.Minute)
	}
	if l := w.letters(leaBox); len(l) != 0 {
		t.Fatalf("sent again while still in doubt%s", show(w.all()))
	}
	w.pass(5 * time.Minute)
	w.pass(time.Minute)
	if l := w.letters(leaBox); len(l) != 1 {
		t.Fatalf("%d letters%s", len(l), show(w.all()))
	}
	if d := w.one(Documents, MSSante, ToPatient); d.State != Sent || d.Attempts != 2 {
		t.Fatalf("%s", show(w.all()))
	}
}
