package remote

import (
	"errors"

	"visavis/internal/care"
	"visavis/internal/control"
	"visavis/signaling"
)

// What the application asks of a node.
const (
	askOpen   = "open"   // who are you: opened
	askBegin  = "begin"  // tell me what I missed: begin
	askOffer  = "offer"  // signaling.Offer: answered
	askUpdate = "update" // seatOrder
	askView   = "view"   // seatOrder
	askDrop   = "drop"   // seatOrder, everybody without a seat
	askGrant  = "grant"  // seatOrder: signaling.ICE
	askRevoke = "revoke" // seatOrder
)

// What a node asks of the application, and tells it.
const (
	askFlows     = "flows"    // flows, answered when they are written
	askDraining  = "draining" // draining: take no new room to me, move mine then; refused as nowhere
	tellEvent    = "event"    // event
	tellEnding   = "ending"   // ending: what is still here ends then
	tellStanding = "standing" // []signaling.Standing: all there is
)

type opened struct {
	Run      string `json:"run"`
	N        uint64 `json:"n"` // of the last event so far
	Draining bool   `json:"draining,omitempty"`
	draining
}

// draining: MoveIn is how many ms the rooms that are here may stay.
type draining struct {
	MoveIn int64 `json:"moveIn,omitempty"`
}

// begin: Last is the number of the last event heard of this run, at first the
// one of opened.
type begin struct {
	Last uint64 `json:"last"`
}

type answered struct {
	SDP string `json:"sdp"`
}

type seatOrder struct {
	Encounter care.EncounterID  `json:"encounter"`
	Seat      string            `json:"seat,omitempty"`
	Sources   signaling.Sources `json:"sources"`
	Heights   map[string]int    `json:"heights,omitempty"`
}

type flows struct {
	Run  string                     `json:"run"`
	N    uint64                     `json:"n"`
	List []signaling.EncounterFlows `json:"list"`
}

type event struct {
	N uint64 `json:"n"`
	signaling.MediaEvent
}

// ending: In is seconds.
type ending struct {
	In int `json:"in"`
}

// nowhere: there is no other node now.
const nowhere = "nowhere"

// refusals are the errors that have a meaning for signaling, by their code.
func refusals() map[string]error {
	return map[string]error{
		"offer_refused": signaling.ErrOfferRefused, "pc_unknown": signaling.ErrPCUnknown, "room_full": signaling.ErrRoomFull,
	}
}

// refuse gives an error its code.
func refuse(err error) error {
	for code, is := range refusals() {
		if errors.Is(err, is) {
			return &control.Refusal{Code: code}
		}
	}
	return err
}

// refused gives a code its error.
func refused(err error) error {
	var no *control.Refusal
	if errors.As(err, &no) {
		if is := refusals()[no.Code]; is != nil {
			return is
		}
	}
	return err
}
