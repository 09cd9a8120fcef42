package consent

import (
	"context"
	"net/http"
	"time"

	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/httpx"
	"visavis/internal/limit"
)

type stampBody struct {
	State     string     `json:"state" enum:"off,pending,retrying,stamped"`
	Attempts  int        `json:"attempts,omitempty" doc:"that failed"`
	NextAt    *time.Time `json:"nextAt,omitempty" doc:"of the next attempt"`
	Reason    string     `json:"reason,omitempty" doc:"of the last failure"`
	At        *time.Time `json:"at,omitempty" doc:"the authority's time"`
	Authority string     `json:"authority,omitempty"`
}

func stampOut(s Stamp) *stampBody {
	b := &stampBody{State: string(s.State), Attempts: s.Attempts, Reason: s.Reason, Authority: s.Authority}
	if s.State == StampRetrying {
		b.NextAt = &s.NextAt
	}
	if s.State == Stamped {
		b.At = &s.At
	}
	return b
}

type receiptIn struct {
	ID   string `path:"id"`
	Lang string `query:"lang" enum:"fr,en" doc:"the language of the request when absent"`
}

type fileOut struct {
	ContentType        string `header:"Content-Type"`
	ContentDisposition string `header:"Content-Disposition"`
	Body               []byte
}

type keyOut struct{ Body Key }

type checkIn struct {
	Body struct {
		Code string `json:"code" maxLength:"40" example:"7ZK3-0Q4V-9HJM-2N5T"`
	}
}

type checkBody struct {
	Decision string     `json:"decision" enum:"granted,refused,withdrawn,emergency"`
	At       time.Time  `json:"at"`
	Purpose  string     `json:"purpose"`
	TextID   string     `json:"textId"`
	Version  int        `json:"version"`
	Language string     `json:"language"`
	SHA256   string     `json:"sha256" doc:"of the text that was read"`
	Hash     string     `json:"hash" doc:"of the record"`
	Stamp    *stampBody `json:"stamp"`
	Last     string     `json:"last" enum:"granted,refused,withdrawn,emergency" doc:"the last decision about the act"`
	LastAt   time.Time  `json:"lastAt"`
}

type checkOut struct{ Body checkBody }

const (
	pdfType = "application/pdf"
	// proofType is not a JSON type: nobody is to write the file again in
	// another form, its bytes are what is checked.
	proofType = "application/vnd.visavis.consent-proof"
)

// proofRoutes registers what shows and checks a record.
func proofRoutes(s *httpx.Server, svc *Service) {
	httpx.Handle(s, httpx.Op{
		Method: http.MethodGet, Path: "/api/consents/{id}/receipt", Action: "consent.receipt", Tag: tag, Summary: "The receipt of a decision, to keep",
	}.File(pdfType), svc.getReceipt)
	httpx.Handle(s, httpx.Op{
		Method: http.MethodGet, Path: "/api/consents/{id}/proof", Action: "consent.prove", Tag: tag, Summary: "Everything that proves a decision, in one file",
	}.File(proofType), svc.getProof)
	httpx.Handle(s, httpx.Op{
		Method: http.MethodGet, Path: "/api/consent-key", Action: "consent.key", ID: "readConsentKey", Tag: tag, Summary: "The public key that checks proofs",
	}, func(context.Context, *struct{}) (*keyOut, error) { return &keyOut{svc.PublicKey()}, nil })
	httpx.Handle(s, httpx.Op{
		Method: http.MethodPost, Path: "/api/consent-checks", Action: "consent.check", Tag: tag, Summary: "Check a receipt by its code",
		Limit: limit.Rule{Name: "consent.check", Burst: 20, Every: 6 * time.Second},
	}, svc.postCheck)
}

// file names what is downloaded by its date alone: a download folder is read
// by others.
func file(mime, disposition, name, ext string, at time.Time, raw []byte) *fileOut {
	return &fileOut{mime, disposition + `; filename="` + name + "-" + at.Format(time.DateOnly) + ext + `"`, raw}
}

func (s *Service) getReceipt(ctx context.Context, in *receiptIn) (*fileOut, error) {
	language := care.Language(in.Lang)
	if language == "" {
		language = httpx.Language(ctx)
	}
	if !care.ValidID(in.ID) {
		return nil, fault.Missing()
	}
	pdf, at, err := s.Receipt(ctx, care.ConsentID(in.ID), language)
	if err != nil {
		return nil, err
	}
	return file(pdfType, "attachment", "document", ".pdf", at, pdf), nil
}

func (s *Service) getProof(ctx context.Context, in *actIn) (*fileOut, error) {
	if !care.ValidID(in.ID) {
		return nil, fault.Missing()
	}
	raw, at, err := s.Prove(ctx, care.ConsentID(in.ID))
	if err != nil {
		return nil, err
	}
	return file(proofType, "attachment", "document", ".json", at, raw), nil
}

func (s *Service) postCheck(ctx context.Context, in *checkIn) (*checkOut, error) {
	c, err := s.Check(ctx, in.Body.Code)
	if err != nil {
		return nil, err
	}
	return &checkOut{checkBody{
		Decision: string(c.State), At: c.At, Purpose: string(c.Purpose), TextID: c.TextID, Version: c.Version, Language: string(c.Language),
		SHA256: c.SHA256, Hash: c.Hash, Stamp: stampOut(c.Stamp), Last: string(c.Last), LastAt: c.LastAt,
	}}, nil
}
