"""What is Linux's own."""

from __future__ import annotations

import os
from typing import Union

#: The native library.
FILE_NAME = "libshmcv.so"

#: The folder in a checkout where ./build.sh puts the library.
BUILT = "build"

#: Why a stream has no descriptor for a program's own loop. It has one.
NO_DESCRIPTOR = ""


def encoded(text: Union[str, bytes, os.PathLike[str]]) -> bytes:
    """Return a name or path as the system has it."""
    return os.fsencode(text)
