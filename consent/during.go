package consent

import (
	"context"
	"time"

	"visavis/internal/audit"
	"visavis/internal/care"
	"visavis/internal/store"
)

// During gives what was agreed to during an act that lasted from start to end:
// the decision in force at its start, when there is one, then those taken until
// its end, oldest first. That staff read it is audited.
func (s *Service) During(ctx context.Context, id care.AppointmentID, start, end time.Time) (list []Record, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		act, err := s.act(ctx, id, "consent.read")
		if err != nil {
			return err
		}
		all, err := ofAct(tx, id)
		if err != nil {
			return err
		}
		list = during(all, start, end)
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "consent.read", Object: "appointment/" + string(id), Patient: act.PatientID})
	})
	return list, err
}

// during cuts the records of an act, oldest first.
func during(all []Record, start, end time.Time) []Record {
	from := 0
	for i, r := range all {
		if r.At.After(end) {
			return all[from:i]
		}
		if !r.At.After(start) {
			from = i
		}
	}
	return all[from:]
}
