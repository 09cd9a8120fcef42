package post

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"
	"time"
)

// script is a mail server that says what it is told to at each step; "drop"
// closes the connection, "hang" answers nothing.
type script struct{ greet, mail, rcpt, data, dot string }

func (s script) start(t *testing.T) (addr string, got func() string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	body := make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		body <- s.talk(conn)
	}()
	return l.Addr().String(), func() string {
		select {
		case b := <-body:
			return b
		case <-time.After(5 * time.Second):
			return "nothing"
		}
	}
}

func (s script) talk(conn net.Conn) string {
	r := bufio.NewReader(conn)
	say := func(line string) bool {
		switch line {
		case "drop":
			return false
		case "hang":
			_, _ = r.ReadString('\n')
			return false
		}
		_, err := conn.Write([]byte(line + "\r\n"))
		return err == nil
	}
	or := func(v, d string) string {
		if v == "" {
			return d
		}
		return v
	}
	if !say(or(s.greet, "220 hi")) {
		return ""
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return ""
		}
		verb, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(line)), " ")
		answer := map[string]string{
			"EHLO": "250-hi\r\n250-SIZE 1000\r\n250-ENHANCEDSTATUSCODES\r\n250 DSN", "MAIL": or(s.mail, "250 ok"),
			"RCPT": or(s.rcpt, "250 ok"), "DATA": or(s.data, "354 go"), "QUIT": "221 bye",
		}[verb]
		if strings.Contains(line, "witness") {
			answer = "550 5.1.1 no"
		}
		if !say(answer) {
			return ""
		}
		if verb == "DATA" && strings.HasPrefix(answer, "354") {
			var b strings.Builder
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return "cut: " + b.String()
				}
				if line == ".\r\n" {
					break
				}
				b.WriteString(line)
			}
			if !say(or(s.dot, "250 2.0.0 queued")) {
				return b.String()
			}
			return b.String()
		}
	}
}

func TestEachAnswerHasItsOutcome(t *testing.T) {
	for name, c := range map[string]struct {
		s    script
		want Outcome
		code int
	}{
		"accepted":                        {script{}, Accepted, 250},
		"greeting says no":                {script{greet: "554 5.3.2 closed"}, Refused, 554},
		"greeting says later":             {script{greet: "421 4.3.2 busy"}, Retry, 421},
		"sender refused":                  {script{mail: "550 5.7.1 no"}, Refused, 550},
		"recipient later":                 {script{rcpt: "451 4.7.1 greylisted"}, Retry, 451},
		"recipient refused":               {script{rcpt: "550 5.1.1 unknown"}, Refused, 550},
		"data refused":                    {script{data: "554 5.6.0 no"}, Refused, 554},
		"message refused":                 {script{dot: "554 5.6.0 virus"}, Refused, 554},
		"message later":                   {script{dot: "452 4.3.1 disk"}, Retry, 452},
		"cut before anything":             {script{greet: "drop"}, Retry, 0},
		"cut at the sender":               {script{mail: "drop"}, Retry, 0},
		"cut before the message":          {script{data: "drop"}, Retry, 0},
		"cut after the message":           {script{dot: "drop"}, InDoubt, 0},
		"silence at the greeting":         {script{greet: "hang"}, Retry, 0},
		"silence after the whole message": {script{dot: "hang"}, InDoubt, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr, _ := c.s.start(t)
			r := Server{Address: addr, Timeout: 400 * time.Millisecond, DataTimeout: 400 * time.Millisecond}.
				Send(t.Context(), Envelope{From: "a@x", To: "b@y", ID: "1"}, []byte("Subject: x\r\n\r\nhi\r\n"), nil)
			if r.Outcome != c.want || r.Code != c.code {
				t.Fatalf("got %+v, want %s %d", r, c.want, c.code)
			}
		})
	}
}

func TestTheMarkIsWrittenBeforeTheFirstByte(t *testing.T) {
	addr, got := script{}.start(t)
	marked := 0
	r := Server{Address: addr}.Send(t.Context(), Envelope{From: "a@x", To: "b@y", Witness: "witness@x"}, []byte("hi\r\n"),
		func(context.Context, bool) error { marked++; return nil })
	if r.Outcome != Accepted || marked != 1 || r.Witnessed || got() != "hi\r\n" {
		t.Fatalf("%+v, %d marks", r, marked)
	}
	addr, got = script{}.start(t)
	r = Server{Address: addr}.Send(t.Context(), Envelope{From: "a@x", To: "b@y"}, []byte("hi\r\n"),
		func(context.Context, bool) error { return errors.New("disk full") })
	if r.Outcome != Retry || got() != "" {
		t.Fatalf("a message left without its mark: %+v", r)
	}
}

func TestACancelledSendingStops(t *testing.T) {
	addr, _ := script{dot: "hang"}.start(t)
	ctx, cancel := context.WithCancel(t.Context())
	r := Server{Address: addr}.Send(ctx, Envelope{From: "a@x", To: "b@y"}, []byte("hi\r\n"),
		func(context.Context, bool) error { time.AfterFunc(100*time.Millisecond, cancel); return nil })
	if r.Outcome != InDoubt {
		t.Fatalf("%+v", r)
	}
}

func TestSizeAndTLSAreCheckedFirst(t *testing.T) {
	addr, _ := script{}.start(t)
	r := Server{Address: addr}.Send(t.Context(), Envelope{From: "a@x", To: "b@y"}, make([]byte, 1001), nil)
	if r.Outcome != Refused || r.Status != "5.3.4" {
		t.Fatalf("too large: %+v", r)
	}
	addr, got := script{}.start(t)
	s := Server{Address: addr, TLS: tlsForTest()}
	if r := s.Send(t.Context(), Envelope{From: "a@x", To: "b@y"}, []byte("hi"), nil); r.Outcome != Retry || !errors.Is(r.Err, errNoTLS) || got() != "" {
		t.Fatalf("in clear: %+v", r)
	}
	if r := (Server{Address: "127.0.0.1:1"}).Send(t.Context(), Envelope{From: "a@x", To: "b@y"}, nil, nil); r.Outcome != Retry {
		t.Fatalf("no server: %+v", r)
	}
	addr, _ = script{}.start(t)
	if r := (Server{Address: addr}).Send(t.Context(), Envelope{From: "a@x\r\nRCPT TO:<c@z>", To: "b@y"}, nil, nil); r.Outcome == Accepted {
		t.Fatalf("a command was smuggled: %+v", r)
	}
}

func tlsForTest() *tls.Config { return &tls.Config{MinVersion: tls.VersionTLS12} }
