package prosante

import (
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

// At picks, of several exercices, the one exercised at a structure; which
// tells whether any is. A structure is named by its FINESS.
func (p Professional) At(finess string) (e Exercice, a Activity, ok bool) {
	for _, e := range p.Exercices {
		for _, a := range e.Activities {
			if finess != "" && (a.FINESS == finess || a.StructureID == "1"+finess) {
				return e, a, true
			}
		}
	}
	return Exercice{}, Activity{}, false
}

// Proof is what is kept of how the professional was authenticated.
type Proof struct {
	Issuer  string
	Subject string
	ACR     string
	At      time.Time
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
