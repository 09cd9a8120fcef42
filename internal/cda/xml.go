package cda

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"

	"visavis/internal/typography"
)

// node is an element of the document; text and children are exclusive but in narrative blocks.
type node struct {
	name     string
	attrs    []xml.Attr
	text     string
	children []*node
}

// el makes an element from alternating attribute names and values. A pair whose value is empty is left
// out, so that optional attributes need no branch.
func el(name string, pairs ...string) *node {
	n := &node{name: name}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			n.attrs = append(n.attrs, xml.Attr{Name: xml.Name{Local: pairs[i]}, Value: pairs[i+1]})
		}
	}
	return n
}

// add appends children and returns n; nil children are left out.
func (n *node) add(children ...*node) *node {
	for _, c := range children {
		if c != nil {
			n.children = append(n.children, c)
		}
	}
	return n
}

func (n *node) say(text string) *node {
	n.text = text
	return n
}

func (n *node) attr(name string) string {
	for _, a := range n.attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// write encodes n. Its texts are written as the printed sheet writes them (typography.Clean), so that both
// files of a document carry the same characters.
func (n *node) write(e *xml.Encoder) error {
	attrs := make([]xml.Attr, len(n.attrs))
	for i, a := range n.attrs {
		attrs[i] = a
		attrs[i].Value = typography.Clean(a.Value)
	}
	start := xml.StartElement{Name: xml.Name{Local: n.name}, Attr: attrs}
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	if text := typography.Clean(n.text); text != "" {
		if err := e.EncodeToken(xml.CharData(text)); err != nil {
			return err
		}
	}
	for _, c := range n.children {
		if err := c.write(e); err != nil {
			return err
		}
	}
	return e.EncodeToken(start.End())
}

func render(root *node) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	e := xml.NewEncoder(&b)
	if err := root.write(e); err != nil {
		return nil, err
	}
	if err := e.Close(); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// parse reads a document into nodes whose names have lost their prefix. A DOCTYPE is refused.
func parse(doc []byte) (*node, error) {
	d := xml.NewDecoder(bytes.NewReader(doc))
	root := &node{}
	stack := []*node{root}
	for {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		top := stack[len(stack)-1]
		switch t := tok.(type) {
		case xml.StartElement:
			c := &node{name: t.Name.Local}
			for _, a := range t.Attr {
				c.attrs = append(c.attrs, xml.Attr{Name: xml.Name{Local: a.Name.Local}, Value: a.Value})
			}
			top.children = append(top.children, c)
			stack = append(stack, c)
		case xml.EndElement:
			top.text = strings.TrimSpace(top.text)
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.text += string(t)
		case xml.Directive:
			return nil, errDoctype
		}
	}
	if len(root.children) != 1 {
		return nil, io.ErrUnexpectedEOF
	}
	return root.children[0], nil
}

// all returns the descendants of n along a path of element names separated by slashes.
func (n *node) all(path string) []*node {
	if n == nil {
		return nil
	}
	found := []*node{n}
	for step := range strings.SplitSeq(path, "/") {
		var next []*node
		for _, f := range found {
			for _, c := range f.children {
				if c.name == step {
					next = append(next, c)
				}
			}
		}
		found = next
	}
	return found
}

// one returns the first element of a path, nil when there is none.
func (n *node) one(path string) *node {
	if found := n.all(path); len(found) > 0 {
		return found[0]
	}
	return nil
}

// value returns an attribute of the first element of a path, empty when there is none.
func (n *node) value(path, attr string) string {
	if f := n.one(path); f != nil {
		return f.attr(attr)
	}
	return ""
}

// hasTemplate tells whether n claims conformity to a template.
func (n *node) hasTemplate(root string) bool {
	for _, t := range n.all("templateId") {
		if t.attr("root") == root {
			return true
		}
	}
	return false
}
