package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// cWidth is the greatest length of a line of the header.
const cWidth = 112

var cDialect = dialect{
	constant:  (*constant).cName,
	all:       (*group).cPrefix,
	enum:      func(g *group) string { return "enum " + g.cName() },
	structure: (*structure).cName,
	function:  func(cName string) string { return cName },
}

const headerTop = `#ifndef SHMCV_H
#define SHMCV_H

#include <stdint.h>

/* SHMCV_API marks the library's functions. SHMCV_BUILDING is defined while the library itself is compiled. */
#if defined(_WIN32)
#  if defined(SHMCV_BUILDING)
#    define SHMCV_API __declspec(dllexport)
#  else
#    define SHMCV_API __declspec(dllimport)
#  endif
#elif defined(__GNUC__)
#  define SHMCV_API __attribute__((visibility("default")))
#else
#  define SHMCV_API
#endif

#ifdef __cplusplus
extern "C" {
#endif
`

const headerEnd = `
#ifdef __cplusplus
}
#endif

#endif /* SHMCV_H */
`

// first are the dozen functions that a newcomer calls. The header begins with them.
var first = []string{"create", "load", "flip", "save", "show", "delay", "close_windows", "open", "close", "clear", "clear_all", "last_error"}

// cWriter writes C.
type cWriter struct {
	*model
	bytes.Buffer
}

func (w *cWriter) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

func writeHeader(m *model) []byte {
	w := &cWriter{model: m}
	w.line("/* %s */\n", generatedBy)
	w.comment(w.say(m.overview, nil, cDialect))
	w.WriteString(headerTop)
	w.simple()
	// Every function speaks of the version, the errors and the types, so these come before the other functions.
	early := []string{"version", "error"}
	for _, f := range m.families {
		if slices.Contains(early, f.name) {
			w.section(f)
		}
	}
	w.banner("Types: what the functions take and give.")
	w.types()
	for _, f := range m.families {
		if !slices.Contains(early, f.name) && (len(f.functions) > 0 || len(f.structs) == 0 && len(f.groups) > 0) {
			w.section(f)
		}
	}
	w.WriteString(headerEnd)
	return w.Bytes()
}

// simple writes the first section of the header: the functions that a newcomer calls, and the types of their
// parameters.
func (w *cWriter) simple() {
	w.banner("The first dozen: the functions that a newcomer calls. The constants that they take stand in the sections below.")
	for _, s := range w.handles() {
		if s.goName == "Segment" {
			w.structure(s)
			w.line("")
		}
	}
	for _, s := range w.plainStructs() {
		if s.goName == "ImageInfo" {
			w.line("typedef struct %s %s;", s.cName(), s.cName())
		}
	}
	for _, name := range first {
		if fn := w.functionNamed("shmcv_" + name); fn != nil {
			w.line("")
			w.declaration(fn)
		}
	}
}

// isFirst returns true if simple writes fn.
func isFirst(fn *function) bool {
	return slices.Contains(first, strings.TrimPrefix(fn.cName, "shmcv_"))
}

func (w *cWriter) declaration(fn *function) {
	w.comment(w.say(fn.doc, nil, cDialect))
	w.line("SHMCV_API %s;", w.prototype(fn, len("SHMCV_API ")))
}

// section writes a family, without the constants and structures that types writes, and without the functions that
// simple writes.
func (w *cWriter) section(f *family) {
	title := f.title
	if f.intro != "" {
		title = w.say(f.intro, nil, cDialect)
	}
	w.banner(title)
	written := 0
	between := func() {
		if written++; written > 1 {
			w.line("")
		}
	}
	if len(f.structs) == 0 {
		for _, g := range f.groups {
			between()
			w.group(g)
		}
	}
	for _, fn := range f.functions {
		if !isFirst(fn) {
			between()
			w.declaration(fn)
		}
	}
}

// types writes the structures, each after the constants of its family.
func (w *cWriter) types() {
	done := map[*family]bool{}
	written := 0
	between := func() {
		if written++; written > 1 {
			w.line("")
		}
	}
	for _, s := range w.structs() {
		for _, f := range w.families {
			if !slices.Contains(f.structs, s) || done[f] {
				continue
			}
			done[f] = true
			for _, g := range f.groups {
				between()
				w.group(g)
			}
		}
		if s.goName == "Segment" {
			continue // simple has written it
		}
		between()
		w.structure(s)
	}
	w.line("\n/* The layouts are part of the ABI. */")
	w.line("#ifdef __cplusplus")
	for _, s := range w.structs() {
		w.line("static_assert(sizeof(%s) == %d, \"%s has another layout here\");", s.cName(), s.size, s.cName())
	}
	w.line("#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L")
	for _, s := range w.structs() {
		w.line("_Static_assert(sizeof(%s) == %d, \"%s has another layout here\");", s.cName(), s.size, s.cName())
	}
	w.line("#endif")
}

// banner begins a section.
func (w *cWriter) banner(text string) {
	rule := strings.Repeat("-", cWidth-len("/* "))
	lines := lay(text, cWidth-len(" * "))
	w.line("\n/* %s", rule)
	for _, line := range lines {
		w.line("%s", strings.TrimRight(" * "+line, " "))
	}
	w.line(" * %s */\n", rule[:len(rule)-len(" */")])
}

// comment writes a doc comment.
func (w *cWriter) comment(text string) {
	lines := lay(text, cWidth-len("/*  */"))
	for i, line := range lines {
		lead, end := " * ", ""
		if i == 0 {
			lead = "/* "
		}
		if i == len(lines)-1 {
			end = " */"
		}
		w.line("%s%s", strings.TrimRight(lead+line, " "), end)
	}
}

// trailing writes code with a comment after it, which begins at column. A long comment continues on the next lines.
func (w *cWriter) trailing(code string, column int, text string) {
	if text == "" {
		w.line("%s", strings.TrimRight(code, " "))
		return
	}
	lines := wrap(text, max(40, cWidth-column-len("/*  */")))
	w.line("%-*s/* %s", column, code, strings.Join(lines, "\n"+strings.Repeat(" ", column)+" * ")+" */")
}

func (w *cWriter) group(g *group) {
	if g.goType != "" {
		w.enum(g)
		return
	}
	if g.doc != "" {
		doc := w.say(g.doc, nil, cDialect)
		if first := g.constants[0]; strings.HasPrefix(doc, first.goName+" ") {
			doc = first.cName() + strings.TrimPrefix(doc, first.goName)
		}
		w.comment(doc)
	}
	names, values := 0, 0
	for _, c := range g.constants {
		names, values = max(names, len(c.cName())), max(values, len(c.cValue()))
	}
	for _, c := range g.constants {
		code := fmt.Sprintf("#define %-*s %s", names, c.cName(), c.cValue())
		w.trailing(code, len("#define   ")+names+values, w.say(c.doc, nil, cDialect))
	}
}

// cValue returns the value as the text of a macro. A negative number has parentheses.
func (c *constant) cValue() string {
	if strings.HasPrefix(c.text, "-") {
		return "(" + c.text + ")"
	}
	return c.text
}

func (w *cWriter) enum(g *group) {
	w.comment(w.say(g.cName()+strings.TrimPrefix(g.doc, g.goType), nil, cDialectPlain))
	names, values := 0, 0
	for _, c := range g.constants {
		names, values = max(names, len(c.cName())), max(values, len(c.text))
	}
	w.line("enum %s {", g.cName())
	for i, c := range g.constants {
		comma := ","
		if i == len(g.constants)-1 {
			comma = ""
		}
		code := fmt.Sprintf("    %-*s = %s%s", names, c.cName(), c.text, comma)
		w.trailing(code, len("     = , ")+names+values, w.say(c.doc, nil, cDialect))
	}
	w.line("};")
}

// cDialectPlain names an enumeration without the keyword enum. It is for the documentation of the enumeration itself.
var cDialectPlain = func() dialect {
	d := cDialect
	d.enum = (*group).cName
	return d
}()

func (w *cWriter) structure(s *structure) {
	w.comment(w.say(s.cName()+strings.TrimPrefix(s.doc, s.goName), s.fields, cDialect))
	column := 0
	for _, f := range s.fields {
		column = max(column, len(f.cDeclaration())+len(" "))
	}
	if s.goName == "ImageInfo" { // simple has written its typedef
		w.line("struct %s {", s.cName())
		defer w.line("};")
	} else {
		w.line("typedef struct %s {", s.cName())
		defer w.line("} %s;", s.cName())
	}
	for _, f := range s.fields {
		w.trailing(f.cDeclaration(), column, w.say(f.doc, s.fields, cDialect))
	}
}

func (f *field) cDeclaration() string {
	t := basics[f.basic].c
	switch {
	case f.nested != nil:
		t = f.nested.cName() + " "
	case f.isChars:
		t = "char "
	}
	if f.length > 0 {
		return fmt.Sprintf("    %s%s[%d];", t, f.cName(), f.length)
	}
	return fmt.Sprintf("    %s%s;", t, f.cName())
}

// prototype returns a function's declaration. column is the number of characters before it on its line; parameters that
// do not fit on the line continue on the next lines.
func (w *cWriter) prototype(fn *function, column int) string {
	head := fn.result.c + fn.cName + "("
	if len(fn.parameters) == 0 {
		return head + "void)"
	}
	text, width := head, column+len(head)
	for i, p := range fn.parameters {
		piece, end := p.c+p.cName(), ","
		if i == len(fn.parameters)-1 {
			end = ")"
		}
		switch {
		case i == 0:
		case width+len(" ")+len(piece)+len(end) > cWidth:
			width = column + len(head)
			text += "\n" + strings.Repeat(" ", width)
		default:
			text, width = text+" ", width+1
		}
		text, width = text+piece+end, width+len(piece+end)
	}
	return text
}

// writeShim writes the C functions that callers see. Each function passes the gate of native.h before it enters Go. In
// a forked child each passes the call on to the copy of the library instead.
func writeShim(m *model) []byte {
	w := &cWriter{model: m}
	w.line("/* %s */", generatedBy)
	w.line("#include \"native.h\"")
	w.line("#include \"_cgo_export.h\"")
	for _, fn := range m.functions() {
		if fn.inC {
			continue
		}
		var arguments, handles []string
		for _, p := range fn.parameters {
			arguments = append(arguments, p.cName())
			if s := m.structNamed(strings.TrimSpace(p.c)); s != nil && s.isHandle() {
				handles = append(handles, p.cName()+s.handlePath())
			}
		}
		w.line("\n%s {", w.prototype(fn, 0))
		passed := append([]string{fn.cName, "(" + strings.Join(arguments, ", ") + ")"}, handles...)
		w.line("    SHMCV_PASS_ON(%s);", strings.Join(passed, ", "))
		if fn.waits {
			w.waitingCall(fn, arguments)
			continue
		}
		if fn.tried {
			w.line("    int32_t done = %s(%s);", fn.tryName(), strings.Join(arguments, ", "))
			w.line("    if (done != SHMCV_ENTER_GO) return done;")
		}
		w.line("    shmcv_entry entry;")
		w.line("    shmcv_enter(&entry);")
		w.line("    int32_t status = %s(%s);", fn.goName, strings.Join(arguments, ", "))
		w.line("    shmcv_leave(&entry);")
		w.line("    return status;")
		w.line("}")
	}
	return w.Bytes()
}

// waitingCall writes the rest of a function that calls Go again after each sleep that Go asks for.
func (w *cWriter) waitingCall(fn *function, arguments []string) {
	all := strings.Join(append(arguments, "&nap"), ", ")
	w.line("    shmcv_entry entry;")
	w.line("    shmcv_nap nap;")
	w.line("    shmcv_nap_begin(&nap);")
	w.line("    int32_t status;")
	w.line("    do {")
	if fn.tried {
		w.line("        status = %s(%s);", fn.tryName(), all)
		w.line("        if (status != SHMCV_ENTER_GO) continue;")
	}
	w.line("        shmcv_enter(&entry);")
	w.line("        status = %s(%s);", fn.goName, all)
	w.line("        shmcv_leave(&entry);")
	w.line("    } while (shmcv_sleep(&nap));")
	w.line("    return status;")
	w.line("}")
}

// tryName gives the name of the function that tries to do without Go.
func (fn *function) tryName() string { return strings.Replace(fn.cName, "shmcv_", "shmcv_try_", 1) }

// writeErrorNames writes shmcv_error_name, which is C because it must work without Go.
func writeErrorNames(m *model) []byte {
	w := &cWriter{model: m}
	w.line("/* %s */", generatedBy)
	w.line("#include \"native.h\"")
	w.line("\nconst char *shmcv_error_name(int32_t code) {")
	w.line("    switch (code) {")
	w.line("    case SHMCV_OK: return \"SHMCV_OK\";")
	for _, c := range m.errors() {
		w.line("    case %s: return \"%s\";", c.cName(), c.cName())
	}
	w.line("    default: return \"unknown\";")
	w.line("    }\n}")
	return w.Bytes()
}

// writeSymbolMap writes the linker's version script. The library exports the functions in it and no other symbols.
func writeSymbolMap(m *model) []byte {
	var names []string
	for _, fn := range m.functions() {
		names = append(names, fn.cName)
	}
	slices.Sort(names)
	w := &cWriter{model: m}
	w.line("/* %s */", generatedBy)
	w.line("{\n    global:")
	for _, name := range names {
		w.line("        %s;", name)
	}
	w.line("    local: *;\n};")
	return w.Bytes()
}
