"""Finding and loading the native library."""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Callable
from pathlib import Path

from . import _native
from ._system import BUILT, FILE_NAME, SEARCHED, refusal

VARIABLE = "SHMCV_LIBRARY"


class LibraryError(ImportError):
    """The native library was not found, could not be loaded, or is of another version than this package."""


@functools.cache
def library() -> ctypes.CDLL:
    """Return the native library. The first call loads it.

    ``import shmcv`` does not load it. A worker that is forked before that loads the library itself, which takes less
    memory than a copy of the parent's. The function takes no lock, because a forked child could find the lock taken for
    ever. Threads that call it at the same time load the same file, which the system loads once.

    Raises LibraryError.
    """
    path, loaded = _load()
    try:
        _refuse_other_versions(loaded, path)
        _native.declare(loaded)
    except AttributeError as problem:
        raise LibraryError(f"shmcv: {path} is not the shmcv library, or not all of it: {problem}") from problem
    return loaded


@functools.cache
def direct(name: str) -> Callable[..., int]:
    """Return a function for calls that are made for every frame, and that may take long.

    ctypes converts no argument of it, which would take longer than the call does. So all arguments must be ready:
    ctypes objects of the right type, ``byref`` of them, None, or an int that is an int32_t.
    """
    return library()[name]


@functools.cache
def quick(name: str) -> Callable[..., int]:
    """Return a function as ``direct`` does, whose calls end at once. They keep the interpreter's lock.

    To give the lock back and take it again takes as long as such a call, and much longer if other threads want it.
    """
    return ctypes.PyDLL(library()._name, handle=library()._handle)[name]


def _load() -> tuple[str, ctypes.CDLL]:
    """Return the library, and the path or the name by which it was found."""
    path = _find()
    if path is not None:
        try:
            return path, ctypes.CDLL(path)
        except OSError as problem:
            raise LibraryError(_not_loaded(path, problem)) from problem
    problems = []
    for name in SEARCHED:
        try:
            return name, ctypes.CDLL(name)
        except OSError as problem:
            problems.append(str(problem))
    raise LibraryError(_not_found("; ".join(problems)))


def _find() -> str | None:
    """Return the path of the library, or None if the system's loader has to search for it."""
    named = os.environ.get(VARIABLE)
    if named:
        return str(Path(named).absolute())  # the system's loader would search for a name without a slash
    return next((str(place) for place in _places() if place.is_file()), None)


def _places() -> list[Path]:
    """Return the files to look at: in the package's own folder, and where a checkout that has the package builds it."""
    package = Path(__file__).resolve().parent
    places = [package / FILE_NAME]
    if package.parts[-4:] == ("bindings", "python", "src", "shmcv"):
        places.append(package.parents[3] / BUILT / FILE_NAME)
    return places


def _not_found(problem: str) -> str:
    looked = "".join(f"\n  {place}: not there" for place in _places())
    return (
        f"shmcv: the native library {FILE_NAME} was not found. Looked, in this order, at\n"
        f"  the environment variable {VARIABLE}: not set{looked}\n"
        f"  the system's loader: {problem}\n"
        f"Build it (./build.sh build in a checkout of shmcv), or name the file in {VARIABLE}.{refusal()}"
    )


def _not_loaded(path: str, problem: OSError) -> str:
    hint = f" ({VARIABLE} names it; correct it or unset it)" if os.environ.get(VARIABLE) else ""
    return f"shmcv: cannot load the native library {path}{hint}: {problem}{refusal()}"


def _refuse_other_versions(loaded: ctypes.CDLL, path: str) -> None:
    query = loaded.shmcv_abi_version
    query.restype = ctypes.c_uint32
    major, minor = divmod(query(), 1 << 16)
    if major != _native.ABI_MAJOR or minor < _native.ABI_MINOR:
        raise LibraryError(
            f"shmcv: {path} has version {major}.{minor} of the binary interface, and this package needs "
            f"{_native.ABI_MAJOR}.{_native.ABI_MINOR} or a later {_native.ABI_MAJOR}.x; install library and package "
            "of one release"
        )
