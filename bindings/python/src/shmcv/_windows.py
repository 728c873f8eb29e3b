"""What is Windows' own."""

from __future__ import annotations

import os
from typing import Union

#: The native library.
FILE_NAME = "libshmcv.dll"

#: The names for which the system's loader searches.
SEARCHED = (FILE_NAME,)

#: The folder in a checkout where ./build.sh puts the library.
BUILT = "build/win-x64"

#: Why a stream has no descriptor for a program's own loop.
NO_DESCRIPTOR = (
    "Windows has no file descriptor on which a loop could wait for frames: selectors and add_reader take sockets alone "
    "there; use `async for frame in stream.frames()` or `await stream.wait_async()`, which work with every loop "
    "of asyncio, or a thread that calls wait()"
)


def encoded(text: Union[str, bytes, os.PathLike[str]]) -> bytes:
    """Return a name or path in UTF-8, also where PYTHONLEGACYWINDOWSFSENCODING chooses another encoding for files."""
    path = os.fspath(text)
    return path if isinstance(path, bytes) else path.encode("utf-8", "surrogatepass")
