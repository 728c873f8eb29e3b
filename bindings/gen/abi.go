package main

import (
	"go/ast"
	values "go/constant"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"
)

// abiReader reads internal/abi: the constants with their values and the structures with their layouts, as the compiler
// computes them.
type abiReader struct {
	*source
	info     *types.Info
	sizes    types.Sizes
	groups   map[string]*group // by Go type
	declared map[string]*structure
	specs    map[*structure]*ast.StructType
}

func (src *source) readABI(files []*ast.File) {
	r := &abiReader{
		source:   src,
		info:     &types.Info{Defs: map[*ast.Ident]types.Object{}},
		sizes:    types.SizesFor("gc", "amd64"),
		groups:   map[string]*group{},
		declared: map[string]*structure{},
		specs:    map[*structure]*ast.StructType{},
	}
	// This does not load the package's imports, because neither constants nor layouts need them. The errors do not
	// matter, because the compiler reports them later.
	config := types.Config{Error: func(error) {}, IgnoreFuncBodies: true, Sizes: r.sizes}
	_, _ = config.Check("abi", src.fset, files, r.info)

	docs := typeDocs(files)
	for _, file := range files {
		for _, decl := range file.Decls {
			if general, ok := decl.(*ast.GenDecl); ok && general.Tok == token.CONST {
				r.constants(file, general, docs)
			}
		}
	}
	for _, file := range files {
		for _, spec := range typeSpecs(file) {
			if definition, ok := spec.Type.(*ast.StructType); ok && spec.Name.IsExported() {
				r.structure(file, spec, definition, docs)
			}
		}
	}
	for _, f := range src.model.families {
		for _, s := range f.structs {
			r.fields(s)
		}
	}
	for _, f := range src.model.families {
		f.structs = inOrder(f.structs)
	}
}

// inOrder puts handles before the structures that describe the handles' objects.
func inOrder(structs []*structure) []*structure {
	slices.SortStableFunc(structs, func(a, b *structure) int {
		switch {
		case a.isHandle() == b.isHandle():
			return 0
		case a.isHandle():
			return -1
		}
		return 1
	})
	return structs
}

func typeSpecs(file *ast.File) []*ast.TypeSpec {
	var specs []*ast.TypeSpec
	for _, decl := range file.Decls {
		general, ok := decl.(*ast.GenDecl)
		if !ok || general.Tok != token.TYPE {
			continue
		}
		for _, spec := range general.Specs {
			specs = append(specs, spec.(*ast.TypeSpec))
		}
	}
	return specs
}

// typeDocs returns the doc comment of each type, by the type's name.
func typeDocs(files []*ast.File) map[string]string {
	docs := map[string]string{}
	for _, file := range files {
		for _, decl := range file.Decls {
			general, ok := decl.(*ast.GenDecl)
			if !ok || general.Tok != token.TYPE {
				continue
			}
			for _, spec := range general.Specs {
				spec := spec.(*ast.TypeSpec)
				docs[spec.Name.Name] = firstOf(spec.Doc.Text(), general.Doc.Text())
			}
		}
	}
	return docs
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text = strings.TrimSpace(text); text != "" {
			return text
		}
	}
	return ""
}

// constants reads one const declaration.
func (r *abiReader) constants(file *ast.File, decl *ast.GenDecl, docs map[string]string) {
	g := &group{doc: strings.TrimSpace(decl.Doc.Text())}
	for _, spec := range decl.Specs {
		spec := spec.(*ast.ValueSpec)
		for _, name := range spec.Names {
			if name.IsExported() {
				r.constant(g, name, spec)
			}
		}
	}
	if len(g.constants) == 0 {
		return
	}
	f := r.familyOf(file)
	if f == nil {
		r.fault(decl.Pos(), "%s is no family of the header: name the file after a family, or add one to families in bindings/gen/main.go", r.fileName(file))
		return
	}
	f.groups = append(f.groups, g)
	if g.goType == "" {
		return
	}
	var names []string
	for _, c := range g.constants {
		if !c.isOK() {
			names = append(names, c.goName)
		}
	}
	g.prefix = memberPrefix(g.goType, names)
	if g.prefix == "" || !beginAllWith(names, g.prefix) {
		r.fault(decl.Pos(), "the constants of type %s must all begin with the type's name or its first words", g.goType)
	}
	if other := r.groups[g.goType]; other != nil {
		r.fault(decl.Pos(), "the constants of type %s must be in one block", g.goType)
	}
	r.groups[g.goType] = g
	g.doc = docs[g.goType]
	if !strings.HasPrefix(g.doc, g.goType+" ") {
		r.fault(decl.Pos(), "the doc comment of type %s must begin with %q", g.goType, g.goType)
	}
}

// constant adds a constant to its block.
func (r *abiReader) constant(g *group, name *ast.Ident, spec *ast.ValueSpec) {
	object, ok := r.info.Defs[name].(*types.Const)
	if !ok || object.Val().Kind() == values.Unknown {
		r.fault(name.Pos(), "the value of %s cannot be told from internal/abi alone", name.Name)
		return
	}
	goType, base := "", ""
	if named, ok := object.Type().(*types.Named); ok {
		goType, base = named.Obj().Name(), named.Underlying().String()
	}
	if len(g.constants) > 0 && goType != g.goType {
		r.fault(name.Pos(), "%s is of another type than the constants before it; move it to a block of its own", name.Name)
		return
	}
	if goType != "" && base != "int32" && base != "uint32" {
		r.fault(name.Pos(), "type %s is %s; constants that cross the ABI are int32 or uint32", goType, base)
		return
	}
	quoted := object.Val().Kind() == values.String
	if value, exact := values.Int64Val(values.ToInt(object.Val())); !quoted && (!exact || value != int64(int32(value))) {
		r.fault(name.Pos(), "%s is %s; constants that cross the ABI are strings, or fit an int32", name.Name, object.Val())
		return
	}
	g.goType, g.base = goType, base
	c := &constant{group: g, goName: name.Name, text: object.Val().ExactString(), quoted: quoted}
	c.doc, c.kin = cutKin(firstOf(spec.Doc.Text(), spec.Comment.Text()))
	if c.doc == "" && (goType != "" || g.doc == "") {
		r.fault(name.Pos(), "constant %s has no comment", name.Name)
	}
	g.constants = append(g.constants, c)
}

// kinAtEnd matches "(Python: OSError, ENOSPC.)" at the end of an error code's comment.
var kinAtEnd = regexp.MustCompile(`\s*\(Python: (\w+)(?:, (\w+))?\.\)$`)

// cutKin splits an error code's comment into the text for all languages and the part for Python at its end.
func cutKin(comment string) (string, kin) {
	match := kinAtEnd.FindStringSubmatch(comment)
	if match == nil {
		return comment, kin{}
	}
	return strings.TrimSuffix(comment, match[0]), kin{exception: match[1], errno: match[2]}
}

// structure adds a structure without its fields, which fields reads after all constants and structures are known. It
// skips a structure with a field that C does not have: such a structure is private to Go, and the generator refuses an
// export that uses it, because its type is unknown.
func (r *abiReader) structure(file *ast.File, spec *ast.TypeSpec, definition *ast.StructType, docs map[string]string) {
	layout, ok := r.info.Defs[spec.Name].Type().Underlying().(*types.Struct)
	if !ok || !isPlain(layout) {
		return
	}
	f := r.familyOf(file)
	if f == nil {
		r.fault(spec.Pos(), "%s is no family of the header: name the file after a family, or add one to families in bindings/gen/main.go", r.fileName(file))
		return
	}
	name := spec.Name.Name
	s := &structure{goName: name, doc: docs[name], size: r.sizes.Sizeof(layout)}
	if !strings.HasPrefix(s.doc, name+" ") {
		r.fault(spec.Pos(), "the doc comment of type %s must begin with %q", name, name)
	}
	var sum int64
	for i := range layout.NumFields() {
		sum += r.sizes.Sizeof(layout.Field(i).Type())
	}
	if sum != s.size {
		r.fault(spec.Pos(), "%s has %d bytes of padding; name them as reserved fields, so that every language sees them", name, s.size-sum)
	}
	f.structs = append(f.structs, s)
	r.declared[name] = s
	r.specs[s] = definition
}

// isPlain returns true if t is a number, or an array or structure of plain types.
func isPlain(t types.Type) bool {
	switch t := t.Underlying().(type) {
	case *types.Basic:
		_, ok := basics[basicName(t)]
		return ok
	case *types.Array:
		return isPlain(t.Elem())
	case *types.Struct:
		for field := range t.Fields() {
			if !isPlain(field.Type()) {
				return false
			}
		}
		return true
	}
	return false
}

// basicName returns the name of a basic type. For byte it returns uint8.
func basicName(t *types.Basic) string { return types.Typ[t.Kind()].Name() }

func (r *abiReader) fields(s *structure) {
	for _, spec := range r.specs[s].Fields.List {
		for _, name := range spec.Names {
			f := &field{goName: name.Name, doc: firstOf(spec.Doc.Text(), spec.Comment.Text())}
			if f.doc == "" {
				r.fault(name.Pos(), "field %s.%s has no comment", s.goName, f.goName)
			}
			t := r.info.Defs[name].Type()
			if array, ok := t.(*types.Array); ok {
				f.length, t = array.Len(), array.Elem()
			}
			if named, ok := t.(*types.Named); ok {
				f.enum, f.nested = r.groups[named.Obj().Name()], r.declared[named.Obj().Name()]
			}
			if basic, ok := t.Underlying().(*types.Basic); ok {
				f.basic = basicName(basic)
			}
			if f.basic == "" && (f.nested == nil || f.length > 0) {
				r.fault(name.Pos(), "field %s.%s: its type must be a number, an array of numbers or a structure", s.goName, f.goName)
			}
			f.isChars = f.goName == "Name" && f.basic == "uint8" && f.length > 0
			s.fields = append(s.fields, f)
		}
	}
}
