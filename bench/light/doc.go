//go:build linux

// Package light is many WebRTC clients on one thread, for measuring servers: a
// crowd that wakes up late, or takes both cores, measures itself. Each client is
// a whole one to the server: it offers, checks the way (ICE), shakes hands
// (DTLS), seals and opens every packet, and sends what browsers send beside media:
// transport-wide numbers and feedback ten times a second, requests for what is
// missing, sender and receiver reports, consent. It does not play, and sends
// nothing again. One thread waits in epoll(7) for all sockets and for the moment
// of the next picture; the clocks of the people are not in step.
package light
