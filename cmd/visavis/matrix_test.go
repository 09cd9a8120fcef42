package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"visavis/internal/testkit"
	"visavis/internal/testkit/rtcclient"
)

// senses measure for how long somebody heard or saw nothing, over all the
// connections they have had.
type senses struct {
	mu    sync.Mutex
	media []*rtcclient.Media
	count [2]int // of sound, of pictures
	last  [2]time.Time
	worst [2]time.Duration
}

// firstPicture is the section from which on a client of joinAs receives
// pictures: its own two, then three for sound.
const firstPicture = 5

func (s *senses) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var count [2]int
	for _, m := range s.media {
		for mid, n := range m.Summary() {
			if i, _ := strconv.Atoi(mid); i < firstPicture {
				count[0] += n
			} else {
				count[1] += n
			}
		}
	}
	now := time.Now()
	for i := range count {
		s.worst[i] = max(s.worst[i], now.Sub(s.last[i]))
		if count[i] > s.count[i] {
			s.last[i] = now
		}
	}
	s.count = count
}

func (s *senses) follow(m *rtcclient.Media) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.media = append(s.media, m)
}

// take gives the longest times without sound and without a picture since the
// last take.
func (s *senses) take() (sound, picture time.Duration) {
	s.look()
	s.mu.Lock()
	defer s.mu.Unlock()
	sound, picture = s.worst[0], s.worst[1]
	s.worst = [2]time.Duration{}
	return sound, picture
}

func (s *senses) begin(ctx context.Context) {
	s.last = [2]time.Time{time.Now(), time.Now()}
	go func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.look()
			case <-ctx.Done():
				return
			}
		}
	}()
}

// matrix is a call whose program and stores are struck, one after the other.
type matrix struct {
	*call
	senses [2]*senses // the doctor's, the patient's
	pc     int
	birth  [2]string // the sessions in which it was offered
	said   int       // chat messages of each
	table  strings.Builder
}

// says has both say everything again: what is known already is written once.
func (m *matrix) says() {
	for _, cl := range m.seats {
		for n := max(0, m.said-chatsEach); n < m.said; n++ {
			_, _ = cl.Send("chat", map[string]any{"id": "m-" + strconv.Itoa(n), "text": "toujours là"}) // its socket may be dead
		}
	}
}

// chatsEach is how many messages each says before a blow, without waiting.
const chatsEach = 3

// blow strikes, and writes down what both met and what was lost. Within says for
// how long there may be no sound and no picture.
func (m *matrix) blow(what string, within time.Duration, strike func()) {
	m.t.Helper()
	m.toBoth(500 * time.Millisecond)
	for _, s := range m.senses {
		s.take()
	}
	m.do("POST", "/api/encounters/"+m.encounter+"/identity", map[string]string{"how": "face-and-name"}, nil)
	known := m.count(m.db, "SELECT count(*) FROM audit")
	m.said += chatsEach
	m.says()
	strike()
	kept, asked := 0, time.Now()
	chats := "SELECT count(*) FROM seat_chat WHERE encounter_id = '" + m.encounter + "'"
	testkit.Eventually(m.t, 30*time.Second, "every message is kept", func() bool {
		if kept = m.count(m.db, chats); kept < 2*m.said && time.Since(asked) > 300*time.Millisecond {
			asked = time.Now()
			m.says()
		}
		return kept >= 2*m.said
	})
	m.toBoth(time.Second)
	seats := m.count(m.db, "SELECT count(*) FROM seats WHERE state = 'admitted' AND encounter_id = '"+m.encounter+"'")
	lost := max(0, known-m.count(m.db, "SELECT count(*) FROM audit"))
	fmt.Fprintf(&m.table, "\n%-32s", what)
	for _, i := range []int{1, 0} {
		sound, picture := m.senses[i].take()
		fmt.Fprintf(&m.table, " | %5d ms %5d ms", sound.Milliseconds(), picture.Milliseconds())
		if sound > within || picture > within {
			m.t.Errorf("%s: seat %d had no sound for %v and no picture for %v, want %v at most", what, i, sound, picture, within)
		}
	}
	fmt.Fprintf(&m.table, " | chat %d of %d, seats %d of 2, audit %d of %d lost", kept, 2*m.said, seats, lost, known)
	if kept != 2*m.said || seats != 2 || lost != 0 {
		m.t.Errorf("%s: chat %d of %d, %d seats, %d audit rows lost", what, kept, 2*m.said, seats, lost)
	}
}

// ofApp strikes app and brings both people back to the connections they hold.
func (m *matrix) ofApp(to int, sig syscall.Signal) func() {
	return func() {
		m.strike("app", to, sig)
		m.gone()
		if !m.back(m.birth, m.pc) {
			m.t.Error("a connection was not kept")
		}
	}
}

// ofMedia strikes media; both make a new connection.
func (m *matrix) ofMedia(to int, sig syscall.Signal) func() {
	return func() {
		at := m.strike("media", to, sig)
		m.rejoined(at, m.pc)
		m.pc++
		for i, f := range m.flows {
			m.senses[i].follow(f.Media)
			m.birth[i] = m.seats[i].Session
		}
	}
}

// TestTheKillMatrix is acceptance 5 of issue 3: what two people in a call met
// when a part of the program, one of its stores, a tab or a network was struck.
// The roles are processes of their own, on PostgreSQL with Redis. Where people
// have no tab the clients are those of rtcclient, which encode nothing; reload
// and the change of network are Chromium's.
func TestTheKillMatrix(t *testing.T) {
	if os.Getenv("VISAVIS_SOAK") == "" {
		t.Skip("of the night: VISAVIS_SOAK=1")
	}
	pg := testkit.OwnPostgres(t)
	name, err := pg.Create("")
	if err != nil {
		t.Fatal(err)
	}
	rd, _ := testkit.Redis(t)
	r := newRig(t, pg.URL(name), rd.URL(), "VISAVIS_ROLE=auto")
	m := &matrix{call: &call{spy: &spy{witness: &witness{rig: r, doctor: r.staff(account("MARTIN"))}}, from: 10}, pc: 1}
	m.begin()
	for i, f := range m.flows {
		m.senses[i] = &senses{media: []*rtcclient.Media{f.Media}}
		m.senses[i].begin(m.ctx)
		m.birth[i] = m.seats[i].Session
	}
	fmt.Fprintf(&m.table, "\n%-32s | %-19s | %-19s | lost\n%-32s | %-8s %-10s | %-8s %-10s |", "struck", "patient had no", "doctor had no", "", "sound", "picture", "sound", "picture")
	m.blow("app -9", time.Second, m.ofApp(0, syscall.SIGKILL))
	m.blow("app upgraded (SIGHUP)", time.Second, m.ofApp(r.cmd.Process.Pid, syscall.SIGHUP))
	m.blow("media -9", 3*time.Second, m.ofMedia(0, syscall.SIGKILL))
	m.blow("media restarted (SIGUSR1)", 3*time.Second, m.ofMedia(r.cmd.Process.Pid, syscall.SIGUSR1))
	m.blow(fmt.Sprintf("Redis stopped for %v", redisAway), 2*time.Second, func() {
		m.must(rd.Stop)
		m.toBoth(redisAway)
		m.must(rd.Start)
	})
	m.blow("PostgreSQL restarted", 2*time.Second, func() {
		m.must(pg.Stop)
		m.toBoth(3 * time.Second)
		m.must(pg.Start)
	})
	m.finish()
	m.must(m.db.Close)
	r.kill()
	proof := r.verify()
	inChromium(t, &m.table)
	t.Logf("the kill matrix:%s\n\nvisavis verify after the blows:\n%s", m.table.String(), proof)
}

// inChromium adds the rows of a tab that is reloaded and of a network that
// changes.
func inChromium(t *testing.T, table *strings.Builder) {
	r := newRelayedRig(t)
	if r.cell != nil { // nothing is shut here
		if err := r.cell.ip("-n", r.cell.name, "rule", "del", "pref", "20"); err != nil {
			t.Fatal(err)
		}
	}
	behind := map[string]any{"key": r.orders["key"], "address": r.address, "url": r.orders["url"]}
	patient := r.call.browse(t, r.cell, behind, r.patients[0])
	doctor := r.call.browse(t, nil, behind, r.doctor)
	after := func(what string) (p, d struck) {
		patient.ask(what)
		doctor.ask("60")
		return patient.answer()[0], doctor.answer()[0]
	}
	after("60")
	row := func(what string, p [2]int, d struck, lost string, within int) {
		fmt.Fprintf(table, "\n%-32s | %5d ms %5d ms | %5d ms %5d ms | %s", what, p[0], p[1], d.GapSound, d.GapPicture, lost)
		if max(p[0], p[1], d.GapSound, d.GapPicture) > within {
			t.Errorf("%s: %v and %+v, want %d ms at most", what, p, d, within)
		}
	}
	p, d := after("reload 60")
	row("the patient's tab reloaded", [2]int{p.Fresh[1], p.Fresh[0]}, d, "a new connection in the same seat; "+strings.Join(p.States, " → "), 8000)
	had := patient.after(1)[0].Connections
	doctor.after(1)
	if r.cell == nil {
		t.Log("NOT TESTED: no right to make a network namespace, so nobody's network changed")
		return
	}
	r.cell.move(t, "2", "3")
	p, d = after("60")
	row("the patient's network changed", [2]int{p.GapSound, p.GapPicture}, d, fmt.Sprintf("%d new connection; %s", p.Connections-had, strings.Join(p.States, " → ")), 4000)
}

// move gives what is in the cell another address, as another network does: no
// path and no socket of before leads anywhere.
func (c *cell) move(t *testing.T, from, to string) {
	t.Helper()
	net := strings.TrimSuffix(c.here, "1")
	for _, args := range [][]string{
		{"-n", c.name, "addr", "del", net + from + "/24", "dev", c.name + "c"},
		{"-n", c.name, "addr", "add", net + to + "/24", "dev", c.name + "c"},
	} {
		if err := c.ip(args...); err != nil {
			t.Fatal(err)
		}
	}
}
