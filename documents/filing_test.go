package documents_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"visavis/documents"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/paper"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

func filing(w *town, id, replaces string, number int) paper.Filing {
	return paper.Filing{Act: w.act, Version: paper.Version{ID: id, Set: "0199aaaa-0000-7000-8000-0000000000b0", Replaces: replaces, Number: number},
		Kind: "prescription", TypeCode: "57833-6", Title: "Ordonnance de médicaments", Detail: "n° K7QF-2M4Z", CDA: []byte("<x/>"), PDF: []byte("%PDF-1.4"), SignedAt: testkit.Morning()}
}

const (
	first  = "0199aaaa-0000-7000-8000-0000000000b1"
	second = "0199aaaa-0000-7000-8000-0000000000b2"
)

// A prescription filed by its module is listed, replaced, cancelled, and named by the report of the act.
func TestPrescriptionsAreFiled(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(t, h)
		ctx := context.Background()
		if err := svc.File(ctx, filing(w, first, "", 1)); err != nil {
			t.Fatal(err)
		}
		if err := svc.File(ctx, filing(w, second, first, 2)); err != nil {
			t.Fatal(err)
		}
		if err := svc.File(ctx, filing(w, "0199aaaa-0000-7000-8000-0000000000b3", first, 2)); err == nil {
			t.Error("two documents are version 2 of one set")
		}
		states := func() string {
			list, err := svc.List(staff(care.Doctor, claire), lea)
			if err != nil {
				t.Fatal(err)
			}
			out := []string{}
			for _, d := range list {
				out = append(out, string(d.Kind)+" "+string(d.State))
			}
			return strings.Join(out, ", ")
		}
		if got := states(); got != "prescription current, prescription replaced" {
			t.Errorf("%s", got)
		}
		r, err := svc.Write(staff(care.Doctor, claire), encounter, words, 0)
		if err != nil {
			t.Fatal(err)
		}
		d, err := svc.Sign(staff(care.Doctor, claire), encounter, r.Edit)
		if err != nil {
			t.Fatal(err)
		}
		f, err := svc.Files(ctx, d.ID)
		if err != nil || !strings.Contains(pdfText(t, f.PDF), "Ordonnance de médicaments n° K7QF-2M4Z") {
			t.Errorf("the report does not name the prescription (R6316-4): %v", err)
		}
		if err := svc.Cancel(ctx, second); err != nil {
			t.Fatal(err)
		}
		if got := states(); !strings.Contains(got, "prescription cancelled, prescription replaced") {
			t.Errorf("%s", got)
		}
		if f, err = svc.Files(ctx, second); err != nil || !bytes.Equal(f.CDA, []byte("<x/>")) {
			t.Errorf("a cancelled document stays readable: %v", err)
		}
		_, err = svc.Replace(staff(care.Doctor, claire), second)
		refused(t, err, fault.Conflict, "document-not-current")
	})
}

// A filing shares the fate of the transaction that asked for it.
func TestFilingRollsBack(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(t, h)
		boom := errors.New("boom")
		err := h.DB.Tx(context.Background(), func(ctx context.Context, _ *store.Tx) error {
			if err := svc.File(ctx, filing(w, first, "", 1)); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		if _, err := svc.Facts(context.Background(), first); fault.KindOf(err) != fault.NotFound {
			t.Errorf("the document of a failed signature stands: %v", err)
		}
		if n, err := svc.Verify(context.Background()); n != 0 || err != nil {
			t.Errorf("%d %v", n, err)
		}
	})
}

// Two people, or two tabs, write the first words at once: one of them is told.
func TestTwoFirstWriters(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, _ := open(t, h)
		results := make(chan error, 6)
		for range 6 {
			go func() {
				_, err := svc.Write(staff(care.Doctor, claire), encounter, words, 0)
				results <- err
			}()
		}
		wins := 0
		for range 6 {
			if err := <-results; err == nil {
				wins++
			} else {
				refused(t, err, fault.Conflict, "changed-meanwhile")
			}
		}
		if wins != 1 {
			t.Errorf("%d first versions", wins)
		}
	})
}

func TestReopenedTwiceIsOneDraft(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, _ := open(t, h)
		d := signed(t, svc, 0)
		h.Clock.Advance(time.Minute)
		one, err := svc.Replace(staff(care.Doctor, claire), d.ID)
		if err != nil {
			t.Fatal(err)
		}
		two, err := svc.Replace(staff(care.Doctor, claire), d.ID)
		if err != nil || one.Edit != two.Edit {
			t.Errorf("%+v %+v %v", one, two, err)
		}
		_, err = svc.Replace(staff(care.Doctor, hugo), d.ID)
		refused(t, err, fault.NotFound, "not-found")
		if f, err := svc.Facts(context.Background(), d.ID); err != nil || f.State != documents.Current {
			t.Errorf("the signed document holds until the next is signed: %+v %v", f, err)
		}
	})
}

// A destroyed key takes the documents with it, and verify does not cry wolf.
func TestShredded(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, _ := open(t, h)
		d := signed(t, svc, 0)
		if err := h.DB.Tx(context.Background(), func(ctx context.Context, tx *store.Tx) error { return h.Keeper.Shred(ctx, tx, lea) }); err != nil {
			t.Fatal(err)
		}
		if _, err := svc.Files(context.Background(), d.ID); fault.KindOf(err) != fault.Gone {
			t.Errorf("%v", err)
		}
		if n, err := svc.Verify(context.Background()); n != 0 || err != nil {
			t.Errorf("%d %v", n, err)
		}
	})
}
