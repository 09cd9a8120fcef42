// Command sms runs the text message gateway simulator on its own.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"visavis/simulators/sms"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8093", "where to listen")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := sms.Start(ctx, sms.Options{Addr: *addr, Secret: os.Getenv("VISAVIS_SMS_SECRET"), Log: slog.Default()})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("SMS:", s.URL())
	<-ctx.Done()
	if err := s.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
