package download

import (
	"fmt"
	"os"

	"visavis/internal/medicines"
)

// The shares of rows beyond which a set is not plausible.
const (
	shrunk  = 0.80 // of the rows of the set in service, at least
	grown   = 1.50 // of them, at most
	oddness = 0.01 // of the rows of a file: left out, in two encodings, with unknown words, about nothing listed
)

// judge reads the files and refuses what is not plausible, by itself and against the set in service. It notes in m what was
// read.
func (o *Options) judge(folder string, m *Manifest, last Manifest) error {
	if last.Name != "" && m.On.Before(last.On) {
		return fmt.Errorf("medicines: %w: %s, in service %s", ErrOlder, m.On.Format("2006-01-02"), last.On.Format("2006-01-02"))
	}
	x, err := medicines.Load(os.DirFS(folder))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrImplausible, err)
	}
	for i, f := range x.Report().Files {
		m.Files[i].Rows = f.Rows
		if f.Missing || f.Rows < o.Least[f.Name] {
			return fmt.Errorf("medicines: %w: %s has %d rows, at least %d expected", ErrImplausible, f.Name, f.Rows, o.Least[f.Name])
		}
		if before := last.rows(f.Name); before > 0 && (float64(f.Rows) < shrunk*float64(before) || float64(f.Rows) > grown*float64(before)) {
			return fmt.Errorf("medicines: %w: %s has %d rows, %d before", ErrImplausible, f.Name, f.Rows, before)
		}
		for why, odd := range f.Odd {
			m.Odd += odd.Count
			if why != medicines.OddEmpty && float64(odd.Count) > max(oddness*float64(f.Rows), 2) {
				return fmt.Errorf("medicines: %w: %s: %s: %d of %d rows (%s)", ErrImplausible, f.Name, why, odd.Count, f.Rows, odd.Examples[0])
			}
		}
	}
	if m.Specialities = x.Len(); float64(m.Specialities) < shrunk*float64(last.Specialities) {
		return fmt.Errorf("medicines: %w: %d specialities on the market, %d before", ErrImplausible, m.Specialities, last.Specialities)
	}
	return nil
}
