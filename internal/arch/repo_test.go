package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// source is one Go file of the repository.
type source struct {
	path  string // from the root, with slashes
	dir   string
	test  bool
	lines int
	ast   *ast.File
}

// imports lists the paths the file imports.
func (s *source) imports() []string {
	var out []string
	for _, i := range s.ast.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err == nil {
			out = append(out, p)
		}
	}
	return out
}

// under tells whether the file is in one of these folders or below.
func (s *source) under(dirs ...string) bool {
	for _, d := range dirs {
		if s.dir == d || strings.HasPrefix(s.dir, d+"/") {
			return true
		}
	}
	return false
}

// library is production code: no command, simulator, measurement or test.
func (s *source) library() bool {
	return !s.test && (s.ast == nil || s.ast.Name.Name != "main") && !s.under("cmd", "simulators", "bench", "internal/testkit", "internal/deps") && !strings.HasSuffix(s.dir, "test")
}

const root = "../.."

var fset = token.NewFileSet()

// sources parses every Go file once.
var sources = sync.OnceValues(func() ([]*source, error) {
	var out []*source
	err := filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git" || d.Name() == "dist" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(fset, name, text, parser.ParseComments)
		if err != nil {
			return err
		}
		rel := filepath.ToSlash(strings.TrimPrefix(name, root+string(filepath.Separator)))
		out = append(out, &source{
			path: rel, dir: path.Dir(rel), test: strings.HasSuffix(rel, "_test.go"), lines: strings.Count(string(text), "\n"), ast: f,
		})
		return nil
	})
	return out, err
})

func all(t *testing.T) []*source {
	t.Helper()
	s, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	if len(s) < 50 {
		t.Fatalf("only %d Go files found: the walk is wrong", len(s))
	}
	return s
}

// packages groups the files of library and command packages by folder.
func packages(t *testing.T) map[string][]*source {
	t.Helper()
	out := map[string][]*source{}
	for _, s := range all(t) {
		out[s.dir] = append(out[s.dir], s)
	}
	return out
}

// line is where a node is, as path:line.
func (s *source) line(n ast.Node) string {
	return s.path + ":" + strconv.Itoa(fset.Position(n.Pos()).Line)
}

// tracked lists the files git knows, from the root.
func tracked(t *testing.T) []string {
	t.Helper()
	cmd := exec.Command("git", "ls-files", "-z")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("SKIPPED, NOT TESTED: this is no git checkout: %v", err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

// selector gives "pkg.Name" of a call to a function of a package or method.
func selector(call *ast.CallExpr) (on, name string) {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		if id, ok := call.Fun.(*ast.Ident); ok {
			return "", id.Name
		}
		return "", ""
	}
	if id, ok := sel.X.(*ast.Ident); ok {
		return id.Name, sel.Sel.Name
	}
	return "?", sel.Sel.Name
}

// calls walks every call of the file.
func (s *source) calls(fn func(call *ast.CallExpr, on, name string)) {
	ast.Inspect(s.ast, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			on, name := selector(call)
			fn(call, on, name)
		}
		return true
	})
}
