// Package refusals writes to the audit log what people we know are refused, over
// HTTP and in calls, raises an alarm when one of them is refused much, and shows
// both to whom the clinic gave the capability data-protection (trust B7; RGPD art.
// 32, 33).
//
// Note takes a refusal in memory, so that the answer is neither other nor slower
// than for a record that does not exist; a writer follows once a second. The first
// refusal of a person for an object has an entry of its own, 50 of them in ten
// minutes; the rest is summed, by kind of thing, in entries that are at most 10
// seconds late and list each different object that was tried (targets.go). A
// process that is killed loses at most the last second of first refusals and the
// last ten seconds of sums. A database that is away loses nothing until 5,000
// entries wait; then the log has their number.
//
// Who is shown how: professionals by name. A patient or a companion by pseudonym,
// the one of the log; by name only in the detail of an alarm about them, because
// the clinic must then reach them, and that reading stands in the audit of their
// file. What was refused is shown as its kind and the end of its number, never
// with a name: an administrator does not learn here who is a patient.
package refusals
