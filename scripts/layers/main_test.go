package main

import (
	"testing"
	"testing/fstest"
)

func TestImportsThatBreakARule(t *testing.T) {
	for file, test := range map[string]struct {
		source string
		wrong  int
	}{
		"shm/a.go":                        {"package shm\nimport \"shmcv/internal/abi\"\nimport \"shmcv/shm/internal/sys\"", 0},
		"shm/b.go":                        {"package shm\nimport (\n u `golang.org/x/sys/unix`\n)", 1},
		"shm/c.go":                        {"package shm; import (\"fmt\"; _ \"syscall\")", 1},
		"shm/d_linux.go":                  {"package shm\nimport \"golang.org/x/sys/unix\"", 1},
		"shm/e_linux_test.go":             {"package shm\nimport \"syscall\"", 0},
		"shm/f_test.go":                   {"package shm\nimport \"syscall\"", 1},
		"shm/g.go":                        {"//go:build windows\n\npackage shm\nimport \"shmcv/ops\"", 1},
		"shm/h.go":                        {"package shm\n// import \"syscall\"\nvar text = `import \"syscall\"`", 0},
		"shm/internal/sys/a_linux.go":     {"package sys\nimport \"syscall\"", 0},
		"shm/internal/sys/b_windows.go":   {"package sys\nimport \"golang.org/x/sys/windows\"", 0},
		"shm/internal/sys/c.go":           {"package sys\nimport \"syscall\"", 1},
		"shm/internal/sys/d.go":           {"package sys\nimport \"shmcv/export\"", 1},
		"ops/a_linux.go":                  {"package ops\nimport \"syscall\"", 0},
		"ops/b.go":                        {"package ops\nimport \"syscall\"", 1},
		"ops/c.go":                        {"package ops\nimport \"shmcv/shm\"", 1},
		"ops/processor_amd64.go":          {"package ops\nimport \"golang.org/x/sys/cpu\"", 0},
		"ops/e.go":                        {"package ops\nimport \"golang.org/x/sys/cpu\"", 1},
		"ops/internal/probe/a.go":         {"package probe\nimport \"shmcv/internal/abi\"", 0},
		"ops/d.go":                        {"package ops\nimport \"shmcv/ops/internal/probe\"", 0},
		"export/a.go":                     {"package main\nimport (\"shmcv/ops\"; \"shmcv/shm\")", 0},
		"export/b_linux.go":               {"package main\nimport \"syscall\"", 0},
		"export/c.go":                     {"package main\nimport \"syscall\"", 1},
		"internal/abi/a_linux.go":         {"package abi\nimport \"syscall\"", 1},
		"internal/abi/b.go":               {"package abi\nimport \"shmcv/shm\"", 1},
		"shmcv/elsewhere/is_not_ours.go":  {"package elsewhere\nimport \"syscall\"", 0},
		"export/d_linux_amd64_test.go":    {"package main\nimport \"syscall\"", 0},
		"export/e_linuxish.go":            {"package main\nimport \"syscall\"", 1},
		"shm/internal/sys/room_window.go": {"package sys\nimport \"syscall\"", 1},
	} {
		root := fstest.MapFS{file: {Data: []byte(test.source)}}
		for _, library := range libraryPackages {
			root[library+"/doc.go"] = &fstest.MapFile{Data: []byte("package doc")}
		}
		problems, err := check(root)
		if err != nil || len(problems) != test.wrong {
			t.Errorf("%s: %d problems expected, got %q, %v", file, test.wrong, problems, err)
		}
	}
}
