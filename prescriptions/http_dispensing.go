package prescriptions

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"visavis/internal/authz"
	"visavis/internal/httpx"
)

type verificationOut struct {
	Body verificationBody
}

type verificationBody struct {
	Genuine         bool           `json:"genuine"`
	State           Standing       `json:"state" enum:"valid,replaced,cancelled,expired"`
	SignedAt        time.Time      `json:"signedAt"`
	Prescriber      prescriberBody `json:"prescriber"`
	PatientInitials string         `json:"patientInitials,omitempty" doc:"only with the code of the sheet"`
	Category        Category       `json:"category,omitempty" enum:"medicines,biology,imaging,nursing,physiotherapy,device,other" doc:"only with the code of the sheet"`
	Lines           []Line         `json:"lines,omitempty" doc:"only with the code of the sheet"`
	Dispensing      *counterBody   `json:"dispensing,omitempty" doc:"absent from what no pharmacy dispenses"`
}

type counterBody struct {
	State   Progress         `json:"state" enum:"none,partial,dispensed,complete"`
	Renewal int              `json:"renewal" doc:"which comes next: 0 the first time; only with the code"`
	Lines   []leftBody       `json:"lines,omitempty" doc:"each line at each renewal reached, and the next; only with the code"`
	Entries []dispensingBody `json:"entries,omitempty" doc:"only with the code"`
	ETag    string           `json:"etag,omitempty" doc:"counts the entries; what a dispensing sends as If-Match"`
}

type leftBody struct {
	Line    int    `json:"line"`
	Renewal int    `json:"renewal"`
	Extent  Extent `json:"extent" enum:"none,partial,full"`
	Given   int    `json:"given"`
	Due     bool   `json:"due" doc:"may be dispensed at that renewal"`
}

type dispensingBody struct {
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	Pharmacy string    `json:"pharmacy"`
	By       string    `json:"by"`
	Renewal  int       `json:"renewal"`
	Lines    []Given   `json:"lines"`
	State    Record    `json:"state" enum:"recorded,withdrawn"`
	Mistake  string    `json:"mistake,omitempty"`
	Mine     bool      `json:"mine" doc:"of the caller's pharmacy"`
	Earlier  bool      `json:"earlier" doc:"of a version that this one replaces"`
}

type prescriberBody struct {
	DisplayName      string `json:"displayName"`
	Title            string `json:"title,omitempty"`
	RPPS             string `json:"rpps,omitempty"`
	OrganizationName string `json:"organizationName,omitempty"`
}

// counterRoutes registers the verification page and the counter of the pharmacy.
func counterRoutes(s *httpx.Server, svc *Service, op func(method, path string, action authz.Action, summary string, status int) httpx.Op, once func(httpx.Op) httpx.Op,
	limited func(o httpx.Op, burst int, every time.Duration) httpx.Op) {
	httpx.Handle(s, limited(op(http.MethodGet, "/api/verifications/{public}", "prescription.verify", "Is this prescription genuine", 200), 30, 2*time.Second), svc.getVerification)
	httpx.Handle(s, limited(op(http.MethodPost, "/api/verifications/{public}", "prescription.verify", "The content, with the code of the sheet", 200).Named("openVerifiedPrescription"), 30, 2*time.Second), svc.postVerification)
	httpx.Handle(s, once(op(http.MethodPost, "/api/verifications/{public}/dispensings", "prescription.dispense", "Record what a pharmacy dispenses", 201).Matched()), svc.postDispensing)
	httpx.Handle(s, once(op(http.MethodPost, "/api/verifications/{public}/dispensings/{id}/withdraw", "prescription.undispense", "Take a dispensing recorded by mistake back", 200)), svc.postWithdraw)
}

// ByPublicID is the path of a verification page.
type ByPublicID struct {
	Public string `path:"public" maxLength:"64"`
}

func verification(ctx context.Context, p *Prescription, standing Standing, opened bool) *verificationOut {
	f := p.Frozen
	out := &verificationOut{verificationBody{Genuine: true, State: standing, SignedAt: p.SignedAt,
		Prescriber: prescriberBody{f.Prescriber, f.Quality, f.RPPS, f.Organization}}}
	if opened {
		out.Body.PatientInitials, out.Body.Category, out.Body.Lines = f.Initials, p.Category, p.Lines
	}
	if p.Category.dispensable() {
		out.Body.Dispensing = counter(authz.From(ctx), p, opened)
	}
	return out
}

// counter says how far a prescription was dispensed: to anybody whether it was, with the code of the sheet
// the rest.
func counter(a authz.Actor, p *Prescription, opened bool) *counterBody {
	g := sum(p.Dispensings)
	b := &counterBody{State: g.progress(p.Lines)}
	if !opened {
		return b
	}
	b.Renewal, b.ETag = g.turn(p.Lines), strconv.Itoa(len(p.Dispensings))
	for r := range min(b.Renewal+1, most(p.Lines)) + 1 {
		for i, l := range p.Lines {
			if r <= l.Renewals {
				b.Lines = append(b.Lines, leftBody{Line: i, Renewal: r, Extent: g.extent(i, r), Given: g[[2]int{i, r}].Quantity, Due: g.due(p.Lines, i, r)})
			}
		}
	}
	for n, list := range [][]Dispensing{p.Before, p.Dispensings} {
		for _, d := range list {
			b.Entries = append(b.Entries, dispensingBody{ID: d.ID, At: d.At, Pharmacy: d.By.Pharmacy, By: d.By.Name, Renewal: d.Renewal, Lines: d.Lines,
				State: d.Status, Mistake: d.Mistake, Mine: a.OrganizationID != "" && a.OrganizationID == d.OrganizationID, Earlier: n == 0})
		}
	}
	return b
}

func (s *Service) getVerification(ctx context.Context, in *ByPublicID) (*verificationOut, error) {
	p, standing, err := s.Look(ctx, in.Public)
	if err != nil {
		return nil, err
	}
	return verification(ctx, p, standing, false), nil
}

func (s *Service) postVerification(ctx context.Context, in *struct {
	ByPublicID
	Body struct {
		Code string `json:"code" maxLength:"20"`
	}
}) (*verificationOut, error) {
	p, standing, err := s.Open(ctx, in.Public, in.Body.Code)
	if err != nil {
		return nil, err
	}
	return verification(ctx, p, standing, true), nil
}

func (s *Service) postDispensing(ctx context.Context, in *struct {
	ByPublicID
	Body struct {
		Code    string  `json:"code" maxLength:"20"`
		Renewal int     `json:"renewal" minimum:"0" maximum:"99" doc:"0 the first time"`
		Lines   []Given `json:"lines" maxItems:"30"`
	}
}) (*verificationOut, error) {
	n, err := seen(ctx)
	if err != nil {
		return nil, err
	}
	p, err := s.Dispense(ctx, in.Public, in.Body.Code, int(n), in.Body.Renewal, in.Body.Lines)
	if err != nil {
		return nil, err
	}
	return verification(ctx, p, p.standing(s.Clock.Now()), true), nil
}

func (s *Service) postWithdraw(ctx context.Context, in *struct {
	ByPublicID
	ID   string `path:"id" maxLength:"36"`
	Body struct {
		Code   string `json:"code" maxLength:"20"`
		Reason string `json:"reason" maxLength:"500" printed:"text"`
	}
}) (*verificationOut, error) {
	p, err := s.Withdraw(ctx, in.Public, in.Body.Code, in.ID, strings.TrimSpace(in.Body.Reason))
	if err != nil {
		return nil, err
	}
	return verification(ctx, p, p.standing(s.Clock.Now()), true), nil
}
