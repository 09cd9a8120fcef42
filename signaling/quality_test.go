package signaling_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"visavis/internal/events"
	"visavis/internal/store"
	"visavis/internal/testkit"
	"visavis/internal/testkit/rtcclient"
)

func TestWhatAClientSaysOfItsCallIsKeptAndCanNotHarmIt(t *testing.T) {
	h := testkit.NewHouse(t, testkit.OpenSQLite(t))
	var mu sync.Mutex
	var said []events.Measured
	h.Bus.On(events.MediaMeasured, "test.measured", func(_ context.Context, _ *store.Tx, e events.Event) error {
		var m events.Measured
		if err := e.Decode(&m); err != nil {
			return err
		}
		mu.Lock()
		said = append(said, m)
		mu.Unlock()
		return nil
	})
	c := open(t, h)
	patient, _ := c.enter("patient", "a")
	doctor, _ := c.enter("doctor", "a")
	c.send(patient, "quality", map[string]any{"word": "lost", "rttMs": 1}) // waits: not kept
	c.send(doctor, "admit", map[string]any{"seat": patient.Seat})
	c.wait(patient, "admitted", nil)
	for _, field := range []string{"word", "rttMs", "pair", "faults"} { // more than three, and the socket lives
		n := c.send(patient, "quality", map[string]any{"word": map[bool]string{true: "superb", false: "good"}[field == "word"], field: "MARK"})
		e := c.wait(patient, "error", func(m rtcclient.Msg) bool { return uint64(m.Num("re")) == n })
		if e.Str("code") != "invalid" || e.Str("field") != field {
			t.Errorf("%s: %v", field, e)
		}
	}
	began := time.Now()
	c.send(patient, "quality", map[string]any{"word": "weak", "upKbps": 80, "ms": 3_600_000, "freezeMs": 3_600_000})
	for range 20 { // a flood: the first of a second is kept
		c.send(patient, "quality", map[string]any{"word": "weak", "upKbps": 70})
	}
	c.send(doctor, "quality", map[string]any{"word": "good", "pair": "udp"})
	c.send(patient, "chat", map[string]any{"id": "1", "text": "encore là"})
	c.wait(doctor, "chat", nil)
	most := 1 + int(time.Since(began)/time.Second)
	c.send(doctor, "end", nil)
	c.wait(patient, "ended", nil)
	testkit.Eventually(t, 10*time.Second, "both seats' reports", func() bool { mu.Lock(); defer mu.Unlock(); return len(said) >= 2 })
	mu.Lock()
	defer mu.Unlock()
	kept := map[string][]events.Sample{}
	for _, m := range said {
		if m.EncounterID != c.enc {
			t.Errorf("of another act: %+v", m)
		}
		kept[string(m.Role)] = append(kept[string(m.Role)], m.Samples...)
	}
	for _, x := range kept["patient"] {
		if x.Ms > 60_000 || x.FreezeMs > 60_000 {
			t.Errorf("%+v of somebody who has just come", x)
		}
	}
	if p := kept["patient"]; len(p) == 0 || len(p) > most || p[0].Word != "weak" || *p[0].Up != 80 || p[0].At == 0 {
		t.Errorf("the patient's: %+v", p)
	}
	if d := kept["doctor"]; len(d) != 1 || d[0].Pair != "udp" {
		t.Errorf("the doctor's, written at the end: %+v", d)
	}
}
