package main

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// pythonWidth is the greatest length of a line that ruff.toml allows.
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
	structure: func(s *structure) string { return s.goName },
	function:  func(cName string) string { return cName },
}

type pythonWriter struct {
	*model
	bytes.Buffer
}

func (w *pythonWriter) line(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.WriteString(strings.TrimRight(text, " ") + "\n")
}

// newPythonWriter begins a module with its docstring.
func newPythonWriter(m *model, docstring string) *pythonWriter {
	w := &pythonWriter{model: m}
	w.line("# %s", generatedBy)
	w.docstring("", docstring)
	w.line("")
	w.line("from __future__ import annotations")
	w.line("")
	return w
}

// writePythonNative writes the raw layer: structures and signatures. The C header documents them.
func writePythonNative(m *model) []byte {
	w := newPythonWriter(m, "The C ABI as ctypes sees it: structures, and the functions' signatures. The C header documents them.")
	w.line("from ctypes import (")
	for _, name := range []string{"CDLL", "POINTER", "Array", "Structure"} {
		w.line("    %s,", name)
	}
	for _, name := range w.ctypes() {
		w.line("    %s,", name)
	}
	w.line(")")
	w.line("from typing import ClassVar, Final")
	for _, f := range m.families {
		for _, g := range f.groups {
			if f.name != "version" || g.goType != "" {
				continue
			}
			w.line("")
			for _, c := range g.constants {
				w.line("%s: Final = %s", upper(c.goName), c.text)
			}
		}
	}
	w.line("")
	for _, s := range m.handles() {
		w.line("%s = c_uint64", s.rawName())
	}
	for _, s := range m.plainStructs() {
		w.structure(s)
	}
	w.declare()
	return w.Bytes()
}

// writePythonConstants writes the enumerations and constants that users of the package see.
func writePythonConstants(m *model) []byte {
	w := newPythonWriter(m, "Enumerations and constants.")
	w.line("from enum import IntEnum%s", map[bool]string{true: ", IntFlag"}[w.hasFlags()])
	w.line("from typing import Final")
	for _, g := range m.constantGroups() {
		w.line("")
		for _, c := range g.constants {
			w.attribute("", w.say(c.describe(), nil, pythonDialect))
			w.line("%s: Final = %s", upper(c.goName), c.text)
		}
	}
	for _, g := range m.enums() {
		w.enum(g)
	}
	return w.Bytes()
}

const pythonErrors = `Errors: one exception for each of the library's codes.

Each exception is also the built-in one that a Python program would catch: a missing segment or file is a
FileNotFoundError, a taken name a FileExistsError, an impossible argument a ValueError. The text is the library's own. It
says what was asked, what was found and what to do.`

const pythonBaseError = `class ShmcvError(Exception):
    """An error of the library; its code is the attribute code.

    An exception is of this class itself, and the code a bare number, only if the library is newer than this package and
    returns a code that the package does not know.

    Those that are OSErrors have its attributes: errno, strerror, and filename, which is the path or the name that the
    caller has given. All have the library's text as str().
    """

    code: int

    def __str__(self) -> str:
        """Return the library's text. OSError would make another one of its attributes."""
        return str(self.args[0]) if self.args else ""

    def __reduce__(self) -> tuple[type[ShmcvError], tuple[object, ...], dict[str, object]]:
        """Pickle the attributes of OSError too."""
        kept = {name: getattr(self, name) for name in ("strerror", "filename") if isinstance(self, OSError)}
        return type(self), self.args, {**self.__dict__, **kept}`

// writePythonErrors writes the exceptions.
func writePythonErrors(m *model) []byte {
	w := newPythonWriter(m, pythonErrors)
	w.line("import builtins")
	w.line("import errno as errnos")
	w.line("")
	w.line("from .constants import ErrorCode")
	w.line("\n\n%s", pythonBaseError)
	for _, c := range m.errors() {
		bases := "ShmcvError"
		if c.kin.exception != "" {
			bases += ", builtins." + c.kin.exception
		}
		w.line("\n\nclass %s(%s):", c.pythonError(), bases)
		w.docstring("    ", w.say(c.doc, nil, pythonDialect))
		w.line("")
		w.line("    code = ErrorCode.%s", c.pythonName())
		if c.kin.errno != "" {
			w.line("    errno = errnos.%s", c.kin.errno)
		}
	}
	w.line("\n\n#: The exception of each code.")
	w.line("EXCEPTIONS: dict[int, type[ShmcvError]] = {")
	w.line("    kind.code: kind")
	w.line("    for kind in (")
	for _, c := range m.errors() {
		w.line("        %s,", c.pythonError())
	}
	w.line("    )")
	w.line("}")
	return w.Bytes()
}

// pythonError returns the name of a code's exception in Python.
func (c *constant) pythonError() string {
	return pascal(c.member()) + "Error"
}

// ctypes returns the names of ctypes' types that the raw layer uses, sorted.
func (w *pythonWriter) ctypes() []string {
	used := map[string]bool{"c_uint64": true}
	note := func(t string) {
		if t = strings.TrimSuffix(strings.TrimPrefix(t, "POINTER("), ")"); strings.HasPrefix(t, "c_") {
			used[t] = true
		}
	}
	for _, s := range w.plainStructs() {
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

// sortKey returns a key that sorts c_uint8 before c_uint32, because ruff demands this order of imports.
func sortKey(name string) string {
	return digits.ReplaceAllStringFunc(name, func(number string) string { return fmt.Sprintf("%9s", number) })
}

func (w *pythonWriter) hasFlags() bool { return slices.ContainsFunc(w.enums(), (*group).isIntFlag) }

// isIntFlag returns true if the enumeration is an IntFlag. An IntFlag takes a negative number for all bits that it knows;
// members of an IntEnum combine to an int.
func (g *group) isIntFlag() bool {
	return g.isFlags() && !slices.ContainsFunc(g.constants, func(c *constant) bool { return strings.HasPrefix(c.text, "-") })
}

// attribute writes the documentation of the next line, in the form that Sphinx reads.
func (w *pythonWriter) attribute(indent, text string) {
	if text == "" {
		return
	}
	for _, line := range wrap(text, pythonWidth-len(indent)-len("#: ")) {
		w.line("%s#: %s", indent, line)
	}
}

// docstring writes a docstring. If the text is longer than a line, its first sentence has a line of its own.
func (w *pythonWriter) docstring(indent, text string) {
	const quote = `"""`
	width := pythonWidth - len(indent) - 2*len(quote)
	lines := lay(text, width)
	if len(lines) > 1 && lines[1] != "" {
		lines = lay(strings.Replace(text, ". ", ".\n\n", 1), width)
	}
	if len(lines) == 1 {
		w.line("%s%s%s%s", indent, quote, lines[0], quote)
		return
	}
	w.line("%s%s%s", indent, quote, lines[0])
	for _, line := range lines[1:] {
		w.line("%s%s", indent, line)
	}
	w.line("%s%s", indent, quote)
}

func (w *pythonWriter) enum(g *group) {
	kind := "IntEnum"
	if g.isIntFlag() {
		kind = "IntFlag"
	}
	w.line("\n\nclass %s(%s):", g.publicName(), kind)
	w.docstring("    ", w.say(withoutSubject(g.doc), nil, pythonDialect))
	w.line("")
	for _, c := range g.constants {
		w.attribute("    ", w.say(c.doc, nil, pythonDialect))
		w.line("    %s = %s", c.pythonName(), c.text)
	}
}

func (w *pythonWriter) structure(s *structure) {
	w.line("\n\nclass %s(Structure):", s.rawName())
	w.line("    SIZE: ClassVar[int] = %d", s.size)
	w.line("")
	for _, f := range s.fields {
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

// pythonType returns the ctypes type of the field, or of an element if the field is an array.
func (f *field) pythonType() string {
	switch {
	case f.nested != nil:
		return f.nested.rawName()
	case f.isChars:
		return "c_char"
	}
	return basics[f.basic].python
}

// pythonAnnotation returns the Python type of the field's value.
func (f *field) pythonAnnotation() string {
	switch {
	case f.nested != nil:
		return f.nested.rawName()
	case f.isChars:
		return "bytes"
	case f.length > 0:
		return "Array[" + f.pythonType() + "]"
	case f.pythonType() == "c_void_p":
		return "int | None"
	}
	return "int"
}

func (w *pythonWriter) declare() {
	w.line("\n\ndef declare(library: CDLL) -> None:")
	w.docstring("    ", "Tells ctypes the signature of every function. AttributeError if the library lacks one.")
	for _, fn := range w.functions() {
		w.argumentTypes(fn)
		w.line("    library.%s.restype = %s", fn.cName, fn.result.python)
	}
}

// argumentTypes writes the types of a function's parameters, with the line breaks of ruff's formatter.
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
