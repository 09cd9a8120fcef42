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
//     guesses is in the code's length. An attempt has five tries, and a network (/32,
//     /64) 30 tries a contact and then one each two minutes: 60 in the first hour, so
//     that 1,000 networks guess a contact with 60,000 / 10^8 in an hour. What a
//     guesser gains is one appointment in the agenda, told to the contact's owner;
//     no link and no record.
//
// The answers are the same whether a code left or one was joined, and whether the
// contact is known here or not: no patient is looked at.
//
// # What a stranger may cost
//
// Starting takes a token of each network the address is in (/32, /24, /16; /64,
// /48, /32), which comes back when the contact is proven: people behind one address
// who prove their contacts never run out. Text messages are counted in money per
// hour and per day. Once half of an hour's money is used, or a practitioner has many
// attempts that nobody proved, a network may have only a few unproven attempts (the
// rules of this package): a flood from few networks cannot use up what is left, and
// a person alone on theirs passes. Without money left a code by SMS is refused
// (sms-budget) with a sentence that proposes e-mail.
package contacts
