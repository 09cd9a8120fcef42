package identity_test

// The clinic of these tests, which does not exist: two doctors, a nurse, a
// secretary, a pharmacy, and six patients whose test identities are awkward on
// purpose: two given names, apostrophe and accents, born abroad, a minor with
// two parents, no e-mail, no phone. Matricules carry the test OID; telephone
// numbers are those ARCEP keeps for fiction.

import (
	"context"
	"fmt"

	"visavis/identity"
	"visavis/identity/prosante"
	"visavis/identity/traits"
	"visavis/internal/care"
	"visavis/simulators/psc"
)

// everybody names what seed made.
type everybody struct {
	Lilas, Pharmacy                              care.OrganizationID
	Martin, Dupre, Benali, Leroy, Nguyen         care.StaffID
	Dominique, JeanNoel, Fatou, Lea, Marcel, Zoe care.PatientID
}

// Patients lists the six, in the order of their descriptions.
func (c everybody) Patients() []care.PatientID {
	return []care.PatientID{c.Dominique, c.JeanNoel, c.Fatou, c.Lea, c.Marcel, c.Zoe}
}

const (
	lilasFINESS    = "930812342"
	pharmacyFINESS = "930823455"
)

// seed makes the clinic, or finds it again: it may be run at each start.
func seed(ctx context.Context, s *identity.Service) (everybody, error) {
	var c everybody
	var err error
	if c.Lilas, err = s.PutOrganization(ctx, lilas()); err != nil {
		return c, fmt.Errorf("demo: organisation: %w", err)
	}
	if c.Pharmacy, err = s.PutOrganization(ctx, pharmacy()); err != nil {
		return c, fmt.Errorf("demo: pharmacy: %w", err)
	}
	staff := people()
	for i, id := range []*care.StaffID{&c.Martin, &c.Dupre, &c.Benali, &c.Leroy, &c.Nguyen} {
		p := staff[i]
		p.Organization.ID = c.Lilas
		if p.Role == care.Pharmacist {
			p.Organization.ID = c.Pharmacy
		}
		if *id, err = s.PutStaff(ctx, p); err != nil {
			return c, fmt.Errorf("demo: %s: %w", p.FamilyName, err)
		}
	}
	files := patients()
	for i, id := range []*care.PatientID{&c.Dominique, &c.JeanNoel, &c.Fatou, &c.Lea, &c.Marcel, &c.Zoe} {
		p := files[i]
		p.OrganizationID = c.Lilas
		if *id, err = s.AddPatient(ctx, p); err != nil {
			return c, fmt.Errorf("demo: patient %d: %w", i+1, err)
		}
	}
	return c, nil
}

func lilas() identity.Organization {
	return identity.Organization{FINESS: lilasFINESS, Name: "Maison de santé des Lilas", Phone: "0199001234", Sector: "SA07", Setting: "AMBULATOIRE",
		Address: identity.Address{Street: "12 rue de Paris", PostalCode: "93260", City: "Les Lilas", CommuneCode: "93045"},
		MSSante: "secretariat@lilas.mssante.example"}
}

func pharmacy() identity.Organization {
	return identity.Organization{FINESS: pharmacyFINESS, Name: "Pharmacie du Marché", Phone: "0199004321", Sector: "SA33", Setting: "AMBULATOIRE",
		Address: identity.Address{Street: "3 place du Marché", PostalCode: "93260", City: "Les Lilas", CommuneCode: "93045"},
		MSSante: "pharmacie-du-marche@lilas.mssante.example"}
}

// people lists the staff: the two doctors, the nurse, the secretary, the
// pharmacist.
func people() []identity.Staff {
	return []identity.Staff{
		{Role: care.Doctor, IdNat: "810100000016", Title: "Dr", GivenName: "Claire", FamilyName: "MARTIN", Profession: "10", Specialty: "SM54",
			MSSante: "claire.martin@lilas.mssante.example", Languages: []string{"fr", "en"}},
		{Role: care.Doctor, IdNat: "810100000024", Title: "Dr", GivenName: "Hugo", FamilyName: "DUPRÉ-LACROIX", Profession: "10", Specialty: "SM15",
			MSSante: "hugo.dupre-lacroix@lilas.mssante.example", Languages: []string{"fr"}},
		{Role: care.Nurse, IdNat: "810100000032", GivenName: "Inès", FamilyName: "BENALI", Profession: "60", Languages: []string{"fr"}},
		{Role: care.Secretary, IdNat: "3" + lilasFINESS + "/SL01", GivenName: "Sophie", FamilyName: "LEROY", Languages: []string{"fr"}},
		{Role: care.Pharmacist, IdNat: "810100000040", GivenName: "Paul", FamilyName: "NGUYEN", Profession: "21",
			MSSante: "paul.nguyen@lilas.mssante.example", Languages: []string{"fr"}},
	}
}

func ins(matricule string) traits.INS { return traits.INS{Matricule: matricule, OID: traits.OIDTest} }

func patients() []identity.Patient {
	home := func(street string) identity.Address {
		return identity.Address{Street: street, PostalCode: "93260", City: "Les Lilas", CommuneCode: "93045"}
	}
	return []identity.Patient{
		{Status: care.Qualified, Record: identity.Record{INS: ins("279035121518989"), Phone: "0639980001", Email: "dominique.pat-trois@patients.example",
			Address: home("4 rue des Bruyères"), Traits: traits.Traits{BirthFamilyName: "PAT-TROIS", FirstGivenName: "Dominique",
				BirthGivenNames: "Dominique Marie-Louise", Sex: traits.Female, BirthDate: "1979-03-28", BirthPlaceCode: "51215"}}},
		{Status: care.Qualified, Record: identity.Record{INS: ins("185077511504280"), Phone: "0639980002", Email: "jean-noel@patients.example",
			Address: home("18 boulevard de la Liberté"), Traits: traits.Traits{BirthFamilyName: "N'GUESSAN-LEFÈVRE", FirstGivenName: "Jean-Noël",
				BirthGivenNames: "Jean-Noël Étienne", Sex: traits.Male, BirthDate: "1985-07-14", BirthPlaceCode: "75115", BirthPlaceName: "Paris 15e"}}},
		{Status: care.Qualified, Language: care.English, Record: identity.Record{INS: ins("292119934101711"), Phone: "0639980003", Email: "fatou.diallo@patients.example",
			Address: home("7 passage de la Mairie"), Traits: traits.Traits{BirthFamilyName: "DIALLO", FirstGivenName: "Fatou",
				BirthGivenNames: "Fatou", Sex: traits.Female, BirthDate: "1992-11-05", BirthPlaceCode: "99341", BirthPlaceName: "Sénégal"}}},
		{Status: care.Qualified, Record: identity.Record{INS: ins("215029300803302"), Phone: "0639980004", Email: "famille.moreau@patients.example",
			Address: home("31 avenue Pasteur"), Traits: traits.Traits{BirthFamilyName: "MOREAU--GARCIA", FirstGivenName: "Léa",
				BirthGivenNames: "Léa Rose", Sex: traits.Female, BirthDate: "2015-02-18", BirthPlaceCode: "93008", BirthPlaceName: "Bobigny"},
			Representatives: []identity.Representative{
				{DisplayName: "Camille MOREAU", Relation: "mother", Phone: "+33639980004", Email: "famille.moreau@patients.example"},
				{DisplayName: "Diego GARCIA", Relation: "father", Phone: "+33639980014"}}}},
		{Status: care.Qualified, Record: identity.Record{INS: ins("148052A00401141"), Phone: "0639980005",
			Address: home("2 rue du Garde-Chasse"), Traits: traits.Traits{BirthFamilyName: "O'BRIEN", FirstGivenName: "Marcel",
				BirthGivenNames: "Marcel", Sex: traits.Male, BirthDate: "1948-05-08", BirthPlaceCode: "2A004", BirthPlaceName: "Ajaccio"},
			Referring: &identity.Referring{Title: "Dr", GivenName: "Anne", FamilyName: "LAURENT", RPPS: "10100000057", Specialty: "SM54",
				MSSante: "anne.laurent@ville.mssante.example"}}},
		{Status: care.Retrieved, Record: identity.Record{INS: ins("201126912302195"), Email: "zoe@patients.example",
			Address: home("55 rue du Coq-Français"), Traits: traits.Traits{BirthFamilyName: "DÛ-MAZEROLLES", FirstGivenName: "Zoé",
				BirthGivenNames: "Zoé", Sex: traits.Female, BirthDate: "2001-12-31", BirthPlaceCode: "69123", BirthPlaceName: "Lyon"}}},
	}
}

// accounts lists the staff as the Pro Santé Connect simulator signs them in.
// Dr Martin also practises elsewhere, as many do.
func accounts() []psc.Account {
	caption := []string{"Médecin généraliste", "Dermatologue", "Infirmière", "Secrétaire", "Pharmacien"}
	list := make([]psc.Account, 0, len(caption))
	for i, p := range people() {
		site := lilas()
		if p.Role == care.Pharmacist {
			site = pharmacy()
		}
		at := psc.Activity{Mode: "L", Sector: site.Sector, Kind: "GENR01", FINESS: site.FINESS, StructureID: "1" + site.FINESS,
			Name: site.Name, PostalCode: site.Address.PostalCode, CommuneCode: site.Address.CommuneCode}
		e := psc.Exercice{Profession: p.Profession, Category: "C", KnowHow: p.Specialty, Activities: []psc.Activity{at}}
		if p.Role == care.Doctor {
			e.Civility, e.KnowHowType = "DR", "S"
		}
		account := psc.Account{IdNat: string(p.IdNat), GivenName: p.GivenName, FamilyName: p.FamilyName,
			Caption: caption[i] + ", " + site.Name, Exercices: []psc.Exercice{e}}
		if prosante.IdNat(p.IdNat).RPPS() == "10100000016" {
			other := psc.Activity{Mode: "S", Sector: "SA01", Kind: "GENR01", FINESS: "750100042", StructureID: "1750100042", Name: "Hôpital d’essai"}
			account.Exercices = append([]psc.Exercice{{Profession: "10", Category: "C", KnowHow: "SM54", Activities: []psc.Activity{other}}}, account.Exercices...)
		}
		list = append(list, account)
	}
	return list
}
