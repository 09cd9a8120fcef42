package medicines

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Odd is why a row of a file counts as odd.
type Odd string

// The kinds of odd rows. Rows of OddEmpty, OddCharacter, OddCode, OddName, OddDuplicate and, but for the
// conditions, OddColumns are left out; the others are read, and counted.
const (
	OddEmpty     Odd = "empty line"
	OddColumns   Odd = "number of columns"
	OddEncoding  Odd = "two encodings"
	OddCharacter Odd = "control character"
	OddCode      Odd = "code"
	OddName      Odd = "no name"
	OddDuplicate Odd = "code seen before"
	OddWord      Odd = "unknown word"          // outside the closed list of a column: not accepted
	OddSentence  Odd = "condition of no kind"  // shown as it stands
	OddOrphan    Odd = "speciality not listed" // of a row about a speciality that CIS_bdpm.txt lacks
)

// examples bounds how many places of one kind a report names.
const examples = 5

// OddRows are the odd rows of one kind in one file.
type OddRows struct {
	Count    int
	Examples []string // a line, a value or both; at most five
}

// FileReport tells how one file was read.
type FileReport struct {
	Name    string
	Missing bool
	Rows    int // that hold
	Odd     map[Odd]OddRows
}

func (f *FileReport) note(line int, why Odd, value string) {
	if f.Odd == nil {
		f.Odd = map[Odd]OddRows{}
	}
	o := f.Odd[why]
	if o.Count++; len(o.Examples) < examples {
		var text []string
		if line > 0 {
			text = append(text, fmt.Sprintf("line %d", line))
		}
		if value != "" {
			text = append(text, fmt.Sprintf("%.80q", value))
		}
		o.Examples = append(o.Examples, strings.Join(text, ": "))
	}
	f.Odd[why] = o
}

// word notes a value outside a closed list, once for each value and with how often it was seen.
func (f *FileReport) word(value string) {
	if f.Odd == nil {
		f.Odd = map[Odd]OddRows{}
	}
	o := f.Odd[OddWord]
	o.Count++
	if text := fmt.Sprintf("%.80q", value); len(o.Examples) < examples && !slices.Contains(o.Examples, text) {
		o.Examples = append(o.Examples, text)
	}
	f.Odd[OddWord] = o
}

// Report tells how the files of a base were read.
type Report struct {
	Files []FileReport
}

// Lines says in words what is odd, one line for each file and kind; none when nothing is.
func (r Report) Lines() []string {
	var out []string
	for _, f := range r.Files {
		if f.Missing {
			out = append(out, f.Name+": missing")
		}
		for _, why := range slices.Sorted(maps.Keys(f.Odd)) {
			o := f.Odd[why]
			out = append(out, fmt.Sprintf("%s: %s: %d (%s)", f.Name, why, o.Count, strings.Join(o.Examples, ", ")))
		}
	}
	return out
}
