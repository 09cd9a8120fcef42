package stun

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"testing"

	pion "github.com/pion/stun/v4"
)

// request is what another implementation sends.
func request(t testing.TB, user, password string, more ...pion.Setter) []byte {
	t.Helper()
	set := append([]pion.Setter{pion.TransactionID, pion.BindingRequest, pion.NewUsername(user)}, more...)
	set = append(set, pion.NewShortTermIntegrity(password), pion.Fingerprint)
	m, err := pion.Build(set...)
	if err != nil {
		t.Fatal(err)
	}
	return m.Raw
}

func TestAnotherImplementationTakesTheAnswer(t *testing.T) {
	for _, from := range []string{"192.0.2.7:4711", "[2001:db8::5]:65535"} {
		raw := request(t, "ours:theirs", "secret")
		c, err := Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := c.Names(); a != "ours" || b != "theirs" || c.Nominated {
			t.Errorf("read %q %q %v", a, b, c.Nominated)
		}
		if err := c.Verify("secret"); err != nil {
			t.Error(err)
		}
		if err := c.Verify("other"); !errors.Is(err, ErrIntegrity) {
			t.Errorf("a wrong password: %v", err)
		}
		dst := make([]byte, 88)
		n := c.Answer(dst, "secret", netip.MustParseAddrPort(from))
		m := &pion.Message{Raw: dst[:n]}
		if err := m.Decode(); err != nil {
			t.Fatal(err)
		}
		var addr pion.XORMappedAddress
		if err := addr.GetFrom(m); err != nil || addr.String() != from {
			t.Errorf("mapped %s, %v, want %s", addr, err, from)
		}
		if err := pion.NewShortTermIntegrity("secret").Check(m); err != nil {
			t.Error(err)
		}
		if err := pion.Fingerprint.Check(m); err != nil {
			t.Error(err)
		}
		if m.Type != pion.BindingSuccess || string(m.TransactionID[:]) != string(raw[8:20]) {
			t.Errorf("answer %s", m)
		}
	}
}

func TestAnotherImplementationTakesOurCheck(t *testing.T) {
	for _, user := range []string{"theirs:ours", "abcd:x", strings.Repeat("n", 256) + ":ourselves"} {
		dst := bytes.Repeat([]byte{0xff}, 600)
		n := Request(dst, user, "secret", [12]byte{1, 2, 3}, 99)
		m := &pion.Message{Raw: dst[:n]}
		if err := m.Decode(); err != nil {
			t.Fatal(err)
		}
		var name pion.Username
		if err := name.GetFrom(m); err != nil || name.String() != user || m.Type != pion.BindingRequest {
			t.Errorf("%s, %v", m, err)
		}
		if err := pion.NewShortTermIntegrity("secret").Check(m); err != nil {
			t.Error(err)
		}
		if err := pion.Fingerprint.Check(m); err != nil {
			t.Error(err)
		}
		if _, err := m.Get(pion.AttrICEControlled); err != nil {
			t.Error(err)
		}
		if c, err := Parse(dst[:n]); len(user) < 100 && (err != nil || c.Verify("secret") != nil) {
			t.Errorf("we do not take our own: %v", err)
		}
	}
}

func TestNomination(t *testing.T) {
	c, err := Parse(request(t, "a:b", "x", pion.RawAttribute{Type: pion.AttrUseCandidate}))
	if err != nil || !c.Nominated {
		t.Errorf("nominated %v, %v", c.Nominated, err)
	}
}

func TestWhatIsNotACheckIsRefused(t *testing.T) {
	good := request(t, "ours:theirs", "secret")
	change := func(f func([]byte) []byte) []byte { return f(append([]byte(nil), good...)) }
	for name, b := range map[string][]byte{
		"nothing":                       nil,
		"header only":                   change(func(b []byte) []byte { b[2], b[3] = 0, 0; return b[:20] }),
		"cut":                           good[:len(good)-4],
		"longer than it says":           append(append([]byte(nil), good...), 0, 0, 0, 0),
		"no cookie":                     change(func(b []byte) []byte { b[4] = 0; return b }),
		"an indication":                 change(func(b []byte) []byte { b[1] = 0x11; return b }),
		"a response":                    change(func(b []byte) []byte { b[0] = 1; return b }),
		"an attribute that is too long": change(func(b []byte) []byte { b[23] = 0xff; return b }),
		"wrong fingerprint":             change(func(b []byte) []byte { b[len(b)-1] ^= 1; return b }),
		"wrong name":                    change(func(b []byte) []byte { b[24] ^= 1; return b }), // the fingerprint sees it
	} {
		if _, err := Parse(b); !errors.Is(err, ErrNotACheck) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, set := range map[string][]pion.Setter{
		"no integrity": {pion.TransactionID, pion.BindingRequest, pion.NewUsername("a:b"), pion.Fingerprint},
		"no name":      {pion.TransactionID, pion.BindingRequest, pion.NewShortTermIntegrity("x"), pion.Fingerprint},
		"no print":     {pion.TransactionID, pion.BindingRequest, pion.NewUsername("a:b"), pion.NewShortTermIntegrity("x")},
		"two names":    {pion.TransactionID, pion.BindingRequest, pion.NewUsername("a:b"), pion.NewUsername("c:d"), pion.NewShortTermIntegrity("x"), pion.Fingerprint},
	} {
		m, err := pion.Build(set...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(m.Raw); !errors.Is(err, ErrNotACheck) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzCheck is the STUN part of trust.md S8.
func FuzzCheck(f *testing.F) {
	f.Add(request(f, "ours:theirs", "secret"))
	f.Add(request(f, "a:b", "x", pion.RawAttribute{Type: pion.AttrUseCandidate}))
	f.Add([]byte{0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0xff, 0xff, 0, 0, 0, 0})
	from := netip.MustParseAddrPort("[2001:db8::5]:65535")
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Parse(b)
		if err != nil {
			return
		}
		c.Names()
		_ = c.Verify("secret")
		if n := c.Answer(make([]byte, 88), "secret", from); n > 88 {
			t.Fatalf("answer of %d bytes", n)
		}
	})
}

// TestParse_UnknownAttributes: an attribute that must be understood and is not makes the check none (RFC 8489 §6.3.1); one
// that may be ignored is ignored, and so is what stands behind the integrity (issue 9, B4).
func TestParse_UnknownAttributes(t *testing.T) {
	for kind, ok := range map[pion.AttrType]bool{
		pion.AttrPriority: true, pion.AttrUseCandidate: true, pion.AttrICEControlling: true, pion.AttrSoftware: true, 0x8000: true, 0xc057: true, 0xffff: true,
		0x0000: false, 0x0001: false, pion.AttrErrorCode: false, pion.AttrUnknownAttributes: false, pion.AttrRealm: false, pion.AttrNonce: false, pion.AttrChannelNumber: false, pion.AttrRequestedTransport: false, 0x7fff: false,
	} {
		if _, err := Parse(request(t, "ours:theirs", "secret", pion.RawAttribute{Type: kind, Value: []byte{1, 2, 3, 4}})); (err == nil) != ok {
			t.Errorf("%#04x: %v", uint16(kind), err)
		}
	}
}
