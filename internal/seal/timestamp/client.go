package timestamp

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"time"

	"visavis/internal/clock"
)

const (
	// patience bounds one exchange.
	patience = 20 * time.Second
	// skew is how far the authority's time may be from ours. An authority
	// keeps a second (EN 319 421 §7.7.2); the rest is for our own clock.
	skew = 5 * time.Minute
	// maxAnswer bounds an answer, in bytes; a token with its chain has 4 to 8 KiB.
	maxAnswer = 64 << 10
)

// Client asks one authority over HTTP (RFC 3161 §3.4). It is safe for
// concurrent use.
type Client struct {
	URL            string
	User, Password string // HTTP Basic, when the authority asks for it
	Roots          *x509.CertPool
	Policy         string // OID to ask for and to insist on; empty takes the authority's own
	Clock          clock.Clock
	HTTP           *http.Client // nil takes one that waits patience at most
}

// Stamp has the imprint dated and gives the token, checked. It makes one
// attempt; its errors are *Error. Nothing but the imprint leaves.
func (c *Client) Stamp(ctx context.Context, imprint [sha256.Size]byte) (token []byte, info Info, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 64))
	if err != nil {
		return nil, Info{}, fmt.Errorf("timestamp: nonce: %w", err)
	}
	ask, err := c.request(imprint, nonce)
	if err != nil {
		return nil, Info{}, err
	}
	sent := c.Clock.Now()
	answer, err := c.post(ctx, ask)
	if err != nil {
		return nil, Info{}, err
	}
	if token, err = granted(answer); err != nil {
		return nil, Info{}, err
	}
	if info, err = Verify(token, imprint, c.Roots); err != nil {
		return nil, Info{}, err
	}
	if info.nonce == nil || info.nonce.Cmp(nonce) != 0 {
		return nil, Info{}, &Error{Nonce, nil}
	}
	if c.Policy != "" && info.Policy != c.Policy {
		return nil, Info{}, because(Policy, "%s", info.Policy)
	}
	if info.At.Before(sent.Add(-skew)) || info.At.After(c.Clock.Now().Add(skew)) {
		return nil, Info{}, because(Clock, "the authority says %s", info.At.Format(time.RFC3339))
	}
	return token, info, nil
}

func (c *Client) request(sum [sha256.Size]byte, nonce *big.Int) ([]byte, error) {
	q := request{
		Version: 1, Nonce: nonce, CertReq: true,
		Imprint: imprint{pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}, Parameters: asn1.NullRawValue}, sum[:]},
	}
	if c.Policy != "" {
		oid, err := ParseOID(c.Policy)
		if err != nil {
			return nil, err
		}
		q.Policy = oid
	}
	der, err := asn1.Marshal(q)
	if err != nil {
		return nil, fmt.Errorf("timestamp: request: %w", err)
	}
	return der, nil
}

func (c *Client) post(ctx context.Context, ask []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(ask))
	if err != nil {
		return nil, because(Unreachable, "%w", err)
	}
	req.Header.Set("Content-Type", "application/timestamp-query")
	req.Header.Set("Accept", "application/timestamp-reply")
	if c.User != "" {
		req.SetBasicAuth(c.User, c.Password)
	}
	client := c.HTTP
	if client == nil {
		client = &http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, because(Unreachable, "%w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, because(Unreachable, "HTTP status %d", res.StatusCode)
	}
	if kind, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";"); strings.TrimSpace(kind) != "application/timestamp-reply" {
		return nil, because(Malformed, "content type %q", kind)
	}
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, because(Unreachable, "%w", err)
	}
	if len(answer) > maxAnswer {
		return nil, because(Malformed, "more than %d bytes", maxAnswer)
	}
	return answer, nil
}

// granted gives the token of a positive answer (RFC 3161 §2.4.2).
func granted(answer []byte) ([]byte, error) {
	var r response
	if err := whole(answer, &r); err != nil {
		return nil, because(Malformed, "TimeStampResp: %w", err)
	}
	if r.Status.Status != 0 && r.Status.Status != 1 { // granted, grantedWithMods
		return nil, because(Rejected, "status %d, failure bits %x", r.Status.Status, r.Status.FailInfo.Bytes)
	}
	if len(r.Token.FullBytes) == 0 {
		return nil, because(Malformed, "granted without a token")
	}
	return r.Token.FullBytes, nil
}

// ParseOID reads an object identifier in dotted form.
func ParseOID(dotted string) (asn1.ObjectIdentifier, error) {
	var oid asn1.ObjectIdentifier
	for _, part := range strings.Split(dotted, ".") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("timestamp: %q is not an object identifier", dotted)
		}
		oid = append(oid, n)
	}
	if len(oid) < 2 || oid[0] > 2 || (oid[0] < 2 && oid[1] >= 40) {
		return nil, fmt.Errorf("timestamp: %q is not an object identifier", dotted)
	}
	return oid, nil
}
