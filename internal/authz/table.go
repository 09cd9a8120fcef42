package authz

import (
	_ "embed"
	"fmt"
	"strings"

	"visavis/internal/care"
	"visavis/internal/fault"
)

// Action names one thing that can be done; every route has exactly one.
type Action string

// Relation is what ties the actor to a record.
type Relation byte

// The relations, from the closest. A record has one relation to an actor: the
// closest that holds.
const (
	Own   Relation = 'o' // the patient's own; the professional's own act
	Team  Relation = 't' // takes part in the act: care team of this encounter
	Org   Relation = 'g' // same organisation, not in the act
	Other Relation = 'x' // somebody else's
	None  Relation = '-' // about no record at all: public or personal routes
)

// Roles are the columns of the table, in order.
var Roles = [...]care.Role{care.Anonymous, care.Patient, care.Companion, care.Doctor, care.Nurse, care.Pharmacist, care.Secretary, care.Admin}

//go:embed table.tsv
var source string

type row struct {
	level      map[care.Role]Level
	allowed    map[care.Role]string
	capability Capability // that every actor needs; 0: none
}

// Table is the parsed authorisation table.
type Table struct{ rows map[Action]row }

// Load parses the embedded table; an error names its line.
func Load() (*Table, error) { return parse(source) }

func parse(text string) (*Table, error) {
	t := &Table{rows: map[Action]row{}}
	for n, line := range strings.Split(text, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		cols := strings.Fields(line)
		if len(cols) != 1+len(Roles) {
			return nil, fmt.Errorf("authz: table.tsv:%d: %d columns, want %d", n+1, len(cols), 1+len(Roles))
		}
		r := row{level: map[care.Role]Level{}, allowed: map[care.Role]string{}}
		for i, role := range Roles {
			cell, code, _ := strings.Cut(cols[1+i], "+")
			capability, known := ParseCapability(code)
			if strings.Trim(cell, "otgx-.") != "" || (code != "" && code != "code" && !known) {
				return nil, fmt.Errorf("authz: table.tsv:%d: cell %q", n+1, cols[1+i])
			}
			r.allowed[role] = strings.ReplaceAll(cell, ".", "")
			r.capability |= capability
			if code == "code" {
				r.level[role] = LevelCode
			}
		}
		if _, dup := t.rows[Action(cols[0])]; dup {
			return nil, fmt.Errorf("authz: table.tsv:%d: %s again", n+1, cols[0])
		}
		t.rows[Action(cols[0])] = r
	}
	return t, nil
}

// Actions lists the actions of the table, unordered.
func (t *Table) Actions() []Action {
	out := make([]Action, 0, len(t.rows))
	for a := range t.rows {
		out = append(out, a)
	}
	return out
}

// Known tells whether the table has the action.
func (t *Table) Known(a Action) bool { _, ok := t.rows[a]; return ok }

// May answers a route before anything is read: does this role have the action
// in any relation, at this level? It refuses as Unauthenticated, Forbidden
// (a second factor or a capability is missing) or, for a role that never does
// this, NotFound.
func (t *Table) May(a Actor, act Action) error {
	return t.decide(a, act, func(allowed string) bool { return allowed != "" })
}

// Can answers for one record: the relation must be in the actor's cell. What
// may not be seen is refused as NotFound, byte for byte like what is absent.
func (t *Table) Can(a Actor, act Action, rel Relation) error {
	return t.decide(a, act, func(allowed string) bool { return strings.IndexByte(allowed, byte(rel)) >= 0 })
}

func (t *Table) decide(a Actor, act Action, ok func(allowed string) bool) error {
	if a.Role == care.System {
		return nil
	}
	r, known := t.rows[act]
	if !known {
		return fmt.Errorf("authz: action %s is not in the table", act)
	}
	if r.capability&^a.Capabilities != 0 && a.Role != care.Anonymous {
		return fault.New(fault.Forbidden, "capability-needed")
	}
	if !ok(r.allowed[a.Role]) {
		if a.Role == care.Anonymous {
			return fault.New(fault.Unauthenticated, "sign-in")
		}
		return fault.Missing()
	}
	if a.Level < r.level[a.Role] {
		return fault.New(fault.Forbidden, "code-needed")
	}
	return nil
}
