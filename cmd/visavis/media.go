package main

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"

	"visavis/internal/clock"
	"visavis/internal/config"
	"visavis/sfu"
	"visavis/signaling/local"
	"visavis/turn"
)

// openMedia binds the media ports in this process: the SFU, and the closed
// TURN in front of it.
func openMedia(whole *config.Config, streams []net.Listener, c clock.Clock, log *slog.Logger) (*local.Carrier, error) {
	cfg := whole.Media
	host, err := netip.ParseAddr(cfg.Host)
	if err != nil {
		return nil, fmt.Errorf("media-host: must be an IP address: %w", err)
	}
	bind := netip.IPv4Unspecified()
	var public []netip.Addr
	if host.IsLoopback() {
		bind = host
	} else {
		public = []netip.Addr{host}
	}
	at := func(port int) []netip.AddrPort { return []netip.AddrPort{netip.AddrPortFrom(bind, uint16(port))} }
	return local.Open(local.Config{
		SFU:  sfu.Config{UDP: at(cfg.UDPPort), TCP: at(cfg.TCPPort), Public: public, Loopback: host.IsLoopback(), Clock: c, Log: log},
		TURN: turn.Config{UDP: at(cfg.TURNUDP), TCP: at(cfg.TURNTCP), Streams: streams, Realm: "visavis", Clock: c, Log: log},
		Host: cfg.Host, Secure: secureHost(whole), RelayOnly: cfg.Relay, Rotate: cfg.Rotate,
	})
}
