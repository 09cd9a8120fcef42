package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"visavis/internal/store"
	"visavis/internal/testkit"
)

// cut is a change of the log with nobody asking; the program is stopped or not.
func (h *hostile) cut(what string, rows []saved, do func()) {
	h.t.Helper()
	do()
	h.found(what, answered{}, answered{})
	for _, s := range slices.Backward(rows) {
		s.putBack()
	}
}

// unnumbered deletes an entry in the second before it has a number, while the
// program runs: a doctor's look into a file leaves no trace.
func (h *hostile) unnumbered() {
	read := "/api/encounters/" + h.act
	var taken saved
	testkit.Eventually(h.t, 20*time.Second, "an entry is deleted before it has a number", func() bool {
		h.doctor.Get(read).Want(200)
		taken = h.save("audit", "seq IS NULL AND object = ?", "encounter/"+h.act)
		return len(taken.rows) > 0 && h.exec("DELETE FROM audit WHERE seq IS NULL AND id = ?", taken.value("id")) == 1
	})
	id := taken.value("id").(string)
	h.told = append(h.told, "audit/"+id)
	h.wasTold()
	h.found("an entry deleted before it had a number (the program runs)", answered{}, answered{})
	taken.where, taken.args = "id = ?", []any{id}
	taken.rows = taken.rows[:1]
	taken.putBack()
}

// stopped changes the log of a program that was killed.
func (h *hostile) stopped() {
	h.doctor.Get("/api/encounters/" + h.act).Want(200)
	h.kill()
	if out, err := h.verification(); err != nil {
		h.t.Fatalf("before the log is touched: %v\n%s", err, out)
	}
	whole := func() []saved {
		return []saved{h.save("audit", "seq >= 0"), h.save("audit_hashes", "idx >= 0"), h.save("audit_heads", "size >= 0")}
	}
	size := func(query string) int64 {
		n, err := strconv.ParseInt(h.text(query), 10, 64)
		if err != nil {
			h.t.Fatal(err)
		}
		return n
	}
	// to cuts the log to an older head, whole and signed as it was then.
	to := func(n int64) {
		h.change("DELETE FROM audit WHERE seq >= ?", n)
		h.change("DELETE FROM audit_heads WHERE size > ?", n)
		hashes := 2 * n
		for left := n; left > 0; left &= left - 1 {
			hashes--
		}
		h.change("DELETE FROM audit_hashes WHERE idx >= ?", hashes)
	}
	newest := size("SELECT CAST(max(size) AS TEXT) FROM audit_heads")
	before := size("SELECT CAST(max(size) AS TEXT) FROM audit_heads WHERE size < (SELECT max(size) FROM audit_heads)")
	first := size("SELECT CAST(min(size) AS TEXT) FROM audit_heads")
	row := func(seq int64) saved { return h.save("audit", "seq = ?", seq) }
	some := newest / 2
	everything := whole()
	h.cut("the newest entries, with hashes and heads", everything, func() { to(before) })
	h.cut("the day's entries, with hashes and heads", everything, func() { to(first) })
	h.cut("every entry, hash and head", everything, func() {
		for _, table := range []string{"audit", "audit_hashes", "audit_heads"} {
			h.change("DELETE FROM " + table)
		}
	})
	h.cut("one entry deleted", []saved{row(some)}, func() { h.change("DELETE FROM audit WHERE seq = ?", some) })
	h.cut("an entry rewritten", []saved{row(some)}, func() { h.change("UPDATE audit SET actor = 'somebody else' WHERE seq = ?", some) })
	h.cut("an entry rewritten, and its hash", []saved{row(some), h.save("audit_hashes", "idx = ?", 2*some)}, func() {
		h.change("UPDATE audit SET outcome = 'refused' WHERE seq = ?", some)
		h.change("UPDATE audit_hashes SET hash = ? WHERE idx = ?", bytes.Repeat([]byte{1}, 32), 2*some)
	})
	h.cut("a head deleted", []saved{h.save("audit_heads", "size = ?", newest)}, func() { h.change("DELETE FROM audit_heads WHERE size = ?", newest) })
	late := row(newest - 1)
	h.cut("an entry rewritten before it has a number", everything, func() {
		to(before)
		late.copyRow(map[string]any{"seq": nil, "actor": "somebody else"})
	})
	h.deletedRows()
}

// deletedRows takes a row of each table that is counted away, where no other row
// needs it.
func (h *hostile) deletedRows() {
	rules, err := store.TableRules()
	if err != nil {
		h.t.Fatal(err)
	}
	tried := 0
	for _, r := range rules {
		if !r.Counted {
			continue
		}
		all := h.save(r.Table, "1 = 1")
		for n := range all.rows {
			one := all
			one.rows = all.rows[n : n+1]
			var where []string
			var key []any
			for _, k := range r.Key {
				where, key = append(where, k+" = ?"), append(key, one.value(k))
			}
			if _, err := h.pool.Exec(h.numbered("DELETE FROM "+r.Table+" WHERE "+strings.Join(where, " AND ")), key...); err != nil {
				continue // another table names it: the database refuses
			}
			h.found("a row of "+r.Table+" deleted", answered{}, answered{})
			one.copyRow(nil)
			tried++
			break
		}
	}
	if tried < 10 {
		h.t.Errorf("rows of %d tables were deleted: the test proves little", tried)
	}
}

// restarted puts old rows back after a restart, and deletes the entries of the log
// that would tell.
func (h *hostile) restarted() {
	forget := func(object string) saved {
		told := h.save("audit", "object = ? AND version > 0", object)
		if len(told.rows) == 0 {
			h.t.Fatalf("no entry tells a later version of %s", object)
		}
		return told
	}
	h.rig.start()
	for _, x := range []struct {
		what string
		old  saved
		ask  func() answered
	}{
		{"an ended session", h.ended, get(h.client().With(h.endedToken), "/api/appointments/"+h.ended.value("appointment_id").(string)+"/consent")},
		{"a revoked link", h.revoked, h.opens(h.revokedToken)},
		{"the head before a withdrawal", h.withdrawn, nil},
	} {
		key := x.old.rows[0][0].(string)
		object := x.old.table + "/" + key
		told := forget(object)
		if x.ask == nil {
			x.ask = func() answered {
				a := h.patients[0].Get("/api/appointments/" + h.appointment + "/consent").Want(200)
				if bytes.Contains(a.Body, []byte(`"status":"granted"`)) {
					return of(a)
				}
				return answered{404, "(200, no agreement)"}
			}
		}
		h.try(forgery{what: x.what + " put back after a restart, its entry deleted", object: object, ask: x.ask,
			rows: []saved{h.save(x.old.table, x.old.names[0]+" = ?", key), told},
			do: func() {
				h.change("DELETE FROM audit WHERE object = ? AND version > 0", object)
				x.old.putBack()
			}})
	}
	h.wasTold()
	h.kill()
	if out, err := h.say("verify"); err != nil {
		h.t.Errorf("the honest database: %v\n%s", err, out)
	}
	if raw, err := os.ReadFile(filepath.Join(h.dir, "visavis.log")); err == nil && strings.Contains(string(raw), "panic") {
		h.t.Error("the program panicked")
	}
}
