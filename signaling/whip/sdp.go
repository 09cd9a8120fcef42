package whip

import (
	"slices"
	"strings"
)

// The directions of a section (RFC 8866 §6.7).
var directions = [...]string{"a=sendonly", "a=recvonly", "a=sendrecv", "a=inactive"}

// oneWay makes every section of an offer go the way that is said, "sendonly" or
// "recvonly": both-way sections may be offered and are narrowed (RFC 9725 §4.2,
// draft-ietf-wish-whep §4.2), the others may not. It counts the sections of each
// kind; false when one goes the wrong way or there is none.
func oneWay(offer, way string) (text string, kinds map[string]int, ok bool) {
	kinds = map[string]int{}
	head, sections := split(offer)
	head, given := direction(head)
	if given == "" {
		given = "a=sendrecv"
	}
	out := head
	for _, section := range sections {
		kind, _, _ := strings.Cut(strings.TrimPrefix(section[0], "m="), " ")
		kinds[kind]++
		lines, own := direction(section)
		if own == "" {
			own = given
		}
		if own != "a="+way && own != "a=sendrecv" {
			return "", nil, false
		}
		out = append(append(out, lines...), "a="+way)
	}
	return join(out), kinds, len(sections) > 0
}

// split gives the lines before the first section, and those of each section.
func split(sdp string) (head []string, sections [][]string) {
	for line := range strings.SplitSeq(sdp, "\n") {
		line = strings.TrimSuffix(line, "\r")
		switch {
		case line == "":
		case strings.HasPrefix(line, "m="):
			sections = append(sections, []string{line})
		case len(sections) == 0:
			head = append(head, line)
		default:
			sections[len(sections)-1] = append(sections[len(sections)-1], line)
		}
	}
	return head, sections
}

func join(lines []string) string { return strings.Join(lines, "\r\n") + "\r\n" }

// direction takes the direction out of lines.
func direction(lines []string) (rest []string, way string) {
	for _, l := range lines {
		if slices.Contains(directions[:], l) {
			way = l
			continue
		}
		rest = append(rest, l)
	}
	return rest, way
}

// credentials finds what a client says of its ICE (RFC 8839 §5.4), in an offer
// or in a fragment (RFC 8840 §9).
func credentials(sdp string) (ufrag, pwd string) {
	for line := range strings.SplitSeq(sdp, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if v, ok := strings.CutPrefix(line, "a=ice-ufrag:"); ok && ufrag == "" {
			ufrag = v
		}
		if v, ok := strings.CutPrefix(line, "a=ice-pwd:"); ok && pwd == "" {
			pwd = v
		}
	}
	return ufrag, pwd
}

// renewed is an offer under other ICE credentials.
func renewed(offer, ufrag, pwd string) string {
	var out []string
	for line := range strings.SplitSeq(strings.TrimSuffix(offer, "\r\n"), "\r\n") {
		switch {
		case strings.HasPrefix(line, "a=ice-ufrag:"):
			line = "a=ice-ufrag:" + ufrag
		case strings.HasPrefix(line, "a=ice-pwd:"):
			line = "a=ice-pwd:" + pwd
		}
		out = append(out, line)
	}
	return join(out)
}

// fragment is what an answer says of ICE: of its first section, which carries
// the others (RFC 9725 §4.3.3).
func fragment(answer string) string {
	head, sections := split(answer)
	var out []string
	for _, l := range head {
		if strings.HasPrefix(l, "a=group:BUNDLE") {
			out = append(out, l)
		}
	}
	for _, section := range sections {
		if !slices.ContainsFunc(section, func(l string) bool { return strings.HasPrefix(l, "a=ice-ufrag:") }) {
			continue // refused
		}
		for _, l := range section {
			for _, prefix := range []string{"m=", "a=mid:", "a=ice-", "a=candidate:", "a=end-of-candidates"} {
				if strings.HasPrefix(l, prefix) {
					out = append(out, l)
				}
			}
		}
		break
	}
	return join(out)
}
