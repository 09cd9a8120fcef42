// Package handshake is the DTLS side of a peer (RFC 5764), over datagrams that
// somebody else carries: it answers the client's ClientHello as the server,
// checks that the client's certificate is the one whose fingerprint came with
// the offer, and gives the keys of the media. Only datagrams of an address that
// has passed an authenticated connectivity check may be given to it, so that
// nobody else can be the first (trust B2, the ClientHello race); the cookie round
// trip of RFC 6347 §4.2.1 is left out for the same reason.
package handshake
