package medicines

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// maxFile bounds a file of the BDPM; the largest one has about 7 MB.
const maxFile = 64 << 20

// ErrEmpty says that the folder held no speciality on the market.
var ErrEmpty = errors.New("medicines: no marketed speciality in CIS_bdpm.txt")

// Load reads the files of the BDPM at the root of fsys: CIS_bdpm.txt must be there, CIS_COMPO_bdpm.txt
// (substances) and CIS_CIP_bdpm.txt (packs) may be missing. Specialities whose authorisation is not
// active or that are not marketed are left out; malformed rows are skipped.
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
	var list []Medicine
	for _, r := range rows {
		if len(r) < 7 || len(r[0]) != 8 || r[4] != "Autorisation active" || !strings.HasPrefix(r[6], "Commercialis") {
			continue
		}
		list = append(list, Medicine{CIS: r[0], Name: r[1], Form: r[2], Routes: split(r[3]), INN: inn[r[0]], CIP13: packs[r[0]]})
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

// packs gives the first pack on the market of each speciality.
func packs(fsys fs.FS) (map[string]string, error) {
	rows, err := optional(fsys, "CIS_CIP_bdpm.txt")
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, r := range rows {
		if len(r) >= 7 && len(r[6]) == 13 && out[r[0]] == "" && strings.Contains(r[4], "ommercialisation") &&
			!strings.Contains(r[4], "arrêt") {
			out[r[0]] = r[6]
		}
	}
	return out, nil
}
