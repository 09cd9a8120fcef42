package medicines

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// maxFile bounds a file of the BDPM, in bytes; the largest one has about 7 MB.
const maxFile = 64 << 20

// layout is what the manual of the BDPM says of a file: at least least columns, the first one a CIS.
type layout struct {
	name  string
	least int
	lax   bool // a row with more or fewer columns is read as far as it goes, because leaving it out would drop a rule
}

// table reads a tab-separated file without header. The rows that hold are returned; what is odd is counted
// in the report of the file. A row holds when it has the number of columns that most rows have (a new
// column at the end of every row is no fault) and no character that no text has.
func table(fsys fs.FS, l layout, report *FileReport) ([][]string, error) {
	report.Name = l.name
	f, err := fsys.Open(l.name)
	if err != nil {
		return nil, fmt.Errorf("medicines: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("medicines: %s: %w", l.name, err)
	}
	if len(raw) > maxFile {
		return nil, fmt.Errorf("medicines: %s: more than %d bytes", l.name, maxFile)
	}
	lines := strings.Split(strings.TrimPrefix(string(raw), "\ufeff"), "\n")
	utf := mostlyUTF8(lines)
	var rows [][]string
	numbers := []int{}
	widths := map[int]int{}
	for i, line := range lines {
		line = strings.TrimRight(line, "\r")
		if strings.Trim(line, "\t ") == "" {
			if line != "" || i < len(lines)-1 {
				report.note(i+1, OddEmpty, "")
			}
			continue
		}
		cells, foreign := decodeRow(line, utf)
		if foreign {
			report.note(i+1, OddEncoding, "") // read all the same
		}
		rows, numbers = append(rows, cells), append(numbers, i+1)
		widths[len(cells)]++
	}
	return sound(rows, numbers, l, usual(widths, l.least), report), nil
}

// sound keeps the rows that hold.
func sound(rows [][]string, numbers []int, l layout, width int, report *FileReport) [][]string {
	kept := rows[:0]
	for i, cells := range rows {
		switch {
		case len(cells) != width && !l.lax, len(cells) < l.least:
			report.note(numbers[i], OddColumns, fmt.Sprint(len(cells)))
		case strings.ContainsFunc(strings.Join(cells, ""), unprintable) && !l.lax:
			report.note(numbers[i], OddCharacter, "")
		case !digits(cells[0], 8):
			report.note(numbers[i], OddCode, cells[0])
		default:
			if len(cells) != width {
				report.note(numbers[i], OddColumns, fmt.Sprint(len(cells))) // read as far as it goes
			}
			kept = append(kept, cells)
		}
	}
	report.Rows = len(kept)
	return kept
}

// usual is the number of columns of most rows, never below least; the larger of two as frequent ones.
func usual(widths map[int]int, least int) int {
	best := least
	for w, n := range widths {
		if w >= least && (n > widths[best] || (n == widths[best] && w > best)) {
			best = w
		}
	}
	return best
}

func unprintable(r rune) bool { return r == utf8.RuneError || unicode.IsControl(r) }

// mostlyUTF8 tells the encoding of a file by the lines that are not plain ASCII.
func mostlyUTF8(lines []string) bool {
	valid, other := 0, 0
	for _, line := range lines {
		switch {
		case ascii(line):
		case utf8.ValidString(line):
			valid++
		default:
			other++
		}
	}
	return valid >= other
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// decodeRow cuts a line at its tabs and decodes each field by itself, so that one byte of another encoding
// spoils nothing else. utf is the encoding of the file; foreign says that a field was in the other one.
func decodeRow(line string, utf bool) (cells []string, foreign bool) {
	cells = strings.Split(line, "\t")
	for i, c := range cells {
		if !ascii(c) {
			other := false
			if utf {
				cells[i], other = decodeUTF8(c)
			} else {
				cells[i], other = decode1252(c)
			}
			foreign = foreign || other
		}
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells, foreign
}

// decodeUTF8 reads a field of a UTF-8 file; a byte that is not UTF-8 is read as Windows-1252.
func decodeUTF8(s string) (string, bool) {
	if utf8.ValidString(s) {
		return s, false
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			r = charmap.Windows1252.DecodeByte(s[0])
		}
		b.WriteRune(r)
		s = s[n:]
	}
	return b.String(), true
}

// decode1252 reads a field of a Windows-1252 file. A field that is whole UTF-8, of letters that
// Windows-1252 has, is UTF-8: no French word is written « Ã© ».
func decode1252(s string) (string, bool) {
	if utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { _, ok := charmap.Windows1252.EncodeRune(r); return !ok }) < 0 {
		return s, true
	}
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(charmap.Windows1252.DecodeByte(s[i]))
	}
	return b.String(), false
}

// optional is table for a file that a folder may lack.
func optional(fsys fs.FS, l layout, report *FileReport) ([][]string, error) {
	rows, err := table(fsys, l, report)
	if errors.Is(err, fs.ErrNotExist) {
		report.Missing = true
		return nil, nil
	}
	return rows, err
}

func digits(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789") == ""
}
