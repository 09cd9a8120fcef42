// Command call measures the whole way into a call, through the real program:
// from the opening of the WebSocket to the first packet of media, as somebody
// who writes a client from docs/signaling.md would, beside what the program costs
// while the rooms talk.
//
//	go build -tags nomsgpack -o bin/visavis ./cmd/visavis
//	go run ./bench/call -rooms 20 -runs 5
//
// It starts the demo on free ports, signs the doctor in, books for one person a
// room, and lets everybody in. Then the person of each room comes again, and that
// is timed: WebSocket, hello, offer, ICE, DTLS, first packet.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"
)

func main() {
	binary := flag.String("binary", "bin/visavis", "the program")
	rooms := flag.Int("rooms", 20, "rooms of two")
	runs := flag.Int("runs", 5, "how often the person of each room comes again")
	seconds := flag.Int("seconds", 10, "how long the rooms talk while the program is measured")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	if err := measure(ctx, *binary, *rooms, *runs, time.Duration(*seconds)*time.Second); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, binary string, count, runs int, talk time.Duration) error {
	p, err := start(ctx, binary)
	if err != nil {
		return err
	}
	defer p.stop()
	doctor, err := p.signIn(ctx)
	if err != nil {
		return fmt.Errorf("sign-in: %w", err)
	}
	var rooms []*room
	defer func() {
		for _, r := range rooms {
			r.leave()
		}
	}()
	for i := range count {
		r, err := p.open(ctx, doctor, i)
		if err != nil {
			return fmt.Errorf("room %d: %w", i+1, err)
		}
		rooms = append(rooms, r)
	}
	var took []time.Duration
	for run := range runs {
		for i, r := range rooms {
			d, err := r.again(ctx)
			if err != nil {
				return fmt.Errorf("room %d, run %d: %w", i+1, run+1, err)
			}
			took = append(took, d)
		}
	}
	slices.Sort(took)
	before, n0 := p.used(), packets(rooms)
	start := time.Now()
	time.Sleep(talk)
	cpu, n1, lasted := p.used()-before, packets(rooms), time.Since(start)
	ms := func(q int) float64 { return float64(took[min(len(took)-1, len(took)*q/100)].Microseconds()) / 1000 }
	fmt.Printf("| rooms of 2 | joins | WebSocket to first packet p50 / p95 / p99 ms | CPU of the program %% | CPU-µs / packet | RSS MiB, all processes |\n|---|---|---|---|---|---|\n")
	fmt.Printf("| %d | %d | %.1f / %.1f / %.1f | %.1f | %.1f | %.0f |\n", count, len(took), ms(50), ms(95), ms(99),
		100*cpu.Seconds()/lasted.Seconds(), cpu.Seconds()*1e6/float64(n1-n0), p.resident())
	return nil
}

func packets(rooms []*room) (n int) {
	for _, r := range rooms {
		n += r.received()
	}
	return n
}
