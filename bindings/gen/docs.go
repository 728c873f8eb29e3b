package main

import (
	"fmt"
	"go/doc/comment"
	"regexp"
	"strings"
)

// dialect has the spelling of a language for the names that documentation mentions: constants, enumerations, structures
// and functions.
type dialect struct {
	constant  func(c *constant) string
	all       func(g *group) string // for a prefix like SHMCV_E_: all constants of the group
	enum      func(g *group) string
	structure func(s *structure) string
	function  func(cName string) string
}

// mention matches a word that may be a name: a C name, the end of a C name after another C name ("SHMCV_DEPTH_U8, _U16
// or _F32"), or a Go name.
var mention = regexp.MustCompile(`\b(SHMCV_[A-Z0-9_]*|shmcv_[a-z0-9_]+|_[A-Z][A-Z0-9_]*|[A-Za-z][A-Za-z0-9]*)\b`)

// unlisted are the C names that exist although no Go declaration has them.
var unlisted = set("SHMCV_API SHMCV_BUILDING SHMCV_FOLDER SHMCV_LIBRARY SHMCV_OPENCV")

// translate returns text with its names in the spelling of d. fields are the fields of the structure that text
// documents; text has their Go names. The error names the first name that does not exist.
func (m *model) translate(text string, fields []*field, d dialect) (string, error) {
	var out strings.Builder
	var unknown error
	var last *constant
	end := 0
	for _, at := range mention.FindAllStringIndex(text, -1) {
		name := text[at[0]:at[1]]
		out.WriteString(text[end:at[0]])
		end = at[1]
		if c := m.mentioned(name, last); c != nil {
			last = c
			out.WriteString(d.constant(c))
			continue
		}
		replaced, ok := m.otherName(name, text[:at[0]], fields, d)
		if !ok && unknown == nil {
			unknown = fmt.Errorf("there is no %s", name)
		}
		out.WriteString(replaced)
	}
	out.WriteString(text[end:])
	return out.String(), unknown
}

// mentioned returns the constant of that name, or nil. The name may be the C name, the Go name if that cannot be a
// plain word, or the end of a C name if last is a constant of the same type.
func (m *model) mentioned(name string, last *constant) *constant {
	for _, g := range m.groups() {
		for _, c := range g.constants {
			plainWord := len(words(c.goName)) == 1 && (c.isOK() || g.goType != "Code")
			switch {
			case name == c.cName(), name == c.goName && !plainWord:
				return c
			case last != nil && last.group == g && g.prefix != "" && g.cPrefix()+name[1:] == c.cName():
				return c
			}
		}
	}
	return nil
}

// otherName returns the spelling of a name that is not a constant's. It returns false for a C name that does not exist.
func (m *model) otherName(name, before string, fields []*field, d dialect) (string, bool) {
	for _, f := range fields {
		if name == f.goName && !beginsSentence(before) {
			return f.cName(), true
		}
	}
	for _, g := range m.groups() {
		if g.goType == "" {
			continue
		}
		if name == g.cName() || name == g.goType && len(words(name)) > 1 {
			return d.enum(g), true
		}
		if name == g.cPrefix() {
			return d.all(g), true
		}
	}
	for _, s := range m.structs() {
		if name == s.cName() || name == s.goName && len(words(name)) > 1 {
			return d.structure(s), true
		}
	}
	for _, fn := range m.functions() {
		if name == fn.cName {
			return d.function(name), true
		}
	}
	isC := strings.HasPrefix(name, "SHMCV_") || strings.HasPrefix(name, "shmcv_")
	return name, !isC || unlisted[name]
}

// beginsSentence returns true if the word after before begins a sentence or follows a colon. Grammar gives such a word a
// capital even if it is not a field's name.
func beginsSentence(before string) bool {
	before = strings.TrimSpace(before)
	return before == "" || strings.HasSuffix(before, ".") || strings.HasSuffix(before, ":")
}

// checkDocs adds a fault for each doc comment that mentions a name which does not exist, or that would begin or end a C
// comment.
func (src *source) checkDocs() {
	m := src.model
	check := func(what, doc string, fields []*field) {
		if _, err := m.translate(doc, fields, cDialect); err != nil {
			src.faults = append(src.faults, fmt.Errorf("%s: in its comment: %w", what, err))
		}
		if strings.Contains(doc, "*/") || strings.Contains(doc, "/*") {
			src.faults = append(src.faults, fmt.Errorf("%s: its comment has /* or */ in it, and becomes a C comment", what))
		}
	}
	check("export/doc.go", m.overview, nil)
	for _, f := range m.families {
		check("export/"+f.name+".go", f.intro, nil)
		for _, g := range f.groups {
			check("internal/abi/"+f.name+".go: "+g.goType, g.doc, nil)
			for _, c := range g.constants {
				check("internal/abi/"+f.name+".go: "+c.goName, c.doc, nil)
			}
		}
		for _, s := range f.structs {
			check("internal/abi/"+f.name+".go: "+s.goName, s.doc, s.fields)
			for _, field := range s.fields {
				check("internal/abi/"+f.name+".go: "+s.goName+"."+field.goName, field.doc, s.fields)
			}
		}
		for _, fn := range f.functions {
			check(fn.position+": "+fn.goName, fn.doc, nil)
		}
	}
}

// say is translate for texts in which checkDocs has found no fault.
func (m *model) say(text string, fields []*field, d dialect) string {
	text, _ = m.translate(text, fields, d)
	return text
}

// withoutSubject turns "ImageInfo describes pixels" into "Describes pixels", and "Depth is the type ..." into "The type
// ...", because documentation in .NET and Python begins so.
func withoutSubject(doc string) string {
	_, rest, _ := strings.Cut(doc, " ")
	rest = strings.TrimPrefix(rest, "is ")
	if rest == "" {
		return doc
	}
	return strings.ToUpper(rest[:1]) + rest[1:]
}

// lay breaks a doc comment into lines of at most width characters. It keeps paragraphs, lists and code.
func lay(doc string, width int) []string {
	var p comment.Parser
	var lines []string
	for i, block := range p.Parse(doc).Content {
		if i > 0 {
			lines = append(lines, "")
		}
		switch block := block.(type) {
		case *comment.Code:
			for line := range strings.SplitSeq(plain(block), "\n") {
				lines = append(lines, strings.TrimRight("    "+line, " "))
			}
		case *comment.List:
			for _, item := range block.Items {
				for j, line := range wrap(plain(item.Content...), width-len("  - ")) {
					lines = append(lines, map[bool]string{true: "  - ", false: "    "}[j == 0]+line)
				}
			}
		default:
			lines = append(lines, wrap(plain(block), width)...)
		}
	}
	return lines
}

// plain returns the text of blocks, each paragraph on one line, and code without its indentation.
func plain(blocks ...comment.Block) string {
	printer := comment.Printer{TextWidth: -1, TextCodePrefix: unindented}
	text := string(printer.Text(&comment.Doc{Content: blocks}))
	return strings.Trim(strings.ReplaceAll(text, unindented, ""), "\n")
}

// unindented stands for no indentation, because the printer replaces an empty prefix with its default.
const unindented = "\x00"

// wrap breaks one paragraph into lines of at most width characters.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}
