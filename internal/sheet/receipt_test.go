package sheet

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func receipt(language string) Receipt {
	paris := time.FixedZone("Paris", 3600)
	at := time.Date(2026, 3, 10, 9, 4, 5, 0, paris)
	return Receipt{
		Language: language, ID: "0190eeee-0000-7000-8000-000000000001", PrintedAt: at, Decision: "granted", At: at, Channel: "representative",
		Patient: "Léa Moreau", Minor: true, Agent: "Rose Moreau", Relation: "mother", Act: "teleconsultation", ActAt: at.Add(time.Hour),
		Practitioner: "Dr Claire MARTIN", Organization: "Maison médicale des Lilas", TextID: "teleconsultation.v1.fr", TextVersion: "1",
		TextLanguage: "fr", TextHash: strings.Repeat("ab", 32), RecordHash: strings.Repeat("cd", 32), KeyID: "0011223344556677",
		Stamp: "stamped", StampAt: at.Add(time.Second), Authority: "CN=TSA,C=FR", Verify: Verification{"https://visavis.test/accord#ABCD", "ABCD-EFGH"},
		Text: []Block{{BlockTitle, "Votre accord"}, {BlockParagraph, "Rien ne commence sans vous."}, {BlockHeading, "Ce qui se passe"}, {BlockItem, "Le médecin vous voit."}},
	}
}

// B8: the receipt says who, what, when, how, the exact text, and the proof.
func TestReceipt(t *testing.T) {
	pdf, err := press(t).Receipt(receipt("fr"))
	if err != nil {
		t.Fatal(err)
	}
	sound(t, "receipt", pdf)
	got := words(t, pdf)
	expect(t, "receipt", got, "Reçu de consentement", "Accord donné", "Léa Moreau, mineur le jour de l'acte", "Rose Moreau, mère",
		"Par son représentant, sur la page", "10 mars 2026", "2026-03-10 08:04:05 UTC", "avec Dr Claire MARTIN, Maison médicale des Lilas",
		"teleconsultation.v1.fr, version 1", strings.Repeat("ab", 16), strings.Repeat("cd", 16), "clé 0011223344556677", "par CN=TSA,C=FR",
		"Code de vérification : ABCD-EFGH", "https://visavis.test/accord#ABCD", "Rien ne commence sans vous.", "Le médecin vous voit.", "Page 1 sur 2")
	if again, err := press(t).Receipt(receipt("fr")); err != nil || !bytes.Equal(again, pdf) {
		t.Errorf("the same receipt gave other bytes (%v)", err)
	}
}

func TestReceiptInEveryState(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Receipt)
		want   []string
	}{
		"English":          {func(*Receipt) {}, []string{"Consent receipt", "Rose Moreau, mother", "10 March 2026", "Verification code: ABCD-EFGH", "Votre accord", "Page 1 of 2"}},
		"unknown language": {func(r *Receipt) { r.Language = "de" }, []string{"Reçu de consentement"}},
		"pending":          {func(r *Receipt) { r.Stamp = "pending" }, []string{"asked for, not received yet"}},
		"retrying":         {func(r *Receipt) { r.Stamp = "retrying" }, []string{"the request is repeated"}},
		"no authority":     {func(r *Receipt) { r.Stamp = "off" }, []string{"signed, not time-stamped"}},
		"refused":          {func(r *Receipt) { r.Decision = "refused" }, []string{"Refusal"}},
		"withdrawn":        {func(r *Receipt) { r.Decision, r.Agent, r.Minor, r.Channel = "withdrawn", "", false, "web" }, []string{"Agreement withdrawn", "By the patient, on the page", "Patient Léa Moreau"}},
		"later":            {func(r *Receipt) { r.Later, r.LaterAt = "withdrawn", r.At }, []string{"agreement withdrawn. This receipt does not tell the last decision."}},
		"oral":             {func(r *Receipt) { r.Channel, r.AttestedBy = "oral", "Dr Claire MARTIN" }, []string{"Aloud, attested by Dr Claire MARTIN"}},
		"oral, old record": {func(r *Receipt) { r.Channel = "oral" }, []string{"Aloud, attested by the professional"}},
		"a name to draw":   {func(r *Receipt) { r.Patient, r.Minor = "Zoë Łukasz", false }, []string{"Zoë Łukasz"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := receipt("en")
			c.change(&r)
			pdf, err := press(t).Receipt(r)
			if err != nil {
				t.Fatal(err)
			}
			got := words(t, pdf)
			expect(t, name, got, c.want...)
			if strings.ContainsAny(got, "⟦⟧") {
				t.Errorf("a word is missing: %s", got)
			}
			if r.Language == "en" && !bytes.Contains(pdf, []byte("/Lang (en-GB)")) {
				t.Error("the sheet does not say that it is in English")
			}
		})
	}
}
