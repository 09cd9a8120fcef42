package documents

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"visavis/internal/care"
	"visavis/internal/fault"
)

// Text is what the professional writes.
type Text struct {
	Motive     string `json:"motive" printed:"text"`
	Text       string `json:"text" printed:"text"`
	Conclusion string `json:"conclusion" printed:"text"`
	FollowUp   string `json:"followUp" printed:"text"`
}

// Bounds of the texts, in characters.
const (
	maxMotive = 500
	maxText   = 20_000
)

// Status is where a report stands.
type Status string

// The states of a report: signed freezes; a correction makes it a draft again, of the next version.
const (
	Draft  Status = "draft"
	Signed Status = "signed"
)

// Report is the report of one act.
type Report struct {
	ID             string // also the set of its versions
	EncounterID    care.EncounterID
	PatientID      care.PatientID
	AuthorID       care.StaffID
	OrganizationID care.OrganizationID
	Status         Status
	Edit           int64           // counts the edits: the entity tag
	DocumentID     care.DocumentID // the last signed version
	Number         int             // of the last signed version, 0 when none is
	Text
	At, ChangedAt time.Time
	// ToldLate names who was there and was told of only after the signature: the
	// signed version does not name them (product B34). Only Read fills it.
	ToldLate []string
	// Changed says where the record of the act differs from the signed version, which
	// stays as it is. Only Read fills it.
	Changed Changed
}

// Changed are sentences as the report prints them.
type Changed struct {
	Signed []string `json:"signed,omitempty" doc:"what the signed version says and the record does not, as it is printed"`
	Now    []string `json:"now,omitempty" doc:"what the record says and the signed version does not"`
}

// changed compares what a signed version says that was measured with what is known now.
func changed(signed, now []string) (c Changed) {
	if signed == nil {
		return c // signed before this was kept
	}
	for _, s := range signed {
		if !slices.Contains(now, s) {
			c.Signed = append(c.Signed, s)
		}
	}
	for _, s := range now {
		if !slices.Contains(signed, s) {
			c.Now = append(c.Now, s)
		}
	}
	return c
}

// tooLong refuses texts beyond their bounds, for a draft.
func (t Text) tooLong() error {
	var out []fault.Field
	for _, f := range t.fields() {
		if utf8.RuneCountInString(f.value) > f.limit {
			out = append(out, fault.Field{Name: f.name, Code: "too-long"})
		}
	}
	return fault.Fields(out...)
}

// missing refuses a report that says nothing, for the signature.
func (t Text) missing() []fault.Field {
	var out []fault.Field
	for _, f := range t.fields() {
		if f.needed && strings.TrimSpace(f.value) == "" {
			out = append(out, fault.Field{Name: f.name, Code: "required"})
		}
	}
	return out
}

type textField struct {
	name, value string
	limit       int
	needed      bool
}

func (t Text) fields() []textField {
	return []textField{
		{"motive", t.Motive, maxMotive, true}, {"text", t.Text, maxText, true},
		{"conclusion", t.Conclusion, maxText, false}, {"followUp", t.FollowUp, maxText, false},
	}
}
