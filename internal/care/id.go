package care

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// Identifiers are UUID version 7 (RFC 9562 §5.7) in canonical text form. They
// sort by creation time and are names, not secrets: knowing one gives no right.
type (
	PatientID      string
	CompanionID    string // somebody at a patient's side in one act
	StaffID        string // a professional or an employee, member of one organisation
	OrganizationID string
	ScheduleID     string
	AppointmentID  string
	EncounterID    string
	ConsentID      string
	DocumentID     string
	PrescriptionID string
	DeliveryID     string
	SessionID      string
)

// NewID returns a new UUID version 7 for the given instant. Two ids of the
// same millisecond differ by 74 random bits.
func NewID(now time.Time) string {
	var b [16]byte
	rand.Read(b[:]) // never fails since Go 1.24: it aborts the program instead
	return stamped(now, b)
}

// FirstID is not above any id that NewID gives from the same millisecond on: it
// bounds a search by time.
func FirstID(at time.Time) string { return stamped(at, [16]byte{8: 0x80}) }

// stamped writes an id of an instant over other bytes.
func stamped(now time.Time, b [16]byte) string {
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(now.UnixMilli()))
	copy(b[:6], ms[2:])
	b[6] = b[6]&0x0f | 0x70
	b[8] = b[8]&0x3f | 0x80
	var s [36]byte
	hex.Encode(s[:8], b[:4])
	s[8] = '-'
	hex.Encode(s[9:13], b[4:6])
	s[13] = '-'
	hex.Encode(s[14:18], b[6:8])
	s[18] = '-'
	hex.Encode(s[19:23], b[8:10])
	s[23] = '-'
	hex.Encode(s[24:], b[10:])
	return string(s[:])
}

// ValidID reports whether s has the shape of an identifier. Routes check it
// first, so that a malformed id answers like an unknown one.
func ValidID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
			continue
		}
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
