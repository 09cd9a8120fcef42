package sms

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"visavis/messaging/post"
)

func TestRoomIsCountedAsTheNetworkDoes(t *testing.T) {
	for text, want := range map[string]int{"": 0, "abc": 3, "é à è ù": 7, "10 €": 5, "{x}": 5, strings.Repeat("a", 160): 160} {
		if n, ok := Septets(text); !ok || n != want {
			t.Errorf("%q: %d %v, want %d", text, n, ok, want)
		}
	}
	for _, text := range []string{"ê", "ç", "14\u00a0h", "’", "日"} {
		if _, ok := Septets(text); ok {
			t.Errorf("%q is not in the GSM alphabet", text)
		}
	}
	if !Fits(strings.Repeat("ê", 70)) || !Fits(strings.Repeat("😀", 35)) || Fits(strings.Repeat("ê", 71)) || Fits(strings.Repeat("😀", 36)) || Fits("ê"+strings.Repeat("a", 70)) {
		t.Error("the limit is 70 units of UCS-2")
	}
	if Fits(strings.Repeat("a", 161)) || Fits(strings.Repeat("€", 81)) || !Fits(strings.Repeat("€", 80)) {
		t.Error("the limit is 160 septets")
	}
}

func TestFoldKeepsTheMeaning(t *testing.T) {
	for text, want := range map[string]string{
		"Rendez-vous reçu, mardi 4 à 14\u00a0h\u00a030": "Rendez-vous recu, mardi 4 à 14 h 30",
		"l’hôpital « Saint-Cœur »…":                     `l'hopital " Saint-Coeur "...`,
		"Zoë ŁUKASZ Çé":                                 "Zoe LUKASZ Çé",
		"Нгуен, « l’hôpital »…":                         `Нгуен, " l'hôpital "...`,
		"日":                                             "日",
	} {
		if got := Fold(text); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func FuzzFold(f *testing.F) {
	f.Add("é€ê日")
	f.Fuzz(func(t *testing.T, s string) {
		folded := Fold(s)
		if strings.Count(folded, "?") != strings.Count(s, "?") {
			t.Fatalf("%q: a letter became a question mark", s)
		}
		if again := Fold(folded); again != folded {
			t.Fatalf("%q folds to %q and then to %q", s, folded, again)
		}
		if strings.ContainsAny(folded, "’«»–…") {
			t.Fatalf("%q has a sign that a telephone shows in another alphabet only", folded)
		}
	})
}

func TestEachAnswerOfTheGatewayHasItsOutcome(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		code int
		body string
		want post.Outcome
	}{
		"accepted":         {202, `{"id":"1"}`, post.Accepted},
		"repeated":         {200, `{"id":"1","repeat":true}`, post.Accepted},
		"accepted, no id":  {202, `{}`, post.Retry},
		"accepted, no way": {202, `oops`, post.Retry},
		"bad number":       {422, `{"error":"number"}`, post.Refused},
		"wrong key":        {401, ``, post.Retry},
		"too many":         {429, ``, post.Retry},
		"down":             {503, ``, post.Retry},
	} {
		t.Run(name, func(t *testing.T) {
			var got Request
			var header http.Header
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				raw, _ := io.ReadAll(r.Body)
				if err := Verify("secret", DirectionSend, r.Header.Get(SignatureHeader), now, raw); err != nil || r.URL.Path != "/messages" {
					t.Errorf("%s: %v", r.URL.Path, err)
				}
				header = r.Header
				_ = json.Unmarshal(raw, &got)
				w.WriteHeader(c.code)
				_, _ = io.WriteString(w, c.body)
			}))
			defer server.Close()
			g := Gateway{URL: server.URL + "/", Sender: "visavis", Secret: "secret", Callback: "http://us/receipts"}
			r := g.Send(t.Context(), now, "ref-1", "+33612345678", "Bonjour")
			if r.Outcome != c.want || r.Code != c.code {
				t.Fatalf("%+v", r)
			}
			if got != (Request{"ref-1", "visavis", "+33612345678", "Bonjour", "http://us/receipts"}) || header.Get("Idempotency-Key") != "ref-1" {
				t.Fatalf("sent %+v", got)
			}
		})
	}
	g := Gateway{URL: "http://127.0.0.1:1", Secret: "s"}
	if r := g.Send(t.Context(), now, "r", "+33612345678", "x"); r.Outcome != post.Retry {
		t.Errorf("no gateway: %+v", r)
	}
	if r := g.Send(t.Context(), now, "r", "0612345678", "x"); r.Outcome != post.Refused || r.Status != "number" {
		t.Errorf("national number: %+v", r)
	}
	for _, long := range []string{strings.Repeat("a", 161), strings.Repeat("ê", 71), "日" + strings.Repeat("a", 70), strings.Repeat("😀", 36)} {
		if r := g.Send(t.Context(), now, "r", "+33612345678", long); r.Outcome != post.Refused || r.Status != "length" {
			t.Errorf("two segments: %+v", r)
		}
	}
}

func TestOnlyTheGatewayCanMakeAReceipt(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	body := []byte(`{"id":"1","reference":"ref","state":"delivered"}`)
	good := Sign("secret", DirectionReceipt, now, body)
	if r, err := ReadReceipt("secret", good, now.Add(4*time.Minute), body); err != nil || r.Reference != "ref" || r.State != StateDelivered {
		t.Fatalf("%+v %v", r, err)
	}
	for name, c := range map[string]struct {
		secret, signature string
		now               time.Time
		body              string
	}{
		"another secret":  {"other", good, now, string(body)},
		"no secret":       {"", Sign("", DirectionReceipt, now, body), now, string(body)},
		"other direction": {"secret", Sign("secret", DirectionSend, now, body), now, string(body)},
		"changed body":    {"secret", good, now, strings.Replace(string(body), "delivered", "failed", 1)},
		"too old":         {"secret", good, now.Add(6 * time.Minute), string(body)},
		"from the future": {"secret", good, now.Add(-6 * time.Minute), string(body)},
		"no signature":    {"secret", "", now, string(body)},
		"not hexadecimal": {"secret", "t=1800000000,v1=zz", now, string(body)},
		"time changed":    {"secret", strings.Replace(good, "t=1800000000", "t=1800000001", 1), now, string(body)},
	} {
		if _, err := ReadReceipt(c.secret, c.signature, c.now, []byte(c.body)); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, odd := range []string{`{"state":"delivered"}`, `{"reference":"r","state":"lost"}`, `[]`} {
		if _, err := ReadReceipt("secret", Sign("secret", DirectionReceipt, now, []byte(odd)), now, []byte(odd)); err == nil {
			t.Errorf("%s was read", odd)
		}
	}
}

// TestReceipt_ClosedVocabulary: a state is one of two words; anything else, signed
// as it may be, is no receipt (issue 9, B4).
func TestReceipt_ClosedVocabulary(t *testing.T) {
	now := time.Now()
	for state, want := range map[string]bool{
		`"delivered"`: true, `"failed"`: true,
		`""`: false, `"Delivered"`: false, `"delivered "`: false, `"DELIVRD"`: false, `"undelivered"`: false, `"delivered,failed"`: false, `"accepted"`: false,
		`"expired"`: false, `"unknown"`: false, `null`: false, `1`: false, `true`: false, `["delivered"]`: false,
	} {
		body := []byte(`{"reference":"r","state":` + state + `}`)
		if r, err := ReadReceipt("s", Sign("s", DirectionReceipt, now, body), now, body); (err == nil) != want {
			t.Errorf("%s: %+v %v", state, r, err)
		}
	}
}
