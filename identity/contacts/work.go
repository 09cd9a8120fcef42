package contacts

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"

	"visavis/internal/fault"
	"visavis/internal/limit"
	"visavis/internal/store"
)

// Work is what an attempt must bring while there are very many: some computing by
// the browser (a fifth of a second on a telephone, a second or two at the most), instead of a
// refusal. Who shares an address with a flood gets through, and a program that sends
// thousands pays thousands of times.
//
// A challenge is "<seconds since 1970>.<bits>.<MAC>". The answer is the challenge,
// a point and a number n such that the first bits of
// PBKDF2-HMAC-SHA-256(password n, salt challenge|phone|email, 1,000 rounds) are
// zero. PBKDF2 is native in browsers (Web Crypto), so that the page's language costs a
// phone nothing against an attacker's program. An answer is bound to the contact as
// typed: sent again, it spends only that contact's budget.
const (
	workRounds = 1000
	workLife   = 10 * time.Minute
	workLeast  = 7
	workMost   = 10
	// workAlone is what a network asks once its tokens are gone.
	workAlone = 8
)

// Admit refuses, before anything is written, an attempt that must bring work and does
// not: Throttled "work-needed" with {challenge}; it refuses as Start does too. It
// opens no write transaction. Work is asked for once half of the money of the hour
// or the day is used, while a practitioner has many attempts that nobody proved,
// and of a network without tokens. undo gives back what an attempt took that did not
// start; it is never nil.
func (s *Service) Admit(ctx context.Context, r Request) (undo func(), err error) {
	nothing := func() {}
	to, err := s.choose(r)
	if err != nil || r.Proven {
		return nothing, err
	}
	need, err := s.pressure(ctx, r, to.channel)
	if err != nil {
		return nothing, err
	}
	back, err := s.admit(ctx, r, need)
	if err != nil {
		return nothing, err
	}
	s.enter(to.channel)
	return func() {
		s.leave(to.channel)
		back()
	}, nil
}

// admit wants work of that many bits of a request, when they are more than none, and a
// token of each of its networks, or work. back gives the tokens back.
func (s *Service) admit(ctx context.Context, r Request, need int) (back func(), err error) {
	back = func() {}
	if need > 0 && !s.worked(r) { // a flood must cost us as little as can be
		return back, s.askWork(need)
	}
	nets := limit.Networks(r.Network)
	if err := s.take(ctx, starting[:], nets); err == nil {
		return func() { s.giveBack(context.WithoutCancel(ctx), starting[:], nets) }, nil
	}
	if !s.worked(r) {
		return back, s.askWork(max(need, workAlone))
	}
	return back, nil
}

// admitFor is how long an attempt that was admitted counts as under way, when nothing
// tells what became of it.
const admitFor = 5 * time.Second

// enter notes an attempt under way: it will take money that no row shows yet, and
// hundreds of them at once would all pass.
func (s *Service) enter(channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.underWay[channel] = append(s.underWay[channel], s.Clock.Now())
}

// leave forgets one of them: its money is counted in a row, or was not spent.
func (s *Service) leave(channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if list := s.underWay[channel]; len(list) > 0 {
		s.underWay[channel] = list[1:]
	}
}

// pending counts the attempts under way.
func (s *Service) pending(channel string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	list, old := s.underWay[channel], s.Clock.Now().Add(-admitFor)
	for len(list) > 0 && list[0].Before(old) {
		list = list[1:]
	}
	s.underWay[channel] = list
	return int64(len(list))
}

func (s *Service) askWork(need int) error {
	return fault.New(fault.Throttled, "work-needed").With("seconds", "1").With("challenge", s.challenge(need))
}

// pressure is how many bits of work an attempt brings now; 0 while things are calm.
// What is not calm is believed for a second.
func (s *Service) pressure(ctx context.Context, r Request, channel string) (need int, err error) {
	now, key := s.Clock.Now(), channel+string(r.Practitioner)
	s.mu.Lock()
	last := s.pressed[key]
	s.mu.Unlock()
	if age := now.Sub(last.at); last.need > 0 && age >= 0 && age < time.Second {
		return last.need, nil
	}
	if need, err = s.measure(ctx, r, channel); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pressed) > 10_000 { // as many practitioners
		clear(s.pressed)
	}
	s.pressed[key] = pressed{need, now}
	return need, nil
}

// pressed is what pressure found at an instant.
type pressed struct {
	need int
	at   time.Time
}

func (s *Service) measure(ctx context.Context, r Request, channel string) (need int, err error) {
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		unproven, err := s.Ledger.Used(tx, s.Costs.unproven(), string(r.Practitioner))
		if err != nil {
			return err
		}
		if unproven > s.Costs.unproven().Limit {
			need = workLeast
		}
		for _, b := range s.general(channel) {
			used, err := s.Ledger.Used(tx, b, "")
			if err != nil {
				return err
			}
			used += s.pending(channel) * s.Costs.unit(b)
			if half := b.Limit / 2; used > half {
				need = max(need, min(workMost, workLeast+int((used-half)*(workMost-workLeast+1)/max(1, b.Limit-half))))
			}
		}
		return nil
	})
	return need, err
}

func (s *Service) challenge(need int) string {
	head := fmt.Sprintf("%d.%d", s.Clock.Now().Unix(), need)
	return head + "." + base64.RawURLEncoding.EncodeToString(s.hash("work", head)[:16])
}

// worked tells whether a request brings the answer to a challenge of ours that is
// not too old.
func (s *Service) worked(r Request) bool {
	cut := strings.LastIndexByte(r.Work, '.')
	if cut < 0 || len(r.Work) > 80 {
		return false
	}
	challenge, n := r.Work[:cut], r.Work[cut+1:]
	parts := strings.Split(challenge, ".")
	if len(parts) != 3 {
		return false
	}
	mac, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !hmac.Equal(mac, s.hash("work", parts[0]+"."+parts[1])[:16]) {
		return false
	}
	at, wrong := strconv.ParseInt(parts[0], 10, 64)
	need, bad := strconv.Atoi(parts[1])
	if wrong != nil || bad != nil || s.Clock.Now().Sub(time.Unix(at, 0)) > workLife {
		return false
	}
	return leadingZeros(workKey(challenge, r.Phone, r.Email, n)) >= need
}

// workKey is what n gives for a challenge and the contact as it was typed.
func workKey(challenge, phone, email, n string) []byte {
	key, err := pbkdf2.Key(sha256.New, n, []byte(challenge+"|"+phone+"|"+email), workRounds, 32)
	if err != nil {
		return []byte{0xff}
	}
	return key
}

// leadingZeros counts the zero bits at the beginning.
func leadingZeros(b []byte) int {
	for i, x := range b {
		if x != 0 {
			return 8*i + bits.LeadingZeros8(x)
		}
	}
	return 8 * len(b)
}

// Work answers a challenge as a browser does.
func Work(challenge, phone, email string) string {
	parts := strings.Split(challenge, ".")
	if len(parts) != 3 {
		return ""
	}
	need, err := strconv.Atoi(parts[1])
	if err != nil || need > 2*workMost {
		return ""
	}
	for n := 0; ; n++ {
		if leadingZeros(workKey(challenge, phone, email, strconv.Itoa(n))) >= need {
			return challenge + "." + strconv.Itoa(n)
		}
	}
}
