package messaging

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/store"
)

// Sheet gives a letter to print: a cover with the postal address, then the
// documents as they were signed. Only documents that go by post have one: the
// desk, which prints, does not read what left by another way.
func (s *Service) Sheet(ctx context.Context, id care.DeliveryID) ([]byte, error) {
	if !care.ValidID(string(id)) {
		return nil, fault.Missing()
	}
	var d *Delivery
	err := s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if d, err = lockDelivery(tx, id); err != nil {
			return err
		}
		a := authz.From(ctx)
		if err := s.Table.Can(a, "delivery.post", relation(a, d)); err != nil {
			return err
		}
		if d.About != Documents || d.Recipient != ToPatient || d.State != Posted && !legal(d.State, Posted) {
			return fault.New(fault.Conflict, "delivery-no-sheet")
		}
		if err := loadDocuments(tx, d); err != nil {
			return err
		}
		for _, doc := range d.Documents {
			if err := s.Audit.Append(ctx, tx, audit.Entry{Action: "delivery.post", Object: "document/" + string(doc), Patient: d.PatientID,
				Detail: map[string]string{"delivery": string(id), "how": "printed"}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.print(ctx, d)
}

func (s *Service) print(ctx context.Context, d *Delivery) ([]byte, error) {
	to, err := s.People.Patient(ctx, d.PatientID)
	if err != nil {
		return nil, err
	}
	author, err := s.People.Staff(ctx, d.PractitionerID)
	if err != nil {
		return nil, err
	}
	var titles []string
	pages := []io.ReadSeeker{nil}
	for _, id := range d.Documents {
		about, err := s.Papers.About(ctx, id)
		if err != nil {
			return nil, err
		}
		if about.Void {
			continue
		}
		files, err := s.Papers.Files(ctx, id)
		if err != nil {
			return nil, err
		}
		titles = append(titles, about.Title)
		pages = append(pages, bytes.NewReader(files.PDF))
	}
	if len(titles) == 0 {
		return nil, fault.New(fault.Conflict, "delivery-no-sheet")
	}
	cover, err := s.Printer.Cover(author.Place, to.Name, to.Street, to.Postcode, to.City, titles, s.Clock.Now().In(s.Zone))
	if err != nil {
		return nil, fmt.Errorf("messaging: cover: %w", err)
	}
	pages[0] = bytes.NewReader(cover)
	api.DisableConfigDir()
	var out bytes.Buffer
	if err := api.MergeRaw(pages, &out, false, model.NewDefaultConfiguration()); err != nil {
		return nil, fmt.Errorf("messaging: join pages: %w", err)
	}
	return out.Bytes(), nil
}
