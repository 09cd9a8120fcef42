package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"visavis/internal/audit"
	"visavis/internal/budget"
	"visavis/internal/health"
	"visavis/internal/store"
)

// writeDownBudgets puts each budget that is reached into the audit log, once per
// window and process. Nobody is named.
func (p *platform) writeDownBudgets(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case a := <-p.vitals.reached:
			if err := p.auditBudget(ctx, a); err != nil {
				p.log.Error("a budget that is reached is not in the audit log", "budget", a.Budget, "error", err)
			}
		}
	}
}

func (p *platform) auditBudget(ctx context.Context, a budget.Alarm) error {
	return p.db.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		return p.audit.Append(ctx, tx, audit.Entry{Action: "system.health", Object: "budget/" + a.Budget, Outcome: audit.Refused,
			Detail: map[string]string{"why": "budget-reached", "limit": fmt.Sprint(a.Limit), "until": a.Until.UTC().Format(time.RFC3339)}})
	})
}

// probeBudgets names the budgets that have nothing left: people are being refused.
func (p *platform) probeBudgets(ctx context.Context) error {
	list, err := p.contacts.Reached(ctx)
	if err != nil || len(list) == 0 {
		return err
	}
	names := make([]string, len(list))
	for i, l := range list {
		names[i] = l.Name
	}
	return &health.Error{Code: "budget-reached", Degraded: true, Detail: "nothing left of " + strings.Join(names, ", ") + ": visavis budgets shows when"}
}

// probeOutlets looks whether a code can leave at all.
func (p *platform) probeOutlets(context.Context) error {
	if p.cfg.SMS.URL == "" && p.cfg.Mail.Addr == "" {
		return &health.Error{Code: "codes-not-sent", Degraded: true, Detail: noOutlets}
	}
	return nil
}

// noOutlets says what a platform without SMS and mail cannot do.
const noOutlets = "neither an SMS gateway nor a mail server is set: nobody books on line, opens a document or gets a link"
