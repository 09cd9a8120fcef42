package cda

import "time"

// ID is an HL7 instance identifier: an OID and, within it, a value.
type ID struct {
	Root, Extension string
}

// INS is a qualified national health identity: the OID that came with the number, and the 13 characters
// with their key. It may be given only when the identity has status QUAL (RNIV EXI SI 07).
type INS struct {
	OID, Value string
}

// Address is a postal address. A zero Address is written as "not asked".
type Address struct {
	Street, Extra, PostalCode, City, Country string
}

// Contact holds the ways to reach someone; each may be empty. Phones are written as dialled or E.164.
// MSSante is the secure mailbox.
type Contact struct {
	Phone, Mobile, Email, MSSante string
}

// Patient is the subject of the document.
type Patient struct {
	INS         *INS     // nil unless the identity is qualified
	Local       ID       // the patient's number here (IPP) under an OID of ours
	BirthFamily string   // nom de naissance
	BirthGiven  []string // prénoms de naissance, in the order of the birth certificate
	UsedFamily  string   // nom utilisé, optional
	UsedGiven   string   // prénom utilisé, optional
	Sex         string   // F, M or UN (JDV_J143)
	BirthDate   string   // YYYY-MM-DD
	BirthPlace  string   // COG: INSEE commune, or 99 and the country when born abroad
	BirthCity   string   // name of the place, optional
	Address     Address
	Contact     Contact
	Guardians   []Guardian // holders of parental authority, guardian of an adult
}

// Guardian represents the patient.
type Guardian struct {
	Relation      string // JDV_J11: MTH, FTH, TUTEUR…
	Family, Given string
	Address       Address
	Contact       Contact
}

// Organization is where a professional practises, and who keeps the document.
type Organization struct {
	FINESS  string // 9 characters
	SIRET   string // 14 digits, used when there is no FINESS
	Name    string
	Sector  string // JDV_J02: SA07, SA64…
	Setting string // JDV_J04: AMBULATOIRE…
	Address Address
	Contact Contact
}

// Professional takes part in the act.
type Professional struct {
	RPPS          string // 11 digits
	Specialty     string // JDV_J01: G15_10/SM26…
	Family, Given string
	Civility      string // M or MME
	Title         string // DR, PR… optional
	Address       Address
	Contact       Contact
	Organization  Organization
}

// Participant is a professional other than the author who was present, a nurse for instance.
type Participant struct {
	Professional Professional
	Function     string // JDV_J47; "353" member of the care team
	// Act is the NGAP code of an accompaniment (TLS, TLL, TLD), empty when there is none to declare.
	Act        string
	Start, End time.Time // presence
}

// Consent is a recorded consent, stated in the header.
type Consent struct {
	ID   ID
	Text string // what was consented to
}

// Encounter is the time and the place of the act.
type Encounter struct {
	ID         ID
	Start, End time.Time
	Facility   Organization
}

// Header is common to every document.
type Header struct {
	ID      string // OID of this version
	SetID   string // OID shared by the versions
	Version int    // from 1
	// Replaces is the OID of the version that this one replaces; empty for the first.
	Replaces      string
	Title         string
	CreatedAt     time.Time
	SignedAt      time.Time
	Confidential  string // N, R or V
	Patient       Patient
	Author        Professional // also the legal authenticator and the performer of the act
	Custodian     Organization
	Recipients    []Professional // médecin traitant, requesting doctor
	Participants  []Participant
	Consents      []Consent
	InFulfillment []ID // the request or the prescription that this answers
	Encounter     Encounter
}

// Report is the report of an act of telemedicine.
type Report struct {
	Header
	Act string // NGAP: TCG, TC…
	PDF []byte // the report as PDF/A-1
}

// OtherPrescription is a prescription of exams, care or devices, as a PDF.
type OtherPrescription struct {
	Header
	Kind string // PRESC-BIO, PRESC-KINE, PRESC-INF, 55115-0, 57828-6…
	PDF  []byte
}

// MedicationPrescription is a prescription of medicines, of devices, or of both.
type MedicationPrescription struct {
	Header
	Number     ID     // our own number of the prescription; never the EPU number, which the CNAM gives
	ValidFrom  string // YYYY-MM-DD
	ValidUntil string // YYYY-MM-DD, included
	Flags      []string
	Lines      []MedicationLine
	Devices    []DeviceLine
	SectionID  string // UUID of the section of medicines
	DevicesID  string // UUID of the section of devices
	Weight     string // kilograms, decimal number; empty when not measured
	WeightID   string // UUID of the section of the weight
	CopyID     string // UUID of the section of the PDF copy
	PDF        []byte
}

// Substitution says whether the pharmacist may give an equivalent (CSP R5125-54).
type Substitution struct {
	Excluded bool
	Reason   string // MTE, EFG or CIF when excluded
}

// Quantity is a number of packages.
type Quantity struct {
	Value int
	Pack  string // EDQM code of SetPack; "30009000" a box
}

// Dosage is a regular dose that a program can read; the words of MedicationLine.Directions say the same.
type Dosage struct {
	Amount     string // decimal number, "1" or "0.5"
	Unit       string // SetDose
	Period     string // between two doses, decimal number
	PeriodUnit string // h, d or wk
	// Loose says that the doses are so many a day at the hours of the patient, not at equal intervals.
	Loose     bool
	Frequency string // in words: "matin et soir"
	Bedtime   bool   // at bedtime, once a day; Period is then ignored
	// AsNeeded says that the patient decides, up to MaxPerDay, a decimal number of Unit.
	AsNeeded  bool
	MaxPerDay string
}

// MedicationLine is one medicine of a prescription.
type MedicationLine struct {
	ID         string   // UUID
	CIS        string   // 8 digits; empty for what the base of medicines does not know
	Name       string   // denomination of the speciality, or the formula of a compounded preparation
	INN        []string // dénominations communes of the active substances
	CIP13      string   // optional pack
	Compounded bool     // préparation magistrale
	Route      string   // SetRoute, optional
	Directions string   // dosage and directions for use, in words
	Dosage     *Dosage
	Pharmacist string // words for the pharmacist, optional
	From, To   string // treatment, YYYY-MM-DD, both included
	Repeats    int    // renewals, 0 when none
	Quantity   *Quantity
	Substitution
	ALD             bool // linked to a long-term condition (CSS L160-14)
	WorkAccident    bool // accident at work or occupational disease
	Prevention      bool
	NonReimbursable bool
	OffLabel        bool // outside the marketing authorisation
}

// DeviceLine is one medical device of a prescription (CSS R165-38).
type DeviceLine struct {
	ID              string // UUID
	Name            string // precise designation
	LPP             string // code of the list of reimbursed products, 7 digits; optional
	From, To        string // use, YYYY-MM-DD, both included
	Days            int    // of hire, 0 for a purchase
	Quantity        int    // units
	Repeats         int    // renewals, 0 when none
	ALD             bool
	WorkAccident    bool
	Prevention      bool
	NonReimbursable bool
}
