package mail

import (
	"bytes"
	"context"
	"io"
	"net/http"
	netmail "net/mail"
	"net/smtp"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"visavis/messaging/mssante"
	"visavis/messaging/post"
	"visavis/messaging/xdm"
	"visavis/messaging/xdm/xdmtest"
)

const (
	ours    = "appli@visavis.mssante.test"
	patient = "279035121518989@patient.mssante.test"
)

func start(t *testing.T) (*Server, post.Server, mssante.Mailbox) {
	t.Helper()
	s, err := Start(t.Context(), Options{DelayFor: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 2 {
			if err := s.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}
	})
	conf, err := s.ClientTLS(ours)
	if err != nil {
		t.Fatal(err)
	}
	return s, post.Server{Address: s.SecureAddr(), Hello: "visavis", TLS: conf, Timeout: 5 * time.Second, DataTimeout: 5 * time.Second},
		mssante.Mailbox{Address: s.IMAPAddr(), TLS: conf, User: ours, Timeout: 10 * time.Second}
}

func letter(t *testing.T) mssante.Message {
	t.Helper()
	m, err := mssante.Compose(mssante.Letter{ID: "delivery-1", From: netmail.Address{Name: "Dr Martin", Address: ours}, To: patient, NIL: "N", At: time.Now(), Text: "Bonjour <b>",
		Submission: xdm.Submission{UniqueID: "1.2.3.4", SourceID: "1.2.3", Content: xdm.Code{Code: "07", Scheme: "1.2.250.1.213.2.2", Label: "x"}, Emitter: "e", Application: "a", Version: "1"},
		Documents:  []mssante.Attached{{CDA: xdmtest.Document{}.CDA()}}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestALetterIsDeliveredReportedAndWitnessed(t *testing.T) {
	s, smtp, box := start(t)
	m := letter(t)
	if r := smtp.Send(t.Context(), post.Envelope{From: ours, To: patient, Witness: ours, ID: "delivery-1"}, m.Raw, nil); r.Outcome != post.Accepted || !r.Witnessed {
		t.Fatalf("%+v", r)
	}
	if got := s.Messages(patient); len(got) != 1 || !got[0].Secure || !strings.Contains(string(got[0].Raw), "IHE_XDM.zip") {
		t.Fatalf("%d messages", len(got))
	}
	if has, err := box.Has(t.Context(), m.ID); err != nil || !has {
		t.Fatalf("witness: %v %v", has, err)
	}
	var seen []mssante.Incoming
	if err := box.Visit(t.Context(), func(_ context.Context, in mssante.Incoming, _ []byte) (bool, error) {
		seen = append(seen, in)
		return true, nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 2 || seen[0].Kind != mssante.DeliveryReport || seen[0].Event != mssante.Delivered || seen[0].About != m.ID || seen[1].MessageID != m.ID || seen[0].EnvelopeID != "delivery-1" {
		t.Fatalf("%+v", seen)
	}
	if has, err := box.Has(t.Context(), m.ID); err != nil || has {
		t.Fatalf("the box was not emptied: %v %v", has, err)
	}
}

func TestEachActionHappens(t *testing.T) {
	s, smtp, box := start(t)
	m := letter(t)
	send := func(a Action) post.Result {
		t.Helper()
		if err := s.SetRule("@patient.mssante.test", a); err != nil {
			t.Fatal(err)
		}
		return smtp.Send(t.Context(), post.Envelope{From: ours, To: patient, ID: "e"}, m.Raw, nil)
	}
	events := func() (out []mssante.Event) {
		t.Helper()
		if err := box.Visit(t.Context(), func(_ context.Context, in mssante.Incoming, _ []byte) (bool, error) {
			out = append(out, in.Event)
			return true, nil
		}); err != nil {
			t.Fatal(err)
		}
		return out
	}
	if r := send(Refuse); r.Outcome != post.Refused || r.Code != 550 {
		t.Errorf("refuse: %+v", r)
	}
	if r := send(Busy); r.Outcome != post.Retry || r.Code != 450 {
		t.Errorf("busy: %+v", r)
	}
	if r := send(Bounce); r.Outcome != post.Accepted || len(s.Messages(patient)) != 0 {
		t.Errorf("bounce: %+v", r)
	}
	if e := events(); len(e) != 1 || e[0] != mssante.Failed {
		t.Errorf("bounce: %v", e)
	}
	if send(KO); len(s.Messages(patient)) != 1 {
		t.Error("ko: not delivered")
	}
	if e := events(); len(e) != 2 || e[0] != mssante.KO {
		t.Errorf("ko: %v", e)
	}
	send(Receipt)
	if e := events(); len(e) != 2 || e[0] != mssante.Processed || e[1] != mssante.Delivered {
		t.Errorf("receipt: %v", e)
	}
	if r := send(Cut); r.Outcome != post.InDoubt || len(s.Messages(patient)) != 3 {
		t.Errorf("cut: %+v", r)
	}
	smtp.DataTimeout = 100 * time.Millisecond
	if r := send(Delay); r.Outcome != post.InDoubt {
		t.Errorf("delay: %+v", r)
	}
	if s.SetRule("x", "dance") == nil {
		t.Error("an unknown action was taken")
	}
}

func TestTheSecurePortsWantACertificate(t *testing.T) {
	s, smtp, box := start(t)
	raw := letter(t).Raw
	clear := post.Server{Address: s.SecureAddr(), Timeout: time.Second}
	if r := clear.Send(t.Context(), post.Envelope{From: ours, To: patient}, raw, nil); r.Outcome == post.Accepted {
		t.Error("in clear")
	}
	smtp.TLS = smtp.TLS.Clone()
	smtp.TLS.Certificates = nil
	if r := smtp.Send(t.Context(), post.Envelope{From: ours, To: patient}, raw, nil); r.Outcome == post.Accepted {
		t.Error("without certificate")
	}
	box.TLS = smtp.TLS
	if _, err := box.Has(t.Context(), "x"); err == nil {
		t.Error("a mailbox was opened without certificate")
	}
	other, err := s.ClientTLS("someone@else.test")
	if err != nil {
		t.Fatal(err)
	}
	box.TLS, box.Password = other, "guess"
	if _, err := box.Has(t.Context(), "x"); err == nil {
		t.Error("a password opened a mailbox")
	}
	ordinary := post.Server{Address: s.PlainAddr(), Timeout: time.Second}
	if r := ordinary.Send(t.Context(), post.Envelope{From: "a@b.test", To: "c@d.test"}, []byte("Subject: x\r\n\r\nhello\r\n"), nil); r.Outcome != post.Accepted {
		t.Errorf("the ordinary port: %+v", r)
	}
}

func TestThePagesOpenTheMailboxes(t *testing.T) {
	s, smtp, _ := start(t)
	if r := smtp.Send(t.Context(), post.Envelope{From: ours, To: patient}, letter(t).Raw, nil); r.Outcome != post.Accepted {
		t.Fatalf("%+v", r)
	}
	get := func(path string) (int, string) {
		resp, err := http.Get(s.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		raw, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(raw)
	}
	q := "?address=" + url.QueryEscape(patient)
	for path, want := range map[string]string{
		"/": patient, "/box" + q: "Bonjour &lt;b&gt;", "/raw" + q + "&n=0": "X-MSS-CODECDA: 85208-7",
		"/file" + q + "&n=0&file=0": "PK", "/file" + q + "&n=0&file=1": "%PDF-",
	} {
		if code, body := get(path); code != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d, lacks %q: %.300s", path, code, want, body)
		}
	}
	for _, path := range []string{"/file" + q + "&n=0&file=9", "/file" + q + "&n=7&file=0", "/raw?address=x&n=0", "/raw" + q + "&n=-1"} {
		if code, _ := get(path); code != 404 {
			t.Errorf("%s: %d", path, code)
		}
	}
	resp, err := http.PostForm(s.URL()+"/control", url.Values{"address": {patient}, "action": {"refuse"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if r := smtp.Send(t.Context(), post.Envelope{From: ours, To: patient}, letter(t).Raw, nil); r.Outcome != post.Refused {
		t.Errorf("control: %+v", r)
	}
}

// TestMessagesOutliveTheServer: what was accepted is there at the next start,
// byte for byte, in order; what IMAP removed stays removed; what was never
// whole is not there.
func TestMessagesOutliveTheServer(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mail")
	begin := func() (*Server, mssante.Mailbox) {
		s, err := Start(t.Context(), Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		conf, err := s.ClientTLS(ours)
		if err != nil {
			t.Fatal(err)
		}
		return s, mssante.Mailbox{Address: s.IMAPAddr(), User: ours, TLS: conf}
	}
	send := func(s *Server, to, subject string) {
		t.Helper()
		if err := smtp.SendMail(s.PlainAddr(), nil, "a@courriel.test", []string{to}, []byte("Message-ID: <"+subject+"@test>\r\nSubject: "+subject+"\r\n\r\nBonjour\r\n")); err != nil {
			t.Fatal(err)
		}
	}
	s, _ := begin()
	for _, subject := range []string{"one", "two", "three"} {
		send(s, ours, subject)
	}
	send(s, "other@courriel.test", "elsewhere")
	before := s.Messages(ours)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"00000005.eml", "00000006.json.part", "00000007.eml.part"} { // cut by a crash, never acknowledged
		if err := os.WriteFile(filepath.Join(dir, name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	s, box := begin()
	after := s.Messages(ours)
	if len(after) != 3 {
		t.Fatalf("%d messages are left of 3", len(after))
	}
	for i := range after {
		if !bytes.Equal(after[i].Raw, before[i].Raw) || !after[i].At.Equal(before[i].At) || after[i].From != before[i].From || after[i].Secure != before[i].Secure {
			t.Errorf("message %d: %+v, was %+v", i, after[i], before[i])
		}
	}
	if len(s.Messages("other@courriel.test")) != 1 {
		t.Error("the other mailbox is empty")
	}
	if got := visit(t, box, "two"); !slices.Equal(got, []string{"one", "two", "three"}) {
		t.Fatalf("IMAP shows %q", got)
	}
	send(s, ours, "four") // its number follows the last one, over the half of a message
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, box = begin()
	if got := visit(t, box, ""); !slices.Equal(got, []string{"one", "three", "four"}) {
		t.Errorf("after a removal IMAP shows %q", got)
	}
	if n := len(s.Messages(ours)); n != 4 {
		t.Errorf("the page shows %d messages, 4 came", n)
	}
}

// visit lists the subjects of a mailbox over IMAP and removes one.
func visit(t *testing.T, box mssante.Mailbox, drop string) (subjects []string) {
	t.Helper()
	err := box.Visit(t.Context(), func(_ context.Context, _ mssante.Incoming, raw []byte) (bool, error) {
		m, err := netmail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			return false, err
		}
		subjects = append(subjects, m.Header.Get("Subject"))
		return m.Header.Get("Subject") == drop, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return subjects
}

// TestAFullDiskIsNotAnAcceptedMessage: without room the sender is asked to come
// back, and nothing shows.
func TestAFullDiskIsNotAnAcceptedMessage(t *testing.T) {
	dir := t.TempDir()
	s, err := Start(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := os.Mkdir(filepath.Join(dir, "00000001.eml.part"), 0o700); err != nil { // where the file would go
		t.Fatal(err)
	}
	err = smtp.SendMail(s.PlainAddr(), nil, "a@courriel.test", []string{ours}, []byte("Subject: x\r\n\r\nx\r\n"))
	if err == nil || !strings.Contains(err.Error(), "not kept") {
		t.Errorf("sent: %v", err)
	}
	if n := len(s.Messages(ours)); n != 0 {
		t.Errorf("%d messages show", n)
	}
}
