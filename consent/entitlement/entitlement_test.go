package entitlement

import (
	"strings"
	"testing"
	"time"
)

func TestAllows(t *testing.T) {
	rules, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	today := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	type key struct {
		relation string
		minor    bool
		ground   Ground
		proof    Proof
	}
	allowed := map[key]bool{
		{"mother", true, Ordinary, OnFile}: true, {"mother", true, Ordinary, Attested}: true,
		{"father", true, Ordinary, OnFile}: true, {"father", true, Ordinary, Attested}: true,
		{"guardian", true, Ordinary, OnFile}: true, {"guardian", true, Ordinary, Attested}: true,
		{"guardian", false, Ordinary, OnFile}: true, {"guardian", false, Ordinary, Attested}: true,
		{"authorised-relative", false, Ordinary, OnFile}: true, {"authorised-relative", false, Ordinary, Attested}: true,
		{"chosen-adult", true, Secrecy, Attested}: true,
		{"self", true, Contraception, Self}:       true,
	}
	for _, relation := range []string{"mother", "father", "guardian", "chosen-adult", "authorised-relative", "self", "friend", ""} {
		for _, minor := range []bool{true, false} {
			for _, ground := range []Ground{Ordinary, Secrecy, Contraception, "other"} {
				for _, proof := range []Proof{OnFile, Attested, Self, ""} {
					k := key{relation, minor, ground, proof}
					if got := rules.Allows(relation, minor, ground, proof, today); got != allowed[k] {
						t.Errorf("%+v: %v", k, got)
					}
				}
			}
		}
	}
	if rules.Allows("chosen-adult", true, Secrecy, Attested, time.Date(2002, 3, 4, 0, 0, 0, 0, time.UTC)) {
		t.Error("a rule holds before its date")
	}
}

func TestFind_NewestInForce(t *testing.T) {
	rules, err := parse("mother\tminor\t-\t2020-01-01\tattested\tb\nmother\tminor\t-\t2010-01-01\ton-file\ta\nmother\tminor\t-\t2030-01-01\ton-file\tc\n")
	if err != nil {
		t.Fatal(err)
	}
	if r, ok := rules.Find("mother", true, Ordinary, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)); !ok || r.Source != "b" {
		t.Errorf("%+v %v", r, ok)
	}
}

func TestParse_Refused(t *testing.T) {
	good := "mother\tminor\t-\t2020-01-01\ton-file\tsource"
	for name, bad := range map[string]string{
		"no source": strings.TrimSuffix(good, "source"), "a cell too few": "mother\tminor\t-\t2020-01-01\ton-file",
		"no such age": strings.Replace(good, "minor", "child", 1), "no such ground": strings.Replace(good, "\t-\t", "\tsecret\t", 1),
		"no such proof": strings.Replace(good, "on-file", "on-file,phone", 1), "no date": strings.Replace(good, "2020-01-01", "2020", 1),
	} {
		if _, err := parse(bad); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}
