package cda

import (
	"fmt"
	"testing"
	"time"

	"visavis/internal/care"
)

var paris = time.FixedZone("CET", 3600)

const ipp = "2.25.329800735698586629295641978511506172928"

func ins(t testing.TB, n13 string) *INS {
	key, ok := care.INSKey(n13)
	if !ok {
		t.Fatalf("INSKey(%q) refused", n13)
	}
	return &INS{OID: OIDINSTest, Value: n13 + key}
}

// luhn completes ten digits into an RPPS.
func luhn(ten string) string {
	for d := range 10 {
		if v := fmt.Sprintf("%s%d", ten, d); care.ValidRPPS(v) {
			return v
		}
	}
	return ""
}

// patients are the six awkward identities of the demonstration, and one whose INS is not qualified.
func patients(t testing.TB) map[string]Patient {
	home := Address{Street: "28 avenue de Breteuil", Extra: "Escalier A", PostalCode: "75007", City: "PARIS", Country: "FRANCE"}
	reach := Contact{Phone: "+33144534551", Mobile: "+33 6 47 15 10 10", Email: "dominique@example.fr"}
	base := func(local string) Patient {
		return Patient{Local: ID{ipp, local}, Address: home, Contact: reach}
	}
	two := base("1")
	two.INS = ins(t, "2790351215189")
	two.BirthFamily, two.BirthGiven = "PAT-TROIS", []string{"DOMINIQUE", "MARIE-LOUISE"}
	two.Sex, two.BirthDate, two.BirthPlace, two.BirthCity = "F", "1979-03-28", "51215", "DOMPREMY"
	accents := base("2")
	accents.INS = ins(t, "2850475113042")
	accents.BirthFamily, accents.BirthGiven = "N'GUESSAN-LEFÈVRE", []string{"ANNE-ÉLODIE"}
	accents.UsedFamily, accents.UsedGiven = "D’ALMEIDA & FILS <Œ>", "Zoë"
	accents.Sex, accents.BirthDate, accents.BirthPlace = "F", "1985-04-12", "75113"
	abroad := base("3")
	abroad.INS = ins(t, "1721199350017")
	abroad.BirthFamily, abroad.BirthGiven = "EL ÂMRANI", []string{"YOUSSEF"}
	abroad.Sex, abroad.BirthDate, abroad.BirthPlace, abroad.BirthCity = "M", "1972-11-02", "99350", "FÈS"
	minor := base("4")
	minor.INS = ins(t, "1160763220834")
	minor.BirthFamily, minor.BirthGiven = "ECETINSI", []string{"PIERRE-ALAIN", "MURIEL", "FLORIANT"}
	minor.Sex, minor.BirthDate, minor.BirthPlace = "M", "2016-07-14", "63220"
	minor.Guardians = []Guardian{
		{Relation: "MTH", Family: "ECETINSI", Given: "Jeanne", Address: home, Contact: reach},
		{Relation: "FTH", Family: "O'BRIEN", Given: "Seán"},
	}
	noMail := base("5")
	noMail.INS = ins(t, "2360663220836")
	noMail.BirthFamily, noMail.BirthGiven = "TCHITCHI", []string{"CATARINA", "BELLA"}
	noMail.Sex, noMail.BirthDate, noMail.BirthPlace = "F", "1936-06-21", "63220"
	noMail.Contact.Email = ""
	noPhone := base("6")
	noPhone.INS = ins(t, "160012B020777")
	noPhone.BirthFamily, noPhone.BirthGiven = "ADRTROIS", []string{"TOUSSAINT"}
	noPhone.Sex, noPhone.BirthDate, noPhone.BirthPlace = "M", "1960-01-01", "2B020"
	noPhone.Contact = Contact{Email: "toussaint@example.fr"}
	unqualified := base("7")
	unqualified.BirthFamily, unqualified.BirthGiven = "INCONNU", []string{"ALEX"}
	unqualified.Sex, unqualified.BirthDate = "UN", "2001-02-03"
	unqualified.Address, unqualified.Contact = Address{}, Contact{}
	return map[string]Patient{"two-names": two, "accents": accents, "abroad": abroad, "minor": minor,
		"no-mail": noMail, "no-phone": noPhone, "unqualified": unqualified}
}

func practice() Organization {
	return Organization{FINESS: "750803447", Name: "Cabinet médical de l'Île", Sector: "SA64", Setting: "AMBULATOIRE",
		Address: Address{Street: "20 rue Leblanc", PostalCode: "75015", City: "PARIS", Country: "FRANCE"},
		Contact: Contact{Phone: "+33156092000"}}
}

func doctor() Professional {
	return Professional{RPPS: luhn("1000123456"), Specialty: "G15_10/SM26", Family: "MARTIN", Given: "Claire",
		Civility: "MME", Title: "DR", Contact: Contact{Phone: "+33156092000"}, Organization: practice()}
}

func header(t testing.TB, p Patient, name string) Header {
	id, err := OIDFromUUID(fmt.Sprintf("0a9c8f8e-5c9f-4d0e-9e6e-%012x", len(name)*7919))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 1, 5, 10, 0, 0, 0, paris)
	nurse := doctor()
	nurse.RPPS, nurse.Specialty, nurse.Family, nurse.Title = luhn("1000987654"), "G15_60", "FAURE", ""
	referring := doctor()
	referring.RPPS, referring.Family, referring.Civility = luhn("1000555555"), "VACQUIER", "M"
	return Header{
		ID: id + ".1", SetID: id, Version: 1, Title: "Compte rendu de téléconsultation",
		CreatedAt: start.Add(20 * time.Minute), SignedAt: start.Add(21 * time.Minute), Confidential: "N",
		Patient: p, Author: doctor(), Custodian: practice(), Recipients: []Professional{referring},
		Participants: []Participant{{Professional: nurse, Function: "353", Act: "TLS", Start: start, End: start.Add(15 * time.Minute)}},
		Consents:     []Consent{{ID: ID{ipp + ".9", "c1"}, Text: "Consentement à la téléconsultation, recueilli en ligne"}},
		Encounter:    Encounter{ID: ID{ipp + ".8", "e1"}, Start: start, End: start.Add(18 * time.Minute), Facility: practice()},
	}
}

var pdf = []byte("%PDF-1.4\n%âãÏÓ\nnot a whole file\n%%EOF\n")

func report(t testing.TB, p Patient) Report {
	return Report{Header: header(t, p, "report"), Act: "TCG", PDF: pdf}
}

func exams(t testing.TB, p Patient, kind string) OtherPrescription {
	h := header(t, p, "exams"+kind)
	h.Title, h.Participants = "Prescription", nil
	return OtherPrescription{Header: h, Kind: kind, PDF: pdf}
}

func medicines(t testing.TB, p Patient) MedicationPrescription {
	h := header(t, p, "medicines-")
	h.Title, h.Participants = "Ordonnance de médicaments", nil
	return MedicationPrescription{Header: h, Number: ID{ipp + ".7", "K7QF-2M4Z"},
		ValidFrom: "2026-01-05", ValidUntil: "2026-04-05", Flags: []string{"MED-1096"},
		SectionID: "4a402640-1cf6-4153-b5ba-d56b623004c8", CopyID: "770b0dc2-a6b8-468e-8432-632b18d35f68", PDF: pdf,
		Lines: []MedicationLine{
			{ID: "aadc9c14-f1ca-4177-b2c8-a5178d5b3ca0", CIS: "63107752", Name: "PARACETAMOL MYLAN 500 mg, comprimé",
				INN: []string{"paracétamol"}, CIP13: "3400933516390", Route: "20053000",
				Directions: "1 comprimé 3 fois par jour, si douleur <b>forte</b> & fièvre", From: "2026-01-05", To: "2026-01-10",
				Dosage: &Dosage{Amount: "1", Unit: "{tablet}", Period: "8", PeriodUnit: "h", Frequency: "toutes les 8 heures", AsNeeded: true, MaxPerDay: "3"}, Quantity: &Quantity{2, "30009000"}},
			{ID: "c93de620-3722-41ec-8d3d-0242ac130003", CIS: "60234100", Name: "LEVOTHYROX 75 microgrammes, comprimé sécable",
				INN: []string{"lévothyroxine sodique"}, Directions: "1 comprimé le matin à jeun",
				Dosage: &Dosage{Amount: "0.5", Unit: "{tablet}", Period: "12", PeriodUnit: "h", Loose: true, Frequency: "matin et soir"}, From: "2026-01-05", To: "2026-04-04",
				Repeats: 3, ALD: true, Pharmacist: "Même marque à chaque délivrance",
				Substitution: Substitution{Excluded: true, Reason: "MTE"}},
			{ID: "3fdcaa46-3723-41ec-8d3d-0242ac130003", Compounded: true, Name: "Diprosone 30 g, Cérat frais de Galien 70 g",
				Directions: "2 applications par jour", From: "2026-01-05", To: "2026-01-15", Route: "20003000",
				NonReimbursable: true, OffLabel: true, WorkAccident: true, Prevention: true},
			{ID: "3fdcaa46-3724-41ec-8d3d-0242ac130003", Name: "Nouveaumed 25 µg, solution buvable", INN: []string{"nouveauline"},
				Directions: "25 µg le matin", Dosage: &Dosage{Amount: "25", Unit: "ug", Period: "1", PeriodUnit: "d", Frequency: "le matin"}, From: "2026-01-05", To: "2026-01-15"},
		}}
}

func devices(t testing.TB, p Patient) MedicationPrescription {
	h := header(t, p, "devices")
	h.Title, h.Participants = "Prescription de dispositif médical", nil
	return MedicationPrescription{Header: h, Number: ID{ipp + ".7", "K7QF-2M4Z"}, ValidFrom: "2026-01-05", ValidUntil: "2027-01-04",
		DevicesID: "4a402640-1cf6-4153-b5ba-d56b623004c9", CopyID: "770b0dc2-a6b8-468e-8432-632b18d35f68", PDF: pdf,
		Weight: "12.5", WeightID: "770b0dc2-a6b8-468e-8432-632b18d35f69",
		Devices: []DeviceLine{
			{ID: "aadc9c14-f1ca-4177-b2c8-a5178d5b3ca0", Name: "Lit médical, location", LPP: "1215702", From: "2026-01-05", To: "2026-03-05", Days: 60, Quantity: 1, ALD: true},
			{ID: "c93de620-3722-41ec-8d3d-0242ac130003", Name: "Bandelettes, boîte de 100", From: "2026-01-05", To: "2026-07-04", Quantity: 2, Repeats: 5, NonReimbursable: true, WorkAccident: true},
		}}
}
