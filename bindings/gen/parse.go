package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

// source is the repository during the reading: the model so far, and the faults so far.
type source struct {
	root   string
	fset   *token.FileSet
	model  *model
	faults []error
}

// read returns the model of the repository at root. The error has a line, with a position, for each broken convention.
func read(root string) (*model, error) {
	src := &source{root: root, fset: token.NewFileSet(), model: &model{}}
	for _, f := range families {
		src.model.families = append(src.model.families, &family{name: f.name, title: f.title})
	}
	abi := src.files("internal/abi")
	exports := src.files("export")
	if len(src.faults) == 0 {
		src.readABI(abi)
		src.readExports(exports)
		src.checkDocs()
	}
	if len(src.faults) > 0 {
		return nil, errors.Join(src.faults...)
	}
	return src.model, nil
}

func (src *source) fault(at token.Pos, format string, args ...any) {
	src.faults = append(src.faults, fmt.Errorf("%s: %s", src.position(at), fmt.Sprintf(format, args...)))
}

func (src *source) position(at token.Pos) string {
	position := src.fset.Position(at)
	name, err := filepath.Rel(src.root, position.Filename)
	if err != nil {
		name = position.Filename
	}
	return fmt.Sprintf("%s:%d", filepath.ToSlash(name), position.Line)
}

// files parses all Go files of a folder, without regard to build constraints, in the order of their names.
func (src *source) files(folder string) []*ast.File {
	entries, err := os.ReadDir(filepath.Join(src.root, folder))
	if err != nil {
		src.faults = append(src.faults, fmt.Errorf("gen: %w", err))
		return nil
	}
	var files []*ast.File
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		path := filepath.Join(src.root, folder, name)
		file, err := parser.ParseFile(src.fset, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			src.faults = append(src.faults, fmt.Errorf("gen: %w", err))
			continue
		}
		files = append(files, file)
	}
	return files
}

// familyNamed returns the family of that name, or nil.
func (src *source) familyNamed(name string) *family {
	for _, f := range src.model.families {
		if f.name == name {
			return f
		}
	}
	return nil
}

// familyOf returns the family of a file, or nil.
func (src *source) familyOf(file *ast.File) *family {
	return src.familyNamed(strings.TrimSuffix(src.fileName(file), ".go"))
}

func (src *source) fileName(file *ast.File) string {
	return filepath.Base(src.fset.Position(file.Pos()).Filename)
}

// introduction returns the comment before a file's package clause, without build constraints.
func introduction(file *ast.File) string {
	var text string
	for _, comment := range file.Comments {
		if comment.End() < file.Package && !constraint.IsGoBuild(comment.List[0].Text) {
			text = comment.Text()
		}
	}
	return text
}
