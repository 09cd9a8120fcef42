package medicines

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// maxFile bounds a file of the BDPM; the largest one has about 7 MB.
const maxFile = 64 << 20

// ErrEmpty says that the folder held no speciality on the market.
var ErrEmpty = errors.New("medicines: no marketed speciality in CIS_bdpm.txt")

// Load reads the files of the BDPM at the root of fsys: CIS_bdpm.txt must be there, CIS_COMPO_bdpm.txt
// (substances), CIS_CIP_bdpm.txt (packs) and CIS_CPD_bdpm.txt (conditions of prescribing) may be missing.
// Specialities whose authorisation is not active or that are not marketed are left out; malformed rows and
// a second row of one code are skipped.
func Load(fsys fs.FS) (*Index, error) {
	rows, err := table(fsys, "CIS_bdpm.txt")
	if err != nil {
		return nil, err
	}
	inn, err := substances(fsys)
	if err != nil {
		return nil, err
	}
	packs, err := packs(fsys)
	if err != nil {
		return nil, err
	}
	terms, err := conditions(fsys)
	if err != nil {
		return nil, err
	}
	var list []Medicine
	known := map[string]bool{}
	for _, r := range rows {
		if len(r) < 7 || !digits(r[0], 8) || r[1] == "" || known[r[0]] || r[4] != "Autorisation active" || !strings.HasPrefix(r[6], "Commercialis") {
			continue
		}
		known[r[0]] = true
		list = append(list, Medicine{CIS: r[0], Name: r[1], Form: r[2], Routes: split(r[3]), INN: inn[r[0]], CIP13: packs[r[0]].cip13, Pack: packs[r[0]].pack, Conditions: terms[r[0]]})
	}
	if len(list) == 0 {
		return nil, ErrEmpty
	}
	return newIndex(list), nil
}

// table reads a tab-separated file without header, in UTF-8 or Windows-1252.
func table(fsys fs.FS, name string) ([][]string, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("medicines: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, fmt.Errorf("medicines: %s: %w", name, err)
	}
	if !utf8.Valid(raw) {
		if raw, err = charmap.Windows1252.NewDecoder().Bytes(raw); err != nil {
			return nil, fmt.Errorf("medicines: %s: %w", name, err)
		}
	}
	var rows [][]string
	for row := range strings.Lines(strings.TrimPrefix(string(raw), "\ufeff")) {
		cells := strings.Split(strings.TrimRight(row, "\r\n"), "\t")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells)
	}
	return rows, nil
}

func optional(fsys fs.FS, name string) ([][]string, error) {
	rows, err := table(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return rows, err
}

// substances gives the common denominations of each speciality. A therapeutic fraction (FT) names the
// substance better than the salt (SA) of the same link number.
func substances(fsys fs.FS) (map[string][]string, error) {
	rows, err := optional(fsys, "CIS_COMPO_bdpm.txt")
	if err != nil {
		return nil, err
	}
	type key struct{ cis, link string }
	fraction := map[key]bool{}
	for _, r := range rows {
		if len(r) >= 8 && r[6] == "FT" {
			fraction[key{r[0], r[7]}] = true
		}
	}
	out := map[string][]string{}
	for _, r := range rows {
		if len(r) < 8 || (r[6] == "SA" && fraction[key{r[0], r[7]}]) {
			continue
		}
		name := strings.ToLower(r[3])
		if name != "" && !contains(out[r[0]], name) {
			out[r[0]] = append(out[r[0]], name)
		}
	}
	return out, nil
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}

// presentation is the first pack on the market of a speciality.
type presentation struct {
	cip13 string
	pack  Pack
}

// packs gives the first pack on the market of each speciality.
func packs(fsys fs.FS) (map[string]presentation, error) {
	rows, err := optional(fsys, "CIS_CIP_bdpm.txt")
	if err != nil {
		return nil, err
	}
	out := map[string]presentation{}
	for _, r := range rows {
		if len(r) >= 7 && digits(r[6], 13) && out[r[0]].cip13 == "" && strings.Contains(r[4], "ommercialisation") &&
			!strings.Contains(r[4], "arrêt") {
			out[r[0]] = presentation{r[6], content(r[2])}
		}
	}
	return out, nil
}

// conditions gives the conditions of prescribing and dispensing of each speciality.
func conditions(fsys fs.FS) (map[string][]string, error) {
	rows, err := optional(fsys, "CIS_CPD_bdpm.txt")
	if err != nil {
		return nil, err
	}
	out := map[string][]string{}
	for _, r := range rows {
		if len(r) >= 2 && r[1] != "" && !contains(out[r[0]], r[1]) {
			out[r[0]] = append(out[r[0]], r[1])
		}
	}
	return out, nil
}

// The label of a pack: "plaquette(s) PVC-aluminium de 16 comprimé(s)", "2 plaquettes de 7 gélules",
// "1 flacon en verre brun de 60 ml".
var (
	holds   = regexp.MustCompile(`(?i)\bde (\d+(?:[,.]\d+)?) ?(comprimé|gélule|capsule|sachet|suppositoire|dispositif|ml|g)(?:\b|[(s])`)
	several = regexp.MustCompile(`^(\d+) `)
)

// content reads what a pack holds from its label; zero when the label says it in another way.
func content(label string) Pack {
	found := holds.FindAllStringSubmatch(label, 2)
	if len(found) != 1 {
		return Pack{} // nothing, or two things in one box
	}
	m := found[0]
	n, err := strconv.ParseFloat(strings.Replace(m[1], ",", ".", 1), 64)
	if err != nil {
		return Pack{}
	}
	if first := several.FindStringSubmatch(label); first != nil {
		if times, err := strconv.Atoi(first[1]); err == nil && times > 0 {
			n *= float64(times)
		}
	}
	return Pack{n, unit(strings.ToLower(m[2]))}
}

// unit gives the UCUM unit of a word of the BDPM.
func unit(word string) string {
	switch word {
	case "comprimé":
		return "{tablet}"
	case "gélule", "capsule":
		return "{capsule}"
	case "sachet":
		return "{sachet}"
	case "suppositoire":
		return "{suppository}"
	case "dispositif":
		return "{patch}"
	case "ml":
		return "mL"
	}
	return word
}

func digits(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789") == ""
}
