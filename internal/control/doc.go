// Package control is the wire between the processes of one visavis: frames of
// JSON on a mutually authenticated TLS 1.3 connection, the same on a Unix socket
// and between machines (docs/control.md). It knows nothing of what is said.
//
// Both ends hold one secret, the Key. Each makes from it the Ed25519 key of its
// own role and the one it expects of the other: who does not hold the secret
// finishes no handshake, and there is no authority, no name and no date to keep.
//
// Either end asks, and gets one answer or a refusal with a code; either end
// tells, and gets none. Order is kept within what is asked and within what is
// told. Everything is bounded: a frame, what waits, silence; who exceeds a bound
// loses the connection, and whoever speaks above this package begins again.
package control
