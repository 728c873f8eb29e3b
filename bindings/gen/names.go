package main

import (
	"strings"
	"unicode"
)

// words splits a Go name: "HasImage" is Has, Image; "ABIMajor" is ABI, Major; "DepthU8" is Depth, U8. A digit belongs
// to what stands before it.
func words(name string) []string {
	runes := []rune(name)
	var all []string
	start := 0
	for i := 1; i < len(runes); i++ {
		if !unicode.IsUpper(runes[i]) {
			continue
		}
		afterLower := !unicode.IsUpper(runes[i-1])
		beforeLower := i+1 < len(runes) && unicode.IsLower(runes[i+1])
		if afterLower || beforeLower {
			all = append(all, string(runes[start:i]))
			start = i
		}
	}
	return append(all, string(runes[start:]))
}

// snake gives has_image for HasImage.
func snake(name string) string { return strings.ToLower(strings.Join(words(name), "_")) }

// upper gives HAS_IMAGE for HasImage.
func upper(name string) string { return strings.ToUpper(snake(name)) }

// pascal gives the .NET form, in which an acronym of three letters or more is a word: AbiMajor, but IO and U8.
func pascal(name string) string {
	all := words(name)
	for i, word := range all {
		if len(word) > 2 {
			all[i] = word[:1] + strings.ToLower(word[1:])
		}
		all[i] = strings.ToUpper(all[i][:1]) + all[i][1:]
	}
	return strings.Join(all, "")
}

// renamed are the constant types whose Go name says too little outside their package.
var renamed = map[string]string{"Code": "ErrorCode", "Order": "ColorOrder"}

// publicName is the enumeration's name in the bindings. That of flags is a plural, as in .NET and Python.
func (g *group) publicName() string {
	if name, ok := renamed[g.goType]; ok {
		return name
	}
	if g.isFlags() {
		return g.goType + "s"
	}
	return g.goType
}

// cName is the enumeration's tag in C.
func (g *group) cName() string { return "shmcv_" + snake(g.publicName()) }

// cPrefix is what the constants of a type begin with in C: "SHMCV_LOAD_".
func (g *group) cPrefix() string { return "SHMCV_" + upper(g.prefix) + "_" }

// isFlags tells whether the constants are added to each other.
func (g *group) isFlags() bool { return strings.HasSuffix(g.goType, "Flag") }

// memberPrefix gives what the names of a type's constants have in common with the type: as many of its words as all
// of them begin with. Codes begin with E, but for OK. It is "" where they have nothing in common.
func memberPrefix(goType string, names []string) string {
	if goType == "Code" {
		return "E"
	}
	all := words(goType)
	for n := len(all); n > 0; n-- {
		prefix := strings.Join(all[:n], "")
		if beginAllWith(names, prefix) {
			return prefix
		}
	}
	return ""
}

func beginAllWith(names []string, prefix string) bool {
	for _, name := range names {
		if !strings.HasPrefix(name, prefix) || name == prefix {
			return false
		}
	}
	return true
}

// member is the constant's Go name without what its type says already.
func (c *constant) member() string {
	if c.isOK() {
		return c.goName
	}
	return strings.TrimPrefix(c.goName, c.group.prefix)
}

// isOK: the one code that is no error.
func (c *constant) isOK() bool { return c.group.goType == "Code" && c.goName == "OK" }

func (c *constant) cName() string {
	if c.group.prefix == "" || c.isOK() {
		return "SHMCV_" + upper(c.goName)
	}
	return c.group.cPrefix() + upper(c.member())
}

// pythonName and csharpName are the member's names. They keep the prefix where they would begin with a digit.
func (c *constant) pythonName() string {
	if c.beginsWithDigit() {
		return upper(c.group.prefix) + "_" + upper(c.member())
	}
	return upper(c.member())
}

func (c *constant) csharpName() string {
	if c.beginsWithDigit() {
		return pascal(c.goName)
	}
	return pascal(c.member())
}

func (c *constant) beginsWithDigit() bool { return unicode.IsDigit(rune(c.member()[0])) }

func (s *structure) cName() string { return "shmcv_" + snake(s.goName) }

// rawName is its name in the bindings' raw layers.
func (s *structure) rawName() string { return "Shmcv" + s.goName }

func (f *field) cName() string      { return snake(f.goName) }
func (f *field) csharpName() string { return pascal(f.goName) }

func (p parameter) cName() string { return snake(p.goName) }

func (p parameter) csharpName() string {
	if csharpKeywords[p.goName] {
		return "@" + p.goName
	}
	return p.goName
}

// The reserved words that are plausible names for a parameter and legal ones in Go.
var (
	cKeywords      = set("auto char class delete double enum extern float inline int long namespace new private public register short signed sizeof static template this typedef typename union unsigned virtual void volatile while")
	csharpKeywords = set("as base bool byte char checked class event fixed in int is lock long new object operator out params ref short sizeof string this uint ulong")
)

func set(list string) map[string]bool {
	all := map[string]bool{}
	for word := range strings.FieldsSeq(list) {
		all[word] = true
	}
	return all
}
