package prosante

import (
	"slices"
	"time"
)

// Professional is who signed in, as the national directory describes them.
type Professional struct {
	IdNat      IdNat
	GivenName  string
	FamilyName string
	Exercices  []Exercice
}

// Exercice is one profession held, with the places where it is exercised.
type Exercice struct {
	Profession string     `json:"codeProfession"`               // TRE_G15
	Category   string     `json:"codeCategorieProfessionnelle"` // C civil, E student, M military
	Title      string     `json:"codeCiviliteDexercice"`
	FamilyName string     `json:"nomDexercice"`
	GivenName  string     `json:"prenomDexercice"`
	KnowHow    string     `json:"codeSavoirFaire"` // TRE_R38
	Activities []Activity `json:"activities"`
}

// Activity is one place of exercise.
type Activity struct {
	Sector      string `json:"codeSecteurDactivite"` // TRE_R02
	FINESS      string `json:"numeroFinessSite"`
	SIRET       string `json:"numeroSiretSite"`
	StructureID string `json:"identifiantTechniqueDeLaStructure"`
	Name        string `json:"raisonSocialeSite"`
}

// At lists, of several exercices, those exercised at a structure, which is
// named by its FINESS.
func (p Professional) At(finess string) (here []Exercice) {
	for _, e := range p.Exercices {
		if slices.ContainsFunc(e.Activities, func(a Activity) bool {
			return finess != "" && (a.FINESS == finess || a.StructureID == "1"+finess)
		}) {
			here = append(here, e)
		}
	}
	return here
}

// Proof is what is kept of how the professional was authenticated.
type Proof struct {
	Issuer  string
	Subject string
	ACR     string
	At      time.Time
	IDToken string // the hint that ends the session there: keep it sealed
}

// userinfo is the answer of the userinfo endpoint, as far as it is used.
type userinfo struct {
	Subject       string `json:"sub"`
	SubjectNameID string `json:"SubjectNameID"`
	GivenName     string `json:"given_name"`
	FamilyName    string `json:"family_name"`
	RefPro        struct {
		Exercices []Exercice `json:"exercices"`
	} `json:"SubjectRefPro"`
}
