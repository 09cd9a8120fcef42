package arch

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// modules are the care modules (house §2).
var modules = []string{"scheduling", "consent", "identity", "encounters", "documents", "prescriptions", "messaging", "signaling", "expertise", "eligibility", "monitoring"}

func module(dir string) string {
	first, _, _ := strings.Cut(dir, "/")
	if slices.Contains(modules, first) {
		return first
	}
	return ""
}

func within(p string, roots ...string) bool {
	return slices.ContainsFunc(roots, func(r string) bool { return p == r || strings.HasPrefix(p, r+"/") })
}

func standard(p string) bool {
	first, _, _ := strings.Cut(p, "/")
	return !strings.Contains(first, ".") && first != "visavis"
}

// rule refuses an import. It answers true when file s may not import p.
type rule struct {
	reason string
	broken func(s *source, p string) bool
}

var rules = []rule{
	{"a care module never imports another: it tells a fact or asks a question wired in cmd/visavis (house §2.1)", func(s *source, p string) bool {
		m, other := module(s.dir), module(strings.TrimPrefix(p, "visavis/"))
		return m != "" && strings.HasPrefix(p, "visavis/") && other != "" && other != m
	}},
	{"only cmd/visavis knows everybody (house §2.1)", func(s *source, p string) bool {
		return !s.test && !s.under("cmd", "simulators", "bench", "internal/testkit") && module(s.dir) == "" &&
			strings.HasPrefix(p, "visavis/") && module(strings.TrimPrefix(p, "visavis/")) != ""
	}},
	// signaling/local is that interface for one process; cmd/visavis alone imports it.
	{"a care module talks to media through an interface, so that media can be another process (house §4)", func(s *source, p string) bool {
		return !s.test && module(s.dir) != "" && s.dir != "signaling/local" && within(p, "visavis/sfu", "visavis/turn", "visavis/web", "visavis/cmd")
	}},
	{"gin and huma belong to http*.go and internal/httpx: services must not know HTTP (house §2.2)", func(s *source, p string) bool {
		return within(p, "github.com/gin-gonic/gin", "github.com/danielgtaylor/huma/v2") && !s.under("internal/httpx", "internal/deps") &&
			!strings.HasPrefix(path.Base(s.path), "http")
	}},
	{"gorm belongs to store*.go and internal/store: it has traps, keep them in one file (house §2.2, §5)", func(s *source, p string) bool {
		return (strings.HasPrefix(p, "gorm.io/") || within(p, "github.com/ncruces/go-sqlite3/gormlite")) && !s.under("internal/store", "internal/deps") &&
			!strings.HasPrefix(path.Base(s.path), "store")
	}},
	{"pion belongs to sfu/, turn/ and the test RTC client (house §2.2)", func(s *source, p string) bool {
		return strings.HasPrefix(p, "github.com/pion/") && !s.under("sfu", "turn", "internal/testkit/rtcclient", "internal/deps", "bench")
	}},
	{"pion/turn is imported by one file, behind the guard (trust B3)", func(s *source, p string) bool {
		return !s.test && strings.HasPrefix(p, "github.com/pion/turn/") && s.path != "turn/relay.go" && !s.under("internal/deps", "internal/testkit", "bench")
	}},
	{"internal/{care,fault,clock} import the standard library only (house §2.3)", func(s *source, p string) bool {
		return !s.test && slices.Contains([]string{"internal/care", "internal/fault", "internal/clock"}, s.dir) && !standard(p)
	}},
	{"sfu and turn import pion, the standard library and internal/{clock,telemetry,fault} only: no patient inside (house §2)", func(s *source, p string) bool {
		return !s.test && s.under("sfu", "turn") && !standard(p) && !strings.HasPrefix(p, "github.com/pion/") && !within(p, "golang.org/x/time") &&
			!within(p, "visavis/sfu", "visavis/turn", "visavis/internal/clock", "visavis/internal/telemetry", "visavis/internal/fault")
	}},
	{"test tools and simulators never reach production code", func(s *source, p string) bool {
		return s.library() && within(p, "testing", "visavis/internal/testkit", "visavis/simulators", "net/http/httptest")
	}},
	{"the testkit knows the foundation only, so that every module can use it", func(s *source, p string) bool {
		return !s.test && s.dir == "internal/testkit" && module(strings.TrimPrefix(p, "visavis/")) != "" && strings.HasPrefix(p, "visavis/")
	}},
	{"math/rand is guessable: crypto/rand for anything anybody must not guess", func(s *source, p string) bool {
		return s.library() && within(p, "math/rand") && guessable[s.path] == ""
	}},
	{"reflection and unsafe hide what the compiler could check", func(s *source, p string) bool {
		return s.library() && p == "unsafe" && kernel[s.path] == ""
	}},
	{"log goes through log/slog, which redacts", func(s *source, p string) bool { return s.library() && p == "log" }},
}

// kernel lists the files that may use unsafe, with why nothing else would do.
var kernel = map[string]string{
	"sfu/udp/burst_linux.go": "recvmmsg and sendmmsg take structures with pointers; package net has no such call, x/net allocates for each datagram",
}

// guessable lists the files that may use math/rand, with why no secret is made there.
var guessable = map[string]string{}

func TestImports(t *testing.T) {
	for _, s := range all(t) {
		for _, p := range s.imports() {
			for _, r := range rules {
				if r.broken(s, p) {
					t.Errorf("%s imports %s: %s", s.path, p, r.reason)
				}
			}
		}
	}
}

// TestRulesBite proves that each kind of rule can fail.
func TestRulesBite(t *testing.T) {
	for _, bad := range []struct{ file, imports string }{
		{"scheduling/service.go", "visavis/consent"}, {"internal/audit/log.go", "visavis/identity"}, {"signaling/hub.go", "visavis/sfu"},
		{"consent/service.go", "github.com/gin-gonic/gin"}, {"consent/service.go", "gorm.io/gorm"}, {"signaling/hub.go", "github.com/pion/webrtc/v4"},
		{"turn/guard.go", "github.com/pion/turn/v3"}, {"internal/care/id.go", "visavis/internal/store"}, {"sfu/room.go", "visavis/internal/care"},
		{"sfu/room.go", "github.com/redis/go-redis/v9"}, {"consent/service.go", "visavis/internal/testkit"}, {"identity/link.go", "math/rand/v2"},
	} {
		s := &source{path: bad.file, dir: path.Dir(bad.file)}
		if !slices.ContainsFunc(rules, func(r rule) bool { return r.broken(s, bad.imports) }) {
			t.Errorf("%s may import %s: no rule refuses it", bad.file, bad.imports)
		}
	}
	for _, good := range []struct{ file, imports string }{
		{"scheduling/service.go", "visavis/internal/audit"}, {"scheduling/http.go", "github.com/gin-gonic/gin"}, {"scheduling/store_slots.go", "gorm.io/gorm"},
		{"messaging/send.go", "visavis/messaging/xdm"}, {"sfu/room.go", "github.com/pion/webrtc/v4"}, {"cmd/visavis/wire.go", "visavis/consent"},
		{"identity/psc_test.go", "visavis/simulators/psc"}, {"turn/relay.go", "github.com/pion/turn/v3"},
	} {
		s := &source{path: good.file, dir: path.Dir(good.file), test: strings.HasSuffix(good.file, "_test.go")}
		for _, r := range rules {
			if r.broken(s, good.imports) {
				t.Errorf("%s may not import %s: %s", good.file, good.imports, r.reason)
			}
		}
	}
}
