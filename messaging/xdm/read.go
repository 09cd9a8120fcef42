package xdm

import (
	"archive/zip"
	"bytes"
	"crypto/sha1" // see metadata.go
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Limits on an archive that comes from outside.
const (
	maxArchiveFiles = 2000
	maxEntryBytes   = 50 << 20
)

// ErrArchive is wrapped by every error of Read.
var ErrArchive = errors.New("xdm: archive refused")

// Received is one document of an archive that was read, its hash and size
// verified.
type Received struct {
	UniqueID  string
	EntryUUID string
	PatientID string // CX
	Type      Code
	Title     string
	Replaces  string // entry UUID of the version it replaces, "" when none
	CDA       []byte
}

// Read opens an IHE_XDM.zip, follows METADATA.XML of its first subset and
// verifies the size and SHA-1 of each document. Its errors wrap ErrArchive.
func Read(data []byte) ([]Received, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrArchive, err)
	}
	if len(z.File) > maxArchiveFiles {
		return nil, fmt.Errorf("%w: %d files", ErrArchive, len(z.File))
	}
	meta, err := readFile(z, subset+"METADATA.XML")
	if err != nil {
		return nil, err
	}
	var root struct {
		XMLName xml.Name       `xml:"SubmitObjectsRequest"`
		Objects registryObject `xml:"RegistryObjectList"`
	}
	if err := xml.Unmarshal(meta, &root); err != nil {
		return nil, fmt.Errorf("%w: METADATA.XML: %w", ErrArchive, err)
	}
	if root.XMLName.Space != lcmNS {
		return nil, fmt.Errorf("%w: METADATA.XML: root in name space %q", ErrArchive, root.XMLName.Space)
	}
	var out []Received
	for _, x := range root.Objects.Documents {
		r, err := receive(z, x)
		if err != nil {
			return nil, err
		}
		for _, a := range root.Objects.Associations {
			if a.Type == replaces && a.Source == x.ID {
				r.Replaces = a.Target
			}
		}
		out = append(out, r)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: METADATA.XML names no document", ErrArchive)
	}
	return out, nil
}

func receive(z *zip.Reader, x extrinsicObject) (Received, error) {
	uri := slotValues(x.Slots, "URI")
	if len(uri) != 1 || strings.ContainsAny(uri[0], `/\`) {
		return Received{}, fmt.Errorf("%w: a document has no plain URI", ErrArchive)
	}
	cda, err := readFile(z, subset+uri[0])
	if err != nil {
		return Received{}, err
	}
	sum := sha1.Sum(cda)
	if h := slotValues(x.Slots, "hash"); len(h) != 1 || !strings.EqualFold(h[0], hex.EncodeToString(sum[:])) {
		return Received{}, fmt.Errorf("%w: %s: hash differs from the metadata", ErrArchive, uri[0])
	}
	if s := slotValues(x.Slots, "size"); len(s) != 1 || s[0] != strconv.Itoa(len(cda)) {
		return Received{}, fmt.Errorf("%w: %s: size differs from the metadata", ErrArchive, uri[0])
	}
	r := Received{EntryUUID: x.ID, CDA: cda}
	for _, id := range x.Identifiers {
		switch id.Scheme {
		case schemeDocPatient:
			r.PatientID = id.Value
		case schemeDocUnique:
			r.UniqueID = id.Value
		}
	}
	if x.Name != nil && len(x.Name.Strings) > 0 {
		r.Title = x.Name.Strings[0].Value
	}
	for _, c := range x.Classifications {
		if c.Scheme == schemeType && c.Code != nil {
			r.Type = Code{Code: *c.Code, Scheme: strings.Join(slotValues(c.Slots, "codingScheme"), "")}
			if c.Name != nil && len(c.Name.Strings) > 0 {
				r.Type.Label = c.Name.Strings[0].Value
			}
		}
	}
	return r, nil
}

func readFile(z *zip.Reader, name string) ([]byte, error) {
	for _, f := range z.File {
		if !strings.EqualFold(f.Name, name) {
			continue
		}
		if f.UncompressedSize64 > maxEntryBytes {
			return nil, fmt.Errorf("%w: %s is larger than %d bytes", ErrArchive, name, maxEntryBytes)
		}
		r, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrArchive, name, err)
		}
		data, err := io.ReadAll(io.LimitReader(r, maxEntryBytes+1))
		if cerr := r.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrArchive, name, err)
		}
		return data, nil
	}
	return nil, fmt.Errorf("%w: %s is missing", ErrArchive, name)
}
