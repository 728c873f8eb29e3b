"""What differs between systems, by the module of the system that this is, and which systems the package is for."""

from __future__ import annotations

import platform
import struct
import sys

if sys.platform == "win32":
    from ._windows import BUILT as BUILT
    from ._windows import FILE_NAME as FILE_NAME
    from ._windows import NO_DESCRIPTOR as NO_DESCRIPTOR
    from ._windows import SEARCHED as SEARCHED
    from ._windows import encoded as encoded
else:
    from ._linux import BUILT as BUILT
    from ._linux import FILE_NAME as FILE_NAME
    from ._linux import NO_DESCRIPTOR as NO_DESCRIPTOR
    from ._linux import SEARCHED as SEARCHED
    from ._linux import encoded as encoded

SERVED = "Linux with glibc on x86-64 or arm64, and Windows 10 or later on x64, with a Python of 64 bits"

MUSL = (
    "shmcv does not work with musl, the C library of Alpine, which cannot open libraries that are written in Go "
    "(golang/go#13492, golang/go#54805): use an image with glibc, such as Debian's or Ubuntu's"
)
if "musl" in getattr(sys.implementation, "_multiarch", ""):
    raise ImportError(MUSL)

#: As platform.machine() names them.
PROCESSORS = {"linux": ("x86_64", "aarch64"), "win32": ("amd64",)}


def refusal() -> str:
    """Return a line for an error, which says that there is no library for this Python. It is empty if there is one."""
    bits, machine = 8 * struct.calcsize("P"), platform.machine()
    here = [f"{platform.system()} on {machine}", f"a Python of {bits} bits"]
    served = machine.lower() in PROCESSORS.get(sys.platform, ()) and bits == 64
    if sys.platform == "linux" and platform.libc_ver()[0] != "glibc":
        served = False
        here.append("another C library than glibc")
    return "" if served else f"\nshmcv is for {SERVED}. Here is {', with '.join(here)}."
