package scheduling

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/seal"
	"visavis/internal/store"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

type scheduleRow struct {
	ID             string
	PractitionerID string
	OrganizationID string
	Plan           string
	Version        int
	store.Guarded
}

func (scheduleRow) TableName() string { return "schedules" }

func (r scheduleRow) schedule() (Schedule, error) {
	s := Schedule{ID: care.ScheduleID(r.ID), PractitionerID: care.StaffID(r.PractitionerID), OrganizationID: care.OrganizationID(r.OrganizationID), Version: r.Version}
	if err := json.Unmarshal([]byte(r.Plan), &s.Plan); err != nil {
		return s, fmt.Errorf("scheduling: plan of schedule %s: %w", r.ID, err)
	}
	return s, nil
}

type row struct {
	ID              string
	ScheduleID      string
	PractitionerID  string
	OrganizationID  string
	PatientID       string
	Status          string
	StartAt         int64
	EndAt           int64
	Zone            string
	Language        string
	ShownAmount     int64
	ShownReimbursed int64
	ShownSource     string // empty: no price was known; a known one has a source
	BookedBy        string
	BookedAt        int64
	Reason          []byte
	Version         int
	store.Guarded
}

func (row) TableName() string { return "appointments" }

func (r row) appointment() Appointment {
	return Appointment{
		ID: care.AppointmentID(r.ID), ScheduleID: care.ScheduleID(r.ScheduleID), PractitionerID: care.StaffID(r.PractitionerID),
		OrganizationID: care.OrganizationID(r.OrganizationID), PatientID: care.PatientID(r.PatientID), Status: Status(r.Status),
		Interval: Interval{store.Time(r.StartAt), store.Time(r.EndAt)}, Zone: r.Zone, Language: care.Language(r.Language),
		Shown:    Shown{r.ShownSource != "", r.ShownAmount, r.ShownReimbursed, r.ShownSource},
		BookedBy: care.Role(r.BookedBy), BookedAt: store.Time(r.BookedAt), Version: r.Version,
	}
}

func appointments(rows []row) []Appointment {
	list := make([]Appointment, len(rows))
	for i, r := range rows {
		list[i] = r.appointment()
	}
	return list
}

func reasonOf(id care.AppointmentID) seal.Place {
	return seal.Place{Table: "appointments", Column: "reason", Row: string(id)}
}

// lockSchedule reads a practitioner's schedule and keeps every other writer of
// its appointments out until the transaction ends. SQLite has one writer anyway.
func lockSchedule(tx *store.Tx, id care.StaffID) (Schedule, bool, error) {
	g := tx.G()
	if tx.Dialect() == store.Postgres {
		g = g.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
	}
	return takeSchedule(g, id)
}

func scheduleOf(tx *store.Tx, id care.StaffID) (Schedule, bool, error) {
	return takeSchedule(tx.G(), id)
}

func takeSchedule(g *gorm.DB, id care.StaffID) (Schedule, bool, error) {
	var r scheduleRow
	err := g.Where("practitioner_id = ?", string(id)).Take(&r).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Schedule{}, false, nil
	}
	if err != nil {
		return Schedule{}, false, err
	}
	s, err := r.schedule()
	return s, true, err
}

func schedulesOf(tx *store.Tx, o care.OrganizationID) ([]Schedule, error) {
	var rows []scheduleRow
	if err := tx.G().Where("organization_id = ?", string(o)).Order("id").Find(&rows).Error; err != nil {
		return nil, err
	}
	list := make([]Schedule, len(rows))
	for i, r := range rows {
		var err error
		if list[i], err = r.schedule(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func putSchedule(tx *store.Tx, s Schedule, fresh bool) error {
	plan, err := json.Marshal(s.Plan)
	if err != nil {
		return fmt.Errorf("scheduling: plan: %w", err)
	}
	if fresh {
		return tx.G().Create(&scheduleRow{ID: string(s.ID), PractitionerID: string(s.PractitionerID), OrganizationID: string(s.OrganizationID), Plan: string(plan), Version: s.Version}).Error
	}
	return tx.G().Model(&scheduleRow{}).Where("id = ?", string(s.ID)).
		Updates(map[string]any{"organization_id": string(s.OrganizationID), "plan": string(plan), "version": s.Version}).Error
}

func load(tx *store.Tx, id care.AppointmentID) (Appointment, error) {
	var r row
	err := tx.G().Where("id = ?", string(id)).Take(&r).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Appointment{}, fault.Missing()
	}
	return r.appointment(), err
}

// reasonKept gives the sealed reason of a cancelled appointment; empty when none was given.
func reasonKept(tx *store.Tx, id care.AppointmentID) ([]byte, error) {
	var r row
	err := tx.G().Where("id = ?", string(id)).Take(&r).Error
	return r.Reason, err
}

func insert(tx *store.Tx, a Appointment) error {
	return tx.G().Create(&row{
		ID: string(a.ID), ScheduleID: string(a.ScheduleID), PractitionerID: string(a.PractitionerID), OrganizationID: string(a.OrganizationID),
		PatientID: string(a.PatientID), Status: string(a.Status), StartAt: store.Micros(a.Start), EndAt: store.Micros(a.End),
		Zone: a.Zone, Language: string(a.Language), ShownAmount: a.Shown.Amount, ShownReimbursed: a.Shown.Reimbursed, ShownSource: a.Shown.Source,
		BookedBy: string(a.BookedBy), BookedAt: store.Micros(a.BookedAt), Reason: []byte{}, Version: a.Version,
	}).Error
}

// update writes the status, the interval and, when there is one, the sealed
// reason; false when the version is no longer the last.
func update(tx *store.Tx, a Appointment, reason []byte) (bool, error) {
	values := map[string]any{"status": string(a.Status), "start_at": store.Micros(a.Start), "end_at": store.Micros(a.End), "version": a.Version + 1}
	if reason != nil {
		values["reason"] = reason
	}
	res := tx.G().Model(&row{}).Where("id = ? AND version = ?", string(a.ID), a.Version).Updates(values)
	return res.RowsAffected == 1, res.Error
}

func overlapping(tx *store.Tx, practitioner care.StaffID, i Interval, except care.AppointmentID) (bool, error) {
	var n int64
	err := store.Unverified(during(tx, practitioner, i)).Where("status <> 'cancelled' AND id <> ?", string(except)).Count(&n).Error
	return n > 0, err
}

// during selects a practitioner's appointments that overlap an interval. None
// lasts more than a day, which bounds the search in the index.
func during(tx *store.Tx, practitioner care.StaffID, i Interval) *gorm.DB {
	return tx.G().Model(&row{}).Where("practitioner_id = ? AND start_at < ? AND start_at > ? AND end_at > ?",
		string(practitioner), store.Micros(i.End), store.Micros(i.Start.Add(-24*time.Hour)), store.Micros(i.Start))
}

func busy(tx *store.Tx, practitioner care.StaffID, i Interval) ([]Interval, error) {
	var rows []row
	err := store.Unverified(during(tx, practitioner, i)).Select("start_at", "end_at").Where("status <> 'cancelled'").Order("start_at").Find(&rows).Error
	list := make([]Interval, len(rows))
	for n, r := range rows {
		list[n] = Interval{store.Time(r.StartAt), store.Time(r.EndAt)}
	}
	return list, err
}

func ofPractitioner(tx *store.Tx, practitioner care.StaffID, i Interval) ([]Appointment, error) {
	var rows []row
	err := during(tx, practitioner, i).Order("start_at, id").Find(&rows).Error
	return appointments(rows), err
}

// missed lists appointments nobody came to that ended before an instant.
func missed(tx *store.Tx, before time.Time) ([]Appointment, error) {
	var rows []row
	err := tx.G().Where("status = 'booked' AND end_at <= ?", store.Micros(before)).Order("end_at").Limit(200).Find(&rows).Error
	return appointments(rows), err
}

func currentOf(tx *store.Tx, patient care.PatientID, endedAfter time.Time) (care.AppointmentID, error) {
	var r []row
	err := tx.G().Where("patient_id = ? AND status IN ('booked', 'arrived') AND end_at > ?", string(patient), store.Micros(endedAfter)).
		Order("start_at").Limit(1).Find(&r).Error
	if err == nil && len(r) == 0 {
		err = tx.G().Where("patient_id = ?", string(patient)).Order("start_at DESC").Limit(1).Find(&r).Error
	}
	if err != nil || len(r) == 0 {
		return "", err
	}
	return care.AppointmentID(r[0].ID), nil
}
