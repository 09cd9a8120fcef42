//go:build linux

// Command media measures what a forwarded packet costs: our SFU beside the
// plain pion forwarder of media.md's table, in one run, on one machine.
//
//	go run ./bench/media -rooms 10 -size 2 -seconds 10 -runs 3
//	go run ./bench/media -rooms 5,10,15,20 -size 4 -kinds ours,plain
//	go run ./bench/media -rooms 4 -size 3 -soak 1h
//
// Each server is a process of its own, whose CPU time (/proc/PID/stat) and
// resident memory (VmRSS) are read from outside; load comes from this process, the
// same for every server (package light: whole WebRTC clients on one thread, which
// seal and open every packet, send transport-wide numbers, feedback and reports,
// and whose clocks are not in step). Everybody sends sound at 50 packets/s and
// pictures at 30/s of five packets (1.2 Mbit/s), and receives everybody else. CPU
// is per forwarded packet and includes receiving it. The floor is a server that
// only opens, seals and sends the same packets at the same rate: no ICE, no RTCP,
// no cache. Absolute figures drift: compare the rows of one run.
//
// Latency is of every picture packet, from just before its sender seals it until
// its receiver has opened it: two times the kernel's way over the loopback, the
// server, and how late server and receiver wake up. The second one ends when the
// receiver's socket has the packet, by the kernel's clock: what the server and
// the kernel cost, without the receiver. docs/bench.md has the figures.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"visavis/bench/light"
)

func main() {
	serve := flag.String("serve", "", "be a server: ours, floor, plain or bare (used by the command itself)")
	rooms := counts{10}
	flag.Var(&rooms, "rooms", "rooms; several counts, with commas, for a rising load")
	size := flag.Int("size", 2, "people in a room")
	seconds := flag.Int("seconds", 10, "how long each run is measured")
	runs := flag.Int("runs", 3, "runs of each server, in turn; the table shows medians")
	only := flag.String("kinds", "ours,floor,bare,plain", "which servers")
	profile := flag.String("profile", "", "write a CPU profile of the server under measurement (ours) to this file")
	long := flag.Duration("soak", 0, "instead: rooms come and go for so long, and what the server holds must stay flat")
	flag.Parse()
	var err error
	switch {
	case *serve != "":
		err = run(*serve, *profile)
	case *long > 0:
		err = soak(rooms[0], *size, *long)
	default:
		fmt.Printf("| server | rooms | CPU-µs / packet | ratio | CPU %% | RSS MiB / room | latency p50 / p99 ms | to the socket p50 / p99 ms | join p50 / p99 ms | not come %% |\n|---|---|---|---|---|---|---|---|---|---|\n")
		for _, n := range rooms {
			if err = table(strings.Split(*only, ","), n, *size, *seconds, *runs, *profile); err != nil {
				break
			}
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// counts is a list of numbers as a flag: 5,10,20.
type counts []int

func (c *counts) String() string { return fmt.Sprint([]int(*c)) }

func (c *counts) Set(s string) error {
	*c = nil
	for f := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(f)
		if err != nil || n < 1 {
			return fmt.Errorf("%q is no number of rooms", f)
		}
		*c = append(*c, n)
	}
	return nil
}

// row is what one run of one server gave.
type row struct {
	cpuPerPacket float64 // µs
	cpu          float64 // % of one core
	rss          float64 // MiB, per room
	delay50      float64 // ms, of picture packets, sealed to opened
	delay99      float64
	reach50      float64 // ms, to the receiver's socket, by the kernel's clock
	reach99      float64
	join50       float64 // ms
	join99       float64
	lost         float64 // % of what should have come
}

func table(kinds []string, rooms, size, seconds, runs int, profile string) error {
	names := map[string]string{
		"ours": "visavis sfu", "floor": "floor: open, seal and send only", "bare": "plain pion forwarder, no interceptors", "plain": "plain pion forwarder, default interceptors",
	}
	got := map[string][]row{}
	for range runs {
		for _, k := range kinds {
			r, err := measure(k, rooms, size, time.Duration(seconds)*time.Second, profile)
			if err != nil {
				return fmt.Errorf("%s: %w", k, err)
			}
			got[k] = append(got[k], r)
		}
	}
	base := median(got["plain"], func(r row) float64 { return r.cpuPerPacket })
	for _, k := range kinds {
		m := func(f func(row) float64) float64 { return median(got[k], f) }
		cost := m(func(r row) float64 { return r.cpuPerPacket })
		ratio := "–"
		if base > 0 {
			ratio = fmt.Sprintf("%.2f", cost/base)
		}
		fmt.Printf("| %s | %d × %d | %.1f | %s | %.1f | %.2f | %.2f / %.1f | %.2f / %.1f | %.0f / %.0f | %.2f |\n", names[k], rooms, size, cost, ratio,
			m(func(r row) float64 { return r.cpu }), m(func(r row) float64 { return r.rss }),
			m(func(r row) float64 { return r.delay50 }), m(func(r row) float64 { return r.delay99 }),
			m(func(r row) float64 { return r.reach50 }), m(func(r row) float64 { return r.reach99 }), m(func(r row) float64 { return r.join50 }),
			m(func(r row) float64 { return r.join99 }), m(func(r row) float64 { return r.lost }))
	}
	return nil
}

func median(rows []row, f func(row) float64) float64 {
	list := make([]float64, 0, len(rows))
	for _, r := range rows {
		list = append(list, f(r))
	}
	return percentile(list, 50)
}

func percentile(list []float64, p int) float64 {
	list = slices.Clone(list)
	slices.Sort(list)
	if len(list) == 0 {
		return 0
	}
	return list[min(len(list)-1, len(list)*p/100)]
}

// measure starts a server, fills it, and reads what it cost.
func measure(kind string, rooms, size int, d time.Duration, profile string) (r row, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute+d)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-serve", kind, "-profile", profile)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return r, err
	}
	if err := cmd.Start(); err != nil {
		return r, err
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	base, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return r, fmt.Errorf("server did not start: %w", err)
	}
	idle, err := resident(cmd.Process.Pid)
	if err != nil {
		return r, err
	}
	engine, err := light.NewEngine(uint64(rooms*100 + size))
	if err != nil {
		return r, err
	}
	defer engine.Close()
	crowd := &crowd{engine: engine, base: strings.TrimSpace(base), floor: kind == "floor"}
	defer crowd.leave()
	if err := crowd.fill(ctx, rooms, size); err != nil {
		return r, err
	}
	time.Sleep(2 * time.Second) // warm
	engine.Delays()
	cpu0, n0, start := used(cmd.Process.Pid), crowd.received(), time.Now()
	time.Sleep(d)
	cpu1, n1, took := used(cmd.Process.Pid), crowd.received(), time.Since(start)
	busy, err := resident(cmd.Process.Pid)
	if err != nil {
		return r, err
	}
	packets := float64(n1 - n0)
	want := float64(rooms*size*(size-1)) * (50 + 30*light.PerPicture) * took.Seconds()
	r.cpuPerPacket = (cpu1 - cpu0).Seconds() * 1e6 / packets
	r.cpu = (cpu1 - cpu0).Seconds() / took.Seconds() * 100
	r.rss = (busy - idle) / float64(rooms)
	delays, reached := engine.Delays()
	joins := crowd.took
	r.reach50, r.reach99 = percentile(reached, 50), percentile(reached, 99)
	r.delay50, r.delay99 = percentile(delays, 50), percentile(delays, 99)
	r.join50, r.join99 = percentile(joins, 50), percentile(joins, 99)
	r.lost = max(0, 100*(1-packets/want))
	return r, nil
}

// used is the CPU time of a process so far.
func used(pid int) time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	u, _ := strconv.Atoi(f[11])
	s, _ := strconv.Atoi(f[12])
	return time.Duration(u+s) * 10 * time.Millisecond // USER_HZ is 100 on Linux
}

// resident is VmRSS in MiB.
func resident(pid int) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			return float64(kib) / 1024, err
		}
	}
	return 0, errors.New("no VmRSS")
}
