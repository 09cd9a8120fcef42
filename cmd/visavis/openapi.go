package main

import (
	"fmt"

	"visavis/consent"
	"visavis/documents"
	"visavis/encounters"
	"visavis/identity"
	"visavis/internal/config"
	"visavis/internal/httpx"
	"visavis/internal/refusals"
	"visavis/messaging"
	"visavis/prescriptions"
	"visavis/scheduling"
	"visavis/signaling"
)

type openapiCmd struct{}

// Run prints the OpenAPI 3.1 document of the API; it needs no database and
// opens nothing.
func (openapiCmd) Run() error {
	s, err := apart()
	if err != nil {
		return err
	}
	raw, err := s.OpenAPI()
	if err != nil {
		return err
	}
	fmt.Println(string(raw))
	return nil
}

// apart is the server apart from everything else, to describe the API: its
// routes are registered on services that nobody will call.
func apart() (*httpx.Server, error) {
	p := &platform{
		foundation: &foundation{cfg: &config.Config{}},
		identity:   &identity.Service{}, scheduling: &scheduling.Service{}, consent: &consent.Service{}, encounters: &encounters.Service{},
		signaling: &signaling.Service{}, documents: &documents.Service{}, prescriptions: &prescriptions.Service{}, messaging: &messaging.Service{}, refusals: &refusals.Service{},
	}
	if err := p.api(); err != nil {
		return nil, err
	}
	return p.server, nil
}
