package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// program is the demo, in a folder and on ports of its own.
type program struct {
	cmd      *exec.Cmd
	dir      string
	url, sms string
}

func start(ctx context.Context, binary string) (*program, error) {
	dir, err := os.MkdirTemp("", "bench-call-")
	if err != nil {
		return nil, err
	}
	p := &program{dir: dir}
	at := map[string]string{}
	for _, name := range []string{"web", "media", "turn", "psc", "mssante", "mail", "imap", "mail-web", "sms", "tsa"} {
		if at[name], err = freePort(); err != nil {
			return nil, err
		}
	}
	args := []string{"demo"}
	for _, sim := range []string{"psc", "mssante", "mail", "imap", "mail-web", "sms", "tsa"} {
		args = append(args, "--sim-"+sim, "127.0.0.1:"+at[sim])
	}
	p.url, p.sms = "http://127.0.0.1:"+at["web"], "http://127.0.0.1:"+at["sms"]
	p.cmd = exec.CommandContext(ctx, binary, args...)
	p.cmd.Env = append(os.Environ(), "VISAVIS_DATA="+dir, "VISAVIS_LISTEN=127.0.0.1:"+at["web"], "VISAVIS_PUBLIC_URL="+p.url,
		"VISAVIS_MEDIA_UDP="+at["media"], "VISAVIS_MEDIA_TCP="+at["media"], "VISAVIS_TURN_UDP="+at["turn"], "VISAVIS_TURN_TCP="+at["turn"],
		"VISAVIS_SMS_HOURLY=1000000", "VISAVIS_SMS_DAILY=1000000", "VISAVIS_BOOKINGS_HOURLY=1000000", "VISAVIS_BOOKINGS_DAILY=1000000")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for {
		raw, err := os.ReadFile(filepath.Join(dir, "links.json"))
		var links struct{ Professional string }
		if err == nil && json.Unmarshal(raw, &links) == nil {
			return p, nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			p.stop()
			return nil, errors.New("the demo did not come up")
		}
	}
}

func (p *program) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	_ = p.cmd.Wait()
	_ = os.RemoveAll(p.dir)
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// tree is the program's process and those that it started.
func (p *program) tree() []int {
	list := []int{p.cmd.Process.Pid}
	for i := 0; i < len(list); i++ {
		files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", list[i]))
		for _, f := range files {
			raw, _ := os.ReadFile(f)
			for _, w := range strings.Fields(string(raw)) {
				if pid, err := strconv.Atoi(w); err == nil {
					list = append(list, pid)
				}
			}
		}
	}
	return list
}

// used is the CPU time of the program so far.
func (p *program) used() (all time.Duration) {
	for _, pid := range p.tree() {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		u, _ := strconv.Atoi(f[11])
		s, _ := strconv.Atoi(f[12])
		all += time.Duration(u+s) * 10 * time.Millisecond // USER_HZ is 100 on Linux
	}
	return all
}

// resident is the memory of the program, MiB.
func (p *program) resident() (all float64) {
	for _, pid := range p.tree() {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		for line := range strings.Lines(string(b)) {
			if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
				kib, _ := strconv.Atoi(strings.Fields(rest)[0])
				all += float64(kib) / 1024
			}
		}
	}
	return all
}
