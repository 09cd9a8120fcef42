package psc

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

// Fault is one way the provider can misbehave. The empty Fault is none.
type Fault string

// The faults. Those about a token change the ID token only, and sign it again
// with the provider's own key unless the fault is about the signature.
const (
	NoFault          Fault = ""
	Down             Fault = "down"            // every answer is 503
	Slow             Fault = "slow"            // discovery, token and userinfo hang for Options.SlowFor
	Denied           Fault = "denied"          // comes back with error=access_denied
	WrongState       Fault = "wrong-state"     // another state than the one sent
	CodeReplay       Fault = "code-replay"     // comes back with a code already used
	NoIDToken        Fault = "no-id-token"     // a token answer without id_token
	WrongNonce       Fault = "wrong-nonce"     //
	NoNonce          Fault = "no-nonce"        //
	WrongIssuer      Fault = "wrong-issuer"    //
	WrongAudience    Fault = "wrong-audience"  //
	WrongAZP         Fault = "wrong-azp"       // two audiences, and the other one authorized
	Expired          Fault = "expired"         // one hour ago
	NotYetIssued     Fault = "not-yet-issued"  // iat and nbf one hour ahead
	LowACR           Fault = "low-acr"         // eidas0
	NoACR            Fault = "no-acr"          //
	OtherSubject     Fault = "other-subject"   // userinfo speaks of someone else than the ID token
	BadSignature     Fault = "bad-signature"   // last byte of the signature changed
	OtherKey         Fault = "other-key"       // signed by an unpublished key under the published kid
	UnknownKey       Fault = "unknown-key"     // a kid that is not published
	AlgNone          Fault = "alg-none"        // unsigned
	AlgHMACPublicKey Fault = "alg-hmac"        // HS256 keyed with the published RSA key
	TamperedClaims   Fault = "tampered-claims" // claims changed, signature kept
	OldAuthTime      Fault = "old-auth-time"   // signed in two hours ago, whatever was asked
	NoAuthTime       Fault = "no-auth-time"    //
)

// Faults lists every fault, NoFault first.
func Faults() []Fault {
	return []Fault{NoFault, Down, Slow, Denied, WrongState, CodeReplay, NoIDToken, WrongNonce, NoNonce,
		WrongIssuer, WrongAudience, WrongAZP, Expired, NotYetIssued, LowACR, NoACR, OtherSubject,
		BadSignature, OtherKey, UnknownKey, AlgNone, AlgHMACPublicKey, TamperedClaims}
}

// StepUpFaults lists those that matter only where a relying party asked for the
// person to be asked again (prompt=login, max_age): a plain sign-in bears them.
func StepUpFaults() []Fault { return []Fault{OldAuthTime, NoAuthTime} }

func knownFault(f Fault) bool {
	for _, k := range append(Faults(), StepUpFaults()...) {
		if k == f {
			return true
		}
	}
	return false
}

// spoil rewrites an ID token as the fault asks, or returns it untouched.
func (f Fault) spoil(token string, keys keyPair) (string, error) {
	parts := strings.Split(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", err
	}
	var claims map[string]any
	if err := json.Unmarshal(raw, &claims); err != nil {
		return "", err
	}
	if f.spoilClaims(claims) {
		return sign(claims, keys.current, keys.kid)
	}
	switch f {
	case BadSignature:
		return token[:len(token)-4] + flip(token[len(token)-4]) + token[len(token)-3:], nil
	case OtherKey:
		return sign(claims, keys.unpublished, keys.kid)
	case UnknownKey:
		return sign(claims, keys.unpublished, "inconnue")
	case AlgNone:
		return encode(map[string]any{"alg": "none", "typ": "JWT"}) + "." + parts[1] + ".", nil
	case AlgHMACPublicKey:
		return signHMAC(claims, keys)
	case TamperedClaims:
		claims["sub"] = "f:00000000-0000-0000-0000-000000000000:899900000000"
		return parts[0] + "." + encode(claims) + "." + parts[2], nil
	}
	return token, nil
}

// spoilClaims changes the claims in place and reports whether it did.
func (f Fault) spoilClaims(c map[string]any) bool {
	hour := time.Hour
	switch f {
	case WrongNonce:
		c["nonce"] = "une-autre-demande"
	case NoNonce:
		delete(c, "nonce")
	case WrongIssuer:
		c["iss"] = "https://ailleurs.invalid/auth/realms/esante-wallet"
	case WrongAudience:
		c["aud"] = []string{"un-autre-logiciel"}
		c["azp"] = "un-autre-logiciel"
	case WrongAZP:
		c["aud"] = append(asStrings(c["aud"]), "un-autre-logiciel")
		c["azp"] = "un-autre-logiciel"
	case Expired:
		c["iat"], c["exp"] = time.Now().Add(-2*hour).Unix(), time.Now().Add(-hour).Unix()
	case NotYetIssued:
		ahead := time.Now().Add(hour).Unix()
		c["iat"], c["nbf"], c["exp"] = ahead, ahead, time.Now().Add(2*hour).Unix()
	case LowACR:
		c["acr"] = "eidas0"
	case NoACR:
		delete(c, "acr")
	case OldAuthTime:
		c["auth_time"] = time.Now().Add(-2 * hour).Unix()
	case NoAuthTime:
		delete(c, "auth_time")
	default:
		return false
	}
	return true
}

func sign(claims map[string]any, key any, kid string) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: kid}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return jws.CompactSerialize()
}

// signHMAC is the RS256/HS256 confusion: the public key, which anyone has,
// used as a shared secret.
func signHMAC(claims map[string]any, keys keyPair) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(&keys.current.PublicKey)
	if err != nil {
		return "", err
	}
	secret := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	body := encode(map[string]any{"alg": "HS256", "typ": "JWT", "kid": keys.kid}) + "." + encode(claims)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(body))
	return body + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), nil
}

func encode(v map[string]any) string {
	b, _ := json.Marshal(v) // maps of strings and numbers always marshal
	return base64.RawURLEncoding.EncodeToString(b)
}

func flip(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}

func asStrings(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var list []string
		for _, e := range v {
			if s, ok := e.(string); ok {
				list = append(list, s)
			}
		}
		return list
	}
	return nil
}
