package arch

import (
	"encoding/json"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// TestEveryErrorHasItsWords: each code a Go file gives to fault.New or
// fault.Field has its texts, in both languages, also where the code is no
// literal (P4).
func TestEveryErrorHasItsWords(t *testing.T) {
	texts := map[string]map[string]string{"fr": {}, "en": {}}
	for language, keys := range texts {
		files, err := filepath.Glob(filepath.Join(root, "*", "texts", language+".json"))
		if err != nil {
			t.Fatal(err)
		}
		more, err := filepath.Glob(filepath.Join(root, "*", "*", "texts", language+".json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range append(files, more...) {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			var own map[string]string
			if err := json.Unmarshal(raw, &own); err != nil {
				t.Fatalf("%s: %v", f, err)
			}
			for k, v := range own {
				if other, twice := keys[k]; twice && other != v {
					t.Errorf("%s: %q is also in another catalogue, with other words", f, k)
				}
				keys[k] = v
			}
		}
	}
	used := codes(t)
	if len(used) < 10 {
		t.Fatalf("only %d codes found: the search is wrong", len(used))
	}
	for key, where := range used {
		for language, keys := range texts {
			if keys[key] == "" {
				t.Errorf("%s uses %q, which has no words in %s", where, key, language)
			}
		}
	}
}

// constants are the string constants of each package, as dir.Name.
func constants(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, s := range all(t) {
		for _, d := range s.ast.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, spec := range g.Specs {
				v := spec.(*ast.ValueSpec)
				for i, n := range v.Names {
					if i >= len(v.Values) {
						continue
					}
					if l, ok := v.Values[i].(*ast.BasicLit); ok && l.Kind == token.STRING {
						if text, err := strconv.Unquote(l.Value); err == nil {
							out[s.dir+"."+n.Name] = text
						}
					}
				}
			}
		}
	}
	return out
}

func text(s *source, consts map[string]string, e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		v, err := strconv.Unquote(e.Value)
		return v, err == nil && v != ""
	case *ast.Ident:
		v, ok := consts[s.dir+"."+e.Name]
		return v, ok
	}
	return "", false
}
