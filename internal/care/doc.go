// Package care holds the few words every module shares: typed identifiers,
// roles, kinds of act, the status of a patient's identity. It imports the
// standard library only, so that any package may speak of care without
// pulling in plumbing.
package care
