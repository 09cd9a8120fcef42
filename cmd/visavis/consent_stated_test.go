package main

import (
	"strings"
	"testing"
	"time"

	"visavis/consent"
	"visavis/internal/care"
	"visavis/internal/lang"
)

// TestStated_Consent: the report states the consent of the act, who gave it, by
// which way and who attests it, with what changed while the act lasted.
func TestStated_Consent(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 3, 10, 8, minute, 0, 0, time.UTC) }
	record := func(id string, state care.ConsentState, channel consent.Channel, minute int) consent.Record {
		return consent.Record{ID: care.ConsentID(id), State: state, TextID: "teleconsultation.v2.fr", Version: 2, Channel: channel, At: at(minute)}
	}
	granted := consent.Agreement{Record: record("one", care.ConsentGranted, consent.Web, 0)}
	withdrawn := consent.Agreement{Record: record("two", care.ConsentWithdrawn, consent.Web, 5)}
	again := consent.Agreement{Record: record("three", care.ConsentGranted, consent.Web, 7)}
	oral := consent.Agreement{Record: record("four", care.ConsentGranted, consent.Oral, 0), AttestedBy: "Dr Claire MARTIN"}
	mother := consent.Agreement{Record: record("five", care.ConsentGranted, consent.Oral, 0), AttestedBy: "Dr Claire MARTIN", Agent: &consent.Agent{Name: "Julie MOREAU", Relation: consent.Mother}}
	first := consent.Agreement{Record: record("six", care.ConsentGranted, consent.Oral, 0)}
	guardian := consent.Agreement{Record: record("seven", care.ConsentGranted, consent.Representative, 0), Agent: &consent.Agent{Name: "Ana RUIZ", Relation: consent.Guardian}}
	urgent := consent.Agreement{Record: record("eight", care.ConsentEmergency, consent.Emergency, 1), AttestedBy: "Dr Claire MARTIN"}
	refused := consent.Agreement{Record: record("nine", care.ConsentRefused, consent.Web, 6)}
	const emergency = "décision de commencer en urgence, sans accord, prise à 9 h 01 par Dr Claire MARTIN ; le motif est conservé avec cette décision"
	words, err := ownTexts()
	if err != nil {
		t.Fatal(err)
	}
	dates, err := lang.NewWords()
	if err != nil {
		t.Fatal(err)
	}
	say := teller{mustParis(t), dates, "M", func(key string, args map[string]string) string { return words.T("fr", key, args) }}
	const online = "accord à la téléconsultation donné en ligne par le patient le 10 mars 2026 à 9 h (texte version 2)"
	for _, c := range []struct {
		list     []consent.Agreement
		id, text string
	}{
		{nil, "", ""},
		{[]consent.Agreement{withdrawn}, "", ""},
		{[]consent.Agreement{granted}, "one", online},
		{[]consent.Agreement{granted, withdrawn}, "one", online + " ; retiré à 9 h 05, pendant la consultation"},
		{[]consent.Agreement{granted, withdrawn, again}, "one", online + " ; retiré à 9 h 05, pendant la consultation ; donné de nouveau à 9 h 07"},
		{[]consent.Agreement{withdrawn, again}, "three", "accord à la téléconsultation donné en ligne par le patient le 10 mars 2026 à 9 h 07 (texte version 2)"},
		{[]consent.Agreement{granted, refused}, "one", online + " ; refusé à 9 h 06, pendant la consultation"},
		{[]consent.Agreement{refused}, "", ""},
		{[]consent.Agreement{urgent}, "", emergency},
		{[]consent.Agreement{urgent, refused}, "", emergency + " ; refusé à 9 h 06, pendant la consultation"},
		{[]consent.Agreement{urgent, again}, "three", emergency + " ; accord à la téléconsultation donné en ligne par le patient le 10 mars 2026 à 9 h 07 (texte version 2)"},
		{[]consent.Agreement{oral}, "four", "accord à la téléconsultation donné de vive voix par le patient, attesté par Dr Claire MARTIN le 10 mars 2026 à 9 h (texte version 2)"},
		{[]consent.Agreement{mother}, "five", "accord à la téléconsultation donné de vive voix par Julie MOREAU, mère du patient, attesté par Dr Claire MARTIN le 10 mars 2026 à 9 h (texte version 2)"},
		{[]consent.Agreement{first}, "six", "accord à la téléconsultation donné de vive voix par le patient, attesté par le professionnel le 10 mars 2026 à 9 h (texte version 2)"},
		{[]consent.Agreement{guardian}, "seven", "accord à la téléconsultation donné en ligne par Ana RUIZ, tuteur ou tutrice du patient, le 10 mars 2026 à 9 h (texte version 2)"},
	} {
		id, text := stated(c.list, say)
		if text = strings.ReplaceAll(text, "\u00a0", " "); id != c.id || text != c.text {
			t.Errorf("%v:\n%q %q, want\n%q %q", c.list, id, text, c.id, c.text)
		}
	}
	say.sex = "F"
	for _, list := range [][]consent.Agreement{{granted}, {oral}, {mother}, {guardian}} {
		if _, text := stated(list, say); strings.Contains(text, "patient ") || strings.Contains(text, "patient,") || !strings.Contains(text, "la patiente") {
			t.Errorf("of a woman: %s", text)
		}
	}
}
