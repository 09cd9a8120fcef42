// Package control reads and writes the RTCP that a forwarder needs (RFC 3550 §6,
// RFC 4585, RFC 5104, REMB of draft-alvestrand-rmcat-remb), without allocation.
package control
