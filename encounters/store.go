package encounters

import (
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/store"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

type encounterRow struct {
	ID             string
	AppointmentID  string
	PatientID      string
	PractitionerID string
	OrganizationID string
	Kind           string
	Status         string
	PlannedStart   int64
	PlannedEnd     int64
	ArrivedAt      int64
	StartedAt      int64
	FinishedAt     int64
	IdentifiedAt   int64
	IdentifiedHow  string
	IdentifiedBy   string
	VideoSeconds   int64
	Version        int64

	AppointmentVersion int64
	WaitingToldAt      int64
	store.Guarded
}

func (encounterRow) TableName() string { return "encounters" }

type teamRow struct {
	EncounterID string
	StaffID     string
	Role        string
	InvitedBy   string
	At          int64
	store.Guarded
}

func (teamRow) TableName() string { return "encounter_team" }

type presenceRow struct {
	ID          string
	EncounterID string
	PersonID    string
	SeatID      string
	Role        string
	JoinedAt    int64
	ToldAt      int64
	store.Guarded
}

func (presenceRow) TableName() string { return "encounter_presence" }

type departureRow struct {
	EncounterID string
	SeatID      string
	At          int64
	Assumed     bool
	ToldAt      int64
	How         string
}

func (departureRow) TableName() string { return "encounter_departures" }

type incidentRow struct {
	ID          string
	EncounterID string
	SeatID      string
	Code        string
	At          int64
}

func (incidentRow) TableName() string { return "encounter_incidents" }

func toRow(e *Encounter) encounterRow {
	return encounterRow{
		ID: string(e.ID), AppointmentID: string(e.AppointmentID), PatientID: string(e.PatientID),
		PractitionerID: string(e.PractitionerID), OrganizationID: string(e.OrganizationID), Kind: string(e.Kind), Status: string(e.Status),
		PlannedStart: store.Micros(e.PlannedStart), PlannedEnd: store.Micros(e.PlannedEnd), ArrivedAt: store.Micros(e.ArrivedAt),
		StartedAt: store.Micros(e.StartedAt), FinishedAt: store.Micros(e.FinishedAt), IdentifiedAt: store.Micros(e.IdentifiedAt),
		IdentifiedHow: string(e.IdentifiedHow), IdentifiedBy: string(e.IdentifiedBy), VideoSeconds: int64(e.VideoSeconds), Version: e.Version,
		AppointmentVersion: int64(e.AppointmentVersion), WaitingToldAt: store.Micros(e.waitingToldAt),
	}
}

func fromRow(r encounterRow) *Encounter {
	return &Encounter{
		ID: care.EncounterID(r.ID), AppointmentID: care.AppointmentID(r.AppointmentID), PatientID: care.PatientID(r.PatientID),
		PractitionerID: care.StaffID(r.PractitionerID), OrganizationID: care.OrganizationID(r.OrganizationID),
		Kind: care.ActKind(r.Kind), Status: Status(r.Status), PlannedStart: store.Time(r.PlannedStart), PlannedEnd: store.Time(r.PlannedEnd),
		ArrivedAt: store.Time(r.ArrivedAt), StartedAt: store.Time(r.StartedAt), FinishedAt: store.Time(r.FinishedAt),
		IdentifiedAt: store.Time(r.IdentifiedAt), IdentifiedHow: How(r.IdentifiedHow), IdentifiedBy: care.StaffID(r.IdentifiedBy),
		VideoSeconds: int(r.VideoSeconds), Version: r.Version,
		AppointmentVersion: int(r.AppointmentVersion), waitingToldAt: store.Time(r.WaitingToldAt),
	}
}

func insertEncounter(tx *store.Tx, e *Encounter) error {
	r := toRow(e)
	return tx.G().Create(&r).Error
}

// lock takes the act's row for the rest of the transaction; SQLite has one
// writer and needs none.
func lock(tx *store.Tx, id care.EncounterID) error {
	var r encounterRow
	return store.Missing(tx.Locked().Where("id = ?", string(id)).Take(&r).Error)
}

func load(tx *store.Tx, id care.EncounterID) (*Encounter, error) {
	return take(tx, tx.G().Where("id = ?", string(id)))
}

func loadByAppointment(tx *store.Tx, id care.AppointmentID) (*Encounter, error) {
	return take(tx, tx.G().Where("appointment_id = ?", string(id)))
}

func take(tx *store.Tx, q *gorm.DB) (*Encounter, error) {
	var r encounterRow
	if err := store.Missing(q.Take(&r).Error); err != nil {
		return nil, err
	}
	e := fromRow(r)
	e.boundVideo()
	return e, loadParts(tx, e)
}

func loadParts(tx *store.Tx, e *Encounter) error {
	var team []teamRow
	if err := tx.G().Where("encounter_id = ?", string(e.ID)).Order("at").Find(&team).Error; err != nil {
		return err
	}
	for _, r := range team {
		e.Team = append(e.Team, Member{care.StaffID(r.StaffID), care.Role(r.Role), care.StaffID(r.InvitedBy), store.Time(r.At)})
	}
	if err := loadPresence(tx, e); err != nil {
		return err
	}
	var incidents []incidentRow
	if err := tx.G().Where("encounter_id = ?", string(e.ID)).Order("at, id").Find(&incidents).Error; err != nil {
		return err
	}
	for _, r := range incidents {
		if !e.FinishedAt.IsZero() && r.At > store.Micros(e.FinishedAt) {
			continue // clients hang up when an act ends: no incident of the act
		}
		e.Incidents = append(e.Incidents, Incident{r.ID, r.SeatID, r.Code, store.Time(r.At)})
	}
	return nil
}

// update writes the act's own row if nobody changed it since it was read.
func update(tx *store.Tx, e *Encounter) error {
	r := toRow(e)
	r.Version++
	res := tx.G().Model(&encounterRow{}).Where("id = ? AND version = ?", r.ID, e.Version).Select("*").Updates(&r)
	if res.Error == nil && res.RowsAffected == 0 {
		return fault.New(fault.Conflict, "changed-meanwhile")
	}
	e.Version = r.Version
	return res.Error
}

func insertMember(tx *store.Tx, id care.EncounterID, m Member) error {
	return tx.G().Create(&teamRow{EncounterID: string(id), StaffID: string(m.StaffID), Role: string(m.Role), InvitedBy: string(m.InvitedBy), At: store.Micros(m.At)}).Error
}

func loadPresence(tx *store.Tx, e *Encounter) error {
	var joined []presenceRow
	if err := tx.G().Where("encounter_id = ?", string(e.ID)).Find(&joined).Error; err != nil {
		return err
	}
	var left []departureRow
	if err := tx.G().Where("encounter_id = ?", string(e.ID)).Find(&left).Error; err != nil {
		return err
	}
	arrivals := make([]Presence, len(joined))
	for i, r := range joined {
		arrivals[i] = Presence{ID: r.ID, PersonID: r.PersonID, SeatID: r.SeatID, Role: care.Role(r.Role), JoinedAt: store.Time(r.JoinedAt), ToldAt: store.Time(r.ToldAt)}
	}
	departures := make([]departure, len(left))
	for i, r := range left {
		departures[i] = departure{r.SeatID, store.Time(r.At), r.Assumed, store.Time(r.ToldAt), r.How}
	}
	e.Presence = stays(arrivals, departures, e.FinishedAt)
	return nil
}

// insertPresence writes that somebody joined; its id is that of the fact.
func insertPresence(tx *store.Tx, id care.EncounterID, p Presence) error {
	return tx.G().Create(&presenceRow{ID: p.ID, EncounterID: string(id), PersonID: p.PersonID, SeatID: p.SeatID, Role: string(p.Role),
		JoinedAt: store.Micros(p.JoinedAt), ToldAt: store.Micros(p.ToldAt)}).Error
}

// insertDeparture writes that somebody left. One that was seen goes before one
// that was assumed for the same instant; of two that were assumed the earlier
// guess is kept, so that their order does not matter.
func insertDeparture(tx *store.Tx, id care.EncounterID, d departure) error {
	does := clause.OnConflict{Columns: []clause.Column{{Name: "encounter_id"}, {Name: "seat_id"}, {Name: "at"}}}
	if d.assumed {
		does.DoUpdates = clause.Assignments(map[string]any{
			"told_at": gorm.Expr("CASE WHEN excluded.told_at < encounter_departures.told_at THEN excluded.told_at ELSE encounter_departures.told_at END"),
		})
	} else {
		does.DoUpdates = clause.Assignments(map[string]any{
			"assumed": false,
			"how":     gorm.Expr("CASE WHEN encounter_departures.assumed OR excluded.how > encounter_departures.how THEN excluded.how ELSE encounter_departures.how END"),
		})
	}
	return tx.G().Clauses(does).Create(&departureRow{string(id), d.seat, store.Micros(d.at), d.assumed, store.Micros(d.told), d.how}).Error
}

func insertIncident(tx *store.Tx, id care.EncounterID, i Incident) error {
	return tx.G().Create(&incidentRow{i.ID, string(id), i.SeatID, i.Code, store.Micros(i.At)}).Error
}

func ofStaff(tx *store.Tx, staff care.StaffID, from, to int64) ([]*Encounter, error) {
	var rows []encounterRow
	err := tx.G().Where("planned_start >= ? AND planned_start < ?", from, to).
		Where("practitioner_id = ? OR id IN (SELECT encounter_id FROM encounter_team WHERE staff_id = ?)", string(staff), string(staff)).
		Order("planned_start, id").Find(&rows).Error
	if err != nil {
		return nil, err
	}
	list := make([]*Encounter, 0, len(rows))
	for _, r := range rows {
		e := fromRow(r)
		if err := loadParts(tx, e); err != nil {
			return nil, err
		}
		if e.PractitionerID == staff || e.inTeam(staff) { // by rows that are genuine
			list = append(list, e)
		}
	}
	return list, nil
}

func countFinished(tx *store.Tx, patient care.PatientID, staff care.StaffID) (int64, error) {
	var n int64
	err := store.Unverified(tx.G()).Model(&encounterRow{}).Where("patient_id = ? AND practitioner_id = ? AND status = ?",
		string(patient), string(staff), string(Finished)).Count(&n).Error
	return n, err
}

// tied tells whether an act ties a professional to a patient: begun, with them
// there or responsible, or planned to begin before startsBefore and to end
// after endsAfter. Who was invited and did not come has the window only. The
// rows are read whole: a count of rows proves nothing.
func tied(tx *store.Tx, staff care.StaffID, patient care.PatientID, startsBefore, endsAfter int64) (bool, error) {
	var acts []encounterRow
	err := tx.G().Where("patient_id = ? AND status <> ?", string(patient), string(Cancelled)).
		Where(`((started_at <> 0 AND (practitioner_id = ? OR id IN (SELECT encounter_id FROM encounter_presence WHERE person_id = ?)))
			OR (planned_start <= ? AND planned_end >= ? AND (practitioner_id = ? OR id IN (SELECT encounter_id FROM encounter_team WHERE staff_id = ?))))`,
			string(staff), string(staff), startsBefore, endsAfter, string(staff), string(staff)).
		Find(&acts).Error
	if err != nil {
		return false, err
	}
	for _, e := range acts {
		if e.PractitionerID == string(staff) {
			return true, nil
		}
		var there []presenceRow
		if e.StartedAt != 0 {
			if err := tx.G().Where("encounter_id = ? AND person_id = ?", e.ID, string(staff)).Find(&there).Error; err != nil {
				return false, err
			}
		}
		var team []teamRow
		if e.PlannedStart <= startsBefore && e.PlannedEnd >= endsAfter {
			if err := tx.G().Where("encounter_id = ? AND staff_id = ?", e.ID, string(staff)).Find(&team).Error; err != nil {
				return false, err
			}
		}
		if len(there)+len(team) > 0 {
			return true, nil
		}
	}
	return false, nil
}

// inCallOf lists the acts that go on in which a person has joined the call.
func inCallOf(tx *store.Tx, person string) ([]*Encounter, error) {
	var rows []encounterRow
	err := tx.G().Where("status = ? AND id IN (SELECT encounter_id FROM encounter_presence WHERE person_id = ?)", string(InProgress), person).Find(&rows).Error
	if err != nil {
		return nil, err
	}
	list := make([]*Encounter, len(rows))
	for i, r := range rows {
		list[i] = fromRow(r)
		if err := loadPresence(tx, list[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func awaited(tx *store.Tx, staff care.StaffID, from, to int64) ([]*Encounter, error) {
	var rows []encounterRow
	err := tx.G().Where("practitioner_id = ? AND status = ? AND planned_start >= ? AND planned_start < ?", string(staff), string(Planned), from, to).
		Order("planned_start, id").Find(&rows).Error
	list := make([]*Encounter, len(rows))
	for i, r := range rows {
		list[i] = fromRow(r)
	}
	return list, err
}

// ofAppointments gives acts without their people, stays and incidents.
func ofAppointments(tx *store.Tx, ids []care.AppointmentID) ([]*Encounter, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []encounterRow
	if err := tx.G().Where("appointment_id IN ?", ids).Find(&rows).Error; err != nil {
		return nil, err
	}
	list := make([]*Encounter, len(rows))
	for i, r := range rows {
		list[i] = fromRow(r)
	}
	return list, nil
}
