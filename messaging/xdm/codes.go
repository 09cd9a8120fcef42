package xdm

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

//go:embed data/codes.json
var codesFile []byte

// classScheme is TRE_A03, the code system of document classes.
const classScheme = "1.2.250.1.213.1.1.4.1"

// Code is a coded value: the code, the OID of its system, its label.
type Code struct {
	Code   string `json:"code"`
	Scheme string `json:"scheme"`
	Label  string `json:"label"`
}

type codeTables struct {
	Classes        map[string]string `json:"classes"`
	TypeClass      map[string]string `json:"typeClass"`
	MediaFormat    map[string]Code   `json:"mediaFormat"`
	TemplateFormat map[string]Code   `json:"templateFormat"`
	OtherFormat    Code              `json:"otherFormat"`
}

func loadCodes() (*codeTables, error) {
	var t codeTables
	if err := json.Unmarshal(codesFile, &t); err != nil {
		return nil, fmt.Errorf("xdm: data/codes.json: %w", err)
	}
	return &t, nil
}

// class gives the document class of a type code (ASS_X04).
func (t *codeTables) class(typeCode string) (Code, bool) {
	c, ok := t.TypeClass[typeCode]
	return Code{Code: c, Scheme: classScheme, Label: t.Classes[c]}, ok
}

// format gives the XDS format of a CDA: by media type for a non-structured
// body (ASS_A12), by template for a structured one (ASS_A11).
func (t *codeTables) format(mediaType string, templates []string) (Code, bool) {
	if mediaType != "" {
		c, ok := t.MediaFormat[mediaType]
		return c, ok
	}
	for _, id := range templates {
		if c, ok := t.TemplateFormat[id]; ok {
			return c, true
		}
	}
	return t.OtherFormat, true
}
