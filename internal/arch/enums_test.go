package arch

import (
	"go/ast"
	"go/token"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestChoicesAreInTheDocument: a field of the API whose Go type has constants
// names them in its enum tag, so that OpenAPI and TypeScript know the choices,
// and names no other.
func TestChoicesAreInTheDocument(t *testing.T) {
	choices := typed(t)
	found := 0
	for _, s := range all(t) {
		file := s.path[strings.LastIndexByte(s.path, '/')+1:]
		if !s.library() || !strings.HasPrefix(file, "http") || s.under("internal/httpx") {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			f, ok := n.(*ast.Field)
			if !ok || f.Tag == nil {
				return true
			}
			known := choices[typeName(s, f.Type)]
			if len(known) < 2 {
				return true
			}
			found++
			tag := reflect.StructTag(strings.Trim(f.Tag.Value, "`"))
			enum := tag.Get("enum")
			if enum == "" {
				t.Errorf("%s: %s has no enum tag: %s", s.line(f), tag.Get("json"), strings.Join(known, ","))
				return true
			}
			for choice := range strings.SplitSeq(enum, ",") {
				if !slices.Contains(known, choice) {
					t.Errorf("%s: %q is no choice of %s: %s", s.line(f), choice, tag.Get("json"), strings.Join(known, ","))
				}
			}
			return true
		})
	}
	if found < 15 {
		t.Fatalf("only %d fields with choices found: the search is wrong", found)
	}
}

// typed gives the constants of each named type, as "encounters.Status".
func typed(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, s := range all(t) {
		for _, d := range s.ast.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST || s.test {
				continue
			}
			for _, spec := range g.Specs {
				v := spec.(*ast.ValueSpec)
				if v.Type == nil {
					continue
				}
				for _, e := range v.Values {
					if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
						if text, err := strconv.Unquote(l.Value); err == nil {
							name := typeName(s, v.Type)
							out[name] = append(out[name], text)
						}
					}
				}
			}
		}
	}
	return out
}

// typeName is the type of an expression with its package: of s when it says none.
func typeName(s *source, e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return s.ast.Name.Name + "." + e.Name
	case *ast.SelectorExpr:
		if on, ok := e.X.(*ast.Ident); ok {
			return on.Name + "." + e.Sel.Name
		}
	}
	return ""
}
