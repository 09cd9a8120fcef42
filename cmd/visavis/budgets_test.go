package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"visavis/internal/budget"
	"visavis/internal/health"
	"visavis/internal/store"
)

// TestBudgets_HealthAndCheck: for each budget that is used up, health and the command check
// name it when everybody is refused by it, and say nothing when it bounds one contact,
// link, act or practitioner; the command budgets shows each as reached.
func TestBudgets_HealthAndCheck(t *testing.T) {
	p := wired(t)
	ctx := context.Background()
	use := func(b budget.Budget) {
		if err := p.db.Tx(ctx, func(_ context.Context, tx *store.Tx) error {
			_, err := p.contacts.Ledger.Count(tx, b, "0123456789abcdef", b.Limit+1)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	all := costs(p.cfg.Budgets).Budgets()
	for _, b := range all {
		if !b.Shared {
			use(b)
		}
	}
	if err := p.probeBudgets(ctx); err != nil {
		t.Errorf("health, when budgets of one contact, act and practitioner are used up: %v", err)
	}
	if err := tryBudgets(ctx, p.cfg); err != nil {
		t.Errorf("check, then: %v", err)
	}
	for _, b := range all {
		if !b.Shared {
			continue
		}
		use(b)
		var told *health.Error
		if err := p.probeBudgets(ctx); !errors.As(err, &told) || told.Code != "budget-reached" || !told.Degraded || !strings.Contains(told.Detail, b.Name) {
			t.Errorf("health, when %s is used up: %v", b.Name, err)
		}
		if err := tryBudgets(ctx, p.cfg); err == nil || !strings.Contains(err.Error(), b.Name) || !strings.Contains(err.Error(), "people are being refused") {
			t.Errorf("check, when %s is used up: %v", b.Name, err)
		}
	}
	lines, err := p.contacts.Standing(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var shown strings.Builder
	if err := printBudgets(&shown, costs(p.cfg.Budgets), lines); err != nil {
		t.Fatal(err)
	}
	for _, b := range all {
		if !strings.Contains(shown.String(), b.Name) {
			t.Errorf("visavis budgets does not show %s", b.Name)
		}
	}
	if n := strings.Count(shown.String(), "reached"); n != len(all) {
		t.Errorf("%d budgets are shown as reached, want %d\n%s", n, len(all), shown.String())
	}
}

// TestCheck_Outlets: check and health say what cannot be done without a gateway and a
// mail server, and nothing when there is one of them.
func TestCheck_Outlets(t *testing.T) {
	p := wired(t)
	ctx := context.Background()
	for _, x := range []struct {
		sms, mail string
		told      bool
	}{{"", "", true}, {"https://sms.example.test", "", false}, {"", "mail.example.test:25", false}} {
		p.cfg.SMS.URL, p.cfg.Mail.Addr = x.sms, x.mail
		checked, probed := tryCodes(ctx, p.cfg), p.probeOutlets(ctx)
		if (checked != nil) != x.told || (probed != nil) != x.told {
			t.Errorf("SMS %q, mail %q: check %v, health %v", x.sms, x.mail, checked, probed)
		}
		if x.told && (!errors.Is(checked, errUnset) || !strings.Contains(checked.Error(), noOutlets)) {
			t.Errorf("check: %v", checked)
		}
		var told *health.Error
		if x.told && (!errors.As(probed, &told) || told.Code != "codes-not-sent" || !told.Degraded || told.Detail != noOutlets) {
			t.Errorf("health: %v", probed)
		}
	}
}
