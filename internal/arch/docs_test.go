package arch

import (
	"encoding/json"
	"go/ast"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

func TestPackagesSayWhatTheyAre(t *testing.T) {
	for dir, files := range packages(t) {
		found, code := 0, 0
		for _, s := range files {
			if s.test {
				continue
			}
			code++
			if s.ast.Doc != nil && !strings.HasPrefix(s.ast.Doc.Text(), "Command ") {
				found++
			} else if s.ast.Doc != nil {
				found++
			}
		}
		if code > 0 && found == 0 {
			t.Errorf("package %s has no doc comment: what are the words, the invariants, the sources?", dir)
		}
		if found > 1 {
			t.Errorf("package %s has %d doc comments: one, in doc.go", dir, found)
		}
	}
}

func TestExportedNamesAreDocumented(t *testing.T) {
	for _, s := range all(t) {
		if s.test || s.under("internal/deps") {
			continue
		}
		for _, d := range s.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && exportedReceiver(d) && d.Doc == nil {
					t.Errorf("%s %s has no doc comment", s.line(d), d.Name.Name)
				}
			case *ast.GenDecl:
				undocumented(t, s, d)
			}
		}
	}
}

func exportedReceiver(f *ast.FuncDecl) bool {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return true
	}
	e := f.Recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			// A method that only serves an interface says nothing new.
			return x.IsExported()
		default:
			return false
		}
	}
}

// undocumented reports exported names without a comment of their own or of
// their group.
func undocumented(t *testing.T, s *source, d *ast.GenDecl) {
	t.Helper()
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Name.IsExported() && spec.Doc == nil && d.Doc == nil {
				t.Errorf("%s %s has no doc comment", s.line(spec), spec.Name.Name)
			}
		case *ast.ValueSpec:
			for _, n := range spec.Names {
				if n.IsExported() && spec.Doc == nil && spec.Comment == nil && d.Doc == nil {
					t.Errorf("%s %s has no doc comment", s.line(n), n.Name)
				}
			}
		}
	}
}

// TestDependenciesAreExplained: docs/deps.md has a line for each direct
// dependency, Go and npm: why it is here and how we would leave it.
func TestDependenciesAreExplained(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs/deps.md"))
	if err != nil {
		t.Fatal(err)
	}
	explained := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) == 5 && strings.Contains(cells[1], "`") {
			name := strings.Trim(cells[1], " `")
			explained[name] = true
			if len(strings.TrimSpace(cells[2])) < 5 || len(strings.TrimSpace(cells[3])) < 3 {
				t.Errorf("docs/deps.md: %s needs a reason and an exit plan", name)
			}
		}
	}
	used := direct(t)
	for name := range used {
		if !explained[name] {
			t.Errorf("%s is a direct dependency without a line in docs/deps.md", name)
		}
	}
	for name := range explained {
		if !used[name] {
			t.Errorf("docs/deps.md explains %s, which is not a direct dependency", name)
		}
	}
}

// TestDependencyBudget: the program trusts at most 25 projects. The modules of
// one project (its owner on the forge) count once: docs/deps.md says why.
func TestDependencyBudget(t *testing.T) {
	projects := map[string]bool{}
	for _, s := range all(t) {
		if s.test || s.under("bench", "internal/testkit", "internal/deps") {
			continue
		}
		for _, p := range s.imports() {
			if standard(p) || within(p, "visavis") {
				continue
			}
			parts := strings.Split(p, "/")
			projects[strings.Join(parts[:min(2, len(parts))], "/")] = true
			if parts[0] == "gorm.io" {
				delete(projects, strings.Join(parts[:2], "/"))
				projects["gorm.io"] = true
			}
		}
	}
	if n := len(projects); n > 25 || n < 15 {
		t.Errorf("%d projects, at most 25 (trust, dependency budget): %v", n, slices.Sorted(maps.Keys(projects)))
	}
}

// direct lists the modules whose packages our code imports, the tools, and the
// npm packages.
func direct(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	mod, tools := goMod(t, "go.mod"), goMod(t, "scripts/tools/go.mod")
	for _, s := range all(t) {
		if s.under("internal/deps") {
			continue
		}
		for _, p := range s.imports() {
			best := ""
			for _, r := range mod.Require {
				if within(p, r.Mod.Path) && len(r.Mod.Path) > len(best) {
					best = r.Mod.Path
				}
			}
			if best != "" {
				out[best] = true
			}
		}
	}
	for _, tool := range append(mod.Tool, tools.Tool...) {
		out[tool.Path] = true
	}
	for _, name := range []string{"web/package.json", "scripts/tools/openapi/package.json"} {
		raw, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		var npm struct{ Dependencies, DevDependencies map[string]string }
		if err := json.Unmarshal(raw, &npm); err != nil {
			t.Fatal(err)
		}
		for _, group := range []map[string]string{npm.Dependencies, npm.DevDependencies} {
			for module, version := range group {
				out[module] = true
				if strings.ContainsAny(version, "^~*x>< ") {
					t.Errorf("%s: %s %s: name one version", name, module, version)
				}
			}
		}
	}
	return out
}

func goMod(t *testing.T, name string) *modfile.File {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	mod, err := modfile.Parse(name, raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	return mod
}
