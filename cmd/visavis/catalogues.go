package main

import (
	"io/fs"

	"visavis/consent"
	"visavis/documents"
	"visavis/encounters"
	"visavis/encounters/declared"
	"visavis/identity"
	"visavis/internal/lang"
	"visavis/internal/refusals"
	"visavis/messaging"
	"visavis/prescriptions"
	"visavis/scheduling"
	"visavis/signaling"
	"visavis/signaling/check"
)

// catalogues gathers what every module says to people.
func catalogues() ([]*lang.Catalogue, error) {
	var out []*lang.Catalogue
	for _, texts := range []func() (*lang.Catalogue, error){
		identity.Texts, scheduling.Texts, consent.Texts, encounters.Texts, declared.Texts, signaling.Texts, check.Texts, documents.Texts, prescriptions.Texts, messaging.Texts, refusals.Texts,
	} {
		c, err := texts()
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// ownTexts is what this package itself says.
func ownTexts() (*lang.Catalogue, error) {
	sub, err := fs.Sub(textFiles, "texts")
	if err != nil {
		return nil, err
	}
	return lang.New(sub, "fr", "en")
}
