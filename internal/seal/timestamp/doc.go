// Package timestamp asks a time-stamping authority to date a hash, and checks
// what it answers (RFC 3161, RFC 5816, RFC 5652, ETSI EN 319 422).
//
// Words. The imprint is the SHA-256 of what is dated; the authority never sees
// the thing itself. A token is the authority's signed answer (a CMS SignedData
// around a TSTInfo), kept as received, in DER. The authority is believed as far
// as a configured root certificate answers for it.
//
// A token is accepted when every one of these holds: one signer; the signed
// attributes name the content type, the digest of the content and the signer's
// certificate (ESSCertIDv2, SHA-256 or better); the signature verifies; the
// certificate was valid at the token's time, chains to a given root and is for
// time stamping only, critically (RFC 3161 §2.3); the imprint is ours. On
// receipt also: the nonce is ours, the policy is the one asked for, the time is
// near our own clock.
//
// Not done: revocation (CRL, OCSP) is not asked for; SHA-1 and MD5 are refused
// everywhere; BER that is not DER is refused.
package timestamp
