package main

import (
	"errors"
	"go/ast"
	"go/types"
	"slices"
	"strings"
)

func (src *source) readExports(files []*ast.File) {
	for _, file := range files {
		if src.fileName(file) == "doc.go" {
			src.model.overview = introduction(file)
			continue
		}
		if f := src.familyOf(file); f != nil {
			f.intro = strings.TrimSpace(introduction(file))
		}
		for _, decl := range file.Decls {
			if declared, ok := decl.(*ast.FuncDecl); ok {
				src.readFunction(file, declared)
			}
		}
	}
	if src.model.overview == "" {
		src.faults = append(src.faults, errors.New("export/doc.go: a comment before the package clause is wanted; it becomes the header's overview"))
	}
	if len(src.model.functions()) == 0 {
		src.faults = append(src.faults, errors.New("export: no function is exported"))
	}
}

// readFunction adds a Go function to its family, if the function is exported.
func (src *source) readFunction(file *ast.File, decl *ast.FuncDecl) {
	name := decl.Name.Name
	doc := strings.TrimSpace(decl.Doc.Text())
	directive := exportDirective(decl)
	inC := decl.Body == nil
	if directive == "" && !inC {
		if strings.HasPrefix(doc, "shmcv_") {
			src.fault(decl.Pos(), "%s is documented as a function of the C ABI, but has no //export line", name)
		}
		return
	}
	if directive != "" && directive != name {
		src.fault(decl.Pos(), "//export %s stands before %s", directive, name)
		return
	}
	if hasDirective(decl, "//shmcv:private") { // C code of the library calls it, and no other.
		return
	}
	lead := "go"
	if inC {
		lead = "c"
	}
	rest, ok := strings.CutPrefix(name, lead)
	if !ok || rest == "" || !ast.IsExported(rest) {
		src.fault(decl.Pos(), "%s: the name must be %s and the C name in camel case (%sCreate for shmcv_create)", name, lead, lead)
		return
	}
	fn := &function{goName: name, cName: "shmcv_" + snake(rest), doc: doc, inC: inC, tried: hasDirective(decl, "//shmcv:try"), position: src.position(decl.Pos())}
	if doc == "" {
		src.fault(decl.Pos(), "%s has no doc comment; it becomes the documentation of %s", name, fn.cName)
		return
	}
	if first := strings.Fields(doc)[0]; first != fn.cName {
		src.fault(decl.Pos(), "the doc comment of %s must begin with %q, not %q", name, fn.cName, first)
		return
	}
	src.signature(fn, decl)
	f := src.familyOf(file)
	if inC {
		f = src.familyByWord(fn.cName)
	}
	if f == nil {
		src.fault(decl.Pos(), "%s belongs to no family of the header: see families in bindings/gen/main.go", fn.cName)
		return
	}
	f.functions = append(f.functions, fn)
}

// exportDirective returns the name in cgo's //export line, which is the last line of a doc comment. It returns "" if
// there is no such line.
func exportDirective(decl *ast.FuncDecl) string {
	if decl.Doc == nil {
		return ""
	}
	last := decl.Doc.List[len(decl.Doc.List)-1].Text
	name, _ := strings.CutPrefix(last, "//export ")
	if name == last {
		return ""
	}
	return strings.TrimSpace(name)
}

// hasDirective returns true if a doc comment has the line.
func hasDirective(decl *ast.FuncDecl, line string) bool {
	return decl.Doc != nil && slices.ContainsFunc(decl.Doc.List, func(c *ast.Comment) bool { return c.Text == line })
}

// familyByWord returns the family of a function that is written in C, or nil. All such functions share a file, so the
// family is a word of the name: shmcv_last_error belongs to the family error.
func (src *source) familyByWord(cName string) *family {
	for word := range strings.SplitSeq(cName, "_") {
		if f := src.familyNamed(word); f != nil {
			return f
		}
	}
	return nil
}

func (src *source) signature(fn *function, decl *ast.FuncDecl) {
	if decl.Recv != nil || decl.Type.TypeParams != nil {
		src.fault(decl.Pos(), "%s: a plain function is wanted", fn.goName)
	}
	var all []declared
	for _, group := range decl.Type.Params.List {
		goType := types.ExprString(group.Type)
		if len(group.Names) == 0 {
			src.fault(group.Pos(), "%s: a parameter of type %s has no name", fn.goName, goType)
		}
		for _, name := range group.Names {
			all = append(all, declared{name, goType})
		}
	}
	for i, p := range all {
		src.parameter(fn, p, i+1 < len(all) && all[i+1].name.Name == "capacity")
	}
	var returned []string
	if decl.Type.Results != nil {
		for _, result := range decl.Type.Results.List {
			returned = append(returned, types.ExprString(result.Type))
		}
	}
	result, ok := results[strings.Join(returned, ", ")]
	if !ok || !fn.inC && result != status {
		src.fault(decl.Pos(), "%s returns (%s); a C.int32_t status is wanted", fn.goName, strings.Join(returned, ", "))
	}
	fn.result = result
}

// declared is a parameter of a Go declaration.
type declared struct {
	name   *ast.Ident
	goType string
}

// parameter adds a parameter to a function. isArray is true if the parameter is an array of the caller's, and the next
// parameter is its capacity.
func (src *source) parameter(fn *function, p declared, isArray bool) {
	name := p.name.Name
	if p.goType == napType {
		fn.waits = true
		return
	}
	t, ok := src.model.parameterType(p.goType, isArray)
	if !ok {
		src.fault(p.name.Pos(), "%s: parameter %s has type %s, which has no counterpart in the C ABI; see scalars and pointers in bindings/gen/model.go", fn.goName, name, p.goType)
		return
	}
	added := parameter{goName: name, ctype: t}
	if name == "_" || cKeywords[added.cName()] {
		src.fault(p.name.Pos(), "%s: parameter %s has no name in C or C++", fn.goName, name)
	}
	if isArray && !slices.Contains(strings.FieldsFunc(fn.doc, notLetter), name) {
		src.fault(p.name.Pos(), "the doc comment of %s must say how %s is filled", fn.goName, name)
	}
	fn.parameters = append(fn.parameters, added)
}

// napType is that of the parameter by which a function asks its shim to sleep; see shmcv_nap in export/host.h.
const napType = "*C.shmcv_nap"

func notLetter(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '_' }
