package encounters

import (
	"cmp"
	"context"
	"embed"
	"io/fs"
	"net/http"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/httpx"
	"visavis/internal/lang"
	"visavis/internal/profession"
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

// ByID is the path of one act; exported because huma fills embedded fields by reflection.
type ByID struct {
	ID string `path:"id"`
}

type encounterOut struct {
	Body encounterBody
}

type encounterBody struct {
	ID                string            `json:"id"`
	AppointmentID     string            `json:"appointmentId"`
	Status            Status            `json:"status" enum:"planned,arrived,in-progress,finished,cancelled"`
	Patient           personBody        `json:"patient"`
	Practitioner      personBody        `json:"practitioner"`
	Planned           periodBody        `json:"planned"`
	Period            periodBody        `json:"period"`
	IdentityConfirmed bool              `json:"identityConfirmed"`
	IdentifiedHow     How               `json:"identifiedHow,omitempty" enum:"face-and-name,document"`
	Consent           care.ConsentState `json:"consent" enum:"none,granted,refused,withdrawn,emergency"`
	Host              bool              `json:"host" doc:"the caller is the professional responsible for the act"`
	Participants      []participantBody `json:"participants"`
	Team              []personBody      `json:"team"`
	Incidents         []incidentBody    `json:"incidents"`
	VideoProof        videoProofBody    `json:"videoProof"`
	Settled           bool              `json:"settled" doc:"the act ended and everything that its call told is in it"`
}

type personBody struct {
	ID             string              `json:"id"`
	DisplayName    string              `json:"displayName"`
	Role           string              `json:"role" enum:"patient,doctor,dentist,midwife,professional,nurse,pharmacist,secretary,admin,companion,system" doc:"the word for them: doctor is a physician only"`
	Title          string              `json:"title,omitempty"`
	SpecialtyLabel string              `json:"specialtyLabel,omitempty"`
	BirthDate      string              `json:"birthDate,omitempty" format:"date"`
	Minor          bool                `json:"minor"`
	IdentityStatus care.IdentityStatus `json:"identityStatus,omitempty" enum:"PROV,RECUP,VALI,QUAL"`
}

type periodBody struct {
	Start *time.Time `json:"start,omitempty"`
	End   *time.Time `json:"end,omitempty"`
}

type participantBody struct {
	Person  personBody `json:"person"`
	Role    string     `json:"role" enum:"patient,doctor,dentist,midwife,professional,nurse,pharmacist,secretary,admin,companion,system" doc:"the word for what they were in the act"`
	Periods []stayBody `json:"periods"`
}

type stayBody struct {
	Start      *time.Time `json:"start,omitempty"`
	End        *time.Time `json:"end,omitempty"`
	EndAssumed bool       `json:"endAssumed,omitempty" doc:"nobody saw them leave: they were last known to be there at the end"`
	ToldLate   bool       `json:"toldLate,omitempty" doc:"written after the end of the act"`
}

type incidentBody struct {
	At     time.Time `json:"at"`
	Code   string    `json:"code" doc:"a line of encounters/ribbon/causes.tsv, or an incident of the signaling document"`
	Text   string    `json:"text"`
	SeatID string    `json:"seatId,omitempty"`
}

type videoProofBody struct {
	BothWaysSeconds int `json:"bothWaysSeconds" doc:"seconds during which video flowed both ways"`
}

// Routes registers the routes of the module.
func Routes(s *httpx.Server, svc *Service, words *lang.Catalogue) {
	v := view{svc, words}
	op := func(method, path string, action authz.Action, summary string, status int) httpx.Op {
		return httpx.Op{Method: method, Path: path, Action: action, Summary: summary, Tag: "encounters", Status: status}
	}
	httpx.Handle(s, op(http.MethodGet, "/api/encounters/{id}", "encounter.read", "One act of care", 200),
		func(ctx context.Context, in *ByID) (*encounterOut, error) {
			return v.of(ctx)(svc.Read(ctx, care.EncounterID(in.ID)))
		})
	httpx.Handle(s, op(http.MethodPost, "/api/encounters/{id}/identity", "encounter.identify", "Confirm who the patient is", 200),
		func(ctx context.Context, in *struct {
			ByID
			Body struct {
				How How `json:"how" enum:"face-and-name,document"`
			}
		}) (*encounterOut, error) {
			return v.of(ctx)(svc.Identify(ctx, care.EncounterID(in.ID), in.Body.How))
		})
	httpx.Handle(s, op(http.MethodPost, "/api/encounters/{id}/participants", "encounter.invite", "Give a colleague a seat", 201).Named("inviteToEncounter"),
		func(ctx context.Context, in *struct {
			ByID
			Body struct {
				StaffID string `json:"staffId" maxLength:"36"`
			}
		}) (*encounterOut, error) {
			return v.of(ctx)(svc.Invite(ctx, care.EncounterID(in.ID), care.StaffID(in.Body.StaffID)))
		})
	httpx.Handle(s, op(http.MethodPost, "/api/encounters/{id}/finish", "encounter.finish", "End the act for everybody", 200),
		func(ctx context.Context, in *ByID) (*encounterOut, error) {
			return v.of(ctx)(svc.Finish(ctx, care.EncounterID(in.ID)))
		})
	httpx.Handle(s, op(http.MethodGet, "/api/encounters/{id}/quality", "encounter.quality", "What the call was like, and why", 200).Named("readCallQuality"), v.quality)
	httpx.Handle(s, op(http.MethodGet, "/api/day", "encounter.day", "My acts of a day", 200).Named("listEncounter"), v.day)
}

type view struct {
	svc   *Service
	words *lang.Catalogue
}

func (v view) of(ctx context.Context) func(*Encounter, error) (*encounterOut, error) {
	return func(e *Encounter, err error) (*encounterOut, error) {
		if err != nil {
			return nil, err
		}
		body, err := v.body(ctx, e)
		return &encounterOut{Body: body}, err
	}
}

func (v view) body(ctx context.Context, e *Encounter) (encounterBody, error) {
	b := encounterBody{
		ID: string(e.ID), AppointmentID: string(e.AppointmentID), Status: e.Status,
		Planned: period(e.PlannedStart, e.PlannedEnd), Period: period(e.StartedAt, e.FinishedAt),
		IdentityConfirmed: !e.IdentifiedAt.IsZero(), IdentifiedHow: e.IdentifiedHow, Host: authz.From(ctx).StaffID == e.PractitionerID,
		Participants: []participantBody{}, Team: []personBody{}, Incidents: []incidentBody{}, VideoProof: videoProofBody{e.VideoSeconds},
	}
	patient, err := v.svc.People.Patient(ctx, e.PatientID)
	if err != nil {
		return b, err
	}
	b.Patient = person(patient)
	settling, err := v.svc.Settling(ctx, e.ID)
	if err != nil {
		return b, err
	}
	b.Settled = e.Status == Finished && !settling
	doctor, err := v.svc.People.Staff(ctx, e.PractitionerID)
	if err != nil {
		return b, err
	}
	b.Practitioner = person(doctor)
	if b.Consent, err = v.svc.Consents.State(ctx, e.AppointmentID); err != nil {
		return b, err
	}
	known := map[string]personBody{string(e.PatientID): b.Patient, string(e.PractitionerID): b.Practitioner}
	for _, m := range e.Team {
		p, err := v.svc.People.Staff(ctx, m.StaffID)
		if err != nil {
			return b, err
		}
		known[string(m.StaffID)] = person(p)
		b.Team = append(b.Team, person(p))
	}
	for _, p := range e.Presence {
		if p.Role != care.Companion {
			continue
		}
		c, err := v.svc.People.Companion(ctx, care.CompanionID(p.PersonID))
		if err != nil {
			return b, err
		}
		known[p.PersonID] = person(c)
	}
	b.Participants = participants(e, known)
	q, err := v.svc.Ribbons(ctx, e)
	for _, i := range q.Incidents() { // as the report says them
		code, text := i.In(v.words, string(httpx.Language(ctx)))
		b.Incidents = append(b.Incidents, incidentBody{At: i.At, Code: code, Text: text, SeatID: i.Seat})
	}
	return b, err
}

func participants(e *Encounter, known map[string]personBody) []participantBody {
	out := []participantBody{}
	at := map[string]int{}
	for _, p := range e.Presence {
		if p.Role == RoleDevice {
			continue // nobody; the report names it
		}
		i, ok := at[p.PersonID]
		if !ok {
			i = len(out)
			at[p.PersonID] = i
			out = append(out, participantBody{Person: known[p.PersonID], Role: wordOf(p.Role, profession.Word(known[p.PersonID].Role))})
		}
		b, late := period(p.JoinedAt, p.LeftAt), !e.FinishedAt.IsZero() && p.ToldAt.After(e.FinishedAt)
		out[i].Periods = append(out[i].Periods, stayBody{b.Start, b.End, p.Assumed, late})
	}
	return out
}

func person(p Person) personBody {
	return personBody{p.ID, p.DisplayName, cmp.Or(string(p.Word), wordOf(p.Role, "")), p.Title, p.SpecialtyLabel, p.BirthDate, p.Minor, p.IdentityStatus}
}

func period(from, to time.Time) periodBody {
	var b periodBody
	if !from.IsZero() {
		b.Start = &from
	}
	if !to.IsZero() {
		b.End = &to
	}
	return b
}

type dayOut struct {
	Body struct {
		Items []dayItem `json:"items"`
	}
}

type dayItem struct {
	EncounterID    string              `json:"encounterId"`
	AppointmentID  string              `json:"appointmentId"`
	Start          time.Time           `json:"start"`
	End            time.Time           `json:"end"`
	Patient        personBody          `json:"patient"`
	Status         Status              `json:"status" enum:"planned,arrived,in-progress,finished,cancelled"`
	Consent        care.ConsentState   `json:"consent" enum:"none,granted,refused,withdrawn,emergency"`
	WaitingSince   *time.Time          `json:"waitingSince,omitempty"`
	Online         bool                `json:"online"`
	IdentityStatus care.IdentityStatus `json:"identityStatus" enum:"PROV,RECUP,VALI,QUAL"`
	FirstTime      bool                `json:"firstTime"`
	Host           bool                `json:"host"`
}

func (v view) day(ctx context.Context, in *struct {
	Date string `query:"date" doc:"YYYY-MM-DD in the clinic's zone; today when empty"`
	Zone string `query:"zone" default:"Europe/Paris"`
}) (*dayOut, error) {
	zone, err := time.LoadLocation(in.Zone)
	if err != nil {
		return nil, fault.Fields(fault.Field{Name: "zone", Code: "not-a-choice"})
	}
	day := v.svc.Clock.Now().In(zone)
	if in.Date != "" {
		if day, err = time.ParseInLocation(time.DateOnly, in.Date, zone); err != nil {
			return nil, fault.Fields(fault.Field{Name: "date", Code: "not-a-date"})
		}
	}
	from := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, zone)
	list, err := v.svc.Day(ctx, from, from.AddDate(0, 0, 1))
	if err != nil {
		return nil, err
	}
	out := &dayOut{}
	out.Body.Items = make([]dayItem, 0, len(list))
	for _, e := range list {
		item, err := v.item(ctx, e)
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, item)
	}
	return out, nil
}

func (v view) item(ctx context.Context, e *Encounter) (dayItem, error) {
	i := dayItem{
		EncounterID: string(e.ID), AppointmentID: string(e.AppointmentID), Start: e.PlannedStart, End: e.PlannedEnd,
		Status: e.Status, Host: authz.From(ctx).StaffID == e.PractitionerID,
	}
	if e.Status == Arrived {
		i.WaitingSince = &e.ArrivedAt
	}
	p, err := v.svc.People.Patient(ctx, e.PatientID)
	if err != nil {
		return i, err
	}
	i.Patient, i.IdentityStatus = person(p), p.IdentityStatus
	if i.Consent, err = v.svc.Consents.State(ctx, e.AppointmentID); err != nil {
		return i, err
	}
	if i.Online, err = v.svc.Live.Online(ctx, e.ID); err != nil {
		return i, err
	}
	i.FirstTime, err = v.svc.FirstTime(ctx, e)
	return i, err
}
