// Package turn is a closed TURN server (RFC 8656): it relays to our own SFU and
// to nothing else, and does so inside the process.
//
// The relay address that a client is given is virtual: it comes from a
// documentation range (RFC 5737) and has no socket. What the client sends to it
// for one of the SFU's addresses enters the SFU by its Door, and what the SFU
// answers leaves by the same Door. There is no port range to open and nothing
// to abuse behind the relay.
//
// pion/turn/v3 does the requests and is imported by relay.go alone, so that a
// newer major is a change of one file. In front of it, on every transport,
// stands the guard: it lets through only well-formed STUN of the methods we
// serve, and carries the data of bound channels itself; it binds a 5-tuple to one user, keeps the
// quotas, and stays silent where answering would serve a flood (trust B3, B4).
// pion/turn/v3 as it stands dies of one 32-byte datagram
// (GHSA-34rh-wp3j-6cxc); the guard refuses it, and a test sends it.
//
// Limits: IPv4 relay addresses only (pion/turn/v3 knows no others), so the SFU
// needs an IPv4 address for relayed clients; a client may reach the TURN server
// over IPv6.
package turn
