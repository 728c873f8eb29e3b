"""Handles of the native library, the memory behind them, and the base of all classes that work on pixels."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable
from typing import Any, ClassVar, NoReturn

import numpy as np

from ._check import check
from ._library import library
from .error import ClosedError


class Handle:
    """One open handle of the native library. It is closed when nothing refers to this object any more."""

    __slots__ = ("__weakref__", "_closer", "ended", "number")

    def __init__(self, number: int, close: Callable[[int], int]) -> None:
        """Take over a handle. ``close`` is the library's function that closes handles of its kind."""
        self.number = number
        #: True if the object that users close is closed. Arrays may still keep the handle open.
        self.ended = False
        self._closer = weakref.finalize(self, close, number)
        # At the interpreter's end other exit handlers may still read their arrays. The system unmaps the memory later.
        self._closer.atexit = False

    def close(self) -> None:
        """Close the handle now. Closing again does nothing, and calls nothing."""
        taken = self._closer.detach()
        if taken is not None:
            _, close, numbers, _ = taken
            check(close(*numbers))

    def forget(self) -> None:
        """Note that the library has closed the handle itself. A second close would fail and leave its own message."""
        self._closer.detach()

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied: a number of this process means something else, or nothing, in another one."""
        raise TypeError("shmcv: a handle of the native library cannot be pickled or copied; it is this process's alone")


class Memory(Handle):
    """A handle of pixels: a segment's or a frame's.

    Every numpy array of the pixels refers to this object, so the memory stays mapped for as long as there is an array.
    """

    __slots__ = ("_address", "_size")

    #: True if the pixels may only be read.
    read_only: ClassVar[bool] = False

    def bytes(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Return all bytes for pixels as an array of one dimension.

        Raises TruncatedError if another process has made the segment's file shorter. Touching the array would then end
        this process.
        """
        address, size = ctypes.c_void_p(), ctypes.c_uint64()
        check(library().shmcv_data(self.number, ctypes.byref(address), ctypes.byref(size)))
        self._address, self._size = address.value, size.value
        return np.asarray(self)

    @property
    def __array_interface__(self) -> dict[str, Any]:
        """Tell numpy where the bytes are. numpy makes this object the base of its array."""
        return {"version": 3, "typestr": "|u1", "shape": (self._size,), "data": (self._address, self.read_only)}


class ReadOnlyMemory(Memory):
    """A handle of pixels that may only be read. The memory faults when it is written to."""

    __slots__ = ()

    read_only = True


class PixelsBase:
    """A name, and the memory behind it until the object is closed. Every family of operations derives from it."""

    #: How an error calls the object.
    _noun: ClassVar[str] = "segment"

    def __init__(self, name: str, memory: Memory) -> None:
        """Take over the memory of an open segment or frame."""
        self._name = name
        self._memory: Memory | None = memory

    @property
    def _open(self) -> Memory:
        if self._memory is None:
            raise ClosedError(f'shmcv: {self._noun} "{self._name}" is closed')
        return self._memory

    @property
    def _handle(self) -> int:
        return self._open.number
