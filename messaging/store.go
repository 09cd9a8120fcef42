package messaging

import (
	"time"

	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/store"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

type deliveryRow struct {
	ID             string
	Once           string
	Channel        string
	About          string
	Recipient      string
	PatientID      string
	PractitionerID string
	OrganizationID string
	AppointmentID  string
	EncounterID    string
	CodeID         string
	CompanionID    string
	Representative string
	Language       string
	Zone           string
	StartsAt       int64
	TurnFrom       int64
	TurnTo         int64
	FactAt         int64
	FactVersion    int64
	State          string
	Reason         string
	Attempts       int64
	NextAt         int64
	Claim          string
	ClaimedUntil   int64
	Phase          string
	DataAt         int64
	Witnessed      int64
	MessageID      string
	WrittenAt      int64
	SealedTo       []byte
	SealedContent  []byte
	At             int64
	UpdatedAt      int64 `gorm:"autoUpdateTime:false"` // GORM would write seconds here
	store.Guarded
}

func (deliveryRow) TableName() string { return "deliveries" }

type documentRow struct {
	DocumentID string
	Recipient  string
	DeliveryID string
	Position   int64
	store.Guarded
}

func (documentRow) TableName() string { return "delivery_documents" }

type stepRow struct {
	DeliveryID string
	Position   int64
	At         int64
	State      string
	Reason     string
}

func (stepRow) TableName() string { return "delivery_history" }

func toRow(d *Delivery) deliveryRow {
	witnessed := int64(0)
	if d.witnessed {
		witnessed = 1
	}
	return deliveryRow{
		ID: string(d.ID), Once: d.Once, Channel: string(d.Channel), About: string(d.About), Recipient: string(d.Recipient),
		PatientID: string(d.PatientID), PractitionerID: string(d.PractitionerID), OrganizationID: string(d.OrganizationID),
		AppointmentID: string(d.AppointmentID), EncounterID: string(d.EncounterID), CodeID: d.CodeID, CompanionID: string(d.CompanionID), Representative: d.Representative, Language: string(d.Language),
		Zone: d.Zone, StartsAt: store.Micros(d.StartsAt), TurnFrom: store.Micros(d.TurnFrom), TurnTo: store.Micros(d.TurnTo), FactAt: store.Micros(d.FactAt), FactVersion: int64(d.FactVersion), State: string(d.State), Reason: d.Reason,
		Attempts: int64(d.Attempts), NextAt: store.Micros(d.NextAt), Claim: d.claim, ClaimedUntil: store.Micros(d.claimedUntil),
		Phase: string(d.phase), DataAt: store.Micros(d.dataAt), Witnessed: witnessed, MessageID: d.messageID,
		WrittenAt: store.Micros(d.writtenAt), SealedTo: nonNil(d.sealedTo), SealedContent: nonNil(d.sealed),
		At: store.Micros(d.At), UpdatedAt: store.Micros(d.updatedAt),
	}
}

func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func fromRow(r deliveryRow) *Delivery {
	return &Delivery{
		ID: care.DeliveryID(r.ID), Once: r.Once, Channel: Channel(r.Channel), About: About(r.About), Recipient: Recipient(r.Recipient),
		PatientID: care.PatientID(r.PatientID), PractitionerID: care.StaffID(r.PractitionerID), OrganizationID: care.OrganizationID(r.OrganizationID),
		AppointmentID: care.AppointmentID(r.AppointmentID), EncounterID: care.EncounterID(r.EncounterID), CodeID: r.CodeID, CompanionID: care.CompanionID(r.CompanionID), Representative: r.Representative,
		Language: care.Language(r.Language), Zone: r.Zone, StartsAt: store.Time(r.StartsAt), TurnFrom: store.Time(r.TurnFrom), TurnTo: store.Time(r.TurnTo), FactAt: store.Time(r.FactAt), FactVersion: int(r.FactVersion),
		State: State(r.State), Reason: r.Reason, Attempts: int(r.Attempts), NextAt: store.Time(r.NextAt), claim: r.Claim,
		claimedUntil: store.Time(r.ClaimedUntil), phase: phase(r.Phase), dataAt: store.Time(r.DataAt), witnessed: r.Witnessed == 1,
		messageID: r.MessageID, writtenAt: store.Time(r.WrittenAt), sealedTo: r.SealedTo, sealed: r.SealedContent,
		At: store.Time(r.At), updatedAt: store.Time(r.UpdatedAt),
	}
}

// insert writes a new delivery; false when the fact made one already.
func insert(tx *store.Tx, d *Delivery) (bool, error) {
	r := toRow(d)
	res := tx.G().Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "once"}}, DoNothing: true}).Create(&r)
	return res.RowsAffected == 1, res.Error
}

// update writes every column of a delivery that was locked.
func update(tx *store.Tx, d *Delivery) error {
	r := toRow(d)
	return tx.G().Model(&deliveryRow{}).Where("id = ?", r.ID).Select("*").Omit("id", "once", "at").Updates(&r).Error
}

// insertSteps adds the new lines of the history of a delivery that is locked.
func insertSteps(tx *store.Tx, d *Delivery) error {
	if len(d.steps) == 0 {
		return nil
	}
	var n int64
	if err := tx.G().Model(&stepRow{}).Where("delivery_id = ?", string(d.ID)).Count(&n).Error; err != nil {
		return err
	}
	for i, s := range d.steps {
		r := stepRow{DeliveryID: string(d.ID), Position: n + int64(i), At: store.Micros(s.At), State: string(s.State), Reason: s.Reason}
		if err := tx.G().Create(&r).Error; err != nil {
			return err
		}
	}
	d.steps = nil
	return nil
}

// lockDelivery loads a delivery that no other transaction can change
// meanwhile; SQLite has one writer.
func lockDelivery(tx *store.Tx, id care.DeliveryID) (*Delivery, error) {
	q := tx.Locked()
	return take(q.Where("id = ?", string(id)))
}

// lockMessage finds the delivery a report is about, by its Message-ID or by
// the ENVID, which is the delivery's id.
func lockMessage(tx *store.Tx, messageID, envelopeID string) (*Delivery, error) {
	if messageID == "" && !care.ValidID(envelopeID) {
		return nil, fault.Missing()
	}
	d, err := take(tx.G().Where("(message_id = ? AND message_id <> '') OR id = ?", messageID, envelopeID).Order("id"))
	if err != nil {
		return nil, err
	}
	return lockDelivery(tx, d.ID)
}

func take(q *gorm.DB) (*Delivery, error) {
	var r deliveryRow
	if err := store.Missing(q.Take(&r).Error); err != nil {
		return nil, err
	}
	return fromRow(r), nil
}

func find(q *gorm.DB) ([]*Delivery, error) {
	var rows []deliveryRow
	if err := q.Order("at, id").Limit(500).Find(&rows).Error; err != nil {
		return nil, err
	}
	list := make([]*Delivery, 0, len(rows))
	for _, r := range rows {
		list = append(list, fromRow(r))
	}
	return list, nil
}

func byAct(tx *store.Tx, id care.EncounterID, booking care.AppointmentID) ([]*Delivery, error) {
	return find(tx.G().Where("encounter_id = ? OR (appointment_id = ? AND appointment_id <> '')", string(id), string(booking)))
}

func toPost(tx *store.Tx, o care.OrganizationID) ([]*Delivery, error) {
	return find(tx.G().Where("organization_id = ? AND state = ?", string(o), string(ToPost)))
}

func ofDocument(tx *store.Tx, id care.DocumentID, to Recipient) (*Delivery, error) {
	return take(tx.G().Where("id = (SELECT delivery_id FROM delivery_documents WHERE document_id = ? AND recipient = ?)", string(id), string(to)))
}

// lockAppointment lets one fact about an appointment be consumed at a time:
// two that do not see each other's messages would both be the last. SQLite has
// one writer and needs none.
func lockAppointment(tx *store.Tx, id care.AppointmentID) error {
	if tx.Dialect() != store.Postgres {
		return nil
	}
	return tx.G().Exec("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", "messaging.appointment."+string(id)).Error
}

// ofAppointment lists the messages of a booking, locked in the order of ids.
func ofAppointment(tx *store.Tx, id care.AppointmentID) ([]*Delivery, error) {
	q := tx.Locked()
	var rows []deliveryRow
	if err := q.Where("appointment_id = ? AND about <> ?", string(id), string(Documents)).Order("id").Find(&rows).Error; err != nil {
		return nil, err
	}
	list := make([]*Delivery, 0, len(rows))
	for _, r := range rows {
		list = append(list, fromRow(r))
	}
	return list, nil
}

// overtaken tells whether a later fact of the appointment has made this
// message wrong.
func overtaken(tx *store.Tx, d *Delivery) (bool, error) {
	if d.AppointmentID == "" || d.About == Documents || d.About == Code {
		return false, nil
	}
	var rows []deliveryRow
	err := tx.G().Where("appointment_id = ? AND about IN ?", string(d.AppointmentID), []string{string(Booked), string(Moved), string(Cancelled)}).Find(&rows).Error
	for _, r := range rows {
		if fromRow(r).after(d.FactVersion, d.FactAt) {
			return true, err
		}
	}
	return false, err
}

// ofAct lists the document deliveries of an act to one recipient, locked.
func ofAct(tx *store.Tx, id care.EncounterID, to Recipient) ([]*Delivery, error) {
	q := tx.Locked()
	var rows []deliveryRow
	err := q.Where("encounter_id = ? AND recipient = ? AND about = ?", string(id), string(to), string(Documents)).Order("id").Find(&rows).Error
	list := make([]*Delivery, 0, len(rows))
	for _, r := range rows {
		list = append(list, fromRow(r))
	}
	return list, err
}

// messageBefore gives the Message-ID of the last letter of the same act to the
// same recipient that was written before d, "" when there is none. Both times
// are fixed by the first attempt, so every attempt gets the same answer.
func messageBefore(tx *store.Tx, d *Delivery) (string, error) {
	var ids []string
	err := store.Unverified(tx.G()).Model(&deliveryRow{}).Where(
		"encounter_id = ? AND recipient = ? AND about = ? AND id <> ? AND written_at > 0 AND written_at < ?",
		string(d.EncounterID), string(d.Recipient), string(Documents), string(d.ID), store.Micros(d.writtenAt)).
		Order("written_at DESC, id DESC").Limit(1).Pluck("message_id", &ids).Error
	if err != nil || len(ids) == 0 {
		return "", err
	}
	return ids[0], nil
}

// due lists deliveries that nobody works on and should: late in the queue,
// left by a process that died, or waiting for an identity.
func due(tx *store.Tx, now time.Time) (ids []care.DeliveryID, err error) {
	us := store.Micros(now)
	err = store.Unverified(tx.G()).Model(&deliveryRow{}).Where(
		"(state IN ? AND next_at <= ?) OR (state = ? AND claimed_until <= ? AND next_at <= ?)",
		[]string{string(Queued), string(WaitingIdentity)}, us, string(Sending), us, us).
		Order("next_at, id").Limit(200).Pluck("id", &ids).Error
	return ids, err
}

// addDocument puts a document in a delivery; false when it has been given to
// this recipient already.
func addDocument(tx *store.Tx, d *Delivery, id care.DocumentID, position int) (bool, error) {
	r := documentRow{DocumentID: string(id), Recipient: string(d.Recipient), DeliveryID: string(d.ID), Position: int64(position)}
	res := tx.G().Clauses(clause.OnConflict{DoNothing: true}).Create(&r)
	return res.RowsAffected == 1, res.Error
}

func removeDocument(tx *store.Tx, d *Delivery, id care.DocumentID) error {
	return tx.G().Where("delivery_id = ? AND document_id = ?", string(d.ID), string(id)).Delete(&documentRow{}).Error
}

func loadDocuments(tx *store.Tx, d *Delivery) error {
	d.Documents = nil
	var rows []documentRow
	err := tx.G().Where("delivery_id = ?", string(d.ID)).Order("position, document_id").Find(&rows).Error
	for _, r := range rows {
		d.Documents = append(d.Documents, care.DocumentID(r.DocumentID))
	}
	return err
}

func loadHistory(tx *store.Tx, d *Delivery) error {
	var rows []stepRow
	if err := tx.G().Where("delivery_id = ?", string(d.ID)).Order("position").Find(&rows).Error; err != nil {
		return err
	}
	d.History = nil
	for _, r := range rows {
		d.History = append(d.History, Step{At: store.Time(r.At), State: State(r.State), Reason: r.Reason})
	}
	return nil
}
