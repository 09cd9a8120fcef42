package sms

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"visavis/messaging/post"
	"visavis/messaging/sms"
)

// platform plays our side: it takes receipts and says what it got.
func platform(t *testing.T) (string, <-chan sms.Receipt) {
	t.Helper()
	got := make(chan sms.Receipt, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		rec, err := sms.ReadReceipt("secret", r.Header.Get(sms.SignatureHeader), time.Now(), raw)
		if err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		got <- rec
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	return server.URL, got
}

func start(t *testing.T, callback string) (*Server, sms.Gateway) {
	t.Helper()
	s, err := Start(t.Context(), Options{Secret: "secret", ReceiptAfter: time.Millisecond, SlowFor: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, sms.Gateway{URL: s.URL(), Sender: "visavis", Secret: "secret", Callback: callback, Client: &http.Client{Timeout: 2 * time.Second}}
}

func receive(t *testing.T, got <-chan sms.Receipt) sms.Receipt {
	t.Helper()
	select {
	case r := <-got:
		return r
	case <-time.After(5 * time.Second):
		t.Fatal("no receipt came")
		return sms.Receipt{}
	}
}

func TestAMessageAndItsReceipt(t *testing.T) {
	callback, got := platform(t)
	s, g := start(t, callback)
	for range 3 {
		if r := g.Send(t.Context(), time.Now(), "ref-1", "+33612345678", "Bonjour"); r.Outcome != post.Accepted {
			t.Fatalf("%+v", r)
		}
	}
	if r := receive(t, got); r.Reference != "ref-1" || r.State != sms.StateDelivered {
		t.Fatalf("%+v", r)
	}
	if m := s.Messages(); len(m) != 1 || m[0].Requests != 3 || m[0].Text != "Bonjour" || m[0].To != "+33612345678" {
		t.Fatalf("one reference, one message: %+v", m)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if m, err := s.Wait(ctx, "+33612345678", 1); err != nil || len(m) != 1 {
		t.Fatalf("%v %v", m, err)
	}
}

func TestItFailsAsTold(t *testing.T) {
	callback, got := platform(t)
	s, g := start(t, callback)
	send := func(f Fault, ref string) post.Result {
		t.Helper()
		if err := s.SetFault(f); err != nil {
			t.Fatal(err)
		}
		return g.Send(t.Context(), time.Now(), ref, "+33612345678", "x")
	}
	if r := send(Temporary, "a"); r.Outcome != post.Retry || r.Code != 503 {
		t.Errorf("temporary: %+v", r)
	}
	if r := send(Permanent, "a"); r.Outcome != post.Refused || r.Code != 422 {
		t.Errorf("permanent: %+v", r)
	}
	g.Client.Timeout = 50 * time.Millisecond
	if r := send(Slow, "a"); r.Outcome != post.Retry {
		t.Errorf("slow: %+v", r)
	}
	g.Client.Timeout = 2 * time.Second
	if len(s.Messages()) != 0 {
		t.Errorf("a failed request left a message: %+v", s.Messages())
	}
	if r := send(Cut, "b"); r.Outcome != post.Retry {
		t.Errorf("cut: %+v", r)
	}
	if r := send(None, "b"); r.Outcome != post.Accepted || len(s.Messages()) != 1 {
		t.Errorf("after a cut the same reference is the same message: %+v %+v", r, s.Messages())
	}
	receive(t, got)
	if r := send(NoReceipt, "c"); r.Outcome != post.Accepted {
		t.Errorf("%+v", r)
	}
	if r := send(Failed, "d"); r.Outcome != post.Accepted {
		t.Errorf("%+v", r)
	}
	if r := receive(t, got); r.Reference != "d" || r.State != sms.StateFailed || r.Reason == "" {
		t.Errorf("the only receipt must be d's, failed: %+v", r)
	}
	if s.SetFault("dance") == nil {
		t.Error("an unknown fault was taken")
	}
}

func TestStrangersAreRefused(t *testing.T) {
	s, g := start(t, "")
	g.Secret = "other"
	if r := g.Send(t.Context(), time.Now(), "a", "+33612345678", "x"); r.Code != 401 || len(s.Messages()) != 0 {
		t.Fatalf("%+v", r)
	}
	if _, err := Start(t.Context(), Options{}); err == nil {
		t.Fatal("it started without a secret")
	}
}

func TestThePageShowsWhatAPhoneWould(t *testing.T) {
	s, g := start(t, "")
	if r := g.Send(t.Context(), time.Now(), "a", "+33612345678", "<b>Salut"); r.Outcome != post.Accepted {
		t.Fatal(r)
	}
	get := func(path string) string {
		resp, err := http.Get(s.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		raw, _ := io.ReadAll(resp.Body)
		return string(raw)
	}
	if page := get("/"); !strings.Contains(page, "&lt;b&gt;Salut") || !strings.Contains(page, "612345678") {
		t.Errorf("page: %s", page)
	}
	if list := get("/messages"); !strings.Contains(list, `"reference":"a"`) {
		t.Errorf("list: %s", list)
	}
	resp, err := http.PostForm(s.URL()+"/control", url.Values{"fault": {"temporary"}})
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("control: %v %v", resp, err)
	}
	_ = resp.Body.Close()
	if r := g.Send(t.Context(), time.Now(), "b", "+33612345678", "x"); r.Code != 503 {
		t.Errorf("%+v", r)
	}
}

// TestMessagesOutliveTheGateway: what was taken is there at the next start, one
// message per reference still, and the receipt that was owed is sent.
func TestMessagesOutliveTheGateway(t *testing.T) {
	callback, got := platform(t)
	journal := filepath.Join(t.TempDir(), "sms.jsonl")
	begin := func(after time.Duration) (*Server, sms.Gateway) {
		s, err := Start(t.Context(), Options{Secret: "secret", ReceiptAfter: after, Journal: journal})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s, sms.Gateway{URL: s.URL(), Sender: "visavis", Secret: "secret", Callback: callback, Client: &http.Client{Timeout: 2 * time.Second}}
	}
	send := func(g sms.Gateway, ref string) {
		t.Helper()
		if r := g.Send(t.Context(), time.Now(), ref, "+33612345678", "Bonjour "+ref); r.Outcome != post.Accepted {
			t.Fatalf("%+v", r)
		}
	}
	s, g := begin(time.Hour) // no phone answers before the stop
	send(g, "a")
	send(g, "b")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(journal, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"id":"half","refer`); err != nil { // cut by a crash
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	s, g = begin(time.Millisecond)
	refs := map[string]bool{receive(t, got).Reference: true, receive(t, got).Reference: true}
	if !refs["a"] || !refs["b"] {
		t.Fatalf("receipts: %v", refs)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for ref := range refs {
		if err := s.WaitState(ctx, ref, sms.StateDelivered); err != nil {
			t.Fatal(err)
		}
	}
	send(g, "a")
	if m := s.Messages(); len(m) != 2 || m[0].Text != "Bonjour a" || m[1].Text != "Bonjour b" {
		t.Fatalf("%+v", m)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, _ = begin(time.Millisecond)
	for _, m := range s.Messages() {
		if m.State != sms.StateDelivered {
			t.Errorf("the state was forgotten: %+v", m)
		}
	}
}
