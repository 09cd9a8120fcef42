package main

import (
	_ "embed"
	"fmt"

	"visavis/cmd/visavis/clinic"
	"visavis/identity"
	"visavis/identity/traits"
	"visavis/internal/care"
)

// The demo clinic. Every person is invented; RPPS, FINESS and INS numbers have
// valid keys and belong to nobody (INS: the test OID of the ANS).
//
//go:embed demo_clinic.json
var demoClinicFile []byte

// demoClinic is the embedded file, on the clock of the settings.
func demoClinic(zone string) (clinic.File, error) {
	f, problems := clinic.Read(demoClinicFile)
	if len(problems) > 0 {
		return f, fmt.Errorf("demo clinic: %+v", problems)
	}
	for i := range f.Organizations {
		f.Organizations[i].Zone = zone
	}
	return f, nil
}

func testINS(matricule string) traits.INS {
	return traits.INS{Matricule: matricule, OID: traits.OIDTest}
}

// demoPatients are six people whose identity is awkward in six ways.
func demoPatients(org care.OrganizationID) []identity.Patient {
	lilas := identity.Address{Street: "7 rue Romain-Rolland", PostalCode: "93260", City: "Les Lilas", CommuneCode: "93045"}
	patient := func(status care.IdentityStatus, r identity.Record) identity.Patient {
		r.Address = lilas
		return identity.Patient{OrganizationID: org, Status: status, Language: care.French, Record: r}
	}
	return []identity.Patient{
		patient(care.Qualified, identity.Record{ // two given names
			Traits: traits.Traits{BirthFamilyName: "PAT-TROIS", BirthGivenNames: "DOMINIQUE MARIE-LOUISE", FirstGivenName: "DOMINIQUE", Sex: traits.Female,
				BirthDate: "1979-03-28", BirthPlaceCode: "51215", BirthPlaceName: "Dormans"},
			INS: testINS("279035121518989"), Phone: "+33611000001", Email: "dominique.pat-trois@courriel.test",
		}),
		patient(care.Qualified, identity.Record{ // apostrophe and accents, a name of use
			Traits: traits.Traits{BirthFamilyName: "N'GUESSAN-LEFÈVRE", BirthGivenNames: "JEAN-NOËL ÉTIENNE", FirstGivenName: "JEAN-NOËL", UsedFamilyName: "LEFÈVRE",
				Sex: traits.Male, BirthDate: "1990-06-14", BirthPlaceCode: "75112", BirthPlaceName: "Paris 12e"},
			INS: testINS("190067511234591"), Phone: "+33611000002", Email: "jn.lefevre@courriel.test",
		}),
		patient(care.Qualified, identity.Record{ // born abroad
			Traits: traits.Traits{BirthFamilyName: "DIALLO", BirthGivenNames: "FATOU", FirstGivenName: "FATOU", Sex: traits.Female,
				BirthDate: "1988-07-02", BirthPlaceCode: "99341", BirthPlaceName: "Dakar (Sénégal)"},
			INS: testINS("288079934112337"), Phone: "+33611000003", Email: "fatou.diallo@courriel.test",
		}),
		patient(care.Qualified, identity.Record{ // a minor with two parents
			Traits: traits.Traits{BirthFamilyName: "MOREAU--GARCIA", BirthGivenNames: "LÉA ROSE", FirstGivenName: "LÉA", Sex: traits.Female,
				BirthDate: "2015-05-09", BirthPlaceCode: "93045", BirthPlaceName: "Les Lilas"},
			INS: testINS("215059304508750"), Phone: "+33611000004", Email: "famille.moreau-garcia@courriel.test",
			Representatives: []identity.Representative{
				{DisplayName: "Julie MOREAU", Relation: "mother", Phone: "+33611000004"},
				{DisplayName: "Diego GARCIA", Relation: "father", Phone: "+33611000014"},
			},
		}),
		patient(care.Qualified, identity.Record{ // no e-mail, a referring doctor
			Traits: traits.Traits{BirthFamilyName: "O'BRIEN", BirthGivenNames: "MARCEL", FirstGivenName: "MARCEL", Sex: traits.Male,
				BirthDate: "1941-09-30", BirthPlaceCode: "29019", BirthPlaceName: "Brest"},
			INS: testINS("141092901905473"), Phone: "+33611000005",
			Referring: &identity.Referring{Title: "Dr", GivenName: "Anne", FamilyName: "LE GOFF", RPPS: "10009876540", Specialty: "SM54", MSSante: "anne.legoff@medecin.mssante.fr"},
		}),
		patient(care.Retrieved, identity.Record{ // no phone; identity not qualified: her documents wait
			Traits: traits.Traits{BirthFamilyName: "DÛ-MAZEROLLES", BirthGivenNames: "ZOÉ", FirstGivenName: "ZOÉ", Sex: traits.Female,
				BirthDate: "2002-06-21", BirthPlaceCode: "33063", BirthPlaceName: "Bordeaux"},
			INS: testINS("202063306321110"), Email: "zoe.du-mazerolles@courriel.test",
		}),
	}
}
