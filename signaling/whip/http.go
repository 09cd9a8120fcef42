package whip

import (
	"context"
	"net/http"
	"time"

	"visavis/internal/care"
	"visavis/internal/httpx"
	"visavis/internal/limit"
)

type madeIn struct {
	ID   string `path:"id"`
	Body struct {
		Label     string    `json:"label" minLength:"1" maxLength:"60" printed:"line" doc:"what the others in the act see"`
		Direction Direction `json:"direction" enum:"send,receive"`
	}
}

type deviceBody struct {
	ID        string    `json:"id"`
	Label     string    `json:"label"`
	Direction Direction `json:"direction" enum:"send,receive"`
	URL       string    `json:"url" doc:"the WHIP or WHEP endpoint to write into the device"`
	MadeAt    time.Time `json:"madeAt"`
	ExpiresAt time.Time `json:"expiresAt" doc:"until when a connection may begin"`
	Mine      bool      `json:"mine" doc:"the caller brought it"`
}

type madeOut struct {
	Body struct {
		Device deviceBody `json:"device"`
		Token  string     `json:"token" doc:"bearer token of the device, 256 bits; it is never shown again"`
	}
}

type listIn struct {
	ID string `path:"id"`
}

type listOut struct {
	Body struct {
		Items []deviceBody `json:"items"`
		Most  int          `json:"most" doc:"how many an act may have"`
	}
}

type revokeIn struct {
	ID     string `path:"id"`
	Device string `path:"device"`
}

// Routes registers what professionals and devices ask (docs/signaling.md §10).
func Routes(s *httpx.Server, svc *Service) {
	const tag = "signaling"
	httpx.Handle(s, httpx.Op{
		Method: http.MethodPost, Path: "/api/encounters/{id}/devices", Action: "device.make", Tag: tag, Status: http.StatusCreated,
		Summary: "Give a device a way into an act", Limit: limit.Rule{Name: "device", Burst: 10, Every: 10 * time.Second}, MaxBody: 4096,
	}, func(ctx context.Context, in *madeIn) (*madeOut, error) {
		d, token, err := svc.Make(ctx, care.EncounterID(in.ID), in.Body.Label, in.Body.Direction)
		if err != nil {
			return nil, err
		}
		out := &madeOut{}
		out.Body.Device, out.Body.Token = svc.body(ctx, d), token
		return out, nil
	})
	httpx.Handle(s, httpx.Op{
		Method: http.MethodGet, Path: "/api/encounters/{id}/devices", Action: "device.list", ID: "listDevices", Tag: tag, Summary: "List the devices of an act",
	}, func(ctx context.Context, in *listIn) (*listOut, error) {
		list, err := svc.List(ctx, care.EncounterID(in.ID))
		if err != nil {
			return nil, err
		}
		out := &listOut{}
		out.Body.Items, out.Body.Most = []deviceBody{}, MaxDevices
		for _, d := range list {
			out.Body.Items = append(out.Body.Items, svc.body(ctx, d))
		}
		return out, nil
	})
	httpx.Handle(s, httpx.Op{
		Method: http.MethodDelete, Path: "/api/encounters/{id}/devices/{device}", Action: "device.revoke", Tag: tag, Status: http.StatusNoContent,
		Summary: "Take a device out of an act",
	}, func(ctx context.Context, in *revokeIn) (*struct{}, error) {
		return nil, svc.Revoke(ctx, care.EncounterID(in.ID), in.Device)
	})
	svc.mount(s)
}
