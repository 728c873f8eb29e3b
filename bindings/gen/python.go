package main

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// pythonWidth is the longest line that ruff is told to accept.
const pythonWidth = 120

var pythonDialect = dialect{
	constant: func(c *constant) string {
		if c.group.goType == "" {
			return upper(c.goName)
		}
		return c.group.publicName() + "." + c.pythonName()
	},
	all:       (*group).publicName,
	enum:      (*group).publicName,
	structure: (*structure).rawName,
	function:  func(cName string) string { return cName },
	field:     (*field).cName,
	parameter: parameter.cName,
}

type pythonWriter struct {
	*model
	bytes.Buffer
}

func (w *pythonWriter) line(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.WriteString(strings.TrimRight(text, " ") + "\n")
}

func writePython(m *model) []byte {
	w := &pythonWriter{model: m}
	w.line("# %s", generatedBy)
	w.line(`"""The C ABI as ctypes sees it: constants, structures, and the functions' signatures."""`)
	w.line("")
	w.line("from __future__ import annotations")
	w.line("")
	w.line("from ctypes import (")
	for _, name := range []string{"CDLL", "POINTER", "Array", "Structure"} {
		w.line("    %s,", name)
	}
	for _, name := range w.ctypes() {
		w.line("    %s,", name)
	}
	w.line(")")
	w.line("from enum import IntEnum%s", map[bool]string{true: ", IntFlag"}[w.hasFlags()])
	w.line("from typing import ClassVar, Final")
	for _, g := range m.groups() {
		if g.goType == "" {
			w.constants(g)
		}
	}
	for _, g := range m.groups() {
		if g.goType != "" {
			w.enum(g)
		}
	}
	w.line("\n")
	w.comment("", w.say(handleDoc, scope{}, pythonDialect))
	w.line("ShmcvSegment = c_uint64")
	for _, s := range m.structs() {
		w.structure(s)
	}
	w.declare()
	return w.Bytes()
}

// ctypes gives the names of ctypes' types that the file uses, sorted.
func (w *pythonWriter) ctypes() []string {
	used := map[string]bool{"c_uint64": true}
	note := func(t string) {
		if t = strings.TrimSuffix(strings.TrimPrefix(t, "POINTER("), ")"); strings.HasPrefix(t, "c_") {
			used[t] = true
		}
	}
	for _, s := range w.structs() {
		for _, f := range s.fields {
			note(f.pythonType())
		}
	}
	for _, fn := range w.functions() {
		note(fn.result.python)
		for _, p := range fn.parameters {
			note(p.python)
		}
	}
	names := slices.Collect(maps.Keys(used))
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(sortKey(a), sortKey(b)) })
	return names
}

var digits = regexp.MustCompile("[0-9]+")

// sortKey sorts c_uint8 before c_uint32, as ruff wants imports.
func sortKey(name string) string {
	return digits.ReplaceAllStringFunc(name, func(number string) string { return fmt.Sprintf("%9s", number) })
}

func (w *pythonWriter) hasFlags() bool {
	for _, g := range w.groups() {
		if g.isFlags() {
			return true
		}
	}
	return false
}

// comment writes lines of comment.
func (w *pythonWriter) comment(indent, text string) {
	for _, line := range lay(text, pythonWidth-len(indent)-len("# ")) {
		w.line("%s# %s", indent, line)
	}
}

// attribute writes the documentation of what comes next, as Sphinx reads it.
func (w *pythonWriter) attribute(indent, text string) {
	if text == "" {
		return
	}
	for _, line := range wrap(text, pythonWidth-len(indent)-len("#: ")) {
		w.line("%s#: %s", indent, line)
	}
}

// docstring writes one: a sentence on a line of its own if there is more. A raw string, for the sake of backslashes.
func (w *pythonWriter) docstring(indent, text string) {
	quote := `"""`
	if strings.Contains(text, `\`) {
		quote = `r"""`
	}
	width := pythonWidth - len(indent) - len(quote+`"""`)
	lines := lay(text, width)
	if len(lines) > 1 && lines[1] != "" {
		lines = lay(strings.Replace(text, ". ", ".\n\n", 1), width)
	}
	if len(lines) == 1 {
		w.line(`%s%s%s"""`, indent, quote, lines[0])
		return
	}
	w.line("%s%s%s", indent, quote, lines[0])
	for _, line := range lines[1:] {
		w.line("%s%s", indent, line)
	}
	w.line(`%s"""`, indent)
}

func (w *pythonWriter) constants(g *group) {
	w.line("")
	for _, c := range g.constants {
		doc := c.doc
		if doc == "" {
			doc = g.doc
			if len(g.constants) == 1 {
				doc = withoutSubject(doc)
			}
		}
		w.attribute("", w.say(doc, scope{}, pythonDialect))
		w.line("%s: Final = %s", upper(c.goName), c.text)
	}
}

func (w *pythonWriter) enum(g *group) {
	kind := "IntEnum"
	if g.isFlags() {
		kind = "IntFlag"
	}
	w.line("\n\nclass %s(%s):", g.publicName(), kind)
	w.docstring("    ", w.say(withoutSubject(g.doc), scope{}, pythonDialect))
	w.line("")
	for _, c := range g.constants {
		w.attribute("    ", w.say(c.doc, scope{}, pythonDialect))
		w.line("    %s = %s", c.pythonName(), c.text)
	}
}

func (w *pythonWriter) structure(s *structure) {
	in := scope{fields: s.fields}
	w.line("\n\nclass %s(Structure):", s.rawName())
	w.docstring("    ", w.say(withoutSubject(s.doc), in, pythonDialect))
	w.line("")
	w.line("    #: Its size in C, in bytes.")
	w.line("    SIZE: ClassVar[int] = %d", s.size)
	w.line("")
	for _, f := range s.fields {
		w.attribute("    ", w.say(f.doc, in, pythonDialect))
		w.line("    %s: %s", f.cName(), f.pythonAnnotation())
	}
	w.line("")
	w.line("    _fields_ = (")
	for _, f := range s.fields {
		t := f.pythonType()
		if f.length > 0 {
			t = fmt.Sprintf("%s * %d", t, f.length)
		}
		w.line("        (%q, %s),", f.cName(), t)
	}
	w.line("    )")
}

// pythonType is the type of an element.
func (f *field) pythonType() string {
	switch {
	case f.nested != nil:
		return f.nested.rawName()
	case f.isChars:
		return "c_char"
	}
	return basics[f.basic].python
}

// pythonAnnotation is what reading the field gives.
func (f *field) pythonAnnotation() string {
	switch {
	case f.nested != nil:
		return f.nested.rawName()
	case f.isChars:
		return "bytes"
	case f.length > 0:
		return "Array[" + f.pythonType() + "]"
	}
	return "int"
}

func (w *pythonWriter) declare() {
	w.line("\n\ndef declare(library: CDLL) -> None:")
	w.line(`    """Tells ctypes the signature of every function. AttributeError where the library lacks one."""`)
	for i, fn := range w.functions() {
		if i > 0 {
			w.line("")
		}
		c := cWriter{model: w.model}
		for line := range strings.SplitSeq(c.prototype(fn, 0), "\n") {
			w.line("    # %s", line)
		}
		w.line("    #")
		w.comment("    ", w.say(fn.doc, scope{parameters: fn.parameters}, pythonDialect))
		w.argumentTypes(fn)
		w.line("    library.%s.restype = %s", fn.cName, fn.result.python)
	}
}

// argumentTypes breaks the line where and how ruff's formatter does.
func (w *pythonWriter) argumentTypes(fn *function) {
	var all []string
	for _, p := range fn.parameters {
		all = append(all, p.python)
	}
	target, joined := "    library."+fn.cName+".argtypes = ", strings.Join(all, ", ")
	if len(target)+len(joined)+len("[]") <= pythonWidth {
		w.line("%s[%s]", target, joined)
		return
	}
	w.line("%s[", target)
	for _, t := range all {
		w.line("        %s,", t)
	}
	w.line("    ]")
}
