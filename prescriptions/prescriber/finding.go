package prescriber

import (
	"time"

	"visavis/internal/medicines"
)

// State is how a condition stands for a line.
type State string

// The states of a condition.
const (
	Shown     State = "shown"     // there is nothing to do
	Met       State = "met"       // the prescriber qualifies, or says that it is done
	Warned    State = "warned"    // to look at; nothing is refused for it
	ToConfirm State = "confirm"   // refused until the prescriber says that it holds
	ToState   State = "statement" // refused until the initial prescription is stated
	Refused   State = "refused"
)

// Code is why a condition blocks: the key of a refusal.
type Code string

// The refusals.
const (
	Required           Code = "required"
	FormWrong          Code = "form-wrong"
	InFuture           Code = "date-in-future"
	HospitalOnly       Code = "hospital-only"
	NotHospital        Code = "condition-hospital"
	NotInitial         Code = "condition-initial"
	InitialOver        Code = "condition-initial-over"
	NotRenewal         Code = "condition-renewal"
	NotSpecialist      Code = "condition-specialist"
	NotDentist         Code = "condition-dental"
	NotOphthalmologist Code = "condition-ophthalmic"
	Unconfirmed        Code = "condition-confirm"
	NotListed          Code = "list-50"
)

// Advice is the key of a warning.
type Advice string

// The warnings.
const (
	ToVerify     Advice = "condition"
	GivenThere   Advice = "condition-hospital-use"
	InitialEnds  Advice = "condition-initial-ends"
	ListMidwives Advice = "list-50"
	ListDentists Advice = "list-40"
)

// Initial is a prescription made before by somebody who may start the treatment, as the prescriber who renews
// it states it (CSP R5121-88, R5121-91).
type Initial struct {
	By string `json:"by" maxLength:"200" printed:"line" doc:"who made it: name, and hospital service or specialty"`
	On string `json:"on" maxLength:"10" doc:"YYYY-MM-DD"`
}

// Line is what is prescribed, and what the prescriber states of it.
type Line struct {
	Terms []medicines.Condition
	// Names are the common denominations; of a medicine that the base does not know, its name too.
	Names     []string
	Initial   *Initial
	Confirmed []string // sentences that the prescriber says are done or hold
	Listed    bool     // the prescriber says that the medicine is of the list of their profession
	Until     time.Time
}

// Finding is one condition as it stands.
type Finding struct {
	Sentence string // in the words of the BDPM; empty for the list of a profession
	Kind     medicines.Kind
	State    State
	Field    string // of the line: name, initial.by, initial.on, confirmed, listed
	Code     Code   // why it blocks
	Advice   Advice // what to look at, of a warning
	Args     map[string]string
	// Answers are what the prescriber may state: confirmed, initial, listed; none when nothing may be.
	Answers []string
}

// Blocks tells whether nothing may be signed as it is.
func (f Finding) Blocks() bool {
	return f.State == Refused || f.State == ToConfirm || f.State == ToState
}
