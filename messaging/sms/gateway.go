package sms

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"visavis/messaging/post"
)

// SignatureHeader carries "t=<unix seconds>,v1=<hex HMAC>".
const SignatureHeader = "X-Signature"

// The two directions are signed apart, so that a request cannot be played back
// as a receipt.
const (
	DirectionSend    = "send"
	DirectionReceipt = "receipt"
)

// clockSkew is how old a signature may be.
const clockSkew = 5 * time.Minute

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 64 << 10

// ErrSignature is returned for a receipt that the gateway did not sign, or
// signed too long ago.
var ErrSignature = errors.New("sms: signature refused")

// Gateway is a provider of text messages. It must treat two requests with the
// same reference as one message: that is what makes a retry safe after an
// answer was lost.
type Gateway struct {
	// URL takes POST /messages.
	URL string
	// Sender is the name shown, 11 letters or digits at most.
	Sender string
	// Secret signs both directions.
	Secret string
	// Callback is where the gateway posts its receipts.
	Callback string
	// Client is used for the calls; its timeout applies.
	Client *http.Client
}

// Request is what the gateway gets.
type Request struct {
	Reference string `json:"reference"`
	From      string `json:"from"`
	To        string `json:"to"` // E.164
	Text      string `json:"text"`
	Callback  string `json:"callback"`
}

// Answer is what the gateway says at once.
type Answer struct {
	ID     string `json:"id"`
	Error  string `json:"error,omitempty"`
	Repeat bool   `json:"repeat,omitempty"` // the reference was known already
}

// Receipt is what the gateway says later about a message.
type Receipt struct {
	ID        string `json:"id"`
	Reference string `json:"reference"`
	State     string `json:"state"` // StateDelivered or StateFailed
	Reason    string `json:"reason,omitempty"`
}

// The states of a receipt.
const (
	StateDelivered = "delivered"
	StateFailed    = "failed"
)

// Send hands one message over. The text must fit one SMS (Fits) and the number be in
// E.164 form; both are refused here, before any network.
func (g Gateway) Send(ctx context.Context, now time.Time, reference, to, text string) post.Result {
	if !regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`).MatchString(to) {
		return post.Result{Outcome: post.Refused, Status: "number", Err: errors.New("sms: not an E.164 number")}
	}
	if !Fits(text) {
		return post.Result{Outcome: post.Refused, Status: "length", Err: errors.New("sms: the text is not one SMS")}
	}
	body, err := json.Marshal(Request{Reference: reference, From: g.Sender, To: to, Text: text, Callback: g.Callback})
	if err != nil {
		return post.Result{Outcome: post.Refused, Err: fmt.Errorf("sms: encode: %w", err)}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(g.URL, "/")+"/messages", bytes.NewReader(body))
	if err != nil {
		return post.Result{Outcome: post.Refused, Err: fmt.Errorf("sms: request: %w", err)}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", reference)
	req.Header.Set(SignatureHeader, Sign(g.Secret, DirectionSend, now, body))
	client := g.Client
	if client == nil {
		client = &http.Client{Timeout: 20 * time.Second}
	}
	resp, err := client.Do(req)
	if err != nil {
		return post.Result{Outcome: post.Retry, Err: fmt.Errorf("sms: gateway: %w", err)}
	}
	defer func() { _ = resp.Body.Close() }()
	return readAnswer(resp)
}

func readAnswer(resp *http.Response) post.Result {
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return post.Result{Outcome: post.Retry, Code: resp.StatusCode, Err: fmt.Errorf("sms: answer: %w", err)}
	}
	var a Answer
	bad := json.Unmarshal(raw, &a)
	switch code := resp.StatusCode; {
	case code/100 == 2 && bad == nil && a.ID != "":
		return post.Result{Outcome: post.Accepted, Code: code}
	case code == http.StatusTooManyRequests || code == http.StatusRequestTimeout || code >= 500 || code/100 == 2:
		return post.Result{Outcome: post.Retry, Code: code, Status: a.Error, Err: fmt.Errorf("sms: gateway answered %d", code)}
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		// Our own key is wrong: the message is fine and must wait for an operator.
		return post.Result{Outcome: post.Retry, Code: code, Status: "credentials", Err: errors.New("sms: the gateway refuses our signature")}
	default:
		return post.Result{Outcome: post.Refused, Code: code, Status: a.Error, Err: fmt.Errorf("sms: gateway refused: %d", code)}
	}
}

// Sign gives the signature of a body at an instant for one direction.
func Sign(secret, direction string, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac(secret, direction, t, body))
}

// Verify checks a signature made by Sign at most five minutes from now.
func Verify(secret, direction, signature string, now time.Time, body []byte) error {
	if secret == "" {
		return fmt.Errorf("%w: no secret is set", ErrSignature)
	}
	t, v, ok := strings.Cut(signature, ",v1=")
	t, prefixed := strings.CutPrefix(t, "t=")
	if !ok || !prefixed {
		return fmt.Errorf("%w: not a signature", ErrSignature)
	}
	given, err := hex.DecodeString(v)
	if err != nil || !hmac.Equal(given, mac(secret, direction, t, body)) {
		return fmt.Errorf("%w: wrong", ErrSignature)
	}
	seconds, err := strconv.ParseInt(t, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > clockSkew {
		return fmt.Errorf("%w: too old", ErrSignature)
	}
	return nil
}

func mac(secret, direction, t string, body []byte) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(direction + "." + t + "."))
	h.Write(body)
	return h.Sum(nil)
}

// ReadReceipt verifies and reads a receipt.
func ReadReceipt(secret, signature string, now time.Time, body []byte) (Receipt, error) {
	if err := Verify(secret, DirectionReceipt, signature, now, body); err != nil {
		return Receipt{}, err
	}
	var r Receipt
	if err := json.Unmarshal(body, &r); err != nil {
		return Receipt{}, fmt.Errorf("sms: receipt: %w", err)
	}
	if r.Reference == "" || (r.State != StateDelivered && r.State != StateFailed) {
		return Receipt{}, errors.New("sms: receipt without reference or state")
	}
	return r, nil
}
