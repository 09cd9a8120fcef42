package consent

import (
	"context"
	"net/http"
	"time"

	"visavis/consent/entitlement"
	"visavis/internal/care"
	"visavis/internal/httpx"
)

const tag = "consent"

type textIn struct {
	Purpose string `query:"purpose" required:"true" enum:"teleconsultation"`
	Lang    string `query:"lang" enum:"fr,en" doc:"the language of the request when absent"`
}

type textBody struct {
	ID       string `json:"id" example:"teleconsultation.v1.fr"`
	Purpose  string `json:"purpose" enum:"teleconsultation"`
	Version  int    `json:"version"`
	Language string `json:"language" enum:"fr,en"`
	SHA256   string `json:"sha256" doc:"of the html, hexadecimal: what the person agrees to"`
	HTML     string `json:"html" doc:"to show exactly as it is"`
}

type textOut struct{ Body textBody }

type recordBody struct {
	ID       string    `json:"id"`
	Status   string    `json:"status" enum:"granted,refused,withdrawn,emergency"`
	At       time.Time `json:"at"`
	Channel  string    `json:"channel" enum:"web,oral,representative,emergency"`
	Ground   string    `json:"ground,omitempty" enum:"secrecy,contraception" doc:"why parents are not told"`
	TextID   string    `json:"textId"`
	Version  int       `json:"version"`
	Language string    `json:"language" enum:"fr,en"`
	SHA256   string    `json:"sha256"`
	By       string    `json:"by" enum:"patient,doctor,nurse,pharmacist,secretary,admin,companion,system" doc:"role of the session that decided"`
	// Stamp is told where the state is read, not in the answer to a decision.
	Stamp *stampBody `json:"stamp,omitempty" doc:"RFC 3161"`
}

type stateBody struct {
	Status string      `json:"status" enum:"none,granted,refused,withdrawn,emergency"`
	Record *recordBody `json:"record,omitempty"`
}

type actIn struct {
	ID string `path:"id"`
}

type stateOut struct{ Body stateBody }

type recordOut struct{ Body recordBody }

type agentBody struct {
	Name     string `json:"name" maxLength:"200" printed:"line"`
	Relation string `json:"relation" enum:"mother,father,guardian,authorised-relative,chosen-adult"`
	Document string `json:"document,omitempty" enum:"identity-card,passport,residence-permit,digital-identity" doc:"that the professional saw"`
}

type decideIn struct {
	ID   string `path:"id"`
	Body struct {
		TextID   string    `json:"textId" maxLength:"80"`
		SHA256   string    `json:"sha256" maxLength:"64"`
		Decision string    `json:"decision" enum:"granted,refused"`
		Channel  string    `json:"channel" enum:"web,representative" doc:"representative: who on file received the code of this session"`
		Screen   *pageBody `json:"screen,omitempty"`
	}
}

// pageBody is what the page says of itself; it is kept as it was said.
type pageBody struct {
	Page    string `json:"page" maxLength:"40" pattern:"^[a-z0-9.-]+$"`
	Control string `json:"control" maxLength:"40" pattern:"^[a-z0-9.-]+$" doc:"what was pressed"`
	Seconds int    `json:"seconds" minimum:"0" maximum:"86400" doc:"the text was in view"`
}

type attestIn struct {
	ID   string `path:"id"`
	Body struct {
		TextID         string     `json:"textId" maxLength:"80"`
		SHA256         string     `json:"sha256" maxLength:"64"`
		Decision       string     `json:"decision" enum:"granted,refused"`
		Representative *agentBody `json:"representative,omitempty" doc:"needed for a minor, but for contraception"`
		Ground         string     `json:"ground,omitempty" enum:"secrecy,contraception" doc:"CSP L1111-5, L5134-1: nothing is told to the parents"`
		Screen         *pageBody  `json:"screen,omitempty"`
	}
}

// Routes registers the module's routes.
func Routes(s *httpx.Server, svc *Service) {
	httpx.Handle(s, httpx.Op{
		Method: http.MethodGet, Path: "/api/consent-texts", Action: "consent.text", ID: "readConsentText", Tag: tag, Summary: "The current text to read before agreeing",
	}, svc.getText)
	httpx.Handle(s, httpx.Op{
		Method: http.MethodGet, Path: "/api/appointments/{id}/consent", Action: "consent.read", Tag: tag, Summary: "Where the consent stands",
	}, svc.getState)
	httpx.Handle(s, httpx.Op{
		Method: http.MethodPost, Path: "/api/appointments/{id}/consent", Action: "consent.grant", ID: "decideConsent", Tag: tag, Summary: "Agree or refuse",
		Status: http.StatusCreated, Once: true,
	}, svc.postDecision)
	httpx.Handle(s, httpx.Op{
		Method: http.MethodPost, Path: "/api/appointments/{id}/consent/oral", Action: "consent.attest", Tag: tag, Summary: "Attest what the patient said",
		Status: http.StatusCreated, Once: true,
	}, svc.postOral)
	httpx.Handle(s, httpx.Op{
		Method: http.MethodPost, Path: "/api/appointments/{id}/consent/withdraw", Action: "consent.withdraw", Tag: tag, Summary: "Take the agreement back",
	}, svc.postWithdraw)
	emergencyRoutes(s, svc)
	proofRoutes(s, svc)
}

func (s *Service) getText(ctx context.Context, in *textIn) (*textOut, error) {
	language := care.Language(in.Lang)
	if language == "" {
		language = httpx.Language(ctx)
	}
	t, err := s.Text(care.ActKind(in.Purpose), language)
	if err != nil {
		return nil, err
	}
	return &textOut{textBody{t.ID, string(t.Purpose), t.Version, string(t.Language), t.SHA256, t.HTML}}, nil
}

func (s *Service) getState(ctx context.Context, in *actIn) (*stateOut, error) {
	r, err := s.Current(ctx, care.AppointmentID(in.ID))
	if err != nil {
		return nil, err
	}
	out := stand(r)
	if out.Body.Record != nil {
		stamp, err := s.StampOf(ctx, r.ID)
		if err != nil {
			return nil, err
		}
		out.Body.Record.Stamp = stampOut(stamp)
	}
	return out, nil
}

func (s *Service) postDecision(ctx context.Context, in *decideIn) (*recordOut, error) {
	return answer(s.Decide(ctx, Decision{
		AppointmentID: care.AppointmentID(in.ID), State: care.ConsentState(in.Body.Decision), TextID: in.Body.TextID,
		SHA256: in.Body.SHA256, Channel: Channel(in.Body.Channel), Screen: screen(ctx).of(in.Body.Screen),
	}))
}

func (s *Service) postOral(ctx context.Context, in *attestIn) (*recordOut, error) {
	return answer(s.Decide(ctx, Decision{
		AppointmentID: care.AppointmentID(in.ID), State: care.ConsentState(in.Body.Decision), TextID: in.Body.TextID,
		SHA256: in.Body.SHA256, Channel: Oral, Agent: agent(in.Body.Representative), Ground: entitlement.Ground(in.Body.Ground), Screen: screen(ctx).of(in.Body.Screen),
	}))
}

func (s *Service) postWithdraw(ctx context.Context, in *actIn) (*stateOut, error) {
	r, err := s.Withdraw(ctx, care.AppointmentID(in.ID), screen(ctx))
	if err != nil {
		return nil, err
	}
	return stand(r), nil
}

func stand(r Record) *stateOut {
	out := &stateOut{stateBody{Status: string(r.State)}}
	if r.ID != "" {
		b := body(r)
		out.Body.Record = &b
	}
	return out
}

func agent(a *agentBody) *Agent {
	if a == nil {
		return nil
	}
	return &Agent{Name: a.Name, Relation: Relation(a.Relation), Document: entitlement.Document(a.Document)}
}

func screen(ctx context.Context) Screen {
	return Screen{Language: httpx.Language(ctx), UserAgent: httpx.UserAgent(ctx)}
}

// of adds what the page said.
func (s Screen) of(p *pageBody) Screen {
	if p != nil {
		s.Page, s.Control, s.Seconds = p.Page, p.Control, p.Seconds
	}
	return s
}

func answer(r Record, err error) (*recordOut, error) {
	if err != nil {
		return nil, err
	}
	return &recordOut{body(r)}, nil
}

func body(r Record) recordBody {
	return recordBody{string(r.ID), string(r.State), r.At, string(r.Channel), string(r.Ground), r.TextID, r.Version, string(r.Language), r.SHA256, string(r.By), nil}
}
