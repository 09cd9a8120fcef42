// Package psc is a simulator of Pro Santé Connect, the national OpenID Connect
// provider that signs health professionals in with their e-CPS or CPS card.
//
// It is a real provider (zitadel/oidc) in the shape the national one has:
// discovery at the non-standard `wallet-openid-configuration` path as well as
// the usual one, an authorization host path unlike the issuer's, scope
// `openid scope_all`, `acr_values=eidas1`, and the userinfo claims published by
// the Agence du numérique en santé (SubjectRefPro with its exercices and
// activities). It is stricter than the national one where strictness finds
// defects: state, a long nonce and PKCE S256 are mandatory.
//
// Accounts come from Options. The sign-in page has one button per account and
// no password, and says that it is a simulator. SetFault, or the page at
// /simulateur, makes it fail in one named way: see Fault.
//
// Tokens and keys live in memory: a restart forgets them.
package psc
