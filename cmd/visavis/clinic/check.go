package clinic

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/cda"
	"visavis/internal/fault"
	"visavis/scheduling"

	"golang.org/x/text/language"
)

// check says everything that is wrong with a file that could be read: what the
// modules refuse, and what would make a document of the site unsignable later.
func (r *reader) check(f File) {
	if f.Version != Version {
		r.fail("version", "file-version")
	}
	seen := map[string]bool{}
	for i, o := range f.Organizations {
		path := fmt.Sprintf("organizations[%d]", i)
		r.organization(o, path)
		if seen[o.FINESS] {
			r.fail(path+".finess", "finess-twice")
		}
		seen[o.FINESS] = true
		people := map[string]bool{}
		for j, p := range o.Staff {
			at := fmt.Sprintf("%s.staff[%d]", path, j)
			r.person(o, p, at)
			if people[p.Key()] && p.Key() != "" {
				r.fail(at, "idnat-twice")
			}
			people[p.Key()] = true
		}
	}
}

func (r *reader) organization(o Organization, path string) {
	_, err := o.domain().Clean()
	r.refused(err, path, nil)
	if o.Address.PostalCode == "" {
		r.fail(path+".address.postalCode", "required")
	}
	if o.Address.City == "" {
		r.fail(path+".address.city", "required")
	}
	if _, ok := cda.Lookup(cda.SetSector, o.Sector); !ok {
		r.fail(path+".sector", "sector-unknown")
	}
	if _, ok := cda.Lookup(cda.SetSetting, o.Setting); !ok {
		r.fail(path+".setting", "setting-unknown")
	}
}

func (r *reader) person(o Organization, p Person, path string) {
	switch {
	case (p.RPPS == "") == (p.IdNat == ""):
		r.fail(path, "rpps-or-idnat")
	case strings.HasPrefix(p.IdNat, "8"):
		r.fail(path+".idnat", "rpps-instead")
	default:
		_, err := p.domain().Clean()
		r.refused(err, path, func(name string) string {
			if name == "idnat" && p.RPPS != "" {
				return "rpps"
			}
			return name
		})
	}
	if _, ok := cda.Lookup(cda.SetTitle, strings.ToUpper(p.Title)); p.Title != "" && !ok {
		r.fail(path+".title", "not-a-choice")
	}
	for i, name := range p.Capabilities {
		if _, ok := authz.ParseCapability(name); !ok {
			r.fail(fmt.Sprintf("%s.capabilities[%d]", path, i), "not-a-choice")
		}
	}
	for i, tag := range p.Languages {
		if _, err := language.Parse(tag); err != nil {
			r.fail(fmt.Sprintf("%s.languages[%d]", path, i), "language-unknown")
		}
	}
	specialties, err := scheduling.LoadSpecialties()
	if err != nil {
		r.fail(path, "file-syntax", "why", err.Error())
	}
	if _, ok := specialties.Listed(p.Specialty); p.Profession == "10" && !ok {
		r.fail(path+".specialty", "specialty-unknown")
	} else if author := p.domain().AuthorCode(); author != "" {
		if _, ok := cda.Lookup(cda.SetSpecialty, author); !ok {
			r.fail(path+".specialty", "author-unknown", "code", author)
		}
	}
	if p.Plan != nil {
		r.plan(o, p, path)
	}
}

func (r *reader) plan(o Organization, p Person, path string) {
	if p.Role != string(care.Doctor) || !p.active() {
		r.fail(path+".plan", "plan-doctors-only")
		return
	}
	path += ".plan"
	for i, w := range p.Plan.Weeks {
		for j, name := range w.Days {
			if _, ok := weekday(name); !ok {
				r.fail(fmt.Sprintf("%s.weeks[%d].days[%d]", path, i, j), "not-a-choice")
			}
		}
	}
	zone := o.Zone
	if _, err := time.LoadLocation(zone); zone == "" || err != nil { // the site's problem, told there
		zone = home
	}
	plan, from := p.Plan.domain(zone)
	r.refused(plan.Check(), path, func(name string) string {
		rest, ok := strings.CutPrefix(name, "rules[")
		if !ok {
			return name
		}
		number, field, _ := strings.Cut(rest, "]")
		n, err := strconv.Atoi(number)
		if err != nil || n >= len(from) {
			return name
		}
		return fmt.Sprintf("weeks[%d]%s", from[n], field)
	})
	if holidays, err := scheduling.LoadHolidays(); err != nil || plan.Territory != "" && !holidays.Knows(plan.Territory) {
		r.fail(path+".territory", "territory-unknown")
	}
}

// refused notes each field a module refuses, once, under the name it has here.
func (r *reader) refused(err error, path string, rename func(string) string) {
	var f *fault.Error
	if !errors.As(err, &f) {
		return
	}
	for _, field := range f.Fields {
		name := field.Name
		if rename != nil {
			name = rename(name)
		}
		at := under(path, name)
		if !slices.ContainsFunc(r.problems, func(p Problem) bool { return p.Path == at && p.Code == field.Code }) {
			r.fail(at, field.Code)
		}
	}
}

// home is the zone of a site that says none.
const home = "Europe/Paris"

func weekday(name string) (time.Weekday, bool) {
	i := slices.Index(weekdays[:], name)
	return time.Weekday(max(i, 0)), i >= 0
}
