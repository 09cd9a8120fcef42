// Package traits holds the civil identity of a patient as French rules define
// it: the matricule INS and its key, the strict traits, the status of an
// identity and how it moves, and the contacts a message can be sent to.
//
// Everything here is pure: no database, no clock of its own. What is refused is
// refused by a Refusal, a code of the catalogues ("field.<code>").
//
// Sources: Référentiel Identifiant national de santé; RNIV 1 (principes
// communs), exigences EXI SI; ../shared/design/interop.md §1.1–1.4.
package traits

import "visavis/internal/fault"

// Refusal says by a catalogue code why a value is refused.
type Refusal string

// Error gives the code.
func (r Refusal) Error() string { return string(r) }

// Field attaches a refusal to the JSON path of the refused input.
func (r Refusal) Field(name string) fault.Field { return fault.Field{Name: name, Code: string(r)} }
