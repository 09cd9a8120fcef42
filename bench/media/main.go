// Command media measures what a forwarded packet costs: our SFU beside the
// plain pion forwarder of media.md's table, in one run, on one machine.
//
//	go run ./bench/media -rooms 10 -size 2 -seconds 10 -runs 3
//
// Each server is a process of its own, whose CPU time (/proc/PID/stat) and
// resident memory (VmRSS) are read from outside; load comes from this process.
// Everybody sends Opus at 50 packets/s and pictures at 30/s of three packets
// (0.72 Mbit/s), and receives everybody else. CPU is per forwarded packet and
// includes receiving it. Absolute figures drift: compare the rows of one run.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"visavis/internal/testkit/rtcclient"
)

func main() {
	serve := flag.String("serve", "", "be a server: ours, plain or bare (used by the command itself)")
	rooms := flag.Int("rooms", 10, "rooms")
	size := flag.Int("size", 2, "people in a room")
	seconds := flag.Int("seconds", 10, "how long each run is measured")
	runs := flag.Int("runs", 3, "runs of each server, in turn; the table shows medians")
	flag.Parse()
	var err error
	if *serve != "" {
		err = run(*serve)
	} else {
		err = table(*rooms, *size, *seconds, *runs)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// row is what one run of one server gave.
type row struct {
	cpuPerPacket float64 // µs
	cpu          float64 // % of one core
	rss          float64 // MiB, per room
	join50       float64 // ms
	join99       float64
	lost         float64 // % of what should have come
}

func table(rooms, size, seconds, runs int) error {
	kinds := []string{"ours", "bare", "plain"}
	names := map[string]string{
		"ours": "visavis sfu", "bare": "plain pion forwarder, no interceptors", "plain": "plain pion forwarder, default interceptors",
	}
	got := map[string][]row{}
	for range runs {
		for _, k := range kinds {
			r, err := measure(k, rooms, size, time.Duration(seconds)*time.Second)
			if err != nil {
				return fmt.Errorf("%s: %w", k, err)
			}
			got[k] = append(got[k], r)
		}
	}
	fmt.Printf("| server | rooms | CPU-µs / packet | ratio | CPU %% | RSS MiB / room | join p50 / p99 ms | not come %% |\n|---|---|---|---|---|---|---|---|\n")
	base := median(got["plain"], func(r row) float64 { return r.cpuPerPacket })
	for _, k := range kinds {
		m := func(f func(row) float64) float64 { return median(got[k], f) }
		cost := m(func(r row) float64 { return r.cpuPerPacket })
		fmt.Printf("| %s | %d × %d | %.1f | %.2f | %.1f | %.2f | %.0f / %.0f | %.2f |\n", names[k], rooms, size, cost, cost/base,
			m(func(r row) float64 { return r.cpu }), m(func(r row) float64 { return r.rss }), m(func(r row) float64 { return r.join50 }),
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
func measure(kind string, rooms, size int, d time.Duration) (r row, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute+d)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-serve", kind)
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
	crowd := &crowd{base: strings.TrimSpace(base)}
	defer crowd.leave()
	if err := crowd.fill(ctx, rooms, size); err != nil {
		return r, err
	}
	time.Sleep(2 * time.Second) // warm
	cpu0, n0, start := used(cmd.Process.Pid), crowd.received(), time.Now()
	time.Sleep(d)
	cpu1, n1, took := used(cmd.Process.Pid), crowd.received(), time.Since(start)
	busy, err := resident(cmd.Process.Pid)
	if err != nil {
		return r, err
	}
	packets := float64(n1 - n0)
	want := float64(rooms*size*(size-1)) * (50 + 90) * took.Seconds()
	r.cpuPerPacket = (cpu1 - cpu0).Seconds() * 1e6 / packets
	r.cpu = (cpu1 - cpu0).Seconds() / took.Seconds() * 100
	r.rss = (busy - idle) / float64(rooms)
	r.join50, r.join99 = percentile(crowd.joins, 50), percentile(crowd.joins, 99)
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

// crowd is the people of the rooms.
type crowd struct {
	base   string
	mu     sync.Mutex
	people []*rtcclient.Media
	joins  []float64
	stops  []context.CancelFunc
}

func (c *crowd) fill(ctx context.Context, rooms, size int) error {
	for r := range rooms {
		for p := range size {
			if err := c.join(ctx, fmt.Sprintf("r%d", r), fmt.Sprintf("p%d", p), size-1); err != nil {
				return err
			}
		}
	}
	for _, m := range c.people {
		if err := m.Until(ctx, func(m *rtcclient.Media) bool { return len(m.Summary()) == 2*(size-1) }); err != nil {
			return err
		}
	}
	return nil
}

// join counts from the offer to the moment ICE and DTLS stand.
func (c *crowd) join(ctx context.Context, room, name string, slots int) error {
	m, err := rtcclient.NewMedia(rtcclient.Options{Voice: true, Camera: true, Slots: slots, Loopback: true})
	if err != nil {
		return err
	}
	start := time.Now()
	text, err := m.Offer(ctx, false)
	if err != nil {
		return err
	}
	body, _ := json.Marshal(map[string]string{"room": room, "peer": name, "sdp": text})
	resp, err := http.Post(c.base+"/offer", "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("offer: %d %s %w", resp.StatusCode, answer, err)
	}
	if err := m.Answer(string(answer)); err != nil {
		return err
	}
	if err := m.Until(ctx, (*rtcclient.Media).Connected); err != nil {
		return err
	}
	pump, stop := context.WithCancel(context.Background())
	m.Pump(pump, 20)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.joins = append(c.joins, float64(time.Since(start).Microseconds())/1000)
	c.people, c.stops = append(c.people, m), append(c.stops, stop)
	return nil
}

func (c *crowd) received() (n int) {
	for _, m := range c.people {
		for _, v := range m.Summary() {
			n += v
		}
	}
	return n
}

func (c *crowd) leave() {
	for i, m := range c.people {
		c.stops[i]()
		_ = m.Close()
	}
}
