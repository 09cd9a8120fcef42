package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"visavis/identity/contacts"
	"visavis/internal/budget"
	"visavis/internal/config"
)

type budgetsCmd struct{}

// Run prints what codes, messages on request and bookings on line used in the last two
// days, beside what they may.
func (budgetsCmd) Run(ctx context.Context, cfg *config.Config) (failed error) {
	f, err := lay(ctx, cfg, slog.New(slog.NewTextHandler(os.Stderr, nil)), toRead)
	if err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, f.close()) }()
	c := costs(cfg.Budgets)
	lines, err := newReader(f).Standing(ctx)
	if err != nil {
		return err
	}
	return printBudgets(os.Stdout, c, lines)
}

// newReader reads the budgets of an installation that is not served.
func newReader(f *foundation) *contacts.Service {
	return contacts.New(contacts.Deps{DB: f.db, Clock: f.clock, Master: f.master, Ledger: budget.New(f.clock, f.log), Costs: costs(f.cfg.Budgets)})
}

// costs are the settings in the units of the budgets: ten-thousandths of a euro.
func costs(s config.Budgets) contacts.Costs {
	euros := func(v float64) int64 { return int64(math.Round(v * 10_000)) }
	return contacts.Costs{PricePerSMS: euros(s.SMSPrice), SMSPerHour: euros(s.SMSPerHour), SMSPerDay: euros(s.SMSPerDay),
		HeldPerHour: s.BookingPerHour, HeldPerDay: s.BookingPerDay, HeldByContact: s.BookingPerContact}
}

// printBudgets writes one line for each window that counted something. A contact
// is shown by the beginning of its blind index.
func printBudgets(w io.Writer, c contacts.Costs, lines []budget.Line) error {
	known := map[string]budget.Budget{}
	for _, b := range c.Budgets() {
		known[b.Name] = b
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "budget\tabout\tfrom\tuntil\tused\tlimit\t")
	for _, l := range lines {
		b, ok := known[l.Name]
		if !ok {
			continue
		}
		used, most, mark := fmt.Sprint(l.Used), fmt.Sprint(b.Limit), ""
		if strings.Contains(b.Name, "sms-") {
			used, most = fmt.Sprintf("%.2f €", float64(l.Used)/10_000), fmt.Sprintf("%.2f €", float64(b.Limit)/10_000)
		}
		if l.Used+1 > b.Limit {
			mark = "reached"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.Name, l.Key[:min(len(l.Key), 36)], l.Since.Format(time.RFC3339),
			l.Since.Add(b.Window).Format(time.RFC3339), used, most, mark)
	}
	return t.Flush()
}
