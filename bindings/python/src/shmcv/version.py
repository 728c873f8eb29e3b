"""Versions: of the package, of the native library, and of the interface between them."""

from __future__ import annotations

from typing import cast

from . import _native
from ._library import library

#: The package's own version. It works with every library whose binary interface is compatible.
__version__ = _native.VERSION


def version() -> str:
    """Give the native library's version, for example "0.1.0"."""
    return cast(bytes, library().shmcv_version()).decode()


def abi_version() -> tuple[int, int]:
    """Give the native library's binary interface as (major, minor)."""
    return divmod(cast(int, library().shmcv_abi_version()), 1 << 16)
