// Package front is the one door of port 443: HTTPS and TURN over TLS (RFC 8656
// §2.1) on the same address, so that a network that allows nothing but HTTPS
// still gets a call.
//
// A client is told apart after the handshake, by its first bytes: a STUN message
// begins with two zero bits and has the magic cookie behind its length (RFC 8489
// §5); every HTTP request begins with a letter. ChannelData never comes first: a
// channel has to be asked for. What is neither is closed.
//
// Until then a connection is half open: it has ten seconds for the handshake and
// ten for its first bytes, and one host may have only so many. The certificate
// is read again when its files change; connections that are open keep theirs.
package front
