package check

import (
	"slices"
	"time"

	"visavis/internal/care"
	"visavis/internal/fault"
)

// Result is what one check found. Rates are in kbit/s, 0 when they were not
// measured.
type Result struct {
	Camera     string `json:"camera" enum:"ok,denied,missing,busy,silent,failed,untested"`
	Microphone string `json:"microphone" enum:"ok,denied,missing,busy,silent,failed,untested"`
	Speaker    string `json:"speaker" enum:"ok,failed,untested"`
	UDP        string `json:"udp" enum:"ok,failed,off,untested"`
	TCP        string `json:"tcp" enum:"ok,failed,off,untested"`
	TLS        string `json:"tls" enum:"ok,failed,off,untested"`
	Up         int    `json:"upKbps" minimum:"0" maximum:"10000000"`
	Down       int    `json:"downKbps" minimum:"0" maximum:"10000000"`
	RTT        int    `json:"rttMs" minimum:"0" maximum:"60000"`
	Browser    string `json:"browser" enum:"safariIos,otherIos,chromeAndroid,samsung,firefoxAndroid,safari,firefox,chrome"`
	InApp      bool   `json:"inApp" doc:"in the built-in view of an application"`
	Silent     bool   `json:"silent" doc:"made by itself, without asking for the devices"`
}

// Kept is a result as it is kept.
type Kept struct {
	ID       string
	PersonID string
	Role     care.Role
	At       time.Time
	Result   Result
}

// Word is a result in a word.
type Word string

// The words.
const (
	Good Word = "good"
	Weak Word = "weak" // a call works, not at its best
	Bad  Word = "bad"  // a call does not work
)

// The rates below which a picture is poor, and below which there is none.
const (
	poor = 400
	none = 110
)

// Findings are what is wrong, the worst first: codes of the catalogue
// (check.<code>).
func (r Result) Findings() (word Word, codes []string) {
	word = Good
	add := func(w Word, code string) {
		codes = append(codes, code)
		if word != Bad {
			word = w
		}
	}
	ways := []string{r.UDP, r.TCP, r.TLS}
	lost := !slices.Contains(ways, "ok") && slices.Contains(ways, "failed")
	switch {
	case lost:
		add(Bad, "no-path")
	case r.Up > 0 && r.Up < none:
		add(Bad, "no-upload")
	case r.Down > 0 && r.Down < none:
		add(Bad, "no-download")
	}
	for _, d := range []struct{ what, state string }{{"camera", r.Camera}, {"microphone", r.Microphone}} {
		if d.state != "ok" && d.state != "untested" {
			add(Bad, d.what+"-"+d.state)
		}
	}
	if r.Speaker == "failed" {
		add(Bad, "speaker-failed")
	}
	if r.InApp {
		add(Weak, "in-app")
	}
	if !lost && r.UDP == "failed" {
		if r.TCP == "failed" {
			add(Weak, "only-tls")
		} else {
			add(Weak, "no-udp")
		}
	}
	if r.Up >= none && r.Up < poor {
		add(Weak, "slow-upload")
	}
	if r.Down >= none && r.Down < poor {
		add(Weak, "slow-download")
	}
	return word, codes
}

// check refuses what no browser of ours says, field by field. The API has
// checked the same; a result is also read back from the database.
func (r Result) check() error {
	device := []string{"ok", "denied", "missing", "busy", "silent", "failed", "untested"}
	way := []string{"ok", "failed", "off", "untested"}
	var wrong []fault.Field
	for _, f := range []struct {
		name, value string
		of          []string
	}{{"camera", r.Camera, device}, {"microphone", r.Microphone, device}, {"speaker", r.Speaker, []string{"ok", "failed", "untested"}},
		{"udp", r.UDP, way}, {"tcp", r.TCP, way}, {"tls", r.TLS, way}} {
		if !slices.Contains(f.of, f.value) {
			wrong = append(wrong, fault.Field{Name: f.name, Code: "not-a-choice"})
		}
	}
	if len(wrong) > 0 {
		return fault.Fields(wrong...)
	}
	return nil
}
