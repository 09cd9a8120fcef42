package typography

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode"

	"visavis/internal/fault"
)

// Tag is the struct tag of a typed text that reaches a document: `printed:"text"`, or `printed:"line"` for
// one that holds on one line.
const Tag = "printed"

// named bounds how many signs of one field a refusal names.
const named = 5

// Unprintable lists the signs of a cleaned text that the fonts cannot draw, each once, in order: those they
// lack, and combining marks that nothing carries, which would stand over another letter. It is empty for
// nearly every text.
func Unprintable(s string) []rune {
	var out []rune
	if plain(s) {
		return nil
	}
	fonts := loadFonts()
	base := rune(0) // what carries a mark that follows; 0 when nothing does
	for _, r := range s {
		ok := fonts.printable(r)
		if unicode.Is(unicode.M, r) {
			ok = ok && carries(base, r)
		} else {
			base = r
		}
		if !ok && !strings.ContainsRune(string(out), r) {
			out = append(out, r)
		}
	}
	return out
}

// carries tells whether a combining mark is drawn on a sign: on a letter, a figure or a symbol, and a mark of
// Hebrew or Arabic on a letter read from right to left only, since the fonts draw it on what stands at its
// right, the other marks on what stands at their left.
func carries(base, mark rune) bool {
	if !unicode.IsLetter(base) && !unicode.IsNumber(base) && !unicode.IsSymbol(base) {
		return false
	}
	return rightToLeft(base) == rightToLeftMark(mark)
}

// rightToLeftMark tells whether a combining mark belongs to Hebrew or Arabic.
func rightToLeftMark(r rune) bool { return r >= 0x590 && r <= 0x6ff }

// Fields checks one cleaned text: no field, or one refusal that names the signs which cannot be printed, by
// their drawing and their code (U+4E2D), and by their code alone when they have no drawing.
func Fields(name, cleaned string) []fault.Field {
	unknown := Unprintable(cleaned)
	if len(unknown) == 0 {
		return nil
	}
	unknown = unknown[:min(len(unknown), named)]
	list := make([]string, len(unknown))
	for i, r := range unknown {
		list[i] = Name(r)
	}
	return []fault.Field{{Name: name, Code: "sign-not-printable", Args: map[string]string{"signs": strings.Join(list, ", ")}}}
}

// Name names a sign for people: « 中 (U+4E2D) », or « U+0007 » for one that cannot be seen.
func Name(r rune) string {
	if unicode.IsControl(r) || !unicode.IsGraphic(r) || unicode.IsSpace(r) || r == unicode.ReplacementChar {
		return fmt.Sprintf("U+%04X", r)
	}
	if unicode.Is(unicode.M, r) {
		return fmt.Sprintf("◌%c (U+%04X)", r, r)
	}
	return fmt.Sprintf("%c (U+%04X)", r, r)
}

// Check cleans every text of v that the tag `printed` marks, in place, and returns what is refused, each
// field by its JSON path as the pages know it (lines[0].name). v is a pointer; it is walked through structs,
// slices and pointers. Use it where a text is typed and again where it is signed.
func Check(v any) []fault.Field {
	var out []fault.Field
	walk(reflect.ValueOf(v), "", "", func(path, tag string, s reflect.Value) {
		if tag == "" || !s.CanSet() {
			return
		}
		text := Clean(s.String())
		if tag == "line" {
			text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' }), " ")
		}
		if text != s.String() {
			s.SetString(text)
		}
		out = append(out, Fields(path, text)...)
	})
	return out
}

// Controls finds the texts of v, marked or not, that hold a control sign other than a tab or a line end:
// nobody types one, and PostgreSQL cannot keep a NUL.
func Controls(v any) []fault.Field {
	var out []fault.Field
	walk(reflect.ValueOf(v), "", "", func(path, tag string, s reflect.Value) {
		if tag != "" {
			return // Check names it
		}
		if i := strings.IndexFunc(s.String(), func(r rune) bool { return r < ' ' && !strings.ContainsRune("\t\n\v\f\r", r) || r == 0x7f }); i >= 0 {
			out = append(out, fault.Field{Name: path, Code: "sign-not-printable", Args: map[string]string{"signs": Name(rune(s.String()[i]))}})
		}
	})
	return out
}

// jsonName is the name of a field as callers know it.
func jsonName(f reflect.StructField) string {
	for _, tag := range []string{"json", "query", "path"} {
		if name, _, _ := strings.Cut(f.Tag.Get(tag), ","); name != "" && name != "-" {
			return name
		}
	}
	return strings.ToLower(f.Name[:1]) + f.Name[1:]
}

// walk calls visit for every string of v with its JSON path and its tag.
func walk(v reflect.Value, path, tag string, visit func(path, tag string, s reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			walk(v.Elem(), path, tag, visit)
		}
	case reflect.String:
		visit(path, tag, v)
	case reflect.Slice:
		if k := v.Type().Elem().Kind(); k != reflect.String && k != reflect.Struct && k != reflect.Pointer {
			return
		}
		for i := range v.Len() {
			walk(v.Index(i), path+"["+strconv.Itoa(i)+"]", tag, visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() {
				continue
			}
			at := path
			if !f.Anonymous {
				at = strings.TrimPrefix(path+"."+jsonName(f), ".")
			}
			walk(v.Field(i), at, f.Tag.Get(Tag), visit)
		}
	}
}
