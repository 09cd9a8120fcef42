// Package quality reads what a client says of its own call (docs/signaling.md
// §6.7) and makes little of much: minutes that went well become one line. It
// holds numbers and words of a closed list, and nothing that a person wrote.
package quality

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"time"

	"visavis/internal/events"
)

// The bounds of one report. What is larger is not of a call.
const (
	maxSize   = 4 << 10   // bytes
	maxFaults = 20        // of one report
	maxRTT    = 60_000    // milliseconds
	maxKbps   = 1_000_000 // kbit/s
	maxCount  = 10_000    // freezes
	maxMs     = 3_600_000 // milliseconds: an hour
	Merged    = 60_000    // milliseconds: the longest stretch that went well and is kept as one sample
)

// The words of a report.
const (
	Good      = "good"
	Weak      = "weak"
	AudioOnly = "audio-only"
	Lost      = "lost"
)

func words() []string { return []string{Good, Weak, AudioOnly, Lost} }

func pairs() []string { return []string{"udp", "tcp", "relay-udp", "relay-tcp", "relay-tls"} }

// faults are what may have happened to a client (the contract with web/rtc).
func faults() []string {
	return []string{
		"camera-lost", "microphone-lost", "microphone-silent", "permission-lost", "interrupted",
		"ice-restart", "rejoin", "signalling-lost", "offline", "device-changed",
	}
}

type report struct {
	Word     *string  `json:"word"`
	RTT      *int     `json:"rttMs"`
	Up       *int     `json:"upKbps"`
	Down     *int     `json:"downKbps"`
	UpLoss   *float64 `json:"upLoss"`
	DownLoss *float64 `json:"downLoss"`
	Freezes  *int     `json:"freezes"`
	FreezeMs *int     `json:"freezeMs"`
	Pair     *string  `json:"pair"`
	Ms       *int     `json:"ms"`
	Faults   []struct {
		What string `json:"what"`
		Ms   *int   `json:"ms"`
	} `json:"faults"`
}

// Read makes a sample of one message. When something in it is wrong it names
// the field and nothing is kept; what is absent is unknown, not zero.
func Read(message []byte) (s events.Sample, field string) {
	if len(message) > maxSize {
		return s, "size"
	}
	var r report
	if err := json.Unmarshal(message, &r); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return s, wrong.Field
		}
		return s, "quality"
	}
	if r.Word == nil || !slices.Contains(words(), *r.Word) {
		return s, "word"
	}
	s.Word = *r.Word
	for _, n := range []struct {
		name string
		in   *int
		most int
		out  **int
	}{
		{"rttMs", r.RTT, maxRTT, &s.RTT}, {"upKbps", r.Up, maxKbps, &s.Up}, {"downKbps", r.Down, maxKbps, &s.Down},
		{"upLoss", permille(r.UpLoss), 1000, &s.UpLoss}, {"downLoss", permille(r.DownLoss), 1000, &s.DownLoss},
	} {
		if n.in != nil && (*n.in < 0 || *n.in > n.most) {
			return s, n.name
		}
		*n.out = n.in
	}
	for _, n := range []struct {
		name string
		in   *int
		most int
		out  *int
	}{{"freezes", r.Freezes, maxCount, &s.Freezes}, {"freezeMs", r.FreezeMs, maxMs, &s.FreezeMs}, {"ms", r.Ms, maxMs, &s.Ms}} {
		if n.in == nil {
			continue
		}
		if *n.in < 0 || *n.in > n.most {
			return s, n.name
		}
		*n.out = *n.in
	}
	if r.Pair != nil {
		if s.Pair = *r.Pair; !slices.Contains(pairs(), s.Pair) {
			return s, "pair"
		}
	}
	return withFaults(s, r)
}

func withFaults(s events.Sample, r report) (events.Sample, string) {
	if len(r.Faults) > maxFaults {
		return s, "faults"
	}
	for _, f := range r.Faults {
		x := events.DeviceFault{What: f.What}
		if f.Ms != nil {
			x.Ms = *f.Ms
		}
		if !slices.Contains(faults(), f.What) || x.Ms < 0 || x.Ms > maxMs {
			return s, "faults"
		}
		s.Faults = append(s.Faults, x)
	}
	return s, ""
}

// Bound limits every duration of a sample to how long its client has been in the call:
// its window, its freezes and its faults. A freeze may be longer than its window: it is
// counted when it ends, and may have begun before.
func Bound(s *events.Sample, there time.Duration) {
	most := int(max(0, there.Milliseconds()))
	s.Ms, s.FreezeMs = min(s.Ms, most), min(s.FreezeMs, most)
	for i := range s.Faults {
		s.Faults[i].Ms = min(s.Faults[i].Ms, most)
	}
}

// permille turns a share of 0 to 1 into thousandths; out of range stays so.
func permille(f *float64) *int {
	if f == nil {
		return nil
	}
	n := -1
	if *f >= 0 && *f <= 1 {
		n = int(math.Round(*f * 1000))
	}
	return &n
}
