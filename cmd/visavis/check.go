package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"visavis/internal/config"
	"visavis/internal/telemetry"
)

type checkCmd struct{}

// Run tries each thing the platform needs and prints one line for each.
func (checkCmd) Run(ctx context.Context, cfg *config.Config) error {
	var failed error
	for _, c := range []struct {
		what string
		try  func(context.Context, *config.Config) error
	}{
		{"database and keys", tryDatabase},
		{"Redis", tryRedis},
		{"web port", func(_ context.Context, c *config.Config) error { return tryTCP(c.Listen) }},
		{"media ports", tryMedia},
		{"Pro Santé Connect", func(ctx context.Context, c *config.Config) error { return tryHTTP(ctx, c.PSC.Discovery) }},
		{"mail server", func(_ context.Context, c *config.Config) error { return tryDial(c.Mail.Addr) }},
		{"MSSanté operator", func(_ context.Context, c *config.Config) error { return tryDial(c.MSSante.SMTP) }},
		{"SMS gateway", func(ctx context.Context, c *config.Config) error { return tryHTTP(ctx, c.SMS.URL) }},
	} {
		err := c.try(ctx, cfg)
		switch {
		case errors.Is(err, errUnset):
			fmt.Printf("–  %s: not configured\n", c.what)
		case err != nil:
			fmt.Printf("✗  %s: %v\n", c.what, err)
			failed = errors.New("something is missing")
		default:
			fmt.Printf("✓  %s\n", c.what)
		}
	}
	return failed
}

var errUnset = errors.New("not configured")

func tryDatabase(ctx context.Context, cfg *config.Config) error {
	f, err := lay(ctx, cfg, telemetry.NewLog(os.Stderr, cfg.LogJSON), true)
	if err != nil {
		return err
	}
	return f.close()
}

func tryRedis(_ context.Context, cfg *config.Config) error {
	if cfg.RedisURL == "" {
		return errUnset
	}
	return nil // a wrong address fails with the database; an absent Redis is borne
}

func tryTCP(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	return l.Close()
}

func tryMedia(_ context.Context, cfg *config.Config) error {
	m := cfg.Media
	for _, port := range []int{m.UDPPort, m.TURNUDP} {
		c, err := net.ListenPacket("udp", ":"+strconv.Itoa(port))
		if err != nil {
			return err
		}
		if err := c.Close(); err != nil {
			return err
		}
	}
	for _, port := range []int{m.TCPPort, m.TURNTCP} {
		if err := tryTCP(":" + strconv.Itoa(port)); err != nil {
			return err
		}
	}
	return nil
}

func tryDial(addr string) error {
	if addr == "" {
		return errUnset
	}
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return err
	}
	return c.Close()
}

func tryHTTP(ctx context.Context, url string) error {
	if url == "" {
		return errUnset
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 500 {
		return fmt.Errorf("answers %s", res.Status)
	}
	return nil
}
