package refusals

import (
	"context"
	"errors"
	"strings"
	"time"

	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/seal"
	"visavis/internal/store"

	"gorm.io/gorm"
)

type alarmRow struct {
	ID             string
	OrganizationID string
	Actor          string
	Role           string
	Kind           string
	BeganAt        int64
	RaisedAt       int64
	LastAt         int64
	Refusals       int64
	Objects        int64
	Areas          string
	SettledAt      int64
	SettledBy      string
	Reason         []byte // sealed: somebody typed it
	store.Guarded
}

func (alarmRow) TableName() string { return "refusal_alarms" }

func reasonPlace(id string) seal.Place {
	return seal.Place{Table: "refusal_alarms", Column: "reason", Row: id}
}

func (r alarmRow) domain(ctx context.Context, tx *store.Tx, k *seal.Keeper) (Alarm, error) {
	a := Alarm{
		ID: r.ID, Organization: care.OrganizationID(r.OrganizationID), Actor: r.Actor, Role: care.Role(r.Role), Kind: r.Kind,
		Began: store.Time(r.BeganAt), Raised: store.Time(r.RaisedAt), Last: store.Time(r.LastAt),
		Refusals: int(r.Refusals), Objects: int(r.Objects), Areas: strings.Split(r.Areas, ","), SettledBy: care.StaffID(r.SettledBy),
	}
	if r.SettledAt == 0 {
		return a, nil
	}
	a.SettledAt = store.Time(r.SettledAt)
	text, err := k.Open(ctx, tx, seal.House, reasonPlace(r.ID), r.Reason)
	a.Reason = string(text)
	return a, err
}

func domains(ctx context.Context, tx *store.Tx, k *seal.Keeper, rows []alarmRow) ([]Alarm, error) {
	list := make([]Alarm, len(rows))
	for i, r := range rows {
		var err error
		if list[i], err = r.domain(ctx, tx, k); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func insertAlarm(tx *store.Tx, a Alarm) error {
	return tx.G().Create(&alarmRow{
		ID: a.ID, OrganizationID: string(a.Organization), Actor: a.Actor, Role: string(a.Role), Kind: a.Kind,
		BeganAt: store.Micros(a.Began), RaisedAt: store.Micros(a.Raised), LastAt: store.Micros(a.Last),
		Refusals: int64(a.Refusals), Objects: int64(a.Objects), Areas: strings.Join(a.Areas, ","), Reason: []byte{},
	}).Error
}

// growAlarm tells what came after an alarm was raised.
func growAlarm(tx *store.Tx, a Alarm) error {
	return tx.G().Model(&alarmRow{}).Where("id = ?", a.ID).Updates(map[string]any{
		"refusals": int64(a.Refusals), "objects": int64(a.Objects), "last_at": store.Micros(a.Last), "areas": strings.Join(a.Areas, ","),
	}).Error
}

// settleAlarm fails as Conflict when it is settled already: of two at once one wins.
func settleAlarm(tx *store.Tx, a Alarm, sealed []byte) error {
	res := tx.G().Model(&alarmRow{}).Where("id = ? AND settled_at = 0", a.ID).Updates(map[string]any{
		"settled_at": store.Micros(a.SettledAt), "settled_by": string(a.SettledBy), "reason": sealed,
	})
	if res.Error == nil && res.RowsAffected == 0 {
		return fault.New(fault.Conflict, "alarm-settled")
	}
	return res.Error
}

func loadAlarm(ctx context.Context, tx *store.Tx, k *seal.Keeper, id string, lock bool) (Alarm, error) {
	g := tx.G()
	if lock {
		g = tx.Locked()
	}
	var r alarmRow
	if err := g.Where("id = ?", id).Take(&r).Error; err != nil {
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return Alarm{}, fault.Missing()
		}
		return Alarm{}, err
	}
	return r.domain(ctx, tx, k)
}

// alarmsOf lists a page of the alarms of an organisation, the newest first.
func alarmsOf(ctx context.Context, tx *store.Tx, k *seal.Keeper, o care.OrganizationID, q AlarmQuery) ([]Alarm, error) {
	g := tx.G().Where("organization_id = ?", string(o))
	switch q.State {
	case Open:
		g = g.Where("settled_at = 0")
	case Settled:
		g = g.Where("settled_at > 0")
	}
	if q.Before != "" {
		g = g.Where("id < ?", q.Before)
	}
	var rows []alarmRow
	if err := g.Order("id DESC").Limit(q.Limit).Find(&rows).Error; err != nil {
		return nil, err
	}
	return domains(ctx, tx, k, rows)
}

func alarmsSince(ctx context.Context, tx *store.Tx, k *seal.Keeper, at time.Time) ([]Alarm, error) {
	var rows []alarmRow
	if err := tx.G().Where("raised_at >= ?", store.Micros(at)).Order("id").Limit(maxPeople).Find(&rows).Error; err != nil {
		return nil, err
	}
	return domains(ctx, tx, k, rows)
}

// countOpen counts the open alarms of an organisation; of all when it is empty.
func countOpen(tx *store.Tx, o care.OrganizationID) (n int64, err error) {
	g := store.Unverified(tx.G()).Model(&alarmRow{}).Where("settled_at = 0")
	if o != "" {
		g = g.Where("organization_id = ?", string(o))
	}
	err = g.Count(&n).Error
	return n, err
}
