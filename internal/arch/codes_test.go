package arch

import (
	"bytes"
	"go/ast"
	"go/printer"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// derived says which codes an expression that is no literal can be. The key is
// the folder and the expression; each must still be found.
func derived(t *testing.T) map[string][]string {
	types := typed(t)
	var stands []string
	for _, s := range types["prescriptions.Standing"] {
		if s != "valid" {
			stands = append(stands, "dispense-"+s)
		}
	}
	var acts []string
	for _, s := range types["encounters.Status"] {
		acts = append(acts, "encounter-"+s)
	}
	return map[string][]string{
		`encounters "encounter-" + string(e.Status)`: acts,
		`prescriptions "dispense-" + string(st)`:     stands,
		"prescriptions string(f.Code)":               types["prescriber.Code"],
		"identity/traits string(r)":                  types["traits.Refusal"],
		"internal/paper codes[p.Code]":               {"required", "code-unknown", "form-wrong", "key-wrong", "order-wrong"},
		"documents pictureCode(err)":                 literals(t, "documents", "pictureCode"),
		"internal/httpx schemaCode(detail.Message)":  literals(t, "internal/httpx", "schemaCode"),
	}
}

// codes finds the catalogue keys that Go files use, with where.
func codes(t *testing.T) map[string]string {
	t.Helper()
	c := &coder{t: t, out: map[string]string{}, consts: constants(t), derived: derived(t), met: map[string]bool{}}
	for _, s := range all(t) {
		if s.library() || s.dir == "cmd/visavis" && !s.test {
			c.file(s)
		}
	}
	for key := range c.derived {
		if !c.met[key] {
			t.Errorf("%s: no such expression any more", key)
		}
	}
	return c.out
}

// coder collects the codes of the sources.
type coder struct {
	t       *testing.T
	out     map[string]string
	consts  map[string]string
	derived map[string][]string
	met     map[string]bool
}

func (c *coder) file(s *source) {
	inFault := s.dir == "internal/fault"
	var stack []ast.Node
	ast.Inspect(s.ast, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		stack = append(stack, n)
		switch n := n.(type) {
		case *ast.CallExpr:
			on, name := selector(n)
			if id, ok := n.Fun.(*ast.Ident); ok && inFault {
				on, name = "fault", id.Name
			}
			if on == "fault" && name == "New" && len(n.Args) == 2 {
				for _, code := range c.resolve(s, stack, n.Args[1]) {
					c.out["fault."+code], c.out["fault."+code+".title"] = s.line(n), s.line(n)
				}
			}
		case *ast.CompositeLit:
			c.literal(s, stack, n)
		}
		return true
	})
}

// literal reads fault.Field{…}, []fault.Field{{…}} and fault.Error{…}.
func (c *coder) literal(s *source, stack []ast.Node, lit *ast.CompositeLit) {
	typ := lit.Type
	if typ == nil && len(stack) > 1 {
		if list, ok := stack[len(stack)-2].(*ast.CompositeLit); ok {
			if a, ok := list.Type.(*ast.ArrayType); ok {
				typ = a.Elt
			}
		}
	}
	name := typeName(s, typ)
	if name != "fault.Field" && name != "fault.Error" || s.dir == "internal/fault" {
		return
	}
	for _, e := range lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			c.t.Errorf("%s: name the fields of %s", s.line(lit), name)
			return
		}
		if k, ok := kv.Key.(*ast.Ident); !ok || k.Name != "Code" {
			continue
		}
		for _, code := range c.resolve(s, stack, kv.Value) {
			if name == "fault.Field" {
				c.out["field."+code] = s.line(kv)
				continue
			}
			c.out["fault."+code], c.out["fault."+code+".title"] = s.line(kv), s.line(kv)
		}
	}
}

// resolve gives every code an expression can be. A parameter of a function is
// looked for where the function is called in the package.
func (c *coder) resolve(s *source, stack []ast.Node, e ast.Expr) []string {
	if code, ok := text(s, c.consts, e); ok {
		return []string{code}
	}
	key := s.dir + " " + written(e)
	if codes, ok := c.derived[key]; ok {
		c.met[key] = true
		return codes
	}
	if id, ok := e.(*ast.Ident); ok {
		if function, at := parameter(stack, id.Name); function != "" {
			if out := c.given(s, function, at); len(out) > 0 {
				return out
			}
		}
	}
	if s.dir == "internal/fault" {
		return nil // passes codes on
	}
	c.t.Errorf("%s: cannot tell which codes %q can be: write literals, or say it in derived (%s)", s.line(e), written(e), "internal/arch/codes_test.go")
	return nil
}

// given collects what the calls of a function in the package of s give at a place.
func (c *coder) given(s *source, function string, at int) []string {
	var out []string
	for _, other := range all(c.t) {
		if other.dir != s.dir || other.test {
			continue
		}
		var stack []ast.Node
		ast.Inspect(other.ast, func(n ast.Node) bool {
			if n == nil {
				stack = stack[:len(stack)-1]
				return true
			}
			stack = append(stack, n)
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) <= at {
				return true
			}
			called := ""
			switch f := call.Fun.(type) {
			case *ast.Ident:
				called = f.Name
			case *ast.SelectorExpr:
				called = f.Sel.Name
			}
			if called == function {
				if code, ok := text(other, c.consts, call.Args[at]); ok {
					out = append(out, code)
				}
			}
			return true
		})
	}
	return out
}

// parameter finds the function around that has a parameter of this name: the
// function's name and the place of the parameter.
func parameter(stack []ast.Node, name string) (string, int) {
	for i, n := range slices.Backward(stack) {
		var typ *ast.FuncType
		function := ""
		switch f := n.(type) {
		case *ast.FuncDecl:
			typ, function = f.Type, f.Name.Name
		case *ast.FuncLit:
			typ = f.Type
			if assign, ok := stack[max(i-1, 0)].(*ast.AssignStmt); ok && len(assign.Lhs) == 1 {
				if id, ok := assign.Lhs[0].(*ast.Ident); ok {
					function = id.Name
				}
			}
		default:
			continue
		}
		at := 0
		for _, field := range typ.Params.List {
			for _, p := range field.Names {
				if p.Name == name {
					return function, at
				}
				at++
			}
		}
	}
	return "", 0
}

// literals are the strings in a function that look like codes.
func literals(t *testing.T, dir, function string) []string {
	t.Helper()
	code := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	var out []string
	for _, s := range all(t) {
		for _, d := range s.ast.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || s.dir != dir || f.Name.Name != function {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if l, ok := n.(*ast.BasicLit); ok {
					if v := strings.Trim(l.Value, "`\""); code.MatchString(v) {
						out = append(out, v)
					}
				}
				return true
			})
		}
	}
	return out
}

func written(e ast.Expr) string {
	var out bytes.Buffer
	if err := printer.Fprint(&out, fset, e); err != nil {
		return err.Error()
	}
	return out.String()
}
