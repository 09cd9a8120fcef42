// Package tariff says what a teleconsultation costs and what the Assurance
// Maladie pays back, on a day. The rules are dated lines of data files with
// their source (product B19, M2): when the law moves, a line is added.
package tariff

import (
	"bufio"
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"time"
)

//go:embed tariffs.tsv
var tariffs string

//go:embed shares.tsv
var shares string

// Price is what to tell before booking (CSP L1111-3). Amounts are cents of euro.
type Price struct {
	Label         string // key of the kind of tariff: general, specialist
	Amount        int64
	Reimbursed    int64 // by the Assurance Maladie, to an adult who follows the coordinated pathway
	Complementary int64 // what a complementary insurer may take
	Participation int64 // stays with adults in any case
	Source        string
}

// Remaining is what the Assurance Maladie does not pay.
func (p Price) Remaining() int64 { return p.Amount - p.Reimbursed }

type fee struct {
	from      string
	specialty string
	label     string
	amount    int64
	source    string
}

type share struct {
	from          string
	percent       int64
	participation int64
	source        string
}

// Table holds the dated rules.
type Table struct {
	fees   []fee
	shares []share
}

// Load reads the embedded rules; an error names the file and line.
func Load() (*Table, error) {
	t := &Table{}
	err := lines("tariffs.tsv", tariffs, 5, func(c []string) (err error) {
		f := fee{from: c[0], specialty: c[1], label: c[2], source: c[4]}
		f.amount, err = strconv.ParseInt(c[3], 10, 64)
		t.fees = append(t.fees, f)
		return err
	})
	if err != nil {
		return nil, err
	}
	return t, lines("shares.tsv", shares, 4, func(c []string) (err error) {
		s := share{from: c[0], source: c[3]}
		if s.percent, err = strconv.ParseInt(c[1], 10, 64); err != nil {
			return err
		}
		s.participation, err = strconv.ParseInt(c[2], 10, 64)
		t.shares = append(t.shares, s)
		return err
	})
}

func lines(name, text string, columns int, fn func([]string) error) error {
	in := bufio.NewScanner(strings.NewReader(text))
	for n := 1; in.Scan(); n++ {
		if in.Text() == "" || in.Text()[0] == '#' {
			continue
		}
		cols := strings.Split(in.Text(), "\t")
		if len(cols) != columns {
			return fmt.Errorf("tariff: %s:%d: %d columns, want %d", name, n, len(cols), columns)
		}
		if _, err := time.Parse(time.DateOnly, cols[0]); err != nil {
			return fmt.Errorf("tariff: %s:%d: %w", name, n, err)
		}
		if err := fn(cols); err != nil {
			return fmt.Errorf("tariff: %s:%d: %w", name, n, err)
		}
	}
	return in.Err()
}

// On gives the price of a teleconsultation with a listed specialty on a day
// (YYYY-MM-DD); false when no rule covers that day.
func (t *Table) On(day, specialty string) (Price, bool) {
	f, ok := t.fee(day, specialty)
	if !ok {
		if f, ok = t.fee(day, "*"); !ok {
			return Price{}, false
		}
	}
	var s share
	for _, x := range t.shares {
		if x.from <= day && x.from >= s.from {
			s = x
		}
	}
	if s.from == "" {
		return Price{}, false
	}
	base := f.amount * s.percent / 100
	return Price{
		Label: f.label, Amount: f.amount, Reimbursed: max(0, base-s.participation), Complementary: f.amount - base,
		Participation: min(base, s.participation), Source: f.source + " ; " + s.source,
	}, true
}

func (t *Table) fee(day, specialty string) (best fee, ok bool) {
	for _, f := range t.fees {
		if f.specialty == specialty && f.from <= day && f.from >= best.from {
			best, ok = f, true
		}
	}
	return best, ok
}
