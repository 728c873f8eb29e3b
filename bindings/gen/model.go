package main

import "strings"

// model is the C ABI for the writers, in the order of the header.
type model struct {
	overview string
	families []*family
}

// family is one section of the header.
type family struct {
	name, title string
	intro       string // the introduction of export/NAME.go; "" if there is none
	groups      []*group
	structs     []*structure
	functions   []*function
}

// group is a block of constants: the constants of one Go type, which become an enumeration, or untyped constants.
type group struct {
	goType    string // "" for untyped constants
	base      string // the Go type under it: int32 or uint32
	prefix    string // the beginning of the Go names that the members of the bindings' enumerations do not have: "Load"
	doc       string
	constants []*constant
}

type constant struct {
	group  *group
	goName string
	text   string // The value, as every language here writes it.
	quoted bool   // The value is a string.
	doc    string
	kin    kin // For an error code.
}

// kin is the built-in exception that is a base of Python's exception of an error code, and its errno ("" for none).
type kin struct{ exception, errno string }

type structure struct {
	goName string
	doc    string
	size   int64
	fields []*field
}

type field struct {
	goName  string
	doc     string
	basic   string     // the Go type of an element, if it is a number
	enum    *group     // the constants of its Go type, if the type has some
	nested  *structure // its type, if that is a structure
	length  int64      // the number of elements; 0 if the field is no array
	isChars bool       // true for a NUL-terminated string
}

// function is one symbol of the library.
type function struct {
	goName     string
	cName      string
	doc        string
	inC        bool // true if the function is written in C by hand, and needs no shim
	tried      bool // true if a function in C tries to do without Go first; see export/try.h
	waits      bool // true if the function asks its shim to sleep, by a last parameter that callers do not see
	parameters []parameter
	result     ctype
	position   string
}

type parameter struct {
	goName string
	ctype
}

// ctype is one type in the spelling of each language.
type ctype struct {
	c      string // all text before the name: "const char *", "uint64_t "
	python string
	csharp string
}

// scalars are the C types that calls pass by value, besides handles. A new type needs a row here and nothing else.
var scalars = map[string]ctype{
	"int32_t":  {"int32_t ", "c_int32", "int"},
	"int64_t":  {"int64_t ", "c_int64", "long"},
	"uint32_t": {"uint32_t ", "c_uint32", "uint"},
	"uint64_t": {"uint64_t ", "c_uint64", "ulong"},
}

// basics are the types of fields, by their Go names.
var basics = map[string]ctype{
	"uint8":  {"uint8_t ", "c_uint8", "byte"},
	"int32":  {"int32_t ", "c_int32", "int"},
	"int64":  {"int64_t ", "c_int64", "long"},
	"uint32": {"uint32_t ", "c_uint32", "uint"},
	"uint64": {"uint64_t ", "c_uint64", "ulong"},
	// The address of memory that may only be read.
	"uintptr": {"const void *", "c_void_p", "nint"},
}

// status is the type that nearly every function returns.
var status = ctype{"int32_t ", "c_int32", "ErrorCode"}

// results are the types that a function may return. A string is a bare pointer in C#, because the marshaller would
// free it.
var results = map[string]ctype{
	"C.int32_t":  status,
	"C.uint32_t": scalars["uint32_t"],
	"*C.in_char": {"const char *", "c_char_p", "byte*"},
}

// pointers are the pointer types besides `*C.T`, which is the address at which a function stores a T.
var pointers = map[string]ctype{
	"*C.in_char":      {"const char *", "c_char_p", "string"},
	"*C.char":         {"char *", "POINTER(c_char)", "byte*"},
	"*C.in_byte":      {"const void *", "c_void_p", "byte*"},
	"unsafe.Pointer":  {"void *", "c_void_p", "byte*"},
	"*unsafe.Pointer": {"void **", "POINTER(c_void_p)", "out nint"},
}

// parameterType returns the type of a parameter. It returns false for a Go type without a counterpart in C. isArray is
// true if the parameter is an array of the caller's, and not the address of one result.
func (m *model) parameterType(goType string, isArray bool) (ctype, bool) {
	if t, ok := pointers[goType]; ok {
		return t, true
	}
	if t, ok := m.valueType(strings.TrimPrefix(goType, "C.")); ok && strings.HasPrefix(goType, "C.") {
		return t, true
	}
	if s := m.structNamed("shmcv_" + strings.TrimPrefix(goType, "*C.in_")); s != nil {
		return ctype{"const " + s.cName() + " *", "POINTER(" + s.rawName() + ")", "in " + s.rawName()}, true
	}
	name, isPointer := strings.CutPrefix(goType, "*C.")
	pointee, ok := m.valueType(name)
	if s := m.structNamed(name); s != nil && !s.isHandle() {
		pointee, ok = ctype{s.cName() + " ", s.rawName(), s.rawName()}, true
	}
	if !ok || !isPointer {
		return ctype{}, false
	}
	t := ctype{pointee.c + "*", "POINTER(" + pointee.python + ")", "out " + pointee.csharp}
	if isArray {
		t.csharp = pointee.csharp + "*"
	}
	return t, true
}

// valueType returns a type that calls pass by value: a number or a handle. It returns false for any other type. A
// handle is one number in the bindings' raw layers, because every system passes a structure of one 64-bit number as
// that number.
func (m *model) valueType(cName string) (ctype, bool) {
	if s := m.structNamed(cName); s != nil && s.isHandle() {
		return ctype{cName + " ", s.rawName(), "ulong"}, true
	}
	t, ok := scalars[cName]
	return t, ok
}

// isHandle returns true if the structure has one field, which is an opaque number or another handle.
func (s *structure) isHandle() bool {
	return len(s.fields) == 1 && (s.fields[0].goName == "Handle" || s.fields[0].nested != nil && s.fields[0].nested.isHandle())
}

// handlePath returns what stands behind a variable of this type to give the handle's number.
func (s *structure) handlePath() string {
	path := "." + s.fields[0].cName()
	if s.fields[0].nested != nil {
		path += s.fields[0].nested.handlePath()
	}
	return path
}

// handles returns the structures that are handles. plainStructs returns the others.
func (m *model) handles() []*structure { return m.structsWhere(true) }

func (m *model) plainStructs() []*structure { return m.structsWhere(false) }

func (m *model) structsWhere(handle bool) []*structure {
	var found []*structure
	for _, s := range m.structs() {
		if s.isHandle() == handle {
			found = append(found, s)
		}
	}
	return found
}

// enums returns the groups that are enumerations. constantGroups returns the other groups, without the versions, which
// the bindings do not show.
func (m *model) enums() []*group {
	var found []*group
	for _, g := range m.groups() {
		if g.goType != "" {
			found = append(found, g)
		}
	}
	return found
}

func (m *model) constantGroups() []*group {
	var found []*group
	for _, f := range m.families {
		for _, g := range f.groups {
			if g.goType == "" && f.name != "version" {
				found = append(found, g)
			}
		}
	}
	return found
}

// errors returns the error codes, without OK.
func (m *model) errors() []*constant {
	var found []*constant
	for _, g := range m.enums() {
		for _, c := range g.constants {
			if g.goType == "Code" && !c.isOK() {
				found = append(found, c)
			}
		}
	}
	return found
}

func (m *model) functionNamed(cName string) *function {
	for _, fn := range m.functions() {
		if fn.cName == cName {
			return fn
		}
	}
	return nil
}

func (m *model) functions() []*function {
	var all []*function
	for _, f := range m.families {
		all = append(all, f.functions...)
	}
	return all
}

func (m *model) groups() []*group {
	var all []*group
	for _, f := range m.families {
		all = append(all, f.groups...)
	}
	return all
}

func (m *model) structNamed(cName string) *structure {
	for _, s := range m.structs() {
		if s.cName() == cName {
			return s
		}
	}
	return nil
}

// structs returns all structures, each after the structures that it contains.
func (m *model) structs() []*structure {
	var ordered []*structure
	seen := map[*structure]bool{}
	var visit func(s *structure)
	visit = func(s *structure) {
		if seen[s] {
			return
		}
		seen[s] = true
		for _, f := range s.fields {
			if f.nested != nil {
				visit(f.nested)
			}
		}
		ordered = append(ordered, s)
	}
	for _, f := range m.families {
		for _, s := range f.structs {
			visit(s)
		}
	}
	return ordered
}
