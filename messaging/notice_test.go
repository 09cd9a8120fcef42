package messaging

import (
	"strings"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/messaging/sms"
)

// TestSMS_NamesOfEverywhere: whatever the names, each SMS is one segment, which is what is
// paid for; no letter becomes a question mark; names that the GSM alphabet has leave it
// in that alphabet; a code comes first, and says of which organisation it is and what for.
func TestSMS_NamesOfEverywhere(t *testing.T) {
	t.Parallel()
	svc := texter(t, "https://teleconsultation.maison-les-lilas.example.test")
	link := svc.PublicURL + linkPath + strings.Repeat("x", 43)
	names := map[string]struct {
		name string
		gsm  bool
	}{
		"short": {"Les Lilas", true}, "apostrophe": {"L’Escale – Centre d’Été", true}, "accents": {"Çà et là, l'œuvre de Zoë", true},
		"long":          {"Marie-Antoinette N'Guessan-Lefèvre de La Rochefoucauld et ses associés du quartier des Trois Rivières", true},
		"one long word": {strings.Repeat("Pluriprofessionnelle", 10), true},
		"Vietnamese":    {"Nguyễn Thị Ánh", false}, "Cyrillic": {"Клиника «Здоровье»", false}, "Arabic": {"عيادة النور", false}, "Chinese": {"巴黎诊所", false},
		"long Cyrillic": {strings.Repeat("Клиника Здоровье ", 8), false}, "emoji": {"Clinique 😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀", false},
	}
	abouts := []About{Booked, Moved, Cancelled, Reminder, Link, Recall, Late, Invited, Code, ContactCode}
	for kind, n := range names {
		for _, about := range abouts {
			for _, l := range []care.Language{care.French, care.English} {
				for _, to := range []Recipient{ToPatient, ToCompanion} {
					if to == ToCompanion && about != Invited && about != Moved && about != Cancelled || to == ToPatient && about == Invited {
						continue
					}
					d := &Delivery{Channel: SMS, About: about, Recipient: to, Language: l, Zone: "America/Miquelon", StartsAt: time.Date(2026, 9, 30, 12, 30, 0, 0, time.UTC)}
					got, err := svc.write(d, filling{with: n.name, of: short(n.name), clinic: n.name, link: link, code: "482913"})
					if err != nil {
						t.Errorf("%s, %s %s to %s: %v", kind, about, l, to, err)
						continue
					}
					if !sms.Fits(got.Text) || strings.Contains(got.Text, "?") || strings.ContainsAny(got.Text, "’«»–…") {
						t.Errorf("%s, %s %s to %s: %q", kind, about, l, to, got.Text)
					}
					if _, ok := sms.Septets(got.Text); !ok && n.gsm {
						t.Errorf("%s, %s %s: not of the GSM alphabet: %q", kind, about, l, got.Text)
					}
					if about == Code || about == ContactCode {
						first := strings.Fields(sms.Fold(strings.Map(func(r rune) rune {
							if r == '«' || r == '»' {
								return -1
							}
							return r
						}, n.name)))[0]
						first = string([]rune(first)[:min(4, len([]rune(first)))])
						if !strings.HasPrefix(got.Text, "482913 ") || !strings.Contains(got.Text, first) {
							t.Errorf("%s, %s %s: %q", kind, about, l, got.Text)
						}
					}
				}
			}
		}
	}
	for _, about := range []About{Code, ContactCode} { // facts of before name no organisation
		got, err := svc.write(&Delivery{Channel: SMS, About: about, Language: care.French}, filling{code: "482913"})
		if err != nil || !strings.HasPrefix(got.Text, "482913 est votre code pour ") || strings.Contains(got.Text, "..") || strings.Contains(got.Text, ". .") {
			t.Errorf("%s: %q %v", about, got.Text, err)
		}
	}
}

// TestSMS_TextsSayWhatFor: the whole text of each code, as it is read.
func TestSMS_TextsSayWhatFor(t *testing.T) {
	t.Parallel()
	svc := texter(t, "https://visavis.test")
	for _, x := range []struct {
		about About
		l     care.Language
		want  string
	}{
		{Code, care.French, "482913 est votre code pour confirmer que c'est bien vous. Maison des Lilas. Valable 10 minutes. Ne le donnez à personne."},
		{Code, care.English, "482913 is your code to confirm that it is you. Maison des Lilas. Valid for 10 minutes. Do not give it to anybody."},
		{ContactCode, care.French, "482913 est votre code pour prendre rendez-vous. Maison des Lilas. Valable 20 minutes. Ne le donnez à personne."},
		{ContactCode, care.English, "482913 is your code to book an appointment. Maison des Lilas. Valid for 20 minutes. Do not give it to anybody."},
	} {
		got, err := svc.write(&Delivery{Channel: SMS, About: x.about, Language: x.l}, filling{code: "482913", clinic: "Maison des Lilas"})
		if err != nil || got.Text != x.want {
			t.Errorf("%s %s: %q %v", x.about, x.l, got.Text, err)
		}
		if n, ok := sms.Septets(got.Text); !ok || n > sms.MaxSeptets || healthWord(got.Text) != "" {
			t.Errorf("%d septets, %q: %q", n, healthWord(got.Text), got.Text)
		}
	}
}
