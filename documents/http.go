package documents

import (
	"context"
	"embed"
	"io/fs"
	"net/http"
	"strconv"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/httpx"
	"visavis/internal/lang"
)

//go:embed texts
var texts embed.FS

// Texts is the catalogue of this module.
func Texts() (*lang.Catalogue, error) {
	sub, err := fs.Sub(texts, "texts")
	if err != nil {
		return nil, err
	}
	return lang.New(sub, "fr", "en")
}

// ByID is the path of one record; exported because huma fills embedded fields by reflection.
type ByID struct {
	ID string `path:"id"`
}

func (b ByID) valid() error {
	if !care.ValidID(b.ID) {
		return fault.Missing()
	}
	return nil
}

type reportOut struct {
	ETag string `header:"ETag"`
	Body reportBody
}

type reportBody struct {
	ID         string `json:"id" doc:"empty until something was written"`
	Version    int64  `json:"version" doc:"counts the edits; also the entity tag"`
	Status     Status `json:"status" enum:"draft,signed"`
	DocumentID string `json:"documentId,omitempty" doc:"the last signed version"`
	Number     int    `json:"number" doc:"of the last signed version, 0 when none is"`
	// ToldLate is shown so that the author can sign a version that names them.
	ToldLate []string `json:"toldLate,omitempty" doc:"who was there and was told of only after the signature"`
	// Changed is shown so that the author can sign a version that says what is known.
	Changed *Changed `json:"changed,omitempty" doc:"where the record of the act differs from the signed version"`
	TextBody
}

// TextBody is what the professional writes; exported for the reflection of huma.
type TextBody struct {
	Motive     string `json:"motive" maxLength:"500" printed:"text"`
	Text       string `json:"text" maxLength:"20000" printed:"text"`
	Conclusion string `json:"conclusion" maxLength:"20000" printed:"text"`
	FollowUp   string `json:"followUp" maxLength:"20000" printed:"text"`
}

type signedOut struct {
	Body struct {
		DocumentID string `json:"documentId"`
		Version    int    `json:"version"`
	}
}

type itemBody struct {
	ID              string          `json:"id"`
	Kind            Kind            `json:"kind" enum:"report,prescription"`
	TypeCode        string          `json:"typeCode"`
	Title           string          `json:"title"`
	Author          authorBody      `json:"author"`
	Act             string          `json:"act"`
	Date            time.Time       `json:"date"`
	Confidentiality string          `json:"confidentiality"`
	Version         int             `json:"version"`
	Status          State           `json:"status" enum:"current,replaced,cancelled"`
	EncounterID     string          `json:"encounterId"`
	Delivery        *deliveryBody   `json:"delivery,omitempty"`
	Dispensing      *dispensingBody `json:"dispensing,omitempty" doc:"of what a pharmacy dispenses"`
}

type dispensingBody struct {
	State    string     `json:"state" enum:"none,partial,dispensed,complete"`
	At       *time.Time `json:"at,omitempty"`
	Pharmacy string     `json:"pharmacy,omitempty"`
}

type authorBody struct {
	DisplayName string `json:"displayName"`
	Title       string `json:"title,omitempty"`
}

type deliveryBody struct {
	State string    `json:"state" enum:"waiting-identity,queued,sending,sent,accepted,refused,bounced,to-post,posted"`
	At    time.Time `json:"at"`
}

type listOut struct {
	Body struct {
		Items []itemBody `json:"items"`
	}
}

type accessesOut struct {
	Body struct {
		Items []accessBody `json:"items"`
	}
}

type accessBody struct {
	At     time.Time `json:"at"`
	Who    string    `json:"who"`
	Role   string    `json:"role" enum:"patient,doctor,dentist,midwife,professional,nurse,pharmacist,secretary,admin,companion,system"`
	Action string    `json:"action" enum:"read,download,sign,send,dispense"`
}

type fileOut struct {
	ContentType        string `header:"Content-Type"`
	ContentDisposition string `header:"Content-Disposition"`
	Body               []byte
}

const (
	pdfType = "application/pdf"
	cdaType = "application/xml"
)

// Routes registers the routes of the module.
func Routes(s *httpx.Server, svc *Service) {
	op := func(method, path string, action authz.Action, summary string) httpx.Op {
		return httpx.Op{Method: method, Path: path, Action: action, Summary: summary, Tag: "documents", MaxBody: 512 << 10}
	}
	once := func(o httpx.Op, status int) httpx.Op {
		o.Once, o.Status = true, status
		return o
	}
	httpx.Handle(s, op(http.MethodGet, "/api/encounters/{id}/report", "report.read", "The report of an act"), svc.getReport)
	httpx.Handle(s, op(http.MethodPut, "/api/encounters/{id}/report", "report.write", "Keep the text of the report").Matched(), svc.putReport)
	sign := once(op(http.MethodPost, "/api/encounters/{id}/report/sign", "report.sign", "Sign the report"), 201)
	sign.Ready = func(ctx context.Context, id string) error { return svc.Await(ctx, care.EncounterID(id)) }
	httpx.Handle(s, sign, svc.postSign)
	httpx.Handle(s, once(op(http.MethodPost, "/api/documents/{id}/replace", "report.replace", "Open a new version of a signed report"), 200), svc.postReplace)
	httpx.Handle(s, op(http.MethodGet, "/api/documents", "document.list", "The signed documents of a patient"), svc.getList)
	httpx.Handle(s, op(http.MethodGet, "/api/documents/{id}/accesses", "document.accesses", "Who opened a document, and when").Named("listDocumentAccess"), svc.getAccesses)
	httpx.Handle(s, op(http.MethodGet, "/api/documents/{id}/pdf", "document.read", "The document, to read and print").Named("readDocumentPDF").File(pdfType),
		func(ctx context.Context, in *ByID) (*fileOut, error) {
			return svc.getFile(ctx, in, pdfType, ".pdf", func(f Files) []byte { return f.PDF })
		})
	httpx.Handle(s, op(http.MethodGet, "/api/documents/{id}/cda", "document.read", "The document, for another software").Named("readDocumentCDA").File(cdaType),
		func(ctx context.Context, in *ByID) (*fileOut, error) {
			return svc.getFile(ctx, in, cdaType, ".xml", func(f Files) []byte { return f.CDA })
		})
	stillRoutes(s, svc)
}

func answer(r *Report, err error) (*reportOut, error) {
	if err != nil {
		return nil, err
	}
	out := &reportOut{ETag: strconv.Quote(strconv.FormatInt(r.Edit, 10)), Body: reportBody{
		ID: r.ID, Version: r.Edit, Status: r.Status, DocumentID: string(r.DocumentID), Number: r.Number, ToldLate: r.ToldLate, TextBody: TextBody(r.Text),
	}}
	if len(r.Changed.Signed)+len(r.Changed.Now) > 0 {
		out.Body.Changed = &r.Changed
	}
	return out, nil
}

func (s *Service) getReport(ctx context.Context, in *ByID) (*reportOut, error) {
	if err := in.valid(); err != nil {
		return nil, err
	}
	return answer(s.Read(ctx, care.EncounterID(in.ID)))
}

func (s *Service) putReport(ctx context.Context, in *struct {
	ByID
	Body TextBody
}) (*reportOut, error) {
	if err := in.valid(); err != nil {
		return nil, err
	}
	edit, err := strconv.ParseInt(httpx.IfMatch(ctx), 10, 64)
	if err != nil {
		return nil, fault.New(fault.Malformed, "match-needed")
	}
	return answer(s.Write(ctx, care.EncounterID(in.ID), Text(in.Body), edit))
}

func (s *Service) postSign(ctx context.Context, in *struct {
	ByID
	Body struct {
		Version int64 `json:"version" doc:"the edit that the signer saw"`
	}
}) (*signedOut, error) {
	if err := in.valid(); err != nil {
		return nil, err
	}
	d, err := s.Sign(ctx, care.EncounterID(in.ID), in.Body.Version)
	if err != nil {
		return nil, err
	}
	out := &signedOut{}
	out.Body.DocumentID, out.Body.Version = string(d.ID), d.Number
	return out, nil
}

func (s *Service) postReplace(ctx context.Context, in *struct {
	ByID
	Body struct{}
}) (*reportOut, error) {
	if err := in.valid(); err != nil {
		return nil, err
	}
	return answer(s.Replace(ctx, care.DocumentID(in.ID)))
}

func (s *Service) getList(ctx context.Context, in *struct {
	PatientID string `query:"patientId" maxLength:"36" doc:"oneself when empty"`
}) (*listOut, error) {
	if in.PatientID != "" && !care.ValidID(in.PatientID) {
		return nil, fault.Missing()
	}
	list, err := s.List(ctx, care.PatientID(in.PatientID))
	if err != nil {
		return nil, err
	}
	out := &listOut{}
	out.Body.Items = make([]itemBody, 0, len(list))
	for _, d := range list {
		item := itemBody{
			ID: string(d.ID), Kind: d.Kind, TypeCode: d.TypeCode, Title: d.Title, Author: authorBody{d.AuthorName, d.AuthorTitle},
			Act: s.words.T(string(httpx.Language(ctx)), "act.teleconsultation", nil), Date: d.SignedAt, Confidentiality: d.Confidential,
			Version: d.Number, Status: d.State, EncounterID: string(d.EncounterID),
		}
		state, at, ok, err := s.Deliveries.StateOf(ctx, d.ID)
		if err != nil {
			return nil, err
		}
		if ok {
			item.Delivery = &deliveryBody{state, at}
		}
		if item.Dispensing, err = s.dispensed(ctx, d); err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, item)
	}
	return out, nil
}

func (s *Service) dispensed(ctx context.Context, d *Document) (*dispensingBody, error) {
	if d.Kind != KindPrescription {
		return nil, nil
	}
	state, at, pharmacy, ok, err := s.Dispensings.DispensedState(ctx, d.ID)
	if err != nil || !ok {
		return nil, err
	}
	b := &dispensingBody{State: state, Pharmacy: pharmacy}
	if !at.IsZero() {
		b.At = &at
	}
	return b, nil
}

func (s *Service) getAccesses(ctx context.Context, in *ByID) (*accessesOut, error) {
	if err := in.valid(); err != nil {
		return nil, err
	}
	list, err := s.Accesses(ctx, care.DocumentID(in.ID))
	if err != nil {
		return nil, err
	}
	out := &accessesOut{}
	out.Body.Items = make([]accessBody, 0, len(list))
	for _, a := range list {
		who := a.Who
		if who == "" {
			who = s.words.T(string(httpx.Language(ctx)), "role."+string(a.Word), nil)
		}
		out.Body.Items = append(out.Body.Items, accessBody{a.At, who, string(a.Word), a.Action})
	}
	return out, nil
}

// getFile answers with one of the two files. Its name says the date only: a download folder is read by
// others.
func (s *Service) getFile(ctx context.Context, in *ByID, mime, ext string, pick func(Files) []byte) (*fileOut, error) {
	if err := in.valid(); err != nil {
		return nil, err
	}
	d, f, err := s.Open(ctx, care.DocumentID(in.ID))
	if err != nil {
		return nil, err
	}
	name := "document-" + d.SignedAt.Format("2006-01-02") + ext
	return &fileOut{mime, `attachment; filename="` + name + `"`, pick(f)}, nil
}
