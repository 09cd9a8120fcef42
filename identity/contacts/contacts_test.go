package contacts

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"visavis/internal/budget"
	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

const doctor = care.StaffID("0190cccc-0000-7000-8000-000000000001")

// phones gets what is sent.
type phones struct {
	*Service
	h    *testkit.House
	t    *testing.T
	sent []string // contact and code
	late int      // codes that were expired when the bus delivered
}

func setUp(t *testing.T, h *testkit.House, c Costs) *phones {
	t.Helper()
	p := &phones{h: h, t: t}
	p.Service = New(Deps{DB: h.DB, Bus: h.Bus, Keeper: h.Keeper, Clock: h.Clock, Limits: h.Limits, Master: h.Master,
		Ledger: budget.New(h.Clock, h.Log), Costs: c, SMS: true, Mail: true})
	h.Bus.On(events.ContactCodeRequested, "test.code", func(ctx context.Context, _ *store.Tx, ev events.Event) error {
		var f events.ContactCode
		if err := ev.Decode(&f); err != nil {
			return err
		}
		code, to, err := p.Pending(ctx, f.CodeID)
		if fault.KindOf(err) == fault.Gone && err != nil {
			p.late++ // the test delivers once an hour
			return nil
		}
		p.sent = append(p.sent, to+" "+code)
		return err
	})
	return p
}

// usual are the costs of the settings by default.
func usual() Costs {
	return Costs{PricePerSMS: 700, SMSPerHour: 100_000, SMSPerDay: 500_000, HeldPerHour: 30, HeldPerDay: 80, HeldByContact: 6}
}

// network is the n-th address, each in a /16 of its own.
func network(n int) string { return fmt.Sprintf("10.%d.0.1", n%256) }

func (p *phones) start(phone, from string, again bool) (string, error) {
	p.t.Helper()
	a, err := p.Start(context.Background(), Request{Phone: phone, Language: care.French, Practitioner: doctor, Network: from, Again: again})
	return a.Secret, err
}

// code is the newest code that a telephone got, and how many it got.
func (p *phones) code(phone string) (code string, messages int) {
	p.t.Helper()
	p.h.Deliver(p.t)
	for _, m := range p.sent {
		if strings.HasPrefix(m, phone+" ") {
			messages++
		}
	}
	return p.got(phone), messages
}

// got is the newest code that a telephone got already.
func (p *phones) got(phone string) (code string) {
	for _, m := range p.sent {
		if to, c, _ := strings.Cut(m, " "); to == phone {
			code = c
		}
	}
	return code
}

func wantCode(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != kind || f.Code != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

// TestContacts_VictimIsNeitherFloodedNorLockedOut: for a day somebody asks codes for
// another's telephone from ever new networks and guesses; the owner gets at most eight
// messages and proves it at the first try, at any hour.
func TestContacts_VictimIsNeitherFloodedNorLockedOut(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		c := usual()
		c.HeldPerHour = 1_000_000 // the guard has its own test
		p := setUp(t, h, c)
		const phone = "+33639980001"
		n := 0
		for hour := range 24 {
			for range 12 {
				n++
				secret, err := p.start(phone, network(n), true)
				if err != nil {
					t.Fatalf("hour %d: the contact is refused: %v", hour, err)
				}
				for try := range tries {
					if err := p.Verify(context.Background(), secret, fmt.Sprintf("%08d", try), network(n)); err == nil {
						t.Fatal("guessed")
					}
				}
				h.Clock.Advance(5 * time.Minute)
			}
			mine, err := p.start(phone, "192.0.2.1", false)
			if err != nil {
				t.Fatalf("hour %d: the owner is locked out: %v", hour, err)
			}
			code, _ := p.code(phone)
			if err := p.Verify(context.Background(), mine, code, "192.0.2.1"); err != nil {
				t.Errorf("hour %d: the owner's code: %v", hour, err)
			}
			if channel, _, err := p.Proven(context.Background(), mine, "06 39 98 00 01", ""); err != nil || channel != SMS {
				t.Errorf("hour %d: %s %v", hour, channel, err)
			}
		}
		if _, messages := p.code(phone); messages+p.late > 2*8 { // two calendar days are touched
			t.Errorf("%d messages in 24 hours", messages+p.late)
		} else {
			t.Logf("%d messages in 24 hours, %d attempts of others, %d guesses", messages+p.late, n, n*tries)
		}
	})
}

// TestContacts_AttemptIsItsOwn: tries and proofs belong to one attempt.
func TestContacts_AttemptIsItsOwn(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		p, ctx := setUp(t, h, usual()), context.Background()
		const phone = "+33639980002"
		mine, err := p.start(phone, network(1), false)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := p.start(phone, network(2), false)
		if err != nil {
			t.Fatal(err)
		}
		code, messages := p.code(phone)
		if messages != 1 {
			t.Errorf("%d messages for two attempts at once, want 1", messages)
		}
		for i := range tries {
			err := p.Verify(ctx, theirs, "x", network(2))
			if i < tries-1 {
				wantCode(t, err, fault.Invalid, "code-wrong")
			} else {
				wantCode(t, err, fault.Gone, "attempt-over")
			}
		}
		wantCode(t, p.Verify(ctx, theirs, code, network(2)), fault.Gone, "attempt-over")
		if err := p.Verify(ctx, mine, code[:4]+" "+code[4:], network(1)); err != nil {
			t.Errorf("the owner: %v", err)
		}
		if err := p.Verify(ctx, mine, "x", network(1)); err != nil {
			t.Errorf("a lost answer asked again: %v", err)
		}
		for name, try := range map[string]struct{ secret, phone, email string }{
			"no attempt": {"", phone, ""}, "unknown": {"x", phone, ""}, "not proven": {theirs, phone, ""},
			"another telephone": {mine, "+33639980003", ""},
		} {
			_, _, err := p.Proven(ctx, try.secret, try.phone, try.email)
			wantCode(t, err, fault.Forbidden, "contact-not-proven")
			if t.Failed() {
				t.Fatal(name)
			}
		}
		h.Clock.Advance(proofLife)
		_, _, err = p.Proven(ctx, mine, phone, "")
		wantCode(t, err, fault.Forbidden, "contact-not-proven")
		late, err := p.start(phone, network(3), false)
		if err != nil {
			t.Fatal(err)
		}
		fresh, _ := p.code(phone)
		h.Clock.Advance(attemptLife)
		wantCode(t, p.Verify(ctx, late, fresh, network(3)), fault.Gone, "attempt-over")
	})
}

// TestContacts_Budgets: money, networks, practitioner and contact, each refused in
// its own words, alarmed once, and left alone again when its time comes.
func TestContacts_Budgets(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		c := usual()
		c.SMSPerHour = 20 * c.PricePerSMS
		p, ctx := setUp(t, h, c), context.Background()
		sent, refused := 0, map[string]int{}
		for n := range 400 { // from 40 sites
			_, err := p.start(fmt.Sprintf("+336399%05d", n), fmt.Sprintf("10.%d.0.%d", n%40, n), false)
			var f *fault.Error
			if errors.As(err, &f) {
				refused[f.Code]++
				if f.Args["seconds"] == "" {
					t.Errorf("%s does not say when to come back", f.Code)
				}
				continue
			}
			sent++
		}
		// A third of the money is kept for the rest of the hour.
		at := h.Clock.Now().Sub(h.Clock.Now().Truncate(time.Hour))
		want := int((20*c.PricePerSMS - 20*c.PricePerSMS/3 + int64(float64(20*c.PricePerSMS/3)*float64(at)/float64(time.Hour))) / c.PricePerSMS)
		if sent != want || refused["sms-budget"] == 0 {
			t.Errorf("%d messages %v after the hour began, want %d for a budget of 20; refused %v", sent, at, want, refused)
		}
		if n := strings.Count(h.Logged.String(), "budget=sms-money-hour"); n != 1 {
			t.Errorf("%d alarms, want 1", n)
		}
		if strings.Contains(h.Logged.String(), "63998") {
			t.Error("a telephone is in the log")
		}
		if a, err := p.Start(ctx, Request{Phone: "+33639980009", Email: "zoe@exemple.fr", Channel: Email, Practitioner: doctor, Network: "192.0.2.9"}); err != nil || a.Channel != Email {
			t.Errorf("by e-mail: %v", err)
		}
		for range 30 {
			if err := p.Hold(ctx, string(doctor), []byte(care.NewID(h.Clock.Now()))); err != nil {
				t.Fatal(err)
			}
		}
		wantCode(t, p.Hold(ctx, string(doctor), []byte("z")), fault.Throttled, "practitioner-budget")
		if err := p.Hold(ctx, "another", []byte("z")); err != nil {
			t.Error(err)
		}
		lines, err := p.Standing(ctx)
		if err != nil || len(lines) == 0 {
			t.Errorf("%v %v", lines, err)
		}
		h.Clock.Advance(time.Hour)
		if _, err := p.start("+33639980010", "192.0.2.10", false); err != nil {
			t.Errorf("an hour later: %v", err)
		}
		if err := p.Hold(ctx, string(doctor), []byte("z")); err != nil {
			t.Errorf("an hour later: %v", err)
		}
		if err := p.Sweep(ctx); err != nil {
			t.Error(err)
		}
	})
}

// TestContacts_SharedAddress: a hospital behind one address never works while its
// people prove their contacts.
func TestContacts_SharedAddress(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		c := usual()
		c.SMSPerHour, c.SMSPerDay = 1_000_000, 1_000_000
		p, ctx := setUp(t, h, c), context.Background()
		for batch := range 8 { // of ten people: twice what the address may have unproven
			asked := map[string]string{}
			for i := range 10 {
				phone := fmt.Sprintf("+336399%05d", 10*batch+i)
				secret, code := p.admit(phone, "192.0.2.1", false)
				if code != "" {
					t.Fatalf("batch %d: %s", batch, code)
				}
				asked[phone] = secret
			}
			h.Deliver(t)
			for phone, secret := range asked {
				if err := p.Verify(ctx, secret, p.got(phone), "192.0.2.1"); err != nil {
					t.Fatalf("batch %d: %v", batch, err)
				}
			}
		}
	})
}

// TestContacts_GuesserAtTheSameAddress: who guesses a contact from the address of its
// owner does not keep them from typing their code, and is stopped.
func TestContacts_GuesserAtTheSameAddress(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		p, ctx := setUp(t, h, usual()), context.Background()
		const phone, home = "+33639980001", "192.0.2.1"
		stopped := false
		for range 20 {
			secret, err := p.start(phone, home, false)
			if err != nil {
				t.Fatal(err)
			}
			for range tries {
				if err := p.Verify(ctx, secret, "x", home); fault.KindOf(err) == fault.Throttled {
					stopped = true
				}
			}
		}
		mine, err := p.start(phone, home, false)
		if err != nil {
			t.Fatal(err)
		}
		code, messages := p.code(phone)
		wantCode(t, p.Verify(ctx, mine, "12", home), fault.Invalid, "code-wrong") // they mistype
		if err := p.Verify(ctx, mine, code, home); err != nil {
			t.Errorf("the owner: %v", err)
		}
		if !stopped || messages != 1 {
			t.Errorf("the guesser was stopped: %v; %d messages", stopped, messages)
		}
		if n := strings.Count(h.Logged.String(), "budget=contact-wrong-codes-hour"); n != 1 {
			t.Errorf("%d alarms of wrong codes, want 1", n)
		}
	})
}

// TestContacts_Outlets: a code goes by the way that exists; without any, it is said
// at once.
func TestContacts_Outlets(t *testing.T) {
	h := testkit.NewHouse(t, testkit.OpenSQLite(t))
	p, ctx := setUp(t, h, usual()), context.Background()
	both := Request{Phone: "06 39 98 00 01", Email: "zoe@exemple.fr", Practitioner: doctor, Network: "192.0.2.1"}
	for _, x := range []struct {
		sms, mail bool
		r         Request
		want      string
	}{
		{true, true, both, "sms"}, {true, false, both, "sms"}, {false, true, both, "email"}, {false, false, both, "codes-not-sent"},
		{false, true, Request{Phone: both.Phone}, "patient.email email-needed-here"}, {true, false, Request{Email: both.Email}, "patient.phone mobile-needed-here"},
		{true, false, Request{Phone: "01 42 00 00 00", Email: both.Email}, "patient.phone mobile-needed-here"},
		{false, true, Request{Phone: both.Phone, Email: both.Email, Channel: SMS}, "email"}, {false, false, Request{}, "codes-not-sent"},
		{false, false, Request{Phone: both.Phone, Proven: true}, "sms"},
	} {
		p.SMS, p.Mail = x.sms, x.mail
		_, err := p.Admit(ctx, x.r)
		a, started := p.Start(ctx, x.r)
		got := a.Channel
		var f *fault.Error
		if errors.As(started, &f) {
			if got = f.Code; len(f.Fields) == 1 {
				got = f.Fields[0].Name + " " + f.Fields[0].Code
			}
		}
		if got != x.want || (err == nil) != (started == nil) {
			t.Errorf("SMS %v, mail %v, %+v: %s, want %s; Admit: %v", x.sms, x.mail, x.r, got, x.want, err)
		}
	}
}

func TestContacts_Choose(t *testing.T) {
	for in, want := range map[[3]string]string{
		{"06 39 98 00 01", "", ""}: "sms +33639980001", {"06 39 98 00 01", "Zoe@Exemple.fr", ""}: "sms +33639980001",
		{"06 39 98 00 01", "Zoe@Exemple.fr", "email"}: "email zoe@exemple.fr", {"01 42 00 00 00", "zoe@exemple.fr", ""}: "email zoe@exemple.fr",
		{"01 42 00 00 00", "", ""}: "patient.phone mobile-or-email-needed", {"", "", ""}: "patient.phone phone-or-email-needed",
		{"06 39 98 00 01", "", "email"}: "patient.email required", {"", "zoe@exemple.fr", "sms"}: "patient.phone mobile-or-email-needed",
		{"0", "", ""}: "patient.phone phone-too-short",
	} {
		a, err := choose(in[0], in[1], in[2])
		got := a.channel + " " + a.value
		var f *fault.Error
		if errors.As(err, &f) {
			got = f.Fields[0].Name + " " + f.Fields[0].Code
		}
		if got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}
