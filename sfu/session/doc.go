// Package session reads the one offer of a client and writes its answer (RFC
// 8829, docs/signaling.md §6.2). It knows the few codecs and header extensions
// that are passed through, and answers as the controlled side of ICE and the
// passive side of DTLS. It reads no candidate: the server never calls an
// address that a client names.
package session
