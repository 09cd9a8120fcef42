// Package stun reads the connectivity checks of ICE (RFC 8445 §7) and answers
// them in place: a check is a STUN Binding request (RFC 8489) with USERNAME,
// MESSAGE-INTEGRITY and FINGERPRINT; the answer is a success with the address
// that it came from. Everything else is not answered at all, so that a stranger
// learns nothing and nothing can be reflected. It also writes checks of ours.
package stun
