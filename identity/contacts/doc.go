// Package contacts proves that whoever asks can read a telephone or a mailbox,
// before anything is held for them or sent there but one code.
//
// # Words
//
// An attempt is one requester's own try to prove a contact: a secret of 256 bits
// that only they have, with its own five tries. A code is one message of eight
// digits to a contact. Every attempt about a contact accepts the codes of that
// contact that are still valid.
//
// # Why attempts share the codes of a contact
//
// Three things must hold at once: a telephone is not flooded, nobody can keep its
// owner from booking, and nobody proves a contact that they cannot read.
//
//   - Flood: a contact gets at most three codes an hour and eight a day, whoever
//     asks.
//   - Lock-out: when no further code may be sent, or one was sent a moment ago, the
//     last code stays valid for as long as somebody new asks, and the new attempt
//     joins it. The owner has that code on their telephone, whoever had it sent, and
//     their own attempt has its own five tries: what somebody else asks or guesses
//     takes nothing from them. An attempt is never refused for its contact.
//   - Guessing: as no try of one attempt may end a code for another, the bound on
//     guesses is in the code's length. An attempt has five tries. The first two are its
//     own; for the others a network (/32, /64) has 30 tries a contact and then one each
//     two minutes, so that a guesser at the owner's address takes nothing from them. With
//     the tokens of a host, an address that does no work has some 500 guesses in an hour
//     against 10^8 codes. What a guesser gains is one appointment in the agenda, told to
//     the contact's owner; no link and no record. Many wrong codes are an alarm.
//
// The answer says whether a code left or one was joined, when the last one left and
// when another can be asked for. It is the same whether the contact is known here or
// not: no patient is looked at. What it tells a stranger is that a code was asked for
// that contact a moment ago.
//
// # What it may cost
//
// Starting takes a token of each network the address is in (/32, /24, /16; /64,
// /48, /32), which comes back when the contact is proven: people behind one address
// who prove their contacts never run out. Text messages are counted in money per
// hour and per day. Once half of that is used, or a practitioner has many attempts
// that nobody proved, or a network has no tokens, an attempt must bring work (work.go):
// somebody at the address of a flood gets through, a flood without work stops at half
// of the money. A third of the money is given out over the hour. Without money left a
// code by SMS is refused (sms-budget) with a sentence that proposes e-mail.
//
// Document codes, lost links and invitations have separate budgets (requests.go), so
// that they and the booking codes cannot use up each other's.
package contacts
