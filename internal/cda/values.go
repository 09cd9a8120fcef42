package cda

import (
	_ "embed" // the value sets are data, not code
	"strings"
	"sync"
)

//go:embed values.tsv
var valuesTSV string

// Set names a value set of values.tsv.
type Set string

// The value sets of a header and of a medicine line.
const (
	SetSpecialty    Set = "J01"    // author's profession and specialty
	SetSector       Set = "J02"    // sector of activity (SA07, SA64…)
	SetSetting      Set = "J04"    // practice setting (AMBULATOIRE…)
	SetRelation     Set = "J11"    // relation to the patient (MTH, FTH, TUTEUR…)
	SetFunction     Set = "J47"    // function of a participant (353, PCP…)
	SetEncounter    Set = "J142"   // type of encounter (VR…)
	SetGender       Set = "J143"   // F, M, UN
	SetCivility     Set = "J245"   // M, MME
	SetTitle        Set = "J246"   // DR, PR…
	SetConfidential Set = "CONF"   // N, R, V
	SetAct          Set = "NGAP"   // acts of telemedicine
	SetDocument     Set = "TYPE"   // types of document
	SetRoute        Set = "ROUTE"  // EDQM routes of administration
	SetPack         Set = "PACK"   // EDQM packages
	SetDose         Set = "DOSE"   // UCUM units of a dose
	SetSubstitution Set = "SUBST"  // G, N
	SetReason       Set = "REASON" // why a substitution is excluded
	SetFlag         Set = "FLAG"   // flags of a prescription
)

// Code is a coded value: a concept, its code system and the label of the value set.
type Code struct {
	Code, System, Display string
}

var loadValues = sync.OnceValue(func() map[Set]map[string]Code {
	sets := map[Set]map[string]Code{}
	for line := range strings.Lines(valuesTSV) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") || len(f) != 4 {
			continue
		}
		set := Set(f[0])
		if sets[set] == nil {
			sets[set] = map[string]Code{}
		}
		sets[set][f[1]] = Code{Code: f[1], System: f[2], Display: f[3]}
	}
	return sets
})

// Lookup returns the concept of a value set; ok is false when the set does not contain the code.
func Lookup(set Set, code string) (c Code, ok bool) {
	c, ok = loadValues()[set][code]
	return c, ok
}
