package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"visavis/internal/httpx"
	"visavis/internal/seal"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

// asMain makes the test binary behave as visavis itself, so that tests can
// start, kill and start again the real program.
const asMain = "VISAVIS_TEST_AS_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// rig is the real program with its demo clinic, in a process of its own.
type rig struct {
	t        testing.TB
	dir      string
	database string // DATABASE_URL; SQLite when empty
	redis    string
	url      string
	args     []string
	env      []string
	cmd      *exec.Cmd
	links    demoLinks
	opened   int // links and networks
	proofs   proofs
	api      *httpx.Server
}

// rigs runs a test on the program with SQLite, and with PostgreSQL and Redis.
func rigs(t *testing.T, test func(t *testing.T, r *rig), settings ...string) {
	stores(t, func(t *testing.T, database, redis string) { test(t, newRig(t, database, redis, settings...)) })
}

func stores(t *testing.T, test func(t *testing.T, database, redis string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, "", "") })
	t.Run("postgres", func(t *testing.T) {
		rd, _ := testkit.Redis(t)
		test(t, testkit.EmptyPostgres(t), rd.URL())
	})
}

// newRig starts the program; settings are further environment variables.
func newRig(t testing.TB, database, redis string, settings ...string) *rig {
	t.Helper()
	api, err := apart()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, dir: t.TempDir(), database: database, redis: redis, api: api}
	t.Cleanup(r.kill)
	for range 3 { // between finding a free port and taking it another process may be faster
		r.settle(settings)
		if err = r.begin(); err == nil {
			return r
		}
		if !strings.Contains(err.Error(), "address already in use") {
			break
		}
	}
	t.Fatal(err)
	return nil
}

// settle gives the program free ports and its environment.
func (r *rig) settle(settings []string) {
	ports, taken := map[string]int{}, map[int]bool{}
	for _, name := range []string{"web", "media", "turn", "psc", "mssante", "mail", "imap", "mail-web", "sms", "tsa"} {
		for ports[name] == 0 || taken[ports[name]] {
			ports[name] = quietPort(r.t)
		}
		taken[ports[name]] = true
	}
	r.url = "http://127.0.0.1:" + strconv.Itoa(ports["web"])
	r.args = []string{"demo"}
	for _, sim := range []string{"psc", "mssante", "mail", "imap", "mail-web", "sms", "tsa"} {
		r.args = append(r.args, "--sim-"+sim, "127.0.0.1:"+strconv.Itoa(ports[sim]))
	}
	r.env = []string{
		asMain + "=1", "VISAVIS_ROLE=all", "VISAVIS_DATA=" + r.dir, "VISAVIS_LISTEN=127.0.0.1:" + strconv.Itoa(ports["web"]), "VISAVIS_PUBLIC_URL=" + r.url,
		"VISAVIS_MEDIA_UDP=" + strconv.Itoa(ports["media"]), "VISAVIS_MEDIA_TCP=" + strconv.Itoa(ports["media"]),
		"VISAVIS_TURN_UDP=" + strconv.Itoa(ports["turn"]), "VISAVIS_TURN_TCP=" + strconv.Itoa(ports["turn"]),
		"DATABASE_URL=" + r.database, "REDIS_URL=" + r.redis,
	}
	r.env = append(append(r.env, generous...), settings...)
}

// sim is the address of a simulator that speaks HTTP.
func (r *rig) sim(name string) string {
	i := slices.Index(r.args, "--sim-"+name)
	return "http://" + r.args[i+1]
}

// quietPort gives a free port that no outgoing connection takes while the
// program is dead: below the range the kernel gives out (32768 and up).
func quietPort(t testing.TB) int {
	t.Helper()
	for range 200 {
		port := 12_000 + rand.IntN(20_000)
		tcp, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			continue
		}
		udp, err := net.ListenPacket("udp", "127.0.0.1:"+strconv.Itoa(port))
		if err == nil {
			err = udp.Close()
		}
		if err = errors.Join(err, tcp.Close()); err == nil {
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

// start starts the program and waits until its clinic is open.
func (r *rig) start() {
	r.t.Helper()
	if err := r.begin(); err != nil {
		r.t.Fatal(err)
	}
}

// begin is start; it fails with the words of a program that ended instead.
func (r *rig) begin() (failed error) {
	r.t.Helper()
	file := filepath.Join(r.dir, "links.json")
	if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
		r.t.Fatal(err)
	}
	r.cmd = r.command(r.args...)
	out, err := os.Create(filepath.Join(r.dir, "out"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer out.Close()
	r.cmd.Stdout, r.cmd.Stderr = out, out
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	ended := make(chan struct{})
	cmd := r.cmd
	go func() { _ = cmd.Wait(); close(ended) }()
	testkit.Eventually(r.t, 60*time.Second, "the demo is ready", func() bool {
		select {
		case <-ended:
			raw, _ := os.ReadFile(filepath.Join(r.dir, "out"))
			failed = fmt.Errorf("visavis ended: %s", raw)
			return true
		default:
		}
		raw, err := os.ReadFile(file)
		return err == nil && json.Unmarshal(raw, &r.links) == nil
	})
	return failed
}

func (r *rig) command(args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), r.env...)
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	return c
}

// kill is kill -9.
func (r *rig) kill() {
	if r.cmd == nil {
		return
	}
	// Its roles, when it has some, are of its group.
	if err := syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		r.t.Error(err)
	}
	testkit.Eventually(r.t, 10*time.Second, "the process is gone", func() bool {
		return errors.Is(r.cmd.Process.Signal(syscall.Signal(0)), os.ErrProcessDone)
	})
	r.cmd = nil
}

// verify runs visavis verify on a stopped rig.
func (r *rig) verify() string {
	r.t.Helper()
	out, err := r.command("verify").CombinedOutput()
	if err != nil {
		r.t.Fatalf("visavis verify: %v\n%s", err, out)
	}
	return string(out)
}

// open opens the database of a stopped rig.
func (r *rig) open() *store.DB {
	r.t.Helper()
	m, err := seal.LoadMaster(filepath.Join(r.dir, "keys", "master"))
	if err != nil {
		r.t.Fatal(err)
	}
	db, err := store.Open(r.t.Context(), store.Options{URL: r.database, DataDir: r.dir, Key: m.Derive("database"), RowKey: m.Derive("rows")})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = db.Close() })
	return db
}

// sign gives rows that a test wrote by hand the MAC of what they hold now.
func (r *rig) sign(db *store.DB, tables ...string) {
	r.t.Helper()
	m, err := seal.LoadMaster(filepath.Join(r.dir, "keys", "master"))
	if err != nil {
		r.t.Fatal(err)
	}
	testkit.SignRowsWith(r.t, db, m.Derive("rows"), tables...)
}

func (r *rig) client() *testkit.Client { return testkit.Dial(r.t, r.url).Held(r.api) }

// patient opens the n-th link of the demo.
func (r *rig) patient(n int) *testkit.Client {
	r.t.Helper()
	r.opened++
	c := r.client().From(70_000 + r.opened) // from home
	_, token, _ := strings.Cut(r.links.Patients[n].URL, "#")
	c.Post("/api/links/open", map[string]string{"token": token}).Want(http.StatusOK)
	return c
}

var accountButton = regexp.MustCompile(`(?s)name="id" value="([^"]+)".*?name="account" value="([^"]+)"`)

// staff signs a professional in through Pro Santé Connect: account is the
// national identifier of a demo account.
func (r *rig) staff(account string) *testkit.Client {
	r.t.Helper()
	cookies := map[string]string{}
	landed, page := r.identify("/api/auth/psc/start?return=/pro", account, cookies)
	if cookies[httpx.CookieName] == "" {
		r.t.Fatalf("%s is not signed in: %s %s", account, landed, page)
	}
	return r.client().With(cookies[httpx.CookieName])
}

// stepUp has whoever owns an account prove who they are in the session of c, and
// gives the page that the browser lands on.
func (r *rig) stepUp(c *testkit.Client, account string) string {
	r.t.Helper()
	landed, _ := r.identify("/api/auth/psc/start?again=1&return=/pro/encounters/x", account, map[string]string{httpx.CookieName: c.Session()})
	return landed
}

// identify is a browser that goes to Pro Santé Connect and comes back with an
// account. It gives the page of ours that it lands on, and adds the cookies it got.
func (r *rig) identify(start, account string, cookies map[string]string) (landed string, page []byte) {
	r.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	follow := func(req *http.Request) (*http.Response, []byte) {
		for {
			if strings.HasPrefix(req.URL.String(), r.url) {
				for k, v := range cookies { // Secure cookies, over plain HTTP on the loopback
					req.AddCookie(&http.Cookie{Name: k, Value: v})
				}
			}
			resp, err := browser.Do(req)
			if err != nil {
				r.t.Fatal(err)
			}
			raw, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil {
				r.t.Fatal(err)
			}
			for _, k := range resp.Cookies() {
				cookies[k.Name] = k.Value
			}
			to := resp.Header.Get("Location")
			if to == "" || strings.HasPrefix(to, "/pro") {
				return resp, raw
			}
			next, err := req.URL.Parse(to)
			if err != nil {
				r.t.Fatal(err)
			}
			if req, err = http.NewRequest(http.MethodGet, next.String(), nil); err != nil {
				r.t.Fatal(err)
			}
		}
	}
	req, err := http.NewRequest(http.MethodGet, r.url+start, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	resp, page := follow(req)
	m := accountButton.FindSubmatch(page)
	if m == nil {
		r.t.Fatalf("no sign-in page: %d %s", resp.StatusCode, page)
	}
	form := url.Values{"id": {html.UnescapeString(string(m[1]))}, "account": {account}}
	if req, err = http.NewRequest(http.MethodPost, resp.Request.URL.String(), strings.NewReader(form.Encode())); err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, page = follow(req)
	return resp.Header.Get("Location"), page
}

// account is the national identifier of somebody of the demo clinic.
func account(family string) string {
	file, err := demoClinic("")
	if err != nil {
		return err.Error()
	}
	for _, o := range file.Organizations {
		for _, p := range o.Staff {
			if p.FamilyName == family {
				return p.Key()
			}
		}
	}
	return ""
}

// slot is what a patient books.
type slot struct {
	practitioner string
	start        time.Time
	price        *price // nil: no price is known
}

// price is what the card of a practitioner says.
type price struct {
	AmountCents, ReimbursedCents int64
	Young                        struct {
		UnderAge        int
		ReimbursedCents int64
	}
}

// shown is the price of a patient born on a day, as the page shows it.
func (s slot) shown(born string) map[string]int64 {
	out := map[string]int64{"amountCents": s.price.AmountCents, "reimbursedCents": s.price.ReimbursedCents}
	if b, err := time.Parse(time.DateOnly, born); err == nil && b.AddDate(s.price.Young.UnderAge, 0, 0).After(s.start) {
		out["reimbursedCents"] = s.price.Young.ReimbursedCents
	}
	return out
}

// slots lists the free slots of a demo doctor.
func (r *rig) slots(family string) []slot {
	r.t.Helper()
	var found struct {
		Items []struct {
			ID          string
			DisplayName string
			Price       *price
		}
	}
	c := r.client()
	c.Get("/api/practitioners?q=" + url.QueryEscape(family)).Want(200).JSON(&found)
	if len(found.Items) != 1 {
		r.t.Fatalf("%d practitioners named %s", len(found.Items), family)
	}
	p := found.Items[0]
	var free struct{ Items []struct{ Start time.Time } }
	c.Get("/api/practitioners/" + p.ID + "/slots?days=14").Want(200).JSON(&free)
	var out []slot
	for _, s := range free.Items {
		out = append(out, slot{practitioner: p.ID, start: s.Start, price: p.Price})
	}
	return out
}

// booking is the body with which the n-th person books.
func (s slot) booking(n int) map[string]any {
	return s.bookingOf(guest{"familyName": "DURAND", "givenName": "Camille", "birthDate": "1980-02-29", "phone": fmt.Sprintf("+336%08d", 39980000+n)})
}

// guest is who books, as the form wants it.
type guest map[string]string

func (s slot) bookingOf(g guest) map[string]any {
	body := map[string]any{"practitionerId": s.practitioner, "start": s.start, "locale": "fr", "zone": "Europe/Paris", "patient": g}
	if s.price != nil {
		body["priceShown"] = s.shown(g["birthDate"])
	}
	return body
}
