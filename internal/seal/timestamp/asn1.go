package timestamp

import (
	"crypto"
	_ "crypto/sha256" // the digests of digests below
	_ "crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"time"
)

// The types of RFC 3161 §2.4.

type request struct {
	Version int
	Imprint imprint
	Policy  asn1.ObjectIdentifier `asn1:"optional"`
	Nonce   *big.Int              `asn1:"optional"`
	CertReq bool                  `asn1:"optional"`
}

type imprint struct {
	Algorithm pkix.AlgorithmIdentifier
	Hashed    []byte
}

type response struct {
	Status statusInfo
	Token  asn1.RawValue `asn1:"optional"`
}

type statusInfo struct {
	Status   int
	Text     []asn1.RawValue `asn1:"optional"`
	FailInfo asn1.BitString  `asn1:"optional"`
}

type tstInfo struct {
	Version    int
	Policy     asn1.ObjectIdentifier
	Imprint    imprint
	Serial     *big.Int
	Time       time.Time     `asn1:"generalized"`
	Accuracy   accuracy      `asn1:"optional"`
	Ordering   bool          `asn1:"optional"`
	Nonce      *big.Int      `asn1:"optional"`
	Authority  asn1.RawValue `asn1:"optional,explicit,tag:0"`
	Extensions asn1.RawValue `asn1:"optional,tag:1"`
}

type accuracy struct {
	Seconds int `asn1:"optional"`
	Millis  int `asn1:"optional,tag:0"`
	Micros  int `asn1:"optional,tag:1"`
}

func (a accuracy) duration() time.Duration {
	return time.Duration(a.Seconds)*time.Second + time.Duration(a.Millis)*time.Millisecond + time.Duration(a.Micros)*time.Microsecond
}

// The types of RFC 5652 §3 and §5.

type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"explicit,tag:0"`
}

type signedData struct {
	Version      int
	Digests      []pkix.AlgorithmIdentifier `asn1:"set"`
	Encapsulated struct {
		Type    asn1.ObjectIdentifier
		Content []byte `asn1:"explicit,tag:0"`
	}
	Certificates asn1.RawValue `asn1:"optional,tag:0"`
	CRLs         asn1.RawValue `asn1:"optional,tag:1"`
	Signers      []signerInfo  `asn1:"set"`
}

type signerInfo struct {
	Version   int
	Who       asn1.RawValue // IssuerAndSerialNumber, or [0] subject key identifier
	Digest    pkix.AlgorithmIdentifier
	Signed    asn1.RawValue `asn1:"optional,tag:0"`
	Algorithm pkix.AlgorithmIdentifier
	Signature []byte
	Unsigned  asn1.RawValue `asn1:"optional,tag:1"`
}

type issuerAndSerial struct {
	Issuer asn1.RawValue
	Serial *big.Int
}

type attribute struct {
	Type   asn1.ObjectIdentifier
	Values asn1.RawValue
}

// signingCertificate is SigningCertificateV2 of RFC 5035 §3.
type signingCertificate struct {
	Certs    []essCert
	Policies asn1.RawValue `asn1:"optional"`
}

type essCert struct {
	Algorithm pkix.AlgorithmIdentifier `asn1:"optional"` // SHA-256 when absent
	Hash      []byte
	Issuer    asn1.RawValue `asn1:"optional"`
}

func oidIs(oid asn1.ObjectIdentifier, dotted string) bool { return oid.String() == dotted }

// Object identifiers, with their names in the RFCs.
const (
	idSignedData         = "1.2.840.113549.1.7.2"
	idTSTInfo            = "1.2.840.113549.1.9.16.1.4"
	idContentType        = "1.2.840.113549.1.9.3"
	idMessageDigest      = "1.2.840.113549.1.9.4"
	idSigningCertV2      = "1.2.840.113549.1.9.16.2.47"
	idExtensionKeyUsages = "2.5.29.37"
	idSHA256             = "2.16.840.1.101.3.4.2.1"
)

// digest gives the hash an algorithm identifier names; SHA-2 only.
func digest(a pkix.AlgorithmIdentifier) (crypto.Hash, bool) {
	switch a.Algorithm.String() {
	case idSHA256:
		return crypto.SHA256, true
	case "2.16.840.1.101.3.4.2.2":
		return crypto.SHA384, true
	case "2.16.840.1.101.3.4.2.3":
		return crypto.SHA512, true
	}
	return 0, false
}

// signature gives the algorithm that signer and digest name together.
func signature(a pkix.AlgorithmIdentifier, h crypto.Hash) x509.SignatureAlgorithm {
	byDigest := func(sha256, sha384, sha512 x509.SignatureAlgorithm) x509.SignatureAlgorithm {
		return map[crypto.Hash]x509.SignatureAlgorithm{crypto.SHA256: sha256, crypto.SHA384: sha384, crypto.SHA512: sha512}[h]
	}
	switch a.Algorithm.String() {
	case "1.2.840.113549.1.1.1": // rsaEncryption: the digest is the signer's
		return byDigest(x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA)
	case "1.2.840.113549.1.1.10":
		return byDigest(x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS)
	case "1.2.840.113549.1.1.11":
		return x509.SHA256WithRSA
	case "1.2.840.113549.1.1.12":
		return x509.SHA384WithRSA
	case "1.2.840.113549.1.1.13":
		return x509.SHA512WithRSA
	case "1.2.840.10045.4.3.2":
		return x509.ECDSAWithSHA256
	case "1.2.840.10045.4.3.3":
		return x509.ECDSAWithSHA384
	case "1.2.840.10045.4.3.4":
		return x509.ECDSAWithSHA512
	case "1.3.101.112":
		return x509.PureEd25519
	}
	return x509.UnknownSignatureAlgorithm
}
