package identity

import (
	"errors"
	"strings"

	"visavis/identity/prosante"
	"visavis/identity/traits"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/profession"
	"visavis/internal/store"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

type organizationRow struct {
	ID          string
	Finess      string
	Name        string
	Street      string
	PostalCode  string
	City        string
	CommuneCode string
	Phone       string
	Sector      string
	Setting     string
	Mssante     string
	Zone        string
	At          int64
	store.Guarded
}

func (organizationRow) TableName() string { return "organizations" }

type staffRow struct {
	ID             string
	OrganizationID string
	Role           string
	Idnat          string
	Title          string
	GivenName      string
	FamilyName     string
	SearchKey      string
	Profession     string
	Specialty      string
	Mssante        string
	Bio            string
	Languages      string
	Capabilities   string // names, joined by commas; empty for none
	Active         int
	At             int64
	store.Guarded
}

func (staffRow) TableName() string { return "staff" }

func (r organizationRow) domain() Organization {
	return Organization{ID: care.OrganizationID(r.ID), FINESS: r.Finess, Name: r.Name,
		Address: Address{r.Street, r.PostalCode, r.City, r.CommuneCode}, Phone: r.Phone, Sector: r.Sector,
		Setting: r.Setting, MSSante: r.Mssante, Zone: r.Zone}
}

func (r staffRow) domain(o Organization) Staff {
	var granted authz.Capability
	for _, name := range strings.Split(r.Capabilities, ",") {
		c, _ := authz.ParseCapability(name) // what this program does not know gives nothing
		granted |= c
	}
	return Staff{ID: care.StaffID(r.ID), Organization: o, Capabilities: granted, Role: care.Role(r.Role), IdNat: prosante.IdNat(r.Idnat), Title: profession.Title(r.Profession, r.Title),
		GivenName: r.GivenName, FamilyName: r.FamilyName, Profession: r.Profession, Specialty: r.Specialty, MSSante: r.Mssante,
		Bio: r.Bio, Languages: strings.Split(r.Languages, ","), Active: r.Active == 1}
}

// putOrganization inserts or updates by FINESS; it tells the id that stands and
// whether anything changed.
func putOrganization(tx *store.Tx, o Organization, at int64) (id care.OrganizationID, changed bool, err error) {
	r := organizationRow{ID: string(o.ID), Finess: o.FINESS, Name: o.Name, Street: o.Address.Street, PostalCode: o.Address.PostalCode, City: o.Address.City,
		CommuneCode: o.Address.CommuneCode, Phone: o.Phone, Sector: o.Sector, Setting: o.Setting, Mssante: o.MSSante, Zone: o.Zone, At: at}
	find := func() (kept organizationRow, err error) {
		err = tx.Locked().Where("finess = ?", o.FINESS).Take(&kept).Error
		return kept, err
	}
	kept, err := find()
	if errors.Is(err, gorm.ErrRecordNotFound) {
		res := tx.G().Clauses(clause.OnConflict{DoNothing: true}).Create(&r)
		if res.Error != nil || res.RowsAffected == 1 {
			return care.OrganizationID(r.ID), true, res.Error
		}
		kept, err = find() // somebody else just made it
	}
	if err != nil {
		return "", false, err
	}
	again := r
	if again.ID, again.At, again.Guarded = kept.ID, kept.At, kept.Guarded; again == kept {
		return care.OrganizationID(kept.ID), false, nil
	}
	err = tx.G().Model(&organizationRow{}).Where("id = ?", kept.ID).Select("*").Omit("id", "finess", "at").Updates(&r).Error
	return care.OrganizationID(kept.ID), true, err
}

// putStaff inserts or updates by organisation and national identifier; it tells
// the id that stands and whether anything changed.
func putStaff(tx *store.Tx, p Staff, at int64) (id care.StaffID, changed bool, err error) {
	r := staffRow{ID: string(p.ID), OrganizationID: string(p.Organization.ID), Role: string(p.Role), Idnat: string(p.IdNat), Title: p.Title,
		GivenName: p.GivenName, FamilyName: p.FamilyName, SearchKey: traits.SearchKey(p.FamilyName) + " " + traits.SearchKey(p.GivenName),
		Profession: p.Profession, Specialty: p.Specialty, Mssante: p.MSSante, Bio: p.Bio, Languages: strings.Join(p.Languages, ","), Capabilities: strings.Join(p.Capabilities.Names(), ","), Active: 1, At: at}
	find := func() (kept staffRow, err error) {
		err = tx.Locked().Where("organization_id = ? AND idnat = ?", r.OrganizationID, r.Idnat).Take(&kept).Error
		return kept, err
	}
	kept, err := find()
	if errors.Is(err, gorm.ErrRecordNotFound) {
		res := tx.G().Clauses(clause.OnConflict{DoNothing: true}).Create(&r)
		if res.Error != nil || res.RowsAffected == 1 {
			return care.StaffID(r.ID), true, res.Error
		}
		kept, err = find() // somebody else just made it
	}
	if err != nil {
		return "", false, err
	}
	again := r
	if again.ID, again.At, again.Guarded = kept.ID, kept.At, kept.Guarded; again == kept {
		return care.StaffID(kept.ID), false, nil
	}
	err = tx.G().Model(&staffRow{}).Where("id = ?", kept.ID).Select("*").Omit("id", "organization_id", "idnat", "at").Updates(&r).Error
	return care.StaffID(kept.ID), true, err
}

func loadOrganization(tx *store.Tx, id care.OrganizationID) (Organization, error) {
	var r organizationRow
	err := tx.G().Where("id = ?", string(id)).Take(&r).Error
	return r.domain(), missing(err)
}

func loadStaff(tx *store.Tx, id care.StaffID) (Staff, error) {
	list, err := staffWhere(tx, tx.G().Where("id = ?", string(id)))
	if err != nil {
		return Staff{}, err
	}
	if len(list) == 0 {
		return Staff{}, fault.Missing()
	}
	return list[0], nil
}

func organizations(tx *store.Tx) ([]Organization, error) {
	var rows []organizationRow
	err := tx.G().Order("finess").Find(&rows).Error
	list := make([]Organization, len(rows))
	for i, r := range rows {
		list[i] = r.domain()
	}
	return list, err
}

func everybody(tx *store.Tx, o care.OrganizationID) ([]Staff, error) {
	return staffWhere(tx, tx.G().Where("organization_id = ?", string(o)))
}

// staffByIdNat lists the places one person works at.
func staffByIdNat(tx *store.Tx, id prosante.IdNat) ([]Staff, error) {
	return staffWhere(tx, tx.G().Where("idnat = ? AND active = 1", string(id)))
}

// staffOf lists the active staff of an organisation; an empty role is all.
func staffOf(tx *store.Tx, o care.OrganizationID, role care.Role) ([]Staff, error) {
	q := tx.G().Where("organization_id = ? AND active = 1", string(o))
	if role != "" {
		q = q.Where("role = ?", string(role))
	}
	return staffWhere(tx, q)
}

// doctors lists active doctors of any of the specialties whose name holds each
// word; words are letters only, so that no wildcard can be in them.
func doctors(tx *store.Tx, specialties, words []string, limit int) ([]Staff, error) {
	q := tx.G().Where("role = ? AND active = 1", string(care.Doctor))
	if len(specialties) > 0 {
		q = q.Where("specialty IN ?", specialties)
	}
	for _, w := range words {
		q = q.Where("search_key LIKE ?", "%"+w+"%")
	}
	return staffWhere(tx, q.Limit(limit))
}

// specialties lists the codes practised by the active doctors.
func specialties(tx *store.Tx) ([]string, error) {
	var codes []string
	err := store.Unverified(tx.G()).Model(&staffRow{}).Where("role = ? AND active = 1 AND specialty <> ''", string(care.Doctor)).
		Distinct().Order("specialty").Pluck("specialty", &codes).Error
	return codes, err
}

func staffWhere(tx *store.Tx, q *gorm.DB) ([]Staff, error) {
	var rows []staffRow
	if err := q.Order("family_name, given_name, id").Find(&rows).Error; err != nil {
		return nil, err
	}
	known := map[string]Organization{}
	list := make([]Staff, 0, len(rows))
	for _, r := range rows {
		o, ok := known[r.OrganizationID]
		if !ok {
			var err error
			if o, err = loadOrganization(tx, care.OrganizationID(r.OrganizationID)); err != nil {
				return nil, err
			}
			known[r.OrganizationID] = o
		}
		list = append(list, r.domain(o))
	}
	return list, nil
}

func setStaffActive(tx *store.Tx, id care.StaffID, active int) error {
	return tx.G().Model(&staffRow{}).Where("id = ?", string(id)).Updates(map[string]any{"active": active}).Error
}

// missing turns a row that is not there into the answer for what is absent.
func missing(err error) error {
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return fault.Missing()
	}
	return err
}
