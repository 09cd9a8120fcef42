package main

import (
	"testing"
	"time"

	"visavis/consent"
	"visavis/internal/care"
)

// TestTheReportStatesTheConsentOfTheAct, with what changed while it lasted.
func TestTheReportStatesTheConsentOfTheAct(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 3, 10, 8, minute, 0, 0, time.UTC) }
	granted := consent.Record{ID: "one", State: care.ConsentGranted, TextID: "t1", Channel: consent.Web, At: at(0)}
	withdrawn := consent.Record{ID: "two", State: care.ConsentWithdrawn, TextID: "t1", At: at(5)}
	again := consent.Record{ID: "three", State: care.ConsentGranted, TextID: "t1", Channel: consent.Web, At: at(7)}
	say := func(key string, args map[string]string) string { return key + args["time"] + args["channel"] + " " }
	for _, c := range []struct {
		list     []consent.Record
		id, text string
	}{
		{nil, "", ""},
		{[]consent.Record{withdrawn}, "", ""},
		{[]consent.Record{granted}, "one", "consent.statedchannel.web  "},
		{[]consent.Record{granted, withdrawn}, "one", "consent.statedchannel.web  consent.withdrawn09:05 "},
		{[]consent.Record{granted, withdrawn, again}, "one", "consent.statedchannel.web  consent.withdrawn09:05 consent.again09:07 "},
		{[]consent.Record{withdrawn, again}, "three", "consent.statedchannel.web  "},
	} {
		if id, text := stated(c.list, mustParis(t), say); id != c.id || text != c.text {
			t.Errorf("%v: %q %q, want %q %q", c.list, id, text, c.id, c.text)
		}
	}
}
