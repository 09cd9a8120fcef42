package psc

// Account is one person who can sign in, as the national directory knows them.
type Account struct {
	// IdNat is the national identifier with its one-digit prefix: 8+RPPS for a
	// registered professional, 3+FINESS/number for an employee.
	IdNat      string
	Civility   string // M, MME or empty
	GivenName  string
	FamilyName string
	// Caption is the second line of the sign-in button, in French, for example
	// « Médecin généraliste, Maison de santé des Lilas ».
	Caption   string
	Exercices []Exercice
}

// Exercice is one profession a person holds. A person may hold several.
type Exercice struct {
	Profession  string // TRE_G15 code: 10 doctor, 21 pharmacist, 60 nurse
	Category    string // C civil, E student, M military
	Civility    string // of exercise: DR, PR
	FamilyName  string // of exercise; the account's when empty
	GivenName   string // of exercise; the account's when empty
	KnowHowType string // S for a specialty
	KnowHow     string // TRE_R38 code, for example SM54
	Activities  []Activity
}

// Activity is one place where a profession is exercised.
type Activity struct {
	Mode            string // L liberal, S salaried, B volunteer
	Sector          string // TRE_R02 code: SA07, SA33
	PharmacySection string // A owner, D deputy
	Role            string
	Kind            string // GENR01 is the ordinary kind
	SIRET           string
	FINESS          string
	StructureID     string // IdNat_Struct: 1+FINESS, 3+SIRET
	Name            string // raison sociale
	PostalCode      string
	CommuneCode     string // COG
}

// claims returns the userinfo claims of the account, in the names and the
// nesting that Pro Santé Connect publishes.
func (a Account) claims() map[string]any {
	c := map[string]any{
		"preferred_username":        a.IdNat,
		"given_name":                a.GivenName,
		"family_name":               a.FamilyName,
		"SubjectNameID":             a.IdNat,
		"SubjectRole":               a.roles(),
		"PSI_Locale":                "1.2.250.1.213.1.3.1.1",
		"Mode_Acces_Raison":         "",
		"Acces_Regulation_Medicale": "FAUX",
		"UITVersion":                "1.0",
		"Palier_Authentification":   "APPPRIP3^1.2.250.1.213.1.5.1.1.1",
		"SubjectRefPro":             map[string]any{"codeCivilite": a.Civility, "exercices": a.exercices()},
		"otherIds":                  []map[string]any{{"identifiant": a.IdNat, "origine": "RPPS", "qualite": 1}},
	}
	if first, ok := a.firstActivity(); ok {
		c["Secteur_Activite"] = first.Sector + "^1.2.250.1.71.4.2.4"
		c["SubjectOrganization"] = first.Name
		c["SubjectOrganizationID"] = first.StructureID
	}
	return c
}

func (a Account) roles() []string {
	roles := []string{}
	for _, e := range a.Exercices {
		roles = append(roles, e.Profession+"^1.2.250.1.213.1.1.5.5")
	}
	return roles
}

func (a Account) firstActivity() (Activity, bool) {
	for _, e := range a.Exercices {
		for _, act := range e.Activities {
			return act, true
		}
	}
	return Activity{}, false
}

func (a Account) exercices() []map[string]any {
	list := []map[string]any{}
	for _, e := range a.Exercices {
		list = append(list, map[string]any{
			"codeProfession": e.Profession, "codeCategorieProfessionnelle": e.Category,
			"codeCiviliteDexercice": e.Civility,
			"nomDexercice":          orElse(e.FamilyName, a.FamilyName),
			"prenomDexercice":       orElse(e.GivenName, a.GivenName),
			"codeTypeSavoirFaire":   e.KnowHowType, "codeSavoirFaire": e.KnowHow,
			"activities": e.activities(),
		})
	}
	return list
}

func (e Exercice) activities() []map[string]any {
	list := []map[string]any{}
	for _, a := range e.Activities {
		list = append(list, map[string]any{
			"codeModeExercice": a.Mode, "codeSecteurDactivite": a.Sector,
			"codeSectionPharmacien": a.PharmacySection, "codeRole": a.Role,
			"codeGenreActivite": a.Kind, "numeroSiretSite": a.SIRET, "numeroFinessSite": a.FINESS,
			"identifiantTechniqueDeLaStructure": a.StructureID, "raisonSocialeSite": a.Name,
			"codePostal": a.PostalCode, "codeCommune": a.CommuneCode,
			"ancienIdentifiantDeLaStructure": "", "autoriteDenregistrement": "",
		})
	}
	return list
}

func orElse(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
