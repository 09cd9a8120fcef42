package clinic

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"visavis/identity"
	"visavis/identity/contacts"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/testkit"
	"visavis/scheduling"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// doctors answers scheduling as cmd/visavis does; applying asks for cards only.
type doctors struct {
	scheduling.Practitioners
	people *identity.Service
}

func (d doctors) Card(ctx context.Context, id care.StaffID) (scheduling.Card, error) {
	p, err := d.people.Staff(ctx, id)
	if err == nil && (!p.Active || p.Role != care.Doctor) {
		err = fault.Missing()
	}
	return scheduling.Card{ID: p.ID, OrganizationID: p.Organization.ID}, err
}

func desk(t *testing.T, h *testkit.House) Desk {
	t.Helper()
	people, err := identity.New(identity.Deps{DB: h.DB, Bus: h.Bus, Audit: h.Audit, Keeper: h.Keeper, Table: h.Table, Clock: h.Clock, Limits: h.Limits, Master: h.Master,
		Requests: contacts.New(contacts.Deps{DB: h.DB, Clock: h.Clock, Master: h.Master})})
	if err != nil {
		t.Fatal(err)
	}
	agenda, err := scheduling.New(scheduling.Deps{DB: h.DB, Bus: h.Bus, Audit: h.Audit, Keeper: h.Keeper, Table: h.Table, Clock: h.Clock, Practitioners: doctors{people: people}})
	if err != nil {
		t.Fatal(err)
	}
	return Desk{DB: h.DB, People: people, Agenda: agenda}
}

func system() context.Context { return testkit.As(authz.SystemActor()) }

// read refuses nothing.
func read(t *testing.T, raw []byte) File {
	t.Helper()
	f, problems := Read(raw)
	if len(problems) > 0 {
		t.Fatalf("%+v", problems)
	}
	return f
}

func apply(t *testing.T, d Desk, f File) []string {
	t.Helper()
	changes, err := d.Apply(system(), f, false)
	if err != nil {
		t.Fatal(err)
	}
	return verbs(changes)
}

func verbs(changes []Change) []string {
	var out []string
	for _, c := range changes {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", c.Verb, c.Kind, c.Key, strings.Join(c.Fields, ","))))
	}
	return out
}

func show(t *testing.T, d Desk) File {
	t.Helper()
	f, err := d.Show(system())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// trail counts the audit rows, by action.
func trail(t *testing.T, h *testkit.House) map[string]int {
	t.Helper()
	pool, err := h.DB.SQL()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := pool.Query("SELECT action, count(*) FROM audit GROUP BY action")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	out := map[string]int{}
	for rows.Next() {
		var action string
		var n int
		if err := rows.Scan(&action, &n); err != nil {
			t.Fatal(err)
		}
		out[action] = n
	}
	return out
}

func TestApplyThenShowThenApply(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		d := desk(t, h)
		f := read(t, Example())
		rehearsed, err := d.Apply(system(), f, true)
		if err != nil {
			t.Fatal(err)
		}
		if got := show(t, d); len(got.Organizations) != 0 || len(trail(t, h)) != 0 {
			t.Fatalf("a rehearsal changed something: %+v %v", got, trail(t, h))
		}
		first := apply(t, d, f)
		if diff := cmp.Diff(verbs(rehearsed), first); diff != "" {
			t.Errorf("the rehearsal told something else:\n%s", diff)
		}
		for _, v := range first {
			if !strings.HasPrefix(v, "created ") {
				t.Errorf("%s", v)
			}
		}
		rows := trail(t, h)
		if diff := cmp.Diff(map[string]int{"organization.put": 1, "staff.put": 3, "schedule.set": 1}, rows); diff != "" {
			t.Errorf("audit:\n%s", diff)
		}
		raw, err := show(t, d).Write()
		if err != nil {
			t.Fatal(err)
		}
		for name, again := range map[string]File{"the file": f, "what was shown": read(t, raw)} {
			for _, v := range apply(t, d, again) {
				if !strings.HasPrefix(v, "left ") {
					t.Errorf("%s again: %s", name, v)
				}
			}
		}
		if diff := cmp.Diff(rows, trail(t, h)); diff != "" {
			t.Errorf("applying again wrote audit rows:\n%s", diff)
		}
		if diff := cmp.Diff(read(t, raw), show(t, d)); diff != "" {
			t.Errorf("shown twice:\n%s", diff)
		}
	})
}

func TestWhatChangesIsTold(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		d := desk(t, h)
		f := read(t, Example())
		apply(t, d, f)
		site := &f.Organizations[0]
		doctor := &site.Staff[0]
		site.Phone, doctor.Bio, doctor.Plan.ActMinutes = "+33465710099", "Ailleurs.", 20
		site.Staff[1].Active = new(bool)
		site.Staff = site.Staff[:2]
		want := []string{
			"changed organization 699999124 phone", "changed doctor 810005551238 bio", "changed plan 810005551238 actMinutes",
			"changed nurse 810103330022 active", "absent secretary 3699999124/SEC1",
		}
		if diff := cmp.Diff(want, apply(t, d, f)); diff != "" {
			t.Error(diff)
		}
		if n := trail(t, h)["staff.dismiss"]; n != 1 {
			t.Errorf("%d dismissals in the audit log", n)
		}
		if got := apply(t, d, f); slices.ContainsFunc(got, func(v string) bool { return strings.HasPrefix(v, "changed") }) {
			t.Errorf("applied again: %q", got)
		}

		// A plan follows the clock of its site.
		site.Zone = "Indian/Reunion"
		got := apply(t, d, f)
		if !slices.Contains(got, "changed organization 699999124 zone") || !slices.Contains(got, "changed plan 810005551238 zone") {
			t.Errorf("moved: %q", got)
		}
		// She comes back, and without a plan in the file the plan stays.
		site.Staff[1].Active, doctor.Plan = nil, nil
		if got := apply(t, d, f); !slices.Contains(got, "changed nurse 810103330022 active") {
			t.Errorf("back: %q", got)
		}
		if p := show(t, d).Organizations[0].Staff; !slices.ContainsFunc(p, func(p Person) bool { return p.Plan != nil && p.Plan.ActMinutes == 20 }) {
			t.Errorf("the plan went: %+v", p)
		}
	})
}

// TestAFailureChangesNothing: the second doctor cannot be stored; the first
// and the site are not there either.
func TestAFailureChangesNothing(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		d := desk(t, h)
		f := read(t, Example())
		more := f.Organizations[0].Staff[0]
		more.RPPS, more.Role = "10001234565", "pharmacist" // Read would refuse it
		f.Organizations[0].Staff = append(f.Organizations[0].Staff, more)
		if _, err := d.Apply(system(), f, false); err == nil || !strings.Contains(err.Error(), "810001234565") {
			t.Fatalf("applied: %v", err)
		}
		if got := show(t, d); len(got.Organizations) != 0 || len(trail(t, h)) != 0 {
			t.Fatalf("something stayed: %+v %v", got, trail(t, h))
		}
	})
}

// TestRefusals: one thing wrong at a time, told with its line and path.
func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"no JSON":               {`"version": 1,`, `"version": 1`, `3  file-syntax`},
		"two values":            {"{\n  \"version\"", "{}\n{\n  \"version\"", `2  file-syntax`},
		"unknown name":          {`"bio":`, `"biography":`, `22 organizations[0].staff[0].biography file-unknown`},
		"a price":               {`"profession": "60"`, `"profession": "60", "price": 30`, `39 organizations[0].staff[1].price file-unknown`},
		"a name twice":          {`"title": "Dr",`, `"title": "Dr", "title": "Pr",`, `16 organizations[0].staff[0].title file-twice`},
		"another version":       {`"version": 1`, `"version": 2`, `2 version file-version`},
		"a number for a text":   {`"postalCode": "69003"`, `"postalCode": 69003`, `11 organizations[0].address.postalCode file-kind`},
		"a text for a number":   {`"actMinutes": 15`, `"actMinutes": "15"`, `25 organizations[0].staff[0].plan.actMinutes file-kind`},
		"half a minute":         {`"actMinutes": 15`, `"actMinutes": 7.5`, `25 organizations[0].staff[0].plan.actMinutes file-kind`},
		"null":                  {`"bio": "Médecine générale, enfants et adultes."`, `"bio": null`, `22 organizations[0].staff[0].bio file-kind`},
		"no name":               {`"name": "Cabinet des Tilleuls",`, ``, `4 organizations[0].name required`},
		"an empty city":         {`"city": "Lyon"`, `"city": ""`, `11 organizations[0].address.city required`},
		"FINESS key":            {`"finess": "699999124"`, `"finess": "699999125"`, `5 organizations[0].finess finess-key`},
		"a phone":               {`04 65 71 00 00`, `04 65`, `7 organizations[0].phone phone-too-short`},
		"a zone":                {`Europe/Paris`, `Europe/Lyon`, `10 organizations[0].zone zone-unknown`},
		"a sector":              {`"SA08"`, `"SA99"`, `8 organizations[0].sector sector-unknown`},
		"a setting":             {`"AMBULATOIRE"`, `"CABINET"`, `9 organizations[0].setting setting-unknown`},
		"RPPS key":              {`"10005551238"`, `"10005551239"`, `14 organizations[0].staff[0].rpps rpps-key`},
		"no RPPS":               {`"rpps": "10005551238",`, ``, `13 organizations[0].staff[0] rpps-or-idnat`},
		"both":                  {`"rpps": "10005551238",`, `"rpps": "10005551238", "idnat": "3699999124/X",`, `13 organizations[0].staff[0] rpps-or-idnat`},
		"RPPS as idnat":         {`"rpps": "10005551238"`, `"idnat": "810005551238"`, `14 organizations[0].staff[0].idnat rpps-instead`},
		"idnat":                 {`3699999124/SEC1`, `SEC1`, `40 organizations[0].staff[2].idnat idnat-shape`},
		"the same person":       {`"10103330022"`, `"10005551238"`, `39 organizations[0].staff[1] idnat-twice`},
		"a role":                {`"role": "nurse"`, `"role": "patient"`, `39 organizations[0].staff[1].role role-profession`},
		"role and profession":   {`"profession": "60"`, `"profession": "10", "specialty": "SM54"`, `39 organizations[0].staff[1].role role-profession`},
		"a title":               {`"title": "Dr"`, `"title": "Maestro"`, `16 organizations[0].staff[0].title not-a-choice`},
		"a specialty":           {`"SM54"`, `"SM00"`, `20 organizations[0].staff[0].specialty specialty-unknown`},
		"no specialty":          {`"specialty": "SM54",`, ``, `13 organizations[0].staff[0].specialty specialty-unknown`},
		"no document of theirs": {`"profession": "60"`, `"profession": "60", "specialty": "SM54"`, `39 organizations[0].staff[1].specialty author-unknown`},
		"a mailbox":             {`alice.roussel@`, `alice.roussel `, `21 organizations[0].staff[0].mssante email-space`},
		"two languages in one":  {`["fr", "en"]`, `["fr,en"]`, `23 organizations[0].staff[0].languages[0] language-unknown`},
		"a nurse's plan":        {`"profession": "60"`, `"profession": "60", "plan": {"actMinutes": 15, "horizonDays": 30, "weeks": []}`, `39 organizations[0].staff[1].plan plan-doctors-only`},
		"a long act":            {`"actMinutes": 15`, `"actMinutes": 500`, `25 organizations[0].staff[0].plan.actMinutes out-of-range`},
		"a territory":           {`"FR"`, `"BE"`, `28 organizations[0].staff[0].plan.territory territory-unknown`},
		"a day of the week":     {`"thu"], "from": "14:00"`, `"jeudi"], "from": "14:00"`, `31 organizations[0].staff[0].plan.weeks[1].days[2] not-a-choice`},
		"hours backwards":       {`"from": "14:00", "to": "18:00"`, `"from": "18:00", "to": "14:00"`, `31 organizations[0].staff[0].plan.weeks[1].to hours-empty`},
		"an hour":               {`"14:00"`, `"2 pm"`, `31 organizations[0].staff[0].plan.weeks[1].from file-timeofday`},
		"a minute":              {`"14:00"`, `"14:0x"`, `31 organizations[0].staff[0].plan.weeks[1].from file-timeofday`},
		"a date":                {`"2027-08-22"`, `"2027-02-30"`, `34 organizations[0].staff[0].plan.exceptions[0].last file-day`},
		"days backwards":        {`"2027-08-22"`, `"2027-08-01"`, `34 organizations[0].staff[0].plan.exceptions[0].last days-empty`},
	} {
		text := strings.Replace(string(Example()), c.old, c.new, 1)
		if text == string(Example()) {
			t.Errorf("%s: %q is not in the example", name, c.old)
			continue
		}
		_, problems := Read([]byte(text))
		var got []string
		for _, p := range problems {
			got = append(got, fmt.Sprintf("%d %s %s", p.Line, p.Path, p.Code))
		}
		if len(got) != 1 || got[0] != c.want {
			t.Errorf("%s:\n%q, want\n%q", name, got, c.want)
		}
	}
}

func TestEveryProblemIsTold(t *testing.T) {
	text := strings.NewReplacer(`"10005551238"`, `"1"`, `04 65 71 00 00`, `12`, `"SA08"`, `"X"`, `"to": "12:30"`, `"to": "08:00"`).Replace(string(Example()))
	_, problems := Read([]byte(text))
	var got []string
	for _, p := range problems {
		got = append(got, fmt.Sprintf("%d %s", p.Line, p.Code))
	}
	if diff := cmp.Diff([]string{"7 phone-too-short", "8 sector-unknown", "14 rpps-length", "30 hours-empty"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestPlansRoundTrip: what a plan says survives being written in weeks, whatever
// the order and the overlap of its rules.
func TestPlansRoundTrip(t *testing.T) {
	hour := rapid.Custom(func(t *rapid.T) scheduling.TimeOfDay {
		return scheduling.At(rapid.IntRange(0, 23).Draw(t, "hour"), rapid.SampledFrom([]int{0, 30}).Draw(t, "minute"))
	})
	day := rapid.Custom(func(t *rapid.T) scheduling.Day { return scheduling.Day(rapid.IntRange(20000, 20003).Draw(t, "day")) })
	rapid.Check(t, func(t *rapid.T) {
		p := Plan{ActMinutes: 15, Horizon: 30, Zone: rapid.SampledFrom([]string{"", "Indian/Reunion"}).Draw(t, "zone"), Weeks: []Opening{}}
		for range rapid.IntRange(0, 6).Draw(t, "weeks") {
			p.Weeks = append(p.Weeks, Opening{Days: rapid.SliceOfN(rapid.SampledFrom(weekdays[:]), 1, 4).Draw(t, "days"), From: hour.Draw(t, "from"), To: hour.Draw(t, "to"), Since: day.Draw(t, "since")})
		}
		for range rapid.IntRange(0, 3).Draw(t, "exceptions") {
			p.Exceptions = append(p.Exceptions, Exception{First: day.Draw(t, "first"), Last: day.Draw(t, "last"), From: hour.Draw(t, "from"), To: hour.Draw(t, "to"), Open: rapid.Bool().Draw(t, "open")})
		}
		want, _ := p.domain(home)
		raw, err := json.Marshal(planOf(want, home))
		if err != nil {
			t.Fatal(err)
		}
		r := reader{raw: raw, lines: map[string]int{}}
		r.dec = json.NewDecoder(strings.NewReader(string(raw)))
		r.dec.UseNumber()
		n, err := r.value("")
		if err != nil {
			t.Fatal(err)
		}
		var back Plan
		r.bind(n, reflect.ValueOf(&back).Elem(), "")
		if got, _ := back.domain(home); len(r.problems) > 0 || !got.Same(want) {
			t.Fatalf("%s %v:\n%s", raw, r.problems, cmp.Diff(want, got))
		}
	})
}

// FuzzRead: whatever the bytes, Read answers, and a file without a problem can
// be written and read again.
func FuzzRead(f *testing.F) {
	f.Add(Example())
	f.Add([]byte(`{"version":1,"organizations":[{"staff":[{"plan":{"weeks":[{"days":[""]}]}}]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		file, problems := Read(raw)
		if len(problems) > 0 {
			return
		}
		again, err := file.Write()
		if err != nil {
			t.Fatal(err)
		}
		if _, problems := Read(again); len(problems) > 0 {
			t.Fatalf("%s: %+v", again, problems)
		}
	})
}
