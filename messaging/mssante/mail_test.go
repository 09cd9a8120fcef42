package mssante

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/mail"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-message"

	"visavis/internal/testkit/mailtest"
	"visavis/messaging/post"
	"visavis/messaging/xdm"
	"visavis/messaging/xdm/xdmtest"
)

const (
	ours    = "appli@" + mailtest.Platform
	patient = "279035121518989@" + mailtest.Patients
)

func letter(docs ...Attached) Letter {
	if len(docs) == 0 {
		docs = []Attached{{CDA: xdmtest.Document{}.CDA()}}
	}
	return Letter{
		ID: "0197a000-0000-7000-8000-000000000001", From: mail.Address{Name: "Téléconsultation – Dr Claire MARTIN", Address: ours},
		ReplyTo: "claire.martin@" + mailtest.Doctors, To: patient, NIL: "NIL-TEST", At: time.Date(2026, 1, 5, 9, 16, 0, 0, time.UTC),
		Text: "Bonjour,\n\nVotre compte rendu est joint.\n",
		Submission: xdm.Submission{UniqueID: "1.2.250.1.999.1.2026.7", SourceID: "1.2.250.1.999.1",
			Content: xdm.Code{Code: "07", Scheme: "1.2.250.1.213.2.2", Label: "Consultations soins externes"}, Emitter: "Cabinet", Application: "visavis", Version: "1"},
		Documents: docs,
	}
}

// TestALetterCrossesARealServer is acceptance 4 of the story in small: STARTTLS
// and client certificate to postfix, IMAP from dovecot, the archive unzipped,
// hash and size verified.
func TestALetterCrossesARealServer(t *testing.T) {
	server := mailtest.Start(t, ours, patient)
	conf, err := server.TLS(ours)
	if err != nil {
		t.Fatal(err)
	}
	l := letter()
	m, err := Compose(l)
	if err != nil {
		t.Fatal(err)
	}
	smtp := post.Server{Address: server.Secure, Hello: mailtest.Platform, TLS: conf}
	if r := smtp.Send(t.Context(), post.Envelope{From: ours, To: patient, Witness: ours, ID: l.ID}, m.Raw, nil); r.Outcome != post.Accepted || !r.Witnessed {
		t.Fatalf("%+v\n%s", r, server.Log())
	}
	server.WaitMessages(t, patient, 1)
	server.WaitMessages(t, ours, 2) // the witness copy and the delivery report

	theirs, err := server.TLS(patient)
	if err != nil {
		t.Fatal(err)
	}
	box := Mailbox{Address: server.IMAP, TLS: theirs, User: patient}
	var raw []byte
	if err := box.Visit(t.Context(), func(_ context.Context, in Incoming, data []byte) (bool, error) {
		raw = data
		return false, nil
	}); err != nil {
		t.Fatalf("%v\n%s", err, server.Log())
	}
	got := open(t, raw)
	for header, want := range map[string]string{
		"X-MSS-CODECDA": "85208-7", "X-MSS-INS": "O", "X-MSS-NIL": "NIL-TEST", "X-MSS-MES": "",
		"Message-ID": "<" + l.ID + "@" + mailtest.Platform + ">", "Disposition-Notification-To": ours,
		"To": "<" + patient + ">", "Reply-To": "<claire.martin@" + mailtest.Doctors + ">",
		"Subject": "XDM/1.0/DDM+CR de télémédecine PAT-TROIS DOMINIQUE 28/03/1979",
	} {
		if got.header[header] != want {
			t.Errorf("%s: %q, want %q", header, got.header[header], want)
		}
	}
	docs, err := xdm.Read(got.files["IHE_XDM.zip"])
	if err != nil || len(docs) != 1 || !bytes.Equal(docs[0].CDA, l.Documents[0].CDA) {
		t.Fatalf("archive: %v", err)
	}
	if !bytes.HasPrefix(got.files["20260105_CR_de_telemedecine_PAT-TROIS_DOMINIQUE.pdf"], []byte("%PDF-")) {
		t.Errorf("attachments %v", got.names)
	}
	if os.Getenv("VISAVIS_SHOW") == "1" {
		t.Logf("%s", raw[:min(2600, len(raw))])
	}

	mine := Mailbox{Address: server.IMAP, TLS: conf, User: ours}
	if has, err := mine.Has(t.Context(), m.ID); err != nil || !has {
		t.Errorf("witness copy: %v, %v", has, err)
	}
	if has, err := mine.Has(t.Context(), "other@"+mailtest.Platform); err != nil || has {
		t.Errorf("another id: %v, %v", has, err)
	}
	var seen []Incoming
	visit := func(_ context.Context, in Incoming, _ []byte) (bool, error) {
		seen = append(seen, in)
		return true, nil
	}
	if err := mine.Visit(t.Context(), visit); err != nil {
		t.Fatal(err)
	}
	delivered := false
	for _, in := range seen {
		if in.Kind == DeliveryReport {
			delivered = in.Event == Delivered && in.About == m.ID && in.EnvelopeID == l.ID && in.Recipient == patient
		}
	}
	if !delivered {
		t.Errorf("delivery report: %+v", seen)
	}
	seen = nil
	if err := mine.Visit(t.Context(), visit); err != nil || len(seen) != 0 {
		t.Errorf("the box was not emptied: %v %v", seen, err)
	}
}

func TestWhatARealServerRefuses(t *testing.T) {
	server := mailtest.Start(t, ours)
	conf, err := server.TLS(ours)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Compose(letter())
	if err != nil {
		t.Fatal(err)
	}
	smtp := post.Server{Address: server.Secure, Hello: mailtest.Platform, TLS: conf, Timeout: 10 * time.Second}
	send := func(s post.Server, to string) post.Result {
		return s.Send(t.Context(), post.Envelope{From: ours, To: to, ID: "x"}, m.Raw, nil)
	}
	for to, want := range map[string]post.Result{
		"refuse@" + mailtest.Patients: {Outcome: post.Refused, Code: 550, Status: "5.1.1"},
		"busy@" + mailtest.Patients:   {Outcome: post.Retry, Code: 450, Status: "4.2.1"},
		"full@" + mailtest.Patients:   {Outcome: post.Refused, Code: 552, Status: "5.2.2"},
		"someone@elsewhere.test":      {Outcome: post.Refused, Code: 554, Status: "5.7.1"},
	} {
		if r := send(smtp, to); r.Outcome != want.Outcome || r.Code != want.Code || r.Status != want.Status {
			t.Errorf("%s: %+v", to, r)
		}
	}
	noCert := smtp
	noCert.TLS = conf.Clone()
	noCert.TLS.Certificates = nil
	if r := send(noCert, patient); r.Outcome == post.Accepted {
		t.Error("a sender without certificate was accepted")
	}
	wrongCA := smtp
	wrongCA.TLS = conf.Clone()
	wrongCA.TLS.RootCAs = nil
	if r := send(wrongCA, patient); r.Outcome != post.Retry || !strings.Contains(r.Err.Error(), "certificate") {
		t.Errorf("an unknown server was trusted: %+v", r)
	}
	if r := send(post.Server{Address: server.Secure, Hello: "x"}, patient); r.Outcome == post.Accepted {
		t.Error("a message went in clear through the secure port")
	}
	// Accepted, then bounced: the mailbox does not exist (H24: MES closed).
	if r := send(smtp, patient); r.Outcome != post.Accepted {
		t.Fatalf("%+v", r)
	}
	reports := server.WaitMessages(t, ours, 1)
	in, err := Read(bytes.NewReader(reports[0]))
	if err != nil || in.Kind != DeliveryReport || in.Event != Failed || in.About != m.ID || in.Code != "5.1.1" || in.Recipient != patient {
		t.Errorf("bounce: %+v, %v", in, err)
	}
	if err := server.Down(); err != nil {
		t.Fatal(err)
	}
	if r := send(smtp, patient); r.Outcome != post.Retry {
		t.Errorf("server down: %+v", r)
	}
}

type opened struct {
	header map[string]string
	text   string
	files  map[string][]byte
	names  []string
}

func open(t *testing.T, raw []byte) opened {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	out := opened{header: map[string]string{}, files: map[string][]byte{}}
	for name := range m.Header {
		v, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get(name))
		if err != nil {
			t.Fatal(err)
		}
		out.header[name] = v
	}
	out.header["Message-ID"] = m.Header.Get("Message-ID")
	for _, h := range []string{"X-MSS-CODECDA", "X-MSS-INS", "X-MSS-NIL", "X-MSS-MES"} {
		out.header[h] = m.Header.Get(h)
	}
	e, err := message.Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	parts := e.MultipartReader()
	for {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(p.Body)
		if err != nil {
			t.Fatal(err)
		}
		_, params, _ := p.Header.ContentDisposition()
		if name := params["filename"]; name != "" {
			out.files[name] = data
			out.names = append(out.names, name)
		} else {
			out.text = string(data)
		}
	}
}
