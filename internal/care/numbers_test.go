package care

import "testing"

// TestINSKey: the test identities the ANS publishes (interop §1.2), Corsica too.
func TestINSKey(t *testing.T) {
	for n13, want := range map[string]string{"2790351215189": "89", "297022A020778": "78", "160012B020777": "13",
		"2360663220836": "56", "1090763220834": "89", "2090763220834": "39", "2751263220749": "74"} {
		if key, ok := INSKey(n13); !ok || key != want {
			t.Errorf("INSKey(%s) = %s %v, want %s", n13, key, ok, want)
		}
		if !ValidINS(n13 + want) {
			t.Errorf("%s%s is refused", n13, want)
		}
	}
	for _, bad := range []string{"", "279035121518", "27903512151890", "279035121518X", "-790351215189", "+790351215189"} {
		if key, ok := INSKey(bad); ok || ValidINS(bad+"89") {
			t.Errorf("INSKey(%q) = %s, want a refusal", bad, key)
		}
	}
	if ValidINS("279035121518988") {
		t.Error("a wrong key passes")
	}
}

// TestLuhn: of ten last digits one is right, and it sees any one digit changed.
func TestLuhn(t *testing.T) {
	right := ""
	for d := range 10 {
		if rpps := "1000123456" + string(rune('0'+d)); ValidRPPS(rpps) {
			right += rpps
		}
	}
	if len(right) != 11 {
		t.Fatalf("right ones: %q", right)
	}
	for i := range right {
		wrong := []byte(right)
		wrong[i] = '0' + (wrong[i]-'0'+1)%10
		if ValidRPPS(string(wrong)) {
			t.Errorf("%s passes like %s", wrong, right)
		}
	}
	for _, bad := range []string{"", "1000123456", right + "0", "1000123456A", "-" + right[1:]} {
		if ValidRPPS(bad) {
			t.Errorf("ValidRPPS(%q)", bad)
		}
	}
	if !Luhn("4539578763621486") || Luhn("") || Luhn("000A") {
		t.Error("Luhn")
	}
}
