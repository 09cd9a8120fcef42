package httpx_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

func key() string { return care.NewID(time.Now()) }

// sites runs a test on both databases.
func sites(t *testing.T, test func(t *testing.T, s *site, doctor, other *testkit.Client)) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s := newSite(t, h)
		c := testkit.HTTP(t, s.s.Handler())
		test(t, s, c.With("doctor"), c.With("other"))
	})
}

// TestOneKeyOneEffect is D10: fifty requests at once with one key have one
// effect and get the same answer.
func TestOneKeyOneEffect(t *testing.T) {
	sites(t, func(t *testing.T, s *site, doctor, other *testkit.Client) {
		k := testkit.Key(key())
		var g sync.WaitGroup
		answers := make([]*testkit.Answer, 50)
		for i := range answers {
			g.Go(func() {
				a, err := doctor.Try("POST", "/api/once", `{"name":"Jo"}`, k)
				if err != nil {
					t.Error(err)
					return
				}
				answers[i] = a
			})
		}
		g.Wait()
		for _, a := range answers {
			if a == nil || a.Status != 201 || string(a.Body) != string(answers[0].Body) {
				t.Fatalf("answers differ: %v\n%v", a, answers[0])
			}
		}
		if n := s.count(t); n != 1 {
			t.Errorf("%d effects", n)
		}
		// Later, and after a restart of the whole server, still the same.
		again := newAgain(t, s).With("doctor").Post("/api/once", `{"name":"Jo"}`, k).Want(201)
		if string(again.Body) != string(answers[0].Body) || s.count(t) != 1 {
			t.Errorf("after a restart: %s, %d effects", again.Body, s.count(t))
		}
		p := doctor.Post("/api/once", `{"name":"Jean"}`, k).Problem(422, "idempotency-key-reused")
		if strings.Contains(p.Detail, "Jo") || s.count(t) != 1 {
			t.Errorf("a changed body: %+v, %d effects", p, s.count(t))
		}
		// Another actor's key is another key.
		other.Post("/api/once", `{"name":"Jean"}`, k).Want(201)
		if n := s.count(t); n != 2 {
			t.Errorf("%d effects", n)
		}
	})
}

// newAgain makes a second server on the database of s, as after a restart.
func newAgain(t *testing.T, s *site) *testkit.Client {
	t.Helper()
	twin := &site{h: s.h, s: s.h.Server(t, testkit.Actors{"doctor": {Role: care.Doctor, StaffID: "d1", Level: 3}})}
	twin.routes()
	return testkit.HTTP(t, twin.s.Handler())
}

func TestManyKeysManyEffects(t *testing.T) {
	sites(t, func(t *testing.T, s *site, doctor, _ *testkit.Client) {
		var g sync.WaitGroup
		for range 30 {
			g.Go(func() {
				if a, err := doctor.Try("POST", "/api/once", `{"name":"Jo"}`); err != nil || a.Status != 201 {
					t.Errorf("%v %v", a, err)
				}
			})
		}
		g.Wait()
		if n := s.count(t); n != 30 {
			t.Errorf("%d effects", n)
		}
	})
}

// TestARefusalIsNotKept: what failed may be tried again with the same key, and
// left nothing.
func TestARefusalIsNotKept(t *testing.T) {
	sites(t, func(t *testing.T, s *site, doctor, _ *testkit.Client) {
		k := testkit.Key(key())
		doctor.Post("/api/once", `{"name":"refused"}`, k).Problem(409, "changed-meanwhile")
		doctor.Post("/api/once", `{"name":"broken"}`, k).Problem(500, "internal")
		doctor.Post("/api/once", `{"name":"x"}`, k).Problem(422, "fields")
		if n := s.count(t); n != 0 {
			t.Errorf("%d effects of failed requests", n)
		}
		doctor.Post("/api/once", `{"name":"Jo"}`, k).Want(201)
		if n := s.count(t); n != 1 {
			t.Errorf("%d effects", n)
		}
	})
}

func TestAKeyIsNeeded(t *testing.T) {
	s, c := lite(t)
	for _, bad := range []string{"", "1", "../../x", strings.ToUpper(key()), strings.Repeat("a", 10_000)} {
		c.With("doctor").Post("/api/once", `{"name":"Jo"}`, testkit.Key(bad)).Problem(400, "idempotency-key-needed")
	}
	if n := s.count(t); n != 0 {
		t.Errorf("%d effects", n)
	}
}

func TestKeysAreForgottenAfterADayAndSealed(t *testing.T) {
	sites(t, func(t *testing.T, s *site, doctor, _ *testkit.Client) {
		k := testkit.Key(key())
		doctor.Post("/api/once", `{"name":"Durand"}`, k).Want(201)
		rows := func() (n int, clear bool) {
			err := s.h.DB.Read(context.Background(), func(_ context.Context, tx *store.Tx) error {
				var bodies [][]byte
				err := tx.G().Raw("SELECT body FROM idempotency").Scan(&bodies).Error
				for _, b := range bodies {
					clear = clear || strings.Contains(string(b), "Durand")
				}
				n = len(bodies)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return n, clear
		}
		s.h.Clock.Advance(24*time.Hour - time.Second)
		if err := s.s.Sweep(context.Background()); err != nil {
			t.Fatal(err)
		}
		if n, clear := rows(); n != 1 || clear {
			t.Errorf("%d keys kept, answer in clear: %v", n, clear)
		}
		s.h.Clock.Advance(2 * time.Second)
		if err := s.s.Sweep(context.Background()); err != nil {
			t.Fatal(err)
		}
		if n, _ := rows(); n != 0 {
			t.Errorf("%d keys kept after a day", n)
		}
	})
}

// TestAdmit_GivenBack: a call that was admitted is counted once when it has its effect,
// and not at all when it is refused, breaks, or is answered from its key.
func TestAdmit_GivenBack(t *testing.T) {
	sites(t, func(t *testing.T, s *site, doctor, _ *testkit.Client) {
		k := key()
		for n, x := range []struct {
			name, key    string
			status, want int
		}{
			{"Jo", k, 201, 1}, {"Jo", k, 201, 1}, {"Jean", k, 422, 1}, {"refused", key(), 409, 1}, {"broken", key(), 500, 1}, {"barred", key(), 409, 1},
			{"Jo", "no key", 400, 1}, {"x", key(), 422, 1}, {"Jo", key(), 201, 2},
		} {
			doctor.Post("/api/once", `{"name":"`+x.name+`"}`, testkit.Key(x.key)).Want(x.status)
			if got := s.taken.Load(); got != int64(x.want) {
				t.Errorf("call %d, %s: %d are counted, want %d", n, x.name, got, x.want)
			}
		}
	})
}
