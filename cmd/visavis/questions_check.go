package main

import (
	"context"
	"errors"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/signaling"
	"visavis/signaling/check"
)

type checkActs struct{ ask }

// Relation asks encounters what ties somebody to an act.
func (q checkActs) Relation(ctx context.Context, a authz.Actor, id care.EncounterID) (authz.Relation, error) {
	return q.encounters.Relation(ctx, a, id)
}

// PatientOf asks encounters whose act it is.
func (q checkActs) PatientOf(ctx context.Context, id care.EncounterID) (care.PatientID, error) {
	e, err := q.encounters.Facts(ctx, id)
	if err != nil {
		return "", err
	}
	return e.PatientID, nil
}

type encounterChecks struct{ ask }

// Failed asks check which patients' connection tests failed.
func (q encounterChecks) Failed(ctx context.Context, ids []care.EncounterID) (map[care.EncounterID]bool, error) {
	return q.check.Failed(ctx, ids)
}

// checkMedia gives connection checks a room of their own in the media.
type checkMedia struct {
	media signaling.Media
	relay signaling.Relay
}

// Offer answers a connection that carries nothing: its only seat, which has the
// room's name, is never said to send. A second one replaces the first.
func (m checkMedia) Offer(ctx context.Context, room, sdp string) (string, error) {
	id := care.EncounterID(room)
	m.media.Drop(id, room)
	answer, err := m.media.Offer(ctx, signaling.Offer{Encounter: id, Seat: room, PC: 1, SDP: sdp})
	if errors.Is(err, signaling.ErrOfferRefused) {
		return "", errors.Join(check.ErrOffer, err)
	}
	return answer, err
}

// Drop ends it.
func (m checkMedia) Drop(room string) { m.media.Drop(care.EncounterID(room), room) }

// Grant gives it a credential for the relay.
func (m checkMedia) Grant(room string) check.ICE {
	g := m.relay.Grant(care.EncounterID(room), room)
	ice := check.ICE{ExpiresAt: g.ExpiresAt}
	for _, s := range g.Servers {
		ice.Servers = append(ice.Servers, check.Server{URLs: s.URLs, Username: s.Username, Credential: s.Credential})
	}
	return ice
}
