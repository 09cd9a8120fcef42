// Package udp reads and writes many datagrams with one system call. On Linux
// (amd64, arm64) it calls recvmmsg(2) and sendmmsg(2) itself, because the
// net package moves one datagram a call and golang.org/x/net allocates an
// address for each; elsewhere it falls back to one call a datagram. Addresses
// are netip values, so that nothing is allocated per datagram.
//
// A Socket may be written to by several goroutines, each with its own Out; it is
// read by one.
package udp
