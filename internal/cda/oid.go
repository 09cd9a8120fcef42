package cda

import (
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
)

// Object identifiers of the French health information systems (interoperability framework CI-SIS).
const (
	OIDINSNIR       = "1.2.250.1.213.1.4.8"       // INS, NIR
	OIDINSNIA       = "1.2.250.1.213.1.4.9"       // INS, waiting number
	OIDINSTest      = "1.2.250.1.213.1.4.10"      // INS of test
	OIDINSDemo      = "1.2.250.1.213.1.4.11"      // INS of demonstration
	OIDPerson       = "1.2.250.1.71.4.2.1"        // IdNat_PS
	OIDStructure    = "1.2.250.1.71.4.2.2"        // IdNat_Struct
	OIDLOINC        = "2.16.840.1.113883.6.1"     // LOINC
	OIDTAASIP       = "1.2.250.1.213.1.1.4.322"   // TA_ASIP
	OIDCIS          = "1.2.250.1.213.2.3.1"       // CIS, specialities of the BDPM
	OIDCIP          = "1.2.250.1.213.2.3.2"       // CIP13, packs of the BDPM
	OIDActCode      = "2.16.840.1.113883.5.4"     // HL7 ActCode
	OIDIHEActCode   = "1.3.6.1.4.1.19376.1.5.3.2" // IHE ActCode
	templateFrance  = "2.16.840.1.113883.2.8.2.1"
	templateCISIS   = "1.2.250.1.213.1.1.1.1"
	templateLevel1  = "1.3.6.1.4.1.19376.1.2.20"
	templatePharm   = "1.3.6.1.4.1.19376.1.9.1.1.1"
	templatePCC     = "1.3.6.1.4.1.19376.1.5.3.1.1.1"
	templateDevices = "1.2.250.1.213.1.1.2.222"
	templateEPMedDM = "1.2.250.1.213.1.1.1.39"
)

var errUUID = errors.New("cda: not a UUID")

// OIDFromUUID returns the object identifier 2.25.N of a UUID (ITU-T X.667 §7): unique without asking
// any registry, at most 44 characters, so within the 64 of an XDS uniqueId.
func OIDFromUUID(uuid string) (string, error) {
	raw, err := hex.DecodeString(strings.ReplaceAll(uuid, "-", ""))
	if err != nil || len(raw) != 16 {
		return "", errUUID
	}
	return "2.25." + new(big.Int).SetBytes(raw).String(), nil
}
