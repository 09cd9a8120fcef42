package main

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"visavis/consent"
	"visavis/documents"
	"visavis/encounters"
	"visavis/identity"
	"visavis/identity/traits"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/cda"
	"visavis/internal/lang"
	"visavis/internal/paper"
	"visavis/prescriptions"
)

// paperActs gathers what the papers of an act must say of it: the act from
// encounters, the people from identity, the consent from consent.
type paperActs struct{ ask }

// CaresFor asks encounters for the care team of a patient.
func (q paperActs) CaresFor(ctx context.Context, staff care.StaffID, patient care.PatientID) (bool, error) {
	return q.encounters.CaresFor(ctx, staff, patient)
}

// Settling asks encounters.
func (q paperActs) Settling(ctx context.Context, id care.EncounterID) (bool, error) {
	return q.encounters.Settling(ctx, id)
}

// Act answers documents and prescriptions.
func (q paperActs) Act(ctx context.Context, id care.EncounterID) (paper.Act, error) {
	e, err := q.encounters.Facts(ctx, id)
	if err != nil {
		return paper.Act{}, err
	}
	zone, err := time.LoadLocation(q.cfg.Zone)
	if err != nil {
		return paper.Act{}, err
	}
	a := paper.Act{
		EncounterID: e.ID, AppointmentID: e.AppointmentID, PatientID: e.PatientID, AuthorID: e.PractitionerID, OrganizationID: e.OrganizationID,
		Started: !e.StartedAt.IsZero(), Finished: e.Status == encounters.Finished, Start: e.StartedAt, End: e.FinishedAt, Zone: zone,
		VideoSeconds: e.VideoSeconds,
	}
	for _, i := range e.Incidents {
		a.Unmeasured = a.Unmeasured || i.Code == "app_restarted" || i.Code == "node_lost"
	}
	if e.IdentifiedHow != "" {
		by, err := q.identity.Staff(ctx, e.IdentifiedBy)
		if err != nil {
			return paper.Act{}, err
		}
		a.IdentityCheck = q.words.T(string(care.French), "identified."+string(e.IdentifiedHow), map[string]string{"name": named(by)})
	}
	for _, step := range []func(context.Context, *encounters.Encounter, *paper.Act) error{q.patient, q.author, q.present, q.agreed} {
		if err := step(ctx, e, &a); err != nil {
			return a, err
		}
	}
	ribbons, err := q.encounters.Ribbons(ctx, e)
	for _, i := range ribbons.Incidents() {
		_, text := i.In(q.incidents, string(care.French))
		a.Incidents = append(a.Incidents, paper.Incident{At: i.At, Text: text})
	}
	return a, err
}

func (q paperActs) patient(ctx context.Context, e *encounters.Encounter, a *paper.Act) error {
	p, err := q.identity.Patient(ctx, e.PatientID)
	if err != nil {
		return err
	}
	t := p.Traits
	a.PatientName = p.DisplayName()
	a.Patient = cda.Patient{
		Local:       cda.ID{Root: q.cfg.OID + ".1", Extension: string(p.ID)},
		BirthFamily: t.BirthFamilyName, BirthGiven: givenNames(t), UsedFamily: t.UsedFamilyName, UsedGiven: t.UsedGivenName,
		Sex: string(t.Sex), BirthDate: string(t.BirthDate), BirthPlace: t.BirthPlaceCode, BirthCity: t.BirthPlaceName,
		Address: address(p.Address), Contact: cda.Contact{Mobile: p.Phone, Email: p.Email},
	}
	if ins, ok := p.QualifiedINS(); ok {
		a.Patient.INS = &cda.INS{OID: ins.OID, Value: ins.Matricule}
		a.Patient.Contact.MSSante = ins.Matricule + "@" + q.cfg.MSSante.Domain
	}
	for _, r := range p.Representatives {
		given, family := split(r.DisplayName)
		a.Patient.Guardians = append(a.Patient.Guardians, cda.Guardian{
			Relation: relations()[r.Relation], Family: family, Given: given, Contact: cda.Contact{Mobile: r.Phone, Email: r.Email},
		})
	}
	if p.Referring != nil {
		a.ReferringName = p.Referring.DisplayName()
		a.Referring = referring(*p.Referring)
	}
	return nil
}

// relations are the JDV_J11 codes of the relations identity knows.
func relations() map[string]string {
	return map[string]string{"mother": "MTH", "father": "FTH", "guardian": "TUTEUR"}
}

// givenNames is the list of birth given names, the first one first.
func givenNames(t traits.Traits) []string {
	rest, ok := strings.CutPrefix(t.BirthGivenNames, t.FirstGivenName)
	if !ok || t.FirstGivenName == "" {
		return strings.Fields(t.BirthGivenNames)
	}
	return append([]string{t.FirstGivenName}, strings.Fields(rest)...)
}

// split parts « Julie MOREAU » into given and family names.
func split(name string) (given, family string) {
	words := strings.Fields(name)
	if len(words) < 2 {
		return "", name
	}
	return words[0], strings.Join(words[1:], " ")
}

func address(a identity.Address) cda.Address {
	if a == (identity.Address{}) {
		return cda.Address{}
	}
	return cda.Address{Street: a.Street, PostalCode: a.PostalCode, City: a.City, Country: "France"}
}

func (q paperActs) author(ctx context.Context, e *encounters.Encounter, a *paper.Act) error {
	p, err := q.identity.Staff(ctx, e.PractitionerID)
	if err != nil {
		return err
	}
	a.Author = professional(p)
	a.AuthorQuality, err = quality(p)
	return err
}

// present lists who was there, each from first arrival to last departure, and
// the devices they brought.
func (q paperActs) present(ctx context.Context, e *encounters.Encounter, a *paper.Act) error {
	at := map[string]int{}
	for _, s := range e.Presence {
		left := s.LeftAt
		if left.IsZero() {
			left = a.End
		}
		if s.Role == encounters.RoleDevice {
			if err := q.brought(ctx, e, a, s, left); err != nil {
				return err
			}
			continue
		}
		stay := paper.Stay{From: s.JoinedAt, To: left, Assumed: s.Assumed, How: s.How}
		if i, ok := at[s.PersonID]; ok {
			p := &a.People[i]
			p.Stays = append(p.Stays, stay)
			if left.After(p.To) {
				p.To = left
			}
			if s.ToldAt.Before(p.Told) {
				p.Told = s.ToldAt
			}
			continue
		}
		p := paper.Person{ID: s.PersonID, Role: s.Role, From: s.JoinedAt, To: left, Stays: []paper.Stay{stay}, Told: s.ToldAt}
		if err := q.who(ctx, e, &p); err != nil {
			return err
		}
		at[s.PersonID] = len(a.People)
		a.People = append(a.People, p)
	}
	return nil
}

// brought adds a stay of a device.
func (q paperActs) brought(ctx context.Context, e *encounters.Encounter, a *paper.Act, s encounters.Presence, left time.Time) error {
	stay := paper.Stay{From: s.JoinedAt, To: left, Assumed: s.Assumed, How: s.How}
	if i := slices.IndexFunc(a.Devices, func(d paper.Device) bool { return d.ID == s.PersonID }); i >= 0 {
		d := &a.Devices[i]
		d.Stays = append(d.Stays, stay)
		if left.After(d.To) {
			d.To = left
		}
		return nil
	}
	d := paper.Device{ID: s.PersonID, From: s.JoinedAt, To: left, Stays: []paper.Stay{stay}}
	var err error
	if d.Name, err = q.whip.Label(ctx, s.PersonID); err != nil {
		return err
	}
	known, err := q.whip.Device(ctx, s.PersonID)
	if err != nil {
		return err
	}
	owner := paper.Person{ID: known.Owner}
	if err := q.who(ctx, e, &owner); err != nil {
		return err
	}
	d.Owner = owner.Name
	a.Devices = append(a.Devices, d)
	return nil
}

func (q paperActs) who(ctx context.Context, e *encounters.Encounter, p *paper.Person) (err error) {
	if p.ID == string(e.PatientID) {
		p.Name, err = q.identity.PatientName(ctx, e.PatientID)
		return err
	}
	if p.Role == care.Companion {
		c, err := q.identity.Companion(ctx, care.CompanionID(p.ID))
		p.Name = c.Name
		return err
	}
	s, err := q.identity.Staff(ctx, care.StaffID(p.ID))
	if err != nil {
		return err
	}
	p.Name, p.Profession = named(s), s.Profession
	if s.ID != e.PractitionerID && s.RPPS() != "" {
		pro := professional(s)
		p.Professional = &pro
	}
	return nil
}

// agreed states the consent in force during the act, and that it was withdrawn
// meanwhile. What was decided after the end is not of the act.
func (q paperActs) agreed(ctx context.Context, e *encounters.Encounter, a *paper.Act) error {
	start, end := e.StartedAt, e.FinishedAt
	if end.IsZero() {
		end = q.clock.Now()
	}
	if start.IsZero() {
		start = end
	}
	list, err := q.consent.During(ctx, e.AppointmentID, start, end)
	if err != nil {
		return err
	}
	dates, err := lang.NewWords()
	if err != nil {
		return err
	}
	say := func(key string, args map[string]string) string { return q.words.T(string(care.French), key, args) }
	a.ConsentID, a.ConsentText = stated(list, teller{a.Zone, dates, a.Patient.Sex, say})
	return nil
}

// teller says facts of consent in French.
type teller struct {
	zone  *time.Location
	dates *lang.Words
	sex   string // of the patient: F, M or UN
	say   func(key string, args map[string]string) string
}

// at gives the hour of a record and how the patient is called.
func (x teller) at(r consent.Record) map[string]string {
	who := "M"
	if x.sex == "F" {
		who = "F"
	}
	return map[string]string{"time": x.dates.Clock(string(care.French), r.At.In(x.zone)), "date": x.dates.Date(string(care.French), r.At.In(x.zone)),
		"patient": x.say("patient."+who, nil), "of": x.say("of-patient."+who, nil)}
}

// stated says in words what was agreed to: the first agreement, and each change
// of mind with its hour. id is empty when nothing was ever agreed to.
func stated(list []consent.Agreement, x teller) (id, text string) {
	for _, r := range list {
		at := x.at(r.Record)
		switch {
		case r.State == care.ConsentGranted && id == "":
			id = string(r.ID)
			at["text"] = strconv.Itoa(r.Version)
			if text != "" {
				text += " ; "
			}
			text += x.say(agreed(r, at, x.say), at)
		case r.State == care.ConsentEmergency:
			if text != "" {
				text += " ; "
			}
			at["attester"] = r.AttestedBy
			text += x.say("consent.emergency", at)
		case r.State == care.ConsentGranted:
			text += x.say("consent.again", at)
		case r.State == care.ConsentWithdrawn && id != "":
			text += x.say("consent.withdrawn", at)
		case r.State == care.ConsentRefused && text != "":
			text += x.say("consent.refused", at)
		}
	}
	return id, text
}

// agreed names the sentence of an agreement, and adds to args who took it and who
// attests it.
func agreed(r consent.Agreement, args map[string]string, say func(key string, args map[string]string) string) string {
	key := "consent." + string(r.Channel)
	if r.Agent != nil {
		args["name"], args["relation"] = r.Agent.Name, say("relation."+string(r.Agent.Relation), map[string]string{"of": args["of"], "patient": args["patient"]})
	}
	if r.Channel != consent.Oral {
		return key
	}
	if args["attester"] = r.AttestedBy; r.AttestedBy == "" {
		args["attester"] = say("consent.professional", nil)
	}
	if r.Agent != nil {
		key += "-representative"
	}
	return key
}

func professional(p identity.Staff) cda.Professional {
	o := p.Organization
	place := cda.Organization{
		FINESS: o.FINESS, Name: o.Name, Sector: o.Sector, Setting: o.Setting, Address: address(o.Address), Contact: cda.Contact{Phone: o.Phone},
	}
	pro := cda.Professional{
		RPPS: p.RPPS(), Specialty: p.AuthorCode(), Family: p.FamilyName, Given: p.GivenName, Organization: place,
		Address: place.Address, Contact: cda.Contact{Phone: o.Phone, MSSante: p.MSSante},
	}
	if p.Title != "" {
		pro.Title = strings.ToUpper(p.Title)
	}
	return pro
}

func referring(r identity.Referring) *cda.Professional {
	if r.RPPS == "" {
		return nil
	}
	p := &cda.Professional{RPPS: r.RPPS, Family: r.FamilyName, Given: r.GivenName, Contact: cda.Contact{MSSante: r.MSSante}}
	if r.Specialty != "" {
		p.Specialty = "G15_10/" + r.Specialty
	}
	if r.Title != "" {
		p.Title = strings.ToUpper(r.Title)
	}
	return p
}

type pharmacies struct{ ask }

// Pharmacist asks identity who dispenses.
func (q pharmacies) Pharmacist(ctx context.Context, id care.StaffID) (prescriptions.Pharmacist, error) {
	p, err := q.identity.Staff(ctx, id)
	if err != nil {
		return prescriptions.Pharmacist{}, err
	}
	return prescriptions.Pharmacist{Name: named(p), Pharmacy: p.Organization.Name, FINESS: p.Organization.FINESS}, nil
}

type paperDispensings struct{ ask }

// DispensedState asks prescriptions how far a document was dispensed.
func (q paperDispensings) DispensedState(ctx context.Context, id care.DocumentID) (string, time.Time, string, bool, error) {
	state, at, pharmacy, ok, err := q.prescriptions.DispensedState(ctx, id)
	return string(state), at, pharmacy, ok, err
}

// paperCalls tells documents about the call in which a photo is taken.
type paperCalls struct{ ask }

// Call asks encounters for the act and consent for the agreement to it.
func (q paperCalls) Call(ctx context.Context, id care.EncounterID) (documents.Call, error) {
	e, err := q.encounters.Facts(ctx, id)
	if err != nil {
		return documents.Call{}, err
	}
	rel, err := q.encounters.Relation(ctx, authz.From(ctx), id)
	if err != nil {
		return documents.Call{}, err
	}
	agreed, err := q.consent.MediaAllowed(authz.With(ctx, authz.SystemActor()), e.AppointmentID)
	return documents.Call{PatientID: e.PatientID, Relation: rel, Open: e.Status == encounters.InProgress, Agreed: agreed}, err
}

// Asked asks signaling for the request that a photo answers.
func (q paperCalls) Asked(ctx context.Context, request string) (documents.Asked, error) {
	a, err := q.signaling.Still(ctx, request)
	return documents.Asked{EncounterID: a.Encounter, Person: a.Person, By: a.By, Waits: a.Waits}, err
}
