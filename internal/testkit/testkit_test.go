package testkit_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/httpx"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

func TestHouseDeliversAndVerifies(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		got := 0
		h.Bus.On(events.AppointmentBooked, "test.booked", func(ctx context.Context, tx *store.Tx, e events.Event) error {
			got++
			return nil
		})
		ctx := testkit.As(authz.Actor{Role: care.Doctor, StaffID: care.StaffID(care.NewID(h.Clock.Now()))})
		err := h.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
			if err := h.Audit.Append(ctx, tx, audit.Entry{Action: "appointment.book", Object: "appointment/1", Patient: "p", Detail: map[string]string{"a": "b"}}); err != nil {
				return err
			}
			return h.Bus.Publish(ctx, tx, events.AppointmentBooked, "1", events.Appointment{})
		})
		if err != nil {
			t.Fatal(err)
		}
		h.Deliver(t)
		if got != 1 {
			t.Errorf("%d deliveries, want 1", got)
		}
	})
}

func TestEachTestHasItsOwnDatabase(t *testing.T) {
	for range 2 {
		testkit.Stores(t, func(t *testing.T, db *store.DB) {
			pool, err := db.SQL()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := pool.Exec("CREATE TABLE mine (x BIGINT)"); err != nil {
				t.Error("another test's table is here:", err)
			}
		})
	}
}

func TestRedisStopsAndComesBack(t *testing.T) {
	s, c := testkit.Redis(t)
	ctx := context.Background()
	if err := c.Set(ctx, "a", "b", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := c.Get(ctx, "a").Err(); err == nil {
		t.Error("a stopped server answered")
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	resume := s.Hang(t)
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if err := c.Ping(short).Err(); err == nil {
		t.Error("a hanging server answered")
	}
	resume()
	if err := c.Ping(ctx).Err(); err != nil {
		t.Error(err)
	}
}

func TestClientKeepsTheSessionCookie(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /in", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Sec-Fetch-Site") != "same-origin" || !care.ValidID(r.Header.Get("Idempotency-Key")) {
			w.WriteHeader(400)
		}
		k := httpx.SessionCookie("secret")
		http.SetCookie(w, &k)
	})
	mux.HandleFunc("GET /me", func(w http.ResponseWriter, r *http.Request) {
		if k, err := r.Cookie(httpx.CookieName); err != nil || k.Value != "secret" {
			w.WriteHeader(401)
		}
	})
	c := testkit.HTTP(t, mux)
	c.Get("/me").Want(401)
	c.Post("/in", map[string]string{}).Want(200)
	c.Get("/me").Want(200)
	c.Fresh().Get("/me").Want(401)
}
