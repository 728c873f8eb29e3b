"""Versions: of the package, of the native library, and of the interface between them."""

from __future__ import annotations

from typing import cast

from . import _native
from ._library import library

#: The package's own version. The package works with every library whose binary interface is compatible.
__version__ = _native.VERSION


def version() -> str:
    """Return the native library's version, for example "0.2.0"."""
    return cast(bytes, library().shmcv_version()).decode()


def abi_version() -> tuple[int, int]:
    """Return the version of the native library's binary interface as (major, minor)."""
    return divmod(cast(int, library().shmcv_abi_version()), 1 << 16)
