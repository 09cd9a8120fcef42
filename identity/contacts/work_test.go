package contacts

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/limit"
	"visavis/internal/testkit"
)

// admit is Admit and Start, with the work that is asked for when it may work.
func (p *phones) admit(phone, from string, works bool) (secret, code string) {
	p.t.Helper()
	r := Request{Phone: phone, Language: care.French, Practitioner: doctor, Network: from}
	_, err := p.Admit(context.Background(), r)
	var f *fault.Error
	if errors.As(err, &f) && f.Code == "work-needed" && works {
		r.Work = Work(f.Args["challenge"], r.Phone, r.Email)
		_, err = p.Admit(context.Background(), r)
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
		for n := range 200 {
			_, code := p.admit(fmt.Sprintf("+336399%05d", n), fmt.Sprintf("10.%d.%d.1", n%250, n), false)
			sent[code]++
		}
		if sent[""] > 16 || sent["work-needed"] != 200-sent[""] {
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
		if _, err := p.Admit(context.Background(), Request{Phone: fmt.Sprintf("+336399%05d", n), Practitioner: doctor, Network: network(n)}); err == nil {
			passed++
		}
	}
	if passed < 20 || passed > 21 {
		t.Errorf("%d were admitted at once for 40 codes in an hour, want half", passed)
	}
	h.Clock.Advance(admitFor + time.Second) // nobody came back
	if _, err := p.Admit(context.Background(), Request{Phone: "+33639980001", Practitioner: doctor, Network: "192.0.2.1"}); err != nil {
		t.Errorf("later: %v", err)
	}
}
