package clinic

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

// Problem is one thing a file says wrong. Its words are field.<Code> of the
// catalogues.
type Problem struct {
	Line int    // from 1; 0 when the whole file is meant
	Path string // organizations[0].staff[2].rpps
	Code string
	Args map[string]string
}

// Read takes a file apart strictly: an unknown name, a name said twice or a
// value of another kind is a problem. Then it checks what the file says.
func Read(raw []byte) (File, []Problem) {
	var f File
	r := reader{raw: raw, lines: map[string]int{}}
	r.dec = json.NewDecoder(bytes.NewReader(raw))
	r.dec.UseNumber()
	n, err := r.value("")
	if err == nil {
		if _, more := r.dec.Token(); more != io.EOF {
			err = fmt.Errorf("more than one value")
		}
	}
	if err != nil {
		return f, []Problem{{Line: r.line(), Code: "file-syntax", Args: map[string]string{"why": err.Error()}}}
	}
	r.bind(n, reflect.ValueOf(&f).Elem(), "")
	if len(r.problems) == 0 {
		r.check(f)
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int { return a.Line - b.Line })
	return f, r.problems
}

// reader turns text into a File and keeps where each value was.
type reader struct {
	raw      []byte
	dec      *json.Decoder
	lines    map[string]int
	problems []Problem
}

// object is a JSON object in the order it was written.
type object struct {
	names  []string
	values []any
}

func (r *reader) line() int { return 1 + bytes.Count(r.raw[:r.dec.InputOffset()], []byte("\n")) }

func (r *reader) fail(path, code string, args ...string) {
	p := Problem{Line: r.lines[path], Path: path, Code: code, Args: map[string]string{}}
	for at := path; p.Line == 0 && at != ""; p.Line = r.lines[at] { // what is missing has the line of what it is missing in
		at = at[:max(strings.LastIndexAny(at, ".["), 0)]
	}
	for i := 0; i+1 < len(args); i += 2 {
		p.Args[args[i]] = args[i+1]
	}
	r.problems = append(r.problems, p)
}

func (r *reader) value(path string) (any, error) {
	t, err := r.dec.Token()
	if err != nil {
		return nil, err
	}
	r.lines[path] = r.line()
	switch t {
	case json.Delim('{'):
		return r.object(path)
	case json.Delim('['):
		list := []any{}
		for r.dec.More() {
			v, err := r.value(fmt.Sprintf("%s[%d]", path, len(list)))
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = r.dec.Token()
		return list, err
	}
	return t, nil
}

func (r *reader) object(path string) (any, error) {
	var o object
	for r.dec.More() {
		t, err := r.dec.Token()
		if err != nil {
			return nil, err
		}
		name, _ := t.(string)
		if slices.Contains(o.names, name) {
			r.lines[under(path, name)] = r.line()
			r.fail(under(path, name), "file-twice")
		}
		v, err := r.value(under(path, name))
		if err != nil {
			return nil, err
		}
		o.names, o.values = append(o.names, name), append(o.values, v)
	}
	_, err := r.dec.Token()
	return o, err
}

func under(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// bind puts a value into a field of File, or notes why not.
func (r *reader) bind(from any, to reflect.Value, path string) {
	if u, ok := to.Addr().Interface().(encoding.TextUnmarshaler); ok {
		text, isText := from.(string)
		if !isText || u.UnmarshalText([]byte(text)) != nil || fmt.Sprint(to.Interface()) != text {
			r.fail(path, "file-"+strings.ToLower(to.Type().Name()))
		}
		return
	}
	switch to.Kind() {
	case reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		r.bind(from, to.Elem(), path)
	case reflect.Struct:
		r.fields(from, to, path)
	case reflect.Slice:
		list, ok := from.([]any)
		if !ok {
			r.kind(path, "[…]")
			return
		}
		to.Set(reflect.MakeSlice(to.Type(), len(list), len(list)))
		for i, v := range list {
			r.bind(v, to.Index(i), fmt.Sprintf("%s[%d]", path, i))
		}
	case reflect.Int:
		n, _ := from.(json.Number)
		whole, err := n.Int64()
		if err != nil {
			r.kind(path, "123")
		}
		to.SetInt(whole)
	case reflect.Bool:
		v, ok := from.(bool)
		if !ok {
			r.kind(path, "true, false")
		}
		to.SetBool(v)
	default:
		v, ok := from.(string)
		if !ok {
			r.kind(path, `"…"`)
		}
		to.SetString(v)
	}
}

func (r *reader) kind(path, wanted string) { r.fail(path, "file-kind", "wanted", wanted) }

// fields binds an object to a struct: every name of the object is one of the
// struct's, and what the struct does not leave out when empty is there.
func (r *reader) fields(from any, to reflect.Value, path string) {
	o, ok := from.(object)
	if !ok {
		r.kind(path, "{…}")
		return
	}
	known := map[string]bool{}
	for i := range to.NumField() {
		name, optional, _ := strings.Cut(to.Type().Field(i).Tag.Get("json"), ",")
		known[name] = true
		if at := slices.Index(o.names, name); at >= 0 {
			r.bind(o.values[at], to.Field(i), under(path, name))
		} else if optional == "" {
			r.fail(under(path, name), "required")
		}
	}
	for _, name := range o.names {
		if !known[name] {
			r.fail(under(path, name), "file-unknown")
		}
	}
}
