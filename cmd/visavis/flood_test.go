package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"visavis/identity/contacts"
	"visavis/internal/care"
)

// byDefault are the budgets of the settings by default, after generous.
var byDefault = []string{
	"VISAVIS_SMS_HOURLY=10", "VISAVIS_SMS_DAILY=50", "VISAVIS_BOOKINGS_HOURLY=30", "VISAVIS_BOOKINGS_DAILY=80", "VISAVIS_BOOKINGS_PER_CONTACT=6",
}

// The figures of the settings by default.
const (
	smsMost     = 142 // of an hour: 10 € at 0.07 €
	contactMost = 3   // codes of an hour to one contact
)

// flood is a number of anonymous bookings from a number of addresses of the
// loopback, and people who book meanwhile.
type flood struct {
	r        *rig
	bookings int
	hosts    int
	during   time.Duration
	honest   int
	doctors  []slot

	mu       sync.Mutex
	answered map[string]int // "POST /api/booking-attempts 429 work-needed" → how often
	broken   atomic.Int64   // connections
}

const victim = "+33639989999"

// address is the n-th address: five to a /16, each in a /24 of its own.
func (f *flood) address(n int) net.IP {
	return net.IPv4(127, byte(16+n%200), byte(1+n/200), 7)
}

// browser is a client of one address.
func (f *flood) browser(ip net.IP) *http.Client {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: ip}}
	return &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{DialContext: d.DialContext, MaxIdleConnsPerHost: 2}}
}

// post sends a request and counts its answer.
func (f *flood) post(c *http.Client, path string, body any, out any) (status int, code string) {
	raw, err := json.Marshal(body)
	if err != nil {
		return 0, err.Error()
	}
	req, err := http.NewRequest(http.MethodPost, f.r.url+path, bytes.NewReader(raw))
	if err != nil {
		return 0, err.Error()
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Idempotency-Key", care.NewID(time.Now()))
	resp, err := c.Do(req)
	if err != nil {
		f.broken.Add(1)
		return 0, err.Error()
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		f.broken.Add(1)
		return 0, err.Error()
	}
	var p struct{ Code string }
	if resp.StatusCode >= 400 {
		_ = json.Unmarshal(text, &p) // out has it too
	}
	if out != nil && len(text) > 0 {
		if err := json.Unmarshal(text, out); err != nil {
			return resp.StatusCode, err.Error()
		}
	}
	f.mu.Lock()
	f.answered[fmt.Sprintf("POST %s %d %s", path, resp.StatusCode, p.Code)]++
	f.mu.Unlock()
	return resp.StatusCode, p.Code
}

// attack is the n-th anonymous booking: to a number of its own, to the victim's, to
// one of twenty, or to a mailbox; some go on with wrong codes, some book at once.
func (f *flood) attack(c *http.Client, n int) {
	g := guest{"familyName": "FLOT", "givenName": "Anne", "birthDate": "1990-01-01"}
	switch n % 4 {
	case 0, 1:
		g["phone"] = fmt.Sprintf("+336398%05d", n%100_000)
	case 2:
		g["phone"] = victim
	case 3:
		g["phone"] = fmt.Sprintf("+3363999%04d", n%20)
		if n%8 == 7 {
			g = guest{"familyName": "FLOT", "givenName": "Anne", "birthDate": "1990-01-01", "email": fmt.Sprintf("flot%d@exemple.fr", n)}
		}
	}
	at := f.doctors[n%len(f.doctors)]
	body := at.bookingOf(g)
	body["again"] = g["phone"] == victim
	var a struct{ Attempt string }
	if status, _ := f.post(c, "/api/booking-attempts", body, &a); status == 201 {
		for try := range n % 7 {
			f.post(c, "/api/booking-attempts/verify", map[string]string{"attempt": a.Attempt, "code": fmt.Sprintf("%08d", try)}, nil)
		}
	}
	if n%3 == 0 {
		if a.Attempt != "" {
			body["attempt"] = a.Attempt
		}
		delete(body, "again")
		f.post(c, "/api/appointments", body, nil)
	}
}

// run sends the whole flood, evenly over its time, and gives how long it took.
func (f *flood) run() time.Duration {
	began := time.Now()
	var g sync.WaitGroup
	for host := range f.hosts {
		g.Go(func() {
			c := f.browser(f.address(host))
			defer c.CloseIdleConnections()
			for n := host; n < f.bookings; n += f.hosts {
				wait := time.NewTimer(time.Until(began.Add(f.during * time.Duration(n) / time.Duration(f.bookings))))
				<-wait.C
				f.attack(c, n)
			}
		})
	}
	g.Wait()
	return time.Since(began)
}

// visit is one honest booking: how long each answer took, and the code.
type visit struct {
	shared             bool
	ask, verify, book  time.Duration
	work, sms          time.Duration
	worked, byMail, ok bool
	why                string
}

// visit books the n-th honest person from an address, as the page does: it works
// when it is asked to, and takes the code by e-mail when there is no SMS.
func (f *flood) visit(n int, ip net.IP, shared bool, at slot) (v visit) {
	v.shared = shared
	c := f.browser(ip)
	defer c.CloseIdleConnections()
	g := guest{"familyName": "HONNETE", "givenName": "Zoe", "birthDate": "1980-01-01", "phone": fmt.Sprintf("+3363997%04d", n), "email": fmt.Sprintf("zoe%d@exemple.fr", n)}
	body := at.bookingOf(g)
	var a struct{ Attempt, Channel, Challenge string }
	for range 4 {
		began := time.Now()
		status, code := f.post(c, "/api/booking-attempts", body, &a)
		v.ask = max(v.ask, time.Since(began))
		began = time.Now()
		switch {
		case code == "work-needed":
			v.worked, body["work"] = true, contacts.Work(a.Challenge, g["phone"], g["email"])
			v.work += time.Since(began)
			continue
		case code == "sms-budget":
			v.byMail, body["channel"] = true, "email"
			continue
		case status != 201:
			v.why = fmt.Sprint("ask: ", status, " ", code)
			return v
		}
		break
	}
	to := g["phone"]
	if a.Channel == "email" {
		to = g["email"]
	}
	began := time.Now()
	code := f.code(to)
	v.sms = time.Since(began)
	began = time.Now()
	status, why := f.post(c, "/api/booking-attempts/verify", map[string]string{"attempt": a.Attempt, "code": code}, nil)
	v.verify = time.Since(began)
	if status != 204 {
		v.why = fmt.Sprint("verify: ", status, " ", why)
		return v
	}
	delete(body, "work")
	delete(body, "channel")
	body["attempt"] = a.Attempt
	began = time.Now()
	status, why = f.post(c, "/api/appointments", body, nil)
	v.book = time.Since(began)
	v.ok, v.why = status == 201, fmt.Sprint("book: ", status, " ", why)
	return v
}

// code waits for the newest code of a telephone or a mailbox; empty after 30 s.
func (f *flood) code(to string) string {
	tick := time.NewTicker(400 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); <-tick.C {
		if code := f.r.codeNow(to); code != "" {
			return code
		}
	}
	return ""
}

// people makes the honest people book one after another, evenly over the time of the
// flood, half of them at addresses of the flood.
func (f *flood) people(from int, slots []slot) (list []visit) {
	began := time.Now()
	list = make([]visit, f.honest)
	var g sync.WaitGroup
	for i := range f.honest {
		g.Go(func() {
			wait := time.NewTimer(time.Until(began.Add(f.during * time.Duration(i+1) / time.Duration(f.honest+2))))
			<-wait.C
			ip := net.IPv4(127, byte(230+i%20), byte(i/20), 9)
			if i%2 == 0 {
				ip = f.address(i * 7 % f.hosts)
			}
			list[i] = f.visit(from+i, ip, i%2 == 0, slots[i])
		})
	}
	g.Wait()
	return list
}

// quantile is the q-th of a few times.
func quantile(list []visit, q float64, of func(visit) time.Duration) time.Duration {
	var times []time.Duration
	for _, v := range list {
		times = append(times, of(v))
	}
	slices.Sort(times)
	return times[min(len(times)-1, int(q*float64(len(times))))].Round(time.Millisecond)
}

// ratio is 0 where the second is less than a millisecond.
func ratio(a, b time.Duration) float64 {
	if b < time.Millisecond {
		return 0
	}
	return float64(a) / float64(b)
}

// TestFlood is acceptance 3 of issue 9: anonymous bookings from many addresses in a
// short time, and people who book meanwhile, at an address of the flood and
// elsewhere, with the settings by default. VISAVIS_FLOOD=10000 is the large form: so
// many bookings from 1,000 addresses in a minute, then VISAVIS_FLOOD_WAIT (15m) on
// the clock of the machine: the program has no other.
func TestFlood(t *testing.T) {
	rigs(t, func(t *testing.T, r *rig) {
		f := &flood{bookings: 200, hosts: 40, during: 2 * time.Second, honest: 3}
		wait := time.Duration(0)
		if n, _ := strconv.Atoi(os.Getenv("VISAVIS_FLOOD")); n > 0 {
			f.bookings, f.hosts, f.during, f.honest = n, 1000, time.Minute, 20
			wait, _ = time.ParseDuration(os.Getenv("VISAVIS_FLOOD_WAIT"))
		}
		f.begin(t, r, wait)
	}, byDefault...)
}

// begin runs the flood on a rig and checks what it left.
func (f *flood) begin(t *testing.T, r *rig, wait time.Duration) {
	f.r, f.answered = r, map[string]int{}
	for _, name := range []string{"MARTIN", "DUPRÉ-LACROIX"} {
		f.doctors = append(f.doctors, r.slots(name)[0])
	}
	var open []slot
	martin, dupre := r.slots("MARTIN"), r.slots("DUPRÉ-LACROIX")
	for i := range f.honest { // a practitioner has 30 in an hour
		open = append(open, martin[10+i], dupre[10+i])
	}
	calm := f.people(0, open)
	f.answered = map[string]int{}
	before := len(r.smses())
	held := f.free()
	var meanwhile []visit
	var g sync.WaitGroup
	g.Go(func() { meanwhile = f.people(1000, open[f.honest:]) })
	took := f.run()
	g.Wait()
	left := held - f.free()
	f.report(t, took, calm, meanwhile, before)
	if wait > 0 {
		wake := time.NewTimer(wait)
		<-wake.C
	}
	after := held - f.free()
	t.Logf("slots held at once %d, %v later %d, by honest people %d", left, wait, after, f.honest)
	if left != f.honest || after != f.honest {
		t.Errorf("%d slots are held at once and %d later, want the %d of honest people", left, after, f.honest)
	}
}

// free counts the free slots of the doctors, in the next fortnight.
func (f *flood) free() int { return len(f.r.slots("MARTIN")) + len(f.r.slots("DUPRÉ-LACROIX")) }

// report logs the figures and checks the bounds.
func (f *flood) report(t *testing.T, took time.Duration, calm, meanwhile []visit, before int) {
	t.Logf("%d bookings from %d addresses in %v; connections broken: %d", f.bookings, f.hosts, took.Round(time.Millisecond), f.broken.Load())
	for _, what := range slices.Sorted(maps.Keys(f.answered)) {
		t.Logf("%6d  %s", f.answered[what], what)
		if strings.Contains(what, " 5") {
			t.Errorf("the server failed: %s", what)
		}
	}
	if f.broken.Load() > 0 {
		t.Errorf("%d connections broke", f.broken.Load())
	}
	to, most := map[string]int{}, 0
	for _, m := range f.r.smses() {
		if digits8.MatchString(m.Text) && !strings.Contains(m.Text, "http") {
			to[m.To]++
			most = max(most, to[m.To])
		}
	}
	all := 0
	for _, n := range to {
		all += n
	}
	t.Logf("codes by SMS: %d to %d telephones, %.2f € (limit 10 € = %d); most to one telephone %d, to the victim %d", all, len(to), float64(all)*0.07, smsMost, most, to[victim])
	if all > smsMost || most > contactMost || before == 0 {
		t.Errorf("%d codes by SMS, %d to one telephone", all, most)
	}
	for _, part := range []struct {
		name string
		of   func(visit) time.Duration
	}{{"ask", func(v visit) time.Duration { return v.ask }}, {"verify", func(v visit) time.Duration { return v.verify }}, {"book", func(v visit) time.Duration { return v.book }}, {"code arrives", func(v visit) time.Duration { return v.sms }}, {"work", func(v visit) time.Duration { return v.work }}} {
		a, b := quantile(calm, 0.5, part.of), quantile(meanwhile, 0.5, part.of)
		c, d := quantile(calm, 0.99, part.of), quantile(meanwhile, 0.99, part.of)
		t.Logf("%-12s p50 %v alone, %v in the flood (×%.1f); p99 %v alone, %v in the flood (×%.1f)", part.name, a, b, ratio(b, a), c, d, ratio(d, c))
	}
	worked, mailed := 0, 0
	for i, v := range append(slices.Clone(calm), meanwhile...) {
		if !v.ok {
			t.Errorf("honest person %d (at a shared address: %v) did not book: %s", i, v.shared, v.why)
		}
		if v.worked {
			worked++
		}
		if v.byMail {
			mailed++
		}
	}
	t.Logf("of %d honest people %d worked, %d took the code by e-mail", 2*f.honest, worked, mailed)
}
