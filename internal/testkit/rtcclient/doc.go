// Package rtcclient is a client of the live wire for tests: Media is one
// PeerConnection that sends numbered synthetic sound and pictures and counts
// what comes; Client speaks docs/signaling.md over a real WebSocket and carries
// a Media. It is written from that document, not from the server's code.
package rtcclient
