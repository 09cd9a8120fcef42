package whip

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const two = "v=0\r\na=group:BUNDLE 0 1\r\na=ice-ufrag:old1\r\na=ice-pwd:oldpwd\r\nm=audio 9 x 111\r\na=mid:0\r\na=sendrecv\r\nm=video 9 x 96\r\na=mid:1\r\na=sendonly\r\n"

func TestOneWay(t *testing.T) {
	for name, tc := range map[string]struct {
		sdp, way string
		ok       bool
	}{
		"both ways is narrowed":         {two, "sendonly", true},
		"one section goes the other":    {two, "recvonly", false},
		"nothing said is both ways":     {strings.NewReplacer("a=sendrecv\r\n", "", "a=sendonly\r\n", "").Replace(two), "recvonly", true},
		"said once for all":             {"v=0\r\na=sendonly\r\nm=video 9 x 96\r\na=mid:0\r\n", "sendonly", true},
		"said once for all, wrong":      {"v=0\r\na=sendonly\r\nm=video 9 x 96\r\na=mid:0\r\n", "recvonly", false},
		"said once, otherwise in one":   {"v=0\r\na=recvonly\r\nm=video 9 x 96\r\na=mid:0\r\na=sendonly\r\n", "sendonly", true},
		"inactive":                      {strings.Replace(two, "sendrecv", "inactive", 1), "sendonly", false},
		"no section":                    {"v=0\r\n", "sendonly", false},
		"lines end with a newline only": {strings.ReplaceAll(two, "\r\n", "\n"), "sendonly", true},
		"nothing":                       {"", "sendonly", false},
	} {
		text, kinds, ok := oneWay(tc.sdp, tc.way)
		if ok != tc.ok {
			t.Errorf("%s: %v", name, ok)
			continue
		}
		if !ok {
			continue
		}
		n := strings.Count(text, "m=")
		if strings.Count(text, "\r\na="+tc.way+"\r\n") != n || strings.Count(text, "a=sendrecv") != 0 || kinds["video"]+kinds["audio"] != n {
			t.Errorf("%s:\n%s%v", name, text, kinds)
		}
	}
	if text, kinds, _ := oneWay(two, "sendonly"); kinds["audio"] != 1 || kinds["video"] != 1 || !strings.Contains(text, "a=ice-ufrag:old1\r\n") {
		t.Errorf("%v\n%s", kinds, text)
	}
	rapid.Check(t, func(t *rapid.T) { // whatever is offered, nothing goes the other way
		lines := rapid.SliceOf(rapid.SampledFrom([]string{"m=audio 9 x 1", "m=video 9 x 2", "a=sendonly", "a=recvonly", "a=sendrecv", "a=inactive", "a=mid:0", ""})).Draw(t, "lines")
		text, _, ok := oneWay(strings.Join(lines, "\r\n"), "sendonly")
		if ok && (strings.Contains(text, "recvonly") || strings.Contains(text, "sendrecv") || strings.Count(text, "m=") != strings.Count(text, "a=sendonly")) {
			t.Fatalf("%q", text)
		}
	})
}

func TestRestartKeepsEverythingElse(t *testing.T) {
	again := renewed(two, "new1", "newpwd")
	if u, p := credentials(again); u != "new1" || p != "newpwd" {
		t.Errorf("%q %q", u, p)
	}
	if back := renewed(again, "old1", "oldpwd"); back != two {
		t.Errorf("%q", back)
	}
	if u, p := credentials("a=ice-ufrag:x\na=mid:0\n"); u != "x" || p != "" {
		t.Errorf("%q %q", u, p)
	}
}

func TestFragmentSpeaksOfIceAlone(t *testing.T) {
	answer := "v=0\r\na=group:BUNDLE 1\r\nm=audio 0 x 0\r\na=mid:0\r\na=inactive\r\nm=video 9 x 96\r\na=mid:1\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\n" +
		"a=fingerprint:sha-256 A\r\na=ssrc:1 cname:x\r\na=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\na=end-of-candidates\r\n"
	want := "a=group:BUNDLE 1\r\nm=video 9 x 96\r\na=mid:1\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\na=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\na=end-of-candidates\r\n"
	if got := fragment(answer); got != want {
		t.Errorf("%q", got)
	}
}
