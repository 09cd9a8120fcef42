package quality_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"visavis/internal/events"
	"visavis/signaling/quality"

	"pgregory.net/rapid"
)

func TestAReportIsRead(t *testing.T) {
	s, field := quality.Read([]byte(`{"t":"quality","seq":31,"word":"weak","ms":10000,"rttMs":240,"upKbps":80,"upLoss":0.06,"downLoss":0,
		"freezes":1,"freezeMs":900,"pair":"relay-tls","faults":[{"what":"ice-restart","ms":1400},{"what":"offline"}],"later":{"x":1}}`))
	if field != "" {
		t.Fatal(field)
	}
	if s.Word != "weak" || s.Ms != 10000 || *s.RTT != 240 || *s.Up != 80 || *s.UpLoss != 60 || *s.DownLoss != 0 || s.Freezes != 1 || s.FreezeMs != 900 || s.Pair != "relay-tls" {
		t.Errorf("%+v", s)
	}
	if s.Down != nil {
		t.Error("what was not said is not zero")
	}
	if len(s.Faults) != 2 || s.Faults[0] != (events.DeviceFault{What: "ice-restart", Ms: 1400}) || s.Faults[1].Ms != 0 {
		t.Errorf("%+v", s.Faults)
	}
}

func TestAReportIsRefusedByName(t *testing.T) {
	for in, want := range map[string]string{
		`{}`:                                                        "word",
		`{"word":"superb"}`:                                         "word",
		`{"word":7}`:                                                "word",
		`{"word":"good","rttMs":-1}`:                                "rttMs",
		`{"word":"good","rttMs":60001}`:                             "rttMs",
		`{"word":"good","rttMs":1.5}`:                               "rttMs",
		`{"word":"good","upKbps":1e12}`:                             "upKbps",
		`{"word":"good","downKbps":-3}`:                             "downKbps",
		`{"word":"good","upLoss":1.01}`:                             "upLoss",
		`{"word":"good","downLoss":-0.1}`:                           "downLoss",
		`{"word":"good","upLoss":"x"}`:                              "upLoss",
		`{"word":"good","freezes":10001}`:                           "freezes",
		`{"word":"good","freezeMs":3600001}`:                        "freezeMs",
		`{"word":"good","ms":-5}`:                                   "ms",
		`{"word":"good","pair":"host"}`:                             "pair",
		`{"word":"good","faults":[{}]}`:                             "faults",
		`{"word":"good","faults":[{"what":"Mme Martin pleure"}]}`:   "faults",
		`{"word":"good","faults":[{"what":"offline","ms":-1}]}`:     "faults",
		`{"word":"good","pad":"` + strings.Repeat("x", 5000) + `"}`: "size",
		`{"word":"good","faults":[` + strings.Repeat(`{"what":"offline"},`, 20) + `{"what":"offline"}]}`: "faults",
		`[`: "quality",
	} {
		if _, field := quality.Read([]byte(in)); field != want {
			t.Errorf("%.80s: %q, want %q", in, field, want)
		}
	}
}

// Minutes of one pause that goes on are one sample; where it begins or ends, a new one begins.
func TestMerge_Pauses(t *testing.T) {
	var list []events.Sample
	for i := range 6 {
		s := events.Sample{Word: "good", Pair: "udp", Ms: 10_000, At: int64(i+1) * 10_000_000}
		if i >= 2 && i < 5 {
			s.Pauses = []events.Pause{{What: events.PauseHold, From: 20_000_000, To: s.At}}
		}
		list = append(list, s)
	}
	out := quality.Merge(list)
	if len(out) != 3 || out[0].Ms != 20_000 || out[1].Ms != 30_000 || out[1].Pauses[0].To != 50_000_000 || len(out[2].Pauses) != 0 {
		t.Errorf("%+v", out)
	}
}

// Issue 9, A2: nothing that a client reports lasted longer than it was in the call, whatever the duration is called.
func TestBound_EveryDuration(t *testing.T) {
	for field, duration := range map[string]func(*events.Sample) *int{
		"ms":        func(s *events.Sample) *int { return &s.Ms },
		"freezeMs":  func(s *events.Sample) *int { return &s.FreezeMs },
		"faults.ms": func(s *events.Sample) *int { return &s.Faults[1].Ms },
	} {
		for _, c := range []struct {
			said  int
			there time.Duration
			want  int
		}{{3_600_000, 20 * time.Second, 20_000}, {20_000, 20 * time.Second, 20_000}, {900, 20 * time.Second, 900}, {0, time.Hour, 0}, {5000, 0, 0}, {5000, -time.Second, 0}} {
			s := events.Sample{Word: "weak", Faults: []events.DeviceFault{{What: "rejoin"}, {What: "offline"}}}
			*duration(&s) = c.said
			if quality.Bound(&s, c.there); *duration(&s) != c.want {
				t.Errorf("%s %d of somebody who was there for %v: %d, want %d", field, c.said, c.there, *duration(&s), c.want)
			}
		}
	}
	var durations int
	kind := reflect.TypeFor[events.Sample]()
	for i := range kind.NumField() {
		if strings.HasSuffix(kind.Field(i).Name, "Ms") {
			durations++
		}
	}
	if durations != 2 {
		t.Errorf("%d durations in a sample: Bound and this table know two", durations)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"word":"good","upLoss":0.5,"faults":[{"what":"rejoin","ms":9}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, field := quality.Read(b)
		if field != "" {
			return
		}
		out, err := json.Marshal(s)
		if err != nil || len(out) > 2048 {
			t.Fatalf("%d bytes, %v", len(out), err)
		}
	})
}

func sample(t *rapid.T) events.Sample {
	n := func(name string, most int) *int {
		if rapid.Bool().Draw(t, name+"?") {
			return nil
		}
		v := rapid.IntRange(0, most).Draw(t, name)
		return &v
	}
	s := events.Sample{
		Word: rapid.SampledFrom([]string{"good", "good", "good", "weak", "lost"}).Draw(t, "word"), Pair: rapid.SampledFrom([]string{"udp", "udp", "relay-tls"}).Draw(t, "pair"),
		Ms: 10_000, RTT: n("rtt", 500), Up: n("up", 2000), UpLoss: n("loss", 1000), Freezes: rapid.IntRange(0, 3).Draw(t, "freezes"),
	}
	if rapid.IntRange(0, 9).Draw(t, "fault") == 0 {
		s.Faults = []events.DeviceFault{{What: "offline"}}
	}
	return s
}

// TestMergingHidesNothing: what went badly stays as it was, time and freezes
// add up, and the worst of what went well is still there.
func TestMergingHidesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.Custom(sample), 1, 40).Draw(t, "samples")
		for i := range list {
			list[i].At = int64(i+1) * 10_000_000
		}
		out := quality.Merge(list)
		total := func(l []events.Sample) (ms, freezes, bad int, up, rtt int) {
			up = 1 << 30
			for _, s := range l {
				ms, freezes = ms+s.Ms, freezes+s.Freezes
				if quality.Urgent(s) {
					bad++
				}
				if s.Up != nil {
					up = min(up, *s.Up)
				}
				if s.RTT != nil {
					rtt = max(rtt, *s.RTT)
				}
			}
			return ms, freezes, bad, up, rtt
		}
		am, af, ab, au, ar := total(list)
		bm, bf, bb, bu, br := total(out)
		if am != bm || af != bf || ab != bb || au != bu || ar != br {
			t.Fatalf("%v became %v", list, out)
		}
		for i, s := range out {
			if s.Ms > quality.Merged || i > 0 && s.At <= out[i-1].At {
				t.Fatalf("sample %d of %v", i, out)
			}
		}
	})
	six := make([]events.Sample, 6)
	for i := range six {
		six[i] = events.Sample{Word: "good", Pair: "udp", Ms: 10_000, At: int64(i)}
	}
	if out := quality.Merge(six); len(out) != 1 {
		t.Errorf("a good minute is %d samples", len(out))
	}
}
