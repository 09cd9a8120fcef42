package contacts

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

// TestContacts_AnswerSaysWhatLeft: over random requests for the codes of two telephones,
// by several people, an answer says that a code left exactly when one did, and else when
// the last one did; what may be asked for after the time it says is sent then.
func TestContacts_AnswerSaysWhatLeft(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		c := usual()
		c.HeldPerHour, c.SMSPerHour, c.SMSPerDay = 1_000_000, 1_000_000, 1_000_000
		p, ctx := setUp(t, h, c), context.Background()
		seed := uint64(time.Now().UnixNano())
		r := rand.New(rand.NewPCG(seed, 1))
		count := func(phone string) (n int) {
			if err := h.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
				return tx.G().Raw("SELECT COUNT(*) FROM contact_codes WHERE contact = ?", p.contact(address{SMS, phone})).Scan(&n).Error
			}); err != nil {
				t.Fatal(err)
			}
			return n
		}
		phones := [2]string{"+33639980001", "+33639980002"}
		last, joined := [2]time.Time{}, 0
		for step := range 80 {
			h.Clock.Advance(time.Duration(r.IntN(150)) * time.Second)
			i, again := r.IntN(2), r.IntN(3) > 0
			before := count(phones[i])
			ask := func() Attempt {
				a, err := p.Start(ctx, Request{Phone: phones[i], Language: care.French, Practitioner: doctor, Network: network(step), Again: again})
				if err != nil {
					t.Fatalf("seed %d, step %d: %v", seed, step, err)
				}
				return a
			}
			a := ask()
			if left := count(phones[i])-before == 1; left != a.Sent {
				t.Fatalf("seed %d, step %d: a code left: %v, the answer says %v", seed, step, left, a.Sent)
			}
			if a.Sent {
				last[i] = h.Clock.Now()
			} else {
				joined++
			}
			if !a.At.Equal(last[i]) {
				t.Fatalf("seed %d, step %d: the answer says that the last one left at %v, it was %v", seed, step, a.At, last[i])
			}
			if r.IntN(4) > 0 {
				continue
			}
			if a.After > 0 { // whole seconds
				h.Clock.Advance(a.After - time.Second)
				if again = true; ask().Sent {
					t.Fatalf("seed %d, step %d: one left before the time", seed, step)
				}
				h.Clock.Advance(time.Second)
			}
			if again = true; !ask().Sent {
				t.Fatalf("seed %d, step %d: none left %v later", seed, step, a.After)
			}
			last[i] = h.Clock.Now()
		}
		if joined == 0 {
			t.Error("no request was joined: the test tests nothing")
		}
	})
}

// TestContacts_WhatDidNotStartIsGivenBack: whoever is refused after they were admitted
// loses nothing of their network's tokens, however often; who did work gets no token that
// was not taken; and what others have under way stays counted.
func TestContacts_WhatDidNotStartIsGivenBack(t *testing.T) {
	h := testkit.NewHouse(t, testkit.OpenSQLite(t))
	c := usual()
	c.SMSPerHour = 100 * c.PricePerSMS
	p, ctx := setUp(t, h, c), context.Background()
	r := Request{Phone: "+33639980001", Practitioner: doctor, Network: "192.0.2.1"}
	for n := range 200 {
		undo, err := p.Admit(ctx, r)
		if err != nil {
			t.Fatalf("attempt %d: %v", n, err)
		}
		undo()
	}
	if n := p.pending(SMS); n != 0 {
		t.Errorf("%d attempts are under way after all were given back", n)
	}
	for n := range 40 {
		if _, err := p.Admit(ctx, r); err != nil {
			t.Fatalf("attempt %d of 40: %v", n, err)
		}
	}
	h.Clock.Advance(admitFor + time.Second)
	_, err := p.Admit(ctx, r)
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != "work-needed" {
		t.Fatalf("the 41st: %v", err)
	}
	worked := r
	worked.Work = Work(f.Args["challenge"], r.Phone, r.Email)
	for range 5 { // the work is good for ten minutes, and takes no token
		undo, err := p.Admit(ctx, worked)
		if err != nil {
			t.Fatal(err)
		}
		undo()
	}
	if _, err = p.Admit(ctx, r); !errors.As(err, &f) || f.Code != "work-needed" {
		t.Errorf("work that was given back left a token: %v", err)
	}
}

// TestContacts_HealthNamesSharedBudgets: health names the budgets that everybody shares, without
// which people who did nothing are refused. One that a stranger can use up for a single
// contact, link, act or practitioner is not among them, whatever else is counted.
func TestContacts_HealthNamesSharedBudgets(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		shared := map[string]bool{"sms-money-hour": true, "sms-money-day": true, "mail-codes-hour": true, "mail-codes-day": true, "request-sms-hour": true,
			"request-sms-day": true, "request-mail-hour": true, "request-organization-hour": true, "link-sms-hour": true}
		p, ctx := setUp(t, h, usual()), context.Background()
		reached := func() (names []string) {
			list, err := p.Reached(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range list {
				names = append(names, l.Name)
			}
			return names
		}
		for n, b := range p.Costs.Budgets() {
			h.Clock.Set(h.Clock.Now().Truncate(24 * time.Hour).Add(48 * time.Hour))
			if got := reached(); len(got) != 0 {
				t.Fatalf("two days later: %v", got)
			}
			if err := h.DB.Tx(ctx, func(_ context.Context, tx *store.Tx) error {
				if n == 0 { // more contacts than any list shows do not hide the money
					for i := range 600 {
						if _, err := p.Ledger.Count(tx, contactHour, fmt.Sprint(i), 1_000_000_000); err != nil {
							return err
						}
					}
				}
				return p.Ledger.Spend(tx, b, "somebody", b.Open(h.Clock.Now()))
			}); err != nil {
				t.Fatalf("%s: %v", b.Name, err)
			}
			if got := reached(); (len(got) == 1 && got[0] == b.Name) != shared[b.Name] || !shared[b.Name] && len(got) > 0 {
				t.Errorf("%s is used up: reached %v, want it told: %v", b.Name, got, shared[b.Name])
			}
			delete(shared, b.Name)
		}
		if len(shared) > 0 {
			t.Errorf("there is no budget %v", shared)
		}
	})
}

// TestContacts_LinkHolderLeavesTheOwnerTheirs: whoever has one link of a patient, or two,
// and opens sessions without end has few codes sent in an hour and in a day; the owner of
// the contact asks for a new link and gets codes with it, at any hour.
func TestContacts_LinkHolderLeavesTheOwnerTheirs(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		h.Clock.Set(h.Clock.Now().Truncate(24 * time.Hour))
		p := setUp(t, h, usual())
		ask := func(link string, fresh bool) (code string) {
			err := h.DB.Tx(context.Background(), func(ctx context.Context, tx *store.Tx) error {
				return p.SpendRequest(ctx, tx, Message{Kind: DocumentCode, Channel: SMS, To: "+33639980001", Organization: "o", Link: link, Fresh: fresh})
			})
			var f *fault.Error
			if errors.As(err, &f) {
				return f.Code
			}
			if err != nil {
				t.Fatal(err)
			}
			return ""
		}
		stolen := 0
		for hour := range 24 {
			got := map[string]int{}
			for n := range 20 {
				for range 1 + n%2 {
					got[ask(fmt.Sprint("stolen", n%2), false)]++
				}
			}
			stolen += got[""]
			if got[""] > 6 {
				t.Errorf("hour %d: %d codes with two stolen links: %v", hour, got[""], got)
			}
			for n := range 2 {
				if hour > 6 {
					break // twice an hour for a third of a day is what a person asks for
				}
				if code := ask(fmt.Sprint("new", hour), true); code != "" {
					t.Errorf("hour %d, code %d of the owner: %s", hour, n+1, code)
				}
			}
			h.Clock.Advance(time.Hour)
		}
		if stolen > 15 {
			t.Errorf("%d codes in a day with two stolen links", stolen)
		}
	})
}

// TestContacts_LostLinks: whoever knows the contact of a victim and does all the work has
// three links an hour sent there, seven a day. What the victim then hears is when the
// last one left and when another may; another contact is as before, and so is one at the
// attacker's address, for some work.
func TestContacts_LostLinks(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		h.Clock.Set(h.Clock.Now().Truncate(24 * time.Hour))
		p, ctx := setUp(t, h, usual()), context.Background()
		ask := func(contact, from string, works bool) (s Sending, code string) {
			r := Request{Phone: contact, Network: from}
			undo, err := p.AdmitLink(ctx, r, contact)
			var f *fault.Error
			if errors.As(err, &f) && f.Code == "work-needed" && works {
				r.Work = Work(f.Args["challenge"], r.Phone, r.Email)
				undo, err = p.AdmitLink(ctx, r, contact)
			}
			if err == nil {
				err = h.DB.Tx(ctx, func(_ context.Context, tx *store.Tx) (err error) { s, err = p.AskLink(tx, contact); return err })
			}
			if err == nil && !s.Sent {
				undo()
			}
			if errors.As(err, &f) {
				return s, f.Code
			}
			if err != nil {
				t.Fatal(err)
			}
			return s, ""
		}
		const victim = "+33639980001"
		sent, last := 0, time.Time{}
		for n := range 24 * 12 {
			s, code := ask(victim, network(n), true)
			if code != "" {
				t.Fatalf("who works is refused: %s", code)
			}
			if s.Sent {
				sent++
				last = h.Clock.Now()
			}
			if !s.At.Equal(last) || s.After <= 0 {
				t.Fatalf("after %v: %+v, the last link left at %v", time.Duration(n)*5*time.Minute, s, last)
			}
			if s, code := ask(victim, "192.0.2.1", false); code != "" || s.Sent || !s.At.Equal(last) {
				t.Fatalf("the victim hears %+v %s, the last link left at %v", s, code, last)
			}
			if n == 11 && sent != 3 {
				t.Errorf("%d links in the first hour", sent)
			}
			h.Clock.Advance(5 * time.Minute)
		}
		if sent != 7 {
			t.Errorf("%d links in a day", sent)
		}
		h.Clock.Advance(time.Hour)
		if s, code := ask("+33639980002", "192.0.2.1", false); code != "" || !s.Sent {
			t.Errorf("another contact: %+v %s", s, code)
		}
		h.Clock.Advance(2 * time.Minute)
		if _, code := ask("+33639980002", "192.0.2.1", false); code != "work-needed" {
			t.Errorf("the second link of an hour without work: %q", code)
		}
		for n := range 60 {
			ask(fmt.Sprintf("+336398%05d", n), "198.51.100.1", false)
		}
		if s, code := ask("+33639980003", "198.51.100.1", false); code != "work-needed" {
			t.Errorf("a network without tokens: %+v %q", s, code)
		}
		if s, code := ask("+33639980003", "198.51.100.1", true); code != "" || !s.Sent {
			t.Errorf("somebody there who works: %+v %s", s, code)
		}
	})
}

// TestContacts_LostLinksTellNobody (C7): the number of requests after which everybody is asked for work is the same
// whether the contacts are known or not. Otherwise that number shows who is a patient.
func TestContacts_LostLinksTellNobody(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		step := func(known bool) int {
			h.Clock.Set(h.Clock.Now().Truncate(24 * time.Hour).Add(24 * time.Hour))
			p, ctx := setUp(t, h, usual()), context.Background()
			for n := range 500 {
				contact := fmt.Sprintf("+336398%05d", n)
				if _, err := p.AdmitLink(ctx, Request{Phone: contact, Network: network(n)}, contact); err != nil {
					return n
				}
				err := h.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
					_, err := p.AskLink(tx, contact)
					if err == nil && known {
						err = p.SpendRequest(ctx, tx, Message{Kind: LostLink, Channel: SMS, To: contact, Organization: "o"})
					}
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			return 500
		}
		if unknown, known := step(false), step(true); unknown != known || unknown == 500 {
			t.Errorf("work is asked from ask %d when nobody is known, %d when all are", unknown, known)
		}
	})
}
