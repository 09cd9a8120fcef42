// Package arch holds tests about the repository itself: who may import whom,
// how large things may grow, what is never written, what must be documented.
// Each rule tells its reason when it is broken. docs/architecture.md says the
// rules in words; exceptions are listed here by name, each with a reason.
package arch
