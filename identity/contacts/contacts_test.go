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
	"visavis/internal/limit"
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

// admit is Admit and Start, with the work that is asked for when it may work.
func (p *phones) admit(phone, from string, works bool) (secret, code string) {
	p.t.Helper()
	r := Request{Phone: phone, Language: care.French, Practitioner: doctor, Network: from}
	err := p.Admit(context.Background(), r)
	var f *fault.Error
	if errors.As(err, &f) && f.Code == "work-needed" && works {
		r.Work = Work(f.Args["challenge"], r.Phone, r.Email)
		err = p.Admit(context.Background(), r)
	}
	if err == nil {
		var a Attempt
		a, err = p.Start(context.Background(), r)
		secret = a.Secret
	}
	if errors.As(err, &f) {
		return "", f.Code
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return secret, ""
}

// TestContacts_FloodWithoutWorkLeavesMoney: a flood from anywhere, which does no
// work, stops at half of the money; who works passes, at an address of the flood and
// elsewhere; a flood that works leaves something for later in the hour.
func TestContacts_FloodWithoutWorkLeavesMoney(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		h.Clock.Set(h.Clock.Now().Truncate(time.Hour))
		c := usual()
		c.SMSPerHour = 30 * c.PricePerSMS
		p := setUp(t, h, c)
		sent := map[string]int{}
		for n := range 500 {
			_, code := p.admit(fmt.Sprintf("+336399%05d", n), fmt.Sprintf("10.%d.%d.1", n%250, n), false)
			sent[code]++
		}
		if sent[""] > 16 || sent["work-needed"] != 500-sent[""] {
			t.Errorf("a flood without work: %v", sent)
		}
		for _, from := range []string{"10.1.1.1", "192.0.2.1"} {
			if _, code := p.admit("+3363990000"+from[:1], from, true); code != "" {
				t.Errorf("somebody who works, at %s: %s", from, code)
			}
		}
		worked := 0
		for n := range 20 {
			if _, code := p.admit(fmt.Sprintf("+336398%05d", n), "10.1.1.1", true); code == "" {
				worked++
			} else if code != "sms-budget" {
				t.Errorf("a flood that works: %s", code)
			}
		}
		h.Clock.Advance(10 * time.Minute)
		if _, code := p.admit("+33639970001", "192.0.2.1", true); code != "" {
			t.Errorf("ten minutes after a flood that works: %s", code)
		}
		t.Logf("%d codes without work, %d more with it, of 30 in an hour", sent[""], worked)
	})
}

// TestContacts_WorkIsAskedOfOneNetwork: a network that proves nothing works, its
// neighbours do not; and a practitioner with many attempts that nobody proved.
func TestContacts_WorkIsAskedOfOneNetwork(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		c := usual()
		c.SMSPerHour, c.SMSPerDay, c.HeldPerHour = 1_000_000, 1_000_000, 1_000
		p := setUp(t, h, c)
		got := map[string]int{}
		for n := range 60 {
			_, code := p.admit(fmt.Sprintf("+336399%05d", n), "192.0.2.1", false)
			got[code]++
		}
		if got[""] != 40 || got["work-needed"] != 20 {
			t.Errorf("one address: %v", got)
		}
		if _, code := p.admit("+33639980001", "192.0.2.1", true); code != "" {
			t.Errorf("somebody at that address who works: %s", code)
		}
		if _, code := p.admit("+33639980002", "198.51.100.1", false); code != "" {
			t.Errorf("elsewhere: %s", code)
		}
		p.Costs.HeldPerHour = 10
		if _, code := p.admit("+33639980003", "198.51.100.2", false); code != "work-needed" {
			t.Errorf("a practitioner with %d unproven attempts: %q", got[""], code)
		}
	})
}

// TestContacts_WorkIsChecked: only the answer to a challenge of ours, for the contact
// it was made for, and not for long.
func TestContacts_WorkIsChecked(t *testing.T) {
	h := testkit.NewHouse(t, testkit.OpenSQLite(t))
	p := setUp(t, h, usual())
	r := Request{Phone: "06 39 98 00 01", Email: "zoe@exemple.fr"}
	challenge := p.challenge(workLeast)
	good := Work(challenge, r.Phone, r.Email)
	parts := strings.Split(good, ".")
	weak := strings.Join([]string{parts[0], "1", parts[2]}, ".")
	with := func(work string) Request { q := r; q.Work = work; return q }
	another := with(good)
	another.Phone = "06 39 98 00 02"
	for name, q := range map[string]Request{"nothing": r, "no number": with(challenge), "another number": with(challenge + ".x"), "another contact": another,
		"an easier one": with(Work(weak, r.Phone, r.Email)), "no challenge": with("1.2"), "long": with(strings.Repeat("1", 100) + good)} {
		if p.worked(q) {
			t.Errorf("%s passes", name)
		}
	}
	if !p.worked(with(good)) {
		t.Error("the answer does not pass")
	}
	h.Clock.Advance(workLife + time.Second)
	if p.worked(with(good)) {
		t.Error("an old answer passes")
	}
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
		err := p.Admit(ctx, x.r)
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

// TestContacts_RedisLost: with Redis and when it is lost, networks are counted, money
// and contacts are bounded as before (they are rows of the database), and nobody is
// locked out.
func TestContacts_RedisLost(t *testing.T) {
	h := testkit.NewHouse(t, testkit.OpenSQLite(t))
	server, rdb := testkit.Redis(t)
	h.Limits = limit.NewShared(rdb, limit.NewLocal(h.Clock))
	c := usual()
	c.SMSPerHour, c.SMSPerDay, c.HeldPerHour = 90*c.PricePerSMS, 1_000_000, 1_000
	h.Clock.Set(h.Clock.Now().Truncate(time.Hour))
	p := setUp(t, h, c)
	n := 0
	hammer := func(from string, times int) (sent, worked int) {
		for range times {
			n++
			switch _, code := p.admit(fmt.Sprintf("+336399%05d", n), from, false); code {
			case "":
				sent++
			case "work-needed":
				worked++
			default:
				t.Errorf("%s", code)
			}
		}
		return sent, worked
	}
	if sent, work := hammer("192.0.2.1", 42); sent != 40 || work != 2 {
		t.Errorf("with Redis: %d sent, %d must work", sent, work)
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	// The other network's 40 tokens are counted here now; half of the money is soon used.
	if sent, work := hammer("198.51.100.1", 42); sent < 4 || sent > 6 || work != 42-sent {
		t.Errorf("without Redis: %d sent, %d must work", sent, work)
	}
	if _, code := p.admit("+33639970001", "203.0.113.1", true); code != "" {
		t.Errorf("somebody who works: %s", code)
	}
	for range 10 {
		if _, code := p.admit("+33639970001", "203.0.113.2", true); code != "" {
			t.Errorf("the same contact: %s", code)
		}
		h.Clock.Advance(2 * time.Minute)
	}
	if _, messages := p.code("+33639970001"); messages > 3 {
		t.Errorf("%d messages to one contact", messages)
	}
}

// TestContacts_WorkOfThePage: the page computes the same (web/src/features/booking/work.test.ts).
func TestContacts_WorkOfThePage(t *testing.T) {
	const want = "1773129600.7.AAAAAAAAAAAAAAAAAAAAAA.142"
	if got := Work("1773129600.7.AAAAAAAAAAAAAAAAAAAAAA", "0639981234", "zoe@exemple.fr"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestContacts_AtOnce: hundreds of attempts that were admitted at once, before any of
// them is counted in the database, do not pass together.
func TestContacts_AtOnce(t *testing.T) {
	h := testkit.NewHouse(t, testkit.OpenSQLite(t))
	c := usual()
	c.SMSPerHour = 40 * c.PricePerSMS
	p, passed := setUp(t, h, c), 0
	for n := range 300 {
		if p.Admit(context.Background(), Request{Phone: fmt.Sprintf("+336399%05d", n), Practitioner: doctor, Network: network(n)}) == nil {
			passed++
		}
	}
	if passed < 20 || passed > 21 {
		t.Errorf("%d were admitted at once for 40 codes in an hour, want half", passed)
	}
	h.Clock.Advance(admitFor + time.Second) // nobody came back
	if err := p.Admit(context.Background(), Request{Phone: "+33639980001", Practitioner: doctor, Network: "192.0.2.1"}); err != nil {
		t.Errorf("later: %v", err)
	}
}
