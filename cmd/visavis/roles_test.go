package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"visavis/internal/testkit"
	"visavis/internal/testkit/rtcclient"
)

// role gives the process of a supervised rig that plays a role; 0: none now.
func (r *rig) role(name string) int {
	r.t.Helper()
	pid := strconv.Itoa(r.cmd.Process.Pid)
	raw, err := os.ReadFile(filepath.Join("/proc", pid, "task", pid, "children"))
	more, _ := filepath.Glob(filepath.Join("/proc", pid, "task", "*", "children"))
	for _, f := range more {
		b, _ := os.ReadFile(f) // a thread that has just ended
		raw = append(append(raw, ' '), b...)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	for child := range strings.FieldsSeq(string(raw)) {
		line, _ := os.ReadFile(filepath.Join("/proc", child, "cmdline")) // or it has ended
		if n, err := strconv.Atoi(child); err == nil && strings.Contains(string(line), "--role="+name+"\x00") {
			return n
		}
	}
	return 0
}

// strike sends a signal to a role, or to the supervisor, and waits until another
// process plays the role. It gives the instant of the signal.
func (c *call) strike(role string, to int, sig syscall.Signal) time.Time {
	c.t.Helper()
	old := c.role(role)
	if to == 0 {
		to = old
	}
	at := time.Now()
	c.must(func() error { return syscall.Kill(to, sig) })
	testkit.Eventually(c.t, 20*time.Second, "another "+role, func() bool {
		now := c.role(role)
		return now != 0 && now != old
	})
	return at
}

// back brings both people back after their socket died, each with the claim to
// the connection they hold, and tells whether both go on with it.
func (c *call) back(session [2]string, pc int) (kept bool) {
	c.t.Helper()
	kept = true
	for i, who := range []*testkit.Client{c.doctor, c.patients[0]} {
		ticket, cl := c.ticket(who)
		err := cl.Raw(map[string]any{"t": "hello", "ticket": ticket, "tab": "tab", "kept": map[string]any{"session": session[i], "pc": pc}})
		if err != nil {
			c.t.Fatal(err)
		}
		w, err := cl.Wait(c.ctx, "welcome", nil)
		if err != nil {
			c.t.Fatal(err)
		}
		kept = kept && w.Num("kept") == pc && w.Str("seat") == c.seats[i].Seat && w.Str("state") == "admitted"
		c.seats[i] = cl
	}
	return kept
}

// gone waits until both sockets are closed.
func (c *call) gone() {
	c.t.Helper()
	for _, cl := range c.seats {
		if _, err := cl.CloseCode(c.ctx); err != nil {
			c.t.Fatal(err)
		}
	}
}

// rejoined waits until both were told to rejoin, makes their new connections as
// a browser does, and gives how long after begin both saw and heard each other.
func (c *call) rejoined(begin time.Time, pc int) (told, media time.Duration) {
	c.t.Helper()
	for i := range c.seats {
		c.wait(i, "rejoin", func(m rtcclient.Msg) bool { return m.Num("pc") == pc })
	}
	told = time.Since(begin)
	for i, who := range []string{"to the doctor", "to the patient"} {
		c.flows[i] = c.joinAs(i, who, pc+1)
	}
	for _, f := range c.flows {
		if err := f.Until(c.ctx, func(m *rtcclient.Media) bool { return len(m.Summary()) == 2 }); err != nil {
			c.t.Fatal(err)
		}
		media = max(media, f.First().Sub(begin))
		f.watch(c.ctx)
	}
	return told, media
}

// worst is the longest gap that anybody met since the last question.
func (c *call) worst() (gap time.Duration) {
	for _, f := range c.flows {
		_, g, _ := f.take()
		gap = max(gap, g)
	}
	return gap
}

// TestARoleDiesInACall: M7 and the first rows of the kill matrix. Sound and
// picture do not notice the death or the upgrade of app; after that of media
// everybody is elsewhere at once, in the same seat.
func TestARoleDiesInACall(t *testing.T) {
	if testing.Short() {
		t.Skip("kills the roles of the program")
	}
	r := newRig(t, "", "", "VISAVIS_ROLE=auto")
	c := &call{spy: &spy{witness: &witness{rig: r, doctor: r.staff(account("MARTIN"))}}, from: 10}
	c.begin()
	c.toBoth(time.Second)
	c.worst()
	birth := [2]string{c.seats[0].Session, c.seats[1].Session}
	var table strings.Builder
	row := func(what, seen string) { fmt.Fprintf(&table, "\n%-34s %s", what, seen) }

	for what, strike := range map[string]func() time.Time{
		"app -9":                func() time.Time { return c.strike("app", 0, syscall.SIGKILL) },
		"app upgraded (SIGHUP)": func() time.Time { return c.strike("app", c.cmd.Process.Pid, syscall.SIGHUP) },
	} {
		at := strike()
		c.gone()
		if !c.back(birth, 1) {
			t.Errorf("%s: a connection was not kept", what)
		}
		signalling := time.Since(at)
		c.toBoth(time.Second)
		gap := c.worst()
		row(what, fmt.Sprintf("longest gap of a stream %4d ms, seats again after %d ms", gap.Milliseconds(), signalling.Milliseconds()))
		if gap > 300*time.Millisecond {
			t.Errorf("%s was heard: a gap of %v", what, gap)
		}
		c.chats()
	}
	pc := 1
	for what, strike := range map[string]func() time.Time{
		"media -9":                  func() time.Time { return c.strike("media", 0, syscall.SIGKILL) },
		"media restarted (SIGUSR1)": func() time.Time { return c.strike("media", c.cmd.Process.Pid, syscall.SIGUSR1) },
	} {
		at := strike()
		told, media := c.rejoined(at, pc)
		pc++
		row(what, fmt.Sprintf("told after %4d ms, both see and hear again after %d ms", told.Milliseconds(), media.Milliseconds()))
		if media > 3*time.Second {
			t.Errorf("%s: media after %v", what, media)
		}
		c.toBoth(time.Second)
		c.chats()
	}
	t.Logf("what the people of a call met:%s", table.String())
	c.finish()
}

// Who is told to stop says so to whoever asks whether it takes work (trust B12).
func TestWhoIsToldToStopIsNotReady(t *testing.T) {
	p := &platform{}
	p.ending.Store(true)
	w := httptest.NewRecorder()
	p.health(w, httptest.NewRequest(http.MethodGet, "/api/health", nil))
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), `"stopping"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
