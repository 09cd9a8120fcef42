package identity_test

import (
	"errors"
	"testing"

	"visavis/identity"
	"visavis/internal/fault"
)

// Issue 9, B1: the names of professionals and places stand on documents; what cannot be printed is refused with
// its field, however the file came.
func TestPeople_NamesCanBePrinted(t *testing.T) {
	named := func(err error) (out []string) {
		var f *fault.Error
		if errors.As(err, &f) {
			for _, x := range f.Fields {
				if x.Code == "sign-not-printable" {
					out = append(out, x.Name)
				}
			}
		}
		return out
	}
	for _, sign := range []string{"中", "😀", "\u0301"} {
		if _, err := (identity.Staff{GivenName: "Claire", FamilyName: sign}).Clean(); len(named(err)) != 1 {
			t.Errorf("a professional %+q: %v", sign, err)
		}
		if _, err := (identity.Organization{Name: sign}).Clean(); len(named(err)) != 1 {
			t.Errorf("a place %+q: %v", sign, err)
		}
	}
	if p, err := (identity.Staff{GivenName: "Thị", FamilyName: "Nguyê\u0303n"}).Clean(); len(named(err)) > 0 || err == nil && p.FamilyName != "Nguyễn" {
		t.Errorf("%+q: %v", p.FamilyName, err)
	}
}
