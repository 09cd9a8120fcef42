package consent

import (
	"context"
	"encoding/base32"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/sheet"
	"visavis/internal/store"
)

// Receipt prints the receipt of a record, in the language asked for, for who
// may see it. It is audited.
func (s *Service) Receipt(ctx context.Context, id care.ConsentID, language care.Language) (pdf []byte, at time.Time, err error) {
	o, err := s.open(ctx, id, "consent.receipt")
	if err != nil {
		return nil, time.Time{}, err
	}
	who, err := s.People.Professionals(ctx, o.bundle.Practitioner, "")
	if err != nil {
		return nil, time.Time{}, err
	}
	text, err := blocks(o.text.HTML)
	if err != nil {
		return nil, time.Time{}, err
	}
	b, code, stamp := o.bundle, codeOf(o.Hash), s.seen(o.stamp)
	r := sheet.Receipt{
		Language: string(language), ID: string(o.ID), PrintedAt: s.Clock.Now(), Decision: string(o.State), At: o.At.In(s.Zone),
		Channel: string(o.Channel), AttestedBy: b.Actor.Name, Patient: b.Patient.Name, Minor: b.Patient.Minor, Act: string(o.Purpose),
		Practitioner: either(b.PractitionerName, who.Practitioner), Organization: either(b.OrganizationName, who.Organization),
		TextID: o.TextID, TextVersion: strconv.Itoa(o.Version), TextLanguage: string(o.Language), TextHash: o.SHA256, Text: text,
		RecordHash: o.Hash, KeyID: s.Signer.KeyID(), Stamp: string(stamp.State), StampAt: stamp.At.In(s.Zone), Authority: stamp.Authority,
		Verify: sheet.Verification{URL: s.Address + "/accord#" + code, Code: code},
	}
	if r.ActAt, err = s.start(ctx, o); err != nil {
		return nil, time.Time{}, err
	}
	if b.Agent != nil {
		r.Agent, r.Relation = b.Agent.Name, string(b.Agent.Relation)
		r.AgentProof, r.Document = string(b.Agent.Proof), string(b.Agent.Document)
	}
	r.Ground = string(b.Ground)
	if b.Emergency != nil {
		r.Situation, r.Reason = b.Emergency.Situation, b.Emergency.Reason
	}
	if o.last.ID != o.ID {
		r.Later, r.LaterAt = string(o.last.State), o.last.At.In(s.Zone)
	}
	pdf, err = s.Press.Receipt(r)
	return pdf, o.At, err
}

// start is when the act was to begin, as the record says; records of the first
// shape do not.
func (s *Service) start(ctx context.Context, o opened) (time.Time, error) {
	if o.bundle.ActStart != "" {
		at, err := time.Parse(time.RFC3339, o.bundle.ActStart)
		return at.In(s.Zone), err
	}
	act, err := s.Acts.Act(ctx, o.AppointmentID)
	return act.Start.In(s.Zone), err
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// blocks cuts the HTML of a released text into what a sheet prints, word for
// word.
func blocks(html string) ([]sheet.Block, error) {
	kinds := map[string]sheet.BlockKind{
		"h1": sheet.BlockTitle, "h2": sheet.BlockHeading, "h3": sheet.BlockHeading, "p": sheet.BlockParagraph, "li": sheet.BlockItem,
	}
	dec := xml.NewDecoder(strings.NewReader(html))
	dec.Strict, dec.AutoClose, dec.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var out []sheet.Block
	var within []sheet.BlockKind
	var words strings.Builder
	flush := func() {
		text := strings.Join(strings.Fields(words.String()), " ")
		words.Reset()
		if text == "" {
			return
		}
		kind := sheet.BlockParagraph
		if len(within) > 0 {
			kind = within[0] // a paragraph of an item is the item
		}
		out = append(out, sheet.Block{Kind: kind, Text: text})
	}
	for {
		token, err := dec.Token()
		switch {
		case errors.Is(err, io.EOF):
			flush()
			return out, nil
		case err != nil:
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if kind, ok := kinds[t.Name.Local]; ok {
				flush()
				within = append(within, kind)
			}
		case xml.EndElement:
			if _, ok := kinds[t.Name.Local]; ok {
				flush()
				within = within[:len(within)-1]
			}
		case xml.CharData:
			words.Write(t)
		}
	}
}

// crockford is Crockford's base 32: no I, L, O or U to misread.
var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// codeSize is how many bytes of a record's hash its code has: 80 bits, which
// nobody guesses behind a limited route.
const codeSize = 10

// codeOf is the verification code of a record: the beginning of its hash, for
// people to copy.
func codeOf(hash string) string {
	raw, err := hex.DecodeString(hash)
	if err != nil || len(raw) < codeSize {
		return "" // never of a stored hash
	}
	c := crockford.EncodeToString(raw[:codeSize])
	return strings.Join([]string{c[:4], c[4:8], c[8:12], c[12:]}, "-")
}

// prefixOf reads a code as people type it; empty when it is none.
func prefixOf(code string) string {
	clean := strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(code))
	raw, err := crockford.DecodeString(clean)
	if err != nil || len(raw) != codeSize {
		return ""
	}
	return hex.EncodeToString(raw)
}

// Checked is what anybody who holds a receipt may learn: no name.
type Checked struct {
	Record
	Stamp Stamp
	// Last is the act's last decision, which may be this one.
	Last   care.ConsentState
	LastAt time.Time
}

// Check finds the record of a receipt by its code; NotFound when there is none.
func (s *Service) Check(ctx context.Context, code string) (c Checked, err error) {
	prefix := prefixOf(code)
	if prefix == "" {
		return c, fault.Missing()
	}
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		r, err := byHash(tx, prefix)
		if err != nil {
			return err
		}
		stamp, err := stampRowOf(tx, r.ID, false)
		if err != nil {
			return err
		}
		last, err := latest(tx, r.AppointmentID)
		c = Checked{Record: r, Stamp: s.seen(stamp), Last: last.State, LastAt: last.At}
		return err
	})
	return c, err
}
