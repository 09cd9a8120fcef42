// Package encounters is the spine of one act of care, from planned to
// finished (FHIR R4 Encounter): who it is between, who was there and when,
// how long video really flowed both ways, what went wrong technically.
//
// CSP R6316-4 wants the identity of the professionals, the date and time of
// the act and its technical incidents in the patient's file: they are written
// here as they happen, and the report is pre-filled from them (product B34).
//
// Invariants: one encounter per appointment; finished and cancelled are final;
// presence and incidents are only ever added.
package encounters
