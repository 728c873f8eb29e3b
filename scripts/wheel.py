"""Looks at a wheel for Linux: `wheel.py WHEEL`. It fails if the wheel holds what it should not, or promises too much.

The wheel has the package's modules, the library, the plugin that draws windows, and the licences. The library needs
libc alone. auditwheel finds in both files the oldest glibc that they work with; the wheel's name has that one or a
later one. GTK, which the plugin needs, is the system's: it is opened with the first window; all else works without it.
"""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path

from auditwheel.architecture import Architecture
from auditwheel.libc import Libc
from auditwheel.wheel_abi import analyze_wheel_abi
from elftools.elf.elffile import ELFFile

LIBRARY, PLUGIN = "shmcv/libshmcv.so", "shmcv/libopencv_highgui_gtk3.so"
CONTENT = re.compile(
    rf"shmcv/\w+\.py|shmcv/py\.typed|{re.escape(LIBRARY)}|{re.escape(PLUGIN)}"
    r"|shmcv-[^/]+\.dist-info/(METADATA|WHEEL|RECORD|licenses/(LICENSE|THIRD_PARTY_NOTICES))"
)
LIBC = re.compile(r"(libc|libm|libdl|libpthread|librt|ld-linux-[a-z0-9-]+)\.so\.\d")
GTK = re.compile(r"lib(gtk-3|gdk-3|cairo|gdk_pixbuf-2\.0|gobject-2\.0|glib-2\.0)\.so\.\d")


def main(wheel: Path) -> list[str]:
    """Return what is wrong with the wheel."""
    wrong = []
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        wrong += [f"it holds {name}" for name in names if not CONTENT.fullmatch(name)]
        if LIBRARY not in names:
            return [*wrong, f"it has no {LIBRARY}"]
        outside = set()
        for name in {LIBRARY, PLUGIN}.intersection(names):
            with archive.open(name) as file:
                needed = needed_by(ELFFile(file))
            of_system = {library for library in needed if name == PLUGIN and GTK.fullmatch(library)}
            wrong += [f"{name} needs {library}" for library in needed - of_system if not LIBC.fullmatch(library)]
            outside |= of_system
    tag = wheel.stem.rpartition("-")[2]
    promised = re.fullmatch(r"manylinux_2_(\d+)_(\w+)", tag)
    if promised is None:
        return [*wrong, f"its tag is {tag}, which is that of one machine"]
    found = analyze_wheel_abi(
        Libc.GLIBC, Architecture(promised[2]), wheel, frozenset(outside), disable_isa_ext_check=False, allow_graft=False
    ).overall_policy.name
    print(f"{wheel.name}: auditwheel finds {found}")
    needs = re.fullmatch(r"manylinux_2_(\d+)_(\w+)", found)
    if needs is None or needs[2] != promised[2] or int(needs[1]) > int(promised[1]):
        wrong.append(f"its tag is {tag}, and auditwheel finds {found}")
    return wrong


def needed_by(file: ELFFile) -> set[str]:
    dynamic = file.get_section_by_name(".dynamic")
    return {tag.needed for tag in dynamic.iter_tags("DT_NEEDED")}


if __name__ == "__main__":
    problems = main(Path(sys.argv[1]))
    for problem in problems:
        print(f"{sys.argv[1]}: {problem}", file=sys.stderr)
    sys.exit(1 if problems else 0)
