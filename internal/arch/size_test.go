package arch

import (
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The limits of house §2.5. Nothing is ever above hard.
const (
	soft      = 400
	hard      = 600
	function  = 60
	testFunc  = 150
	fileCount = 15
)

// long lists the files and functions above the soft limit, with the reason.
var long = map[string]string{
	"cmd/visavis":   "the only package that knows everybody: one file for each question it wires",
	"turn/guard.go": "the guard is read from top to bottom, as one list of what is refused",
}

func TestFilesStaySmall(t *testing.T) {
	for _, s := range all(t) {
		limit := soft
		if s.test || long[s.path] != "" {
			limit = hard
		}
		if s.lines > limit {
			t.Errorf("%s has %d lines, at most %d: split it by what it is about", s.path, s.lines, limit)
		}
	}
	for _, name := range tracked(t) {
		if ext := path.Ext(name); ext != ".ts" && ext != ".tsx" && ext != ".css" || strings.HasSuffix(name, ".gen.ts") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) {
			continue // being moved
		}
		if err != nil {
			t.Fatal(err)
		}
		limit := soft
		if path.Ext(name) == ".css" || strings.Contains(name, ".test.") || strings.HasPrefix(name, "web/e2e/") || long[name] != "" {
			limit = hard
		}
		if n := strings.Count(string(text), "\n"); n > limit {
			t.Errorf("%s has %d lines, at most %d", name, n, limit)
		}
	}
}

func TestFunctionsStaySmall(t *testing.T) {
	for _, s := range all(t) {
		for _, d := range s.ast.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			limit := function
			if s.test {
				limit = testFunc
			}
			n := fset.Position(f.End()).Line - fset.Position(f.Pos()).Line + 1
			if n > limit && long[s.path+" "+f.Name.Name] == "" {
				t.Errorf("%s %s has %d lines, at most %d", s.line(f), f.Name.Name, n, limit)
			}
		}
	}
}

func TestPackagesStaySmall(t *testing.T) {
	refused := []string{"util", "utils", "common", "helper", "helpers", "manager", "misc", "base", "lib", "shared"}
	for dir, files := range packages(t) {
		n := 0
		for _, s := range files {
			if !s.test {
				n++
			}
		}
		if n > fileCount && long[dir] == "" {
			t.Errorf("package %s has %d files, at most %d: a leaf of it wants to be a package", dir, n, fileCount)
		}
		if slices.Contains(refused, path.Base(dir)) || slices.Contains(refused, files[0].ast.Name.Name) {
			t.Errorf("package %s: the name says nothing about what is inside", dir)
		}
	}
}
