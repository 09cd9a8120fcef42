package identity

import (
	"context"
	"errors"
	"net/http"
	"time"

	"visavis/identity/traits"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/httpx"
	"visavis/internal/lang"
	"visavis/internal/limit"
)

const tag = "identity"

// face turns what the service knows into what people are told.
type face struct {
	*Service
	words *lang.Catalogue
	dates *lang.Words
}

// Routes registers the module's routes.
func Routes(s *httpx.Server, svc *Service) error {
	words, err := Texts()
	if err != nil {
		return err
	}
	dates, err := lang.NewWords()
	if err != nil {
		return err
	}
	f := &face{svc, words, dates}
	opening := limit.Rule{Name: "link.open", Burst: 20, Every: 6 * time.Second}
	asking := limit.Rule{Name: "link.recover", Burst: 60, Every: 2 * time.Second} // a hospital is one address; contacts and networks have bounds of their own
	searching := limit.Rule{Name: "patient.search", Burst: 60, Every: time.Second}
	httpx.Handle(s, httpx.Op{Method: http.MethodGet, Path: "/api/me", Action: "session.read", Tag: tag, Summary: "Who I am here"}, f.getMe)
	httpx.Handle(s, httpx.Op{Method: http.MethodPost, Path: "/api/me/sign-out", Action: "session.end", Tag: tag, Summary: "End my session"}, f.postSignOut)
	httpx.Handle(s, httpx.Op{Method: http.MethodPost, Path: "/api/links/open", Action: "link.open", Tag: tag, Summary: "Open a join link", Limit: opening}, f.postOpen)
	httpx.Handle(s, httpx.Op{Method: http.MethodPost, Path: "/api/links/recover", Action: "link.recover", Tag: tag, Summary: "Have a lost link sent again", Status: http.StatusAccepted, Limit: asking}, f.postRecover)
	httpx.Handle(s, httpx.Op{Method: http.MethodPost, Path: "/api/appointments/{id}/link", Action: "link.send", Tag: tag, Summary: "Send the patient a new link", Status: http.StatusAccepted}, f.postLink)
	httpx.Handle(s, httpx.Op{Method: http.MethodPost, Path: "/api/appointments/{id}/link/revoke", Action: "link.revoke", Tag: tag, Summary: "Revoke every link of an appointment", Status: http.StatusNoContent}, f.postRevoke)
	httpx.Handle(s, httpx.Op{Method: http.MethodPost, Path: "/api/me/code", Action: "code.request", Tag: tag, Summary: "Send me a one-time code", Status: http.StatusAccepted}, f.postCode)
	httpx.Handle(s, httpx.Op{Method: http.MethodPost, Path: "/api/me/code/verify", Action: "code.verify", Tag: tag, Summary: "Check my one-time code"}, f.postVerify)
	httpx.Handle(s, httpx.Op{Method: http.MethodGet, Path: "/api/patients", Action: "patient.search", Tag: tag, Summary: "Find patients of my organisation", Limit: searching}, f.getPatients)
	httpx.Handle(s, httpx.Op{Method: http.MethodGet, Path: "/api/patients/{id}", Action: "patient.read", Tag: tag, Summary: "A patient's identity"}, f.getPatient)
	httpx.Handle(s, httpx.Op{Method: http.MethodPost, Path: "/api/patients/{id}/identity", Action: "patient.qualify", Tag: tag, Summary: "An identity document was checked"}, f.postIdentity)
	httpx.Handle(s, httpx.Op{Method: http.MethodGet, Path: "/api/staff", Action: "staff.list", Tag: tag, Summary: "My colleagues"}, f.getStaff)
	signinRoutes(s, f)
	companionRoutes(s, f)
	return nil
}

type mePatient struct {
	ID             string `json:"id"`
	DisplayName    string `json:"displayName"`
	BirthDate      string `json:"birthDate"`
	Minor          bool   `json:"minor"`
	IdentityStatus string `json:"identityStatus" enum:"PROV,RECUP,VALI,QUAL"`

	Representatives []meRepresentative `json:"representatives,omitempty" doc:"of a minor, whom a code can reach"`
	ProvenBy        *meProven          `json:"provenBy,omitempty" doc:"the representative who received the code of this session"`
}

type meStaff struct {
	ID               string `json:"id"`
	DisplayName      string `json:"displayName"`
	Role             string `json:"role" enum:"doctor,nurse,secretary,pharmacist,admin"`
	RoleLabel        string `json:"roleLabel"`
	Title            string `json:"title"`
	SpecialtyLabel   string `json:"specialtyLabel"`
	OrganizationName string `json:"organizationName"`

	Capabilities []string `json:"capabilities,omitempty" enum:"data-protection" doc:"rights given to this person, beside their role"`
}

type meBody struct {
	Kind          string     `json:"kind" enum:"anonymous,patient,companion,staff"`
	Level         string     `json:"level" enum:"none,link,code,psc"`
	Locale        string     `json:"locale" enum:"fr,en"`
	Patient       *mePatient `json:"patient,omitempty"`
	Staff         *meStaff   `json:"staff,omitempty"`
	AppointmentID string     `json:"appointmentId,omitempty"`
}

type meOut struct{ Body meBody }

// cookieMeOut is meOut with a new session.
type cookieMeOut struct {
	httpx.Cookie
	Body meBody
}

type nothing struct{}

type empty struct{ Body struct{} }

func (f *face) getMe(ctx context.Context, _ *nothing) (*meOut, error) {
	me, err := f.me(ctx, authz.From(ctx))
	return &meOut{me}, err
}

// me says who an actor is, to that actor.
func (f *face) me(ctx context.Context, a authz.Actor) (meBody, error) {
	me := meBody{Kind: "anonymous", Level: a.Level.String(), Locale: string(httpx.Language(ctx)), AppointmentID: string(a.AppointmentID)}
	switch {
	case a.StaffID != "":
		p, err := f.Staff(ctx, a.StaffID)
		if err != nil {
			return me, err
		}
		me.Kind = "staff"
		me.Staff = &meStaff{ID: string(p.ID), DisplayName: p.DisplayName(), Role: string(p.Role), RoleLabel: f.say(ctx, "staff-role."+string(p.Word())),
			Title: p.Title, SpecialtyLabel: f.specialty(ctx, p.Specialty), OrganizationName: p.Organization.Name, Capabilities: p.Capabilities.Names()}
	case a.CompanionID != "":
		me.Kind = "companion" // nothing of the patient: they ask for what they were invited to
	case a.PatientID != "":
		p, err := f.Patient(ctx, a.PatientID)
		if err != nil {
			return me, err
		}
		me.Kind, me.Locale = "patient", string(p.Language)
		me.Patient = &mePatient{ID: string(p.ID), DisplayName: p.DisplayName(), BirthDate: string(p.Traits.BirthDate), Minor: p.Minor(f.today()), IdentityStatus: string(p.Status)}
		return me, f.representatives(ctx, a, p, me.Patient)
	}
	return me, nil
}

func (f *face) say(ctx context.Context, key string) string {
	return f.words.T(string(httpx.Language(ctx)), key, nil)
}

func (f *face) specialty(ctx context.Context, code string) string {
	label, _ := f.words.Lookup(string(httpx.Language(ctx)), "specialty."+code) // none: few specialties have a name of their own here
	return label
}

type signOutOut struct {
	httpx.Cookie
	ClearSiteData string `header:"Clear-Site-Data"`
	Body          struct {
		Next string `json:"next,omitempty" doc:"where the browser ends the session at Pro Santé Connect too"`
	}
}

func (f *face) postSignOut(ctx context.Context, _ *nothing) (*signOutOut, error) {
	next, err := f.SignOut(ctx)
	if err != nil {
		return nil, err
	}
	out := &signOutOut{Cookie: httpx.Cookie{SetCookie: httpx.EndCookie()}, ClearSiteData: `"cache", "storage"`}
	out.Body.Next = next
	return out, nil
}

type openIn struct {
	Body struct {
		Token string `json:"token" maxLength:"100" doc:"the fragment of /rdv#…"`
	}
}

func (f *face) postOpen(ctx context.Context, in *openIn) (*cookieMeOut, error) {
	secret, a, err := f.OpenLink(ctx, in.Body.Token)
	var early *TooEarly
	if errors.As(err, &early) {
		return nil, fault.New(fault.Gone, "link-not-yet").With("date", f.dates.Date(string(httpx.Language(ctx)), early.Opens.In(f.paris)))
	}
	if err != nil {
		httpx.NameCaller(ctx, a) // a closed link opens nothing, and is refused in the name of its owner
		return nil, err
	}
	return f.withSession(ctx, secret, a)
}

func (f *face) withSession(ctx context.Context, secret string, a authz.Actor) (*cookieMeOut, error) {
	me, err := f.me(ctx, a)
	return &cookieMeOut{httpx.Cookie{SetCookie: httpx.SessionCookie(secret)}, me}, err
}

type byID struct {
	ID string `path:"id"`
}

func (f *face) postLink(ctx context.Context, in *byID) (*empty, error) {
	return &empty{}, f.SendLink(ctx, care.AppointmentID(in.ID))
}

func (f *face) postRevoke(ctx context.Context, in *byID) (*nothing, error) {
	return &nothing{}, f.RevokeLinks(ctx, care.AppointmentID(in.ID))
}

type verifyIn struct {
	Body struct {
		Code string `json:"code" maxLength:"20"`
	}
}

func (f *face) postVerify(ctx context.Context, in *verifyIn) (*cookieMeOut, error) {
	secret, a, err := f.VerifyCode(ctx, digits(in.Body.Code))
	if err != nil {
		return nil, err
	}
	return f.withSession(ctx, secret, a)
}

// digits drops the blanks people type in a code.
func digits(typed string) string {
	out := make([]rune, 0, len(typed))
	for _, r := range typed {
		if r != ' ' && r != '-' && r != '\u00a0' {
			out = append(out, r)
		}
	}
	return string(out)
}

type staffIn struct {
	Role string `query:"role" enum:"doctor,nurse,secretary,pharmacist,admin"`
}

type staffItem struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
	Role        string `json:"role" enum:"doctor,nurse,secretary,pharmacist,admin"`
	RoleLabel   string `json:"roleLabel"`
}

type staffOut struct {
	Body struct {
		Items []staffItem `json:"items"`
	}
}

func (f *face) getStaff(ctx context.Context, in *staffIn) (*staffOut, error) {
	list, err := f.Colleagues(ctx, care.Role(in.Role))
	out := &staffOut{}
	out.Body.Items = make([]staffItem, 0, len(list))
	for _, p := range list {
		out.Body.Items = append(out.Body.Items, staffItem{string(p.ID), p.DisplayName(), string(p.Role), f.say(ctx, "staff-role."+string(p.Word()))})
	}
	return out, err
}

type identityIn struct {
	ID   string `path:"id"`
	Body struct {
		Status   string `json:"status" enum:"VALI,QUAL"`
		Document string `json:"document" enum:"id-card,passport,residence-permit,birth-record,family-book"`
	}
}

func (f *face) postIdentity(ctx context.Context, in *identityIn) (*patientOut, error) {
	p, err := f.CheckIdentity(ctx, care.PatientID(in.ID), care.IdentityStatus(in.Body.Status), in.Body.Document)
	return &patientOut{bodyOf(p)}, err
}

type searchIn struct {
	Q string `query:"q" required:"true" maxLength:"100" doc:"beginnings of names, a birth date, or both"`
}

type foundPatient struct {
	ID             string `json:"id"`
	DisplayName    string `json:"displayName"`
	FamilyName     string `json:"familyName"`
	GivenName      string `json:"givenName"`
	BirthDate      string `json:"birthDate"`
	Sex            string `json:"sex" enum:"F,M,UN"`
	IdentityStatus string `json:"identityStatus" enum:"PROV,RECUP,VALI,QUAL"`
	PhoneHint      string `json:"phoneHint"`
	EmailHint      string `json:"emailHint"`
}

type searchOut struct {
	Body struct {
		Items []foundPatient `json:"items"`
	}
}

func (f *face) getPatients(ctx context.Context, in *searchIn) (*searchOut, error) {
	list, err := f.SearchPatients(ctx, in.Q)
	out := &searchOut{}
	out.Body.Items = make([]foundPatient, 0, len(list))
	for _, p := range list {
		t := p.Traits
		out.Body.Items = append(out.Body.Items, foundPatient{string(p.ID), p.DisplayName(), t.BirthFamilyName, t.FirstGivenName,
			string(t.BirthDate), string(t.Sex), string(p.Status), traits.HidePhone(p.Phone), traits.HideEmail(p.Email)})
	}
	return out, err
}

func (f *face) getPatient(ctx context.Context, in *byID) (*patientOut, error) {
	if !care.ValidID(in.ID) {
		return nil, fault.Missing()
	}
	p, err := f.ReadPatient(ctx, care.PatientID(in.ID))
	return &patientOut{bodyOf(p)}, err
}

// patientOut is a patient's identity for the care team.
type patientOut struct{ Body patientBody }

type patientBody struct {
	ID                    string               `json:"id"`
	DisplayName           string               `json:"displayName"`
	BirthFamilyName       string               `json:"birthFamilyName"`
	UsedFamilyName        string               `json:"usedFamilyName,omitempty"`
	BirthGivenNames       string               `json:"birthGivenNames"`
	FirstGivenName        string               `json:"firstGivenName"`
	UsedGivenName         string               `json:"usedGivenName,omitempty"`
	Sex                   string               `json:"sex" enum:"F,M,UN"`
	BirthDate             string               `json:"birthDate"`
	BirthPlaceCode        string               `json:"birthPlaceCode,omitempty"`
	BirthPlaceName        string               `json:"birthPlaceName,omitempty"`
	INS                   string               `json:"ins,omitempty" doc:"matricule, key included"`
	IdentityStatus        string               `json:"identityStatus" enum:"PROV,RECUP,VALI,QUAL"`
	Phone                 string               `json:"phone,omitempty"`
	Email                 string               `json:"email,omitempty"`
	Address               Address              `json:"address"`
	Representatives       []representativeBody `json:"representatives"`
	ReferringPractitioner *referringBody       `json:"referringPractitioner,omitempty"`
}

type representativeBody struct {
	DisplayName string `json:"displayName"`
	Relation    string `json:"relation"`
}

type referringBody struct {
	DisplayName string `json:"displayName"`
}

func bodyOf(p Patient) patientBody {
	t := p.Traits
	b := patientBody{ID: string(p.ID), DisplayName: p.DisplayName(), BirthFamilyName: t.BirthFamilyName, UsedFamilyName: t.UsedFamilyName,
		BirthGivenNames: t.BirthGivenNames, FirstGivenName: t.FirstGivenName, UsedGivenName: t.UsedGivenName, Sex: string(t.Sex),
		BirthDate: string(t.BirthDate), BirthPlaceCode: t.BirthPlaceCode, BirthPlaceName: t.BirthPlaceName, INS: p.INS.Matricule,
		IdentityStatus: string(p.Status), Phone: p.Phone, Email: p.Email, Address: p.Address, Representatives: []representativeBody{}}
	for _, r := range p.Representatives {
		b.Representatives = append(b.Representatives, representativeBody{r.DisplayName, r.Relation})
	}
	if p.Referring != nil {
		b.ReferringPractitioner = &referringBody{p.Referring.DisplayName()}
	}
	return b
}
