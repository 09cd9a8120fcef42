package messaging

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/lang"
	"visavis/internal/store"
	"visavis/internal/testkit"
	"visavis/messaging/sms"
	mailsim "visavis/simulators/mail"
	smssim "visavis/simulators/sms"
)

// unmimed undoes quoted-printable, enough to look for words.
func unmimed(raw []byte) string {
	return strings.NewReplacer("=\r\n", "", "=3D", "=", "=C3=A9", "é", "=C3=A0", "à", "=C2=A0", "\u00a0", "=E2=80=99", "’").Replace(string(raw))
}

// healthWord finds what must not be in a booking message (product B11).
func healthWord(text string) string {
	return regexp.MustCompile(`(?i)m[ée]decin|docteur|\bdr\b|doctor|sant[ée]\b|health|t[ée]l[ée][cdems]|consultation|patient|soin|ordonnance|prescription|maladie|hospital|h[ôo]pital|clini|maison m`).FindString(text)
}

func (w *world) wait(to string, n int) []smssim.Message {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	got, err := w.sms.Wait(ctx, to, n)
	if err != nil {
		w.t.Fatalf("%v%s", err, show(w.all()))
	}
	return got
}

// settle waits until the gateway's receipt was taken, and gives the delivery.
func (w *world) settle(a About, s State) *Delivery {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	want := sms.StateDelivered
	if s == Bounced {
		want = sms.StateFailed
	}
	if err := w.sms.WaitState(ctx, string(w.one(a, SMS, ToPatient).ID), want); err != nil {
		w.t.Fatal(err)
	}
	d := w.one(a, SMS, ToPatient)
	if d.State != s {
		w.t.Fatalf("%s by SMS is %s, want %s%s", a, d.State, s, show(w.all()))
	}
	return d
}

// B11: the patient gets an e-mail and an SMS with a link, and no health word.
func TestABookingIsTold(t *testing.T) {
	t.Parallel()
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		w := newWorld(t, h)
		w.appointment(events.AppointmentBooked, 3*time.Hour+30*time.Minute)
		mails := w.mail.Messages(leaMail)
		texts := w.wait(leaPhone, 1)
		if len(mails) != 1 || len(texts) != 1 {
			t.Fatalf("%d e-mails, %d SMS%s", len(mails), len(texts), show(w.all()))
		}
		body := unmimed(mails[0].Raw)
		link := regexp.MustCompile(`https://visavis\.test/rdv#[A-Za-z0-9_-]{43}`)
		if !link.MatchString(body) || !strings.Contains(body, "mardi 10 mars à 12\u00a0h\u00a030") || !strings.Contains(body, "Claire Martin") {
			t.Errorf("e-mail: %s", body)
		}
		if !link.MatchString(texts[0].Text) || !strings.Contains(texts[0].Text, "mardi 10 à 12 h 30") || !sms.Fits(texts[0].Text) {
			t.Errorf("SMS: %s", texts[0].Text)
		}
		if link.FindString(body) == link.FindString(texts[0].Text) {
			t.Error("the two channels share one link: revoking one would not tell which leaked")
		}
		for _, s := range []string{body, texts[0].Text} {
			if word := healthWord(s); word != "" {
				t.Errorf("%q in %s", word, s)
			}
		}
		if strings.Contains(body, "Moreau") || strings.Contains(texts[0].Text, "Moreau") {
			t.Error("the message names the patient")
		}
		d := w.settle(Booked, Accepted)
		w.expect(d, "queued sending sent accepted(arrived)")
		w.expect(w.one(Booked, Email, ToPatient), "queued sending sent")
		if d.Hint != "•• •• •• •• 12" || w.one(Booked, Email, ToPatient).Hint != "l•••@example.test" {
			t.Errorf("hints %q", d.Hint)
		}
	})
}

func TestMovedAndCancelledOvertakeWhatHasNotLeft(t *testing.T) {
	t.Parallel()
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		w := newWorld(t, h)
		w.town.set(func(a *Addressee) { a.Phone = "" })
		w.appointment(events.AppointmentBooked, 72*time.Hour)
		if r := w.one(Reminder, Email, ToPatient); r.State != Queued || !r.NextAt.Equal(w.Clock.Now().Add(48*time.Hour)) {
			t.Fatalf("reminder %+v", r)
		}
		if err := w.mail.SetRule(leaMail, mailsim.Busy); err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(time.Minute)
		w.appointment(events.AppointmentMoved, 96*time.Hour)
		w.Clock.Advance(time.Minute)
		w.appointment(events.AppointmentCancelled, 96*time.Hour)
		if err := w.mail.SetRule(leaMail, mailsim.Deliver); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Minute)
		w.pass(100 * time.Hour)
		mails := w.mail.Messages(leaMail)
		if len(mails) != 2 {
			t.Fatalf("%d e-mails, want the booking and the cancellation%s", len(mails), show(w.all()))
		}
		if s := unmimed(mails[1].Raw); !strings.Contains(s, "annul") || strings.Contains(s, "/rdv#") {
			t.Errorf("cancellation: %s", s)
		}
		if d := w.one(Moved, Email, ToPatient); d.State != Refused || d.Reason != reasonOvertaken {
			t.Errorf("moved: %s", path(d))
		}
	})
}

// An attempt is under way when the cancellation comes: it is not repeated
// afterwards.
func TestWhatWasBeingSentIsOvertakenToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	w.town.set(func(a *Addressee) { a.Phone = "" })
	if err := w.mail.SetRule(leaMail, mailsim.Busy); err != nil {
		t.Fatal(err)
	}
	w.appointment(events.AppointmentBooked, 3*time.Hour)
	id := w.one(Booked, Email, ToPatient).ID
	err := w.DB.Tx(context.Background(), func(_ context.Context, tx *store.Tx) error {
		d, err := lockDelivery(tx, id)
		if err != nil {
			return err
		}
		d.State, d.phase, d.claim, d.claimedUntil = Sending, phaseWriting, "another", w.Clock.Now().Add(lease)
		return update(tx, d)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.mail.SetRule(leaMail, mailsim.Deliver); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(time.Second)
	w.appointment(events.AppointmentCancelled, 3*time.Hour)
	w.pass(2 * time.Minute)
	if d := w.one(Booked, Email, ToPatient); d.State != Refused || d.Reason != reasonOvertaken {
		t.Errorf("%s", show(w.all()))
	}
	if n := len(w.mail.Messages(leaMail)); n != 1 {
		t.Errorf("%d e-mails, want the cancellation alone", n)
	}
}

func TestFactsOutOfOrderDoNotUndoLaterOnes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	p := w.appointment(events.AppointmentCancelled, 72*time.Hour)
	before := len(w.mail.Messages(leaMail))
	w.Clock.Advance(-time.Hour)
	w.publish(events.AppointmentBooked, string(booking), p)
	if n := len(w.mail.Messages(leaMail)); n != before || before != 1 {
		t.Fatalf("%d e-mails, then %d%s", before, n, show(w.all()))
	}
}

func TestTheReminderLeavesTheDayBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	w.appointment(events.AppointmentBooked, 72*time.Hour)
	w.wait(leaPhone, 1)
	w.pass(47 * time.Hour)
	if n := len(w.sms.Messages()); n != 1 {
		t.Fatalf("%d SMS an hour too early", n)
	}
	w.pass(time.Hour)
	texts := w.wait(leaPhone, 2)
	if !strings.HasPrefix(texts[1].Text, "Rappel : rendez-vous vendredi 13 à 9 h avec Claire Martin. Pour entrer : https://visavis.test/rdv#") {
		t.Errorf("reminder: %s", texts[1].Text)
	}
}

func TestANewLinkIsSentWithTheWordsOfTheBooking(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	w.appointment(events.AppointmentBooked, 3*time.Hour)
	w.Clock.Advance(time.Minute)
	w.publish(events.LinkRequested, string(booking), events.Link{AppointmentID: booking, PatientID: lea})
	texts := w.wait(leaPhone, 2)
	if !strings.Contains(texts[1].Text, "Nouveau lien pour votre rendez-vous mardi 10 à 12 h") {
		t.Errorf("SMS: %s", texts[1].Text)
	}
	if w.one(Link, Email, ToPatient).State != Sent {
		t.Errorf("%s", show(w.all()))
	}
}

// The first link dies an hour after the act, the report often comes later: one
// asked for then is sent, and not an hour after it was asked for (decision 0008).
func TestALinkAskedForAfterTheActIsSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	w.appointment(events.AppointmentBooked, 3*time.Hour)
	w.wait(leaPhone, 1)
	w.pass(30 * 24 * time.Hour)
	w.publish(events.LinkRequested, string(booking), events.Link{AppointmentID: booking, PatientID: lea})
	texts := w.wait(leaPhone, 2)
	if !strings.HasPrefix(texts[1].Text, "Nouveau lien") || w.one(Link, Email, ToPatient).State != Sent {
		t.Errorf("%s %s", texts[1].Text, show(w.all()))
	}
	asked := &Delivery{About: Link, Channel: SMS, AppointmentID: booking, StartsAt: w.Clock.Now().Add(-48 * time.Hour), FactAt: w.Clock.Now().Add(-61 * time.Minute)}
	var out *outOfUse
	if _, err := w.svc.filling(context.Background(), asked, Addressee{}); !errors.As(err, &out) || out.reason != reasonExpired {
		t.Errorf("asked for 61 minutes ago: %v", err)
	}
}

// A link or a code that a minor's representative asked for goes to them alone.
func TestARepresentativeWhoAskedGetsIt(t *testing.T) {
	t.Parallel()
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		w := newWorld(t, h)
		w.appointment(events.AppointmentBooked, 3*time.Hour)
		w.wait(leaPhone, 1)
		w.town.codes["c9"] = "118218"
		w.publish(events.LinkRequested, string(booking), events.Link{AppointmentID: booking, PatientID: lea, Representative: "d1ego"})
		w.publish(events.CodeRequested, "c9", events.Code{CodeID: "c9", PatientID: lea, Channel: "sms", Representative: "d1ego"})
		texts := w.wait("+33611000014", 2)
		slices.SortFunc(texts, func(a, b smssim.Message) int { return strings.Compare(a.Text, b.Text) })
		if !strings.HasPrefix(texts[0].Text, "118218 ") || !strings.HasPrefix(texts[1].Text, "Nouveau lien") {
			t.Errorf("%+v", texts)
		}
		if n := len(w.mail.Messages(leaMail)); n != 1 {
			t.Errorf("%d e-mails to the address on file, want the booking's only", n)
		}
	})
}

func TestAPatientWithoutContactIsSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	w.town.set(func(a *Addressee) { a.Phone, a.Email = "", "" })
	w.appointment(events.AppointmentBooked, 3*time.Hour)
	w.expect(w.one(Booked, Paper, ToPatient), "refused(no-address)")
}

// A code goes by the channel asked for, once, and not after its time.
func TestACodeIsSentWhileItIsOfUse(t *testing.T) {
	t.Parallel()
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		w := newWorld(t, h)
		w.town.codes["c1"] = "482913"
		w.publish(events.CodeRequested, "c1", events.Code{CodeID: "c1", PatientID: lea, Channel: "sms"})
		if got := w.wait(leaPhone, 1); got[0].Text != "482913 est votre code pour confirmer que c'est bien vous. Maison médicale des Lilas. Valable 10 minutes. Ne le donnez à personne." {
			t.Errorf("SMS: %s", got[0].Text)
		}
		w.town.codes["c2"] = "771204"
		w.publish(events.CodeRequested, "c2", events.Code{CodeID: "c2", PatientID: lea, Channel: "email"})
		if m := w.mail.Messages(leaMail); len(m) != 1 || !strings.Contains(string(m[0].Raw), "771204") {
			t.Errorf("%d e-mails", len(m))
		}
		w.publish(events.CodeRequested, "gone", events.Code{CodeID: "gone", PatientID: lea, Channel: "sms"})
		w.pass(time.Minute)
		if n := len(w.sms.Messages()); n != 1 {
			t.Errorf("%d SMS: an expired code was sent", n)
		}
		if s := h.Logged.String(); strings.Contains(s, "482913") || strings.Contains(s, "771204") {
			t.Error("a code is in the log")
		}
	})
}

// A code that proves a contact goes there whoever reads it, and no patient is asked about.
func TestContactCode_IsSentOnceToTheContact(t *testing.T) {
	t.Parallel()
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		w := newWorld(t, h)
		w.town.codes["k1"], w.town.codes["k2"] = "48291367 +33639980042", "77120455 nobody@exemple.test"
		w.publish(events.ContactCodeRequested, "k1", events.ContactCode{CodeID: "k1", Channel: "sms", Language: care.English, PractitionerID: "claire"})
		if got := w.wait("+33639980042", 1); got[0].Text != "48291367 is your code to book an appointment. Maison médicale des Lilas. Valid for 20 minutes. Do not give it to anybody." {
			t.Errorf("SMS: %s", got[0].Text)
		}
		w.publish(events.ContactCodeRequested, "k2", events.ContactCode{CodeID: "k2", Channel: "email"})
		if m := w.mail.Messages("nobody@exemple.test"); len(m) != 1 || !strings.Contains(string(m[0].Raw), "77120455") || strings.Contains(string(m[0].Raw), "/rdv#") {
			t.Errorf("%d e-mails", len(m))
		}
		w.publish(events.ContactCodeRequested, "gone", events.ContactCode{CodeID: "gone", Channel: "sms"})
		w.pass(time.Minute)
		if n := len(w.sms.Messages()); n != 1 {
			t.Errorf("%d SMS: an expired code was sent", n)
		}
		if s := h.Logged.String(); strings.Contains(s, "48291367") || strings.Contains(s, "639980042") || strings.Contains(s, "nobody@") {
			t.Error("a code or a contact is in the log")
		}
	})
}

func TestAGatewayThatFailsIsTriedAgainAndDoublesNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault smssim.Fault
		want  string
		after string
	}{
		"down":              {smssim.Temporary, "queued sending queued(retry)", "queued sending queued(retry) sending sent accepted(arrived)"},
		"cut after it took": {smssim.Cut, "queued sending queued(retry)", ""},
		"number refused":    {smssim.Permanent, "queued sending refused(no-address)", "queued sending refused(no-address)"},
		"phone off":         {smssim.Failed, "", "queued sending sent bounced(phone-failed)"},
		"no receipt":        {smssim.NoReceipt, "queued sending sent", "queued sending sent"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
			w.town.set(func(a *Addressee) { a.Email = "" })
			if err := w.sms.SetFault(c.fault); err != nil {
				t.Fatal(err)
			}
			w.appointment(events.AppointmentBooked, 3*time.Hour)
			if c.want != "" && c.fault != smssim.Cut {
				w.expect(w.one(Booked, SMS, ToPatient), c.want)
			}
			if err := w.sms.SetFault(smssim.None); err != nil {
				t.Fatal(err)
			}
			w.pass(2 * time.Minute)
			if c.fault == smssim.Permanent || c.fault == smssim.NoReceipt {
				w.expect(w.one(Booked, SMS, ToPatient), c.after)
				return
			}
			state := Accepted
			if c.fault == smssim.Failed {
				state = Bounced
			}
			d := w.settle(Booked, state)
			if c.after != "" {
				w.expect(d, c.after)
			}
			if n := len(w.sms.Messages()); n != 1 {
				t.Errorf("the phone got %d messages", n)
			}
		})
	}
}

// An ordinary e-mail has no witness: in doubt it is left to a person.
func TestAnEmailInDoubtIsLeftToAPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	w.town.set(func(a *Addressee) { a.Phone = "" })
	if err := w.mail.SetRule(leaMail, mailsim.Cut); err != nil {
		t.Fatal(err)
	}
	w.appointment(events.AppointmentBooked, 30*time.Hour)
	if err := w.mail.SetRule(leaMail, mailsim.Deliver); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		w.pass(time.Hour)
	}
	d := w.one(Booked, Email, ToPatient)
	w.expect(d, "queued sending sending(in-doubt)")
	if n := len(w.mail.Messages(leaMail)); n != 1 {
		t.Fatalf("%d e-mails: it was sent again by itself", n)
	}
	first := w.mail.Messages(leaMail)[0].Raw
	if _, err := w.svc.Retry(testkit.As(actors()["claire"]), d.ID); err != nil {
		t.Fatal(err)
	}
	w.Deliver(t)
	mails := w.mail.Messages(leaMail)
	if len(mails) != 2 || string(mails[1].Raw) != string(first) {
		t.Fatalf("%d e-mails; the second must be the same message, so that mailboxes recognise it", len(mails))
	}
}

func TestEveryTextIsCompleteAndEverySMSFits(t *testing.T) {
	t.Parallel()
	svc := texter(t, "https://teleconsultation.maison-medicale-les-lilas.example.test")
	with := "Marie-Antoinette N'Guessan-Lefèvre de La Rochefoucauld"
	link := svc.PublicURL + linkPath + strings.Repeat("x", 43)
	starts := time.Date(2026, 9, 30, 12, 30, 0, 0, time.UTC)
	for _, about := range []About{Booked, Moved, Cancelled, Reminder, Link, Code} {
		for _, l := range []care.Language{care.French, care.English} {
			for _, zone := range []string{"Europe/Paris", "America/Miquelon", "Indian/Reunion", "nowhere", ""} {
				for _, c := range []Channel{SMS, Email} {
					d := &Delivery{Channel: c, About: about, Language: l, Zone: zone, StartsAt: starts}
					n, err := svc.write(d, filling{with: with, link: link, code: "123456"})
					if err != nil {
						t.Errorf("%s %s %s %q: %v", about, l, c, zone, err)
						continue
					}
					if word := healthWord(strings.ReplaceAll(n.Subject+n.Text, svc.PublicURL, "")); word != "" {
						t.Errorf("%s %s: %q in %s", about, l, word, n.Text)
					}
					if c == SMS && !sms.Fits(n.Text) {
						t.Errorf("%s %s: %d characters", about, l, len(n.Text))
					}
					if about != Cancelled && about != Code && !strings.Contains(n.Text, link) {
						t.Errorf("%s %s %s: no link in %s", about, l, c, n.Text)
					}
				}
			}
		}
	}
	if _, err := svc.write(&Delivery{Channel: Email, About: Booked, Language: care.French}, filling{}); err == nil {
		t.Error("a text without its day was written")
	}
	if _, err := New(Deps{PublicURL: "https://" + strings.Repeat("long.", 40) + "example.test", Zone: time.UTC}); err == nil {
		t.Error("an address too long for an SMS was taken")
	}
	if _, err := New(Deps{PublicURL: "https://x.test"}); err == nil {
		t.Error("no zone")
	}
}

func texter(t *testing.T, url string) *Service {
	t.Helper()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	svc, err := New(Deps{PublicURL: url, Zone: paris})
	if err != nil {
		t.Fatal(err)
	}
	return svc
}

// Every reason a delivery can show has its words in both languages.
func TestEveryReasonHasWords(t *testing.T) {
	t.Parallel()
	texts, err := Texts()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []string{reasonInDoubt, reasonRetry, reasonDelayed, reasonUnknownReport, reasonOvertaken, reasonExpired, reasonUnreachable, reasonNoOutlet, reasonNoAddress,
		reasonIdentity, reasonHidden, reasonServer, reasonClosed, reasonFull, reasonTooLarge, reasonDocument, reasonSignedBefore, reasonNotIntegrated, reasonPhone,
		reasonArrived, reasonProcessed, reasonRead} {
		for _, l := range []string{"fr", "en"} {
			if text := texts.T(l, "reason."+r, nil); !lang.Complete(text) {
				t.Errorf("%s has no words in %s", r, l)
			}
		}
	}
}

func TestOnlyTheGatewayMovesAnSMS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	w.town.set(func(a *Addressee) { a.Email = "" })
	if err := w.sms.SetFault(smssim.NoReceipt); err != nil {
		t.Fatal(err)
	}
	w.appointment(events.AppointmentBooked, 3*time.Hour)
	d := w.one(Booked, SMS, ToPatient)
	body := `{"id":"1","reference":"` + string(d.ID) + `","state":"delivered"}`
	call := func(secret, body string) int {
		return w.http.Post("/api/hooks/sms", body, testkit.Header(sms.SignatureHeader, sms.Sign(secret, sms.DirectionReceipt, time.Now(), []byte(body))),
			testkit.Header("Content-Type", "application/json"), testkit.Header("Sec-Fetch-Site", "")).Status
	}
	if code := call("guess", body); code != http.StatusUnauthorized {
		t.Errorf("a stranger's receipt: %d", code)
	}
	if code := call(secret, `{"state":"delivered"}`); code != http.StatusBadRequest {
		t.Errorf("an unreadable receipt: %d", code)
	}
	if code := call(secret, strings.Replace(body, string(d.ID), "0199aaaa-0000-7000-8000-0000000000ff", 1)); code != http.StatusNoContent {
		t.Errorf("an unknown reference: %d", code)
	}
	w.expect(w.one(Booked, SMS, ToPatient), "queued sending sent")
	for range 2 {
		if code := call(secret, body); code != http.StatusNoContent {
			t.Errorf("the gateway's receipt: %d", code)
		}
	}
	w.expect(w.one(Booked, SMS, ToPatient), "queued sending sent accepted(arrived)")
}
