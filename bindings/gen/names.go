package main

import (
	"strings"
	"unicode"
)

// words splits a Go name: "HasImage" is Has, Image; "ABIMajor" is ABI, Major; "DepthU8" is Depth, U8. A digit belongs
// to the word before it.
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

// snake returns has_image for HasImage.
func snake(name string) string { return strings.ToLower(strings.Join(words(name), "_")) }

// upper returns HAS_IMAGE for HasImage.
func upper(name string) string { return strings.ToUpper(snake(name)) }

// pascal returns the .NET form, in which an acronym of three letters or more is a word: AbiMajor, but IO and U8.
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

// renamed are the types of constants whose Go names are too short outside their package.
var renamed = map[string]string{"Code": "ErrorCode", "Order": "ColorOrder"}

// publicName returns the enumeration's name in the bindings. The name of flags is a plural, as in .NET and Python.
func (g *group) publicName() string {
	if name, ok := renamed[g.goType]; ok {
		return name
	}
	if g.isFlags() {
		return g.goType + "s"
	}
	return g.goType
}

// cName returns the enumeration's tag in C.
func (g *group) cName() string { return "shmcv_" + snake(g.publicName()) }

// cPrefix returns the beginning of all C names of the group's constants: "SHMCV_LOAD_".
func (g *group) cPrefix() string { return "SHMCV_" + upper(g.prefix) + "_" }

// isFlags returns true if callers combine the constants.
func (g *group) isFlags() bool { return strings.HasSuffix(g.goType, "Flag") }

// memberPrefix returns the beginning that the names of a type's constants share with the type: as many words of the
// type as all names begin with. It returns "" if there is none, and E for Code, because all codes except OK begin with
// E.
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

// member returns the constant's Go name without the prefix of its group.
func (c *constant) member() string {
	if c.isOK() {
		return c.goName
	}
	return strings.TrimPrefix(c.goName, c.group.prefix)
}

// isOK returns true for OK, the one code that is no error.
func (c *constant) isOK() bool { return c.group.goType == "Code" && c.goName == "OK" }

func (c *constant) cName() string {
	if c.group.prefix == "" || c.isOK() {
		return "SHMCV_" + upper(c.goName)
	}
	return c.group.cPrefix() + upper(c.member())
}

// pythonName, cppName and csharpName return the member's names. A name keeps the prefix if it would begin with a digit without
// it.
func (c *constant) pythonName() string {
	if c.beginsWithDigit() {
		return upper(c.group.prefix) + "_" + upper(c.member())
	}
	return upper(c.member())
}

func (c *constant) cppName() string { return strings.ToLower(c.pythonName()) }

func (c *constant) csharpName() string {
	if c.beginsWithDigit() {
		return pascal(c.goName)
	}
	return pascal(c.member())
}

func (c *constant) beginsWithDigit() bool { return unicode.IsDigit(rune(c.member()[0])) }

func (s *structure) cName() string { return "shmcv_" + snake(s.goName) }

// rawName returns the structure's name in the bindings' raw layers.
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

// The reserved words of C, C++ and C# that are likely names for a parameter and legal in Go.
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
