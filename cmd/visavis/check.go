package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"visavis/internal/clock"
	"visavis/internal/config"
	"visavis/internal/installation"
	"visavis/internal/limit"
	"visavis/internal/telemetry"
)

type checkCmd struct{}

// Run tries each thing the platform needs and prints one line for each, then
// the settings in force.
func (checkCmd) Run(ctx context.Context, cfg *config.Config) error {
	var failed error
	for _, c := range []struct {
		what string
		try  func(context.Context, *config.Config) error
	}{
		{"database and keys", tryDatabase},
		{"database roles", tryRoles},
		{"data folder, for its owner only", tryModes},
		{"folder of audit heads", func(_ context.Context, c *config.Config) error { return tryFolder(c.HeadsDir) }},
		{"second place of audit heads", trySecondPlace},
		{"Redis", tryRedis},
		{"trusted proxies", tryProxies},
		{"medicines", tryMedicines},
		{"web port", func(_ context.Context, c *config.Config) error { return tryTCP(c.Listen) }},
		{"media ports", tryMedia},
		{"Pro Santé Connect", func(ctx context.Context, c *config.Config) error { return tryHTTP(ctx, c.PSC.Discovery) }},
		{"mail server", func(_ context.Context, c *config.Config) error { return tryDial(c.Mail.Addr) }},
		{"MSSanté operator", func(_ context.Context, c *config.Config) error { return tryDial(c.MSSante.SMTP) }},
		{"SMS gateway", func(ctx context.Context, c *config.Config) error { return tryHTTP(ctx, c.SMS.URL) }},
		{"codes to patients", tryCodes},
		{"budgets", tryBudgets},
		{"data protection", tryOfficers},
		{"time stamps of consents", tryStamp},
	} {
		err := c.try(ctx, cfg)
		switch {
		case errors.Is(err, errUnset):
			fmt.Printf("–  %s: %v\n", c.what, err)
		case err != nil:
			fmt.Printf("✗  %s: %v\n", c.what, err)
			failed = errors.New("something is missing")
		default:
			fmt.Printf("✓  %s\n", c.what)
		}
	}
	raw, err := settings(cfg)
	if err != nil {
		return errors.Join(failed, err)
	}
	fmt.Printf("\nSettings in force:\n%s\n", raw)
	return failed
}

// tryProxies: behind a proxy that is not named, all visitors count as one.
func tryProxies(_ context.Context, cfg *config.Config) error {
	if len(cfg.Proxies) == 0 {
		return errUnset
	}
	return nil
}

var errUnset = errors.New("not configured")

// tryStamp has nothing dated, and checks the token in full.
func tryStamp(ctx context.Context, cfg *config.Config) error {
	authority, err := stamping(cfg, clock.System{})
	if err == nil && authority == nil {
		return fmt.Errorf("%w: consents are signed, not time-stamped", errUnset)
	}
	if err == nil {
		_, _, err = authority.Stamp(ctx, sha256.Sum256(nil))
	}
	return err
}

// tryCodes wants one of the two ways by which a code reaches a patient.
func tryCodes(_ context.Context, cfg *config.Config) error {
	if cfg.SMS.URL == "" && cfg.Mail.Addr == "" {
		return fmt.Errorf("%w: %s", errUnset, noOutlets)
	}
	return nil
}

// tryBudgets names the budgets that have nothing left in this hour or day.
func tryBudgets(ctx context.Context, cfg *config.Config) error {
	f, err := lay(ctx, cfg, telemetry.NewLog(os.Stderr, cfg.LogJSON), toRead)
	if errors.Is(err, installation.ErrNotBegun) {
		return nil
	}
	if err != nil {
		return err
	}
	list, err := newReader(f).Reached(ctx)
	if err == nil && len(list) > 0 {
		names := make([]string, len(list))
		for i, l := range list {
			names[i] = l.Name
		}
		err = fmt.Errorf("nothing left of %s: people are being refused; visavis budgets shows since when", strings.Join(names, ", "))
	}
	return errors.Join(err, f.close())
}

func tryDatabase(ctx context.Context, cfg *config.Config) error {
	f, err := lay(ctx, cfg, telemetry.NewLog(os.Stderr, cfg.LogJSON), toRead)
	if errors.Is(err, installation.ErrNotBegun) {
		fmt.Println("   empty: the first start makes the key and the database")
		return tryFolder(cfg.DataDir)
	}
	if err != nil {
		return err
	}
	return f.close()
}

// tryModes reports what others may read. A start repairs it.
func tryModes(_ context.Context, cfg *config.Config) error {
	list, err := installation.Loose(cfg.DataDir, 3)
	if err == nil && len(list) > 0 {
		err = fmt.Errorf("others may read %s: the next start takes that from them, or chmod -R go= %s", strings.Join(list, ", "), cfg.DataDir)
	}
	return err
}

// tryFolder makes a folder and a file with something in it, and takes the file
// away. An empty file can still be made on a full disk.
func tryFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".check")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, 16<<10))
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}

// tryRedis asks for an answer; the server itself bears that there is none.
func tryRedis(ctx context.Context, cfg *config.Config) error {
	if cfg.RedisURL == "" {
		return errUnset
	}
	rdb, err := limit.Connect(cfg.RedisURL.Value())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return errors.Join(rdb.Ping(ctx).Err(), rdb.Close())
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
