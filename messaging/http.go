package messaging

import (
	"context"
	"net/http"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/httpx"
)

// ByID is the path of one record; exported because huma fills embedded fields
// by reflection.
type ByID struct {
	ID string `path:"id"`
}

type listOut struct {
	Body struct {
		Items []deliveryBody `json:"items"`
	}
}

type deliveryOut struct{ Body deliveryBody }

type deliveryBody struct {
	ID            string         `json:"id"`
	Kind          Channel        `json:"kind" enum:"mssante,email,sms,paper"`
	About         About          `json:"about" enum:"booked,moved,cancelled,reminder,link,recall,late,invited,code,documents"`
	EncounterID   string         `json:"encounterId,omitempty"`
	To            toBody         `json:"to"`
	Documents     []documentBody `json:"documents"`
	State         State          `json:"state" enum:"waiting-identity,queued,sending,sent,accepted,refused,bounced,to-post,posted"`
	Attempts      int            `json:"attempts"`
	NextAttemptAt *time.Time     `json:"nextAttemptAt,omitempty"`
	ReasonCode    string         `json:"reasonCode,omitempty"`
	Reason        string         `json:"reason,omitempty"`
	History       []stepBody     `json:"history"`
}

type toBody struct {
	Label       string    `json:"label"`
	Recipient   Recipient `json:"recipient" enum:"patient,doctor,companion"`
	AddressHint string    `json:"addressHint,omitempty"`
}

type documentBody struct {
	ID string `json:"id"`
}

type stepBody struct {
	At         time.Time `json:"at"`
	State      State     `json:"state" enum:"waiting-identity,queued,sending,sent,accepted,refused,bounced,to-post,posted"`
	ReasonCode string    `json:"reasonCode,omitempty"`
	Reason     string    `json:"reason,omitempty"`
}

type sheetOut struct {
	ContentType        string `header:"Content-Type"`
	ContentDisposition string `header:"Content-Disposition"`
	Body               []byte
}

// Routes registers the routes of the module.
func Routes(s *httpx.Server, svc *Service) {
	op := func(method, path string, action authz.Action, summary string, status int) httpx.Op {
		return httpx.Op{Method: method, Path: path, Action: action, Summary: summary, Tag: "messaging", Status: status}
	}
	httpx.Handle(s, op(http.MethodGet, "/api/encounters/{id}/deliveries", "delivery.read", "What was sent of one act, and where it stands", 200).Named("listDelivery"),
		func(ctx context.Context, in *ByID) (*listOut, error) {
			if !care.ValidID(in.ID) {
				return nil, fault.Missing()
			}
			return svc.list(ctx)(svc.OfEncounter(ctx, care.EncounterID(in.ID)))
		})
	httpx.Handle(s, op(http.MethodGet, "/api/deliveries", "delivery.queue", "What has to be posted", 200).Named("listDeliveryToPost"),
		func(ctx context.Context, in *struct {
			State string `query:"state" required:"true" enum:"to-post"`
		}) (*listOut, error) {
			return svc.list(ctx)(svc.PaperQueue(ctx))
		})
	httpx.Handle(s, op(http.MethodPost, "/api/deliveries/{id}/posted", "delivery.post", "The letter was put in the post", 200).Named("markDeliveryPosted"),
		func(ctx context.Context, in *ByID) (*deliveryOut, error) {
			return svc.one(ctx)(svc.MarkPosted(ctx, care.DeliveryID(in.ID)))
		})
	httpx.Handle(s, op(http.MethodPost, "/api/deliveries/{id}/retry", "delivery.retry", "Send again", 200),
		func(ctx context.Context, in *ByID) (*deliveryOut, error) {
			return svc.one(ctx)(svc.Retry(ctx, care.DeliveryID(in.ID)))
		})
	httpx.Handle(s, op(http.MethodGet, "/api/deliveries/{id}/sheet", "delivery.post", "The letter to print, as PDF", 200).Named("readDeliverySheet").File("application/pdf"),
		func(ctx context.Context, in *ByID) (*sheetOut, error) {
			pdf, err := svc.Sheet(ctx, care.DeliveryID(in.ID))
			if err != nil {
				return nil, err
			}
			return &sheetOut{"application/pdf", `attachment; filename="courrier.pdf"`, pdf}, nil
		})
	httpx.Handle(s, op(http.MethodPost, "/api/hooks/sms", "delivery.receipt", "Delivery receipt of the SMS gateway, signed", 204).Named("receiveSMSReceipt"),
		func(ctx context.Context, in *struct {
			Signature string `header:"X-Signature"`
			RawBody   []byte
		}) (*struct{}, error) {
			return nil, svc.SMSReceipt(ctx, in.Signature, in.RawBody)
		})
}

func (s *Service) list(ctx context.Context) func([]*Delivery, error) (*listOut, error) {
	return func(list []*Delivery, err error) (*listOut, error) {
		if err != nil {
			return nil, err
		}
		out := &listOut{}
		out.Body.Items = make([]deliveryBody, 0, len(list))
		for _, d := range list {
			out.Body.Items = append(out.Body.Items, s.body(ctx, d))
		}
		return out, nil
	}
}

func (s *Service) one(ctx context.Context) func(*Delivery, error) (*deliveryOut, error) {
	return func(d *Delivery, err error) (*deliveryOut, error) {
		if err != nil {
			return nil, err
		}
		return &deliveryOut{s.body(ctx, d)}, nil
	}
}

func (s *Service) body(ctx context.Context, d *Delivery) deliveryBody {
	b := deliveryBody{
		ID: string(d.ID), Kind: d.Channel, About: d.About, EncounterID: string(d.EncounterID), State: d.State, Attempts: d.Attempts,
		To: toBody{d.Label, d.Recipient, d.Hint}, Documents: []documentBody{}, History: []stepBody{},
		ReasonCode: d.Reason, Reason: s.reason(ctx, d.Reason),
	}
	if d.State == Queued || d.State == Sending && d.NextAt.Before(whenAsked) {
		next := d.NextAt
		b.NextAttemptAt = &next
	}
	for _, id := range d.Documents {
		b.Documents = append(b.Documents, documentBody{string(id)})
	}
	for _, h := range d.History {
		b.History = append(b.History, stepBody{h.At, h.State, h.Reason, s.reason(ctx, h.Reason)})
	}
	return b
}

// reason says a reason in the caller's language.
func (s *Service) reason(ctx context.Context, code string) string {
	if code == "" {
		return ""
	}
	return s.texts.T(string(httpx.Language(ctx)), "reason."+code, nil)
}
