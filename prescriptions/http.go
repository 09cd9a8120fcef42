package prescriptions

import (
	"context"
	"embed"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/httpx"
	"visavis/internal/lang"
	"visavis/internal/limit"
	"visavis/internal/medicines"
	"visavis/prescriptions/restricted"
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
	ID string `path:"id" maxLength:"36"`
}

func (b ByID) valid() error {
	if !care.ValidID(b.ID) {
		return fault.Missing()
	}
	return nil
}

type prescriptionOut struct {
	ETag string `header:"ETag"`
	Body prescriptionBody
}

type prescriptionBody struct {
	ID             string        `json:"id"`
	Category       Category      `json:"category" enum:"medicines,biology,imaging,nursing,physiotherapy,device,other"`
	Status         Status        `json:"status" enum:"draft,signed,replaced,cancelled"`
	Version        int64         `json:"version" doc:"counts the edits; also the entity tag"`
	Number         int           `json:"number" doc:"of the version among those that replace one another"`
	Lines          []Line        `json:"lines"`
	ValidUntil     *time.Time    `json:"validUntil,omitempty"`
	DocumentID     string        `json:"documentId,omitempty"`
	VerificationID string        `json:"verificationId,omitempty"`
	Dispensed      Progress      `json:"dispensed,omitempty" enum:"none,partial,dispensed,complete" doc:"of a signed prescription for a pharmacy"`
	Warnings       []warningBody `json:"warnings,omitempty" doc:"of a draft: what to look at again; nothing is refused for it"`
	// Conditions of prescribing of a draft's medicines, each as it stands for who writes it.
	Conditions []PrescribingCondition `json:"conditions,omitempty"`
	ETag       string                 `json:"etag"`
	Measures
}

type warningBody struct {
	Name   string `json:"name" doc:"the field, as in a refusal"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	// What the page offers as an answer.
	Options []medicineBody `json:"options,omitempty" doc:"specialities to choose instead of the words"`
	Names   []string       `json:"names,omitempty" doc:"to confirm in notPrescribed, when the line does not prescribe them"`
	Refused bool           `json:"refused,omitempty" doc:"the signature is refused for it"`
}

type listOut struct {
	Body struct {
		Items []prescriptionBody `json:"items"`
	}
}

type signedOut struct {
	Body struct {
		DocumentID     string `json:"documentId"`
		VerificationID string `json:"verificationId"`
	}
}

type medicinesOut struct {
	Body struct {
		Items []medicineBody `json:"items"`
		Base  baseBody       `json:"base"`
	}
}

// baseBody is the medicines base in service.
type baseBody struct {
	On     string `json:"on,omitempty" doc:"YYYY-MM-DD of its files; absent when it is not known"`
	Sample bool   `json:"sample" doc:"it is the small sample of the program, not the base"`
	Count  int    `json:"count" doc:"specialities"`
	Days   int    `json:"days" doc:"its age"`
	Old    bool   `json:"old" doc:"older than the setting allows"`
}

type medicineBody struct {
	CIS       string   `json:"cis" doc:"empty for a regulated medicine that the base does not have"`
	Name      string   `json:"name"`
	Form      string   `json:"form,omitempty"`
	Routes    []string `json:"routes"`
	INN       string   `json:"inn,omitempty"`
	CIP13     string   `json:"cip13,omitempty"`
	Regulated string   `json:"regulated,omitempty" doc:"what a line without a CIS gives in regulated, with a strength and a form"`
}

// Routes registers the routes of the module.
func Routes(s *httpx.Server, svc *Service) {
	op := func(method, path string, action authz.Action, summary string, status int) httpx.Op {
		return httpx.Op{Method: method, Path: path, Action: action, Summary: summary, Tag: "prescriptions", Status: status, MaxBody: 256 << 10}
	}
	once := func(o httpx.Op) httpx.Op {
		o.Once = true
		return o
	}
	limited := func(o httpx.Op, burst int, every time.Duration) httpx.Op {
		o.Limit, o.MaxBody = limit.Rule{Name: string(o.Action), Burst: burst, Every: every}, 4<<10
		return o
	}
	httpx.Handle(s, limited(op(http.MethodGet, "/api/medicines", "medicine.search", "Medicines by name or common denomination", 200), 60, 100*time.Millisecond), svc.getMedicines)
	httpx.Handle(s, op(http.MethodGet, "/api/encounters/{id}/prescriptions", "prescription.read", "The prescriptions of an act", 200).Named("listPrescription"), svc.getList)
	httpx.Handle(s, once(op(http.MethodPost, "/api/encounters/{id}/prescriptions", "prescription.write", "Start a prescription", 201).Named("createPrescription")), svc.postNew)
	httpx.Handle(s, op(http.MethodPut, "/api/prescriptions/{id}", "prescription.write", "Keep the lines of a draft", 200).Named("updatePrescription").Matched(), svc.put)
	httpx.Handle(s, op(http.MethodDelete, "/api/prescriptions/{id}", "prescription.write", "Throw a draft away", 204).Named("deletePrescription"), svc.delete)
	httpx.Handle(s, once(op(http.MethodPost, "/api/prescriptions/{id}/sign", "prescription.sign", "Sign a prescription", 201).Matched()), svc.postSign)
	httpx.Handle(s, once(op(http.MethodPost, "/api/prescriptions/{id}/replace", "prescription.write", "Start the next version of a signed prescription", 201).Named("replacePrescription")), svc.postReplace)
	httpx.Handle(s, op(http.MethodPost, "/api/prescriptions/{id}/cancel", "prescription.cancel", "Take a signed prescription back", 200), svc.postCancel)
	counterRoutes(s, svc, op, once, limited)
}

func (s *Service) body(ctx context.Context, p *Prescription, said Declared) prescriptionBody {
	b := prescriptionBody{ID: string(p.ID), Category: p.Category, Status: p.Status, Version: p.Edit, Number: p.Number, Lines: p.Lines,
		DocumentID: string(p.DocumentID), VerificationID: p.PublicID, ETag: strconv.FormatInt(p.Edit, 10), Measures: p.Measures}
	if b.Lines == nil {
		b.Lines = []Line{}
	}
	if p.Status == Draft {
		for _, w := range append(s.warnings(p), s.limited(p)...) {
			b.Warnings = append(b.Warnings, warningBody{Name: w.field, Code: strings.TrimPrefix(w.code, "warn."), Detail: s.words.T(string(httpx.Language(ctx)), w.code, w.args)})
		}
		for _, q := range s.examine(p.Category, p.Lines, s.Medicines.Current(), s.Clock.Now().In(s.Zone), said) {
			w := warningBody{Name: q.Name, Code: q.Code, Detail: s.words.T(string(httpx.Language(ctx)), "field."+q.Code, q.Args), Names: q.names, Refused: q.refuses}
			for _, m := range q.options {
				w.Options = append(w.Options, listed(m))
			}
			for _, l := range q.lines {
				w.Options = append(w.Options, ofList(l))
			}
			b.Warnings = append(b.Warnings, w)
		}
		b.Conditions = s.Conditions(ctx, p)
	} else if p.Category.dispensable() {
		b.Dispensed = sum(p.Dispensings).progress(p.Lines)
	}
	if !p.ValidUntil.IsZero() {
		b.ValidUntil = &p.ValidUntil
	}
	return b
}

func (s *Service) answer(ctx context.Context, p *Prescription, err error) (*prescriptionOut, error) {
	if err != nil {
		return nil, err
	}
	said, err := s.declared(ctx, p.EncounterID)
	if err != nil {
		return nil, err
	}
	b := s.body(ctx, p, said)
	return &prescriptionOut{ETag: strconv.Quote(b.ETag), Body: b}, nil
}

// seen is the version that the caller has read, by If-Match.
func seen(ctx context.Context) (int64, error) {
	edit, err := strconv.ParseInt(httpx.IfMatch(ctx), 10, 64)
	if err != nil {
		return 0, fault.New(fault.Malformed, "match-needed")
	}
	return edit, nil
}

func (s *Service) getMedicines(_ context.Context, in *struct {
	Q string `query:"q" maxLength:"100"`
}) (*medicinesOut, error) {
	out := &medicinesOut{}
	out.Body.Items, out.Body.Base = []medicineBody{}, s.edition()
	for _, m := range s.Medicines.Search(in.Q, 20) {
		out.Body.Items = append(out.Body.Items, listed(m))
	}
	if s.Medicines.Current().IsSample() {
		for _, l := range s.table.SearchLines(in.Q, 20-min(20, len(out.Body.Items))) {
			out.Body.Items = append(out.Body.Items, ofList(l))
		}
	}
	return out, nil
}

func listed(m medicines.Medicine) medicineBody {
	return medicineBody{CIS: m.CIS, Name: m.Name, Form: m.Form, Routes: m.Routes, INN: strings.Join(m.INN, " + "), CIP13: m.CIP13}
}

func ofList(l restricted.Line) medicineBody {
	return medicineBody{Name: l.Name, Routes: []string{}, INN: l.INN, Regulated: l.Name}
}

func (s *Service) getList(ctx context.Context, in *ByID) (*listOut, error) {
	if err := in.valid(); err != nil {
		return nil, err
	}
	list, err := s.OfEncounter(ctx, care.EncounterID(in.ID))
	if err != nil {
		return nil, err
	}
	said, err := s.declared(ctx, care.EncounterID(in.ID))
	if err != nil {
		return nil, err
	}
	out := &listOut{}
	out.Body.Items = make([]prescriptionBody, 0, len(list))
	for _, p := range list {
		out.Body.Items = append(out.Body.Items, s.body(ctx, p, said))
	}
	return out, nil
}

func (s *Service) postNew(ctx context.Context, in *struct {
	ByID
	Body struct {
		Category Category `json:"category" enum:"medicines,biology,imaging,nursing,physiotherapy,device,other"`
	}
}) (*prescriptionOut, error) {
	if err := in.valid(); err != nil {
		return nil, err
	}
	p, err := s.Add(ctx, care.EncounterID(in.ID), in.Body.Category)
	return s.answer(ctx, p, err)
}

func (s *Service) put(ctx context.Context, in *struct {
	ByID
	Body struct {
		Lines []Line `json:"lines" maxItems:"30"`
		Measures
	}
}) (*prescriptionOut, error) {
	if err := in.valid(); err != nil {
		return nil, err
	}
	edit, err := seen(ctx)
	if err != nil {
		return nil, err
	}
	p, err := s.Write(ctx, care.PrescriptionID(in.ID), in.Body.Lines, in.Body.Measures, edit)
	return s.answer(ctx, p, err)
}

func (s *Service) delete(ctx context.Context, in *ByID) (*struct{}, error) {
	if err := in.valid(); err != nil {
		return nil, err
	}
	return nil, s.Drop(ctx, care.PrescriptionID(in.ID))
}

func (s *Service) postSign(ctx context.Context, in *struct {
	ByID
	Body struct{}
}) (*signedOut, error) {
	if err := in.valid(); err != nil {
		return nil, err
	}
	edit, err := seen(ctx)
	if err != nil {
		return nil, err
	}
	p, err := s.Sign(ctx, care.PrescriptionID(in.ID), edit)
	if err != nil {
		return nil, err
	}
	out := &signedOut{}
	out.Body.DocumentID, out.Body.VerificationID = string(p.DocumentID), p.PublicID
	return out, nil
}

func (s *Service) postReplace(ctx context.Context, in *struct {
	ByID
	Body struct{}
}) (*prescriptionOut, error) {
	if err := in.valid(); err != nil {
		return nil, err
	}
	p, err := s.Replace(ctx, care.PrescriptionID(in.ID))
	return s.answer(ctx, p, err)
}

func (s *Service) postCancel(ctx context.Context, in *struct {
	ByID
	Body struct {
		Reason string `json:"reason" maxLength:"500" printed:"text"`
	}
}) (*prescriptionOut, error) {
	if err := in.valid(); err != nil {
		return nil, err
	}
	p, err := s.Cancel(ctx, care.PrescriptionID(in.ID), strings.TrimSpace(in.Body.Reason))
	return s.answer(ctx, p, err)
}
