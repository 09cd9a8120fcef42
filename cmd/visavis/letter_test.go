package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha1" // what the slot "hash" of an ebRIM document entry holds
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	netmail "net/mail"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"visavis/internal/testkit/mailtest"
	"visavis/simulators/mail/pki"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-message"
	"github.com/emersion/go-sasl"
)

// TestTheLetterOfAnAct is acceptance 4: what the program sends after an act
// goes through postfix and is taken from dovecot by IMAP; the archive holds
// what the doctor signed, byte for byte, and METADATA.XML says its hash and
// size. The archive is read here without the program's own reader.
func TestTheLetterOfAnAct(t *testing.T) {
	t.Parallel()
	const box = "plateforme@" + mailtest.Platform
	patient := demoPatients("")[0].Record.INS.Matricule + "@" + mailtest.Patients
	server := mailtest.Start(t, box, patient)
	r := newRig(t, "", "", operator(t, server, box)...)
	s := &spy{witness: &witness{rig: r, doctor: r.staff(account("MARTIN"))}}
	signed := s.papers(0)

	var received [][]byte
	var codes []string
	for n := 0; len(received) < len(signed); { // what is signed together leaves together: one letter or several
		server.WaitMessages(t, patient, n+1)
		letters := fetch(t, server, patient)
		for _, raw := range letters[n:] {
			l := open(t, raw)
			t.Logf("headers\n%stree\n%s\nMETADATA.XML\n%s", l.headers, strings.Join(l.tree, "\n"), strings.Join(l.checked, "\n"))
			for _, want := range []string{
				"To: <" + patient + ">", "Subject: XDM/1.0/DDM+", "Disposition-Notification-To: " + box, "X-Mss-Ins: O", "with ESMTPS",
			} {
				if !strings.Contains(l.headers, want) {
					t.Errorf("no %q in the headers", want)
				}
			}
			received = append(received, l.cda...)
			codes = append(codes, l.codes...)
		}
		n = len(letters)
	}
	slices.Sort(codes)
	if want := []string{"57833-6", "85208-7", "PRESC-BIO"}; !slices.Equal(codes, want) { // medicines, report, biology
		t.Errorf("X-MSS-CODECDA: %v, want %v", codes, want)
	}
	for kind, cda := range signed {
		n := 0
		for _, c := range received {
			if bytes.Equal(c, cda) {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s: received %d times", kind, n)
		}
	}
}

// operator gives the settings that make the program send through a server.
func operator(t *testing.T, server *mailtest.Server, box string) []string {
	t.Helper()
	conf, err := server.TLS(box)
	if err != nil {
		t.Fatal(err)
	}
	chain, key, err := pki.Encode(conf.Certificates[0])
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	return []string{
		"VISAVIS_MSSANTE_SMTP=" + server.Secure, "VISAVIS_MSSANTE_IMAP=" + server.IMAP, "VISAVIS_MSSANTE_BOX=" + box,
		"VISAVIS_MSSANTE_PATIENT_DOMAIN=" + mailtest.Patients, "VISAVIS_MSSANTE_SERVER_NAME=" + mailtest.ServerName,
		"VISAVIS_MSSANTE_CERT=" + file("client.pem", chain), "VISAVIS_MSSANTE_KEY=" + file("client.key", key),
		"VISAVIS_MSSANTE_CA=" + file("ca.pem", server.CA()),
	}
}

// fetch takes every message of a mailbox by IMAP, as its owner.
func fetch(t *testing.T, server *mailtest.Server, mailbox string) [][]byte {
	t.Helper()
	conf, err := server.TLS(mailbox)
	if err != nil {
		t.Fatal(err)
	}
	c, err := imapclient.DialStartTLS(server.IMAP, &imapclient.Options{TLSConfig: conf})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Authenticate(sasl.NewExternalClient("")); err != nil {
		t.Fatal(err)
	}
	box, err := c.Select("INBOX", nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	if box.NumMessages == 0 {
		return nil
	}
	whole := &imap.FetchItemBodySection{Peek: true}
	found, err := c.Fetch(imap.SeqSet{{Start: 1}}, &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{whole}}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	for _, m := range found {
		out = append(out, m.FindBodySection(whole))
	}
	return out
}

// opened is a letter taken apart.
type opened struct {
	headers       string
	tree, checked []string
	codes         []string // X-MSS-CODECDA
	cda           [][]byte
}

func open(t *testing.T, raw []byte) opened {
	t.Helper()
	var out opened
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range []string{
		"From", "To", "Reply-To", "Subject", "Date", "Message-Id", "Content-Type", "Disposition-Notification-To",
		"X-Mss-Codecda", "X-Mss-Ins", "X-Mss-Nil", "Received",
	} {
		v, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get(h))
		if err != nil {
			t.Fatal(err)
		}
		out.headers += fmt.Sprintf("  %s: %s\n", h, strings.Join(strings.Fields(v), " "))
	}
	out.codes = strings.Split(m.Header.Get("X-Mss-Codecda"), ",")
	files := attachments(t, raw)
	for name, data := range files {
		out.tree = append(out.tree, fmt.Sprintf("  %s (%d bytes)", name, len(data)))
	}
	slices.Sort(out.tree)
	z, err := zip.NewReader(bytes.NewReader(files["IHE_XDM.zip"]), int64(len(files["IHE_XDM.zip"])))
	if err != nil {
		t.Fatalf("IHE_XDM.zip: %v", err)
	}
	held := map[string][]byte{}
	for _, f := range z.File {
		out.tree = append(out.tree, fmt.Sprintf("    %s (%d bytes)", f.Name, f.UncompressedSize64))
		if held[f.Name], err = unzipped(f); err != nil {
			t.Fatal(err)
		}
	}
	const subset = "IHE_XDM/SUBSET01/"
	for uri, want := range described(t, held[subset+"METADATA.XML"]) {
		data := held[path.Join(subset, uri)]
		sum := sha1.Sum(data)
		if hash := hex.EncodeToString(sum[:]); want["hash"] != hash || want["size"] != strconv.Itoa(len(data)) {
			t.Errorf("%s: METADATA.XML says %s and %s bytes; it has %s and %d", uri, want["hash"], want["size"], hash, len(data))
		}
		out.checked = append(out.checked, fmt.Sprintf("  %s: hash %s, size %s: as in METADATA.XML", uri, want["hash"], want["size"]))
		out.cda = append(out.cda, data)
	}
	return out
}

func unzipped(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	return data, errors.Join(err, r.Close())
}

// described reads the slots of each document entry, by URI.
func described(t *testing.T, metadata []byte) map[string]map[string]string {
	t.Helper()
	var root struct {
		Entries []struct {
			Slots []struct {
				Name  string `xml:"name,attr"`
				Value string `xml:"ValueList>Value"`
			} `xml:"Slot"`
		} `xml:"RegistryObjectList>ExtrinsicObject"`
	}
	if err := xml.Unmarshal(metadata, &root); err != nil {
		t.Fatalf("METADATA.XML: %v", err)
	}
	out := map[string]map[string]string{}
	for _, e := range root.Entries {
		slots := map[string]string{}
		for _, s := range e.Slots {
			slots[s.Name] = s.Value
		}
		out[slots["URI"]] = slots
	}
	return out
}

func attachments(t *testing.T, raw []byte) map[string][]byte {
	t.Helper()
	e, err := message.Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	parts := e.MultipartReader()
	for {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(p.Body)
		if err != nil {
			t.Fatal(err)
		}
		if _, params, _ := p.Header.ContentDisposition(); params["filename"] != "" {
			out[params["filename"]] = data
		}
	}
}
