package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"visavis/internal/config"
	"visavis/internal/testkit"
)

// TestTwoRoles_BookingToSignature: with an owner role for the migrations and an
// application role to serve, on an empty PostgreSQL, the whole program books,
// admits, signs and verifies; started again with the address of the application
// role alone it goes on; that role changes and deletes no audit row; check says
// which role may do what.
func TestTwoRoles_BookingToSignature(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the program: not in -short")
	}
	t.Parallel()
	owner, app := testkit.TwoRoles(t)
	r := newRig(t, app, "", "DATABASE_OWNER_URL="+owner)
	free := r.slots("martin")
	r.home().Post("/api/appointments", r.booking(free[0], 1), testkit.Key("0190b5c0-0000-7000-8000-000000000001")).Want(201)
	s := &spy{witness: &witness{rig: r, doctor: r.staff(account("MARTIN"))}}
	if signed := s.papers(0); len(signed) != 4 {
		t.Fatalf("%d documents", len(signed))
	}
	pool, err := sql.Open("pgx", app)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for _, q := range []string{
		"DELETE FROM audit", "UPDATE audit SET outcome = 'refused'", "TRUNCATE audit", "DELETE FROM audit_hashes", "DELETE FROM audit_heads", "DROP TRIGGER audit_delete ON audit",
		"ALTER TABLE audit ADD COLUMN x integer", "CREATE TABLE x (id integer)", "ALTER TABLE river_job ADD COLUMN x integer",
	} {
		if _, err := pool.Exec(q); err == nil {
			t.Errorf("NOT REFUSED while the program serves: %s", q)
		}
	}
	if out, _ := r.say("check"); !strings.Contains(out, "✓  database roles") {
		t.Errorf("check of two roles: %s", out)
	}
	r.kill()

	r.env = append(r.env, "DATABASE_OWNER_URL=") // a process that serves need not know the owner
	r.start()
	s.doctor = r.staff(account("MARTIN"))
	s.papers(2)
	r.kill()
	if out := r.verify(); !strings.Contains(out, "every one as it was written") {
		t.Errorf("verify: %s", out)
	}
	if out, _ := r.say("check"); !strings.Contains(out, "✓  database roles") {
		t.Errorf("check without the owner: %s", out)
	}

	r.env = append(r.env, "DATABASE_URL="+owner)
	if out, _ := r.say("check"); !strings.Contains(out, "–  database roles: not configured: one role, ") || !strings.Contains(out, "can delete audit rows") {
		t.Errorf("check of one role: %s", out)
	}
	r.env = append(r.env, "DATABASE_OWNER_URL="+owner)
	if out, _ := r.say("check"); !strings.Contains(out, "✗  database roles: DATABASE_OWNER_URL is set, and the role ") {
		t.Errorf("check of one role for both: %s", out)
	}
}

// TestTwoRoles_Migrate: the application role cannot create the schema, and the error
// names the command to run. After migrate as the owner, it can serve.
func TestTwoRoles_Migrate(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the program: not in -short")
	}
	t.Setenv("DATABASE_OWNER_URL", "")
	owner, app := testkit.TwoRoles(t)
	r := &rig{t: t, dir: t.TempDir(), database: app}
	r.env = []string{asMain + "=1", "VISAVIS_DATA=" + r.dir, "DATABASE_URL=" + app}
	if out, err := r.say("migrate"); err == nil || !strings.Contains(out, "run visavis migrate with DATABASE_OWNER_URL") {
		t.Fatalf("migrate as the application role: %v %s", err, out)
	}
	r.env = append(r.env, "DATABASE_OWNER_URL="+owner)
	r.must("migrate")
	r.must("migrate") // again: nothing to do
	r.env = append(r.env, "DATABASE_OWNER_URL=")
	if out := r.must("migrate"); !strings.Contains(out, "schema up to date") {
		t.Error(out)
	}
	for _, setting := range environment(config.RoleMedia) {
		if strings.HasPrefix(setting, "DATABASE_OWNER_URL") {
			t.Errorf("a media role gets %s", setting)
		}
	}
	pool, err := sql.Open("pgx", owner)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec("DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)"); err != nil {
		t.Fatal(err)
	}
	if out, err := r.say("verify"); err == nil || !strings.Contains(out, "run visavis migrate with DATABASE_OWNER_URL") {
		t.Errorf("a schema that is not up to date: %v %s", err, out)
	}
	// A role without any right sees no content: the database must not look new.
	if _, err := pool.Exec("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM " + app[strings.LastIndex(app, "=")+1:]); err != nil {
		t.Fatal(err)
	}
	r.dir = t.TempDir()
	r.env = append(r.env, "VISAVIS_DATA="+r.dir)
	if out, err := r.say("migrate"); err == nil || !strings.Contains(out, "permission denied for table goose_db_version") || !strings.Contains(out, "run visavis migrate with DATABASE_OWNER_URL") {
		t.Errorf("a role without rights: %v %s", err, out)
	}
	if _, err := os.Stat(filepath.Join(r.dir, "keys")); err == nil {
		t.Error("a key was made for a database that is in use")
	}
}
