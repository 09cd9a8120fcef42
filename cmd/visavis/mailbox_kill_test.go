package main

import (
	"fmt"
	"io"
	"net/http"
	"net/smtp"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"visavis/internal/testkit"
	"visavis/messaging/post"
	"visavis/messaging/sms"
)

// argument is the value of a flag the rig was started with.
func (r *rig) argument(flag string) string {
	r.t.Helper()
	i := slices.Index(r.args, flag)
	if i < 0 {
		r.t.Fatalf("%s was not given", flag)
	}
	return r.args[i+1]
}

// page reads a page of a simulator.
func (r *rig) page(address string) string {
	r.t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(raw)
}

// TestReceivedMessagesOutliveAKill: the demo is killed with SIGKILL while mail
// and SMS arrive; started again, it shows each that was accepted.
func TestReceivedMessagesOutliveAKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills the program")
	}
	r := newRig(t, "", "")
	var mu sync.Mutex
	accepted := map[string]bool{}
	note := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		accepted[what] = true
	}
	const box = "camille@courriel.test"
	gateway := sms.Gateway{URL: "http://" + r.argument("--sim-sms"), Sender: "visavis", Secret: demoSecret, Client: &http.Client{Timeout: 2 * time.Second}}
	for round := range 3 {
		var g sync.WaitGroup
		for worker := range 3 {
			g.Go(func() {
				for n := 0; ; n++ {
					name := fmt.Sprintf("mail-%d-%d-%d-", round, worker, n)
					letter := "Subject: " + name + "\r\n\r\nBonjour\r\n"
					if smtp.SendMail(r.argument("--sim-mail"), nil, "a@courriel.test", []string{box}, []byte(letter)) != nil {
						return
					}
					note(name)
				}
			})
		}
		g.Go(func() {
			for n := 0; ; n++ {
				name := fmt.Sprintf("sms-%d-%d-", round, n)
				if gateway.Send(t.Context(), time.Now(), name, "+33639980001", name).Outcome != post.Accepted {
					return
				}
				note(name)
			}
		})
		testkit.Eventually(t, 60*time.Second, "messages were accepted", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(accepted) >= 40*(round+1)
		})
		r.kill()
		g.Wait()
		r.start()
	}
	shown := r.page("http://"+r.argument("--sim-mail-web")+"/box?address="+url.QueryEscape(box)) + r.page(gateway.URL+"/messages")
	lost := 0
	for name := range accepted {
		if !strings.Contains(shown, name) {
			lost++
			t.Errorf("%s was accepted and is not there", name)
		}
	}
	t.Logf("3 kills, %d messages accepted, %d lost", len(accepted), lost)
}
