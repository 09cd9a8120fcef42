// Command tsa runs the time-stamping authority simulator on its own.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"visavis/simulators/tsa"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8097", "where to listen")
	dir := flag.String("dir", "", "folder that keeps the certificates; memory when empty")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := tsa.Start(ctx, tsa.Options{Addr: *addr, Dir: *dir, User: os.Getenv("VISAVIS_TSA_USER"), Password: os.Getenv("VISAVIS_TSA_PASSWORD"), Log: slog.Default()})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%sTime stamps: %s\n", s.RootPEM(), s.URL())
	<-ctx.Done()
	if err := s.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
