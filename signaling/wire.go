package signaling

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"visavis/internal/care"
	"visavis/internal/profession"
	"visavis/internal/typography"
	"visavis/signaling/chat"
	"visavis/signaling/still"
)

// The limits of the protocol (docs/signaling.md).
const (
	protocol    = "visavis.v1"
	readLimit   = 64 << 10
	helloWait   = 5 * time.Second
	messageWait = 5 * time.Second // from the first fragment of a message to its last
	takeWait    = 60 * time.Second
	pingEvery   = 15 * time.Second
	pongWait    = 10 * time.Second
	perSecond   = 30
	burst       = 60
	keepUnacked = 256
	replayEvery = chat.Window / chat.PerMinute
	offerEvery  = 2 * time.Second
	offerBurst  = 8
	resumeFor   = 60 * time.Second
	ticketLife  = time.Minute
	maxText     = 2000
	maxName     = 64
	maxSeats    = 32              // of one hold
	maxSlots    = 16              // of one view
	maxHeight   = 8192            // of a picture, pixels
	sayEvery    = time.Second     // quality: what comes faster is not kept
	writeEvery  = 5 * time.Second // quality: what went badly is written at once, yet not more often
	keepSamples = 6               // quality: what went well is written together
)

// The close codes of §7.
const (
	closeTicket    = 4001
	closeNoHello   = 4002
	closeResume    = 4003
	closeFlood     = 4008
	closeTakenOver = 4009
	closeEnded     = 4010
	closeRemoved   = 4011
)

// inbound is any message of a client.
type inbound struct {
	T         string   `json:"t"`
	Seq       uint64   `json:"seq"`
	Ack       uint64   `json:"ack"`
	Ticket    string   `json:"ticket"`
	Tab       string   `json:"tab"`
	Client    string   `json:"client"`
	Session   string   `json:"session"`
	Last      uint64   `json:"last"`
	PC        int      `json:"pc"`
	SDP       string   `json:"sdp"`
	Candidate string   `json:"candidate"`
	Mid       string   `json:"mid"`
	Mic       bool     `json:"mic"`
	Camera    bool     `json:"camera"`
	Screen    bool     `json:"screen"`
	ID        string   `json:"id"`
	Text      string   `json:"text"`
	To        string   `json:"to"`
	Seat      string   `json:"seat"`
	Reason    string   `json:"reason"`
	Seats     []string `json:"seats"`
	State     string   `json:"state"`
	Slots     []struct {
		Mid    string `json:"mid"`
		Height int    `json:"height"`
	} `json:"slots"`
	Kept *claim `json:"kept"`

	raw []byte // the whole message, of quality
}

// claim says that a client still has the PeerConnection PC, which it offered in
// the session named.
type claim struct {
	Session string `json:"session"`
	PC      int    `json:"pc"`
}

// check names the first field that is wrong, "" when none is.
func (m *inbound) check() string {
	if field := m.control(); field != "" {
		return field
	}
	return m.checkFields()
}

func (m *inbound) checkFields() string {
	length := func(s string, least, most int) bool {
		n := utf8.RuneCountInString(s)
		return utf8.ValidString(s) && n >= least && n <= most
	}
	switch m.T {
	case "hello":
		if !length(m.Tab, 1, maxName) {
			return "tab"
		}
		if !length(m.Client, 0, maxName) {
			return "client"
		}
	case "offer":
		if m.PC < 1 {
			return "pc"
		}
		if m.SDP == "" {
			return "sdp"
		}
	case "chat":
		switch {
		case !length(m.ID, 1, maxName):
			return "id"
		case !length(m.Text, 1, maxText):
			return "text"
		case len(m.To) > maxName:
			return "to"
		}
	case "admit", "remove":
		if m.Seat == "" {
			return "seat"
		}
		if m.T == "remove" && m.Reason != "wrong_person" && m.Reason != "disturbance" && m.Reason != "other" {
			return "reason"
		}
	case "still", "still_answer":
		return m.checkStill()
	case "hold":
		if len(m.Seats) > maxSeats {
			return "seats"
		}
	case "view":
		if m.PC < 1 {
			return "pc"
		}
		if len(m.Slots) > maxSlots {
			return "slots"
		}
		for _, x := range m.Slots {
			if !length(x.Mid, 1, 16) || x.Height < 0 || x.Height > maxHeight {
				return "slots"
			}
		}
	case "resume", "takeover", "mute", "candidate", "turn", "leave", "end", "ack", "ping", "quality", "recall", "bye":
	default:
		return "t"
	}
	return ""
}

// control names the first text with a sign that nobody types: a control sign, which PostgreSQL cannot keep when
// it is a NUL, or one that turns the order of the text round (U+202D, U+202E), which makes it read otherwise.
func (m *inbound) control() string {
	if wrong := typography.Controls(m); len(wrong) > 0 {
		return wrong[0].Name
	}
	for field, text := range map[string]string{"text": m.Text, "id": m.ID} {
		if strings.ContainsAny(text, "\u202d\u202e") {
			return field
		}
	}
	return ""
}

func (m *inbound) checkStill() string {
	switch {
	case m.T == "still" && m.Seat == "":
		return "seat"
	case m.T == "still_answer" && (m.ID == "" || len(m.ID) > maxName):
		return "id"
	case m.T == "still_answer" && !still.Answer(still.State(m.State)):
		return "state"
	}
	return ""
}

// sequenced says whether the type carries seq.
func (m *inbound) sequenced() bool {
	switch m.T {
	case "hello", "resume", "takeover", "ping", "ack", "bye":
		return false
	}
	return true
}

// What the server says. Each is put behind t, seq and ack by frame.
type (
	mediaMsg struct {
		Allowed bool   `json:"allowed"`
		Reason  string `json:"reason,omitempty"`
	}
	welcomeMsg struct {
		Session   string           `json:"session"`
		ResumeFor int              `json:"resumeFor"`
		Seat      string           `json:"seat"`
		Encounter care.EncounterID `json:"encounter"`
		Role      profession.Word  `json:"role"`
		Name      string           `json:"name"`
		Host      bool             `json:"host"`
		State     State            `json:"state"`
		Identity  string           `json:"identity,omitempty"`
		KeptUntil time.Time        `json:"keptUntil"`
		Media     mediaMsg         `json:"media"`
		ICE       ICE              `json:"ice"`
		Kept      int              `json:"kept,omitempty"` // the PeerConnection that goes on
		Now       time.Time        `json:"now"`
	}
	rejoinMsg struct {
		PC     int    `json:"pc"`
		Reason string `json:"reason"`
		ICE    ICE    `json:"ice"`
	}
	seatMsg struct {
		Seat     string          `json:"seat"`
		Name     string          `json:"name"`
		Role     profession.Word `json:"role"`
		Host     bool            `json:"host"`
		State    State           `json:"state"`
		Online   bool            `json:"online"`
		Since    time.Time       `json:"since"`
		Recalled *time.Time      `json:"recalled,omitempty"`
		Again    bool            `json:"again,omitempty"` // waits in another sign-in than the one that was admitted
		Identity string          `json:"identity,omitempty"`
		Mic      bool            `json:"mic"`
		Camera   bool            `json:"camera"`
		Screen   bool            `json:"screen"`
		Held     bool            `json:"held,omitempty"`
		Link     string          `json:"link"`
	}
	roomMsg struct {
		Started *time.Time `json:"started,omitempty"`
		Seats   []seatMsg  `json:"seats"`
	}
	waitMsg struct {
		From  int    `json:"fromMinutes"`
		To    int    `json:"toMinutes"`
		Basis string `json:"basis"`
	}
	queueMsg struct {
		Position   int        `json:"position"`
		Of         int        `json:"of"`
		Wait       *waitMsg   `json:"wait,omitempty"`
		HostOnline bool       `json:"hostOnline"`
		Planned    time.Time  `json:"planned"`
		Late       int        `json:"lateMinutes,omitempty"`
		Recall     *recallMsg `json:"recall,omitempty"`
	}
	recallMsg struct {
		PhoneEnd string     `json:"phoneEnd"`
		Asked    bool       `json:"asked"`
		SentAt   *time.Time `json:"sentAt,omitempty"`
	}
	chatMsg struct {
		ID     string          `json:"id"`
		From   string          `json:"from"`
		Name   string          `json:"name"`
		Role   profession.Word `json:"role"`
		At     time.Time       `json:"at"`
		Text   string          `json:"text"`
		To     string          `json:"to,omitempty"`     // the seat it was written to alone
		ToName string          `json:"toName,omitempty"` // and who sits there
	}
	historyMsg struct {
		Messages []chatMsg `json:"messages"`
	}
	stillMsg struct {
		ID    string      `json:"id"`
		Seat  string      `json:"seat"`
		By    string      `json:"by"`
		Name  string      `json:"name"` // of who asks
		State still.State `json:"state"`
		Still string      `json:"still,omitempty"` // of the photo
		At    time.Time   `json:"at"`
	}
	stillsMsg struct {
		Requests []stillMsg `json:"requests"`
	}
	answerMsg struct {
		PC  int    `json:"pc"`
		Re  uint64 `json:"re"`
		SDP string `json:"sdp"`
	}
	slotMsg struct {
		Mid    string `json:"mid"`
		Seat   string `json:"seat"`
		Kind   string `json:"kind"`
		Source string `json:"source"`
		Paused bool   `json:"paused,omitempty"`
	}
	slotsMsg struct {
		PC    int       `json:"pc"`
		Slots []slotMsg `json:"slots"`
	}
	speakingMsg struct {
		Seats []string `json:"seats"`
	}
	admittedMsg struct {
		By string `json:"by"`
	}
	endedMsg struct {
		Reason string    `json:"reason"`
		At     time.Time `json:"at"`
	}
	noticeMsg struct {
		Code      string `json:"code"`
		InSeconds int    `json:"inSeconds"`
	}
	busyMsg struct {
		Since time.Time `json:"since"`
	}
	pongMsg struct {
		At time.Time `json:"at"`
	}
	errorMsg struct {
		Re     uint64 `json:"re,omitempty"`
		Code   string `json:"code"`
		Field  string `json:"field,omitempty"`
		Reason string `json:"reason,omitempty"`
		// Seconds to wait before it can be sent; 0: waiting does not help.
		Seconds int    `json:"seconds,omitempty"`
		ID      string `json:"id,omitempty"` // of the chat message that was not kept
	}
)

// frame writes a message with its head. body is one of the structs above or
// nil.
func frame(t string, seq, ack uint64, body any) []byte {
	head := struct {
		T   string `json:"t"`
		Seq uint64 `json:"seq,omitempty"`
		Ack uint64 `json:"ack,omitempty"`
	}{t, seq, ack}
	b, _ := json.Marshal(head) // strings and numbers: cannot fail
	if body == nil {
		return b
	}
	rest, err := json.Marshal(body)
	if err != nil || len(rest) <= 2 {
		return b
	}
	b[len(b)-1] = ','
	return append(b, rest[1:]...)
}

// word is what pages name the person by, whose role is given.
func (p Person) word(role care.Role) profession.Word {
	return cmp.Or(p.Word, profession.WordOf("", role))
}
