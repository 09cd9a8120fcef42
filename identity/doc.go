// Package identity says who is who: organisations and the people who work
// there, patients and their national identity, and how each of them signs in.
//
// Words:
//   - an organisation is one FINESS site; a patient's file belongs to exactly
//     one organisation, as an IPP does, and nobody of another one sees it;
//   - staff is one person in one organisation, with the role this organisation
//     gave them; a person of two organisations is two staff;
//   - a link is a capability (trust B10): 256 bits in a URL fragment, kept as a
//     hash, bound to one patient and one appointment, open from seven days
//     before it to one hour after;
//   - a companion is somebody at the patient's side in one act, with a link of
//     their own that opens a seat in it and nothing of the record;
//   - a session is a cookie kept as a hash. A patient's begins with a link and
//     rises with a one-time code; a professional's begins with Pro Santé
//     Connect (product A8) and with nothing else.
//
// Invariants: traits and contacts are sealed under the patient's key and found
// by blind index only; a matricule INS is told outside only at status QUAL; no
// answer tells whether a patient exists to someone who does not know already;
// secrets are compared as hashes and never enter a fact, a log or a URL.
//
// Sources: RNIV 1 (EXI SI 07), référentiel INS, PGSSI-S identification
// électronique, référentiel Pro Santé Connect, CSP R6316-3 (identification of
// the patient, authentication of the professionals).
package identity
