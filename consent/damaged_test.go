package consent

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

// TestDecide_DamagedRecords: whatever somebody with the database did to the
// records of an act or to their head, no writer adds to it and nothing is printed
// from it: each answers the refusal, stores nothing, and tells the operator.
func TestDecide_DamagedRecords(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		me, doctor := testkit.As(patient(zoe, anAct)), testkit.As(staff(care.Doctor, martin))
		if _, err := s.Decide(me, s.decision(care.ConsentRefused, Web)); err != nil {
			t.Fatal(err)
		}
		pool, err := h.DB.SQL()
		if err != nil {
			t.Fatal(err)
		}
		var old struct {
			state, hash, mac string
			seq, rev         int64
		}
		const head = "FROM consent_heads WHERE appointment_id = '" + string(anAct) + "'"
		if err := pool.QueryRow("SELECT seq, state, hash, rev, mac "+head).Scan(&old.seq, &old.state, &old.hash, &old.rev, &old.mac); err != nil {
			t.Fatal(err)
		}
		h.Clock.Advance(time.Minute)
		last, err := s.Decide(me, s.decision(care.ConsentGranted, Web))
		if err != nil {
			t.Fatal(err)
		}
		openConsents(t, h, pool)
		putBack := fmt.Sprintf("UPDATE consent_heads SET seq = %d, state = '%s', hash = '%s', rev = %d, mac = '%s'", old.seq, old.state, old.hash, old.rev, old.mac)
		for what, attack := range map[string][]string{
			"the head of before put back":           {putBack},
			"the head changed":                      {"UPDATE consent_heads SET state = 'withdrawn'"},
			"the head's MAC gone":                   {"UPDATE consent_heads SET mac = ''"},
			"the head deleted":                      {"DELETE FROM consent_heads"},
			"the last record deleted":               {"DELETE FROM consent_stamps", "DELETE FROM consents WHERE seq = 2"},
			"every record deleted":                  {"DELETE FROM consent_stamps", "DELETE FROM consents"},
			"the last record deleted, head too":     {"DELETE FROM consent_stamps", "DELETE FROM consents WHERE seq = 2", "DELETE FROM consent_heads"},
			"the state of the last record":          {"UPDATE consents SET state = 'withdrawn' WHERE seq = 2"},
			"the channel of the last record":        {"UPDATE consents SET channel = 'oral' WHERE seq = 2"},
			"the text of the last record":           {"UPDATE consents SET text_id = 'other' WHERE seq = 2"},
			"who decided":                           {"UPDATE consents SET by_role = 'doctor' WHERE seq = 2"},
			"the signature of the last record":      {"UPDATE consents SET jws = 'a..b' WHERE seq = 2"},
			"the last record moved to another act":  {"UPDATE consents SET appointment_id = '" + string(otherAct) + "' WHERE seq = 2"},
			"a record added without its head":       {"INSERT INTO consents SELECT 'x', appointment_id, patient_id, 3, state, purpose, text_id, version, language, sha256, channel, by_role, at, bundle, jws, 'x', ground FROM consents WHERE seq = 2"},
			"the records of the first and the last": {"UPDATE consents SET seq = 3 WHERE seq = 1", "UPDATE consents SET seq = 1 WHERE seq = 2", "UPDATE consents SET seq = 2 WHERE seq = 3"},
		} {
			undo := keep(t, pool, "consent_heads", "consents", "consent_stamps")
			for _, q := range attack {
				if res, err := pool.Exec(q); err != nil {
					t.Fatalf("%s: %v", what, err)
				} else if n, _ := res.RowsAffected(); n == 0 {
					t.Fatalf("%s changed nothing", what)
				}
			}
			count := func() (n int) {
				if err := pool.QueryRow("SELECT count(*) FROM consents").Scan(&n); err != nil {
					t.Fatal(err)
				}
				return n
			}
			before := count()
			h.DB.Findings()
			oral := s.decision(care.ConsentGranted, Oral)
			for writer, call := range map[string]func() error{
				"agree":    func() error { _, err := s.Decide(me, s.decision(care.ConsentGranted, Web)); return err },
				"refuse":   func() error { _, err := s.Decide(me, s.decision(care.ConsentRefused, Web)); return err },
				"aloud":    func() error { _, err := s.Decide(doctor, oral); return err },
				"withdraw": func() error { _, err := s.Withdraw(me, anAct, Screen{}); return err },
				"emergency": func() error {
					_, err := s.DecideEmergency(doctor, Urgent{AppointmentID: anAct, Situation: "unable", Reason: "Inconscient depuis dix minutes."})
					return err
				},
				"report": func() error {
					_, err := s.During(doctor, anAct, h.Clock.Now().Add(-time.Hour), h.Clock.Now())
					return err
				},
			} {
				err := call()
				if err == nil || fault.KindOf(err) != fault.Conflict {
					t.Errorf("%s, %s: %v", what, writer, err)
				}
			}
			// The head still names the genuine record: the agreement stands, and nothing is added to it.
			stands := what == "a record added without its head"
			if state, err := s.State(me, anAct); err != nil || state.AllowsMedia() != stands {
				t.Errorf("%s: the gate is open: %s %v", what, state, err)
			}
			if n := count(); n != before {
				t.Errorf("%s: %d records, there were %d", what, n, before)
			}
			if len(h.DB.Findings()) == 0 {
				t.Errorf("%s: nobody is told", what)
			}
			undo()
		}
		if again, err := s.Decide(me, s.decision(care.ConsentGranted, Web)); err != nil || again.ID != last.ID {
			t.Errorf("the honest records at the end: %v %v", again.ID, err)
		}
		if _, err := s.VerifyAll(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// openConsents lets SQL change records, as the owner of the tables can.
func openConsents(t *testing.T, h *testkit.House, pool *sql.DB) {
	t.Helper()
	statements := []string{"ALTER TABLE consents DISABLE TRIGGER USER", "ALTER TABLE consent_stamps DISABLE TRIGGER USER"}
	if h.DB.Dialect() == store.SQLite {
		statements = nil
		rows, err := pool.Query("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN ('consents', 'consent_stamps')")
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				t.Fatal(err)
			}
			statements = append(statements, "DROP TRIGGER "+name)
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, q := range statements {
		if _, err := pool.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
}

// keep copies tables, and gives what puts them back.
func keep(t *testing.T, pool *sql.DB, tables ...string) func() {
	t.Helper()
	run := func(q string) {
		t.Helper()
		if _, err := pool.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	for _, name := range tables {
		run("CREATE TABLE kept_" + name + " AS SELECT * FROM " + name)
	}
	return func() {
		t.Helper()
		for n := len(tables) - 1; n >= 0; n-- {
			run("DELETE FROM " + tables[n])
		}
		for _, name := range []string{"consents", "consent_stamps", "consent_heads"} {
			run("INSERT INTO " + name + " SELECT * FROM kept_" + name)
			run("DROP TABLE kept_" + name)
		}
	}
}
