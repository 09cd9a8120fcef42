// Package packet reads and writes RTP headers in place (RFC 3550 §5.1, header
// extensions of RFC 8285), without allocation and without looking at the
// payload.
package packet
