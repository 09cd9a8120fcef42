// Package messaging sends what leaves the house and follows it until somebody
// answers for it: the e-mail and the text message of a booking, the one-time
// code, and the signed documents of an act, to the patient's mailbox of Mon
// espace santé and to the referring doctor by secure health messaging
// (MSSanté), or to the paper queue.
//
// # Words
//
// A Delivery is one message to one person by one channel. It is made in the
// transaction that consumes the fact that calls for it, once per fact (column
// once), and has a state that people see:
//
//	waiting-identity ─► queued ─► sending ─► sent ─► accepted
//	        │                        │  ▲       └──► bounced ─► to-post ─► posted
//	        └─► to-post ◄─ refused ◄─┘  └ in doubt
//
// sent: our mail server or gateway answered for it. accepted: the other end
// said it has it. bounced and refused documents go to the paper queue; a booking
// message does not.
//
// # Never twice, never lost
//
// An attempt claims the delivery with a lease, writes the message (the same
// bytes at each attempt, the same Message-ID), and writes phase "data" durably
// before the first byte of the message leaves. If the process dies or the
// connection breaks after that, the message may or may not be on its way: the
// delivery is in doubt. It is then settled by evidence, not by hope:
//
//   - by e-mail with a witness (MSSanté): the platform's own mailbox is a second
//     recipient of the same SMTP transaction, which a server accepts or refuses
//     as a whole. The copy there proves the sending. No copy after DoubtFor
//     proves the contrary, and the same message is sent again.
//   - by SMS: the gateway takes one message per reference; asking again is safe.
//   - by ordinary e-mail, which has no witness: it is not sent again by itself. A
//     person decides; the SMS of the same booking has usually arrived.
//
// # Taken back
//
// A document that its author cancels leaves the house no more, to nobody: it is
// looked at when the letter is written and again before its first byte leaves,
// for the patient and for the referring doctor alike. A letter that is left
// empty is refused (withdrawn). After the first byte nothing can be held back:
// the state "cancelled" is then told by the patient's own pages and by the
// public page of the prescription's square. No second letter says so: MSSanté
// knows « Annule et remplace » for a version that replaces another (interop
// §4.1), which leaves as any signed document, and nothing for a cancellation
// alone.
//
// # Order
//
// The letters of a booking say what the appointment was at its latest version,
// not at the latest fact that arrived: an older fact told late sends nothing.
//
// # Law
//
// Only a qualified identity leaves by MSSanté, and the patient's address is
// built from it (RNIV EXI SI 07; INS/va1.53; ECO.2.2.6). Visibility flags decide
// who may be written to (CI-SIS TCDA, "règles de gestion MSSanté"). Prescriptions
// never leave by ordinary e-mail or SMS (product B17). No health word in a
// booking message (product B11).
package messaging
