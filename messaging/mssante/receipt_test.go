package mssante

import (
	"errors"
	"strings"
	"testing"
)

func report(kind, subject string, parts ...string) string {
	var b strings.Builder
	b.WriteString("From: MAILER <them@x.mssante.test>\r\nMessage-ID: <own@x>\r\nSubject: " + subject + "\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=" + kind + "; boundary=b\r\n\r\n")
	for _, p := range parts {
		b.WriteString("--b\r\n" + strings.ReplaceAll(p, "\n", "\r\n") + "\r\n")
	}
	return b.String() + "--b--\r\n"
}

const human = "Content-Type: text/plain\n\nSee below.\n"

func TestReportsAreUnderstood(t *testing.T) {
	dsn := func(action, status string) string {
		return report("delivery-status", "Undelivered", human,
			"Content-Type: message/delivery-status\n\nReporting-MTA: dns; mail\nOriginal-Envelope-Id: env-1\n\nOriginal-Recipient: rfc822;a@patient.mssante.test\nFinal-Recipient: rfc822; b@patient.mssante.test\nAction: "+action+"\nStatus: "+status+"\nDiagnostic-Code: X-Postfix; unknown user\n",
			"Content-Type: message/rfc822\n\nMessage-ID: <about@y>\nSubject: s\n\nbody\n")
	}
	mdn := func(subject, fields string) string {
		return report("disposition-notification", subject, human,
			"Content-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;c@z\nOriginal-Message-ID: <about@y>\n"+fields+"\n",
			"Content-Type: message/rfc822\n\nMessage-ID: <about@y>\n\nbody\n")
	}
	const ko = "=?UTF-8?Q?[KO_Int=C3=A9gration_syst=C3=A8me_!][902]_XDM/1.0/DDM+X?="
	for name, c := range map[string]struct {
		raw  string
		want Incoming
	}{
		"bounce":                 {dsn("failed", "5.1.1"), Incoming{Kind: DeliveryReport, Event: Failed, Code: "5.1.1", About: "about@y", EnvelopeID: "env-1", Recipient: "a@patient.mssante.test", Text: "unknown user"}},
		"late":                   {dsn("delayed", "4.4.1"), Incoming{Kind: DeliveryReport, Event: Delayed, Code: "4.4.1", About: "about@y", EnvelopeID: "env-1", Recipient: "a@patient.mssante.test", Text: "unknown user"}},
		"delivered":              {dsn("delivered", "2.0.0 (ok)"), Incoming{Kind: DeliveryReport, Event: Delivered, Code: "2.0.0", About: "about@y", EnvelopeID: "env-1", Recipient: "a@patient.mssante.test", Text: "unknown user"}},
		"relayed":                {dsn("relayed", "2.0.0"), Incoming{Kind: DeliveryReport, Event: Relayed, Code: "2.0.0", About: "about@y", EnvelopeID: "env-1", Recipient: "a@patient.mssante.test", Text: "unknown user"}},
		"processed":              {mdn("XDM/1.0/DDM+X", "Disposition: automatic-action/MDN-sent-automatically; processed"), Incoming{Kind: Receipt, Event: Processed, About: "about@y", Recipient: "c@z"}},
		"read":                   {mdn("Lu", "Disposition: manual-action/MDN-sent-manually; displayed"), Incoming{Kind: Receipt, Event: Displayed, About: "about@y", Recipient: "c@z"}},
		"deleted":                {mdn("x", "Disposition: manual-action/MDN-sent-manually; deleted"), Incoming{Kind: Receipt, Event: Delivered, About: "about@y", Recipient: "c@z"}},
		"KO 1.1.2":               {mdn(ko, "Disposition:automatic-action/MDN-sent-automatically; processed/Error: 902^Identifiant de patient inconnu^messageErrorCondition| E^Error^errorSeverity"), Incoming{Kind: Receipt, Event: KO, Code: "902", Text: "Identifiant de patient inconnu", About: "about@y", Recipient: "c@z"}},
		"KO 1.1.3":               {mdn(ko, "Disposition: automatic-action/MDN-sent-automatically; processed/error\nError: 904^INS differente"), Incoming{Kind: Receipt, Event: KO, Code: "904", Text: "INS differente", About: "about@y", Recipient: "c@z"}},
		"KO by subject only":     {mdn(ko, "Disposition: automatic-action/MDN-sent-automatically; processed"), Incoming{Kind: Receipt, Event: KO, Code: "902", About: "about@y", Recipient: "c@z"}},
		"KO e-mail":              {"From: them@x.mssante.test\r\nMessage-ID: <own@x>\r\nIn-Reply-To: <about@y>\r\nSubject: " + ko + "\r\n\r\nno\r\n", Incoming{Kind: Refusal, Event: KO, Code: "902", About: "about@y"}},
		"KO e-mail, other words": {"From: them@x.mssante.test\r\nMessage-ID: <own@x>\r\nSubject: =?UTF-8?Q?[Erreur_d'int=C3=A9gration_!]_XDM?=\r\n\r\nno\r\n", Incoming{Kind: Refusal, Event: KO, Code: "906"}},
		"a letter":               {"From: Bob <bob@x.mssante.test>\r\nMessage-ID: <own@x>\r\nIn-Reply-To: <about@y>\r\nSubject: Merci\r\n\r\nbonjour\r\n", Incoming{Kind: Letters}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Read(strings.NewReader(c.raw))
			if err != nil {
				t.Fatal(err)
			}
			if got.MessageID != "own@x" || !strings.HasSuffix(got.From, "@x.mssante.test") || got.Subject == "" {
				t.Errorf("envelope of %+v", got)
			}
			got.MessageID, got.From, got.Subject = "", "", ""
			if got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestAReportThatReportsNothingIsUnreadable(t *testing.T) {
	for name, raw := range map[string]string{
		"no status part": report("delivery-status", "x", human),
		"not multipart":  "Subject: x\r\nContent-Type: multipart/report; report-type=delivery-status\r\n\r\nnothing\r\n",
	} {
		if _, err := Read(strings.NewReader(raw)); !errors.Is(err, ErrUnreadable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Only the beginning of a long report is fetched.
func TestAReportCutInItsAttachmentsIsRead(t *testing.T) {
	whole := report("disposition-notification", "x", human,
		"Content-Type: message/disposition-notification\n\nOriginal-Message-ID: <about@y>\nDisposition: a/b; processed\n",
		"Content-Type: application/zip\nContent-Transfer-Encoding: base64\n\n"+strings.Repeat("UEsDBBQA", 1000)+"\n")
	for _, n := range []int{len(whole) - 3, len(whole) - 100, len(whole) - 7000} {
		in, err := Read(strings.NewReader(whole[:n]))
		if err != nil || in.Event != Processed || in.About != "about@y" {
			t.Errorf("cut at %d: %+v, %v", n, in, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(report("delivery-status", "x", human, "Content-Type: message/delivery-status\n\nA: b\n\nAction: failed\n")))
	f.Add([]byte(report("disposition-notification", "x", human, "Content-Type: message/disposition-notification\n\nDisposition: a/b; processed\n")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		in, err := Read(strings.NewReader(string(raw)))
		if err == nil && in.Kind == DeliveryReport && in.Event == "" {
			t.Fatal("a report without event")
		}
	})
}

// TestReport_ClosedVocabulary: a word is a success only as its standard writes it,
// whatever its case, spaces and comments; an unseen one, several, or one that its
// status contradicts proves nothing (issue 9, B4).
func TestReport_ClosedVocabulary(t *testing.T) {
	dsn := func(blocks ...string) string {
		return report("delivery-status", "x", human, "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mail\n\n"+strings.Join(blocks, "\n\n")+"\n",
			"Content-Type: message/rfc822\n\nMessage-ID: <about@y>\n\nbody\n")
	}
	one := func(action, status string) string {
		return "Final-Recipient: rfc822; a@b\n" + action + "\nStatus: " + status
	}
	mdn := func(fields string) string {
		return report("disposition-notification", "x", human, "Content-Type: message/disposition-notification\n\nOriginal-Message-ID: <about@y>\n"+fields+"\n")
	}
	const auto = "Disposition: automatic-action/MDN-sent-automatically; "
	for raw, want := range map[string]Event{
		dsn(one("Action: delivered", "2.0.0")):                                  Delivered,
		dsn(one("Action:  DELIVERED ", "2.1.5")):                                Delivered,
		dsn(one("Action: delivered (to mailbox)", "2.0.0 (ok)")):                Delivered,
		dsn(one("Action: relayed", "2.0.0")):                                    Relayed,
		dsn(one("Action: expanded", "2.0.0")):                                   Relayed,
		dsn(one("Action: Failed", "5.1.1")):                                     Failed,
		dsn(one("Action: failed", "4.4.7")):                                     Failed,
		dsn(one("Action: failed (bounced)", "")):                                Failed,
		dsn(one("Action: delayed", "4.4.1")):                                    Delayed,
		dsn(one("Action: delivered", "5.1.1")):                                  Unknown,
		dsn(one("Action: delivered", "4.2.2")):                                  Unknown,
		dsn(one("Action: delivered", "")):                                       Unknown,
		dsn(one("Action: delivered", "9.0.0")):                                  Unknown,
		dsn(one("Action: delivered", "20")):                                     Unknown,
		dsn(one("Action: relayed", "5.0.0")):                                    Unknown,
		dsn(one("Action: undelivered", "2.0.0")):                                Unknown,
		dsn(one("Action: not delivered", "2.0.0")):                              Unknown,
		dsn(one("Action: delivered-to-quarantine", "2.0.0")):                    Unknown,
		dsn(one("Action: delivered, failed", "2.0.0")):                          Unknown,
		dsn(one("Action: dancing", "2.0.0")):                                    Unknown,
		dsn(one("Action: quarantined", "2.0.0")):                                Unknown,
		dsn(one("Action:", "2.0.0")):                                            Unknown,
		dsn(one("X-Action: delivered", "2.0.0")):                                Unknown,
		dsn(one("Action: delivered\nAction: failed", "2.0.0")):                  Unknown,
		dsn(one("Action: delivered", "2.0.0"), one("Action: failed", "5.1.1")):  Failed,
		dsn(one("Action: failed", "5.1.1"), one("Action: delivered", "2.0.0")):  Failed,
		dsn(one("Action: delivered", "2.0.0"), one("Action: expired", "2.0.0")): Unknown,
		dsn(one("Action: delivered", "2.0.0"), one("Action: delayed", "4.0.0")): Delayed,
		mdn(auto + "processed"):                                                 Processed,
		mdn(auto + " Processed "):                                               Processed,
		mdn(auto + "displayed (read)"):                                          Displayed,
		mdn(auto + "dispatched"):                                                Processed,
		mdn(auto + "deleted"):                                                   Delivered,
		mdn(auto + "displayed/warning"):                                         Displayed,
		mdn(auto + "processed/error"):                                           KO,
		mdn(auto + "processed / ERROR"):                                         KO,
		mdn(auto + "processed/warning,error"):                                   KO,
		mdn(auto + "displayed/failure"):                                         KO,
		mdn(auto + "processed\nError: 902^x"):                                   KO,
		mdn(auto + "processed/superseded"):                                      Unknown,
		mdn(auto + "displayed/expired"):                                         Unknown,
		mdn(auto + "processed/warning,mailbox-terminated"):                      Unknown,
		mdn(auto + "processed/x-refused"):                                       Unknown,
		mdn(auto + "failed"):                                                    Unknown,
		mdn(auto + "denied"):                                                    Unknown,
		mdn(auto + "processed, failed"):                                         Unknown,
		mdn(auto + "displayedx"):                                                Unknown,
		mdn(auto + "not-processed"):                                             Unknown,
		mdn(auto):                                                               Unknown,
		mdn("Disposition: processed"):                                           Unknown,
		mdn(auto + "processed\n" + auto + "displayed"):                          Unknown,
		mdn("X: y"): Unknown,
	} {
		in, err := Read(strings.NewReader(raw))
		if err != nil || in.Event != want || in.About != "about@y" {
			t.Errorf("%s\n%v, want %s: %v about %q", raw, in.Event, want, err, in.About)
		}
		if len(in.Text) > 60 && want == Unknown {
			t.Errorf("the word kept has %d bytes", len(in.Text))
		}
	}
}
