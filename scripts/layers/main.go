// Command layers checks which packages may import which, for ./build.sh check. It reads the import clauses of all Go
// files, those of other systems and behind build tags too, so that it sees what the compiler of this system does not.
//
// Three rules of ARCHITECTURE.md:
//
//   - Imports point one way: export > {ops, shm} > internal/abi. shm and ops do not know each other.
//   - What is of one operating system is imported only in files that have the system in their names (*_linux.go,
//     *_linux_test.go), and of these only in shm/internal/sys, ops and export; in shm only by tests.
//   - Package cpu is imported only in files for amd64: for arm64 it ends a process that has too few file descriptors left.
package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// allowed says which packages of this module a package of the library may import. A package includes the internal ones
// below it, and may import those.
var allowed = map[string][]string{
	"internal/abi": {},
	"shm":          {"internal/abi"},
	"ops":          {"internal/abi"},
	"export":       {"internal/abi", "shm", "ops"},
}

// libraryPackages are the packages of the library; allowed has an entry for each.
var libraryPackages = []string{"internal/abi", "shm", "ops", "export"}

var (
	// systemImport matches packages that exist for one system, or differ between systems.
	systemImport = regexp.MustCompile(`^(syscall|golang\.org/x/sys/(unix|windows|plan9).*)$`)

	ofASystem = regexp.MustCompile(`_(linux|windows|darwin)(_(amd64|arm64))?(_test)?\.go$`)
)

func main() {
	problems, err := check(os.DirFS("."))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	for _, problem := range problems {
		fmt.Println(problem)
	}
	if len(problems) > 0 {
		os.Exit(1)
	}
}

// check gives a line for each import of the library that breaks a rule. root is the module's folder.
func check(root fs.FS) (problems []string, err error) {
	for _, library := range libraryPackages {
		err := fs.WalkDir(root, library, func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(file, ".go") {
				return err
			}
			imports, err := importsOf(root, file)
			for _, path := range imports {
				if problem := judge(library, file, path); problem != "" {
					problems = append(problems, fmt.Sprintf("%s imports %s: %s", file, path, problem))
				}
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return problems, nil
}

func importsOf(root fs.FS, file string) (paths []string, err error) {
	source, err := fs.ReadFile(root, file)
	if err != nil {
		return nil, err
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, source, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	for _, clause := range parsed.Imports {
		path, err := strconv.Unquote(clause.Path.Value)
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// judge says what is wrong with an import in a file of a package of the library, "" if nothing is.
func judge(library, file, path string) string {
	if systemImport.MatchString(path) {
		return judgeSystem(library, file)
	}
	if path == "golang.org/x/sys/cpu" && !strings.HasSuffix(file, "_amd64.go") {
		return "only files for amd64 may: for arm64 it opens files as it is initialized (_amd64.go)"
	}
	ours, found := strings.CutPrefix(path, "shmcv/")
	if !found || within(ours, library) {
		return ""
	}
	for _, other := range allowed[library] {
		if within(ours, other) {
			return ""
		}
	}
	return library + " must not know it (ARCHITECTURE.md)"
}

func judgeSystem(library, file string) string {
	switch folder := filepath.ToSlash(filepath.Dir(file)); {
	case library == "internal/abi":
		return "internal/abi knows no operating system"
	case !ofASystem.MatchString(file):
		return "only files with a system in their names may (_linux.go, _linux_test.go)"
	case library == "shm" && !within(folder, "shm/internal/sys") && !strings.HasSuffix(file, "_test.go"):
		return "of shm, only shm/internal/sys may"
	}
	return ""
}

// within returns true if path is that of folder, or of something below it.
func within(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }
