//go:build linux

package light

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
)

// Engine is the thread of the clients.
type Engine struct {
	cert  certificate
	poll  int // epoll
	clock int // timerfd
	epoch time.Time

	mu      sync.Mutex // held by the thread while it works
	clients map[int32]*Client
	agenda  []*task
	phases  *rand.Rand
	in      *inbox
	plain   [1400]byte
	sealed  [1600]byte
	delays  []float64
	reached []float64
	closed  bool
	done    chan struct{}
}

// task is what is to be done again and again.
type task struct {
	of    *Client
	at    int64 // ns since the epoch
	every time.Duration
	do    func(now int64)
}

// NewEngine starts the thread. seed says how the clocks of people differ.
func NewEngine(seed uint64) (*Engine, error) {
	cert, err := selfsign.GenerateSelfSigned()
	if err != nil {
		return nil, err
	}
	e := &Engine{cert: certificate{cert}, epoch: time.Now(), clients: map[int32]*Client{}, phases: rand.New(rand.NewPCG(seed, 0)), in: newInbox(), done: make(chan struct{})}
	if e.poll, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	fd, _, errno := syscall.Syscall(syscall.SYS_TIMERFD_CREATE, 1, syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0) // CLOCK_MONOTONIC
	if errno != 0 {
		return nil, errno
	}
	e.clock = int(fd)
	if err := e.watch(e.clock); err != nil {
		return nil, err
	}
	e.alarm(int64(time.Millisecond))
	go e.run()
	return e, nil
}

func (e *Engine) watch(fd int) error {
	return syscall.EpollCtl(e.poll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)})
}

// ns is how old the engine is.
func (e *Engine) ns() int64 { return int64(time.Since(e.epoch)) }

// alarm wakes the thread in so many ns.
func (e *Engine) alarm(in int64) {
	set := [4]int64{0, 0, in / 1e9, max(in%1e9, 1)} // struct itimerspec: interval, value
	_, _, _ = syscall.RawSyscall6(syscall.SYS_TIMERFD_SETTIME, uintptr(e.clock), 0, uintptr(unsafe.Pointer(&set)), 0, 0, 0)
}

func (e *Engine) run() {
	runtime.LockOSThread()
	defer close(e.done)
	var events [64]syscall.EpollEvent
	var due int64 // when the alarm rings
	for {
		n, err := syscall.EpollWait(e.poll, events[:], -1)
		if err != nil && err != syscall.EINTR {
			return
		}
		e.mu.Lock()
		if e.closed {
			e.mu.Unlock()
			return
		}
		for i := range max(n, 0) {
			if c := e.clients[events[i].Fd]; c != nil {
				e.take(c)
			} else if int(events[i].Fd) == e.clock {
				var b [8]byte
				_, _ = syscall.Read(e.clock, b[:])
				due = 0
			}
		}
		if next := e.step(); next != due {
			due = next
			e.alarm(max(next-e.ns(), 1))
		}
		e.mu.Unlock()
	}
}

// step does the first thing that is due, and gives when the next one is: between
// two things the sockets are looked at.
func (e *Engine) step() int64 {
	now := e.ns()
	var first *task
	next := now + int64(100*time.Millisecond)
	for _, t := range e.agenda {
		if first == nil || t.at < first.at {
			if first != nil {
				next = min(next, first.at)
			}
			first = t
		} else {
			next = min(next, t.at)
		}
	}
	if first == nil {
		return next
	}
	if first.at > now {
		return min(next, first.at)
	}
	first.do(now)
	first.at += int64(first.every)
	return min(next, first.at)
}

// again puts a task on the agenda, at a moment of its own within its time.
func (e *Engine) again(c *Client, every time.Duration, do func(now int64)) {
	e.agenda = append(e.agenda, &task{of: c, at: e.ns() + e.phases.Int64N(int64(every)), every: every, do: do})
}

// Delays are how long each picture packet took since the last call, ms: from its
// sealing to its opening, and to the socket of who receives it, by the kernel's
// clock.
func (e *Engine) Delays() (opened, reached []float64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	opened, reached = e.delays, e.reached
	e.delays, e.reached = make([]float64, 0, 1<<20), make([]float64, 0, 1<<20)
	return opened, reached
}

// Close ends the thread; clients are closed before.
func (e *Engine) Close() {
	e.mu.Lock()
	e.closed = true
	e.alarm(1)
	e.mu.Unlock()
	<-e.done
	_ = syscall.Close(e.clock)
	_ = syscall.Close(e.poll)
}

// socket is a UDP socket on the loopback whose kernel notes when things come.
func socket() (fd int, port int, err error) {
	fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		return 0, 0, err
	}
	_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, 1<<20)
	if err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1); err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	if err != nil {
		_ = syscall.Close(fd)
		return 0, 0, err
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		_ = syscall.Close(fd)
		return 0, 0, err
	}
	return fd, name.(*syscall.SockaddrInet4).Port, nil
}

func connect(fd int, to *net.UDPAddr) error {
	v4 := to.IP.To4()
	if v4 == nil {
		return fmt.Errorf("%s is not IPv4", to)
	}
	return syscall.Connect(fd, &syscall.SockaddrInet4{Port: to.Port, Addr: [4]byte(v4)})
}

// inbox is what one recvmmsg(2) fills.
type inbox struct {
	headers  [burst]message
	vectors  [burst]syscall.Iovec
	controls [burst][64]byte
	buffers  [burst][1600]byte
}

const burst = 32

// message is struct mmsghdr.
type message struct {
	head syscall.Msghdr
	size uint32
	_    [4]byte
}

func newInbox() *inbox {
	in := &inbox{}
	for i := range burst {
		in.vectors[i].Base = &in.buffers[i][0]
		in.vectors[i].SetLen(len(in.buffers[i]))
		h := &in.headers[i].head
		h.Iov, h.Iovlen, h.Control = &in.vectors[i], 1, &in.controls[i][0]
	}
	return in
}

// read gives how many datagrams there are.
func (in *inbox) read(fd int) int {
	for i := range burst {
		in.headers[i].head.SetControllen(len(in.controls[i]))
	}
	n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&in.headers[0])), burst, syscall.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// at gives datagram i and when the kernel had it, ns since 1970; 0: it does not
// say.
func (in *inbox) at(i int) ([]byte, int64) {
	c := &in.controls[i]
	var came int64
	if kind := binary.NativeEndian.Uint32(c[12:]); in.headers[i].head.Controllen >= 32 && kind == syscall.SO_TIMESTAMPNS {
		came = int64(binary.NativeEndian.Uint64(c[16:]))*1e9 + int64(binary.NativeEndian.Uint64(c[24:]))
	}
	return in.buffers[i][:in.headers[i].size], came
}
