package timestamp

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// Reason says in one word what was wrong; it is kept and shown.
type Reason string

// The reasons.
const (
	Unreachable Reason = "unreachable" // no answer, or not one of RFC 3161
	Rejected    Reason = "rejected"    // the authority said no
	Malformed   Reason = "malformed"   // the answer cannot be read
	Imprint     Reason = "imprint"     // it dates something else
	Nonce       Reason = "nonce"       // it answers another question
	Policy      Reason = "policy"      // not the policy asked for
	Signature   Reason = "signature"   // the token is not what was signed
	Certificate Reason = "certificate" // the signer is not one to believe
	Clock       Reason = "clock"       // the time is far from ours
)

// Error is why there is no token, or why one is not accepted.
type Error struct {
	Reason Reason
	cause  error
}

// Error implements error.
func (e *Error) Error() string {
	if e.cause == nil {
		return "timestamp: " + string(e.Reason)
	}
	return "timestamp: " + string(e.Reason) + ": " + e.cause.Error()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

func because(r Reason, format string, args ...any) error {
	return &Error{r, fmt.Errorf(format, args...)}
}

// ReasonOf gives the reason of an error of this package; Unreachable for any
// other error.
func ReasonOf(err error) Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return Unreachable
}

// Info is what a token says.
type Info struct {
	At        time.Time     // when the authority saw the imprint, UTC
	Accuracy  time.Duration // of At; zero when not told
	Serial    string        // of the token, decimal
	Policy    string        // OID under which it was made
	Authority string        // subject of the certificate that signed
	nonce     *big.Int
}

// Verify checks a token of RFC 3161 over the SHA-256 imprint, against the
// authorities in roots, and reads it. It needs no network and no clock: the
// certificate is judged at the token's own time. Its errors are *Error.
func Verify(token []byte, imprint [sha256.Size]byte, roots *x509.CertPool) (Info, error) {
	sd, err := open(token)
	if err != nil {
		return Info{}, err
	}
	var tst tstInfo
	if err := whole(sd.Encapsulated.Content, &tst); err != nil || tst.Version != 1 || tst.Serial == nil {
		return Info{}, because(Malformed, "TSTInfo: %w", orShape(err))
	}
	if err := noCritical(tst.Extensions); err != nil {
		return Info{}, err
	}
	cert, chain, err := sd.signed()
	if err != nil {
		return Info{}, err
	}
	if err := trust(cert, chain, roots, tst.Time); err != nil {
		return Info{}, err
	}
	if !oidIs(tst.Imprint.Algorithm.Algorithm, idSHA256) || !bytes.Equal(tst.Imprint.Hashed, imprint[:]) {
		return Info{}, &Error{Imprint, nil}
	}
	return Info{
		At: tst.Time.UTC(), Accuracy: tst.Accuracy.duration(), Serial: tst.Serial.String(), Policy: tst.Policy.String(),
		Authority: cert.Subject.String(), nonce: tst.Nonce,
	}, nil
}

// noCritical refuses a token with an extension that must be understood: we
// understand none (RFC 3161 §2.4.2, RFC 5280 §4.2).
func noCritical(extensions asn1.RawValue) error {
	if len(extensions.FullBytes) == 0 {
		return nil
	}
	var list []pkix.Extension
	if rest, err := asn1.UnmarshalWithParams(extensions.FullBytes, &list, "tag:1"); err != nil || len(rest) > 0 {
		return because(Malformed, "extensions: %w", orShape(err))
	}
	for _, e := range list {
		if e.Critical {
			return because(Malformed, "critical extension %s", e.Id)
		}
	}
	return nil
}

var errShape = errors.New("not of the expected shape")

func orShape(err error) error {
	if err == nil {
		return errShape
	}
	return err
}

// whole decodes DER and refuses what follows it.
func whole(der []byte, out any) error {
	rest, err := asn1.Unmarshal(der, out)
	if err == nil && len(rest) > 0 {
		err = errShape
	}
	return err
}

// open reads the CMS envelope.
func open(token []byte) (signedData, error) {
	var outer contentInfo
	var sd signedData
	if err := whole(token, &outer); err != nil || !oidIs(outer.Type, idSignedData) {
		return sd, because(Malformed, "ContentInfo: %w", orShape(err))
	}
	if err := whole(outer.Content.Bytes, &sd); err != nil {
		return sd, because(Malformed, "SignedData: %w", err)
	}
	if !oidIs(sd.Encapsulated.Type, idTSTInfo) || len(sd.Signers) != 1 {
		return sd, because(Malformed, "SignedData: %w", errShape)
	}
	return sd, nil
}

// signed checks the one signature (RFC 5652 §5.4, §5.6) and gives who made it,
// with the other certificates of the token.
func (sd signedData) signed() (cert *x509.Certificate, others []*x509.Certificate, err error) {
	si := sd.Signers[0]
	certs, err := x509.ParseCertificates(sd.Certificates.Bytes)
	if err != nil {
		return nil, nil, because(Certificate, "%w", err)
	}
	for _, c := range certs {
		if cert == nil && si.by(c) {
			cert = c
		} else {
			others = append(others, c)
		}
	}
	if cert == nil {
		return nil, nil, because(Certificate, "the signer's certificate is not in the token")
	}
	h, known := digest(si.Digest)
	if !known || len(si.Signed.FullBytes) == 0 {
		return nil, nil, because(Signature, "digest %s", si.Digest.Algorithm)
	}
	// What is signed is the DER of the SET, not of the [0] it travels in.
	attrs := bytes.Clone(si.Signed.FullBytes)
	attrs[0] = asn1.TagSet | 0x20
	sum := h.New()
	sum.Write(sd.Encapsulated.Content)
	if err := checkAttributes(attrs, sum.Sum(nil), cert); err != nil {
		return nil, nil, err
	}
	if err := cert.CheckSignature(signature(si.Algorithm, h), attrs, si.Signature); err != nil {
		return nil, nil, because(Signature, "%w", err)
	}
	return cert, others, nil
}

// by tells whether the signer names this certificate.
func (si signerInfo) by(c *x509.Certificate) bool {
	if si.Who.Class == asn1.ClassContextSpecific && si.Who.Tag == 0 {
		return len(c.SubjectKeyId) > 0 && bytes.Equal(si.Who.Bytes, c.SubjectKeyId)
	}
	var id issuerAndSerial
	return whole(si.Who.FullBytes, &id) == nil && bytes.Equal(id.Issuer.FullBytes, c.RawIssuer) && id.Serial.Cmp(c.SerialNumber) == 0
}

// checkAttributes wants each of the three attributes that matter once, and
// saying what we see (RFC 5652 §11, RFC 5035 §3).
func checkAttributes(der, contentDigest []byte, cert *x509.Certificate) error {
	var attrs []attribute
	rest, err := asn1.UnmarshalWithParams(der, &attrs, "set")
	if err != nil || len(rest) > 0 {
		return because(Malformed, "signed attributes: %w", orShape(err))
	}
	seen := map[string]int{}
	for _, a := range attrs {
		seen[a.Type.String()]++
		switch a.Type.String() {
		case idContentType:
			var t asn1.ObjectIdentifier
			if whole(a.Values.Bytes, &t) != nil || !oidIs(t, idTSTInfo) {
				return because(Signature, "content type")
			}
		case idMessageDigest:
			var d []byte
			if whole(a.Values.Bytes, &d) != nil || !bytes.Equal(d, contentDigest) {
				return because(Signature, "message digest")
			}
		case idSigningCertV2:
			if !namesCert(a.Values.Bytes, cert) {
				return because(Certificate, "the signed attributes name another certificate")
			}
		}
	}
	for _, id := range []string{idContentType, idMessageDigest, idSigningCertV2} {
		if seen[id] != 1 {
			return because(Signature, "attribute %s is there %d times", id, seen[id])
		}
	}
	return nil
}

func namesCert(der []byte, cert *x509.Certificate) bool {
	var sc signingCertificate
	if whole(der, &sc) != nil || len(sc.Certs) == 0 {
		return false
	}
	first := sc.Certs[0] // RFC 5035 §3: the signer's own
	if len(first.Algorithm.Algorithm) == 0 {
		sum := sha256.Sum256(cert.Raw)
		return bytes.Equal(first.Hash, sum[:])
	}
	h, known := digest(first.Algorithm)
	if !known {
		return false
	}
	sum := h.New()
	sum.Write(cert.Raw)
	return bytes.Equal(first.Hash, sum.Sum(nil))
}

// trust checks who signed: a certificate for time stamping alone, critically
// (RFC 3161 §2.3), that a root answered for at that time.
func trust(cert *x509.Certificate, others []*x509.Certificate, roots *x509.CertPool, at time.Time) error {
	only := len(cert.ExtKeyUsage) == 1 && cert.ExtKeyUsage[0] == x509.ExtKeyUsageTimeStamping && len(cert.UnknownExtKeyUsage) == 0
	critical := false
	for _, e := range cert.Extensions {
		if oidIs(e.Id, idExtensionKeyUsages) {
			critical = e.Critical
		}
	}
	if !only || !critical {
		return because(Certificate, "not for time stamping alone")
	}
	if roots == nil {
		return because(Certificate, "no authority is configured")
	}
	between := x509.NewCertPool()
	for _, c := range others {
		between.AddCert(c)
	}
	_, err := cert.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping},
	})
	if err != nil {
		return because(Certificate, "%w", err)
	}
	return nil
}
