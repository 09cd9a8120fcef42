package framed

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

const (
	waiting   = 256              // datagrams that may wait for a slow connection
	writeTime = 10 * time.Second // a connection that takes nothing for so long is dead
)

// ErrTooLong: a frame is longer than the reader's buffer; no client of ours
// sends one.
var ErrTooLong = errors.New("framed: datagram too long")

// Conn is one connection.
type Conn struct {
	net.Conn
	in   *bufio.Reader
	out  chan []byte
	done chan struct{}
	once sync.Once
}

// New takes over a connection; Close frees it.
func New(c net.Conn) *Conn {
	f := &Conn{Conn: c, in: bufio.NewReaderSize(c, 8<<10), out: make(chan []byte, waiting), done: make(chan struct{})}
	go f.run()
	return f
}

// Receive reads the next datagram into b.
func (c *Conn) Receive(b []byte) (int, error) {
	var head [2]byte
	if _, err := io.ReadFull(c.in, head[:]); err != nil {
		return 0, err
	}
	n := int(binary.BigEndian.Uint16(head[:]))
	if n > len(b) {
		return 0, ErrTooLong
	}
	return io.ReadFull(c.in, b[:n])
}

// More says whether another whole datagram is here already: Receive would not
// wait.
func (c *Conn) More() bool {
	if c.in.Buffered() < 2 {
		return false
	}
	head, err := c.in.Peek(2)
	return err == nil && c.in.Buffered() >= 2+int(binary.BigEndian.Uint16(head))
}

// Send queues a copy of a datagram; false: it is lost.
func (c *Conn) Send(b []byte) bool {
	frame := make([]byte, 2+len(b))
	binary.BigEndian.PutUint16(frame, uint16(len(b)))
	copy(frame[2:], b)
	select {
	case c.out <- frame:
		return true
	default:
		return false
	}
}

// Close ends the connection, both ways.
func (c *Conn) Close() error {
	c.once.Do(func() { close(c.done) })
	return c.Conn.Close()
}

func (c *Conn) run() {
	var list net.Buffers
	for {
		select {
		case <-c.done:
			return
		case b := <-c.out:
			list = append(list[:0], b)
		}
		for more := true; more && len(list) < 64; {
			select {
			case b := <-c.out:
				list = append(list, b)
			default:
				more = false
			}
		}
		_ = c.SetWriteDeadline(time.Now().Add(writeTime))
		whole := list
		if _, err := whole.WriteTo(c.Conn); err != nil {
			_ = c.Close()
			return
		}
		clear(list)
	}
}
