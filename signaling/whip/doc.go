// Package whip lets a thing take part in an act: an ultrasound, an otoscope or
// an encoder that only sends (WHIP, RFC 9725), a screen that only receives
// (WHEP, draft-ietf-wish-whep). It is docs/signaling.md §10.
//
// A device has a seat and a token of 256 bits, shown once and stored as a hash;
// it has no session, no cookie and no signalling. Its media passes the gate of
// its act as everybody's does (CSP R6316-2, product A7), and it ends with the
// act, with the sign-in of the professional who brought it, and when somebody
// of the act takes it out.
//
// Nothing is trickled: the server's answer has every candidate in it, and the
// server reads none of the client's (docs/signaling.md §6.2).
package whip
