package authz

import "visavis/internal/care"

// Subject says whose a record is. Fields that do not apply are empty.
type Subject struct {
	PatientID      care.PatientID
	AppointmentID  care.AppointmentID // the act it belongs to
	StaffID        care.StaffID       // the professional who answers for it
	OrganizationID care.OrganizationID
}

// To gives the actor's relation to a record, the closest that holds. A
// patient's session owns the patient's records of the one act its link opens,
// and so does a companion's, who is given hardly anything in the table;
// inTeam says that the professional takes part in the act.
func (a Actor) To(s Subject, inTeam bool) Relation {
	switch {
	case a.Role == care.Patient || a.Role == care.Companion:
		if a.PatientID != "" && a.PatientID == s.PatientID && (s.AppointmentID == "" || s.AppointmentID == a.AppointmentID) {
			return Own
		}
	case a.StaffID == "":
	case a.StaffID == s.StaffID:
		return Own
	case inTeam:
		return Team
	case a.OrganizationID != "" && a.OrganizationID == s.OrganizationID:
		return Org
	}
	return Other
}
