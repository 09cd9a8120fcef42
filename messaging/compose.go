package messaging

import (
	"context"
	netmail "net/mail"
	"strings"

	"visavis/internal/care"
	"visavis/internal/lang"
	"visavis/internal/store"
	"visavis/messaging/mssante"
	"visavis/messaging/xdm"
)

// compose writes the letter of a delivery: the same bytes at each attempt.
func (s *Service) compose(ctx context.Context, d *Delivery, address string) (mssante.Message, error) {
	author, err := s.People.Staff(ctx, d.PractitionerID)
	if err != nil {
		return mssante.Message{}, err
	}
	to, err := s.People.Patient(ctx, d.PatientID)
	if err != nil {
		return mssante.Message{}, err
	}
	l := string(d.Language)
	letter := mssante.Letter{
		ID: string(d.ID), To: address, NIL: s.MSSante.NIL, At: d.writtenAt,
		From: netmail.Address{Name: s.texts.T(l, "mss.from", lang.Args{"with": author.Full()}), Address: s.MSSante.Box},
		Submission: xdm.Submission{UniqueID: submissionOID(s.MSSante.OID, string(d.ID)), SourceID: s.MSSante.OID, Emitter: author.Place,
			Content:     xdm.Code{Code: "07", Scheme: "1.2.250.1.213.2.2", Label: "Consultations soins externes"},
			Application: "visavis", Version: s.MSSante.Version},
	}
	if letter.InReplyTo, err = s.earlier(ctx, d); err != nil {
		return mssante.Message{}, err
	}
	if mssante.ValidAddress(author.MSSante, s.MSSante.TestDomain) {
		letter.ReplyTo = author.MSSante
	} else {
		letter.NoAnswer = true
	}
	var titles []string
	for _, id := range d.Documents {
		about, err := s.Papers.About(ctx, id)
		if err != nil {
			return mssante.Message{}, err
		}
		files, err := s.Papers.Files(ctx, id)
		if err != nil {
			return mssante.Message{}, err
		}
		titles = append(titles, "– "+about.Title)
		letter.Documents = append(letter.Documents, mssante.Attached{CDA: files.CDA, PDF: files.PDF, Visibility: about.Visibility})
	}
	letter.Text = s.texts.T(l, "mss."+string(d.Recipient), lang.Args{"name": to.Name, "with": author.Full(), "titles": strings.Join(titles, "\n")})
	return mssante.Compose(letter)
}

// earlier gives the Message-ID of the letter of the same act sent before this
// one, so that mail readers show both as one conversation (ECO.2.2.2).
func (s *Service) earlier(ctx context.Context, d *Delivery) (id string, err error) {
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		id, err = messageBefore(tx, d)
		return err
	})
	return id, err
}

// drop leaves out the documents that their author took back meanwhile. Nothing
// has left when it is called.
func (s *Service) drop(ctx context.Context, tx *store.Tx, d *Delivery) error {
	if d.About != Documents {
		return nil
	}
	if err := loadDocuments(tx, d); err != nil {
		return err
	}
	void, err := s.void(ctx, d)
	if err != nil {
		return err
	}
	if len(void) == len(d.Documents) {
		return &outOfUse{Refused, reasonWithdrawn}
	}
	for _, id := range void {
		if err := removeDocument(tx, d, id); err != nil {
			return err
		}
	}
	return nil
}

// void lists the documents of a letter that their author took back. It joins
// the transaction of ctx.
func (s *Service) void(ctx context.Context, d *Delivery) (list []care.DocumentID, err error) {
	if d.About != Documents {
		return nil, nil
	}
	for _, id := range d.Documents {
		about, err := s.Papers.About(ctx, id)
		if err != nil {
			return nil, err
		}
		if about.Void {
			list = append(list, id)
		}
	}
	return list, nil
}
