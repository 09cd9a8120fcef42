// Package stun reads the connectivity checks of ICE and answers them in place,
// as the lite side of RFC 8445 §2.5 does: a check is a STUN Binding request
// (RFC 8489) with USERNAME, MESSAGE-INTEGRITY and FINGERPRINT; the answer is a
// success with the address that it came from. Everything else is not answered
// at all, so that a stranger learns nothing and nothing can be reflected.
package stun
