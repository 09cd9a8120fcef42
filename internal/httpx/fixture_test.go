package httpx_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/httpx"
	"visavis/internal/limit"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

// The routes of the tests borrow actions of the table: httpx does not care
// what an action means.
const (
	anybody authz.Action = "specialty.list"
	ownOnly authz.Action = "report.write" // a doctor's own; nobody else's
)

type form struct {
	Body struct {
		Name  string    `json:"name" minLength:"2" maxLength:"10"`
		Day   string    `json:"day,omitempty" format:"date"`
		Email string    `json:"email,omitempty" format:"email"`
		Kind  string    `json:"kind,omitempty" enum:"a,b"`
		Count int       `json:"count,omitempty" minimum:"1" maximum:"9"`
		At    time.Time `json:"at,omitempty"`
		Lines []struct {
			Dose string `json:"dose" minLength:"1"`
		} `json:"lines,omitempty" maxItems:"2"`
		Phone string `json:"phone,omitempty" pattern:"^[0-9]+$"`
	}
}

type echo struct {
	Body struct {
		Name string `json:"name"`
		N    int64  `json:"n"`
		Lang string `json:"lang"`
	}
}

// site is a server with routes that behave in every way a module's can.
type site struct {
	h       *testkit.House
	s       *httpx.Server
	effects atomic.Int64 // runs of the handler of /api/once
	refused atomic.Value // what /api/refused answers, a refusal
	taken   atomic.Int64 // what calls of /api/once were admitted for and was not given back
}

func newSite(t testing.TB, h *testkit.House) *site {
	t.Helper()
	doctor := authz.Actor{Role: care.Doctor, StaffID: "d1", SessionID: "s1", Level: authz.LevelPSC}
	other := authz.Actor{Role: care.Doctor, StaffID: "d2", SessionID: "s2", Level: authz.LevelPSC}
	patient := authz.Actor{Role: care.Patient, PatientID: "p1", SessionID: "s3", Level: authz.LevelLink}
	s := &site{h: h, s: h.Server(t, testkit.Actors{"doctor": doctor, "other": other, "patient": patient})}
	pool, err := h.DB.SQL()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec("CREATE TABLE effects (actor TEXT NOT NULL, name TEXT NOT NULL)"); err != nil {
		t.Fatal(err)
	}
	s.routes()
	return s
}

func (s *site) routes() {
	op := func(method, path string, a authz.Action) httpx.Op {
		return httpx.Op{Method: method, Path: path, Action: a, ID: method + " " + path, Summary: "test", Tag: "test"}
	}
	httpx.Handle(s.s, op("POST", "/api/form", anybody), func(ctx context.Context, in *form) (*echo, error) {
		out := &echo{}
		out.Body.Name, out.Body.Lang = in.Body.Name, string(httpx.Language(ctx))
		return out, nil
	})
	httpx.Handle(s.s, op("GET", "/api/faults/{kind}", anybody), fail)
	httpx.Handle(s.s, op("GET", "/api/refused", anybody), func(context.Context, *struct{}) (*echo, error) { return nil, s.refused.Load().(refusal).error })
	httpx.Handle(s.s, op("GET", "/api/panic", anybody), func(context.Context, *struct{}) (*echo, error) { panic("Mme Durand, angine") })
	httpx.Handle(s.s, op("GET", "/api/own/{id}", ownOnly), func(_ context.Context, in *struct {
		ID string `path:"id"`
	}) (*echo, error) {
		switch in.ID {
		case "mine":
			return &echo{}, nil
		case "somebody-elses":
			return nil, fault.Missing().Because(errors.New("belongs to d2"))
		default:
			return nil, fault.Missing()
		}
	})
	httpx.Handle(s.s, op("GET", "/api/query", anybody), func(_ context.Context, in *struct {
		Day  string `query:"day" format:"date" required:"true"`
		Days int    `query:"days" default:"14" minimum:"1" maximum:"31"`
	}) (*echo, error) {
		return &echo{}, nil
	})
	limited := op("POST", "/api/limited", anybody)
	limited.Limit = limit.Rule{Name: "test", Burst: 2, Every: time.Minute}
	httpx.Handle(s.s, limited, func(context.Context, *struct{}) (*struct{}, error) { return nil, nil })
	once := op("POST", "/api/once", ownOnly)
	once.Once, once.Status = true, http.StatusCreated
	once.Admit = func(_ context.Context, in any) (func(), error) {
		if in.(*form).Body.Name == "barred" {
			return nil, fault.New(fault.Conflict, "changed-meanwhile")
		}
		s.taken.Add(1)
		return func() { s.taken.Add(-1) }, nil
	}
	httpx.Handle(s.s, once, s.once)
	s.s.Mount("GET", "/raw", ownOnly, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "raw") })
	s.s.Fallback(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "the web app") })
}

// refusal lets faults of several types be one atomic value.
type refusal struct{ error }

func (s *site) refuse(err error) { s.refused.Store(refusal{err}) }

// fail answers one fault of each kind, with a cause that nobody may read.
func fail(_ context.Context, in *struct {
	Kind string `path:"kind"`
}) (*echo, error) {
	cause := errors.New("pq: secret cause")
	for kind, err := range map[string]error{
		"plain":       cause,
		"internal":    fault.New(fault.Internal, "internal").Because(cause),
		"missing":     fault.Missing().Because(cause),
		"denied":      fault.Denied().Because(cause),
		"conflict":    fault.New(fault.Conflict, "changed-meanwhile").Because(cause),
		"gone":        fault.New(fault.Gone, "record-destroyed").Because(cause),
		"throttled":   fault.New(fault.Throttled, "throttled").With("seconds", "42").Because(cause),
		"unavailable": fault.New(fault.Unavailable, "database-unavailable").Because(cause),
		"fields":      fault.Fields(fault.Field{Name: "lines[0].dose", Code: "required"}, fault.Field{Name: "day", Code: "not-a-date"}),
		"wrapped":     fmt.Errorf("service: %w", fault.New(fault.Unauthenticated, "sign-in")),
	} {
		if kind == in.Kind {
			return nil, err
		}
	}
	return nil, fault.Missing()
}

// once has one effect in the database each time it commits.
func (s *site) once(ctx context.Context, in *form) (*echo, error) {
	n := s.effects.Add(1)
	if in.Body.Name == "refused" {
		return nil, fault.New(fault.Conflict, "changed-meanwhile")
	}
	err := s.h.DB.Tx(ctx, func(_ context.Context, tx *store.Tx) error {
		return tx.G().Exec("INSERT INTO effects (actor, name) VALUES (?, ?)", authz.From(ctx).ID(), in.Body.Name).Error
	})
	if in.Body.Name == "broken" {
		return nil, errors.New("after its effect")
	}
	out := &echo{}
	out.Body.Name, out.Body.N = in.Body.Name, n
	return out, err
}

func (s *site) count(t *testing.T) (n int) {
	t.Helper()
	err := s.h.DB.Read(context.Background(), func(_ context.Context, tx *store.Tx) error {
		return tx.G().Raw("SELECT count(*) FROM effects").Scan(&n).Error
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// lite is a site on SQLite, for what no database has a say in.
func lite(t *testing.T) (*site, *testkit.Client) {
	t.Helper()
	s := newSite(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	return s, testkit.HTTP(t, s.s.Handler())
}
