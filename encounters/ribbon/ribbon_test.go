package ribbon

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"visavis/internal/care"
	"visavis/internal/events"
)

func ten() time.Time { return time.Date(2026, 3, 10, 10, 0, 0, 0, time.UTC) }

func at(seconds int) time.Time { return ten().Add(time.Duration(seconds) * time.Second) }

// testCall is ten minutes of two people, a report each ten seconds.
type testCall struct {
	patient, doctor Seat
	incidents       []Incident
}

const length = 600

// well makes a call on which nothing is wrong, with a link of its own.
func well(r *rand.Rand) *testCall {
	c := &testCall{patient: Seat{ID: "p", Role: care.Patient, Stays: []Span{{at(0), at(length)}}}, doctor: Seat{ID: "d", Role: care.Doctor, Stays: []Span{{at(0), at(length)}}}}
	up, down := 300+r.IntN(1800), 400+r.IntN(2000)
	about := func(n int) *int { v := n*85/100 + r.IntN(n*3/10+1); return &v }
	for s := 10; s <= length; s += 10 {
		sample := func(up, down int) events.Sample {
			return events.Sample{At: at(s).UnixMicro(), Ms: 10_000, Word: Good, RTT: about(30 + r.IntN(80)), Up: about(up), Down: about(down), UpLoss: about(1 + r.IntN(20)), DownLoss: about(1 + r.IntN(20)), Pair: "udp"}
		}
		c.patient.Samples = append(c.patient.Samples, sample(up, down))
		c.doctor.Samples = append(c.doctor.Samples, sample(down, up))
	}
	return c
}

// during changes the samples of a seat that end within (from, to].
func during(s *Seat, from, to int, change func(*events.Sample)) {
	for i := range s.Samples {
		if x := &s.Samples[i]; x.At > at(from).UnixMicro() && x.At <= at(to).UnixMicro() {
			change(x)
		}
	}
}

// mute takes the reports of a stretch away, as an outage does.
func mute(s *Seat, from, to int) {
	var kept []events.Sample
	for _, x := range s.Samples {
		if x.At <= at(from).UnixMicro() || x.At > at(to).UnixMicro() {
			kept = append(kept, x)
		}
	}
	s.Samples = kept
}

func num(n int) *int { return &n }

// injected are the faults a network and a telephone have, and the cause that a
// secretary should read.
func injected() map[string]struct {
	inject func(c *testCall, r *rand.Rand)
	cause  string
	role   care.Role
} {
	type fault = struct {
		inject func(c *testCall, r *rand.Rand)
		cause  string
		role   care.Role
	}
	said := func(what string, ms int) func(*events.Sample) {
		return func(x *events.Sample) { x.Faults = append(x.Faults, events.DeviceFault{What: what, Ms: ms}) }
	}
	lostAt := func(c *testCall, seat string, from, to int) {
		c.incidents = append(c.incidents, Incident{seat, "media_lost", at(from + 4)}, Incident{seat, "media_restored", at(to)})
	}
	return map[string]fault{
		"upload of the patient falls": {func(c *testCall, r *rand.Rand) {
			rate := 30 + r.IntN(60)
			during(&c.patient, 240, 280, func(x *events.Sample) { x.Word, x.Up = AudioOnly, num(rate) })
			during(&c.doctor, 240, 280, func(x *events.Sample) { x.Word, x.Down = AudioOnly, num(rate) })
		}, "uplink-low", care.Patient},
		"upload loses packets": {func(c *testCall, r *rand.Rand) {
			during(&c.patient, 240, 270, func(x *events.Sample) { x.Word, x.UpLoss = Weak, num(80+r.IntN(300)) })
		}, "uplink-loss", care.Patient},
		"download falls": {func(c *testCall, r *rand.Rand) {
			during(&c.patient, 200, 260, func(x *events.Sample) { x.Word, x.Down, x.Freezes, x.FreezeMs = Weak, num(20+r.IntN(100)), 2, 3000 })
		}, "downlink-low", care.Patient},
		"download loses packets": {func(c *testCall, r *rand.Rand) {
			during(&c.patient, 200, 230, func(x *events.Sample) { x.Word, x.DownLoss = Weak, num(80+r.IntN(300)) })
		}, "downlink-loss", care.Patient},
		"a slow link": {func(c *testCall, r *rand.Rand) {
			during(&c.patient, 200, 260, func(x *events.Sample) { x.Word, x.RTT = Weak, num(600+r.IntN(2000)) })
		}, "slow", care.Patient},
		"off line for 40 s, told afterwards": {func(c *testCall, r *rand.Rand) {
			mute(&c.patient, 300, 340)
			lostAt(c, "p", 300, 342)
			during(&c.patient, 340, 350, said("offline", 40_000))
			during(&c.patient, 340, 350, said("ice-restart", 900))
		}, "offline", care.Patient},
		"gone without a word": {func(c *testCall, r *rand.Rand) {
			mute(&c.patient, 300, 360)
			lostAt(c, "p", 300, 360)
			during(&c.patient, 360, 370, said("rejoin", 0))
		}, "gone", care.Patient},
		"our server restarts, and with it the media": {func(c *testCall, r *rand.Rand) {
			for _, s := range []*Seat{&c.patient, &c.doctor} {
				during(s, 300, 310, func(x *events.Sample) { x.Word = Lost; said("rejoin", 0)(x) })
			}
			c.incidents = append(c.incidents, Incident{"", "app_restarted", at(303)})
		}, "app-restarted", care.Patient},
		"our media node dies": {func(c *testCall, r *rand.Rand) {
			mute(&c.patient, 300, 320)
			c.incidents = append(c.incidents, Incident{"p", "node_lost", at(302)}, Incident{"p", "media_restored", at(318)})
		}, "node-lost", care.Patient},
		"everybody is cut at once and our side saw no fault of its own": {func(c *testCall, r *rand.Rand) {
			for _, s := range []*Seat{&c.patient, &c.doctor} {
				during(s, 300, 310, func(x *events.Sample) { x.Word = Lost; said("rejoin", 0)(x) })
			}
		}, "all-cut", care.Patient},
		"camera unplugged": {func(c *testCall, r *rand.Rand) {
			during(&c.patient, 100, 110, said("camera-lost", 7000))
		}, "camera-lost", care.Patient},
		"a phone call": {func(c *testCall, r *rand.Rand) {
			during(&c.patient, 100, 130, func(x *events.Sample) { x.Word = Weak; said("interrupted", 25_000)(x) })
		}, "interrupted", care.Patient},
		"permission taken back":    {func(c *testCall, r *rand.Rand) { during(&c.patient, 100, 110, said("permission-lost", 0)) }, "permission-lost", care.Patient},
		"a microphone that is off": {func(c *testCall, r *rand.Rand) { during(&c.patient, 50, 80, said("microphone-silent", 9000)) }, "microphone-silent", care.Patient},
		"from Wi-Fi to 4G": {func(c *testCall, r *rand.Rand) {
			during(&c.patient, 400, 410, func(x *events.Sample) { x.Word = Lost; said("ice-restart", 1800)(x) })
		}, "reconnected", care.Patient},
		"nobody knows": {func(c *testCall, r *rand.Rand) {
			during(&c.patient, 400, 420, func(x *events.Sample) { x.Word = Weak })
		}, "unknown", care.Patient},
	}
}

// TestInjectedFaultsAreNamed: M11, of 100 calls with each fault at least nine of
// ten name the right cause, once, and at the right time.
func TestInjectedFaultsAreNamed(t *testing.T) {
	for name, f := range injected() {
		right, wrong := 0, ""
		for seed := range uint64(100) {
			r := rand.New(rand.NewPCG(seed, 1))
			c := well(r)
			f.inject(c, r)
			list, err := Of([]Seat{c.patient, c.doctor}, c.incidents)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, x := range list {
				if x.Seat == "p" && x.Cause != nil {
					got += fmt.Sprintf("%s(%d) %s–%s ", x.Cause.Code, x.Cause.Value, x.From.Format("04:05"), x.To.Format("04:05"))
					if x.Cause.Code == f.cause && x.Cause.Role == f.role {
						right++
					} else {
						right -= 5
					}
				}
			}
			wrong = got
		}
		if right < 90 {
			t.Errorf("%s: %d of 100 right, last: %s", name, right, wrong)
		}
	}
}

// TestTheOtherSideIsTold: the doctor, whose own link is well, reads whose upload
// it was.
func TestTheOtherSideIsTold(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 2))
	c := well(r)
	during(&c.patient, 240, 280, func(x *events.Sample) { x.Word, x.Up = AudioOnly, num(80) })
	during(&c.doctor, 240, 280, func(x *events.Sample) { x.Word, x.Down = AudioOnly, num(75) })
	list, err := Of([]Seat{c.patient, c.doctor}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range list {
		if x.Cause == nil {
			continue
		}
		want := Cause{Code: "uplink-low", Value: 80, Role: care.Patient, Signed: true}
		if x.Seat == "d" {
			want.Code = "other-uplink-low"
		}
		if *x.Cause != want || !x.From.Equal(at(240)) || !x.To.Equal(at(280)) {
			t.Errorf("%s %s–%s: %+v, want %+v", x.Seat, x.From, x.To, *x.Cause, want)
		}
	}
}

func TestAGoodCallIsOneStretch(t *testing.T) {
	c := well(rand.New(rand.NewPCG(1, 1)))
	list, err := Of([]Seat{c.patient, c.doctor, {ID: "n", Role: care.Nurse}}, nil)
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	for _, x := range list {
		if x.Word != Good || x.Cause != nil || !x.From.Equal(at(0)) || !x.To.Equal(at(length)) || x.Pair != "udp" {
			t.Errorf("%+v", x)
		}
	}
}

// TestTheServerAloneIsEnough: a client that never reports, and one that left.
func TestTheServerAloneIsEnough(t *testing.T) {
	p := Seat{ID: "p", Role: care.Patient, Stays: []Span{{at(0), at(100)}}}
	list, err := Of([]Seat{p}, []Incident{{"p", "media_lost", at(90)}})
	if err != nil || len(list) != 1 || list[0].Word != Lost || list[0].Cause.Code != "gone" || !list[0].To.Equal(at(100)) {
		t.Errorf("%+v, %v", list, err)
	}
	c := well(rand.New(rand.NewPCG(1, 1)))
	mute(&c.patient, 300, 400) // away on purpose: not in the call
	c.patient.Stays = []Span{{at(0), at(300)}, {at(398), at(length)}}
	list, err = Of([]Seat{c.patient}, nil)
	if err != nil || len(list) != 1 || list[0].Word != Good {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestEveryCauseCanBeRead(t *testing.T) {
	list, err := load()
	if err != nil {
		t.Fatal(err)
	}
	if last := list[len(list)-1]; last.code != "unknown" || len(last.when) != 0 {
		t.Error("the last rule takes what is left")
	}
	for _, c := range Codes() {
		if c == "" {
			t.Error("a line without a code")
		}
	}
}

// Issue 9, A1 and A2: whatever a device says, nothing that is stated lasted longer than its person was there.
func TestNothingLastsLongerThanTheCall(t *testing.T) {
	faults := []string{"camera-lost", "microphone-lost", "microphone-silent", "interrupted", "offline", "rejoin"}
	rapid.Check(t, func(t *rapid.T) {
		joined := rapid.IntRange(0, 300).Draw(t, "joined")
		left := joined + rapid.IntRange(1, 300).Draw(t, "long")
		s := Seat{ID: "p", Role: care.Patient, Stays: []Span{{at(joined), at(left)}}, Ended: at(left)}
		for range rapid.IntRange(1, 6).Draw(t, "samples") {
			x := events.Sample{At: at(rapid.IntRange(0, 700).Draw(t, "at")).UnixMicro(), Ms: rapid.IntRange(0, 3_600_000).Draw(t, "ms"), FreezeMs: rapid.IntRange(0, 3_600_000).Draw(t, "freeze"),
				Word: rapid.SampledFrom([]string{Good, Weak, AudioOnly, Lost}).Draw(t, "word")}
			if rapid.Bool().Draw(t, "fault?") {
				x.Faults = []events.DeviceFault{{What: rapid.SampledFrom(faults).Draw(t, "fault"), Ms: rapid.IntRange(0, 3_600_000).Draw(t, "fault ms")}}
			}
			s.Samples = append(s.Samples, x)
		}
		other := Seat{ID: "d", Role: care.Doctor, Stays: []Span{{at(0), at(left)}}, Ended: at(left)}
		list, err := Of([]Seat{s, other}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range list {
			if x.From.Before(at(joined)) || x.To.After(at(left)) {
				t.Fatalf("%v to %v of somebody who was there from %v to %v", x.From, x.To, at(joined), at(left))
			}
			if x.Cause != nil && x.Cause.Timed && x.Cause.Value > 1000*(left-joined) {
				t.Fatalf("%s for %d ms in %d s", x.Cause.Code, x.Cause.Value, left-joined)
			}
		}
	})
}

// How long a fault lasted is what was said of it, not of another one, nor the length of the report.
func TestAFaultLastsAsLongAsItWasSaid(t *testing.T) {
	for name, c := range map[string]struct {
		sample events.Sample
		code   string
		value  int
	}{
		"its own":                 {events.Sample{Word: Weak, Faults: []events.DeviceFault{{What: "ice-restart", Ms: 9000}, {What: "interrupted", Ms: 3000}}}, "interrupted", 3000},
		"not said":                {events.Sample{Word: Weak, Faults: []events.DeviceFault{{What: "camera-lost"}, {What: "offline", Ms: 4000}}}, "camera-lost", 0},
		"frozen":                  {events.Sample{Word: Weak, Freezes: 2, FreezeMs: 900}, "frozen", 900},
		"longer than the stretch": {events.Sample{Word: Weak, Freezes: 2, FreezeMs: 900_000}, "frozen", 10_000},
		"longer than there":       {events.Sample{Word: Weak, Faults: []events.DeviceFault{{What: "interrupted", Ms: 900_000}}}, "interrupted", 20_000},
	} {
		c.sample.At, c.sample.Ms = at(30).UnixMicro(), 10_000
		list, err := Of([]Seat{{ID: "p", Role: care.Patient, Stays: []Span{{at(10), at(40)}}, Samples: []events.Sample{c.sample}}}, nil)
		if err != nil || len(list) != 1 || list[0].Cause == nil || list[0].Cause.Code != c.code || list[0].Cause.Value != c.value || !list[0].Cause.Timed {
			t.Errorf("%s: %+v %v", name, list, err)
		}
	}
}

func FuzzOf(f *testing.F) {
	f.Add(int64(0), 10, uint8(3), int64(5), 20)
	f.Fuzz(func(t *testing.T, a int64, am int, kind uint8, b int64, bm int) {
		words := []string{Good, Weak, AudioOnly, Lost}
		s := Seat{ID: "p", Stays: []Span{{at(0), time.Time{}}}, Samples: []events.Sample{{At: a, Ms: am, Word: words[kind%4]}, {At: b, Ms: bm, Word: words[kind/4%4], Up: &bm}}}
		list, err := Of([]Seat{s, {ID: "d", Samples: s.Samples[:1]}}, []Incident{{"p", "media_lost", time.UnixMicro(a)}})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range list {
			if (x.Cause == nil) != (x.Word == Good) || !x.To.After(x.From) {
				t.Fatalf("%+v", x)
			}
		}
	})
}
