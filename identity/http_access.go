package identity

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"time"

	"visavis/identity/contacts"
	"visavis/identity/traits"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/httpx"
)

// signinCookie binds a sign-in under way to the browser that began it.
const signinCookie = "__Host-visavis-psc"

// signinRoutes are redirects, not JSON, which a person's browser follows, and the
// choice of where they work today.
func signinRoutes(s *httpx.Server, f *face) {
	s.Mount(http.MethodGet, "/api/auth/psc/start", "signin.start", f.getStart)
	s.Mount(http.MethodGet, "/api/auth/psc/callback", "signin.start", f.getCallback)
	httpx.Handle(s, httpx.Op{ID: "listSituations", Method: http.MethodGet, Path: "/api/auth/psc/situations", Action: "signin.start", Tag: tag, Summary: "Where I may work today"}, f.getSituations)
	httpx.Handle(s, httpx.Op{ID: "chooseSituation", Method: http.MethodPost, Path: "/api/auth/psc/situation", Action: "signin.start", Tag: tag, Summary: "Where I work today"}, f.postSituation)
}

func (s *Service) getStart(w http.ResponseWriter, r *http.Request) {
	start := s.StartSignin
	if r.URL.Query().Has("again") {
		start = s.StartStepUp
	}
	to := r.URL.Query().Get("return")
	address, browser, err := start(r.Context(), to)
	if err != nil && r.URL.Query().Has("again") && ourPath(to) {
		http.Redirect(w, r, withCode(to, err), http.StatusFound)
		return
	}
	if err != nil {
		s.backWith(w, r, err)
		return
	}
	http.SetCookie(w, bindCookie(browser, int(signinLife.Seconds())))
	http.Redirect(w, r, address, http.StatusFound)
}

func (s *Service) getCallback(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back := Return{State: q.Get("state"), Code: q.Get("code"), Error: q.Get("error")}
	if c, err := r.Cookie(signinCookie); err == nil {
		back.Browser = c.Value
	}
	done, err := s.FinishSignin(r.Context(), back)
	if done.Choice == "" {
		http.SetCookie(w, bindCookie("", -1))
	} else {
		http.SetCookie(w, bindCookie(done.Choice, int(signinLife.Seconds())))
	}
	if err != nil && done.StepUp {
		if fault.KindOf(err) == fault.Forbidden { // somebody else proved who they are, in this session
			httpx.NoteRefusal(r.Context(), err)
		}
		http.Redirect(w, r, withCode(done.To, err), http.StatusFound)
		return
	}
	if err != nil {
		s.backWith(w, r, err)
		return
	}
	if done.Session != "" {
		cookie := httpx.SessionCookie(done.Session)
		http.SetCookie(w, &cookie)
	}
	http.Redirect(w, r, done.To, http.StatusFound)
}

// withCode is the page a step-up was for, which explains why it was refused.
func withCode(to string, err error) string {
	code := "internal"
	var f *fault.Error
	if errors.As(err, &f) {
		code = f.Code
	}
	u, parseErr := url.Parse(to)
	if parseErr != nil {
		return "/pro"
	}
	q := u.Query()
	q.Set("step-up", code)
	u.RawQuery = q.Encode()
	return u.String()
}

// backWith returns to the sign-in page, which explains the code. A failure
// that is no refusal is answered as a problem.
func (s *Service) backWith(w http.ResponseWriter, r *http.Request, err error) {
	var f *fault.Error
	if !errors.As(err, &f) {
		httpx.Refuse(w, r, err)
		return
	}
	http.Redirect(w, r, "/pro?error="+url.QueryEscape(f.Code), http.StatusFound)
}

type situationsIn struct {
	Choice string `cookie:"__Host-visavis-psc" maxLength:"600" doc:"set by the sign-in"`
}

type situation struct {
	ID               string `json:"id"`
	OrganizationName string `json:"organizationName"`
	City             string `json:"city"`
	RoleLabel        string `json:"roleLabel"`
	SpecialtyLabel   string `json:"specialtyLabel"`
}

type situationsOut struct {
	Body struct {
		DisplayName string      `json:"displayName"`
		Items       []situation `json:"items"`
	}
}

func (f *face) getSituations(ctx context.Context, in *situationsIn) (*situationsOut, error) {
	list, err := f.Situations(ctx, in.Choice)
	out := &situationsOut{}
	out.Body.Items = make([]situation, 0, len(list))
	for _, p := range list {
		out.Body.DisplayName = p.DisplayName()
		out.Body.Items = append(out.Body.Items, situation{string(p.ID), p.Organization.Name, p.Organization.Address.City,
			f.say(ctx, "staff-role."+string(p.Word())), f.specialty(ctx, p.Specialty)})
	}
	return out, err
}

type chooseIn struct {
	Choice string `cookie:"__Host-visavis-psc" maxLength:"600"`
	Body   struct {
		ID string `json:"id" maxLength:"40"`
	}
}

type chooseOut struct {
	httpx.Cookie
	Body struct {
		To string `json:"to" doc:"the page the sign-in was for"`
	}
}

func (f *face) postSituation(ctx context.Context, in *chooseIn) (*chooseOut, error) {
	done, err := f.ChooseSituation(ctx, in.Choice, care.StaffID(in.Body.ID))
	if err != nil {
		return nil, err
	}
	out := &chooseOut{Cookie: httpx.Cookie{SetCookie: httpx.SessionCookie(done.Session)}}
	out.Body.To = done.To
	return out, nil
}

func bindCookie(value string, age int) *http.Cookie {
	return &http.Cookie{Name: signinCookie, Value: value, Path: "/", MaxAge: age, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// meRepresentative is one of a minor's representatives before a code is proven:
// no name yet.
type meRepresentative struct {
	Reference string `json:"reference" doc:"for POST /api/me/code"`
	Relation  string `json:"relation" enum:"mother,father,guardian"`
	SMSHint   string `json:"smsHint,omitempty" doc:"the telephone, mostly hidden"`
	EmailHint string `json:"emailHint,omitempty" doc:"the address, mostly hidden"`
}

type meProven struct {
	DisplayName string `json:"displayName"`
	Relation    string `json:"relation" enum:"mother,father,guardian"`
}

// representatives adds those of a minor, and which one proved this session.
func (f *face) representatives(ctx context.Context, a authz.Actor, p Patient, to *mePatient) error {
	for _, r := range f.onFile(p) {
		one := meRepresentative{Reference: r.Reference, Relation: r.Relation}
		if r.Phone != "" && traits.Mobile(r.Phone) {
			one.SMSHint = traits.HidePhone(r.Phone)
		}
		if r.Email != "" {
			one.EmailHint = traits.HideEmail(r.Email)
		}
		to.Representatives = append(to.Representatives, one)
	}
	who, found, _, err := f.ProvenRepresentative(ctx, a)
	if found {
		to.ProvenBy = &meProven{who.DisplayName, who.Relation}
	}
	return err
}

// seconds rounds up: what may be asked for after them may be.
func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

type recoverIn struct {
	Body struct {
		Phone string `json:"phone,omitempty" maxLength:"40"`
		Email string `json:"email,omitempty" maxLength:"254"`
		Work  string `json:"work,omitempty" maxLength:"80" doc:"the answer to the challenge of a work-needed refusal"`
	}
}

type recoverOut struct {
	Body struct {
		Asked      bool      `json:"asked" doc:"a link leaves if the contact is known; otherwise one was asked for lately, and none leaves because of this request"`
		AskedAt    time.Time `json:"askedAt" doc:"when a link was asked for last, for this contact"`
		AgainAfter int       `json:"againAfter" doc:"seconds until another one can be asked for"`
	}
}

func (f *face) postRecover(ctx context.Context, in *recoverIn) (*recoverOut, error) {
	sending, err := f.RecoverLink(ctx, contacts.Request{Phone: in.Body.Phone, Email: in.Body.Email, Work: in.Body.Work, Network: httpx.Remote(ctx)})
	out := &recoverOut{}
	out.Body.Asked, out.Body.AskedAt, out.Body.AgainAfter = sending.Sent, sending.At, seconds(sending.After)
	return out, err
}

type codeIn struct {
	Body struct {
		Channel        string `json:"channel" enum:"sms,email"`
		Representative string `json:"representative,omitempty" maxLength:"64" doc:"of a minor: a reference of me.patient.representatives"`
	}
}

type codeOut struct {
	Body struct {
		Channel   string    `json:"channel" enum:"sms,email"`
		Hint      string    `json:"hint"`
		ExpiresAt time.Time `json:"expiresAt"`

		Sent       bool      `json:"sent" doc:"a code left because of this request; otherwise none did, and the last one is still good"`
		SentAt     time.Time `json:"sentAt" doc:"when the last code left"`
		AgainAfter int       `json:"againAfter" doc:"seconds until another one can be asked for"`
	}
}

func (f *face) postCode(ctx context.Context, in *codeIn) (*codeOut, error) {
	sent, err := f.RequestCode(ctx, in.Body.Channel, in.Body.Representative)
	out := &codeOut{}
	out.Body.Channel, out.Body.Hint, out.Body.ExpiresAt = sent.Channel, sent.Hint, sent.Expires
	out.Body.Sent, out.Body.SentAt, out.Body.AgainAfter = sent.Sent, sent.At, seconds(sent.After)
	return out, err
}

// companionRoutes are the invitations of companions, and what one of them sees.
func companionRoutes(s *httpx.Server, f *face) {
	httpx.Handle(s, httpx.Op{Method: http.MethodPost, Path: "/api/appointments/{id}/companions", Action: "companion.invite", Tag: tag, Summary: "Invite a relative or a helper into the call", Status: http.StatusCreated}, f.postCompanion)
	httpx.Handle(s, httpx.Op{Method: http.MethodGet, Path: "/api/appointments/{id}/companions", Action: "companion.list", Tag: tag, Summary: "Who was invited at the patient's side"}, f.getCompanions)
	httpx.Handle(s, httpx.Op{Method: http.MethodPost, Path: "/api/companions/{id}/revoke", Action: "companion.revoke", Tag: tag, Summary: "Take an invitation back", Status: http.StatusNoContent}, f.postCompanionRevoke)
	httpx.Handle(s, httpx.Op{Method: http.MethodGet, Path: "/api/me/attendance", Action: "companion.attend", ID: "readAttendance", Tag: tag, Summary: "What I was invited to"}, f.getAttendance)
}

type companionIn struct {
	ID   string `path:"id"`
	Body struct {
		DisplayName string `json:"displayName" maxLength:"200" printed:"line" doc:"what the others in the call read"`
		Phone       string `json:"phone,omitempty" maxLength:"40" doc:"a mobile telephone; or an e-mail address"`
		Email       string `json:"email,omitempty" maxLength:"254"`
	}
}

type invitedOut struct{ Body invitedBody }

type invitedBody struct {
	ID          string    `json:"id"`
	DisplayName string    `json:"displayName"`
	AddressHint string    `json:"addressHint" doc:"where the link went, mostly hidden"`
	InvitedAt   time.Time `json:"invitedAt"`

	Sent       bool      `json:"sent" doc:"a message left because of this request; otherwise none did: one left a moment ago"`
	SentAt     time.Time `json:"sentAt" doc:"when the last message left"`
	AgainAfter int       `json:"againAfter" doc:"seconds until another one can be asked for"`
}

type companionBody struct {
	ID          string    `json:"id"`
	DisplayName string    `json:"displayName"`
	AddressHint string    `json:"addressHint" doc:"where the link went, mostly hidden"`
	InvitedAt   time.Time `json:"invitedAt"`
}

func companionOf(c Companion) companionBody {
	return companionBody{string(c.ID), c.Name, c.hint(), c.InvitedAt}
}

func (f *face) postCompanion(ctx context.Context, in *companionIn) (*invitedOut, error) {
	c, err := f.InviteCompanion(ctx, care.AppointmentID(in.ID), Invitation{in.Body.DisplayName, in.Body.Phone, in.Body.Email})
	if err != nil {
		return nil, err
	}
	return &invitedOut{invitedBody{string(c.ID), c.Name, c.hint(), c.InvitedAt, c.Sent, c.At, seconds(c.After)}}, nil
}

type companionsOut struct {
	Body struct {
		Items []companionBody `json:"items"`
	}
}

func (f *face) getCompanions(ctx context.Context, in *byID) (*companionsOut, error) {
	list, err := f.Companions(ctx, care.AppointmentID(in.ID))
	out := &companionsOut{}
	out.Body.Items = make([]companionBody, len(list))
	for i, c := range list {
		out.Body.Items[i] = companionOf(c)
	}
	return out, err
}

func (f *face) postCompanionRevoke(ctx context.Context, in *byID) (*nothing, error) {
	return &nothing{}, f.RevokeCompanion(ctx, care.CompanionID(in.ID))
}

type attendanceOut struct {
	Body struct {
		DisplayName      string    `json:"displayName"`
		PatientName      string    `json:"patientName"`
		PractitionerName string    `json:"practitionerName"`
		EncounterID      string    `json:"encounterId,omitempty"`
		Start            time.Time `json:"start"`
		Over             bool      `json:"over"`
	}
}

func (f *face) getAttendance(ctx context.Context, _ *nothing) (*attendanceOut, error) {
	a, err := f.Attendance(ctx)
	out := &attendanceOut{}
	b := &out.Body
	b.DisplayName, b.PatientName, b.PractitionerName, b.EncounterID, b.Start, b.Over = a.Name, a.Patient, a.Practitioner, string(a.EncounterID), a.Start, a.Over
	return out, err
}
