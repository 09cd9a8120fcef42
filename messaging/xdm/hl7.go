package xdm

import (
	"fmt"
	"strings"
	"time"
)

// hl7 escapes the separators of HL7 v2 in a value (HL7 v2.5 §2.7).
func hl7(s string) string {
	return strings.NewReplacer(`\`, `\E\`, `|`, `\F\`, `^`, `\S\`, `&`, `\T\`, `~`, `\R\`).
		Replace(strings.Join(strings.Fields(s), " "))
}

// cx writes an identifier of a patient: value^^^&oid&ISO^type.
func cx(value, root, kind string) string {
	return hl7(value) + "^^^&" + root + "&ISO^" + kind
}

// xcn writes a person, or a device that signs as an author. An identifier with
// a slash is an employee's inside a structure (type EI, not IDNPS). A person
// without identifier gives "".
func xcn(a cdaAssigned) string {
	if a.ID.Extension == "" {
		return ""
	}
	family, given, nameType, idType := firstPart(a.Name.Family), firstPart(a.Name.Given), "D", "IDNPS"
	switch {
	case a.Device != nil:
		family, given, nameType, idType = a.Device.Model, a.Device.Software, "U", "RI"
	case strings.Contains(a.ID.Extension, "/"):
		idType = "EI"
	}
	return fmt.Sprintf("%s^%s^%s^^^^^^&%s&ISO^%s^^^%s", hl7(a.ID.Extension), hl7(family), hl7(given), a.ID.Root, nameType, idType)
}

// xon writes an organisation.
func xon(o cdaOrganization) string {
	return fmt.Sprintf("%s^^^^^&%s&ISO^IDNST^^^%s", hl7(o.Name), o.ID.Root, hl7(o.ID.Extension))
}

// dtm turns an HL7 v3 timestamp into an instant and into a DTM in UTC, which is
// what XDS wants. A date without time stays a date; a time of day without
// offset is refused, because two hospitals would read two instants.
func dtm(ts string) (time.Time, string, error) {
	main, offset := ts, ""
	if i := strings.IndexAny(ts, "+-"); i >= 0 {
		main, offset = ts[:i], ts[i:]
	}
	main, _, _ = strings.Cut(main, ".")
	layout := map[int]string{8: "20060102", 12: "200601021504", 14: "20060102150405"}[len(main)]
	switch {
	case layout == "":
		return time.Time{}, "", fmt.Errorf("%q is not a timestamp to the day, minute or second", ts)
	case len(main) == 8 && offset == "":
		t, err := time.Parse(layout, main)
		if err != nil {
			return time.Time{}, "", fmt.Errorf("%q is not a date", ts)
		}
		return t, main, nil
	case offset == "":
		return time.Time{}, "", fmt.Errorf("%q has a time of day and no offset", ts)
	}
	t, err := time.Parse(layout+"-0700", main+offset)
	if err != nil {
		return time.Time{}, "", fmt.Errorf("%q is not a timestamp", ts)
	}
	return t, t.UTC().Format(map[int]string{8: "20060102", 12: "200601021504", 14: "20060102150405"}[len(main)]), nil
}
