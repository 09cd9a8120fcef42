package mssante

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"visavis/messaging/xdm"
	"visavis/messaging/xdm/xdmtest"
)

func TestThePatientsAddressComesFromTheQualifiedINSOnly(t *testing.T) {
	for _, c := range []struct {
		status, matricule, domain, want string
		err                             error
	}{
		{"QUAL", "279035121518989", "", "279035121518989@patient.mssante.fr", nil},
		{"QUAL", "297022A02077878", "patient.mssante.test", "297022A02077878@patient.mssante.test", nil},
		{"QUAL", "160012B02077713", "", "160012B02077713@patient.mssante.fr", nil},
		{"VALI", "279035121518989", "", "", ErrNotQualified},
		{"RECUP", "279035121518989", "", "", ErrNotQualified},
		{"PROV", "279035121518989", "", "", ErrNotQualified},
		{"", "279035121518989", "", "", ErrNotQualified},
		{"QUAL", "279035121518988", "", "", ErrMatricule},
		{"QUAL", "27903512151898", "", "", ErrMatricule},
		{"QUAL", "2790351215189XX", "", "", ErrMatricule},
	} {
		got, err := PatientAddress(c.status, c.matricule, c.domain)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s %s: %q, %v", c.status, c.matricule, got, err)
		}
	}
	for address, want := range map[string]bool{
		"a@medecin.mssante.fr": true, "a@MSSANTE.FR": true, "a@mssante.test": true, "a@medecin.mssante.test": true,
		"a@gmail.com": false, "a@evilmssante.fr": false, "mssante.fr": false, "@mssante.fr": false, "a b@mssante.fr": false,
		"a@b@mssante.fr": false, "a@mssante.fr\r\nRCPT": false,
	} {
		if ValidAddress(address, "mssante.test") != want {
			t.Errorf("%q: want %v", address, want)
		}
	}
}

func facts(t *testing.T, d xdmtest.Document) xdm.Facts {
	t.Helper()
	f, err := xdm.ReadFacts(d.CDA())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSubjectsAndFileNames(t *testing.T) {
	report := facts(t, xdmtest.Document{Family: "d'Été-Cœur", First: "Éloïse", Givens: "Éloïse"})
	long := facts(t, xdmtest.Document{TypeLabel: "Compte rendu d'un acte de télémédecine très très long", ID: "1.2.3"})
	second := facts(t, xdmtest.Document{ID: "1.2.4", Version: 2, Replaces: "1.2.3"})
	for got, want := range map[string]string{
		Subject([]xdm.Facts{report}):       "XDM/1.0/DDM+CR de télémédecine D'ETE-COEUR Éloïse 28/03/1979",
		Subject([]xdm.Facts{long}):         "XDM/1.0/DDM+Compte rendu d'un acte de télémédecine t PAT-TROIS DOMINIQUE 28/03/1979",
		Subject([]xdm.Facts{long, second}): "XDM/1.0/DDM+2 documents PAT-TROIS DOMINIQUE 28/03/1979",
		Subject([]xdm.Facts{second}):       "[Annule et remplace] XDM/1.0/DDM+CR de télémédecine PAT-TROIS DOMINIQUE 28/03/1979",
		FileName(report):                   "20260105_CR_de_telemedecine_D_ETE-COEUR_Eloise.pdf",
		FileName(long):                     "20260105_Compte_rendu_d_un_acte_de_telemedecine_t_PAT-TROIS_DOMINIQUE.pdf",
		MessageID("abc", "x@y.mssante.fr"): "abc@y.mssante.fr",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestALetterIsTheSameEachTimeItIsWritten(t *testing.T) {
	a, err := Compose(letter())
	if err != nil {
		t.Fatal(err)
	}
	b, err := Compose(letter())
	if err != nil || !bytes.Equal(a.Raw, b.Raw) {
		t.Fatal("two compositions differ")
	}
}

func TestWhatALetterCarries(t *testing.T) {
	l := letter(Attached{CDA: xdmtest.Document{}.CDA()},
		Attached{CDA: xdmtest.Document{ID: "1.2.3", COG: ""}.CDA(), PDF: xdmtest.PDF("copie")})
	l.NoAnswer, l.InReplyTo = true, "before@x"
	m, err := Compose(l)
	if err != nil {
		t.Fatal(err)
	}
	got := open(t, m.Raw)
	for h, want := range map[string]string{"X-MSS-MES": "FIN", "In-Reply-To": "<before@x>", "References": "<before@x>", "X-MSS-CODECDA": "85208-7"} {
		if got.header[h] != want {
			t.Errorf("%s: %q", h, got.header[h])
		}
	}
	if strings.Join(got.names, " ") != "IHE_XDM.zip 20260105_CR_de_telemedecine_PAT-TROIS_DOMINIQUE.pdf 20260105_CR_de_telemedecine_PAT-TROIS_DOMINIQUE_2.pdf" {
		t.Errorf("attachments %v", got.names)
	}
	if !strings.HasPrefix(got.text, "Bonjour,") {
		t.Errorf("text %q", got.text)
	}
	without := strings.Replace(string(xdmtest.Document{}.CDA()), "<county>51215</county>", "<county/>", 1)
	if m, err = Compose(letter(Attached{CDA: []byte(without)})); err != nil || open(t, m.Raw).header["X-MSS-INS"] != "N" {
		t.Errorf("X-MSS-INS must be N without the birth place: %v", err)
	}
}

func TestALetterThatMustNotLeave(t *testing.T) {
	var field *xdm.FieldError
	if _, err := Compose(letter(Attached{CDA: xdmtest.Document{}.CDA(), PDF: []byte("hello")})); !errors.As(err, &field) || field.Field != "pdf" {
		t.Errorf("no readable copy: %v", err)
	}
	if _, err := Compose(letter(Attached{CDA: []byte("<x/>")})); !errors.As(err, &field) || field.Field != "ClinicalDocument" {
		t.Errorf("not a CDA: %v", err)
	}
	big := append(xdmtest.PDF("x"), make([]byte, MaxSize)...)
	if _, err := Compose(letter(Attached{CDA: xdmtest.Document{}.CDA(), PDF: big})); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	l := letter()
	l.To = "not an address"
	if _, err := Compose(l); err == nil {
		t.Error("a letter without recipient")
	}
}
