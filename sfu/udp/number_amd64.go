package udp

// The numbers of recvmmsg and sendmmsg; package syscall, which is frozen, lacks
// the second.
const (
	sysRecvmmsg = 299
	sysSendmmsg = 307
)
