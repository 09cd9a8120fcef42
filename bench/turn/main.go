// Command turn measures what a relayed packet costs: our TURN, which hands it to
// the SFU inside the process, beside coturn, whose packets reach the SFU over a
// second socket.
//
//	go run ./bench/turn -rates 5000,20000 -seconds 8 -runs 3
//
// Fifty allocations in pairs send 1,200 bytes of ChannelData over UDP to an SFU
// that only passes them to the other of the pair: in ours a function behind the
// door of the relay, beside coturn a process with the same burst socket as our
// SFU. CPU time (/proc/PID/stat) is that of the servers and is per packet
// delivered to a client; load comes from this process. Absolute figures drift:
// compare the rows of one run.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	serve := flag.String("serve", "", "be a server: ours or hop (used by the command itself)")
	rates := flag.String("rates", "5000,20000", "packets per second, of all clients together")
	size := flag.Int("size", 1200, "bytes of a packet")
	seconds := flag.Int("seconds", 8, "how long each run is measured")
	runs := flag.Int("runs", 3, "runs of each server, in turn; the table shows medians")
	profile := flag.String("profile", "", "write a CPU profile of ours to this file")
	flag.Parse()
	var err error
	switch *serve {
	case "ours":
		err = runOurs(*profile)
	case "hop":
		err = runHop()
	default:
		err = table(strings.Split(*rates, ","), *size, time.Duration(*seconds)*time.Second, *runs, *profile)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// allocations is how many clients there are, in pairs.
const allocations = 50

// row is what one run of one server gave, in µs per delivered packet.
type row struct {
	relay, hop float64
	memory     float64 // KiB per allocation
	lost       float64 // %
}

func (r row) cost() float64 { return r.relay + r.hop }

func table(rates []string, size int, d time.Duration, runs int, profile string) error {
	fmt.Printf("| packets/s | server | relay CPU-µs | hop CPU-µs | together | ratio | RSS KiB / allocation | lost %% |\n|---|---|---|---|---|---|---|---|\n")
	for _, text := range rates {
		rate, err := strconv.Atoi(text)
		if err != nil {
			return err
		}
		got := map[string][]row{}
		for range runs {
			for _, kind := range []string{"ours", "coturn"} {
				r, err := measure(kind, rate, size, d, profile)
				if err != nil {
					return fmt.Errorf("%s: %w", kind, err)
				}
				got[kind] = append(got[kind], r)
			}
		}
		base := median(got["coturn"], row.cost)
		for _, kind := range []string{"ours", "coturn"} {
			name := map[string]string{"ours": "visavis: TURN and SFU in one process", "coturn": "coturn and a hop into the SFU"}[kind]
			m := func(f func(row) float64) float64 { return median(got[kind], f) }
			fmt.Printf("| %d | %s | %.1f | %.1f | %.1f | %.2f | %.0f | %.2f |\n", rate, name, m(func(r row) float64 { return r.relay }),
				m(func(r row) float64 { return r.hop }), m(row.cost), m(row.cost)/base,
				m(func(r row) float64 { return r.memory }), m(func(r row) float64 { return r.lost }))
		}
	}
	return nil
}

func median(rows []row, f func(row) float64) float64 {
	list := make([]float64, 0, len(rows))
	for _, r := range rows {
		list = append(list, f(r))
	}
	slices.Sort(list)
	return list[len(list)/2]
}

// server is a process under measurement.
type server struct {
	cmd  *exec.Cmd
	said []string // words of its first line
}

func start(name string, args ...string) (*server, error) {
	s := &server{cmd: exec.Command(name, args...)}
	if name == os.Args[0] {
		s.cmd.Stderr = os.Stderr
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	if name == os.Args[0] {
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			s.end()
			return nil, fmt.Errorf("did not start: %w", err)
		}
		s.said = strings.Fields(line)
	}
	return s, nil
}

func (s *server) end() {
	if s != nil {
		_ = s.cmd.Process.Signal(os.Interrupt)
		_ = s.cmd.Wait()
	}
}

func (s *server) used() time.Duration {
	if s == nil {
		return 0
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	u, _ := strconv.Atoi(f[11])
	k, _ := strconv.Atoi(f[12])
	return time.Duration(u+k) * 10 * time.Millisecond // USER_HZ is 100 on Linux
}

// resident is VmRSS in KiB.
func (s *server) resident() (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			return float64(kib), err
		}
	}
	return 0, errors.New("no VmRSS")
}
