package documents_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"visavis/documents"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/paper"
	"visavis/internal/testkit"
)

// TestWhoIsToldOfLateIsSeen (B34): somebody whose presence we learn of before
// the signature is in the report; after it, the author is told, and the next
// version names them.
func TestWhoIsToldOfLateIsSeen(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(t, h)
		ctx := staff(care.Doctor, claire)
		start := testkit.Morning()
		nurse := paper.Person{ID: string(ines), Name: "Inès Benali", Role: care.Nurse, From: start.Add(2 * time.Minute), To: start.Add(9 * time.Minute),
			Stays: []paper.Stay{{From: start.Add(2 * time.Minute), To: start.Add(9 * time.Minute), Assumed: true}}}
		text := documents.Text{Motive: "Toux", Text: "Examen normal."}
		r, err := svc.Write(ctx, encounter, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		first := signed(t, svc, r.Edit)
		if r, err = svc.Read(ctx, encounter); err != nil || len(r.ToldLate) != 0 {
			t.Fatalf("told late before anybody was: %v %v", r.ToldLate, err)
		}
		h.Clock.Advance(time.Minute)
		nurse.Told = h.Clock.Now()
		w.change(func(a *paper.Act) {
			a.People = append(a.People, nurse)
			a.Devices = []paper.Device{{ID: "d", Name: "Échographe", Owner: "Inès Benali", From: start.Add(3 * time.Minute), To: start.Add(8 * time.Minute),
				Stays: []paper.Stay{{From: start.Add(3 * time.Minute), To: start.Add(8 * time.Minute)}}}}
		})
		if r, err = svc.Read(ctx, encounter); err != nil || len(r.ToldLate) != 1 || r.ToldLate[0] != "Inès Benali" {
			t.Fatalf("told late: %v %v", r.ToldLate, err)
		}
		files, err := svc.Files(ctx, first.ID)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(pdfText(t, files.PDF), "Benali") {
			t.Error("the signed version changed")
		}
		h.Clock.Advance(time.Minute)
		if r, err = svc.Replace(ctx, first.ID); err != nil {
			t.Fatal(err)
		}
		second := signed(t, svc, r.Edit)
		if files, err = svc.Files(ctx, second.ID); err != nil {
			t.Fatal(err)
		}
		page := strings.Join(strings.Fields(pdfText(t, files.PDF)), " ")
		if !strings.Contains(page, "Inès Benali") || !strings.Contains(page, "départ non constaté") {
			t.Errorf("the next version does not say who was there, and that nobody saw her leave:\n%s", page)
		}
		// A10: a thing that took part is named as a thing, and is none of the people of the header.
		if !strings.Contains(page, "Échographe, appareil apporté par Inès Benali, de ") || strings.Contains(string(files.CDA), "Échographe") {
			t.Errorf("a device:\n%s", page)
		}
		if r, err = svc.Read(ctx, encounter); err != nil || len(r.ToldLate) != 0 {
			t.Errorf("still told late: %v %v", r.ToldLate, err)
		}
	})
}

// TestRead_WhatTheRecordLearntLater (issue 9, A1): what was measured and is told after the
// signature is shown to the author beside what the signed version says, each kind of it;
// the next version says it.
func TestRead_WhatTheRecordLearntLater(t *testing.T) {
	start := testkit.Morning()
	for name, c := range map[string]struct {
		change      func(*paper.Act)
		signed, now string
	}{
		"video": {func(a *paper.Act) { a.VideoSeconds = 44 }, "pendant 27 s", "pendant 44 s"},
		"an incident": {func(a *paper.Act) {
			a.Incidents = append(a.Incidents, paper.Incident{At: start.Add(7 * time.Minute), Text: "Connexion du patient rétablie."})
		}, "", "rétablie"},
		"no incident": {func(a *paper.Act) { a.Incidents = nil }, "Connexion perdue", "ucun incident"},
		"somebody": {func(a *paper.Act) {
			a.People = append(a.People, paper.Person{ID: "n", Name: "Inès Benali", Role: care.Nurse})
		}, "", "Inès Benali"},
		"a later end":   {func(a *paper.Act) { a.End = a.End.Add(time.Minute) }, "9 h 20", "9 h 21"},
		"what was told": {func(*paper.Act) {}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := testkit.NewHouse(t, testkit.OpenSQLite(t))
			svc, w := open(t, h)
			ctx := staff(care.Doctor, claire)
			w.change(func(a *paper.Act) { a.VideoSeconds = 27 })
			if _, err := svc.Write(ctx, encounter, documents.Text{Motive: "Toux", Text: "Examen normal."}, 0); err != nil {
				t.Fatal(err)
			}
			first := signed(t, svc, 1)
			w.change(c.change)
			r, err := svc.Read(ctx, encounter)
			if err != nil || len(r.Changed.Signed) != min(len(c.signed), 1) || len(r.Changed.Now) != min(len(c.now), 1) {
				t.Fatalf("%+v %v", r.Changed, err)
			}
			plain := func(list []string) string { return strings.Join(strings.Fields(strings.Join(list, " ")), " ") }
			if s, n := plain(r.Changed.Signed), plain(r.Changed.Now); !strings.Contains(s, c.signed) || !strings.Contains(n, c.now) {
				t.Errorf("signed %q, now %q", s, n)
			}
			files, err := svc.Files(ctx, first.ID)
			if err != nil {
				t.Fatal(err)
			}
			if page := strings.Join(strings.Fields(pdfText(t, files.PDF)), " "); !strings.Contains(page, c.signed) || c.now != "" && strings.Contains(page, c.now) {
				t.Errorf("the signed version changed:\n%s", page)
			}
			if r, err = svc.Replace(ctx, first.ID); err != nil {
				t.Fatal(err)
			}
			signed(t, svc, r.Edit)
			if r, err = svc.Read(ctx, encounter); err != nil || len(r.Changed.Signed)+len(r.Changed.Now) != 0 {
				t.Errorf("the next version differs: %+v %v", r.Changed, err)
			}
		})
	}
}

// TestAwait_LastFactsOfTheCall (issue 9, A3): a report that is signed right after
// the end says what the call told last, and is not signed before it did.
func TestAwait_LastFactsOfTheCall(t *testing.T) {
	h := testkit.NewHouse(t, testkit.OpenSQLite(t))
	svc, w := open(t, h)
	w.settles = 3
	if err := svc.Await(t.Context(), encounter); err != nil || w.asked != 4 {
		t.Errorf("asked %d times, %v", w.asked, err)
	}
	w.settles = -1
	if err := svc.Await(t.Context(), encounter); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "act-not-settled") {
		t.Errorf("%v", err)
	}
	w.settles = 0
	ctx := staff(care.Doctor, claire)
	if _, err := svc.Write(ctx, encounter, documents.Text{Motive: "Toux", Text: "Examen normal."}, 0); err != nil {
		t.Fatal(err)
	}
	w.change(func(a *paper.Act) { a.VideoSeconds = 27 }) // what was measured after the draft was written
	d := signed(t, svc, 1)
	files, err := svc.Files(ctx, d.ID)
	if err != nil {
		t.Fatal(err)
	}
	if page := strings.Join(strings.Fields(pdfText(t, files.PDF)), " "); !strings.Contains(page, "transmise dans les deux sens pendant 27 s") {
		t.Errorf("the report is older than its signature:\n%s", page)
	}
}

// TestSign_VideoThatNobodyMeasured (issue 9, A3): no image is stated where a process of
// ours died during the act and may have measured some; what was measured is stated.
func TestSign_VideoThatNobodyMeasured(t *testing.T) {
	for name, c := range map[string]struct {
		seconds    int
		unmeasured bool
		none, some bool
	}{
		"nothing, measured": {0, false, true, false},
		"nothing is known":  {0, true, false, false},
		"some is known":     {27, true, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			h := testkit.NewHouse(t, testkit.OpenSQLite(t))
			svc, w := open(t, h)
			w.change(func(a *paper.Act) { a.VideoSeconds, a.Unmeasured = c.seconds, c.unmeasured })
			d := signed(t, svc, 0)
			files, err := svc.Files(staff(care.Doctor, claire), d.ID)
			if err != nil {
				t.Fatal(err)
			}
			page := pdfText(t, files.PDF)
			if none := strings.Contains(page, "jamais transmise"); none != c.none {
				t.Errorf("says that no image went both ways: %v, want %v", none, c.none)
			}
			if some := strings.Contains(page, "pendant 27 s"); some != c.some {
				t.Errorf("says how long the image went both ways: %v, want %v", some, c.some)
			}
		})
	}
}

// TestReport_NamesTheProfession (issue 9, B3): a report calls its author and each person present by their profession,
// never by the role that a dentist and a midwife share with a physician.
func TestReport_NamesTheProfession(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(t, h)
		ctx, edit := staff(care.Doctor, claire), int64(0)
		for _, x := range []struct{ code, says string }{{"10", "médecin"}, {"40", "chirurgien-dentiste"}, {"50", "sage-femme"}, {"", "professionnel de santé"}} {
			w.change(func(a *paper.Act) {
				a.Author.Specialty, a.AuthorQuality, a.Author.Title = "G15_"+x.code, strings.ToUpper(x.says), ""
				if x.code == "" {
					a.Author.Specialty = "G15_50"
				}
				p := &a.People[1]
				p.Name, p.Profession = "Claire Martin", x.code
				p.Stays[0].How = "removed"
			})
			r, err := svc.Write(ctx, encounter, documents.Text{Motive: "Suivi", Text: "Examen normal."}, edit)
			if err != nil {
				t.Fatal(err)
			}
			d := signed(t, svc, r.Edit)
			files, err := svc.Files(ctx, d.ID)
			if err != nil {
				t.Fatal(err)
			}
			page := strings.Join(strings.Fields(pdfText(t, files.PDF)), " ")
			if !strings.Contains(page, "Claire Martin, "+x.says) || !strings.Contains(page, "accès fermé par le professionnel") {
				t.Errorf("%s: %s", x.code, page)
			}
			both := strings.ToLower(page + string(files.CDA))
			if regexp.MustCompile(`médecins?\b`).MatchString(both) != (x.code == "10") || strings.Contains(page, "Dr ") {
				t.Errorf("%s is called a physician, or is not: %q", x.says, regexp.MustCompile(`(?:.{60})médecins?\b.{40}|Dr .{20}`).FindAllString(both+page, 3))
			}
			if r, err = svc.Replace(ctx, d.ID); err != nil {
				t.Fatal(err)
			}
			edit = r.Edit
		}
	})
}
