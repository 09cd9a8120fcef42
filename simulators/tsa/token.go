package tsa

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"
)

// These types are written from the RFCs apart from internal/seal/timestamp: a
// misreading there must not agree with itself here. OpenSSL judges both in the
// tests.

type query struct {
	Version    int
	Imprint    messageImprint
	Policy     asn1.ObjectIdentifier `asn1:"optional"`
	Nonce      *big.Int              `asn1:"optional"`
	CertReq    bool                  `asn1:"optional"`
	Extensions asn1.RawValue         `asn1:"optional,tag:0"`
}

type messageImprint struct {
	Algorithm pkix.AlgorithmIdentifier
	Hash      []byte
}

type tstInfo struct {
	Version  int
	Policy   asn1.ObjectIdentifier
	Imprint  messageImprint
	Serial   *big.Int
	Time     asn1.RawValue
	Accuracy struct{ Seconds int }
	Nonce    *big.Int `asn1:"optional"`
}

type reply struct {
	Status struct {
		Status int
		Fail   asn1.BitString `asn1:"optional"`
	}
	Token asn1.RawValue `asn1:"optional"`
}

type attribute struct {
	Type   asn1.ObjectIdentifier
	Values []any `asn1:"set"`
}

type signer struct {
	Version int
	Who     struct {
		Issuer asn1.RawValue
		Serial *big.Int
	}
	Digest    pkix.AlgorithmIdentifier
	Signed    asn1.RawValue
	Algorithm pkix.AlgorithmIdentifier
	Signature []byte
}

type signedData struct {
	Version int
	Digests []pkix.AlgorithmIdentifier `asn1:"set"`
	Content struct {
		Type  asn1.ObjectIdentifier
		Value []byte `asn1:"explicit,tag:0"`
	}
	Certificates asn1.RawValue
	Signers      []signer `asn1:"set"`
}

var errQuery = errors.New("tsa simulator: not a TimeStampReq")

func readQuery(der []byte) (query, error) {
	var q query
	rest, err := asn1.Unmarshal(der, &q)
	if err != nil || len(rest) > 0 || q.Version != 1 {
		return q, errQuery
	}
	return q, nil
}

func algorithm(arcs ...int) pkix.AlgorithmIdentifier {
	return pkix.AlgorithmIdentifier{Algorithm: arcs}
}

func sha256ID() pkix.AlgorithmIdentifier { return algorithm(2, 16, 840, 1, 101, 3, 4, 2, 1) }

func tstContentType() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
}

// policy is the simulator's own, under the example arc of Joint ISO-ITU-T.
func policy() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 999, 3161} }

// refusal answers no: rejection, badAlg (0) or badRequest (2) or unacceptedPolicy (15).
func refusal(bit int) ([]byte, error) {
	var r reply
	r.Status.Status = 2
	bits := make([]byte, bit/8+1)
	bits[bit/8] = 0x80 >> (bit % 8)
	r.Status.Fail = asn1.BitString{Bytes: bits, BitLength: bit + 1}
	return asn1.Marshal(r)
}

// grant signs the answer to a query.
func grant(q query, id identity, serial *big.Int, at time.Time) ([]byte, error) {
	p := q.Policy
	if p == nil {
		p = policy()
	}
	content, err := asn1.Marshal(tstInfo{
		Version: 1, Policy: p, Imprint: q.Imprint, Serial: serial, Nonce: q.Nonce, Accuracy: struct{ Seconds int }{1},
		Time: asn1.RawValue{Tag: asn1.TagGeneralizedTime, Bytes: []byte(at.UTC().Format("20060102150405Z"))},
	})
	if err != nil {
		return nil, err
	}
	signed, err := sign(content, id, q.CertReq)
	if err != nil {
		return nil, err
	}
	token, err := asn1.Marshal(struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: signed}})
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(reply{Token: asn1.RawValue{FullBytes: token}})
}

// sign makes the SignedData of RFC 5652 around content.
func sign(content []byte, id identity, withCert bool) ([]byte, error) {
	attrs, err := attributes(content, id)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(attrs)
	signature, err := id.key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("tsa simulator: %w", err)
	}
	si := signer{Version: 1, Digest: sha256ID(), Algorithm: algorithm(1, 2, 840, 10045, 4, 3, 2), Signature: signature}
	si.Who.Issuer, si.Who.Serial = asn1.RawValue{FullBytes: id.cert.RawIssuer}, id.cert.SerialNumber
	attrs[0] = 0xA0 // [0] IMPLICIT SET
	si.Signed = asn1.RawValue{FullBytes: attrs}
	sd := signedData{Version: 3, Digests: []pkix.AlgorithmIdentifier{sha256ID()}, Signers: []signer{si}}
	sd.Content.Type, sd.Content.Value = tstContentType(), content
	sd.Certificates = asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true}
	if withCert {
		sd.Certificates.Bytes = id.cert.Raw
	}
	return asn1.Marshal(sd)
}

// attributes gives the DER of the signed attributes, as a SET OF: sorted.
func attributes(content []byte, id identity) ([]byte, error) {
	digest, cert := sha256.Sum256(content), sha256.Sum256(id.cert.Raw)
	type essCert struct{ Hash []byte }
	type signingCert struct{ Certs []essCert }
	var all [][]byte
	for _, a := range []attribute{
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}, []any{tstContentType()}},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}, []any{digest[:]}},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}, []any{signingCert{[]essCert{{cert[:]}}}}},
	} {
		der, err := asn1.Marshal(a)
		if err != nil {
			return nil, err
		}
		all = append(all, der)
	}
	slices.SortFunc(all, bytes.Compare)
	return asn1.Marshal(asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: bytes.Join(all, nil)})
}

// emptyGrant says yes and gives nothing.
func emptyGrant() ([]byte, error) { return asn1.Marshal(reply{}) }
