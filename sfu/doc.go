// Package sfu forwards sound and pictures between the people of a room and
// knows nothing else: no patient, no database, no web framework.
//
// A Node owns the sockets: one UDP port and one TCP port for everybody (ICE,
// RFC 8445). It never calls an address that a client names: candidates in offers
// are not read, and checks go only where an authenticated check has come from.
// A room is made by its first Offer and dies with its last peer. A peer is one
// PeerConnection, negotiated once: the client's offer carries its sending
// sections (voice, camera, screen, sound) and its receiving sections, which
// are called slots here. Tracks are bound to slots as they come and go, and
// nobody renegotiates. A slot keeps its SSRC, and its sequence numbers and
// timestamps run on when another track takes it.
//
// Payloads are never read: speaking comes from the audio-level extension (RFC
// 6464), and end-to-end encryption would change nothing here.
//
// The path of a packet: port.run reads a burst, take finds whose it is, and
// rtpLocked opens, layer.take keeps, slot.write rewrites and seals it; the burst
// leaves when it is done. Nothing is allocated on it and nothing handed to
// another goroutine. Everything of a room is under room.mu; a node's lock comes
// before a room's, a worker's before both. Events are queued and delivered by
// one goroutine of the Node, in order, with no lock held.
package sfu
