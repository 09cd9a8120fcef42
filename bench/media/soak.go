//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"visavis/bench/light"
)

// state is what a server says of itself, after it has given back what it does
// not need.
type state struct {
	Goroutines, Files int
	RSS               float64 // MiB
}

func stateOf() (s state, err error) {
	debug.FreeOSMemory()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return s, err
	}
	s.Goroutines, s.Files = runtime.NumGoroutine(), len(files)
	s.RSS, err = resident(os.Getpid())
	return s, err
}

func tellState(w http.ResponseWriter, _ *http.Request) {
	s, err := stateOf()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(s)
}

func askState(base string) (s state, err error) {
	resp, err := http.Get(base + "/state")
	if err != nil {
		return s, err
	}
	defer resp.Body.Close()
	return s, json.NewDecoder(resp.Body).Decode(&s)
}

// soak keeps rooms full for d while people come and go, one room every other
// second, and looks at the server once a minute, always with the same number of
// people. It fails when what the server holds at the end, the median of the last
// quarter of the looks, is more than 5 % above that of the first (trust.md M10).
func soak(rooms, size int, d time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), d+5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-serve", "ours")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	base, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return fmt.Errorf("server did not start: %w", err)
	}
	base = strings.TrimSpace(base)
	engine, err := light.NewEngine(1)
	if err != nil {
		return err
	}
	defer engine.Close()
	churn := &churn{engine: engine, base: base, size: size}
	defer churn.leave()
	for range rooms {
		if err := churn.come(ctx); err != nil {
			return err
		}
	}
	looks, err := churn.run(ctx, d)
	if err != nil {
		return err
	}
	return verdict(looks, churn.rooms, rooms, size)
}

// churn is rooms that are replaced, the oldest first.
type churn struct {
	engine *light.Engine
	base   string
	size   int
	rooms  int // so far
	now    []*crowd
}

func (c *churn) come(ctx context.Context) error {
	p := &crowd{engine: c.engine, base: c.base}
	c.now = append(c.now, p)
	c.rooms++
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for i := range c.size {
		if err := p.join(ctx, fmt.Sprintf("r%d", c.rooms), fmt.Sprintf("p%d", i), c.size-1, i > 0); err != nil {
			return err
		}
	}
	return nil
}

func (c *churn) run(ctx context.Context, d time.Duration) (looks []state, err error) {
	turn, look := time.NewTicker(2*time.Second), time.NewTicker(min(time.Minute, d/12))
	defer turn.Stop()
	defer look.Stop()
	end := time.After(d)
	for {
		select {
		case <-turn.C:
			c.now[0].leave()
			c.now = c.now[1:]
			if err := c.come(ctx); err != nil {
				return nil, err
			}
		case <-look.C:
			s, err := askState(c.base)
			if err != nil {
				return nil, err
			}
			fmt.Printf("%s  rooms so far %d, goroutines %d, files %d, RSS %.1f MiB\n", time.Now().UTC().Format(time.TimeOnly), c.rooms, s.Goroutines, s.Files, s.RSS)
			looks = append(looks, s)
		case <-end:
			return looks, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (c *churn) leave() {
	for _, p := range c.now {
		p.leave()
	}
}

func verdict(looks []state, total, rooms, size int) error {
	n := len(looks) / 4
	if n == 0 {
		return errors.New("too short to tell")
	}
	fmt.Printf("\n| %d × %d, %d rooms in all | first quarter | last quarter | change |\n|---|---|---|---|\n", rooms, size, total)
	var grew []string
	for _, x := range []struct {
		name string
		of   func(state) float64
	}{
		{"goroutines", func(s state) float64 { return float64(s.Goroutines) }}, {"files", func(s state) float64 { return float64(s.Files) }},
		{"RSS, MiB", func(s state) float64 { return s.RSS }},
	} {
		mid := func(list []state) float64 {
			v := make([]float64, 0, len(list))
			for _, s := range list {
				v = append(v, x.of(s))
			}
			slices.Sort(v)
			return v[len(v)/2]
		}
		a, b := mid(looks[:n]), mid(looks[len(looks)-n:])
		fmt.Printf("| %s | %.1f | %.1f | %+.1f %% |\n", x.name, a, b, 100*(b/a-1))
		if b > a*1.05 {
			grew = append(grew, x.name)
		}
	}
	if len(grew) > 0 {
		return fmt.Errorf("more than 5 %% up: %s", strings.Join(grew, ", "))
	}
	return nil
}
