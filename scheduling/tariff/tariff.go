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
	Participation int64 // stays with the patient in any case; nothing under the age FromAge
	FromAge       int   // years on the day of the act
	Source        string
}

// Remaining is what the Assurance Maladie does not pay.
func (p Price) Remaining() int64 { return p.Amount - p.Reimbursed }

// Young is the price of a patient younger than FromAge, who owes no participation
// (CSS L160-13 II).
func (p Price) Young() Price {
	p.Reimbursed, p.Participation = p.Reimbursed+p.Participation, 0
	return p
}

// Of is the price of a patient born on a day, for an act of a day (both YYYY-MM-DD).
// Someone born on 29 February grows older on 1 March of ordinary years. The price
// of an unknown birth date is that of an adult.
func (p Price) Of(born, day string) Price {
	b, err := time.Parse(time.DateOnly, born)
	if err == nil && b.AddDate(p.FromAge, 0, 0).Format(time.DateOnly) > day {
		return p.Young()
	}
	return p
}

type fee struct {
	from       string
	profession string
	specialty  string
	label      string
	amount     int64
	source     string
}

type share struct {
	from          string
	percent       int64
	participation int64
	fromAge       int
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
	err := lines("tariffs.tsv", tariffs, 6, func(c []string) (err error) {
		f := fee{from: c[0], profession: c[1], specialty: c[2], label: c[3], source: c[5]}
		f.amount, err = strconv.ParseInt(c[4], 10, 64)
		t.fees = append(t.fees, f)
		return err
	})
	if err != nil {
		return nil, err
	}
	return t, lines("shares.tsv", shares, 5, func(c []string) (err error) {
		s := share{from: c[0], source: c[4]}
		if s.percent, err = strconv.ParseInt(c[1], 10, 64); err != nil {
			return err
		}
		if s.participation, err = strconv.ParseInt(c[2], 10, 64); err != nil {
			return err
		}
		s.fromAge, err = strconv.Atoi(c[3])
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

// On gives the price of a teleconsultation with a profession (TRE_G15) of a listed
// specialty on a day (YYYY-MM-DD); false when no rule gives one.
func (t *Table) On(day, profession, specialty string) (Price, bool) {
	f, ok := t.fee(day, profession, specialty)
	if !ok {
		if f, ok = t.fee(day, profession, "*"); !ok {
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
		Participation: min(base, s.participation), FromAge: s.fromAge, Source: f.source + " ; " + s.source,
	}, true
}

func (t *Table) fee(day, profession, specialty string) (best fee, ok bool) {
	for _, f := range t.fees {
		if f.profession == profession && f.specialty == specialty && f.from <= day && f.from >= best.from {
			best, ok = f, true
		}
	}
	return best, ok
}
