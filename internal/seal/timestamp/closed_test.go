package timestamp

import (
	"crypto"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"
)

// TestStatus_ClosedList: a token counts with the two statuses that grant one; the
// others, and those nobody has seen yet, do not (RFC 3161 §2.4.2; issue 9, B4).
func TestStatus_ClosedList(t *testing.T) {
	token := asn1.RawValue{FullBytes: []byte{0x30, 0x03, 0x02, 0x01, 0x05}}
	for status := -1; status <= 260; status++ {
		der, err := asn1.Marshal(struct {
			Status struct{ Status int }
			Token  asn1.RawValue
		}{struct{ Status int }{status}, token})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := granted(der); (err == nil) != (status == 0 || status == 1) {
			t.Errorf("status %d: %v", status, err)
		}
	}
}

// TestAlgorithms_ClosedList: a digest or signature that is not on the list is
// none, those of another age included.
func TestAlgorithms_ClosedList(t *testing.T) {
	for _, oid := range []asn1.ObjectIdentifier{
		{1, 3, 14, 3, 2, 26}, {1, 2, 840, 113549, 2, 5}, {2, 16, 840, 1, 101, 3, 4, 2, 4}, {2, 16, 840, 1, 101, 3, 4, 2, 8}, {2, 16, 840, 1, 101, 3, 4, 2}, {1, 2, 3},
	} {
		if h, ok := digest(pkix.AlgorithmIdentifier{Algorithm: oid}); ok {
			t.Errorf("%s is taken for %s", oid, h)
		}
	}
	for _, oid := range []asn1.ObjectIdentifier{
		{1, 2, 840, 113549, 1, 1, 5}, {1, 2, 840, 113549, 1, 1, 4}, {1, 2, 840, 10045, 4, 1}, {1, 2, 840, 10040, 4, 3}, {1, 2, 840, 113549, 1, 1}, {1, 2, 3},
	} {
		if a := signature(pkix.AlgorithmIdentifier{Algorithm: oid}, crypto.SHA256); a != 0 {
			t.Errorf("%s is taken for %s", oid, a)
		}
	}
}

// TestExtensions_Critical: what an authority says must be understood is not passed over.
func TestExtensions_Critical(t *testing.T) {
	for name, c := range map[string]struct {
		list []pkix.Extension
		fine bool
	}{
		"none":                       {nil, true},
		"one that may be ignored":    {[]pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Value: []byte{5, 0}}}, true},
		"a critical one":             {[]pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}}, false},
		"a critical one, the second": {[]pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Value: []byte{5, 0}}, {Id: asn1.ObjectIdentifier{1, 2, 4}, Critical: true, Value: []byte{5, 0}}}, false},
	} {
		var raw asn1.RawValue
		if c.list != nil {
			der, err := asn1.MarshalWithParams(c.list, "tag:1")
			if err != nil {
				t.Fatal(err)
			}
			raw.FullBytes = der
		}
		if err := noCritical(raw); (err == nil) != c.fine {
			t.Errorf("%s: %v", name, err)
		}
	}
	if noCritical(asn1.RawValue{FullBytes: []byte{0xa1, 0x02, 0x02, 0x01}}) == nil {
		t.Error("what cannot be read is passed over")
	}
}
