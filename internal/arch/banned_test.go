package arch

import (
	"bytes"
	"go/ast"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// allowed lists what is written in spite of a ban: "file what" → reason.
var allowed = map[string]string{
	"internal/httpx/request.go panic":                  "http.ErrAbortHandler is net/http's own way to drop a connection",
	"internal/testkit/mailtest/mailtest.go time.Sleep": "a mailbox can only be asked again; bounded, and it ends as soon as the mail is there",
}

func TestNoInitAndNoGlobalState(t *testing.T) {
	for dir, files := range packages(t) {
		if !slices.ContainsFunc(files, (*source).library) {
			continue
		}
		globals := map[string]string{} // name → where
		for _, s := range files {
			if !s.library() {
				continue
			}
			for _, d := range s.ast.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
					t.Errorf("%s: init() runs before anybody asks: wire it in cmd/visavis", s.line(f))
				}
				collect(t, s, d, globals)
			}
		}
		for _, s := range files {
			if s.library() {
				assigned(t, s, globals)
			}
		}
		_ = dir
	}
}

// collect notes package variables; one without a value exists to be changed.
func collect(t *testing.T, s *source, d ast.Decl, globals map[string]string) {
	t.Helper()
	g, ok := d.(*ast.GenDecl)
	if !ok || g.Tok != token.VAR {
		return
	}
	for _, spec := range g.Specs {
		v := spec.(*ast.ValueSpec)
		embedded := g.Doc != nil && strings.Contains(comments(g.Doc), "go:embed") || v.Doc != nil && strings.Contains(comments(v.Doc), "go:embed")
		for _, n := range v.Names {
			if n.Name == "_" {
				continue
			}
			globals[n.Name] = s.line(n)
			if len(v.Values) == 0 && !embedded {
				t.Errorf("%s: package variable %s without a value can only be there to change: put it in a struct", s.line(n), n.Name)
			}
		}
	}
}

func comments(g *ast.CommentGroup) string {
	var b strings.Builder
	for _, c := range g.List {
		b.WriteString(c.Text)
	}
	return b.String()
}

// assigned reports changes of package variables: x = …, x[i] = …, x++, delete(x, …).
func assigned(t *testing.T, s *source, globals map[string]string) {
	t.Helper()
	report := func(e ast.Expr, n ast.Node) {
		for {
			if x, ok := e.(*ast.IndexExpr); ok {
				e = x.X
				continue
			}
			if x, ok := e.(*ast.SelectorExpr); ok {
				e = x.X
				continue
			}
			break
		}
		id, ok := e.(*ast.Ident)
		if !ok || globals[id.Name] == "" || local(id) {
			return
		}
		t.Errorf("%s changes the package variable %s: put it in a struct that somebody owns", s.line(n), id.Name)
	}
	ast.Inspect(s.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, l := range n.Lhs {
					report(l, n)
				}
			}
		case *ast.IncDecStmt:
			report(n.X, n)
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok && id.Name == "delete" && len(n.Args) == 2 {
				report(n.Args[0], n)
			}
		}
		return true
	})
}

// local tells whether the parser found the name in an inner scope: its
// declaration is not a package-level var.
func local(id *ast.Ident) bool {
	if id.Obj == nil {
		return false
	}
	_, spec := id.Obj.Decl.(*ast.ValueSpec)
	return !spec || id.Obj.Kind != ast.Var || !topLevel(id.Obj)
}

//lint:ignore SA1019 syntax is enough here: both sides are plain names
func topLevel(o *ast.Object) bool {
	spec := o.Decl.(*ast.ValueSpec)
	list, err := sources()
	if err != nil {
		return false
	}
	for _, s := range list {
		for _, d := range s.ast.Decls {
			if g, ok := d.(*ast.GenDecl); ok && slices.Contains(g.Specs, ast.Spec(spec)) {
				return true
			}
		}
	}
	return false
}

func TestNoCallsThatEndOrChatter(t *testing.T) {
	for _, s := range all(t) {
		s.calls(func(call *ast.CallExpr, on, name string) {
			what := name
			if on != "" {
				what = on + "." + name
			}
			switch {
			case on == "time" && name == "Sleep":
				if !s.under("bench", "cmd", "simulators") && allowed[s.path+" "+what] == "" {
					t.Errorf("%s: time.Sleep waits too long or not long enough: wait for what happens", s.line(call))
				}
			case !s.library():
			case what == "panic" || what == "os.Exit" || on == "log" && strings.HasPrefix(name, "Fatal"),
				on == "fmt" && strings.HasPrefix(name, "Print"), what == "print", what == "println":
				if allowed[s.path+" "+what] == "" {
					t.Errorf("%s calls %s: return an error, log with slog", s.line(call), what)
				}
			}
		})
	}
}

// TestGORMTraps: house §5. Struct conditions match every row for a zero id,
// Updates(struct) skips zero values, First(x, string) is raw SQL, Save inserts
// what it should update, hooks and soft deletion act unseen.
func TestGORMTraps(t *testing.T) {
	conditions := []string{"Where", "Or", "Not", "First", "Take", "Last", "Find", "Delete", "FirstOrCreate", "FirstOrInit", "Attrs", "Assign"}
	hooks := []string{"BeforeSave", "BeforeCreate", "AfterSave", "AfterCreate", "BeforeUpdate", "AfterUpdate", "BeforeDelete", "AfterDelete", "AfterFind"}
	for _, s := range all(t) {
		if s.test || !usesGORM(s) {
			continue
		}
		s.calls(func(call *ast.CallExpr, on, name string) {
			switch {
			case name == "Save" || name == "AutoMigrate" || name == "FirstOrCreate" || name == "FirstOrInit" || name == "Unscoped":
				t.Errorf("%s: GORM's %s is refused: write the statement that is meant", s.line(call), name)
			case name == "Updates" && len(call.Args) == 1 && literalOf(call.Args[0]) == "struct":
				t.Errorf("%s: Updates(struct) skips zero values: give a map", s.line(call))
			case slices.Contains(conditions[:3], name) && len(call.Args) > 0 && literalOf(call.Args[0]) != "":
				t.Errorf("%s: %s with a struct or map is no condition when a value is zero: write \"column = ?\"", s.line(call), name)
			case slices.Contains(conditions[3:], name) && len(call.Args) > 1 && on != "slices" && on != "strings":
				t.Errorf("%s: %s takes its conditions from Where: a second argument is raw SQL or a primary key", s.line(call), name)
			}
		})
		ast.Inspect(s.ast, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && (sel.Sel.Name == "DeletedAt" || sel.Sel.Name == "Model") {
				if id, ok := sel.X.(*ast.Ident); ok && id.Name == "gorm" {
					t.Errorf("%s: gorm.%s brings soft deletion", s.line(n), sel.Sel.Name)
				}
			}
			if f, ok := n.(*ast.FuncDecl); ok && f.Recv != nil && slices.Contains(hooks, f.Name.Name) {
				t.Errorf("%s: hook %s acts unseen", s.line(f), f.Name.Name)
			}
			return true
		})
	}
}

func usesGORM(s *source) bool {
	return strings.HasPrefix(path.Base(s.path), "store") || s.under("internal/store") ||
		slices.ContainsFunc(s.imports(), func(p string) bool { return strings.HasPrefix(p, "gorm.io/") })
}

// literalOf tells whether an argument is a struct literal or a map literal.
func literalOf(e ast.Expr) string {
	if u, ok := e.(*ast.UnaryExpr); ok {
		e = u.X
	}
	c, ok := e.(*ast.CompositeLit)
	if !ok {
		return ""
	}
	switch c.Type.(type) {
	case *ast.MapType:
		return "map"
	case *ast.ArrayType:
		return ""
	}
	return "struct"
}

// TestNothingOfThisMachine: no host of a package registry, no path of a
// machine, no unfinished sentence in what git keeps.
func TestNothingOfThisMachine(t *testing.T) {
	banned := map[string]*regexp.Regexp{
		"a path of a machine":        regexp.MustCompile(`(^|[\s"'=(])/(wo` + `rk|ro` + `ot|ho` + `me/[a-z]+)/`),
		"a host of a registry":       regexp.MustCompile(`(proxy\.gol` + `ang\.org|sum\.gol` + `ang\.org|registry\.np` + `mjs\.org|registry\.yar` + `npkg\.com|deb\.deb` + `ian\.org|pypi\.o` + `rg|repo1?\.ma` + `ven)`),
		"an unfinished sentence":     regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME)\b`),
		"a private key":              regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE ` + `KEY-----`),
		"a conflict left by a merge": regexp.MustCompile(`(?m)^(<<<<` + `<<<|>>>>` + `>>>) `),
	}
	for _, name := range tracked(t) {
		raw, err := os.ReadFile(filepath.Join(root, name))
		if err != nil || bytes.IndexByte(raw, 0) >= 0 {
			continue // being moved, or no text
		}
		for what, re := range banned {
			if at := re.FindIndex(raw); at != nil && allowed[name+" "+what] == "" {
				t.Errorf("%s:%d holds %s: %q", name, 1+bytes.Count(raw[:at[0]], []byte("\n")), what, raw[at[0]:at[1]])
			}
		}
	}
}
