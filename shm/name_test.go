package shm

import (
	"strings"
	"testing"

	"shmcv/internal/abi"
)

func TestValidNames(t *testing.T) {
	for _, name := range []string{"a", "0", "-", "_", "A.b-c_9", "a..b", "a.", "0b8c6fd2-5f4e-4a37-b6f0-0f7d0c1a2b3c", strings.Repeat("x", 200)} {
		if err := ValidName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestBadNamesAreRefusedEverywhere(t *testing.T) {
	for name, word := range map[string]string{
		"":                        "empty",
		".":                       "dot",
		"..":                      "dot",
		".hidden":                 "dot",
		"a/b":                     `"a/b"`,
		"/a":                      `"/a"`,
		"../etc/passwd":           "dot",
		`a\b`:                     "A-Z",
		"a b":                     "A-Z",
		"a\nb":                    `\n`,
		"a\x00b":                  `\x00`,
		"caméra":                  "A-Z",
		"a\xff":                   `\xff`,
		"a:b":                     "A-Z",
		strings.Repeat("x", 201):  "201 bytes",
		strings.Repeat("é", 4000): "8000 bytes",
	} {
		must(t, ValidName(name), abi.EInvalid, word)
		if message := ValidName(name).Error(); len(message) > 300 {
			t.Errorf("the message for a name of %d bytes has %d", len(name), len(message))
		}
		_, err := Create(name, 1)
		must(t, err, abi.EInvalid)
		_, err = Open(name)
		must(t, err, abi.EInvalid)
		must(t, Clear(name), abi.EInvalid)
	}
}
