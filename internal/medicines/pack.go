package medicines

import (
	"regexp"
	"strconv"
	"strings"
)

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
