package prescriptions

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"visavis/internal/care"
	"visavis/internal/fault"
)

// Extent is how far a line was dispensed at one renewal.
type Extent string

// The extents of dispensing.
const (
	Nothing Extent = "none"
	Partly  Extent = "partial"
	Fully   Extent = "full"
)

// further is the table of legal steps of one line at one renewal: what was given in full is given once.
var further = map[Extent][]Extent{
	Nothing: {Partly, Fully},
	Partly:  {Partly, Fully},
	Fully:   {},
}

// Record is where the entry of a pharmacist stands.
type Record string

// The states of an entry.
const (
	Recorded  Record = "recorded"
	Withdrawn Record = "withdrawn" // entered by mistake
)

// correctable is the table of legal steps of an entry.
var correctable = map[Record][]Record{
	Recorded:  {Withdrawn},
	Withdrawn: {},
}

// Progress is how far a whole prescription was dispensed.
type Progress string

// The progress of a prescription.
const (
	NotDispensed  Progress = "none"
	PartDispensed Progress = "partial"
	Dispensed     Progress = "dispensed" // this time in full; renewals are left
	Exhausted     Progress = "complete"  // nothing is left to dispense
)

// Given is what a pharmacist gave of one line.
type Given struct {
	Line     int    `json:"line" minimum:"0" maximum:"29" doc:"place of the line on the sheet, from 0"`
	Extent   Extent `json:"extent" enum:"partial,full"`
	Quantity int    `json:"quantity" minimum:"0" maximum:"999" doc:"packages or units given"`
}

// Pharmacist is who dispenses, as the next pharmacy reads it.
type Pharmacist struct {
	Name     string `json:"name"`
	Pharmacy string `json:"pharmacy"`
	FINESS   string `json:"finess,omitempty"`
}

// Dispensing is one entry of a pharmacist about a prescription.
type Dispensing struct {
	ID             string
	PrescriptionID care.PrescriptionID
	SetID          string
	Number         int // of the entry, from 1
	PharmacistID   care.StaffID
	OrganizationID care.OrganizationID
	Status         Record
	At, ChangedAt  time.Time
	Handed
}

// Handed is what is sealed of an entry.
type Handed struct {
	By      Pharmacist `json:"by"`
	Renewal int        `json:"renewal"` // 0 for the first time
	Lines   []Given    `json:"lines"`
	Mistake string     `json:"mistake,omitempty"` // why it was withdrawn
}

// dispensable tells whether a pharmacy dispenses what is prescribed.
func (c Category) dispensable() bool { return c == Medicines || c == Device }

// given sums what the entries in force say, for each line and renewal.
type given map[[2]int]Given

func sum(entries []Dispensing) given {
	g := given{}
	for _, d := range entries {
		if d.Status != Recorded {
			continue
		}
		for _, l := range d.Lines {
			k := [2]int{l.Line, d.Renewal}
			l.Quantity += g[k].Quantity
			g[k] = l
		}
	}
	return g
}

func (g given) extent(line, renewal int) Extent {
	if e := g[[2]int{line, renewal}].Extent; e != "" {
		return e
	}
	return Nothing
}

// due tells whether a line may be dispensed at a renewal, whatever the quantity.
func (g given) due(lines []Line, line, renewal int) bool {
	return renewal <= lines[line].Renewals && g.extent(line, renewal) != Fully && g.extent(line, renewal+1) == Nothing &&
		(renewal == 0 || g.extent(line, renewal-1) != Nothing)
}

// turn gives the renewal that comes next: 0 for the first time, one more than the last that was given in
// full, at most the renewals of the sheet.
func (g given) turn(lines []Line) int {
	for r := 0; ; r++ {
		left := false
		for i, l := range lines {
			left = left || (r <= l.Renewals && g.extent(i, r) != Fully)
		}
		if left || r >= most(lines) {
			return r
		}
	}
}

func most(lines []Line) int {
	n := 0
	for _, l := range lines {
		n = max(n, l.Renewals)
	}
	return n
}

func (g given) progress(lines []Line) Progress {
	if len(g) == 0 {
		return NotDispensed
	}
	all, reached := true, 0
	for k := range g {
		reached = max(reached, k[1])
	}
	whole := true
	for i, l := range lines {
		all = all && g.extent(i, l.Renewals) == Fully
		whole = whole && g.extent(i, min(reached, l.Renewals)) == Fully
	}
	switch {
	case all:
		return Exhausted
	case whole:
		return Dispensed
	}
	return PartDispensed
}

// admit says what of a dispensing is against the rules, field by field, and settles as full what completes
// the quantity prescribed. A line already given in full at this renewal fails as Conflict
// "already-dispensed".
func (g given) admit(lines []Line, renewal int, give []Given) ([]Given, error) {
	if len(give) == 0 {
		return nil, fault.Fields(fault.Field{Name: "lines", Code: "required"})
	}
	var wrong []fault.Field
	out, seen := slices.Clone(give), map[int]bool{}
	for i := range out {
		l := &out[i]
		refuse := func(field, code string, args map[string]string) {
			wrong = append(wrong, fault.Field{Name: fmt.Sprintf("lines[%d].%s", i, field), Code: code, Args: args})
		}
		if l.Line < 0 || l.Line >= len(lines) || seen[l.Line] {
			refuse("line", "not-a-choice", nil)
			continue
		}
		seen[l.Line] = true
		was := g.extent(l.Line, renewal)
		if was == Fully {
			return nil, fault.New(fault.Conflict, "already-dispensed")
		}
		if !slices.Contains(further[was], l.Extent) {
			refuse("extent", "not-a-choice", nil)
			continue
		}
		g.measure(lines[l.Line], renewal, l, refuse)
	}
	if len(wrong) > 0 {
		return nil, fault.Fields(wrong...)
	}
	return out, nil
}

// measure checks the renewal and the quantity of one line.
func (g given) measure(p Line, renewal int, l *Given, refuse func(field, code string, args map[string]string)) {
	switch {
	case renewal > p.Renewals:
		refuse("renewal", "renewal-too-many", map[string]string{"n": strconv.Itoa(p.Renewals)})
	case renewal > 0 && g.extent(l.Line, renewal-1) == Nothing:
		refuse("renewal", "renewal-too-early", nil)
	case g.extent(l.Line, renewal+1) != Nothing:
		refuse("renewal", "renewal-closed", nil)
	}
	if l.Extent == Partly && l.Quantity < 1 {
		refuse("quantity", "required", nil)
	}
	if p.Quantity == 0 {
		return
	}
	switch left := p.Quantity - g[[2]int{l.Line, renewal}].Quantity; {
	case l.Quantity > left:
		refuse("quantity", "quantity-too-many", map[string]string{"left": strconv.Itoa(left)})
	case l.Quantity == left:
		l.Extent = Fully
	}
}
