package clinic

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"visavis/identity"
	"visavis/internal/care"
	"visavis/internal/store"
	"visavis/scheduling"
)

// Desk is where files are applied to.
type Desk struct {
	DB     *store.DB
	People *identity.Service
	Agenda *scheduling.Service
}

// Verb says what happened to a thing.
type Verb string

// The verbs.
const (
	Created Verb = "created"
	Changed Verb = "changed"
	Left    Verb = "left"   // was so already
	Unnamed Verb = "absent" // not in the file, left as it is
)

// Change is what became of one organisation, person or plan.
type Change struct {
	Verb   Verb
	Kind   string // organization, plan, or the role of a person
	Key    string // FINESS, RPPS or national identifier
	Name   string
	Fields []string // that changed
}

// errRehearsal undoes the transaction of a rehearsal.
var errRehearsal = errors.New("rehearsal")

// Apply makes the database say what the file says, in one transaction: all of
// it or nothing. The file was read by Read, without a problem. A rehearsal does
// the same and undoes it.
func (d Desk) Apply(ctx context.Context, f File, rehearsal bool) ([]Change, error) {
	var a applying
	err := d.DB.Tx(ctx, func(ctx context.Context, _ *store.Tx) error {
		before, err := d.state(ctx)
		if err != nil {
			return err
		}
		a = applying{Desk: d, before: before, named: map[string]bool{}}
		for _, o := range f.Organizations {
			if err := a.organization(ctx, o); err != nil {
				return fmt.Errorf("organisation %s: %w", o.FINESS, err)
			}
		}
		a.unnamed()
		if rehearsal {
			return errRehearsal
		}
		return nil
	})
	if errors.Is(err, errRehearsal) {
		err = nil
	}
	return a.changes, err
}

// Show writes the present state as a file: applied, it changes nothing.
func (d Desk) Show(ctx context.Context) (File, error) {
	f := File{Version: Version, Organizations: []Organization{}}
	err := d.DB.Read(ctx, func(ctx context.Context, _ *store.Tx) error {
		sites, err := d.state(ctx)
		for _, s := range sites {
			f.Organizations = append(f.Organizations, s.Organization)
		}
		return err
	})
	return f, err
}

// site is an organisation as it is, with the ids of its people.
type site struct {
	Organization
	id    care.OrganizationID
	staff []care.StaffID
}

func (d Desk) state(ctx context.Context) ([]site, error) {
	all, err := d.People.Organizations(ctx)
	if err != nil {
		return nil, err
	}
	sites := make([]site, len(all))
	for i, o := range all {
		sites[i] = site{Organization: organizationOf(o), id: o.ID}
		people, err := d.People.Everybody(ctx, o.ID)
		if err != nil {
			return nil, err
		}
		for _, s := range people {
			p := personOf(s)
			plan, ok, err := d.Agenda.PlanOf(ctx, s.ID)
			if err != nil {
				return nil, err
			}
			if ok && s.Active && s.Role == care.Doctor {
				p.Plan = planOf(plan, o.Zone)
			}
			sites[i].Staff, sites[i].staff = append(sites[i].Staff, p), append(sites[i].staff, s.ID)
		}
	}
	return sites, nil
}

// applying is one run of Apply.
type applying struct {
	Desk
	before  []site
	named   map[string]bool // FINESS, and FINESS + " " + national identifier
	changes []Change
}

func (a *applying) organization(ctx context.Context, o Organization) error {
	want, err := o.domain().Clean()
	if err != nil {
		return err
	}
	var was *site
	for i := range a.before {
		if a.before[i].FINESS == o.FINESS {
			was = &a.before[i]
		}
	}
	a.named[o.FINESS] = true
	c := Change{Verb: Created, Kind: "organization", Key: o.FINESS, Name: want.Name}
	if was != nil {
		c.against(was.Organization, organizationOf(want), "Staff")
		want.ID = was.id
	}
	if c.Verb != Left {
		if want.ID, err = a.People.PutOrganization(ctx, want); err != nil {
			return err
		}
	}
	a.changes = append(a.changes, c)
	for _, p := range o.Staff {
		a.named[o.FINESS+" "+p.Key()] = true
		if err := a.person(ctx, want, was, p); err != nil {
			return fmt.Errorf("%s: %w", p.Key(), err)
		}
	}
	return nil
}

func (a *applying) person(ctx context.Context, o identity.Organization, at *site, p Person) error {
	want, err := p.domain().Clean()
	if err != nil {
		return err
	}
	want.Organization = o
	c := Change{Verb: Created, Kind: p.Role, Key: p.Key(), Name: want.DisplayName()}
	var was Person
	var id care.StaffID
	if at != nil {
		for i, known := range at.Staff {
			if known.Key() == p.Key() {
				was, id = known, at.staff[i]
				c.against(was, personOf(want), "Plan")
			}
		}
	}
	if c.Verb != Left {
		if id, err = a.People.PutStaff(ctx, want); err == nil && !want.Active {
			err = a.People.Dismiss(ctx, id)
		}
		if err != nil {
			return err
		}
	}
	a.changes = append(a.changes, c)
	if p.Plan == nil {
		return nil
	}
	plan, _ := p.Plan.domain(o.Zone)
	c = Change{Verb: Created, Kind: "plan", Key: p.Key(), Name: want.DisplayName()}
	if was.Plan != nil {
		before, _ := was.Plan.domain(at.Zone)
		c.against(*planOf(before, o.Zone), *planOf(plan, o.Zone), "")
	}
	if c.Verb != Left {
		if _, err := a.Agenda.SetPlan(ctx, id, plan); err != nil {
			return fmt.Errorf("plan: %w", err)
		}
	}
	a.changes = append(a.changes, c)
	return nil
}

// unnamed tells what the file does not speak of.
func (a *applying) unnamed() {
	for _, s := range a.before {
		if !a.named[s.FINESS] {
			a.changes = append(a.changes, Change{Verb: Unnamed, Kind: "organization", Key: s.FINESS, Name: s.Name})
		}
		for _, p := range s.Staff {
			if !a.named[s.FINESS+" "+p.Key()] {
				a.changes = append(a.changes, Change{Verb: Unnamed, Kind: p.Role, Key: p.Key(), Name: p.GivenName + " " + p.FamilyName})
			}
		}
	}
}

// against compares two structs of one type field by field, but for one.
func (c *Change) against(was, want any, except string) {
	c.Verb = Left
	a, b := reflect.ValueOf(was), reflect.ValueOf(want)
	for i := range a.NumField() {
		f := a.Type().Field(i)
		if f.Name == except || reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		c.Verb, c.Fields = Changed, append(c.Fields, name)
	}
}
