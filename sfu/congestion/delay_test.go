package congestion

import (
	"math/rand/v2"
	"testing"
	"time"

	"visavis/sfu/twcc"
)

// link is a bottleneck with a queue: its rate in bits per second, and jitter.
type link struct {
	rate   float64
	free   int64 // when the last packet was through
	jitter int64
	seq    uint16
	left   int64
	r      *rand.Rand
	flight []twcc.Sent
}

// run sends rate bits per second for a while and feeds what came back.
func (l *link) run(d *Delay, send float64, for_ time.Duration) (congested int) {
	const size = 1000
	gap := int64(size * 8 / send * 1e9)
	next := l.left + int64(100*time.Millisecond)
	for end := l.left + int64(for_); l.left < end; {
		l.left += gap
		l.seq++
		through := max(l.free, l.left) + int64(size*8/l.rate*1e9)
		if through-l.left < int64(time.Second) { // a queue of a second
			l.free = through
			l.flight = append(l.flight, twcc.Sent{Seq: l.seq, Size: size, Left: l.left, Arrived: through + int64(20*time.Millisecond) + l.r.Int64N(l.jitter+1), Received: true})
		}
		if l.left >= next {
			next += int64(100 * time.Millisecond)
			var back, later []twcc.Sent
			for _, s := range l.flight {
				if s.Arrived+int64(20*time.Millisecond) <= l.left {
					back = append(back, s)
				} else {
					later = append(later, s)
				}
			}
			l.flight = later
			d.Feed(back, l.left)
			if d.Congested() {
				congested++
			}
		}
	}
	return congested
}

func newLink(rate float64, jitter time.Duration) *link {
	return &link{rate: rate, jitter: int64(jitter), r: rand.New(rand.NewPCG(1, 2))}
}

func TestAGrowingQueueIsSeen(t *testing.T) {
	l, d := newLink(5e6, time.Millisecond), &Delay{}
	if n := l.run(d, 1e6, 10*time.Second); n > 0 || d.Rate() < 1e6 {
		t.Fatalf("congested %d times on a free link, rate %d", n, d.Rate())
	}
	l.rate = 400e3
	if n := l.run(d, 1e6, 2*time.Second); n == 0 || d.Rate() > 450_000 || d.Rate() < 200_000 {
		t.Errorf("2 s after the link fell to 400 kbit/s: congested %d times, rate %d", n, d.Rate())
	}
}

func TestTheRateFollowsWhatIsProved(t *testing.T) {
	l, d := newLink(100e3, time.Millisecond), &Delay{}
	l.run(d, 200e3, 3*time.Second)
	if r := d.Rate(); r > 120_000 {
		t.Fatalf("a link of 100 kbit/s is believed to carry %d", r)
	}
	l.rate = 10e6
	l.run(d, 80e3, 20*time.Second)
	if r := d.Rate(); r > 300_000 { // the queue that was there came through at once, which proves something
		t.Errorf("80 kbit/s prove %d", r)
	}
	l.run(d, 900e3, 700*time.Millisecond) // a probe
	if r := d.Rate(); r < 700_000 {
		t.Errorf("after a probe of 900 kbit/s: %d", r)
	}
	l.run(d, 80e3, 5*time.Second)
	if r := d.Rate(); r < 700_000 {
		t.Errorf("what was proved is forgotten: %d", r)
	}
}

func TestJitterIsNotCongestion(t *testing.T) {
	l, d := newLink(10e6, 15*time.Millisecond), &Delay{}
	l.run(d, 500e3, 5*time.Second) // the limit learns
	if n := l.run(d, 500e3, 30*time.Second); n > 3 || d.Rate() < 400_000 {
		t.Errorf("congested %d times by jitter, rate %d", n, d.Rate())
	}
}

func TestAWildLinkIsNotAFullOne(t *testing.T) {
	l, d := newLink(10e6, 80*time.Millisecond), &Delay{}
	l.run(d, 700e3, 2*time.Second) // learnt
	if n := l.run(d, 700e3, 60*time.Second); n > 0 {
		t.Errorf("congested %d times by 80 ms of jitter, rate %d", n, d.Rate())
	}
	l.rate = 300e3
	if n := l.run(d, 700e3, 3*time.Second); n == 0 || d.Rate() > 350_000 {
		t.Errorf("and then its queue is not seen: congested %d times, rate %d", n, d.Rate())
	}
}

func TestALinkThatDropsInsteadOfKeeping(t *testing.T) {
	now, d := int64(0), &Delay{}
	feed := func(lost int) (congested int) {
		for seq := range 600 {
			now += int64(10 * time.Millisecond)
			d.Feed([]twcc.Sent{{Seq: uint16(seq), Size: 1000, Left: now, Arrived: now + 5, Received: seq%10 >= lost}}, now)
			if d.Congested() {
				congested++
			}
		}
		return congested
	}
	if n := feed(2); n > 0 || d.Lost() < 0.19 || d.Lost() > 0.21 {
		t.Errorf("a fifth lost by chance: congested %d times, share %.2f", n, d.Lost())
	}
	if n := feed(5); n == 0 {
		t.Error("half lost, and nobody noticed")
	}
}

// TestATrendWithoutAQueueIsNotCongestion: bursts of packets sent again come one
// behind the other, the quickest of them as quick as ever.
func TestATrendWithoutAQueueIsNotCongestion(t *testing.T) {
	r, d, now, seq := rand.New(rand.NewPCG(3, 4)), &Delay{}, int64(0), uint16(0)
	for n := 0; n < 600; n++ {
		var list []twcc.Sent
		for range 20 {
			now += int64(5 * time.Millisecond)
			seq++
			late := int64(20 * time.Millisecond)
			if n > 100 && n%10 < 3 && r.IntN(3) > 0 { // most wait longer and longer, some not at all
				late += int64(n%10+1) * int64(r.IntN(9)) * int64(time.Millisecond)
			}
			list = append(list, twcc.Sent{Seq: seq, Size: 1000, Left: now, Arrived: now + late, Received: true})
		}
		if d.Feed(list, now+int64(40*time.Millisecond)); d.Congested() {
			t.Fatalf("congested after %d feedbacks, rate %d", n, d.Rate())
		}
	}
}
