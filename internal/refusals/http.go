package refusals

import (
	"context"
	"embed"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/httpx"
	"visavis/internal/lang"
	"visavis/internal/limit"
)

//go:embed texts
var texts embed.FS

// Texts is the catalogue of this package.
func Texts() (*lang.Catalogue, error) {
	sub, err := fs.Sub(texts, "texts")
	if err != nil {
		return nil, err
	}
	return lang.New(sub, "fr", "en")
}

const tag = "refusals"

// pageSize is how many lines an answer holds.
const pageSize = 50

// face is the service behind HTTP; zone is the one that days are meant in.
type face struct {
	*Service
	zone *time.Location
}

// Routes registers the routes of data protection.
func Routes(s *httpx.Server, svc *Service, zone *time.Location) {
	f := &face{svc, zone}
	reading := limit.Rule{Name: "refusal.read", Burst: 60, Every: time.Second}
	httpx.Handle(s, httpx.Op{ID: "listRefusalAlarms", Method: http.MethodGet, Path: "/api/refusal-alarms", Action: "refusal.read", Tag: tag, Summary: "Alarms about refused accesses", Limit: reading}, f.getAlarms)
	httpx.Handle(s, httpx.Op{ID: "readRefusalAlarm", Method: http.MethodGet, Path: "/api/refusal-alarms/{id}", Action: "refusal.read", Tag: tag, Summary: "One alarm", Limit: reading}, f.getAlarm)
	httpx.Handle(s, httpx.Op{ID: "settleRefusalAlarm", Method: http.MethodPost, Path: "/api/refusal-alarms/{id}/settle", Action: "refusal.settle", Tag: tag, Summary: "Say what came of an alarm", Once: true}, f.postSettle)
	httpx.Handle(s, httpx.Op{ID: "listRefusals", Method: http.MethodGet, Path: "/api/refusals", Action: "refusal.read", Tag: tag, Summary: "What people were refused", Limit: reading}, f.getRefusals)
	httpx.Handle(s, httpx.Op{ID: "listRefusalPeople", Method: http.MethodGet, Path: "/api/refusals/people", Action: "refusal.read", Tag: tag, Summary: "Professionals to search refusals of", Limit: reading}, f.getPeople)
}

type personBody struct {
	ID        string `json:"id"`
	Kind      string `json:"kind" enum:"staff,patient,companion"`
	Role      string `json:"role"`
	Name      string `json:"name,omitempty" doc:"of a professional; of a patient in the detail of an alarm only"`
	Beside    string `json:"beside,omitempty" doc:"patient at whose side a companion comes, in the detail of an alarm only"`
	Pseudonym string `json:"pseudonym" doc:"as in the log of the server"`
}

type alarmBody struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind" doc:"of internal/refusals/rules.tsv"`
	Person    personBody `json:"person"`
	BeganAt   time.Time  `json:"beganAt"`
	RaisedAt  time.Time  `json:"raisedAt"`
	LastAt    time.Time  `json:"lastAt"`
	Refusals  int        `json:"refusals"`
	Objects   int        `json:"objects" doc:"different ones, at most 500"`
	Areas     []string   `json:"areas" doc:"kinds of what was refused"`
	State     string     `json:"state" enum:"open,settled"`
	Own       bool       `json:"own" doc:"about the caller, who may not settle it"`
	SettledAt *time.Time `json:"settledAt,omitempty"`
	SettledBy string     `json:"settledBy,omitempty"`
	Reason    string     `json:"reason,omitempty"`
}

// names gives the professionals of the caller's organisation.
func (f *face) names(ctx context.Context) (map[care.StaffID]string, error) {
	return f.People.StaffNames(ctx, authz.From(ctx).OrganizationID)
}

func (f *face) person(names map[care.StaffID]string, actor string, role care.Role) personBody {
	p := personBody{ID: actor, Kind: "staff", Role: string(role), Pseudonym: f.Pseudonym(actor)}
	if role == care.Patient || role == care.Companion {
		p.Kind = string(role)
	} else {
		p.Name = names[care.StaffID(actor)]
	}
	return p
}

func (f *face) alarm(ctx context.Context, names map[care.StaffID]string, a Alarm) alarmBody {
	b := alarmBody{
		ID: a.ID, Kind: a.Kind, Person: f.person(names, a.Actor, a.Role), BeganAt: a.Began, RaisedAt: a.Raised, LastAt: a.Last,
		Refusals: a.Refusals, Objects: a.Objects, Areas: a.Areas, State: string(Open), Own: a.Actor == authz.From(ctx).ID(),
	}
	if !a.SettledAt.IsZero() {
		b.State, b.SettledAt, b.SettledBy, b.Reason = string(Settled), &a.SettledAt, names[a.SettledBy], a.Reason
	}
	return b
}

type alarmsIn struct {
	State  string `query:"state" enum:"open,settled" doc:"both when empty"`
	Before string `query:"before" maxLength:"36" doc:"next of the page before"`
}

type alarmsOut struct {
	Body struct {
		Items []alarmBody `json:"items"`
		Open  int64       `json:"open" doc:"alarms that nobody has settled"`
		Next  string      `json:"next,omitempty" doc:"there is more: ask with before"`
	}
}

func (f *face) getAlarms(ctx context.Context, in *alarmsIn) (*alarmsOut, error) {
	if in.Before != "" && !care.ValidID(in.Before) {
		return nil, fault.Fields(fault.Field{Name: "before", Code: "not-a-choice"})
	}
	list, open, err := f.Alarms(ctx, AlarmQuery{State: State(in.State), Before: in.Before, Limit: pageSize + 1})
	if err != nil {
		return nil, err
	}
	names, err := f.names(ctx)
	if err != nil {
		return nil, err
	}
	out := &alarmsOut{}
	out.Body.Items, out.Body.Open = []alarmBody{}, open
	for i, a := range list {
		if i == pageSize {
			out.Body.Next = list[i-1].ID
			break
		}
		out.Body.Items = append(out.Body.Items, f.alarm(ctx, names, a))
	}
	return out, nil
}

type byID struct {
	ID string `path:"id"`
}

type alarmOut struct{ Body alarmBody }

func (f *face) getAlarm(ctx context.Context, in *byID) (*alarmOut, error) {
	a, err := f.Alarm(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return f.detail(ctx, a)
}

// detail names the person, a patient too: the clinic must reach them.
func (f *face) detail(ctx context.Context, a Alarm) (*alarmOut, error) {
	names, err := f.names(ctx)
	if err != nil {
		return nil, err
	}
	out := &alarmOut{f.alarm(ctx, names, a)}
	patient, err := f.patientOf(ctx, a)
	if err != nil || patient == "" {
		return out, err
	}
	name, err := f.People.PatientName(ctx, patient)
	if a.Role == care.Companion {
		out.Body.Person.Beside = name
	} else {
		out.Body.Person.Name = name
	}
	if fault.KindOf(err) == fault.NotFound {
		err = nil
	}
	return out, err
}

type settleIn struct {
	ID   string `path:"id"`
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"1000" doc:"what was found and done"`
	}
}

func (f *face) postSettle(ctx context.Context, in *settleIn) (*alarmOut, error) {
	a, err := f.Settle(ctx, in.ID, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return f.detail(ctx, a)
}

type refusalsIn struct {
	Person string `query:"person" maxLength:"36" doc:"id of a person; everybody when empty"`
	Alarm  string `query:"alarm" maxLength:"36" doc:"those of one alarm: its person, from its beginning to its end"`
	From   string `query:"from" maxLength:"10" doc:"first day, YYYY-MM-DD"`
	Until  string `query:"until" maxLength:"10" doc:"last day, included"`
	Before string `query:"before" maxLength:"36" doc:"next of the page before"`
}

type refusalBody struct {
	ID      string     `json:"id"`
	At      time.Time  `json:"at"`
	Person  personBody `json:"person"`
	Action  string     `json:"action"`
	Area    string     `json:"area" doc:"kind of what was refused"`
	Ref     string     `json:"ref,omitempty" doc:"end of its number"`
	Reason  string     `json:"reason" doc:"code of the refusal"`
	Count   int        `json:"count"`
	Objects int        `json:"objects,omitempty" doc:"different ones, in a sum"`
	Refs    []string   `json:"refs,omitempty" doc:"ends of the numbers of what was tried, in a sum: those that no line before tells of, at most 200"`
	Missing int        `json:"missing,omitempty" doc:"different ones that the list leaves out: it is incomplete"`
}

type refusalsOut struct {
	Body struct {
		Items []refusalBody `json:"items"`
		Next  string        `json:"next,omitempty" doc:"there is more: ask with before"`
	}
}

func (f *face) getRefusals(ctx context.Context, in *refusalsIn) (*refusalsOut, error) {
	q, err := f.query(ctx, in)
	if err != nil {
		return nil, err
	}
	list, err := f.Refusals(ctx, q)
	if err != nil {
		return nil, err
	}
	names, err := f.names(ctx)
	if err != nil {
		return nil, err
	}
	out := &refusalsOut{}
	out.Body.Items = []refusalBody{}
	for i, l := range list {
		if i == pageSize {
			out.Body.Next = list[i-1].ID
			break
		}
		out.Body.Items = append(out.Body.Items, f.refusal(names, l))
	}
	return out, nil
}

func (f *face) refusal(names map[care.StaffID]string, l audit.Line) refusalBody {
	b := refusalBody{ID: l.ID, At: l.At, Person: f.person(names, l.Actor, l.Role), Action: string(l.Action), Reason: l.Detail["reason"], Count: 1}
	var id string
	b.Area, id, _ = strings.Cut(l.Object, "/")
	b.Ref = end(id)
	for _, target := range strings.Fields(l.Detail["targets"]) {
		b.Refs = append(b.Refs, end(target))
	}
	if n, err := strconv.Atoi(l.Detail["count"]); err == nil {
		b.Count = n
	}
	if n, err := strconv.Atoi(l.Detail["objects"]); err == nil {
		b.Objects = n
	}
	if n, err := strconv.Atoi(l.Detail["unlisted"]); err == nil {
		b.Missing = n
	}
	return b
}

// end gives the part of a number that is shown.
func end(id string) string { return id[max(0, len(id)-6):] }

// query reads what is looked for.
func (f *face) query(ctx context.Context, in *refusalsIn) (Query, error) {
	q := Query{Person: in.Person, Before: in.Before, Limit: pageSize + 1}
	var problems []fault.Field
	for name, id := range map[string]string{"person": in.Person, "before": in.Before} {
		if id != "" && !care.ValidID(id) {
			problems = append(problems, fault.Field{Name: name, Code: "not-a-choice"})
		}
	}
	day := func(name, text string) time.Time {
		at, err := time.ParseInLocation(time.DateOnly, text, f.zone)
		if text != "" && err != nil {
			problems = append(problems, fault.Field{Name: name, Code: "not-a-date"})
		}
		return at
	}
	q.From = day("from", in.From)
	if q.Until = day("until", in.Until); !q.Until.IsZero() {
		q.Until = q.Until.AddDate(0, 0, 1)
	}
	if !q.From.IsZero() && !q.Until.IsZero() && !q.Until.After(q.From) {
		problems = append(problems, fault.Field{Name: "until", Code: "period-reversed"})
	}
	if err := fault.Fields(problems...); err != nil || in.Alarm == "" {
		return q, err
	}
	a, err := f.Alarm(ctx, in.Alarm)
	// A sum is written up to lastWait after what it tells.
	q.Person, q.From, q.Until = a.Actor, a.Began.Add(-time.Second), a.Last.Add(lastWait+2*writeEvery)
	return q, err
}

type peopleOut struct {
	Body struct {
		Items []personBody `json:"items"`
	}
}

func (f *face) getPeople(ctx context.Context, _ *struct{}) (*peopleOut, error) {
	if err := f.Table.Can(authz.From(ctx), "refusal.read", authz.Org); err != nil {
		return nil, err
	}
	names, err := f.names(ctx)
	out := &peopleOut{}
	out.Body.Items = []personBody{}
	for id, name := range names {
		out.Body.Items = append(out.Body.Items, personBody{ID: string(id), Kind: "staff", Name: name, Pseudonym: f.Pseudonym(string(id))})
	}
	slices.SortFunc(out.Body.Items, func(a, b personBody) int { return strings.Compare(a.Name, b.Name) })
	return out, err
}
