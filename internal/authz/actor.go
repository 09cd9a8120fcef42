// Package authz says who may do what. One table, table.tsv, crosses every
// action with every role and the relation to the record; each handler asks it
// first, each query asks it again through the actor's scope, and a golden test
// walks it (trust S1).
package authz

import (
	"context"
	"slices"
	"time"

	"visavis/internal/care"
	"visavis/internal/fault"
)

// Level is how well the session proves who is there.
type Level uint8

// The levels, each including the ones before it.
const (
	LevelNone Level = iota
	LevelLink       // holds a capability link
	LevelCode       // and answered a one-time code
	LevelPSC        // signed in by Pro Santé Connect
)

// String gives the level's name in the API.
func (l Level) String() string { return [...]string{"none", "link", "code", "psc"}[l] }

// Capability is a right that a clinic gives to one person, beside their role.
// Capabilities are a set of bits, so that actors stay comparable.
type Capability uint8

// DataProtection reads what people were refused, and settles the alarms about it
// (RGPD art. 32, 33, 39).
const DataProtection Capability = 1 << iota

// capabilities are the names in the staff file, the table and the API.
func capabilities() map[string]Capability {
	return map[string]Capability{"data-protection": DataProtection}
}

// ParseCapability gives the capability of a name; false when there is none.
func ParseCapability(name string) (Capability, bool) {
	c, ok := capabilities()[name]
	return c, ok
}

// Names gives the names of a set of capabilities, sorted; nil for none.
func (c Capability) Names() (names []string) {
	for name, bit := range capabilities() {
		if c&bit != 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Actor is who asks. The zero Actor is anonymous.
type Actor struct {
	Role           care.Role
	PatientID      care.PatientID      // of a patient's session; a companion's is that of the act
	AppointmentID  care.AppointmentID  // the one a link opens
	CompanionID    care.CompanionID    // of a companion's session, beside whose act it is
	StaffID        care.StaffID        // of a professional's session
	OrganizationID care.OrganizationID // of a professional's session
	SessionID      care.SessionID
	Level          Level
	Capabilities   Capability // of a professional, beside their role
	// SignsUntil is when the sign-in of this session no longer suffices to sign, and
	// SteppedUp that the professional proved again who they are since (MaySign).
	SignsUntil time.Time
	SteppedUp  bool
	// Proof says how identity was proven, for the audit: idp, acr, auth time.
	Proof string
	// Request names the HTTP request, for the audit.
	Request string
}

// ID names the actor in the audit log.
func (a Actor) ID() string {
	switch {
	case a.StaffID != "":
		return string(a.StaffID)
	case a.CompanionID != "":
		return string(a.CompanionID)
	case a.PatientID != "":
		return string(a.PatientID)
	default:
		return string(a.Role)
	}
}

// SystemActor acts for the platform itself: jobs, reactions to facts.
func SystemActor() Actor { return Actor{Role: care.System, Level: LevelPSC, Proof: "system"} }

// Refusal is what somebody we know was refused: for the audit and for alarms,
// never for the answer.
type Refusal struct {
	Actor  Actor
	Action Action
	Object string // kind/id, as in the audit; the kind alone when no id was named
	Reason string // code of the fault
}

type actorKey struct{}

// With puts the actor in a context.
func With(ctx context.Context, a Actor) context.Context { return context.WithValue(ctx, actorKey{}, a) }

// From gives the actor of a context; Anonymous when there is none.
func From(ctx context.Context) Actor {
	a, ok := ctx.Value(actorKey{}).(Actor)
	if !ok || a.Role == "" {
		a.Role = care.Anonymous
	}
	return a
}

// MaySign refuses the first signature of a session from SignsUntil on (Forbidden
// step-up-required): its professional proves again who they are, once in the
// session. What acts without a session, a job or a test, is not asked.
func MaySign(ctx context.Context, now time.Time) error {
	a := From(ctx)
	if a.SessionID == "" || a.SteppedUp || now.Before(a.SignsUntil) {
		return nil
	}
	return fault.New(fault.Forbidden, "step-up-required")
}
