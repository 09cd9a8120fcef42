// Package signaling is the live side of an act: who sits where, who waits and
// for how long, who was admitted, what is said in the chat, and whether sound
// and picture may flow. Its wire protocol is docs/signaling.md.
//
// A seat is what one person holds in one encounter. It lives in the database
// and outlives tabs, sockets and restarts; a session is one client that holds
// a seat, lives in memory and outlives sockets (resume).
//
// Invariants:
//   - a person has one seat in an encounter, and one session holds it;
//   - no PeerConnection exists for a seat that is not admitted, or for an act
//     without consent (CSP R6316-2, product A7): the server asks at each offer
//     and drops everybody when consent goes;
//   - a seat that waits keeps its place for 30 minutes without a sign of life;
//   - facts for the other modules are written in order and never lost while the
//     process lives, even when the database is away.
//
// Locks: room.mu first, session.mu second; the database is never asked with
// session.mu held, and the media never answers into the caller: its events come
// from a goroutine of their own.
package signaling
