//go:build linux

package light_test

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"visavis/bench/light"
	"visavis/sfu"
)

// TestEverybodyHearsAndSeesEverybody: the clients are whole ones to our SFU, and
// know how long pictures took.
func TestEverybodyHearsAndSeesEverybody(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	n, err := sfu.Open(sfu.Config{UDP: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Loopback: true, Events: func(sfu.Event) {}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = n.Close(ctx) }()
	e, err := light.NewEngine(1)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	const people = 3
	var list []*light.Client
	for i := range people {
		c, err := e.New(fmt.Sprint(i), 2*(people-1))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		answer, err := n.Offer(ctx, sfu.Offer{Room: "r", Peer: fmt.Sprint(i), PC: 1, SDP: c.Offer(people - 1)})
		if err != nil {
			t.Fatal(err)
		}
		n.Update("r", fmt.Sprint(i), sfu.Sources{Mic: true, Camera: true})
		if err := c.Answer(ctx, answer); err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	for _, c := range list {
		if err := c.Until(ctx, true); err != nil {
			t.Fatal(err)
		}
		if c.Packets() < 2*(people-1) || c.First().IsZero() {
			t.Errorf("%d packets, the first at %s", c.Packets(), c.First())
		}
	}
	opened, reached := e.Delays()
	if len(opened) == 0 || len(reached) != len(opened) {
		t.Fatalf("%d pictures were opened, %d have a time of the kernel's", len(opened), len(reached))
	}
	for i, ms := range opened {
		if ms <= 0 || reached[i] <= 0 || reached[i] > ms {
			t.Fatalf("a packet took %v ms, %v to the socket", ms, reached[i])
		}
	}
}
