"""Writes THIRD_PARTY_NOTICES: the licences of everything that the linker copies into the library.

usage: notices.py VERSION LIBRARY OUTPUT

The list of components comes from the build itself: the archives of CGO_LDFLAGS, and what `go list -deps` names, for
the system that CXX and GOOS name. The texts come from the sources that were built. A component without a row below, or
without a text, is an error.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple


class Component(NamedTuple):
    """One component: its name, its licence as an SPDX expression, and its licence's texts."""

    name: str
    licence: str
    texts: list[Path]


# For each archive that is linked in, by the NAME of the linker's -lNAME: the component's name, its licence, and how the
# names of its files begin in the folder share/licenses/*/ of the prefix that holds the archive.
OPENCV = ("OpenCV", "Apache-2.0", "opencv")
ARCHIVES = {
    "opencv_core": OPENCV,
    "opencv_highgui": OPENCV,
    "opencv_imgcodecs": OPENCV,
    "opencv_imgproc": OPENCV,
    "libjpeg-turbo": ("libjpeg-turbo", "IJG AND BSD-3-Clause AND Zlib", "libjpeg-turbo"),
    "libopenjp2": ("OpenJPEG", "BSD-2-Clause", "libopenjp2"),
    "libspng": ("libspng", "BSD-2-Clause", "libspng"),
    "libtiff": ("libtiff", "libtiff", "libtiff"),
    "libwebp": ("libwebp", "BSD-3-Clause", "libwebp"),
    "z": ("zlib-ng", "Zlib", "zlib"),
    "deflate": ("libdeflate", "MIT", "libdeflate"),
}

# Components without an archive of their own: OpenCV compiles them into its core. The key is how their files begin.
INSIDE_OPENCV = {"SoftFloat": "BSD-3-Clause", "dlpack": "Apache-2.0"}

# Go modules.
MODULES = {"gocv.io/x/gocv": "Apache-2.0", "golang.org/x/sys": "BSD-3-Clause"}

# The C library is the system's. Some of its names are empty archives.
C_LIBRARY = {"c", "dl", "m", "pthread", "rt"}

# Of Windows' libraries the linker takes names only, and from uuid the numbers of interfaces.
WINDOWS = {"comctl32", "comdlg32", "gdi32", "ole32", "oleaut32", "setupapi", "user32", "uuid", "ws2_32"}

# With -static the linker takes the parts of a C library that Windows lacks from mingw-w64, and its threads.
MINGW = ("mingw-w64's runtime and winpthreads", "ZPL-2.1 AND MIT AND BSD-3-Clause")
MINGW_TEXTS = ["/usr/share/doc/mingw-w64-x86-64-dev/copyright", "/usr/share/licenses/mingw-w64-crt/COPYING*"]

# What zig links in of its own: the name, the licence, and the licence's text in zig's folder.
ZIG = [
    (f"LLVM's {name}", "Apache-2.0 WITH LLVM-exception", f"lib/{folder}/LICENSE.TXT")
    for name, folder in {"libc++": "libcxx", "libc++abi": "libcxxabi", "libunwind": "libunwind"}.items()
] + [("zig's compiler_rt", "MIT", "LICENSE")]

# Where distributions keep Go's licence if not in GOROOT.
GO_TEXTS = ["/usr/share/licenses/golang/LICENSE", "/usr/share/doc/golang-*-go/copyright"]

# The exception asks for no copy of its text. It has to be named.
GCC_TITLE = "libstdc++ and libgcc: GPL-3.0-or-later WITH GCC-exception-3.1"
GCC = """\
libstdc++ and libgcc belong to GCC, the GNU Compiler Collection (Copyright Free Software Foundation, Inc.). They are
under the GNU General Public License, version 3 or later, with the GCC Runtime Library Exception, version 3.1. The
exception permits distributing a program that contains them under terms of its author's choice.
https://www.gnu.org/licenses/gpl-3.0.html
https://www.gnu.org/licenses/gcc-exception-3.1.html
"""
RULE = "=" * 80


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def newest(patterns: list[str]) -> list[Path]:
    """Return the last file of the first pattern that matches any."""
    for pattern in patterns:
        if found := sorted(Path("/").glob(pattern.lstrip("/"))):
            return found[-1:]
    return []


class Notices:
    """The components found so far, and what is wrong with them."""

    def __init__(self) -> None:
        self.components: list[Component] = []
        self.problems: list[str] = []

    def add(self, name: str, licence: str, texts: list[Path], where: str) -> None:
        """Add a component once. A component without a text is a problem; `where` says where texts were expected."""
        if any(component.name == name for component in self.components):
            return
        if not texts:
            self.problems.append(f"{name} is linked in, and there is no text of its licence: expected {where}")
        self.components.append(Component(name, licence, texts))

    def add_archives(self, flags: list[str]) -> None:
        """Add what the linker takes from archives: for each -lNAME, the first folder with a libNAME decides."""
        folders = [Path(flag[2:]) for flag in flags if flag.startswith("-L")]
        if not zig():
            searched = run(os.environ.get("CXX", "g++"), "-print-search-dirs").partition("libraries: =")[2]
            folders += [Path(folder) for folder in searched.splitlines()[0].split(":")]
        for flag in flags:
            if flag.startswith("-l") and flag[2:] not in C_LIBRARY | WINDOWS:
                self.add_library(flag[2:], folders)
            elif flag.endswith(".a") and not flag.startswith("-"):
                self.add_archive(Path(flag).stem[len("lib") :], Path(flag))

    def add_library(self, name: str, folders: list[Path]) -> None:
        for folder in folders:
            if (folder / f"lib{name}.so").exists():
                return  # a shared library: the loader takes it from the system
            if (folder / f"lib{name}.a").exists():
                self.add_archive(name, folder / f"lib{name}.a")
                return
        self.problems.append(f"-l{name} is on the link line, and no folder has a lib{name}.so or lib{name}.a")

    def add_archive(self, name: str, archive: Path) -> None:
        name = re.sub(r"^(opencv_[a-z]+)[0-9]+$", r"\1", name)  # on Windows, OpenCV's version is in its files' names
        if name not in ARCHIVES:
            self.problems.append(f"{archive} (-l{name}) is linked in: add its row to ARCHIVES in scripts/notices.py")
            return
        title, licence, beginning = ARCHIVES[name]
        folders = [folder for parent in archive.parents for folder in sorted(parent.glob("share/licenses/*"))]
        self.add(title, licence, texts_in(folders, beginning), f"{beginning}-* in share/licenses of {archive}'s prefix")
        if name != "opencv_core":
            return
        for beginning, licence in INSIDE_OPENCV.items():
            self.add(beginning, licence, texts_in(folders, beginning), f"{beginning}-* beside OpenCV's licence")
        known = [row[2] for row in ARCHIVES.values()] + list(INSIDE_OPENCV)
        for folder in folders:
            for text in sorted(folder.iterdir()):
                if not any(text.name.startswith(beginning + "-") for beginning in known):
                    self.problems.append(f"OpenCV installs {text.name}: add its row to scripts/notices.py")

    def add_go(self, modules: list[str]) -> None:
        """Add Go itself and the modules that `go list -deps` names, with the texts of the module cache."""
        for line in sorted(set(modules)):
            path, version, folder = line.split("\t")
            if path not in MODULES:
                self.problems.append(f"the Go module {path} is linked in: add its row to MODULES in scripts/notices.py")
                continue
            texts = sorted(file for file in Path(folder).iterdir() if re.match(r"LICEN[CS]E|COPYING|NOTICE", file.name))
            self.add(f"{path} {version}", MODULES[path], texts, folder)
        root = Path(run("go", "env", "GOROOT").strip())
        texts = [root / "LICENSE"] if (root / "LICENSE").exists() else newest(GO_TEXTS)
        version = run("go", "env", "GOVERSION").strip()
        self.add(f"Go's runtime and standard library {version}", "BSD-3-Clause", texts, f"{root}/LICENSE")


def zig() -> Path | None:
    """Return the folder of zig and its libraries, if it is the compiler (scripts/zig.sh)."""
    folder = Path(os.environ.get("CXX", "g++")).parent.parent / "ziglang"
    return folder if folder.is_dir() else None


def texts_in(folders: list[Path], beginning: str) -> list[Path]:
    """Return the licence texts whose names begin so. README.md is about building, not about the licence."""
    found = [file for folder in folders for file in sorted(folder.glob(f"{beginning}-*"))]
    return [file for file in found if not file.name.endswith("README.md")]


def loaded(library: Path) -> list[str]:
    """Return the names of the shared libraries that the file makes the loader open."""
    if library.suffix == ".dll":
        return re.findall(r"DLL Name: (.*)", run("x86_64-w64-mingw32-objdump", "-p", str(library)))
    return re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", str(library)))


def document(version: str, library: Path, notices: Notices, runtime: bool) -> str:
    """Return the whole text: what is in which file, then each licence."""
    plugin = library.with_name("libopencv_highgui_gtk3.so")
    titles = [f"{component.name}: {component.licence}" for component in notices.components]
    if runtime:
        titles.append(GCC_TITLE)
    parts = [
        f"Third-party notices of shmcv {version}",
        "",
        "shmcv itself is under the Apache License 2.0: see LICENSE.",
        f"{library.name} contains code of these components, in whole or in part:",
        "",
        *(f"  {title}" for title in titles),
        "",
        "It opens these libraries of the system, which are not part of it:",
        "",
        *(f"  {name}" for name in loaded(library)),
    ]
    if not any(component.name == "OpenCV" for component in notices.components):
        parts += ["", "OpenCV and its codecs are such libraries: they are not linked in, and not distributed with it."]
    if plugin.exists():
        parts += [
            "",
            f"{plugin.name} is OpenCV's plugin for windows. It contains code of OpenCV and of the libraries",
            "that OpenCV brings. It opens these libraries of the system, which are not part of it",
            "(GTK, GLib and GdkPixbuf are under LGPL-2.1-or-later, Cairo is under LGPL-2.1-only OR MPL-1.1):",
            "",
            *(f"  {name}" for name in loaded(plugin)),
        ]
    for component in notices.components:
        parts += ["", RULE, f"{component.name}: {component.licence}", RULE]
        for text in component.texts:
            parts += ["", text.read_text(encoding="utf-8", errors="replace").strip("\n")]
    if runtime:
        parts += ["", RULE, GCC_TITLE, RULE, "", GCC]
    return "\n".join(parts).rstrip() + "\n"


def packages(template: str) -> list[str]:
    """Return the lines that `go list` writes for the packages of the library. Empty lines are left out."""
    return [line for line in run("go", "list", "-deps", "-f", template, "./export").splitlines() if line]


def main(version: str, library: Path, output: Path) -> int:
    flags = shlex.split(os.environ.get("CGO_LDFLAGS", ""))
    flags += packages('{{join .CgoLDFLAGS "\\n"}}')  # what "#cgo LDFLAGS" lines add
    notices = Notices()
    notices.add_archives(flags)
    notices.add_go(packages("{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}{{end}}"))
    if folder := zig():
        for name, licence, text in ZIG:
            notices.add(name, licence, [folder / text], str(folder / text))
    if "-static" in flags:
        notices.add(*MINGW, newest(MINGW_TEXTS), " or ".join(MINGW_TEXTS))
    output.unlink(missing_ok=True)
    for problem in notices.problems:
        print(problem, file=sys.stderr)
    if notices.problems:
        return 1
    runtime = "-static" in flags or "-static-libstdc++" in flags
    output.write_text(document(version, library, notices, runtime), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
