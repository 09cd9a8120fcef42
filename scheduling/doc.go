// Package scheduling keeps when people meet: the weekly plan of a practitioner,
// the free slots it leaves, and the appointments taken in them.
//
// Words. A plan is a rule of the week in the practitioner's own zone, less
// holidays and absences, plus extra openings. A slot is a start and an end that
// the plan offers. A slot is free when no appointment that is not cancelled
// overlaps it. An appointment is a slot taken by a patient.
//
// Invariants. A practitioner's appointments never overlap: use cases lock the
// schedule first, the database refuses the rest. A plan is in wall-clock time: a
// slot at 09:00 is at 09:00 all year; an hour that a clock change skips has no
// slot, an hour that it repeats has its slots once. The price shown before
// booking is the one of the day, and is recorded. Every change is made on the
// version the person saw.
//
// Sources. CSP R6316-3 (conditions of the act), L1111-3 (information on cost);
// CSS L162-14-1; Code du travail L3133-1 (holidays). Product B8, B10, B11, B19;
// trust D1 to D4.
package scheduling
