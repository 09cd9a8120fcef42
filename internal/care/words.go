package care

// Role is what a person is in visavis, whoever signs them in.
type Role string

// The eight roles of the authorisation table, and System for our own jobs.
const (
	Anonymous  Role = "anonymous"
	Patient    Role = "patient"
	Doctor     Role = "doctor" // médecin, sage-femme, chirurgien-dentiste: product A3
	Nurse      Role = "nurse"
	Pharmacist Role = "pharmacist"
	Secretary  Role = "secretary"
	Admin      Role = "admin"
	Companion  Role = "companion" // aidant, proche: product B2, B13
	System     Role = "system"
)

// ActKind is one of the acts of télésanté (product A2, CSP R6316-1).
type ActKind string

// The acts visavis carries.
const (
	Teleconsultation ActKind = "teleconsultation"
	Teleexpertise    ActKind = "teleexpertise"
	Teleassistance   ActKind = "teleassistance"
	Telecare         ActKind = "telecare" // télésoin
)

// IdentityStatus is the RNIV status of a patient's identity (interop §1.4).
type IdentityStatus string

// Only Qualified lets the matricule INS leave the platform.
const (
	Provisional IdentityStatus = "PROV"
	Retrieved   IdentityStatus = "RECUP"
	Validated   IdentityStatus = "VALI"
	Qualified   IdentityStatus = "QUAL"
)

// Language is a language of the product, as a BCP 47 tag.
type Language string

// French is first, English second.
const (
	French  Language = "fr"
	English Language = "en"
)

// ConsentState is where the consent to one act stands (product A6, A7).
type ConsentState string

// The states. ConsentEmergency is no agreement: a doctor decided to begin
// without one (CSP L1111-4).
const (
	ConsentNone      ConsentState = "none"
	ConsentGranted   ConsentState = "granted"
	ConsentRefused   ConsentState = "refused"
	ConsentWithdrawn ConsentState = "withdrawn"
	ConsentEmergency ConsentState = "emergency"
)

// AllowsMedia tells whether sound and picture may pass in this state.
func (s ConsentState) AllowsMedia() bool { return s == ConsentGranted || s == ConsentEmergency }
