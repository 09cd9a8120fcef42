// Package declared keeps what a patient says of their allergies and of their current treatments for one act: at the booking,
// or later, until the act begins; professionals write until it ends. Not given is not the same as none. A change keeps what was
// said before, with who said it and when.
//
// It is the patient's word, not a finding: it stands beside the prescription and is compared with it by substance, and it
// enters no document, message, log or address. It is sealed under the patient's key (docs/crypto.md).
package declared
