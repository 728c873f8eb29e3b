package main

import "strings"

// cppDialect is the dialect for the documentation of the enumerations and constants of C++.
var cppDialect = dialect{
	constant: func(c *constant) string {
		if c.group.goType == "" {
			return snake(c.goName)
		}
		return c.group.cppName() + "::" + c.cppName()
	},
	all:       (*group).cppName,
	enum:      (*group).cppName,
	structure: func(s *structure) string { return snake(s.goName) },
	function:  func(cName string) string { return cName },
}

// cppName is the enumeration's name in the namespace shmcv.
func (g *group) cppName() string { return snake(g.publicName()) }

const cppTop = `#ifndef SHMCV_CONSTANTS_HPP
#define SHMCV_CONSTANTS_HPP

#include <cstdint>

#include "shmcv.h"

namespace shmcv {
`

// writeCpp writes the header with the enumerations and constants of C++. shmcv.hpp includes it.
func writeCpp(m *model) []byte {
	w := &cWriter{model: m}
	w.line("// %s", generatedBy)
	w.line("")
	w.line("/// @file shmcv_constants.hpp")
	w.line("/// The enumerations and constants of shmcv.hpp, which includes this file.")
	w.WriteString(cppTop)
	for _, g := range m.constantGroups() {
		for _, c := range g.constants {
			w.line("")
			w.cppComment("", w.say(c.describe(), nil, cppDialect))
			w.line("inline constexpr std::int32_t %s = %s;", snake(c.goName), c.cName())
		}
	}
	for _, g := range m.enums() {
		w.line("")
		w.cppComment("", w.say(withoutSubject(g.doc), nil, cppDialect))
		w.line("enum class %s : std::%s_t {", g.cppName(), g.base)
		for _, c := range g.constants {
			w.cppComment("    ", w.say(c.doc, nil, cppDialect))
			w.line("    %s = %s,", c.cppName(), c.cName())
		}
		w.line("};")
		if g.isFlags() {
			w.line("")
			w.line("/// Returns the flags of a and the flags of b.")
			w.line("constexpr %s operator|(%s a, %s b) noexcept {", g.cppName(), g.cppName(), g.cppName())
			w.line("    return static_cast<%s>(static_cast<std::%s_t>(a) | static_cast<std::%s_t>(b));", g.cppName(), g.base, g.base)
			w.line("}")
		}
	}
	w.line("")
	w.line("} // namespace shmcv")
	w.line("")
	w.line("#endif")
	return w.Bytes()
}

func (w *cWriter) cppComment(indent, text string) {
	for _, line := range lay(text, cWidth-len(indent)-len("/// ")) {
		w.line("%s", strings.TrimRight(indent+"/// "+line, " "))
	}
}

// describe returns the constant's own comment, or its block's comment if the constant has none.
func (c *constant) describe() string {
	switch {
	case c.doc != "":
		return c.doc
	case len(c.group.constants) == 1:
		return withoutSubject(c.group.doc)
	}
	return c.group.doc
}
