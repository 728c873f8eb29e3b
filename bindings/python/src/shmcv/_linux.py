"""What is Linux's own."""

from __future__ import annotations

import os
from typing import Union

from ._native import ABI_MAJOR

#: The native library.
FILE_NAME = "libshmcv.so"

#: The names for which the system's loader searches, in this order. An installation to run programs has the first one
#: alone, which tells the binary interface.
SEARCHED = (f"{FILE_NAME}.{ABI_MAJOR}", FILE_NAME)

#: The folder in a checkout where ./build.sh puts the library.
BUILT = "build"

#: Why a stream has no descriptor for a program's own loop. It has one.
NO_DESCRIPTOR = ""


def encoded(text: Union[str, bytes, os.PathLike[str]]) -> bytes:
    """Return a name or path as the system has it."""
    return os.fsencode(text)
