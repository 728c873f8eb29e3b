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
		src.faults = append(src.faults, errors.New("export/doc.go: a comment before the package clause is wanted: the header's overview"))
	}
	if len(src.model.functions()) == 0 {
		src.faults = append(src.faults, errors.New("export: no function is exported"))
	}
}

// readFunction reads one Go function, if it is exported.
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
	lead := "go"
	if inC {
		lead = "c"
	}
	rest, ok := strings.CutPrefix(name, lead)
	if !ok || rest == "" || !ast.IsExported(rest) {
		src.fault(decl.Pos(), "%s: the name must be %s and the C name in camel case (%sCreate for shmcv_create)", name, lead, lead)
		return
	}
	fn := &function{goName: name, cName: "shmcv_" + snake(rest), doc: doc, inC: inC, position: src.position(decl.Pos())}
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

// exportDirective gives the name in cgo's //export line, which is a doc comment's last, or "".
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

// familyByWord finds the family of a function that is written in C, all of which share a file: shmcv_last_error is
// of the family error.
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
	for _, group := range decl.Type.Params.List {
		goType := types.ExprString(group.Type)
		if len(group.Names) == 0 {
			src.fault(group.Pos(), "%s: a parameter of type %s has no name", fn.goName, goType)
		}
		for _, name := range group.Names {
			src.parameter(fn, name, goType)
		}
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

func (src *source) parameter(fn *function, name *ast.Ident, goType string) {
	if goType == napType {
		fn.waits = true
		return
	}
	t, ok := src.model.parameterType(goType, name.Name)
	if !ok {
		src.fault(name.Pos(), "%s: parameter %s has type %s, which has no counterpart in the C ABI; see scalars and pointers in bindings/gen/model.go", fn.goName, name.Name, goType)
		return
	}
	p := parameter{goName: name.Name, ctype: t}
	if name.Name == "_" || cKeywords[p.cName()] {
		src.fault(name.Pos(), "%s: parameter %s has no name in C or C++", fn.goName, name.Name)
	}
	if isArray(name.Name) && !slices.Contains(strings.FieldsFunc(fn.doc, notLetter), name.Name) {
		src.fault(name.Pos(), "the doc comment of %s must say how the array %s is filled", fn.goName, name.Name)
	}
	fn.parameters = append(fn.parameters, p)
}

// napType is that of the parameter by which a function asks its shim to sleep; see shmcv_nap in export/host.h.
const napType = "*C.shmcv_nap"

func notLetter(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '_' }
