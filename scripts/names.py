"""Checks docs/names.md, the table of the public names in C, C++, C# and Python.

It reports

* a name in the table that its language does not have;
* a public name of a language that is in no row;
* a row whose names differ in words, and that has no note.

Words are compared without prefixes and without the words of the classes that the row names: shmcv_stream_create,
stream::create, FrameStream.Create and Stream.create are all "create".
"""

from __future__ import annotations

import inspect
import re
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "names.md"
LANGUAGES = ("C", "C++", "C#", "Python")


class Row(NamedTuple):
    """A row of the table: its line, the names in each language, and the note."""

    line: int
    names: dict[str, list[str]]
    note: str


class Names(NamedTuple):
    """The public names of a language. For each name that must be in a row: the names, one of which must be in a row.

    These are the name itself and, for a member, the same member of the base classes.
    """

    known: set[str]
    required: dict[str, set[str]]


def read_table(path: Path) -> list[Row]:
    """Return all rows. A row is: what it is, the names in each language, a note."""
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.startswith("| ") or line.startswith("| what it is |"):
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert len(cells) == len(LANGUAGES) + 2, f"{path}:{number}: {len(cells)} columns"
        names = {language: re.findall("`([^`]+)`", cell) for language, cell in zip(LANGUAGES, cells[1:])}
        rows.append(Row(number, names, cells[-1]))
    return rows


def read_code(path: Path) -> str:
    """Return the text of a C or C++ file without comments and without the namespace detail."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^namespace detail .*^} // namespace detail$", "", text, flags=re.M | re.S)
    return re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)


def names_of_c() -> Names:
    """Return the functions, types, constants and fields of include/shmcv.h."""
    text = read_code(ROOT / "include" / "shmcv.h")
    found = set(re.findall(r"\bSHMCV_API [^;(]*?\b(shmcv_\w+)\(", text))
    found |= set(re.findall(r"^#define (SHMCV_\w+) +\S", text, re.M)) - {"SHMCV_API"}
    for enum, body in re.findall(r"^enum (\w+) \{(.*?)\}", text, re.M | re.S):
        found |= {enum, *re.findall(r"\b(SHMCV_\w+)\s*=", body)}
    for structure, fields in structures(text).items():
        found |= {structure, *(f"{structure}.{field}" for field in fields)}
    return Names(found, {name: {name} for name in found})


def structures(text: str) -> dict[str, set[str]]:
    """Return the structures of the header with their fields, except reserved ones and a handle's number."""
    return {
        name: {field for field in re.findall(r"(\w+)(?:\[\d+\])?;", body) if not re.match("reserved|handle", field)}
        for name, body in re.findall(r"^(?:typedef )?struct (\w+) \{(.*?)^\}", text, re.M | re.S)
    }


def names_of_cpp() -> Names:
    """Return the names of namespace shmcv, and the public members of its classes."""
    text = "\n".join(read_code(ROOT / "include" / f"shmcv{part}.hpp") for part in ("_constants", ""))
    known: set[str] = set()
    bases: dict[str, str] = {}
    for kind, body in re.findall(r"^enum class (\w+)[^{]*\{(.*?)^\}", text, re.M | re.S):
        known |= {kind, *(f"{kind}::{member}" for member in re.findall(r"(\w+) =", body))}
    for kind, base, body in re.findall(r"^class (\w+)(?: : public (\w+))?[^{;]*\{(.*?)^\};", text, re.M | re.S):
        bases[kind] = base
        # Declarations are indented by four spaces, and the statements in them by more.
        parts = re.split(r"^  (public|protected|private):", body, flags=re.M)
        public = "".join(part for access, part in zip(parts[1::2], parts[2::2]) if access == "public")
        members = set(re.findall(r"^    (?:[^\s(][^(\n]*(?<!operator)[ &*])??(\w+)\(", public, re.M)) - {kind}
        known |= {kind, *(f"{kind}::{member}" for member in members)}
    for kind, body in re.findall(r"^struct (\w+) \{(.*?)^\};", text, re.M | re.S):
        known |= {kind, *(f"{kind}::{member}" for member in re.findall(r"(\w+)(?: = [^;]+)?;", body))}
    header = structures(read_code(ROOT / "include" / "shmcv.h"))
    for alias, of in re.findall(r"^using (\w+) = (\w+)", text, re.M):
        known |= {alias, *(f"{alias}::{field}" for field in header.get(of, ()))}
    known |= set(re.findall(r"^inline constexpr [\w:]+ (\w+) =", text, re.M))
    known |= set(re.findall(r"^(?:\[\[nodiscard\]\] )?(?:inline|constexpr) [^(\n]*?(?<![\w:])(\w+)\(", text, re.M))
    required = {}
    for name in known:
        kind, _, member = name.partition("::")
        required[name] = {name}
        while member and (kind := bases.get(kind, "")):
            required[name].add(f"{kind}::{member}")
    return Names(known, required)


def names_of_csharp() -> Names:
    """Return the types of the assembly ShmCv and their members, from the files of the analyser that keeps them."""
    found = set()
    for path in sorted((ROOT / "bindings" / "csharp" / "ShmCv").glob("PublicAPI*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith(("#", "override ", "*")):
                continue
            matched = re.match(r"(?:(?:static|const|abstract|virtual|readonly) )*ShmCv\.([\w.]+)", line)
            assert matched, f"{path}: {line}"
            name = re.sub(r"\.(get|set|init)$", "", matched[1])
            kind, _, member = name.rpartition(".")
            if member != kind and ".operator" not in line:  # a constructor has its type's name
                found.add(name)
    return Names(found, {name: {name} for name in found})


def names_of_python() -> Names:
    """Return the names of the package and the public members of its classes. It imports the package."""
    sys.path.insert(0, str(ROOT / "bindings" / "python" / "src"))
    import shmcv

    # A star import leaves out the exceptions that have a built-in's name.
    exceptions = {kind.__name__ for kind in shmcv.error.EXCEPTIONS.values()}
    top = {*shmcv.__all__, *exceptions}
    known, required = set(top), {name: {name} for name in top}
    for kind in (value for name in top if inspect.isclass(value := getattr(shmcv, name))):
        ours = [base for base in kind.__mro__ if base.__module__.startswith("shmcv.")]
        members = members_of(ours) - members_of(set(kind.__mro__) - set(ours))
        if issubclass(kind, Enum):
            members = set(kind.__members__)
        for member in members:
            known.add(f"{kind.__name__}.{member}")
            required[f"{kind.__name__}.{member}"] = {f"{base.__name__}.{member}" for base in ours}
    return Names(known, required)


def members_of(classes: Iterable[type]) -> set[str]:
    """Return the public members that these classes define themselves."""
    names = (name for kind in classes for name in (*vars(kind), *vars(kind).get("__annotations__", {})))
    return {name for name in names if not name.startswith("_")}


def split(name: str) -> list[str]:
    """Return the words of a name in lower case. C#'s exceptions are errors, as SHMCV_E_ is."""
    words = re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+", name)
    return [{"exception": "error", "e": "error"}.get(word.lower(), word.lower()) for word in words]


def agree(names: dict[str, list[str]]) -> bool:
    """Return True if the names of a row have the same words."""
    classes, members = set(), []
    for name in (name for of_language in names.values() for name in of_language):
        kind, separator, member = re.match(r"(?:(.*?)(\.|::))?(.*)", name).groups()
        classes |= set(split(kind)) if separator else set()
        members.append(re.sub("^(shmcv|SHMCV_|ShmCv|Shmcv)", "", member))
    left = {tuple(word for word in split(name) if word not in classes) or tuple(split(name)) for name in members}
    return len(left) == 1


def main() -> int:
    """Print the problems, and return 1 if there are any."""
    rows = read_table(TABLE)
    languages = dict(zip(LANGUAGES, (names_of_c(), names_of_cpp(), names_of_csharp(), names_of_python())))
    problems = []
    for row in rows:
        for language, names in row.names.items():
            problems += [
                f"{TABLE.name}:{row.line}: {language} has no {name}"
                for name in names
                if name not in languages[language].known
            ]
        if not row.note and not agree(row.names):
            shown = ", ".join(name for names in row.names.values() for name in names)
            problems.append(f"{TABLE.name}:{row.line}: these names differ, and no note says why: {shown}")
    for language, names in languages.items():
        told = {name for row in rows for name in row.names[language]}
        missing = sorted(name for name, others in names.required.items() if not others & told)
        problems += [f"{TABLE.name}: no row has {language}'s {name}" for name in missing]
    print("\n".join(problems) or f"{len(rows)} rows")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
